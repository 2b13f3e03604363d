"""What the encoder decides: what to decode, what to leave out, where keyframes go, how large it all is."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flow.clock import NS_PER_S
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec, Rendition, UtcOrigin
from ingest.protocol.encoding import KEYFRAME_EVERY_90K, FrameRate, Intake, Keyframes, Pace
from ingest.protocol.leases import LINGER_NS, Lease
from ingest.protocol.rendition_size import rendition_limit_bps, rendition_size

STEP = CLOCK_RATE_HZ // 30
NOW = 1000 * NS_PER_S


def unit(number: int, *, keyframe: bool = False, size: int = 10) -> AccessUnit:
    dts = number * STEP
    return AccessUnit(
        "fritz",
        Rendition.SOURCE,
        Codec.H264,
        1,
        number,
        dts,
        dts,
        0,
        UtcOrigin.ARRIVAL,
        keyframe,
        bytes(size),
    )


def taken(intake: Intake) -> list[int]:
    numbers = []
    while (one := intake.take()) is not None:
        numbers.append(one.seq)
    return numbers


class TestIntake:
    def test_everything_in_order_while_nothing_is_late(self) -> None:
        intake = Intake()
        for number in range(40):
            intake.add(unit(number, keyframe=number % 30 == 0))
            assert taken(intake) == [number]
        assert intake.skipped == 0

    def test_a_group_that_comes_at_once_is_decoded_whole(self) -> None:
        intake = Intake()
        for number in range(300):
            intake.add(unit(number, keyframe=number == 0))
        assert taken(intake) == list(range(300))

    def test_half_a_second_behind_it_goes_on_at_the_newest_keyframe(self) -> None:
        intake = Intake()
        for number in range(20):
            intake.add(unit(number, keyframe=number in (0, 10, 17)))
        assert taken(intake) == [17, 18, 19]  # at 10 nothing was late yet
        assert intake.skipped == 17

    def test_beyond_the_bound_it_waits_for_a_keyframe(self) -> None:
        intake = Intake()
        for number in range(6):
            intake.add(unit(number, size=8 * 1024 * 1024))
        assert taken(intake) == []
        intake.add(unit(6))
        assert taken(intake) == []
        assert intake.skipped == 7
        intake.add(unit(7, keyframe=True))
        assert taken(intake) == [7]

    def test_the_bound_counts_what_waits_and_not_what_went(self) -> None:
        intake = Intake()
        for number in range(100):
            intake.add(unit(number, size=8 * 1024 * 1024))
            assert taken(intake) == [number]

    def test_what_is_on_its_way_counts_as_lag(self) -> None:
        intake = Intake()
        intake.add(unit(50, size=0))
        intake.add(unit(3))
        assert taken(intake) == [3]
        assert intake.lag_90k(unit(3)) == 47 * STEP

    def test_lag_is_how_far_the_newest_is_ahead(self) -> None:
        intake = Intake()
        for number in range(4):
            intake.add(unit(number))
        assert intake.lag_90k(unit(1)) == 2 * STEP


class Machine:
    """Encodes at 30 pictures a second as fast as it can; a picture's time is the unit of its clock."""

    def __init__(self) -> None:
        self.pace = Pace()
        self.kept: list[int] = []
        self.lags: list[int] = []
        self._now, self._number = 0.0, 0

    def run(self, seconds: float, *, decode: float = 0.1, encode: float = 0.5, stall: float = 0.0) -> None:
        """What a picture takes, and for how long the machine does something else at first."""
        self._now = max(self._now, self._number) + stall
        for _ in range(round(seconds * 30)):
            self._now = max(self._now, self._number)
            lag = int(self._now) - self._number
            self.lags.append(lag)
            self._now += decode
            if self.pace.takes(self._number * STEP, lag * STEP):
                self.kept.append(self._number)
                self._now += encode
            self._number += 1

    def kept_of(self, from_s: float, until_s: float) -> int:
        return sum(from_s * 30 <= number < until_s * 30 for number in self.kept)


class TestPace:
    def test_of_the_cached_group_only_its_end_is_encoded(self) -> None:
        pace = Pace()
        kept = [number for number in range(60) if pace.takes(number * STEP, (59 - number) * STEP)]
        assert kept == [58, 59]  # within 50 ms
        assert pace.dropped == 0  # what was before anybody asked was not left out
        assert not pace.slow

    def test_all_are_encoded_while_none_is_late(self) -> None:
        pace = Pace()
        assert all(pace.takes(number * STEP, (number % 8) * STEP) for number in range(300))
        assert pace.dropped == 0

    def test_a_machine_of_half_the_speed_drops_and_never_lags(self) -> None:
        """Decoding takes a tenth of a picture's time, encoding twice that time."""
        machine = Machine()
        machine.run(30, encode=2.0)
        assert max(machine.lags) <= 13  # pictures, 0.4 s
        assert len(machine.kept) + machine.pace.dropped == 900
        assert 300 <= len(machine.kept) <= 450
        steps = [after - before for before, after in pairwise(machine.kept[100:])]
        assert sum(steps) / len(steps) < 3.2
        assert sum(step > 6 for step in steps) <= 4  # a jump where a higher rate was tried, ever more rarely
        assert machine.pace.slow

    def test_after_a_hiccup_all_are_encoded_at_once(self) -> None:
        machine = Machine()
        machine.run(4)
        machine.run(6, stall=12.0)  # 0.4 s
        assert 4 * 30 - machine.kept_of(0, 4) == 0
        assert 12 <= machine.pace.dropped <= 15  # what waited, and what came meanwhile
        assert machine.kept_of(5, 10) == 5 * 30
        assert not machine.pace.slow

    def test_hiccups_far_apart_are_no_overload(self) -> None:
        machine = Machine()
        for _ in range(10):
            machine.run(7, stall=15.0)
        assert machine.pace.dropped <= 10 * 18
        assert [step for step in map(lambda a, b: b - a, machine.kept, machine.kept[1:]) if step == 2] == []

    def test_an_overload_that_ends_is_forgotten_within_three_seconds(self) -> None:
        machine = Machine()
        machine.run(4)
        machine.run(2.5, encode=2.0)
        assert machine.pace.slow
        machine.run(10)
        assert machine.kept_of(9, 16) == 7 * 30
        assert not machine.pace.slow

    def test_also_one_that_has_lasted_for_a_minute(self) -> None:
        machine = Machine()
        machine.run(60, encode=4.0)
        machine.run(40)
        assert machine.kept_of(85, 100) == 15 * 30

    def test_right_after_the_beginning_a_hiccup_is_one(self) -> None:
        machine = Machine()
        machine.run(0.5)
        machine.run(3, stall=12.0)
        assert machine.kept_of(1.5, 3.5) == 2 * 30


class TestFrameRate:
    def test_it_is_the_median_once_there_are_enough(self) -> None:
        rate = FrameRate()
        times = [0, 9009, 12012, *(21021 + 1501 * number for number in range(40))]
        seen = []
        for time in times:
            rate.add(time)
            seen.append(round(rate.fps))
        assert seen[:8] == [30] * 8
        assert seen[-1] == 60

    def test_it_follows_a_change_and_is_bounded(self) -> None:
        rate = FrameRate()
        for time in [*range(0, 200 * 3000, 3000), *range(600_000, 600_000 + 62 * 9000, 9000)]:
            rate.add(time)
        assert rate.fps == 10
        for time in range(2_000_000, 2_000_100):
            rate.add(time)
        assert rate.fps == 240


class TestKeyframes:
    def test_one_every_two_seconds_at_most(self) -> None:
        keyframes = Keyframes()
        at = [number for number in range(200) if keyframes.takes(number * STEP, 1)]
        assert at == [0, 60, 120, 180]
        assert 60 * STEP == KEYFRAME_EVERY_90K

    def test_at_one_picture_in_three_seconds_each_is_one(self) -> None:
        keyframes = Keyframes()
        assert all(keyframes.takes(number * 3 * CLOCK_RATE_HZ, 1) for number in range(5))

    def test_on_demand_twice_a_second_at_most(self) -> None:
        keyframes, at = Keyframes(), []
        for number in range(61):
            if 3 <= number < 40:
                keyframes.want()
            if keyframes.takes(number * STEP, 1):
                at.append(number)
        assert at == [0, 15, 30, 45]

    @pytest.mark.parametrize("another", [True, False])
    def test_another_size_or_epoch_begins_with_one(self, another: bool) -> None:
        keyframes = Keyframes()
        assert keyframes.takes(0, 1)
        assert not keyframes.takes(STEP, 1)
        assert keyframes.takes(2 * STEP, 1 if another else 2, another=another)


@pytest.mark.parametrize(
    ("rendition", "source", "made"),
    [
        (Rendition.WEB, (1280, 720), (1280, 720)),
        (Rendition.WEB, (1920, 1080), (1920, 1080)),
        (Rendition.WEB, (1920, 1088), (1920, 1088)),
        (Rendition.WEB, (3840, 2160), (1920, 1080)),
        (Rendition.WEB, (7680, 4320), (1920, 1080)),
        (Rendition.WEB, (1376, 1840), (1244, 1664)),
        (Rendition.WEB, (161, 121), (160, 120)),
        (Rendition.WEB, (16, 16), (16, 16)),
        (Rendition.LOW, (1280, 720), (640, 360)),
        (Rendition.LOW, (720, 1280), (360, 640)),
        (Rendition.LOW, (320, 240), (320, 240)),
        (Rendition.LOW, (720, 576), (536, 428)),
    ],
)
def test_sizes(rendition: Rendition, source: tuple[int, int], made: tuple[int, int]) -> None:
    assert rendition_size(rendition, *source) == made


@pytest.mark.parametrize("source", [(1376, 1840), (3840, 2160), (7680, 4320), (4096, 64), (2, 16384), (1, 1)])
@pytest.mark.parametrize("rendition", [Rendition.WEB, Rendition.LOW])
def test_any_size_becomes_one_that_level_4_allows(rendition: Rendition, source: tuple[int, int]) -> None:
    width, height = rendition_size(rendition, *source)
    assert width % 2 == height % 2 == 0
    assert -(-width // 16) * -(-height // 16) <= 8192
    assert max(width, height) <= 4096
    assert width >= 2
    assert height >= 2
    if min(source) >= 64:
        assert width / height == pytest.approx(source[0] / source[1], rel=0.1)


def test_limits_follow_the_size() -> None:
    assert rendition_limit_bps(Rendition.LOW, 640, 360) == 600_000
    assert rendition_limit_bps(Rendition.WEB, 160, 120) == 500_000
    assert rendition_limit_bps(Rendition.WEB, 1280, 720) == 3_686_400


class TestLease:
    def test_it_lasts_three_seconds_longer(self) -> None:
        lease = Lease()
        assert not lease.holds(NOW)
        lease.take(NOW + 4 * NS_PER_S, NOW)
        assert lease.holds(NOW + 4 * NS_PER_S + LINGER_NS - 1)
        assert not lease.holds(NOW + 4 * NS_PER_S + LINGER_NS)

    def test_a_shorter_one_takes_nothing_away(self) -> None:
        lease = Lease()
        lease.take(NOW + 4 * NS_PER_S, NOW)
        lease.take(NOW + NS_PER_S, NOW)
        assert lease.holds(NOW + 6 * NS_PER_S)

    def test_an_old_one_is_none(self) -> None:
        lease = Lease()
        lease.take(NOW, NOW)  # as the bus keeps it from the last run
        assert not lease.holds(NOW)

    def test_nobody_can_ask_for_a_day(self) -> None:
        lease = Lease()
        lease.take(NOW + 86_400 * NS_PER_S, NOW)
        assert not lease.holds(NOW + 64 * NS_PER_S)
