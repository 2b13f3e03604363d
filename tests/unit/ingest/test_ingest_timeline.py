from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.units import UtcOrigin
from ingest.protocol.ticks import ns_to_ticks, ticks_to_ns
from ingest.protocol.timeline import Stamp, Timeline

START_NS = 1_795_330_000 * NS_PER_S
STEP = 3000  # ticks between pictures at 30 fps
INTERVAL_NS = ticks_to_ns(STEP)
RTP = 1 << 32


@dataclass
class Camera:
    """Sends pictures every 33 ms with its own wrapped timestamps into a timeline."""

    timeline: Timeline
    timestamp: int = 0
    now_ns: int = START_NS
    bits: int = 32
    stamps: list[Stamp] = field(default_factory=list)

    def send(self, count: int = 1, delay_ns: int = 0) -> list[Stamp]:
        sent = []
        for _ in range(count):
            raw = self.timestamp % (1 << self.bits)
            sent.append(self.timeline.place(raw, None, self.now_ns + delay_ns))
            self.timestamp += STEP
            self.now_ns += INTERVAL_NS
        self.stamps += sent
        return sent


def camera(timestamp: int = 0, *, trust: bool = False, bits: int = 32) -> Camera:
    timeline = Timeline(trust)
    timeline.restart(bits)
    return Camera(timeline, timestamp, bits=bits)


def utc_steps(stamps: list[Stamp]) -> list[int]:
    return [after.utc_ns - before.utc_ns for before, after in pairwise(stamps)]


def steps(stamps: list[Stamp]) -> list[int]:
    return [after.dts_90k - before.dts_90k for before, after in pairwise(stamps)]


def test_the_first_picture_is_anchored_to_lagebild_time() -> None:
    stamp = camera(timestamp=987_654).send()[0]
    assert stamp == Stamp(0, 0, ns_to_ticks(START_NS), ns_to_ticks(START_NS), START_NS, UtcOrigin.ARRIVAL)


@pytest.mark.parametrize("bits", [32, 33])
def test_a_wrap_does_not_show(bits: int) -> None:
    source = camera(timestamp=(1 << bits) - 10 * STEP, bits=bits)
    stamps = source.send(30)
    assert steps(stamps) == [STEP] * 29
    assert [stamp.seq for stamp in stamps] == list(range(30))
    assert {stamp.epoch for stamp in stamps} == {0}


def test_a_jump_back_does_not_show() -> None:
    source = camera(timestamp=90_000_000)
    source.send(30)
    source.timestamp -= 40_000_000
    source.send(30)
    assert all(abs(step - STEP) <= 1 for step in steps(source.stamps))
    assert all(abs(after - INTERVAL_NS) < 20_000 for after in utc_steps(source.stamps))
    assert source.stamps[-1].epoch == 0


def test_a_jump_forward_does_not_show() -> None:
    source = camera()
    source.send(30)
    source.timestamp += 3600 * 90_000
    source.send(30)
    assert all(abs(step - STEP) <= 1 for step in steps(source.stamps))
    assert all(abs(after - INTERVAL_NS) < 20_000 for after in utc_steps(source.stamps))


def test_decoding_times_that_step_back_a_little_go_on_at_their_pace() -> None:
    timeline = Timeline()
    timeline.restart(33)
    raw = [900_000 + index * STEP for index in range(10)] + [870_000 + index * STEP for index in range(10)]
    stamps = [timeline.place(dts, dts, START_NS + index * INTERVAL_NS) for index, dts in enumerate(raw)]
    assert all(abs(step - STEP) <= 1 for step in steps(stamps))


def test_a_gap_keeps_its_true_length_whether_the_source_clock_ran_or_stood() -> None:
    for clock_runs in (True, False):
        source = camera()
        source.send(30)
        source.now_ns += 60 * NS_PER_S
        source.timestamp += 60 * 90_000 if clock_runs else 0
        source.send(30)
        assert abs(steps(source.stamps)[29] - STEP - 60 * 90_000) <= 1
        assert abs(source.stamps[-1].utc_ns - (source.now_ns - INTERVAL_NS)) < NS_PER_MS


def test_a_delayed_picture_is_no_jump_and_keeps_its_own_time() -> None:
    source = camera()
    source.send(30)
    late = source.send(1, delay_ns=4 * NS_PER_S)[0]
    after = source.send(1)[0]
    assert after.dts_90k - late.dts_90k == STEP
    assert abs(late.utc_ns - source.stamps[29].utc_ns - INTERVAL_NS) < NS_PER_MS


def test_pictures_held_back_for_long_are_as_old_as_they_are() -> None:
    source = camera()
    source.send(300)
    released_ns = source.now_ns + 12 * NS_PER_S
    stamps = [source.send(1, delay_ns=released_ns - source.now_ns)[0] for _ in range(360)]
    ages = [(released_ns - stamp.utc_ns) / NS_PER_S for stamp in stamps]
    assert ages[0] == pytest.approx(12, abs=0.001)
    assert ages[-1] == pytest.approx(1 / 30, abs=0.001)
    assert source.send(1)[0].utc_ns == pytest.approx(source.now_ns - INTERVAL_NS, abs=NS_PER_MS)
    assert steps(source.stamps) == [STEP] * 660


def test_a_late_picture_after_a_long_silence_is_as_old_as_it_is() -> None:
    source = camera()
    source.send(30)
    source.now_ns += 20 * NS_PER_S
    source.timestamp += 20 * 90_000
    late = source.send(1, delay_ns=400 * NS_PER_MS)[0]
    assert late.utc_ns == pytest.approx(source.now_ns - INTERVAL_NS, abs=NS_PER_MS)


def test_a_clock_that_stood_is_believed_to_be_late_for_ten_seconds() -> None:
    source = camera()
    source.send(30)
    source.now_ns += 20 * NS_PER_S
    first = source.send(1)[0]
    assert source.now_ns - INTERVAL_NS - first.utc_ns == pytest.approx(20 * NS_PER_S, abs=NS_PER_MS)
    healed = source.send(11 * 30)[-1]
    assert healed.utc_ns == pytest.approx(source.now_ns - INTERVAL_NS, abs=NS_PER_MS)


def test_pictures_lost_in_a_stall_leave_a_true_gap_and_no_jump() -> None:
    source = camera()
    source.send(30)
    source.send(1, delay_ns=5 * NS_PER_S)
    source.timestamp += 150 * STEP
    source.now_ns += 150 * INTERVAL_NS
    after = source.send(1)[0]
    assert after.dts_90k - source.stamps[30].dts_90k == 151 * STEP


def test_a_restart_opens_an_epoch_and_time_goes_on() -> None:
    source = camera(timestamp=5_000_000)
    source.send(30)
    source.timeline.restart()
    source.timestamp = 77
    source.now_ns += 2 * NS_PER_S
    source.send(3)
    assert [(stamp.epoch, stamp.seq) for stamp in source.stamps[29:]] == [(0, 29), (1, 0), (1, 1), (1, 2)]
    assert abs(steps(source.stamps)[29] - STEP - 180_000) <= 1


def test_decoding_times_rise_even_where_a_fast_source_clock_ran_ahead() -> None:
    source = camera()
    for _ in range(300):
        source.send(1)
        source.timestamp += 300  # ten per cent fast
    source.timeline.restart()
    after = source.send(10)
    assert min(steps(source.stamps)) >= 1
    assert steps(after) == [STEP] * 9
    assert all(stamp.pts_90k == stamp.dts_90k for stamp in after)


def test_arrival_times_are_smoothed_to_the_least_delayed() -> None:
    source = camera()
    stamps = [source.send(1, delay_ns=(index % 5) * 7 * NS_PER_MS)[0] for index in range(60)]
    for index, stamp in enumerate(stamps):
        assert abs(stamp.utc_ns - START_NS - index * INTERVAL_NS) < 1000
        assert stamp.utc_origin is UtcOrigin.ARRIVAL


def test_a_trusted_clock_gives_capture_times() -> None:
    source = camera(timestamp=RTP - 2 * STEP, trust=True)
    source.timeline.clock_report(START_NS - 120 * NS_PER_MS, RTP - 2 * STEP)
    stamps = source.send(10, delay_ns=3 * NS_PER_MS)
    for index, stamp in enumerate(stamps):
        assert stamp.utc_origin is UtcOrigin.SOURCE
        assert abs(stamp.utc_ns - (START_NS - 120 * NS_PER_MS + index * INTERVAL_NS)) < 1000
    assert source.timeline.clock_note == ""


def test_a_clock_slightly_ahead_makes_no_picture_younger_than_its_arrival() -> None:
    source = camera(trust=True)
    source.timeline.clock_report(START_NS + 30 * NS_PER_MS, 0)
    stamp = source.send()[0]
    assert (stamp.utc_ns, stamp.utc_origin) == (START_NS, UtcOrigin.SOURCE)


def test_a_clock_slightly_ahead_keeps_its_pace_while_arrivals_come_by_steps() -> None:
    """As ffmpeg -re sends: when it is time, looked at each 10 ms."""
    source = camera(trust=True)
    source.timeline.clock_report(START_NS + 32 * NS_PER_MS, 0)
    delays_ns = [-(index * INTERVAL_NS) % (10 * NS_PER_MS) for index in range(60)]
    stamps = [source.send(1, delay_ns=delay_ns)[0] for delay_ns in delays_ns]
    assert {stamp.utc_origin for stamp in stamps} == {UtcOrigin.SOURCE}
    assert all(abs(step - INTERVAL_NS) < 1000 for step in utc_steps(stamps))
    assert all(stamp.utc_ns <= START_NS + i * INTERVAL_NS + delays_ns[i] for i, stamp in enumerate(stamps))


@pytest.mark.parametrize("error_ns", [51 * NS_PER_MS, 3600 * NS_PER_S, -61 * NS_PER_S])
def test_an_implausible_clock_is_refused_and_named(error_ns: int) -> None:
    source = camera(trust=True)
    source.timeline.clock_report(START_NS + error_ns, 0)
    stamp = source.send()[0]
    assert (stamp.utc_ns, stamp.utc_origin) == (START_NS, UtcOrigin.ARRIVAL)
    assert source.timeline.clock_note == "clock_refused"
    assert source.send(delay_ns=40 * NS_PER_MS)[0].utc_origin is UtcOrigin.ARRIVAL  # until the next report
    source.timeline.clock_report(source.now_ns, source.timestamp)
    assert source.send()[0].utc_origin is UtcOrigin.SOURCE
    assert source.timeline.clock_note == ""


def test_a_clock_nobody_trusts_is_named_and_not_used() -> None:
    source = camera()
    source.timeline.clock_report(START_NS, 0)
    assert source.send()[0].utc_origin is UtcOrigin.ARRIVAL
    assert source.timeline.clock_note == "clock_untrusted"


def test_a_report_from_before_a_jump_or_restart_is_not_used_after_it() -> None:
    for restarts in (True, False):
        source = camera(timestamp=90_000_000, trust=True)
        source.timeline.clock_report(START_NS, 90_000_000)
        source.send(30)
        source.timestamp -= 30 * 90_000  # thirty seconds back: the old report would still look plausible
        if restarts:
            source.timeline.restart()
        assert source.send()[0].utc_origin is UtcOrigin.ARRIVAL


def test_a_report_directly_before_a_jump_back_is_not_used_after_it() -> None:
    source = camera(timestamp=90_000_000, trust=True)
    source.send(30)
    source.timeline.clock_report(source.now_ns, source.timestamp)
    source.timestamp -= 20 * 90_000  # the report would make the picture twenty seconds old
    assert source.send()[0].utc_origin is UtcOrigin.ARRIVAL


def test_a_report_that_comes_ahead_of_the_jump_it_belongs_to_is_used() -> None:
    source = camera(timestamp=90_000_000, trust=True)
    source.timeline.clock_report(START_NS, 90_000_000)
    source.send(30)
    source.timestamp = 1000
    source.timeline.clock_report(source.now_ns - 50 * NS_PER_MS, 1000)
    stamp = source.send()[0]
    assert (stamp.utc_origin, stamp.utc_ns) == (
        UtcOrigin.SOURCE,
        source.now_ns - INTERVAL_NS - 50 * NS_PER_MS,
    )


B_FRAMES = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]


def test_b_frames_without_decoding_times_keep_order_and_distance() -> None:
    timeline = Timeline()
    timeline.restart(32)
    stamps = [
        timeline.place(picture * STEP, None, START_NS + index * INTERVAL_NS)
        for index, picture in enumerate(B_FRAMES)
    ]
    assert all(step > 0 for step in steps(stamps))
    assert all(stamp.pts_90k >= stamp.dts_90k for stamp in stamps)
    settled = stamps[4:]  # the first step back has shown how deep the reordering is
    shown = [stamp.pts_90k for stamp in settled]
    assert [(pts - min(shown)) // STEP for pts in shown] == [picture - 4 for picture in B_FRAMES[4:]]


def test_decoding_and_presentation_times_of_a_container_are_kept() -> None:
    timeline = Timeline()
    timeline.restart(33)
    wrap = (1 << 33) - 2 * STEP
    placed = [
        timeline.place((wrap + (picture + 2) * STEP) % (1 << 33), (wrap + index * STEP) % (1 << 33), START_NS)
        for index, picture in enumerate(B_FRAMES)
    ]
    assert steps(placed) == [STEP] * (len(B_FRAMES) - 1)
    assert [(stamp.pts_90k - placed[0].dts_90k) // STEP - 2 for stamp in placed] == B_FRAMES


def test_repeated_and_senseless_decoding_times_still_rise() -> None:
    timeline = Timeline()
    timeline.restart(33)
    stamps = [
        timeline.place(pts, dts, START_NS)
        for pts, dts in [(0, 0), (0, 0), (5, 9000), (1 << 32, 9000), (9003, 9001)]
    ]
    assert all(step >= 1 for step in steps(stamps))
    assert all(0 <= stamp.pts_90k - stamp.dts_90k < 90_000 for stamp in stamps)
