"""Logs whose clocks are wrong: made here, and recorded flights with their times rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest

from flow.codec.tlog import read_tlog
from flow.samples import TelemetrySample
from flow.source_clock import ClockState, ClockStatus
from telemetry.protocol.fleet import Fleet
from tests.fakes.flight_log import BOOTED_US, START_US, Record, flight_log, rewritten

S_US = 1_000_000
HOUR_US = 3600 * S_US
UNIX_2001_US = 1_005_000_000 * S_US
YEARS_882_US = 882 * 31_556_952 * S_US
"""From 2026 to 2908."""

Clock = Callable[[int], int]


@dataclass
class Heard:
    """What a fleet made of a log."""

    states: list[tuple[int, ClockState]] = field(default_factory=list)  # arrival in µs
    ages_ms: list[float] = field(default_factory=list)  # of the samples, when they were made

    @property
    def last(self) -> ClockState:
        return self.states[-1][1]

    def reasons(self) -> set[str]:
        return {state.reason for _, state in self.states}


def heard(log: Iterable[Record], every: int = 1) -> Heard:
    """Play a log; the clock is looked at after `every` so many messages."""
    fleet, found = Fleet("log", [("fritz", None)]), Heard()
    for number, (at_us, message) in enumerate(log):
        for item in fleet.receive(message, "log", at_us * 1000):
            if isinstance(item, TelemetrySample):
                found.ages_ms.append(at_us / 1e3 - item.utc_ns / 1e6)
        if number % every == 0:
            found.states.append((at_us, fleet.heard("fritz", at_us * 1000).clock))
    return found


def paced(pace: float, from_us: int = BOOTED_US) -> Clock:
    return lambda us: from_us + int((us - from_us) * pace)


def test_right_clocks() -> None:
    found = heard(flight_log(60))
    assert (found.last.status, found.last.reason, found.last.restarts) == (ClockStatus.GOOD, "", 0)
    assert found.last.offset_ms == pytest.approx(0, abs=1)
    assert found.last.drift_ppm == pytest.approx(0, abs=1)
    assert max(found.ages_ms) <= 110


def test_clocks_that_are_a_little_wrong_are_measured() -> None:
    def drifting(us: int) -> int:
        return us - round((us - BOOTED_US) * 60e-6)

    found = heard(rewritten(flight_log(120), uptime=drifting, unix=lambda us: us - 3 * HOUR_US))
    assert (found.last.status, found.last.reason) == (ClockStatus.GOOD, "")
    assert found.last.offset_ms == pytest.approx(-3 * 3600e3, abs=10)
    assert found.last.drift_ppm == pytest.approx(-60, abs=10)


@pytest.mark.parametrize(
    ("pace", "reason"),
    [(4.5, "clock_fast"), (25, "clock_fast"), (1 / 4.5, "clock_slow"), (0.04, "clock_slow")],
)
def test_an_uptime_at_a_pace_that_no_clock_has_is_refused(pace: float, reason: str) -> None:
    found = heard(rewritten(flight_log(60), uptime=paced(pace)))
    assert (found.last.status, found.last.reason) == (ClockStatus.REFUSED, reason)
    assert found.last.drift_ppm == pytest.approx((pace - 1) * 1e6, rel=0.02)
    assert max(found.ages_ms[-300:]) <= 110  # the arrival stands in; a sample waits for the next message
    if pace > 1:
        assert max(found.ages_ms) <= 110


def test_an_uptime_that_stands_is_refused() -> None:
    found = heard(rewritten(flight_log(30), uptime=lambda us: min(us, BOOTED_US + 15 * S_US)))
    assert (found.last.status, found.last.reason) == (ClockStatus.REFUSED, "clock_slow")
    assert max(found.ages_ms) <= 2200


def test_a_reboot_in_flight_is_counted_and_the_estimate_starts_anew() -> None:
    def rebooted(us: int) -> int:
        return us if us < BOOTED_US + 40 * S_US else us - BOOTED_US - 40 * S_US + S_US

    found = heard(rewritten(flight_log(80), uptime=rebooted))
    at_reboot = next(state for at, state in found.states if at == START_US + 41 * S_US)
    assert (at_reboot.status, at_reboot.restarts, at_reboot.drift_ppm) == (ClockStatus.ESTIMATING, 1, None)
    assert (found.last.status, found.last.reason, found.last.restarts) == (ClockStatus.GOOD, "", 1)
    assert max(found.ages_ms) <= 110


def test_an_uptime_that_jumps_by_hours_is_refused_until_it_has_behaved_for_half_a_minute() -> None:
    jump_us = BOOTED_US + 20 * S_US
    found = heard(rewritten(flight_log(70), uptime=lambda us: us + 5 * HOUR_US * (us >= jump_us)))
    refused = [at for at, state in found.states if state.status is ClockStatus.REFUSED]
    assert {state.reason for _, state in found.states} == {"", "clock_jumps"}
    assert refused[0] <= START_US + 21 * S_US
    assert START_US + 50 * S_US <= refused[-1] <= START_US + 52 * S_US
    assert (found.last.status, found.last.restarts) == (ClockStatus.GOOD, 0)
    assert max(found.ages_ms) <= 110


def test_one_bad_uptime_neither_restarts_nor_ages_anything() -> None:
    bad_us = BOOTED_US + 20 * S_US
    found = heard(rewritten(flight_log(40), uptime=lambda us: us + HOUR_US * (us == bad_us)))
    assert (found.last.status, found.last.restarts, found.reasons()) == (ClockStatus.GOOD, 0, {""})
    assert max(found.ages_ms) <= 110


@pytest.mark.parametrize(
    ("unix", "reason"),
    [
        (lambda us: us + YEARS_882_US, "clock_bogus"),
        (lambda us: us - START_US + UNIX_2001_US, ""),  # wrong by 25 years, but a year that there was
        (paced(25, START_US), "clock_fast"),
        (paced(0.2, START_US), "clock_slow"),
    ],
)
def test_a_time_of_day_that_is_none_is_not_told(unix: Clock, reason: str) -> None:
    found = heard(rewritten(flight_log(30), unix=unix))
    assert (found.last.status, found.last.reason) == (ClockStatus.GOOD, reason)  # uptime times the messages
    assert (found.last.offset_ms is None) == bool(reason)


def test_a_time_of_day_that_is_set_right_is_told_soon() -> None:
    set_us = START_US + 20 * S_US
    found = heard(rewritten(flight_log(40), unix=lambda us: us - HOUR_US * (us < set_us)))
    assert found.reasons() == {"", "clock_jumps"}
    assert found.last.offset_ms == pytest.approx(0, abs=1)
    jumping = [at for at, state in found.states if state.reason]
    assert jumping[-1] - jumping[0] <= 5 * S_US


@pytest.mark.parametrize(
    ("name", "restarts", "offset_ms"),
    [
        ("copter_real_cmac_2015", 1, 1801.4),
        ("quadplane_sitl_2018", 0, -15_434),
        ("sub_real_bluerov_2024_nogps", 0, None),
    ],
)
@pytest.mark.feeds
def test_clocks_of_recorded_flights(feeds: Path, name: str, restarts: int, offset_ms: float | None) -> None:
    found = heard(read_tlog((feeds / f"telemetry/{name}.tlog").read_bytes()), every=50)
    assert (found.last.status, found.last.reason) == (ClockStatus.GOOD, "")
    assert found.last.restarts == restarts
    assert found.last.offset_ms == (offset_ms and pytest.approx(offset_ms, abs=100))
    assert abs(found.last.drift_ppm or 0) < 1000


@pytest.mark.feeds
def test_a_recorded_flight_whose_log_was_written_too_fast(feeds: Path) -> None:
    """589 s of uptime in 132 s: the first 25 at 10 to 30 times life speed, the last 70 at life speed."""
    found = heard(read_tlog((feeds / "telemetry/plane_real_cuav_2016_multilink.tlog").read_bytes()), every=50)
    began = found.states[0][0]
    refused = [at - began for at, state in found.states if state.status is ClockStatus.REFUSED]
    assert refused[0] < 26 * S_US
    assert {state.reason for _, state in found.states if state.status is ClockStatus.REFUSED} == {
        "clock_fast"
    }
    assert found.last.status is ClockStatus.GOOD
    assert max(found.ages_ms) < 1000


@pytest.mark.parametrize(("pace", "reason"), [(4.5, "clock_fast"), (25, "clock_fast"), (0.04, "clock_slow")])
@pytest.mark.feeds
def test_a_recorded_flight_at_a_pace_that_no_clock_has(feeds: Path, pace: float, reason: str) -> None:
    log = read_tlog((feeds / "telemetry/sub_real_bluerov_2024_nogps.tlog").read_bytes())
    found = heard(rewritten(islice(log, 10_000), uptime=paced(pace, 0)), every=50)
    assert (found.last.status, found.last.reason) == (ClockStatus.REFUSED, reason)


@pytest.mark.feeds
def test_a_recorded_flight_of_the_year_2908(feeds: Path) -> None:
    log = list(islice(read_tlog((feeds / "telemetry/quadplane_sitl_2018.tlog").read_bytes()), 10_000))
    right, wrong = heard(log, 50), heard(rewritten(log, unix=lambda us: us + 890 * 31_556_952 * S_US), 50)
    assert (wrong.last.status, wrong.last.reason) == (ClockStatus.GOOD, "clock_bogus")
    assert wrong.last.offset_ms is None
    assert wrong.ages_ms == right.ages_ms
