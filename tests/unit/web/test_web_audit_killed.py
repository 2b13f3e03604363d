"""Whoever writes the audit log is killed in the middle: the chain is whole, and goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes.audited import entry
from web.audit.checking import Found, check
from web.audit.folder import AuditFolder
from web.audit.searching import Query, search

KILLS = 12
ROOT = Path(__file__).parents[3]


def _write_and_be_killed(root: Path, after_s: float) -> None:
    command = [sys.executable, "-m", "tests.fakes.audit_writer", str(root)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"on\n"
        time.sleep(after_s)
        writer.kill()


def test_killed_again_and_again_it_stays_one_chain(tmp_path: Path) -> None:
    chance = random.Random(8)
    before = 0
    for _ in range(KILLS):
        _write_and_be_killed(tmp_path, chance.uniform(0, 0.05))
        report = check(tmp_path)
        assert {each.found for each in report.findings} <= {Found.HALF_LINE}
        assert report.entries > before
        before = report.entries
    AuditFolder(tmp_path).append([entry(1)], 0)
    assert check(tmp_path).intact


@pytest.mark.parametrize("share", [0.001, 0.3, 0.5, 0.98])
def test_killed_in_the_middle_of_a_line_it_goes_on(tmp_path: Path, share: float) -> None:
    """A kill seldom meets a write: here each does."""
    folder = AuditFolder(tmp_path)
    folder.append([entry(0)], 0)
    folder.anchor(0)
    path = folder.path / "2026-11.jsonl"
    line = path.read_bytes()
    for n in range(1, 6):
        with path.open("ab") as file:
            file.write(line[: max(1, int(len(line) * share))])
        AuditFolder(tmp_path).append([entry(n)], 0)
        AuditFolder(tmp_path).anchor(0)
    assert check(tmp_path).intact
    assert [each.action for each in search(tmp_path, Query())][::-1] == ["made"] + ["mended", "made"] * 5
