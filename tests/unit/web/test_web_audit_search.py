"""Entries found in the audit log: by time, person, action, thing and text, page by page."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from recordings.export.signature import signing_key
from tests.fakes.audited import MEIER, entry, logged
from tests.fakes.clock import START_NS
from web.access.audit import Action, Entry
from web.access.caller import NOBODY, Caller, CallerKind
from web.audit.anchor import public_key_of
from web.audit.folder import AuditFolder
from web.audit.reading import months_in, place_of
from web.audit.sealing import as_csv, check_sealed, sealed
from web.audit.searching import Query, forwards, matcher_of, search

OTTO = Caller(CallerKind.GUEST, "g77", "Otto")
MUELLER = Caller(CallerKind.PERSON, "a2", "Jürgen MÜLLER")


def told(at_s: float, who: Caller, action: Action, about: str = "feed", **named: str) -> Entry:
    detail = {"reason": "Auskunft an Straße 7"} if action is Action.DELETED else {}
    return Entry(START_NS + round(at_s * NS_PER_S), who, "192.0.2.5", action, about, named, detail)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = AuditFolder(tmp_path)
    entries = [
        told(0, MEIER, Action.MADE, "/api/v1/incidents"),
        told(1, OTTO, Action.WATCHED, "/live/{feed}/whep", feed="fritz-tag"),
        told(2, MUELLER, Action.DELETED, "/api/v1/flights/{flight}", flight="f1"),
        replace(told(3, NOBODY, Action.LOGIN_FAILED, "login"), address="198.51.100.9"),
        told(40 * 86_400, OTTO, Action.LEFT, feed="fritz-tag"),
    ]
    while entries:
        entries = entries[folder.append(entries, START_NS) :]
    return tmp_path


def seqs(root: Path, **asked: str | int) -> list[int]:
    return [line.seq for line in search(root, Query(**asked))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"limit": 2}, [5, 4]),
        ({"limit": 2, "before": 4}, [3, 2]),
        ({"before": 1}, []),
        ({"who": "g77"}, [5, 2]),
        ({"who": "guest"}, [5, 2]),
        ({"who": "müller"}, [3]),
        ({"who": "198.51"}, [4]),
        ({"who": "a"}, []),
        ({"action": "deleted"}, [3]),
        ({"action": "delete"}, []),
        ({"about": "fritz-tag"}, [5, 2]),
        ({"about": "/api/v1/flights"}, [3]),
        ({"about": "f1"}, [3]),
        ({"text": "STRASSE"}, []),
        ({"text": "straße 7"}, [3]),
        ({"text": "fritz", "action": "left"}, [5]),
        ({"from_ns": START_NS + NS_PER_S, "to_ns": START_NS + 3 * NS_PER_S}, [3, 2]),
        ({"from_ns": START_NS + 86_400 * NS_PER_S}, [5]),
        ({"to_ns": START_NS}, []),
    ],
)
def test_what_is_asked_for_is_found(root: Path, asked: dict[str, str | int], found: list[int]) -> None:
    assert seqs(root, **asked) == found
    forward = list(forwards(root, Query(**asked)))  # type: ignore[arg-type]
    assert "limit" in asked or len(forward) == len(found)


def test_it_finds_what_reading_every_line_finds(tmp_path: Path) -> None:
    """However lines lie across the pieces in which a file is read."""
    chance = random.Random(3)
    people = [Caller(CallerKind.PERSON, f"a{n}", f"Person {n}") for n in range(4)]
    actions = [Action.MADE, Action.LEFT]
    entries = [
        Entry(START_NS + n, chance.choice(people), "", chance.choice(actions), "x" * chance.randrange(300))
        for n in range(9000)
    ]
    AuditFolder(tmp_path).append(entries, START_NS)
    (month,) = months_in(tmp_path / "audit")
    assert month.size > 2 * 1024 * 1024
    all_lines = search(tmp_path, Query())
    assert [line.seq for line in all_lines] == list(range(9000, 0, -1))
    for query in (
        Query(who="a1"),
        Query(action="left", text="person 2"),
        Query(about="xxxxxxxx", before=4000),
    ):
        assert search(tmp_path, query) == list(filter(matcher_of(query), all_lines))
    data = month.path.read_bytes()
    for seq in (1, 2, 4500, 8999, 9000):
        assert data[place_of(month, seq) :].startswith(b'{"seq":%d,' % seq)
    assert place_of(month, 9001) == month.size


def test_an_export_is_as_it_was_sealed_or_not(tmp_path: Path) -> None:
    logged(tmp_path)
    key = signing_key(tmp_path)
    file = tmp_path / "export.jsonl"
    parts = list(sealed(forwards(tmp_path, Query()), key, START_NS))
    file.write_bytes(b"".join(parts))
    report = check_sealed(file, public_key_of(tmp_path))
    assert report is not None
    assert (report.intact, report.entries, report.complete) == (True, 4, True)
    for changed in (parts[1:], [*parts[:2], *parts[3:]], [parts[1], parts[0], *parts[2:]]):
        file.write_bytes(b"".join(changed))
        report = check_sealed(file, public_key_of(tmp_path))
        assert report is not None
        assert not report.intact
    file.write_bytes(b"".join(parts).replace(b"Meier", b"Maier"))
    report = check_sealed(file, public_key_of(tmp_path))
    assert report is not None
    assert not report.intact


def test_a_selection_is_sealed_as_one(tmp_path: Path) -> None:
    logged(tmp_path)
    parts = list(forwards(tmp_path, Query()))
    file = tmp_path / "export.jsonl"
    file.write_bytes(b"".join(sealed([parts[0], parts[2]], signing_key(tmp_path), START_NS)))
    report = check_sealed(file, public_key_of(tmp_path))
    assert report is not None
    assert (report.intact, report.complete) == (True, False)
    logged(tmp_path / "other")
    foreign = check_sealed(file, public_key_of(tmp_path / "other"))
    assert foreign is not None
    assert foreign.why == "it is sealed by another key"


def test_no_table_holds_what_a_spreadsheet_would_run(tmp_path: Path) -> None:
    AuditFolder(tmp_path).append([replace(entry(), caller=replace(MEIER, name="=HYPERLINK(1)"))], START_NS)
    text = b"".join(as_csv(forwards(tmp_path, Query()))).decode()
    head, row = csv.reader(io.StringIO(text))
    assert dict(zip(head, row, strict=True))["name"] == "'=HYPERLINK(1)"
