"""A camera's time of day that is wrong never makes a picture younger or older than it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.source_clock import ClockState, ClockStatus
from flow.units import UtcOrigin
from ingest.protocol.ticks import ns_to_ticks
from ingest.protocol.timeline import Timeline

START_NS = 1_795_330_000 * NS_PER_S
WAY_NS = 80 * NS_PER_MS
YEAR_2908_NS = 29_600_000_000 * NS_PER_S
YEAR_1999_NS = 946_000_000 * NS_PER_S
STEP_NS = NS_PER_S // 25

Clock = Callable[[int], int]
"""What it shows (ns since 1970) so many ns after the start."""


@dataclass
class Shown:
    """What the pages are told of a camera's pictures."""

    ages_ns: list[int] = field(default_factory=list)  # at arrival
    origins: list[UtcOrigin] = field(default_factory=list)
    states: list[ClockState] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)


def filmed(seconds: int, says: Clock, counts: Clock = int, *, trust: bool = True) -> Shown:
    """25 pictures a second that arrive WAY_NS after capture. `counts`: what the timestamps count; a report of
    what the clock `says` comes once a second of ours."""
    timeline, shown = Timeline(trust), Shown()
    timeline.restart(32)
    for at in range(0, seconds * NS_PER_S, STEP_NS):
        timestamp = ns_to_ticks(counts(at)) % (1 << 32)
        if at % NS_PER_S == 0:
            timeline.clock_report(says(at), timestamp)
        arrival_ns, size = START_NS + at + WAY_NS, 60_000 if at % (2 * NS_PER_S) == 0 else 8_000
        stamp = timeline.place(timestamp, None, arrival_ns, size)
        shown.ages_ns.append(arrival_ns - stamp.utc_ns)
        shown.origins.append(stamp.utc_origin)
        shown.states.append(timeline.clock)
        shown.notes.add(timeline.clock_note)
    return shown


def right(at: int) -> int:
    return START_NS + at


def test_a_right_clock_is_used_and_measured() -> None:
    shown = filmed(60, right)
    assert set(shown.origins) == {UtcOrigin.SOURCE}
    assert max(abs(age - WAY_NS) for age in shown.ages_ns) < NS_PER_MS
    state = shown.states[-1]
    assert (state.status, state.reason) == (ClockStatus.GOOD, "")
    assert state.offset_ms == pytest.approx(-80, abs=1)  # its way to us is part of it
    assert state.drift_ppm == pytest.approx(0, abs=1)


@pytest.mark.parametrize("ppm", [-60, 80])
def test_drift_of_the_timestamps_is_measured(ppm: int) -> None:
    shown = filmed(60, right, lambda at: at + at * ppm // 1_000_000)
    assert shown.states[-1].drift_ppm == pytest.approx(ppm, abs=2)


@pytest.mark.parametrize(
    ("says", "reason", "offset_ms"),
    [
        (lambda at: YEAR_2908_NS + at, "clock_bogus", None),
        (lambda at: YEAR_1999_NS + at, "clock_bogus", None),
        (lambda at: START_NS + at + 37 * NS_PER_S, "clock_wrong", 36_920),
        (lambda at: START_NS + at - 37 * NS_PER_S, "clock_wrong", -37_080),
        (lambda at: START_NS + at - 3 * 3600 * NS_PER_S, "clock_wrong", -10_800_080),
    ],
)
def test_a_time_of_day_that_is_not_ours_is_refused(says: Clock, reason: str, offset_ms: float | None) -> None:
    shown = filmed(10, says)
    assert set(shown.origins) == {UtcOrigin.ARRIVAL}
    assert set(shown.ages_ns) <= {0, 1}
    assert {state.reason for state in shown.states} == {reason}
    assert shown.states[-1].status is ClockStatus.REFUSED
    assert shown.states[-1].offset_ms == (offset_ms and pytest.approx(offset_ms, abs=1))
    assert shown.notes == {"clock_refused"}


@pytest.mark.parametrize(("pace", "reason"), [(25, "clock_fast"), (4.5, "clock_fast")])
@pytest.mark.parametrize("ahead_s", [-50, -4, 0])
def test_a_time_of_day_that_runs_too_fast_is_refused(pace: float, reason: str, ahead_s: int) -> None:
    """Passing through the right time, it is believed for no longer than from one report to the next."""
    shown = filmed(40, lambda at: START_NS + ahead_s * NS_PER_S + int(at * pace))
    assert set(shown.origins[50:]) == {UtcOrigin.ARRIVAL}
    assert max(shown.ages_ns[50:]) <= 1
    assert {state.reason for state in shown.states[50:]} <= {reason, "clock_wrong"}
    assert reason in {state.reason for state in shown.states}


@pytest.mark.parametrize("pace", [1 / 4.5, 0.04])
def test_a_time_of_day_that_runs_too_slow_is_refused(pace: float) -> None:
    shown = filmed(40, lambda at: START_NS + int(at * pace))
    assert set(shown.origins[25:]) == {UtcOrigin.ARRIVAL}
    assert {state.reason for state in shown.states[26:]} == {"clock_slow"}


@pytest.mark.parametrize("trust", [True, False])
def test_a_camera_all_of_whose_clocks_run_too_fast(trust: bool) -> None:
    shown = filmed(40, lambda at: START_NS + 25 * at, lambda at: 25 * at, trust=trust)
    assert min(shown.ages_ns) >= 0
    assert max(shown.ages_ns[1:]) <= 1
    assert (shown.states[-1].status, shown.states[-1].reason) == (ClockStatus.REFUSED, "clock_fast")


@pytest.mark.parametrize("trust", [True, False])
def test_a_camera_all_of_whose_clocks_run_too_slow_is_found_out(trust: bool) -> None:
    """Until it is certain that no queue is the cause, the older age is the safer one."""
    shown = filmed(40, lambda at: START_NS + at // 25, lambda at: at // 25, trust=trust)
    certain = 16 * 25
    assert set(shown.ages_ns[certain:]) == {0}
    assert set(shown.origins[certain:]) == {UtcOrigin.ARRIVAL}
    state = shown.states[-1]
    assert (state.status, state.reason) == (ClockStatus.REFUSED, "clock_slow")
    assert state.drift_ppm == pytest.approx(-960_000, rel=0.01)


def test_a_clock_that_is_set_right_is_believed_after_half_a_minute() -> None:
    shown = filmed(60, lambda at: START_NS + at - 3600 * NS_PER_S * (at < 10 * NS_PER_S))
    first = shown.origins.index(UtcOrigin.SOURCE)
    assert 10 * 25 <= first <= 42 * 25
    assert set(shown.origins[first:]) == {UtcOrigin.SOURCE}
    assert max(shown.ages_ns[:first]) <= 1
    assert shown.states[-1].status is ClockStatus.GOOD


def test_a_queue_makes_pictures_of_a_proved_clock_as_old_as_they_are() -> None:
    timeline = Timeline(trust_clock=True)
    timeline.restart(32)
    for at in range(0, 60 * NS_PER_S, STEP_NS):
        timestamp = ns_to_ticks(at)
        if at % NS_PER_S == 0:
            timeline.clock_report(START_NS + at, timestamp)
        late_ns = WAY_NS + max(0, at - 20 * NS_PER_S) // 2
        stamp = timeline.place(timestamp, None, START_NS + at + late_ns, 8_000)
        assert (stamp.utc_origin, abs(stamp.utc_ns - START_NS - at) < NS_PER_MS) == (UtcOrigin.SOURCE, True)


def test_an_untrusted_time_of_day_is_measured_but_neither_used_nor_refused() -> None:
    shown = filmed(10, lambda at: START_NS + at + 37 * NS_PER_S, trust=False)
    assert set(shown.origins) == {UtcOrigin.ARRIVAL}
    assert (shown.states[-1].status, shown.states[-1].reason) == (ClockStatus.NONE, "")
    assert shown.states[-1].offset_ms == pytest.approx(36_920, abs=1)
    assert shown.notes == {"clock_untrusted"}
