"""The audit log as it is written: over restarts, months, kills, full disks and floods."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flow.clock import NS_PER_S
from tests.fakes.audited import MEIER, Disk, entry, logged
from tests.fakes.clock import START_NS, FakeClock
from web.access.audit import Action, Entry
from web.access.caller import NOBODY
from web.audit.chain import Line
from web.audit.checking import Found, check
from web.audit.folder import AuditFolder
from web.audit.log import ANCHOR_EVERY_NS, NS_PER_DAY, AuditLog
from web.audit.repeats import COUNTED_NS, FIRST, ONCE_NS
from web.audit.searching import Query, search


@contextmanager
def writing(
    root: Path, clock: FakeClock | None = None, disk: Disk | None = None, **how: int
) -> Iterator[AuditLog]:
    disk = disk or Disk()
    log = AuditLog(AuditFolder(root, disk.write, disk.sync), clock or FakeClock(), **how)
    log.open()
    try:
        yield log
    finally:
        log.close()


def lines(root: Path) -> list[Line]:
    """The oldest first."""
    return search(root, Query())[::-1]


def test_the_chain_goes_on_over_restarts(tmp_path: Path) -> None:
    for n in range(3):
        with writing(tmp_path) as log:
            log.record(entry(n))
    assert [line.seq for line in lines(tmp_path)] == [1, 2, 3]
    assert check(tmp_path).intact


def test_its_files_are_for_this_user_alone(tmp_path: Path) -> None:
    path = logged(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_each_month_has_a_file_and_the_chain_goes_through_all(tmp_path: Path) -> None:
    days = 86_400
    with writing(tmp_path) as log:
        for at_s in (0, 5 * days, 20 * days, 60 * days):
            log.record(entry(at_s))
        assert log.settle()
    names = sorted(path.name for path in (tmp_path / "audit").glob("*.jsonl"))
    assert names == ["2026-11.jsonl", "2026-12.jsonl", "2027-01.jsonl"]
    report = check(tmp_path)
    assert (report.intact, report.entries) == (True, 4)


def test_a_clock_set_back_stays_in_the_newest_file(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.record(entry(20 * 86_400))
        log.record(entry(0))
    assert [path.name for path in (tmp_path / "audit").glob("*.jsonl")] == ["2026-12.jsonl"]
    assert check(tmp_path).intact
    early = search(tmp_path, Query(to_ns=START_NS + NS_PER_S))
    assert [line.seq for line in early] == [2]


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    with writing(tmp_path) as service, writing(tmp_path) as command_line:
        for n in range(20):
            (service, command_line)[n % 2].record(entry(n))
            assert (service, command_line)[n % 2].settle()
    assert [line.seq for line in lines(tmp_path)] == list(range(1, 21))
    assert check(tmp_path).intact


def test_the_end_is_signed_now_and_then_and_at_the_end(tmp_path: Path) -> None:
    clock = FakeClock()
    with writing(tmp_path, clock) as log:
        log.record(entry())
        assert log.settle()
        assert check(tmp_path).anchored_seq == 1
        log.record(entry(1))
        assert log.settle()
        assert check(tmp_path).anchored_seq == 1
        clock.advance(ANCHOR_EVERY_NS)
        assert log.settle()
        assert check(tmp_path).anchored_seq == 2
        log.record(entry(2))
    assert check(tmp_path).anchored_seq == 3


def test_half_a_line_is_ended_and_told_of(tmp_path: Path) -> None:
    path = logged(tmp_path)
    with path.open("ab") as file:
        file.write(b'{"seq":5,"utc":"2026-11')
    assert [each.found for each in check(tmp_path).findings] == [Found.HALF_LINE]
    with writing(tmp_path) as log:
        log.record(entry(9))
    assert check(tmp_path).intact
    assert [(line.seq, line.action) for line in lines(tmp_path)[4:]] == [(5, "mended"), (6, "made")]
    assert lines(tmp_path)[4].detail["bytes"] == 23


def test_a_whole_line_without_its_newline_is_gone_on_from(tmp_path: Path) -> None:
    path = logged(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    with writing(tmp_path) as log:
        log.record(entry(9))
    assert [line.action for line in lines(tmp_path)] == ["made"] * 5
    assert check(tmp_path).intact


def test_what_was_cut_off_before_a_start_stays_told(tmp_path: Path) -> None:
    path = logged(tmp_path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    with writing(tmp_path) as log:
        log.record(entry(9))
    report = check(tmp_path)
    assert [(each.found, each.seq) for each in report.findings] == [(Found.NOTED, 3)]
    note = lines(tmp_path)[2]
    assert (note.action, note.detail["found"], note.detail["seq"]) == ("mended", "cut_off", 4)


def test_what_is_cut_off_while_it_runs_is_noticed_at_once(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        for n in range(3):
            log.record(entry(n))
        assert log.settle()
        path = tmp_path / "audit" / "2026-11.jsonl"
        os.truncate(path, len(path.read_bytes().splitlines(keepends=True)[0]))
        log.record(entry(4))
    assert [line.detail.get("found") for line in lines(tmp_path)] == [None, "cut_off", None]
    assert not check(tmp_path).intact


def test_lines_written_anew_are_noticed_at_the_start(tmp_path: Path) -> None:
    path = logged(tmp_path / "ours")
    path.write_bytes(logged(tmp_path / "other", 6).read_bytes().replace(b'"n":0', b'"n":9'))
    with writing(tmp_path / "ours") as log:
        log.record(entry(9))
    assert not check(tmp_path / "ours").intact


def test_a_full_disk_loses_nothing_that_fits_into_memory(tmp_path: Path) -> None:
    disk = Disk(room=700)
    with writing(tmp_path, disk=disk) as log:
        for n in range(10):
            log.record(entry(n))
        assert not log.settle()
        assert (log.waiting, log.lost) == (10, 0)
        assert log.trouble == "No space left on device"
        disk.room = 10**9
        assert log.settle()
        assert (log.waiting, log.trouble) == (0, "")
    assert [line.seq for line in lines(tmp_path)] == list(range(1, 11))
    assert check(tmp_path).intact


def test_what_does_not_fit_is_counted_and_told(tmp_path: Path) -> None:
    disk = Disk(room=0)
    with writing(tmp_path, disk=disk, most=5) as log:
        for n in range(12):
            log.record(entry(n))
        assert not log.settle()
        assert (log.waiting, log.lost) == (5, 7)
        disk.room = 10**9
        assert log.settle()
    written = lines(tmp_path)
    assert [line.action for line in written] == ["made"] * 5 + ["mended"]
    assert (written[5].detail["found"], written[5].detail["entries"]) == ("lost", 7)
    assert written[5].detail["from"] == "2026-11-22T06:46:45.000000000Z"
    report = check(tmp_path)
    assert (report.intact, report.lost) == (True, 7)


def test_a_disk_that_does_not_sync_has_taken_nothing(tmp_path: Path) -> None:
    disk = Disk()
    with writing(tmp_path, disk=disk) as log:
        disk.fails = OSError(5, "Input/output error")
        log.record(entry())
        assert not log.settle()
        disk.fails = None
        assert log.settle()
    assert [line.seq for line in lines(tmp_path)] == [1]


def test_a_folder_that_is_none_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("")
    with writing(tmp_path) as log:
        log.record(entry())
        assert not log.settle()
        (tmp_path / "audit").unlink()
        assert log.settle()
    assert check(tmp_path).entries == 1


def test_months_go_when_their_days_are_over_and_the_rest_is_intact(tmp_path: Path) -> None:
    clock = FakeClock()
    with writing(tmp_path, clock, days=30) as log:
        for n in range(3):
            log.record(entry(n))
        assert log.settle()
        clock.advance(60 * NS_PER_DAY)
        log.record(Entry(clock.now_ns(), MEIER, "", Action.MADE, "x"))
        assert log.settle()
        clock.advance(NS_PER_DAY)
        assert log.settle()
    assert [path.name for path in (tmp_path / "audit").glob("*.jsonl")] == ["2027-01.jsonl"]
    report = check(tmp_path)
    assert (report.intact, report.first_seq) == (True, 4)
    gone = search(tmp_path, Query(action="deleted"))
    assert [(line.about, line.named) for line in gone] == [("audit", {"month": "2026-11"})]


def test_months_that_somebody_else_removes_are_missed(tmp_path: Path) -> None:
    with writing(tmp_path) as log:
        log.record(entry())
        log.record(entry(40 * 86_400))
    (tmp_path / "audit" / "2026-11.jsonl").unlink()
    assert [each.found for each in check(tmp_path).findings] == [Found.BEGINNING]


def test_a_flight_that_is_played_is_told_of_once_in_ten_minutes(tmp_path: Path) -> None:
    clock = FakeClock()

    def piece(n: int, flight: str = "f1") -> Entry:
        named = {"flight": flight, "number": str(n)}
        return Entry(clock.now_ns(), MEIER, "", Action.OPENED, f"/{n % 2}", named)

    with writing(tmp_path, clock) as log:
        for n in range(300):
            log.record(piece(n))
        log.record(piece(0, "f2"))
        clock.advance(ONCE_NS)
        log.record(piece(0))
    assert [line.named["flight"] for line in lines(tmp_path)] == ["f1", "f2", "f1"]


def test_ten_thousand_wrong_logins_are_some_lines_and_a_count(tmp_path: Path) -> None:
    clock = FakeClock()
    with writing(tmp_path, clock) as log:
        for n in range(10_000):
            log.record(Entry(clock.now_ns(), NOBODY, "192.0.2.9", Action.LOGIN_FAILED, "login", {}, {"n": n}))
        clock.advance(COUNTED_NS)
        assert log.settle()
        log.record(entry())
    written = lines(tmp_path)
    assert [line.action for line in written] == ["login_failed"] * (FIRST + 1) + ["made"]
    assert written[FIRST].detail == {"more": 10_000 - FIRST}


def test_wrong_logins_from_ever_other_addresses_are_bounded(tmp_path: Path) -> None:
    clock = FakeClock()
    with writing(tmp_path, clock) as log:
        for n in range(10_000):
            told = Entry(clock.now_ns(), NOBODY, f"2001:db8::{n:x}", Action.LOGIN_FAILED, "login")
            log.record(told)
    written = lines(tmp_path)
    assert len(written) < 2100
    assert (written[-1].address, written[-1].detail) == ("many addresses", {"more": 10_000 - 2000 - FIRST})
