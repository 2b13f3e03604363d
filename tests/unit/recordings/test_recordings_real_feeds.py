"""The schedule of real recordings: every picture as it was, every message intact, every clock moved."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from flow.codec import h264, h265
from flow.codec.annexb import join_nal_units, split_nal_units
from flow.codec.payload_format import Picture
from flow.codec.rtp import Unwrapper, is_rtcp, parse_rtp
from flow.units import Codec
from recordings.footage import Footage, open_telemetry, open_video
from recordings.plan import Manner, plan
from recordings.protocol.mavlink_frames import is_intact, parse_header
from recordings.protocol.source_clocks import UNIX_FROM_US, SourceClocks, time_fields
from recordings.protocol.telemetry_track import TelemetryTrack
from recordings.protocol.timing import NS_PER_S, Lap, Send
from recordings.recording import Recording
from tests.unit.recordings.flights import MS, START_NS

pytestmark = pytest.mark.feeds

VIDEOS = {
    "derived/seashore_h264_720p30_live.mp4": 750,
    "video/aerial_karma_h264_480p_gpmf.mp4": 362,
    "video/tello_indoor_h264_960x720.h264": 120,
    "video/aerial_seashore_h264_720p.ts": 620,
    "derived/seashore_hevc_720p_nobf.ts": 360,
}
LOGS = {
    "copter_real_cmac_2015.tlog": 76_791,
    "plane_real_cuav_2016_multilink.tlog": 32_078,
    "plane_real_cuav_2018_notimestamps.mavlink": 116_376,
    "plane_real_sydney_2012_mavlink1.tlog": 47_872,
    "quadplane_sitl_2018.tlog": 23_894,
    "sub_real_bluerov_2024_nogps.tlog": 30_439,
}


def received(footage: Footage, speed: float = 1.0) -> Iterator[tuple[int, Picture]]:
    """(time of sending, picture) as a receiver puts it together."""
    depacketizer = h264.Depacketizer() if footage.codec is Codec.H264 else h265.Depacketizer()
    for send in plan(Recording("", [footage], None), Manner(speed=speed, seed=3), START_NS):
        if not is_rtcp(send.data):
            for picture in depacketizer.push(parse_rtp(send.data)):
                yield send.time_ns, picture
    assert depacketizer.lost_packets == 0


@pytest.mark.parametrize(("name", "count"), VIDEOS.items())
def test_pictures_are_those_of_the_file(feeds: Path, name: str, count: int) -> None:
    footage = open_video(feeds / name, Fraction(30))
    pictures = [picture for _, picture in received(footage)]
    assert len(pictures) == count
    assert not any(picture.damaged for picture in pictures)
    for picture, original in zip(pictures, footage.pictures(), strict=True):
        assert picture.data == join_nal_units(split_nal_units(original.data))


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("video/aerial_karma_h264_480p_gpmf.mp4", 362),
        ("video/tello_indoor_h264_960x720.h264", 68),  # as many as in the damaged file itself
        ("video/aerial_seashore_h264_720p.ts", 620),
    ],
)
def test_an_independent_decoder_sees_every_picture(feeds: Path, name: str, count: int) -> None:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    pictures = received(open_video(feeds / name, Fraction(30)))
    packets = (av.Packet(picture.data) for _, picture in pictures)
    decoded = sum(len(decoder.decode(packet)) for packet in packets) + len(decoder.decode(None))
    assert decoded == count


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_b_frames_keep_their_display_times(feeds: Path, speed: float) -> None:
    footage = open_video(feeds / "video/aerial_seashore_h264_720p.ts", Fraction(30))
    originals = list(footage.pictures())
    unwrapper = Unwrapper(32)
    ticks = [unwrapper.unwrap(picture.rtp_timestamp) for _, picture in received(footage, speed)]
    assert ticks != sorted(ticks)
    for tick, original in zip(ticks, originals, strict=True):
        expected = (original.pts_ns - originals[0].pts_ns) * 90_000 / NS_PER_S / speed
        assert tick - ticks[0] == pytest.approx(expected, abs=1.1)
    times = [at for at, _ in received(footage, speed)]
    late = [
        at - START_NS - (tick - ticks[0]) * NS_PER_S / 90_000 for at, tick in zip(times, ticks, strict=True)
    ]
    assert min(late) > -0.02 * MS
    assert max(late) < 400 * MS / speed


def replayed(path: Path, speed: float) -> list[Send]:
    track = TelemetryTrack(open_telemetry(path), SourceClocks(speed), 0)
    sends = list(track.play(Lap(START_NS, speed)))
    assert all(a.time_ns <= b.time_ns for a, b in pairwise(sends))
    return sends


@pytest.mark.parametrize(("name", "count"), LOGS.items())
def test_messages_stay_as_intact_as_they_were_and_their_clocks_move(
    feeds: Path, name: str, count: int
) -> None:
    """At twice the speed boot clocks show half the recorded time, and wall clocks show now."""
    path = feeds / "telemetry" / name
    # The 2016 log was written at 4.5 times the speed of the flight in it.
    most_ns = (240 if "2016" in name else 3) * NS_PER_S
    messages = 0
    for send, original in zip(replayed(path, 2.0), open_telemetry(path)(), strict=True):
        before, after = parse_header(original.data), parse_header(send.data)
        if before is None or after is None or before.size != len(original.data):
            assert send.data == original.data
            continue
        messages += 1
        intact = is_intact(original.data, before)
        assert is_intact(send.data, after) == intact
        # Everything of the header but the length stays: version, flags, sequence number, ids.
        assert send.data[0] == original.data[0]
        assert send.data[2 : after.payload_start] == original.data[2 : before.payload_start]
        for field in time_fields(before.message_id) if intact else ():
            value = field.read(original.data[before.payload_start : before.payload_end])
            now = field.read(send.data[after.payload_start : after.payload_end])
            if value * field.unit_us >= UNIX_FROM_US:
                assert abs(now * 1000 - send.time_ns) < most_ns
            else:
                assert now == value // 2
    assert messages == count


def test_the_schedule_of_a_real_flight_repeats_exactly(feeds: Path) -> None:
    video = open_video(feeds / "video/aerial_karma_h264_480p_gpmf.mp4", Fraction(30))
    telemetry = open_telemetry(feeds / "telemetry/copter_real_cmac_2015.tlog")
    recording = Recording("", [video], telemetry)
    first = hash(tuple(plan(recording, Manner(seed=4), START_NS)))
    assert first == hash(tuple(plan(recording, Manner(seed=4), START_NS)))
