"""Room for recordings: levels, alarms, and ways back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_S
from flow.flights import Alarm, AlarmLevel
from flow.recording import StorageState, StorageStatus
from recordings.protocol.storage import LOOK_EVERY_NS, Look, Space, StorageJudge, levels
from recordings.protocol.write_rate import WINDOW_NS, WriteRate

GIB = 1024**3
MIB = 1024**2
DISK = 500 * GIB
OK, LOW, FULL, FAILED = StorageStatus


class Watched:
    """A judge of a disk with a reserve of 1 GiB, warned 12 h ahead; one look every 10 s."""

    def __init__(self, total: int = DISK, feeds: int = 1) -> None:
        self.total = total
        self.now_ns = 1_000 * NS_PER_S
        self.judge = StorageJudge(GIB, 12.0, feeds * 500_000)
        self.alarms: list[Alarm] = []

    def sees(self, room: int | None, rate: float | None = None) -> StorageState:
        self.now_ns += LOOK_EVERY_NS
        space = None if room is None else Space(self.total, GIB + room)
        state = self.judge.judge(Look(self.now_ns, space, rate, "" if space else "the disk is gone"), 7)
        self.alarms = self.judge.alarms()
        return state

    @property
    def told(self) -> list[tuple[str, bool]]:
        return [(alarm.code, alarm.active) for alarm in self.alarms]


def test_hours_are_of_the_room_above_the_reserve_at_the_present_rate() -> None:
    disk = Watched()
    state = disk.sees(90 * 10**9, 1_000_000)
    assert (state.status, state.free_bytes, state.used_bytes) == (OK, 90 * 10**9, 7)
    assert state.hours_left == pytest.approx(25)
    assert disk.sees(90 * 10**9).hours_left is None
    assert disk.alarms == []


def test_low_is_warned_once_and_again_as_the_hours_go() -> None:
    disk = Watched()
    state = disk.sees(36 * 10**9, 1_000_000)
    assert (state.status, state.since_ns) == (LOW, disk.now_ns)
    (alarm,) = disk.alarms
    assert (alarm.code, alarm.level, alarm.active) == ("disk_low", AlarmLevel.WARNING, True)
    assert (alarm.aircraft_id, alarm.values) == ("", {"hours": "10", "free": "36"})
    since_ns = alarm.utc_ns
    disk.sees(30 * 10**9, 1_000_000)
    assert disk.alarms == []
    disk.sees(20 * 10**9, 1_000_000)
    assert disk.alarms[0].values == {"hours": "5.6", "free": "20"}
    assert disk.alarms[0].utc_ns == since_ns  # it has stood since then
    assert disk.alarms[0].id != alarm.id
    assert disk.sees(50 * 10**9, 1_000_000).status is LOW  # 13.9 h: not far enough above 12
    assert disk.sees(60 * 10**9, 1_000_000).status is OK
    assert disk.told == [("disk_low", False)]


def test_while_nothing_is_recorded_little_room_is_low_whatever_the_hours() -> None:
    disk = Watched(feeds=2)
    assert disk.sees(6 * GIB).status is OK  # 1.8 h of two feeds, but nobody flies
    assert disk.sees(4 * GIB).status is LOW
    assert disk.alarms[0].values["hours"] == "1.2"
    assert disk.sees(6 * GIB).status is LOW
    assert disk.sees(7 * GIB).status is OK


def test_full_stops_before_the_reserve_and_comes_back_well_above_it() -> None:
    disk = Watched()
    rate = 2_000_000.0
    assert disk.sees(41_000_000, rate).status is LOW
    assert disk.sees(40_000_000, rate).status is FULL  # the next two looks could end below it
    assert disk.told == [("disk_low", False), ("disk_full", True)]
    assert disk.alarms[1].level is AlarmLevel.ALARM
    assert disk.sees(200_000_000).status is FULL
    needed = disk.judge.needed_bytes(Look(disk.now_ns, Space(DISK, GIB + 200_000_000)))
    assert needed == 1_200_000_000 - 200_000_000  # ten minutes at the rate it had
    assert disk.sees(1_200_000_000).status is LOW
    assert disk.told == [("disk_full", False), ("disk_low", True)]


def test_a_disk_that_fails_is_told_and_trusted_again_after_two_sound_looks() -> None:
    disk = Watched()
    disk.sees(4 * GIB)
    state = disk.sees(None)
    assert (state.status, state.detail, state.free_bytes) == (FAILED, "the disk is gone", 0)
    assert disk.told == [("disk_low", False), ("disk_failed", True)]
    assert disk.sees(90 * GIB).status is FAILED
    assert disk.sees(None).status is FAILED
    assert disk.sees(90 * GIB).status is FAILED
    assert disk.sees(90 * GIB).status is OK
    assert disk.told == [("disk_failed", False)]
    assert disk.judge.needed_bytes(Look(0, None)) == 0


def test_a_disk_smaller_than_its_reserve_is_full() -> None:
    state = Watched(total=GIB // 2).sees(-GIB // 2)
    assert (state.status, state.free_bytes) == (FULL, 0)
    assert "0.0 GB above the reserve of 1.1 GB" in state.detail


def test_small_disks_have_small_levels() -> None:
    assert levels(DISK, 0) == (0, 512 * MIB, 5 * GIB)
    assert levels(64 * MIB, 0) == (0, 64 * MIB // 20, 64 * MIB // 20)
    assert levels(DISK, 10**7).thin == 6 * 10**9
    small = levels(64 * MIB, 10**7)
    assert small.stop < small.thin <= small.low <= 64 * MIB / 10


@settings(derandomize=True, max_examples=100)
@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 60 * GIB), st.none() | st.floats(0, 2e7)),
        min_size=1,
        max_size=40,
    )
)
def test_one_alarm_at_most_stands_and_it_is_that_of_the_state(
    looks: list[tuple[int | None, float | None]],
) -> None:
    disk = Watched()
    standing: set[str] = set()
    ids: set[str] = set()
    for room, rate in looks:
        state = disk.sees(room, rate)
        for alarm in disk.alarms:
            assert alarm.id not in ids
            ids.add(alarm.id)
            (standing.add if alarm.active else standing.remove)(alarm.code)
        assert standing == ({f"disk_{state.status}"} - {"disk_ok"})
        if room is not None and room <= levels(DISK, rate or 0).stop:
            assert state.status in (FULL, FAILED)


def test_the_rate_is_of_the_last_minutes_and_of_what_is_watched() -> None:
    rate = WriteRate()
    assert rate.per_s is None
    rate.take(0, {"a": 10**9})  # written before anybody watched
    rate.take(10 * NS_PER_S, {"a": 10**9 + 10_000})
    assert rate.per_s is None  # too soon to tell
    rate.take(20 * NS_PER_S, {"a": 10**9 + 20_000, "b": 0})
    assert rate.per_s == 1000
    rate.take(30 * NS_PER_S, {"a": 10**9 + 20_000, "b": 40_000})  # one ends, one begins
    assert rate.per_s == 2000
    for tens in range(4, 80):
        rate.take(tens * 10 * NS_PER_S, {"b": 40_000 + (tens - 3) * 5_000})
    assert rate.per_s == pytest.approx(500)
    rate.take(10_000 * NS_PER_S, {})
    assert rate.per_s is None
    assert WINDOW_NS == 300 * NS_PER_S


def test_a_flight_that_begins_does_not_inherit_the_pause() -> None:
    rate = WriteRate()
    rate.take(0, {"a": 0})
    rate.take(60 * NS_PER_S, {"a": 60_000})
    rate.take(70 * NS_PER_S, {})
    rate.take(1000 * NS_PER_S, {"b": 5})
    rate.take(1030 * NS_PER_S, {"b": 60_005})
    assert rate.per_s == 2000


@pytest.mark.parametrize(
    ("total_mb", "rate"), [(80, 5e5), (80, 3e6), (400, 5e6), (4000, 5e5), (4000, 5e6), (256_000, 5e6)]
)
def test_the_reserve_is_never_touched_however_small_the_disk(total_mb: int, rate: float) -> None:
    total, reserve = total_mb * MIB, total_mb * MIB // 5
    judge, now_ns = StorageJudge(reserve, 12.0, rate), 1_000 * NS_PER_S
    free = min(total, reserve + rate * 60)
    while judge.judge(Look(now_ns, Space(total, int(free)), rate), 0).status is not StorageStatus.FULL:
        assert free > reserve
        now_ns += judge.look_after_ns
        free -= rate * judge.look_after_ns / NS_PER_S
    assert free - rate * 0.5 >= reserve  # what is on its way to the disk
