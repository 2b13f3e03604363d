from __future__ import annotations

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import SourceStatus
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from ingest.protocol.events import (
    ClockReport,
    Opened,
    PacketsLost,
    ParameterSets,
    Restarted,
    SourcePicture,
)
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from tests.fakes.clock import START_NS

from .material import WITH_B_FRAMES, coded

URL = "rtp://127.0.0.1:0"
ADDRESS = "rtp://127.0.0.1:40123"
INTERVAL_NS = NS_PER_S // 30


def opened(*, trust_clock: bool = False) -> Feed:
    feed = Feed("fritz-tag", URL, Patience(), START_NS, trust_clock=trust_clock)
    feed.handle(Opened(ADDRESS, 32), START_NS)
    return feed


def play(
    feed: Feed, count: int, *, start: int = 0, damaged: frozenset[int] = frozenset()
) -> list[AccessUnit]:
    units = []
    for index in range(count):
        now_ns = START_NS + (start + index) * INTERVAL_NS
        data = coded(60, group=30)[index % 60].data
        event = SourcePicture(Codec.H264, data, 3000 * (start + index), None, now_ns, index in damaged)
        units += feed.handle(event, now_ns)
    return units


def test_access_units_carry_everything() -> None:
    unit, second = play(opened(), 2)
    assert (unit.feed_id, unit.rendition, unit.codec) == ("fritz-tag", Rendition.SOURCE, Codec.H264)
    assert (unit.epoch, unit.seq, unit.keyframe) == (0, 0, True)
    assert (unit.utc_ns, unit.utc_origin) == (START_NS, UtcOrigin.ARRIVAL)
    assert (second.seq, second.keyframe, second.dts_90k - unit.dts_90k) == (1, False, 3000)


def test_the_state_tells_what_is_measured() -> None:
    feed = opened()
    feed.handle(PacketsLost(3), START_NS)
    play(feed, 60, damaged=frozenset({7, 8}))
    state = feed.state()
    assert (state.status, state.address, state.epoch, state.restarts) == (SourceStatus.LIVE, ADDRESS, 0, 0)
    assert (state.pictures, state.damaged, state.lost_packets) == (58, 2, 3)
    assert state.fps is not None
    assert 28 < state.fps <= 30
    assert state.bitrate_bps is not None
    assert state.config is not None
    assert state.config.width_px == 320
    assert state.notes == ()


def test_rates_are_told_only_while_live() -> None:
    feed = opened()
    play(feed, 30)
    feed.tick(START_NS + 5 * NS_PER_S)
    state = feed.state()
    assert (state.status, state.fps, state.bitrate_bps) == (SourceStatus.STALLED, None, None)


@pytest.mark.parametrize("pause_s", [5, 60])
def test_one_picture_after_a_pause_is_not_waited_for_as_long_as_the_pause(pause_s: int) -> None:
    feed = opened()
    play(feed, 30)
    back_ns = START_NS + pause_s * NS_PER_S
    for now_ns in range(START_NS + NS_PER_S, back_ns, NS_PER_S // 10):
        feed.tick(now_ns)
    data = coded(60, group=30)[0].data
    picture = SourcePicture(Codec.H264, data, pause_s * 90_000, None, back_ns)
    assert feed.handle(picture, back_ns)
    feed.tick(back_ns + NS_PER_S - 1)
    assert feed.state().status is SourceStatus.LIVE
    feed.tick(back_ns + NS_PER_S)
    assert feed.state().status is SourceStatus.STALLED


def test_rates_do_not_reach_over_a_loss() -> None:
    feed = opened()
    play(feed, 30)
    feed.tick(START_NS + 60 * NS_PER_S)
    assert feed.state().status is SourceStatus.LOST
    play(feed, 2, start=60 * 30)
    assert feed.state().fps == pytest.approx(30, abs=0.1)


def test_a_slow_camera_comes_to_be_live_all_the_time() -> None:
    feed, now_ns = opened(), START_NS
    key = coded(60, group=30)[0].data
    told = []
    for number in range(6):
        feed.handle(SourcePicture(Codec.H264, key, number * 180_000, None, now_ns), now_ns)
        for _ in range(20):
            now_ns += NS_PER_S // 10
            feed.tick(now_ns)
            told.append(feed.state().status)
    assert set(told[21:]) == {SourceStatus.LIVE}


def test_a_restart_waits_for_a_keyframe_and_opens_an_epoch() -> None:
    feed = opened()
    play(feed, 10)
    feed.handle(Restarted(), START_NS + NS_PER_S)
    late = coded(60, group=30)[3].data
    assert not feed.handle(SourcePicture(Codec.H264, late, 0, None, START_NS + NS_PER_S), START_NS + NS_PER_S)
    units = play(feed, 5, start=40)
    assert [(unit.epoch, unit.seq) for unit in units] == [(1, index) for index in range(5)]
    assert feed.state().restarts == 1


def test_capture_times_come_from_a_trusted_source() -> None:
    feed = opened(trust_clock=True)
    feed.handle(ClockReport(START_NS - 80 * NS_PER_MS, 0), START_NS)
    unit = play(feed, 1)[0]
    assert (unit.utc_ns, unit.utc_origin) == (START_NS - 80 * NS_PER_MS, UtcOrigin.SOURCE)


def test_a_source_with_a_clock_that_is_not_trusted_says_so() -> None:
    feed = opened()
    feed.handle(ClockReport(START_NS, 0), START_NS)
    play(feed, 1)
    assert feed.state().notes == ("clock_untrusted",)


def test_b_frames_of_h265_show_by_their_times() -> None:
    feed = opened()
    x265 = (("preset", "ultrafast"), ("x265-params", "bframes=2:b-adapt=0:log-level=none"))
    for picture in coded(20, codec="libx265", options=x265):
        now_ns = START_NS + picture.dts * INTERVAL_NS
        feed.handle(SourcePicture(Codec.H265, picture.data, picture.pts * 3000, None, now_ns), now_ns)
    assert feed.state().notes == ("codec_h265", "b_frames")
    assert feed.state().pictures == 20


def test_b_frames_over_rtp_keep_the_invariants() -> None:
    feed = opened()
    units = []
    for picture in coded(40, options=WITH_B_FRAMES):
        now_ns = START_NS + (picture.dts + 2) * INTERVAL_NS
        units += feed.handle(
            SourcePicture(Codec.H264, picture.data, picture.pts * 3000, None, now_ns), now_ns
        )
    assert len(units) == 40
    decoding = [unit.dts_90k for unit in units]
    assert decoding == sorted(set(decoding))
    assert all(unit.pts_90k >= unit.dts_90k for unit in units)


def test_parameter_sets_of_a_container_reach_the_keyframes() -> None:
    feed = opened()
    key = coded(60, group=30)[0].data
    feed.handle(ParameterSets(Codec.H264, key), START_NS)
    bare = key[key.index(b"\x00\x00\x01\x65") :]
    (unit,) = feed.handle(SourcePicture(Codec.H264, bare, 0, None, START_NS), START_NS)
    assert b"\x00\x00\x00\x01\x67" in unit.data
