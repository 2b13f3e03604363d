"""The audit log's chain: whoever changes anything of it is found out."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.audited import MEIER, entry, logged
from tests.fakes.clock import START_NS
from web.access.audit import Action, Entry
from web.access.caller import Caller, CallerKind
from web.audit.chain import End, line_in, line_of, utc_ns_of, utc_text
from web.audit.checking import Found, check, check_files
from web.audit.folder import AuditFolder

Lines = list[bytes]


def test_anybody_can_check_a_file_with_a_few_lines(tmp_path: Path) -> None:
    """As docs/audit.md has it."""
    before = "0" * 64
    for raw in logged(tmp_path).read_bytes().splitlines():
        told = json.loads(raw)
        assert told["prev"] == before
        assert told["hash"] == hashlib.sha256(raw[:-75]).hexdigest()
        before = told["hash"]


def test_a_line_says_who_did_what() -> None:
    raw, end = line_of(entry(1.5, reason="Auskunft"), End())
    line = line_in(raw.removesuffix(b"\n"))
    assert line is not None
    assert (line.seq, line.utc) == (1, "2026-11-22T06:46:41.500000000Z")
    assert (line.kind, line.id, line.name, line.address) == ("person", "a1", "Meier", "192.0.2.7")
    assert (line.action, line.about, line.named) == ("made", "/api/v1/incidents", {"incident": "i1"})
    assert line.detail == {"reason": "Auskunft"}
    assert end == End(1, line.hash)


def test_of_guests_the_name_is_not_told() -> None:
    raw, _ = line_of(entry(who=Caller(CallerKind.GUEST, "g1", "Anna Schmidt")), End())
    assert b"Anna" not in raw


@given(text=st.text(), number=st.floats() | st.integers() | st.none() | st.booleans())
@settings(max_examples=200, deadline=None)
def test_whatever_strangers_send_stays_one_line(text: str, number: float | None) -> None:
    told = Entry(START_NS, MEIER, text, Action.REFUSED, text, {text: text}, {text: number})
    raw, _ = line_of(told, End())
    assert raw.count(b"\n") == 1
    assert line_in(raw[:-1]) is not None
    assert len(raw) < 64 * 1024


def test_half_a_character_of_utf_16_and_too_much_are_told_as_they_can_be() -> None:
    raw, _ = line_of(entry(a="\udcff", b="x" * 5000, c=2**80), End())
    line = line_in(raw[:-1])
    assert line is not None
    assert line.detail["a"] == "?"
    assert len(str(line.detail["b"])) == 300
    assert line.detail["c"] == str(2**80)


@pytest.mark.parametrize("utc_ns", [0, START_NS, START_NS + 1, START_NS + 999_999_999])
def test_times_are_told_to_the_nanosecond(utc_ns: int) -> None:
    assert utc_ns_of(utc_text(utc_ns)) == utc_ns


def test_a_log_that_nobody_touched_is_intact(tmp_path: Path) -> None:
    logged(tmp_path)
    report = check(tmp_path)
    assert (report.intact, report.entries, report.first_seq, report.last_seq) == (True, 4, 1, 4)
    assert report.anchored_seq == 4


def test_every_bit_counts(tmp_path: Path) -> None:
    path = logged(tmp_path, 3)
    data = path.read_bytes()
    for at in range(len(data) * 8):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        path.write_bytes(changed)
        assert not check(tmp_path).intact, f"bit {at % 8} of byte {at // 8}"


def _repeated(lines: Lines) -> Lines:
    return [*lines[:2], lines[1], *lines[2:]]


def _written_anew(lines: Lines) -> Lines:
    """All of them, with good hashes: only the anchor knows better."""
    end, made = End(), []
    for n in range(len(lines)):
        line, end = line_of(entry(n, n=n + 1), end)
        made.append(line)
    return made


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda lines: lines[1:], Found.BEGINNING),
        (lambda lines: lines[:1] + lines[2:], Found.BROKEN),
        (lambda lines: lines[:-1], Found.CUT_OFF),
        (lambda lines: lines[:1], Found.CUT_OFF),
        (lambda lines: [], Found.CUT_OFF),
        (lambda lines: [lines[1], lines[0], *lines[2:]], Found.BROKEN),
        (_repeated, Found.BROKEN),
        (lambda lines: [*lines, b"nonsense\n"], Found.HALF_LINE),
        (lambda lines: [lines[0], b"\n", *lines[1:]], Found.DAMAGED),
        (_written_anew, Found.REWRITTEN),
        (lambda lines: _written_anew(lines)[:-1], Found.CUT_OFF),
    ],
)  # fmt: skip
def test_lines_that_go_come_or_move_are_found(
    tmp_path: Path, change: Callable[[Lines], Lines], found: Found
) -> None:
    path = logged(tmp_path)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
    report = check(tmp_path)
    assert not report.intact
    assert found in [each.found for each in report.findings]


def test_an_end_cut_off_anywhere_is_found(tmp_path: Path) -> None:
    path = logged(tmp_path, 3)
    data = path.read_bytes()
    for size in range(len(data) - 1):  # without its last newline nothing is missing
        path.write_bytes(data[:size])
        assert not check(tmp_path).intact, size


def test_an_anchor_of_another_key_or_none_vouches_for_nothing(tmp_path: Path) -> None:
    logged(tmp_path / "ours")
    logged(tmp_path / "other")
    anchor = tmp_path / "ours" / "audit" / "anchor.json"
    shutil.copy(tmp_path / "other" / "audit" / "anchor.json", anchor)
    assert [each.found for each in check(tmp_path / "ours").findings] == [Found.ANCHOR]
    anchor.unlink()
    assert [each.found for each in check(tmp_path / "ours").findings] == [Found.NO_ANCHOR]


def test_all_written_anew_with_the_key_is_found_by_who_noted_the_end(tmp_path: Path) -> None:
    path = logged(tmp_path)
    noted = End(4, check(tmp_path).last_hash)
    path.write_bytes(b"".join(_written_anew(path.read_bytes().splitlines(keepends=True))))
    (path.parent / "anchor.json").unlink()
    AuditFolder(tmp_path).anchor(START_NS)
    assert check(tmp_path).intact
    assert [each.found for each in check(tmp_path, noted).findings] == [Found.SEEN]


def test_files_that_were_kept_elsewhere_are_checked_alone(tmp_path: Path) -> None:
    path = logged(tmp_path)
    assert check_files([path]).intact
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    assert [each.found for each in check_files([path]).findings] == [Found.DAMAGED, Found.BROKEN]
