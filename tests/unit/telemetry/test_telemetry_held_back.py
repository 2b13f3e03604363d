"""Links that hold back: no group of an aircraft is ever told newer than the aircraft said it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import pytest

from flow.flights import Armed, Disarmed
from flow.samples import Group
from flow.source_clock import ClockState, ClockStatus
from telemetry.protocol.fleet import Fleet
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS

MS, S = 1_000_000, 1_000_000_000
BOOTED_MS = 41_000
SLACK_NS = 20 * MS  # what a clock may drift in ten seconds

Message: TypeAlias = tuple[int, int, bytes, Group]
"""Sent, arrived, the message, and of what it tells."""


def flight(seconds: int, rate_hz: int = 10) -> Iterator[tuple[int, bytes, Group]]:
    """What an aircraft sends, and when; what has no uptime comes first."""
    aircraft = FakeAircraft()
    for number in range(seconds * rate_hz):
        since_ns = number * S // rate_hz
        boot_ms, sent_ns = BOOTED_MS + since_ns // MS, START_NS + since_ns
        if number % rate_hz == 0:
            yield sent_ns, aircraft.heartbeat(armed=True), Group.MODE
            yield sent_ns, aircraft.system_status(90 - number // rate_hz % 80), Group.BATTERY
            yield sent_ns, aircraft.gps(), Group.FIX
        yield sent_ns, aircraft.hud(number % 30), Group.SPEED
        yield sent_ns, aircraft.attitude(boot_ms, yaw=number % 360), Group.ATTITUDE
        yield sent_ns, aircraft.position(boot_ms, 49.4 + number * 1e-6), Group.POSITION


def via(log: Iterable[tuple[int, bytes, Group]], late_ns: Callable[[int], int]) -> Iterator[Message]:
    """`log` over a way on which nothing overtakes; `late_ns` by the time since the start."""
    arrived_ns = 0
    for sent_ns, message, group in log:
        arrived_ns = max(arrived_ns, sent_ns + late_ns(sent_ns - START_NS))
        yield sent_ns, arrived_ns, message, group


def told_too_new_ns(log: Iterable[Message]) -> tuple[dict[Group, int], ClockState]:
    """By how much the ages of each group were at most too small, and what the clock is held for."""
    fleet, worst, truth, arrived_ns = Fleet("x", [("fritz", 1)]), dict[Group, int](), dict[Group, int](), 0
    for sent_ns, arrived_ns, message, group in log:
        truth[group] = max(sent_ns, truth.get(group, 0))
        fleet.receive(message, "a", arrived_ns)
        sample = fleet._aircraft[0].assembly.sample()
        for known, told_ns in (sample.received_ns if sample else {}).items():
            worst[known] = max(worst.get(known, 0), told_ns - truth.get(known, told_ns))
    return worst, fleet.heard("fritz", arrived_ns).clock


def test_what_a_companion_repeats_when_its_autopilot_is_silent_grows_old() -> None:
    def repeated() -> Iterator[Message]:
        yield from via(flight(20), lambda at_ns: 0)
        last_ns, aircraft = START_NS + 20 * S - 100 * MS, FakeAircraft()
        boot_ms = BOOTED_MS + 19_900
        for number in range(100):
            at_ns = START_NS + 20 * S + number * 100 * MS
            yield last_ns, at_ns, aircraft.attitude(boot_ms, yaw=199), Group.ATTITUDE
            yield last_ns, at_ns, aircraft.position(boot_ms, 49.4 + 199e-6), Group.POSITION
            yield last_ns, at_ns, aircraft.system_status(50), Group.BATTERY
            yield last_ns, at_ns, aircraft.heartbeat(armed=True), Group.MODE

    worst, _ = told_too_new_ns(repeated())
    assert max(worst.values()) <= SLACK_NS


@pytest.mark.parametrize("catch_up", [0, 2])
def test_an_outage_makes_nothing_new_that_was_held_back(catch_up: int) -> None:
    def late_ns(at_ns: int) -> int:
        """Nothing from second 40 to 52; then all of it, at once or at twice life speed."""
        caught_up_ns = (at_ns - 40 * S) // catch_up if catch_up else 0
        return max(0, 52 * S - at_ns - caught_up_ns) if at_ns >= 40 * S else 0

    worst, clock = told_too_new_ns(via(flight(60), late_ns))
    assert set(worst) >= {Group.MODE, Group.BATTERY, Group.FIX, Group.SPEED, Group.POSITION}
    assert max(worst.values()) <= SLACK_NS
    assert clock.status is ClockStatus.GOOD


@pytest.mark.parametrize("growth", [0.3, 1.5])
def test_a_queue_that_grows_from_the_first_message_on_is_no_slow_clock(growth: float) -> None:
    worst, clock = told_too_new_ns(via(flight(40), lambda at_ns: int(at_ns * growth)))
    assert max(worst.values()) <= 200 * MS  # grown between the first of its messages
    assert clock.reason == ""


@pytest.mark.parametrize("behind_s", [2, 8])
def test_what_a_slower_link_brings_again_is_not_new(behind_s: int) -> None:
    """Too late to be recognised as duplicates, by their contents: of the seconds since then."""
    aircraft, fleet, armings = FakeAircraft(), Fleet("x", [("fritz", 1)]), list[type]()
    arrivals: list[tuple[int, str, int, list[bytes]]] = []
    for number in range(300):
        percent = 90 - number // 10
        said = [aircraft.attitude(BOOTED_MS + 100 * number, yaw=number), aircraft.system_status(percent)]
        said += [aircraft.heartbeat(armed=number > 150), *(aircraft.hud(n) for n in range(10))]
        sent_ns = START_NS + number * 100 * MS
        arrivals += [(sent_ns, "fast", percent, said), (sent_ns + behind_s * S, "slow", percent, said)]
    newest = 100
    for arrived_ns, sender, percent, said in sorted(arrivals, key=lambda each: each[0]):
        newest = min(newest, percent)
        for message in said:
            armings += [type(item) for item in fleet.receive(message, sender, arrived_ns)]
        sample = fleet._aircraft[0].assembly.sample()
        assert sample is not None
        assert sample.battery_pct == newest or arrived_ns < START_NS + (behind_s + 1) * S
    assert [item for item in armings if item in (Armed, Disarmed)] == [Armed]


def test_where_uptime_is_rare_what_has_none_is_as_old() -> None:
    """A narrow radio: one attitude a second, and a queue that has grown since second 30."""
    worst, _ = told_too_new_ns(via(flight(90, rate_hz=1), lambda at_ns: max(0, at_ns - 30 * S) // 5))
    assert max(worst.values()) <= SLACK_NS
