"""KLV of real aircraft and of other people's fixtures, through the real ways in."""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from flow.clock import NS_PER_MS, NS_PER_S, SystemClock
from flow.codec.eg0104 import decode_eg0104
from flow.codec.klv import KlvSplitter
from flow.codec.mpegts import StreamType, TsDemuxer
from flow.codec.st0601 import decode_st0601
from flow.flights import SourceState
from flow.memory_bus import MemoryBus
from flow.samples import Group, LinkState, LinkStatus, Metadata, MetadataKind, TelemetrySample
from flow.units import CLOCK_RATE_HZ, AccessUnit
from ingest.protocol.events import SourceEvent, SourceMetadata
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.settings import FeedSource, IngestSettings
from ingest.sources.file import FileSource
from ingest.supervisor import Ingest
from telemetry.link import Telemetry
from telemetry.protocol.track_klv import KlvTrack
from telemetry.settings import AircraftLink, TelemetrySettings
from tests.fakes.clock import START_NS
from tests.fakes.klv_sets import read_by_klvdata
from tests.interop.ingest_rig import published

pytestmark = pytest.mark.feeds

CHEYENNE = "klv/cheyenne_2012_st0601.klv"
SEASHORE = "derived/seashore_h264_plus_cheyenne_klv.ts"
FORT = "video/fmv_aphill_h264_480i_klv0104.ts"
KARMA = "video/aerial_karma_h264_480p_gpmf.mp4"
WITHOUT = "video/kwiver_h264_noklv.ts"
EVERY_TAG = ("video/kwiver_h264_yuv444_klv0601.ts", "video/kwiver_h265_gbrp_klv0601.ts")

FIELDS = {
    4: "tail_number",
    5: "platform_heading_deg",
    8: "true_airspeed_ms",
    9: "indicated_airspeed_ms",
    10: "platform_designation",
    11: "image_source",
    12: "image_coordinates",
    13: "sensor_lat_deg",
    14: "sensor_lon_deg",
    15: "sensor_alt_msl_m",
    16: "hfov_deg",
    17: "vfov_deg",
    18: "sensor_azimuth_deg",
    19: "sensor_elevation_deg",
    20: "sensor_roll_deg",
    21: "slant_range_m",
    23: "frame_centre_lat_deg",
    24: "frame_centre_lon_deg",
    25: "frame_centre_alt_msl_m",
    51: "climb_ms",
    56: "ground_speed_ms",
    59: "call_sign",
    78: "frame_centre_alt_hae_m",
    90: "platform_pitch_deg",
    91: "platform_roll_deg",
}
"""What klvdata has a value for and we have, by tag."""


class JumpingClock:
    """Time that passes as soon as somebody waits for it."""

    def __init__(self) -> None:
        self._now_ns = START_NS

    def now_ns(self) -> int:
        return self._now_ns

    async def sleep_until(self, utc_ns: int) -> None:
        self._now_ns = max(self._now_ns, utc_ns)
        await asyncio.sleep(0)


class Played:
    """A file through the real reader process and a feed's timeline, as fast as it goes."""

    def __init__(self) -> None:
        self.clock = JumpingClock()
        self.feed = Feed("f", "file:x", Patience(), START_NS)
        self.units: list[AccessUnit] = []
        self.metadata: list[Metadata] = []

    def take(self, event: SourceEvent) -> None:
        if isinstance(event, SourceMetadata):
            self.metadata += self.feed.place(event)
        else:
            self.units += self.feed.handle(event, self.clock.now_ns())


async def played(path: Path) -> Played:
    """Raises SourceError."""
    got = Played()
    await FileSource(str(path), None, False, got.clock).run(got.take)
    return got


def sets_in(path: Path) -> list[bytes]:
    splitter = KlvSplitter()
    sets = splitter.push(path.read_bytes())
    assert (splitter.discarded_bytes, splitter.bad_sets) == (0, 0)
    return sets


def klv_of(path: Path) -> list[tuple[int | None, bytes]]:
    """Time and payload of each packet of a transport stream's KLV."""
    demuxer = TsDemuxer()
    packets = demuxer.push(path.read_bytes()) + demuxer.flush()
    return [(p.pts_90k, p.data) for p in packets if p.stream_type == StreamType.KLV_ASYNCHRONOUS]


def samples_of(sets: list[bytes]) -> Iterator[TelemetrySample]:
    track = KlvTrack("a")
    for number, data in enumerate(sets):
        yield from track.take(Metadata("f", MetadataKind.KLV, START_NS + number * NS_PER_S, data))


def test_every_checksum_of_a_real_flight_is_right(feeds: Path) -> None:
    got = [decode_st0601(data) for data in sets_in(feeds / CHEYENNE)]
    assert len(got) == 407
    assert got[0].utc_us == 1_348_087_244_105_300  # 2012-09-19 20:40:44
    assert all(0 < (b.utc_us or 0) - (a.utc_us or 0) < 10**6 for a, b in pairwise(got))
    assert {(each.tail_number, each.platform_designation) for each in got} == {("N97826", "C208B")}
    assert all(41.12149 < (each.sensor_lat_deg or 0) < 41.14386 for each in got)
    assert all(-104.80771 < (each.sensor_lon_deg or 0) < -104.77169 for each in got)
    assert all(2923 < (each.sensor_alt_msl_m or 0) < 2969 for each in got)
    assert all(len(each.corners) == 4 for each in got)


def test_a_real_camera_looks_at_its_own_frame_centre(feeds: Path) -> None:
    """Of attitude and gimbal, turned into the earth frame, against position and frame centre: two ways that
    share nothing but the flight."""
    off_deg: list[tuple[float, float]] = []
    for sample in samples_of(sets_in(feeds / CHEYENNE)):
        centre = sample.frame_centre
        assert centre is not None
        assert centre.alt_msl_m is not None
        assert sample.lat_deg is not None
        assert sample.lon_deg is not None
        assert sample.alt_msl_m is not None
        assert sample.gimbal_yaw_deg is not None
        assert sample.gimbal_pitch_deg is not None
        north_m = (centre.lat_deg - sample.lat_deg) * 111_068  # a degree at 41 N, WGS84
        east_m = (centre.lon_deg - sample.lon_deg) * 111_413 * math.cos(math.radians(sample.lat_deg))
        yaw = math.degrees(math.atan2(east_m, north_m))
        down = math.degrees(math.atan2(sample.alt_msl_m - centre.alt_msl_m, math.hypot(north_m, east_m)))
        off_deg.append(
            (abs((sample.gimbal_yaw_deg - yaw + 180) % 360 - 180), abs(sample.gimbal_pitch_deg + down))
        )
    assert median(yaw for yaw, _ in off_deg) < 0.15
    assert median(pitch for _, pitch in off_deg) < 0.15
    assert sorted(max(pair) for pair in off_deg)[386] < 1.0  # 95 in 100


@pytest.mark.parametrize("name", EVERY_TAG)
async def test_every_field_is_as_klvdata_reads_it(feeds: Path, name: str) -> None:
    sets = [data for _, data in klv_of(feeds / name)]
    assert len(sets) == 30
    for ours, theirs in zip(map(decode_st0601, sets), read_by_klvdata(sets), strict=True):
        for tag, field in FIELDS.items():
            told, got = theirs[tag], getattr(ours, field)
            assert got == (pytest.approx(told, rel=1e-9) if isinstance(told, float) else told), (tag, field)
        assert ours.mission_id == theirs[3]
        assert [number for point in ours.corners for number in point] == pytest.approx(
            [theirs[tag] for tag in range(82, 90)]
        )
    assert decode_st0601(sets[0]).sensor_alt_hae_m == pytest.approx(
        23456.24, abs=0.01
    )  # ST 0601.17, item 104
    got = await played(feeds / name)
    assert [unit.data for unit in got.metadata] == sets
    assert {unit.pts_90k for unit in got.metadata} == {None}
    assert len(got.units) == 30


async def test_klv_of_a_file_is_of_the_pictures_it_belongs_to(feeds: Path) -> None:
    sent = klv_of(feeds / SEASHORE)
    got = await played(feeds / SEASHORE)
    assert [unit.data for unit in got.metadata] == [data for _, data in sent]
    assert len(sent) == 124
    check_in_sync(got.metadata, got.units, [pts for pts, _ in sent if pts is not None])
    track = KlvTrack("a")
    samples = [sample for unit in got.metadata for sample in track.take(unit)]
    assert [sample.utc_ns for sample in samples] == [unit.utc_ns for unit in got.metadata]
    assert all(decode_st0601(unit.data).utc_us for unit in got.metadata)


def check_in_sync(metadata: list[Metadata], units: list[AccessUnit], pts: list[int]) -> None:
    """Each unit lies between the pictures as its `pts` says, and at that moment in Lagebild time. The very
    first may come before there is a picture; and in the first second it is still found out how long pictures
    take to arrive."""
    shown = sorted((unit.pts_90k, unit.utc_ns) for unit in units)
    timed = [(unit, source) for unit, source in zip(metadata, pts, strict=True) if unit.pts_90k is not None]
    assert len(timed) >= len(metadata) - 1
    first, first_pts = timed[0]
    for unit, source in timed:
        assert unit.pts_90k is not None
        assert unit.pts_90k - (first.pts_90k or 0) == source - first_pts
        index = min(bisect_left(shown, (unit.pts_90k, 0)), len(shown) - 1)
        picture_pts, picture_ns = shown[index]
        if unit.pts_90k < shown[0][0] + CLOCK_RATE_HZ:
            continue
        expected_ns = picture_ns + (unit.pts_90k - picture_pts) * 100_000 // 9
        assert abs(unit.utc_ns - expected_ns) < 5 * NS_PER_MS


async def test_klv_by_udp_becomes_samples_of_the_aircraft(feeds: Path) -> None:
    """A remultiplexing ffmpeg sends; the real ingest and the real telemetry room stand on one bus."""
    bus, clock = MemoryBus(), SystemClock()
    ingest = Ingest(bus, clock, IngestSettings((FeedSource("f", "udp://127.0.0.1:0"),)))
    telemetry = Telemetry(bus, clock, TelemetrySettings((), (AircraftLink("a", "feed:f"),)))
    metadata, units, samples = bus.lossless(Metadata), bus.lossless(AccessUnit), bus.lossless(TelemetrySample)
    links = bus.latest(LinkState)
    tasks = [asyncio.ensure_future(room.run()) for room in (ingest, telemetry)]
    try:
        port = await _port_of(bus, "f")
        assert (await anext(links)).reason == "no_metadata"
        url = f"udp://127.0.0.1:{port}?pkt_size=1316"
        clip = ["-re", "-t", "2.5", "-i", str(feeds / SEASHORE), "-map", "0", "-c", "copy"]
        await published(["ffmpeg", "-nostdin", "-v", "error", *clip, "-f", "mpegts", url])
        await asyncio.sleep(0.1)  # what is dated ahead by the multiplexer waits for its moment
        state = bus.peek(LinkState, "a")
        assert state is not None
        assert (state.status, state.bad_bytes, state.lost) == (LinkStatus.LIVE, 0, 0)
        told, pictures, flown = metadata.drain(), units.drain(), samples.drain()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await bus.aclose()
    sent = [(pts, data) for pts, data in klv_of(feeds / SEASHORE)[: len(told)] if pts is not None]
    assert len(told) >= 10
    assert [unit.data for unit in told] == [data for _, data in sent]
    check_in_sync(told, pictures, [pts for pts, _ in sent])
    assert {sample.utc_ns for sample in flown} <= {unit.utc_ns for unit in told}
    assert len(flown) >= len(told) - 2  # the first may be dated behind the next, and the last still ahead
    assert all(before.utc_ns < after.utc_ns for before, after in pairwise(flown))
    assert all(sample.received_ns[Group.POSITION] == sample.utc_ns for sample in flown)


async def _port_of(bus: MemoryBus, feed_id: str) -> int:
    async with asyncio.timeout(10):
        async for state in bus.latest(SourceState, feed_id):
            if state.address:
                return int(state.address.rpartition(":")[2])
    raise AssertionError("the feed never opened")


async def test_the_older_universal_set_of_a_real_flight(feeds: Path) -> None:
    got = await played(feeds / FORT)
    assert len(got.metadata) == 48
    items = [decode_eg0104(unit.data).items for unit in got.metadata]
    middle = items[24]
    assert (middle.sensor_lat_deg, middle.sensor_lon_deg) == pytest.approx((38.25215, -77.36795), abs=1e-3)
    assert middle.sensor_alt_msl_m == pytest.approx(1054, abs=2)
    assert [(each.utc_us or 0) // 10**6 for each in items][:2] == [1_221_515_219] * 2  # 2008-09-15 21:46:59
    samples = [sample for unit in got.metadata for sample in KlvTrack("a").take(unit)]
    # Slant range and height tell the same depression: it looks 1730 m far from 1054 m above the sea.
    assert samples[0].gimbal_pitch_deg == pytest.approx(-math.degrees(math.asin(1054.4 / 1729.9)), abs=0.5)
    assert all(sample.frame_centre and sample.hfov_deg for sample in samples)
    check_in_sync(got.metadata, got.units, [pts for pts, _ in klv_of(feeds / FORT) if pts is not None])


async def test_a_stream_without_klv_tells_none(feeds: Path) -> None:
    got = await played(feeds / WITHOUT)
    assert (len(got.units), got.metadata) == (30, [])


async def test_gpmf_of_a_real_flight_comes_with_its_pictures(feeds: Path) -> None:
    got = await played(feeds / KARMA)
    assert {unit.kind for unit in got.metadata} == {MetadataKind.GPMF}
    assert len(got.metadata) == 13
    assert len(got.units) == 362
    start = min(unit.pts_90k for unit in got.units)
    seconds = [((unit.pts_90k or start) - start) / 90_000 for unit in got.metadata]
    assert seconds == pytest.approx([1.001 * n for n in range(13)], abs=0.05)
