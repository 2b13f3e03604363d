"""Recorded flights through the sources: not one picture may be lost against what libav decodes directly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.container import InputContainer

from flow.clock import NS_PER_MS
from flow.codec import h264
from flow.codec.annexb import AccessUnitSplitter
from flow.codec.mpegts import PesPacket, StreamType, TsDemuxer
from flow.codec.rtp import RtpPacket
from flow.errors import SourceError
from flow.flights import SourceState
from flow.units import AccessUnit, Codec
from ingest.protocol.events import Opened, SourceEvent
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.rtp_stream import RtpStream
from ingest.protocol.ts_stream import TsStream
from ingest.settings import FeedSource
from ingest.sources.file import FileSource
from tests.fakes.clock import START_NS
from tests.unit.ingest.material import counted

from .ingest_rig import (
    FFMPEG,
    check_invariants,
    decoded_count,
    ffmpeg_rtp,
    ffmpeg_ts,
    gstreamer,
    publishing,
    running,
)

pytestmark = pytest.mark.feeds

LIVE = "derived/seashore_h264_720p30_live.mp4"
KARMA = "video/aerial_karma_h264_480p_gpmf.mp4"
TELLO = "video/tello_indoor_h264_960x720.h264"
SEASHORE = "video/aerial_seashore_h264_720p.ts"
SKATEPARK = "video/aerial_skatepark_h264_portrait720x1280.ts"
FORT = "video/fmv_aphill_h264_480i_klv0104.ts"
STREET = "video/street_h265_1376x1840.mp4"
HEVC = "derived/seashore_hevc_720p_nobf.ts"
CHROMA = "video/kwiver_h264_yuv444_klv0601.ts"


class RushingClock:
    """Time passes only by sleeping, and at once."""

    def __init__(self) -> None:
        self._now_ns = START_NS

    def now_ns(self) -> int:
        return self._now_ns

    async def sleep_until(self, utc_ns: int) -> None:
        self._now_ns = max(self._now_ns, utc_ns)


class Watched:
    """A feed on a clock of its own."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._feed = Feed("real", "file:real", Patience(), START_NS)
        self.units: list[AccessUnit] = []

    def take(self, event: SourceEvent) -> None:
        self.units += self._feed.handle(event, self._now_ns())

    def state(self) -> SourceState:
        return self._feed.state()


async def play(path: Path, fps: float | None = None) -> Watched:
    clock = RushingClock()
    watched = Watched(clock.now_ns)
    await FileSource(str(path), fps, False, clock).run(watched.take)
    return watched


def frames(path: Path) -> int:
    """How many pictures libav decodes out of the file itself."""
    with av.open(str(path)) as container:
        assert isinstance(container, InputContainer)
        return counted(container)


@pytest.mark.parametrize(
    ("name", "fps", "notes"),
    [
        (LIVE, None, ()),
        (KARMA, None, ()),
        (TELLO, 30, ()),
        (SEASHORE, None, ("b_frames",)),
        (FORT, None, ("interlaced", "b_frames")),
        (STREET, None, ("codec_h265", "b_frames")),
        (CHROMA, None, ("chroma",)),
    ],
)
async def test_a_recorded_file_plays_whole(
    feeds: Path, name: str, fps: float | None, notes: tuple[str, ...]
) -> None:
    watched = await play(feeds / name, fps)
    check_invariants(watched.units)
    assert decoded_count(watched.units) == frames(feeds / name)
    assert watched.state().notes == notes
    assert watched.state().damaged == 0


async def test_the_times_of_a_file_are_kept(feeds: Path) -> None:
    units = (await play(feeds / KARMA)).units
    assert {after.dts_90k - before.dts_90k for before, after in pairwise(units)} <= {3002, 3003, 3004}
    length_s = (units[-1].utc_ns - units[0].utc_ns) / 1e9
    assert length_s == pytest.approx((len(units) - 1) * 1.001 / 30, abs=0.002)


@pytest.mark.parametrize("name", [SKATEPARK, FORT, HEVC])
def test_a_recorded_multiplex_arrives_whole_in_datagrams(feeds: Path, name: str) -> None:
    now_ns = START_NS
    watched, stream = Watched(lambda: now_ns), TsStream()
    watched.take(Opened("udp://127.0.0.1:5004", TsStream.TIMESTAMP_BITS))
    for datagram in datagrams_of(feeds / name):
        now_ns += 2 * NS_PER_MS
        for event in stream.handle(datagram, "127.0.0.1:1", now_ns):
            watched.take(event)
    check_invariants(watched.units)
    # The very last picture of a sender that writes no PES lengths ends with the next, which never comes.
    assert 0 <= frames(feeds / name) - decoded_count(watched.units) <= 1


def test_the_two_fields_of_a_real_interlaced_camera_are_one_picture(feeds: Path) -> None:
    """Each field comes in a PES packet of its own, the second of a keyframe as P field; all have B fields."""
    now_ns, stream = START_NS, TsStream()
    watched = Watched(lambda: now_ns)
    watched.take(Opened("udp://127.0.0.1:5004", TsStream.TIMESTAMP_BITS))
    for datagram in datagrams_of(feeds / FORT):
        now_ns += 2 * NS_PER_MS
        for event in stream.handle(datagram, "127.0.0.1:1", now_ns):
            watched.take(event)
    assert len(watched.units) == 48
    assert decoded_count(watched.units) == frames(feeds / FORT) == 48
    assert [number for number, unit in enumerate(watched.units) if unit.keyframe] == [0, 16, 32]
    assert watched.state().fps == pytest.approx(30 / 1.001, rel=0.01)
    assert sorted(unit.pts_90k for unit in watched.units)[-1] - watched.units[0].pts_90k == 47 * 3003


def test_the_two_fields_of_a_frame_are_joined_over_rtp_too(feeds: Path) -> None:
    """As a payloader sends them that takes each field for a picture: timestamp and marker of its own."""
    fields = h264_units(b"".join(packet.data for packet in video_of(feeds / FORT)))
    now_ns, sequence = START_NS, 0
    watched, stream = Watched(lambda: now_ns), RtpStream()
    watched.take(Opened("rtp://127.0.0.1:5600", RtpStream.TIMESTAMP_BITS))
    for index, field in enumerate(fields):
        payloads = h264.packetize(field)
        now_ns += 17 * NS_PER_MS
        for number, payload in enumerate(payloads, 1):
            packet = RtpPacket(96, number == len(payloads), sequence, index * 1501, 7, payload)
            sequence += 1
            for event in stream.handle(packet.serialize(), "127.0.0.1:1", now_ns):
                watched.take(event)
        assert len(watched.units) == (index + 1) // 2, "a frame must come with its second field, not later"
    check_invariants(watched.units)
    assert decoded_count(watched.units) == 48


def video_of(path: Path) -> list[PesPacket]:
    demuxer = TsDemuxer()
    return [packet for packet in demuxer.push(path.read_bytes()) if packet.stream_type == StreamType.H264]


def datagrams_of(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[start : start + 1316] for start in range(0, len(data), 1316)]


def test_a_real_drone_encoder_survives_the_payload_format(feeds: Path) -> None:
    """The Tello writes several slices a picture and keyframes only at the start."""
    data = (feeds / TELLO).read_bytes()
    now_ns, sequence = START_NS, 0
    watched, stream = Watched(lambda: now_ns), RtpStream()
    watched.take(Opened("rtp://127.0.0.1:5600", RtpStream.TIMESTAMP_BITS))
    splitter = h264_units(data)
    for index, unit in enumerate(splitter):
        payloads = h264.packetize(unit)
        now_ns += 33 * NS_PER_MS
        for number, payload in enumerate(payloads, 1):
            packet = RtpPacket(96, number == len(payloads), sequence % 65_536, index * 3000, 7, payload)
            sequence += 1
            for event in stream.handle(packet.serialize(), "127.0.0.1:1", now_ns):
                watched.take(event)
        assert len(watched.units) == index + 1, "a picture must come with its marker, not one late"
    assert decoded_count(watched.units) == frames(feeds / TELLO)


def h264_units(data: bytes) -> list[bytes]:

    splitter = AccessUnitSplitter(Codec.H264)
    return splitter.push(data) + splitter.flush()


async def test_real_flights_are_published_live_by_independent_programs(feeds: Path) -> None:
    if shutil.which("gst-launch-1.0") is None:
        pytest.fail("gst-launch-1.0 is not installed: run scripts/apt-test")
    rtp, ts = "rtp://127.0.0.1:0", "udp://127.0.0.1:0"
    sources = (FeedSource("live", rtp), FeedSource("karma", ts), FeedSource("karma-rtp", rtp))
    live, karma = str(feeds / LIVE), str(feeds / KARMA)
    async with running(*sources) as rig:
        async with (
            publishing(*ffmpeg_rtp(FFMPEG, live, rig.port("live"))),
            publishing(*ffmpeg_ts(FFMPEG, karma, rig.port("karma"))),
            publishing(*gstreamer(karma, rig.port("karma-rtp"), "rtph264pay", "pt=96")),
        ):
            for source in sources:
                await rig.until_pictures(source.feed_id, 60)
        for source in sources:
            units = rig.units(source.feed_id)
            check_invariants(units)
            assert decoded_count(units) == len(units)
            assert rig.state(source.feed_id).damaged == 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("telemetry/copter_real_cmac_2015.tlog", "not_video"),
        ("dji_srt/mavic_mini.SRT", "not_video"),
        ("klv/cheyenne_2012_st0601.klv", "not_video"),
    ],
)
async def test_what_cannot_be_shown_is_named(feeds: Path, name: str, reason: str) -> None:
    with pytest.raises(SourceError) as raised:
        await play(feeds / name)
    assert raised.value.code == reason
    assert name.rpartition("/")[2] in str(raised.value)
