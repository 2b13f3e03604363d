"""A feed as MPEG-TS with KLV, read by programs that are not ours, and by our own ingest."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flow.clock import NS_PER_S, SystemClock
from flow.codec.klv import KlvSplitter
from flow.codec.metadata_au import MetadataUnits
from flow.codec.mpegts import StreamType, TsDemuxer
from flow.codec.st0601 import St0601, decode_st0601
from flow.flights import Feed
from flow.memory_bus import MemoryBus
from flow.samples import Group, LinkState, LinkStatus, TelemetrySample
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from ingest.settings import FeedSource
from telemetry.link import Telemetry
from telemetry.settings import AircraftLink, TelemetrySettings, TsOut
from telemetry.share.ts_out import TsSender
from telemetry.tracks import Track
from tests.unit.ingest.material import Coded, coded

from .ingest_rig import FFMPEG, FFMPEG_9, Rig, running

STATIONS = Path(__file__).parents[2] / ".venv-stations" / "bin" / "python"
PICTURES = 60
FEED = Feed("tag", "fritz", "Tageslicht", hfov_deg=62.0)
READ_KLV = """
import json, sys, klvdata
print(json.dumps([{key: str(value[3]) for key, value in each.MetadataList().items()}
                  for each in klvdata.StreamParser(open(sys.argv[1], "rb").read())]))
"""


@dataclass
class Received:
    """What came to a port of ours, one datagram after the other."""

    port: int
    datagrams: list[bytes] = field(default_factory=list)

    @property
    def stream(self) -> bytes:
        return b"".join(self.datagrams)


class _Port(asyncio.DatagramProtocol):
    def __init__(self, received: list[bytes]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._received.append(data)


@asynccontextmanager
async def receiving() -> AsyncIterator[Received]:
    received: list[bytes] = []
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("127.0.0.1", 0))
    transport, _ = await loop.create_datagram_endpoint(lambda: _Port(received), sock=sock)
    try:
        yield Received(transport.get_extra_info("sockname")[1], received)
    finally:
        transport.close()


def settings(to: str) -> TelemetrySettings:
    return TelemetrySettings(
        (),
        cameras=(FEED,),
        names=(("fritz", "Multikopter Fritz"),),
        mission="Einsatz 4711",
        ts_outs=(TsOut("tag", to),),
    )


@asynccontextmanager
async def sending(bus: MemoryBus, to: str) -> AsyncIterator[TsSender]:
    told = settings(to)
    sender = TsSender(bus, SystemClock(), told, told.ts_outs[0])
    task = asyncio.ensure_future(sender.run())
    try:
        await until(lambda: sender.is_open, "open")
        yield sender
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


@asynccontextmanager
async def own_bus() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    try:
        yield bus
    finally:
        await bus.aclose()


async def until(condition: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


def picture(index: int, source: Coded, codec: Codec, begin_ns: int) -> AccessUnit:
    at_90k, utc_ns = begin_ns * 9 // 100_000 + index * 3000, begin_ns + index * NS_PER_S // 30
    return AccessUnit(
        "tag",
        Rendition.SOURCE,
        codec,
        1,
        index,
        at_90k,
        at_90k,
        utc_ns,
        UtcOrigin.ARRIVAL,
        index % 10 == 0,
        source.data,
    )


def sample(index: int, begin_ns: int) -> TelemetrySample:
    """Of the instant of that picture: ten metres north in each, turning by a degree."""
    utc_ns = begin_ns + index * NS_PER_S // 30
    return TelemetrySample(
        "fritz",
        utc_ns,
        lat_deg=49.44 + index * 9e-5,
        lon_deg=7.76,
        alt_msl_m=350.0 + index,
        roll_deg=-3.0,
        pitch_deg=5.0,
        yaw_deg=float(index),
        gimbal_pitch_deg=-40.0,
        gimbal_yaw_deg=(index + 15.0) % 360,
        gimbal_roll_deg=0.0,
        ground_speed_ms=9.0,
        climb_ms=1.0,
        received_ns=dict.fromkeys((Group.POSITION, Group.ATTITUDE, Group.GIMBAL, Group.SPEED), utc_ns),
    )


async def play(bus: MemoryBus, codec: Codec, begin_ns: int, *, live: bool = False) -> None:
    """Two seconds of a feed with its telemetry, sample by sample and picture by picture."""
    clock = SystemClock()
    encoder = "libx264" if codec is Codec.H264 else "libx265"
    options = {} if codec is Codec.H264 else {"options": (("x265-params", "bframes=0:log-level=none"),)}
    for index, source in enumerate(coded(PICTURES, codec=encoder, **options)):
        bus.publish(sample(index, begin_ns))
        bus.publish(picture(index, source, codec, begin_ns))
        await clock.sleep_until(begin_ns + index * NS_PER_S // 30 if live else 0)


async def recorded(codec: Codec, options: str = "") -> tuple[bytes, int]:
    begin_ns = SystemClock().now_ns()
    async with receiving() as received, own_bus() as bus:
        async with sending(bus, f"udp://127.0.0.1:{received.port}{options}") as sender:
            await play(bus, codec, begin_ns)
            await until(
                lambda: sender.sent == len(received.datagrams) and sender.sent > PICTURES, "all there"
            )
            assert sender.dropped == 0
    assert all(len(datagram) % 188 == 0 and len(datagram) <= 7 * 188 for datagram in received.datagrams)
    return received.stream, begin_ns


def sets_of(stream: bytes) -> list[tuple[int, St0601]]:
    """The sets, with the time stamps of the packets they came in."""
    demuxer, units, found = TsDemuxer(), MetadataUnits(), []
    for packet in demuxer.push(stream) + demuxer.flush():
        if packet.stream_type == StreamType.KLV_SYNCHRONOUS:
            assert packet.pts_90k is not None
            found += [(packet.pts_90k, decode_st0601(unit)) for unit in units.push(packet.data)]
    return found


async def output_of(*command: str | Path) -> tuple[str, str]:
    """What a program says that ends well: on its standard output, and beside it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    async with asyncio.timeout(60):
        said, beside = await process.communicate()
    assert process.returncode == 0, beside
    return said.decode(), beside.decode()


@pytest.mark.parametrize(("codec", "name"), [(Codec.H264, "h264"), (Codec.H265, "hevc")])
async def test_every_picture_is_decoded_and_the_data_is_listed(
    codec: Codec, name: str, tmp_path: Path
) -> None:
    stream, _ = await recorded(codec)
    path = tmp_path / "out.ts"
    path.write_bytes(stream)
    shown, _ = await output_of(
        "ffprobe", "-v", "error", "-count_packets", "-show_streams", "-of", "json", path
    )
    video, data = json.loads(shown)["streams"]
    assert (video["codec_name"], int(video["nb_read_packets"])) == (name, PICTURES)
    assert (data["codec_type"], data["codec_name"], data["codec_tag_string"]) == ("data", "klv", "KLVA")
    assert int(data["nb_read_packets"]) == len(sets_of(stream)) == 20
    for program in (FFMPEG, FFMPEG_9):
        decode = ("-progress", "-", "-i", path, "-map", "0:v", "-f", "null", "-")
        told, wrong = await output_of(program, "-v", "warning", *decode)
        assert f"frame={PICTURES}\n" in told
        assert "corrupt" not in wrong


async def test_klvdata_reads_the_sets_as_the_samples_were(tmp_path: Path) -> None:
    assert STATIONS.exists(), "klvdata is not installed; `make setup-test` does that"
    stream, begin_ns = await recorded(Codec.H264)
    path, sets = tmp_path / "out.ts", tmp_path / "out.klv"
    path.write_bytes(stream)
    await output_of(FFMPEG, "-v", "error", "-i", path, "-map", "0:d", "-c", "copy", "-f", "data", sets)
    read = json.loads((await output_of(STATIONS, "-c", READ_KLV, sets))[0])
    assert len(read) == 20
    for number, each in enumerate(read):
        index = 3 * number
        told = sample(index, begin_ns)
        assert float(each["13"]) == pytest.approx(told.lat_deg, abs=1e-7)
        assert float(each["14"]) == pytest.approx(told.lon_deg, abs=1e-7)
        assert float(each["15"]) == pytest.approx(told.alt_msl_m, abs=0.2)
        assert float(each["5"]) == pytest.approx(told.yaw_deg, abs=0.01)
        assert (each["3"], each["10"]) == ("Einsatz 4711", "Multikopter Fritz")


async def test_gstreamer_finds_the_asynchronous_kind(tmp_path: Path) -> None:
    stream, begin_ns = await recorded(Codec.H264, "?klv=async")
    path, sets, pictures = tmp_path / "out.ts", tmp_path / "out.klv", tmp_path / "out.h264"
    path.write_bytes(stream)
    await output_of(
        "gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "tsdemux", "name=demuxer",
        "demuxer.", "!", "queue", "!", "meta/x-klv", "!", "filesink", f"location={sets}",
        "demuxer.", "!", "queue", "!", "h264parse", "!", "video/x-h264,stream-format=byte-stream", "!",
        "filesink", f"location={pictures}",
    )  # fmt: skip
    found = [decode_st0601(each) for each in KlvSplitter().push(sets.read_bytes())]
    assert [told.utc_us for told in found] == [sample(3 * n, begin_ns).utc_ns // 1000 for n in range(20)]
    assert pictures.read_bytes().count(b"\0\0\0\1\x09") == PICTURES  # delimiters
    told, _ = await output_of(
        FFMPEG_9, "-v", "error", "-i", path, "-map", "0:d", "-c", "copy", "-f", "md5", "-"
    )
    assert told.strip() == "MD5=" + hashlib.md5(sets.read_bytes()).hexdigest()


async def test_each_set_is_of_its_pictures_instant_and_ten_of_a_second() -> None:
    stream, begin_ns = await recorded(Codec.H264)
    found = sets_of(stream)
    assert [round((told.utc_us or 0) - begin_ns // 1000, -3) for _, told in found] == [
        pytest.approx(100_000 * number, abs=1000) for number in range(20)
    ]
    for number, (pts, told) in enumerate(found):
        assert (pts - (begin_ns * 9 // 100_000 + 9000 * number)) % (1 << 33) == 0
        assert told.platform_heading_deg == pytest.approx(3 * number, abs=0.01)


async def test_lagebild_reads_what_lagebild_sends() -> None:
    begin_ns = SystemClock().now_ns() + NS_PER_S // 2
    source = FeedSource("back", "udp://127.0.0.1:0")
    async with running(source) as rig, following(rig) as (samples, state):
        async with own_bus() as bus, sending(bus, f"udp://127.0.0.1:{rig.port('back')}"):
            await play(bus, Codec.H264, begin_ns, live=True)
            await rig.until_pictures("back", PICTURES)
            await rig.until(lambda: len(samples()) >= 20, "20 samples")
        units = {unit.utc_ns for unit in rig.units("back")}
        assert state().status is LinkStatus.LIVE
        assert state().bad_bytes == 0
        assert len(samples()) == 20
        for number, back in enumerate(samples()):
            told = sample(3 * number, begin_ns)
            for name in ("lat_deg", "lon_deg"):
                assert getattr(back, name) == pytest.approx(getattr(told, name), abs=1e-7)
            for name in (
                "alt_msl_m",
                "roll_deg",
                "pitch_deg",
                "yaw_deg",
                "gimbal_pitch_deg",
                "gimbal_yaw_deg",
            ):
                assert getattr(back, name) == pytest.approx(getattr(told, name), abs=0.2)
            assert (back.ground_speed_ms, back.climb_ms) == pytest.approx((9.0, 1.0), abs=0.5)
            nearest_ns = min(abs(back.utc_ns - utc_ns) for utc_ns in units)
            assert nearest_ns < NS_PER_S // 30


@asynccontextmanager
async def following(
    rig: Rig,
) -> AsyncIterator[tuple[Callable[[], list[TelemetrySample]], Callable[[], LinkState]]]:
    """The telemetry of an aircraft that comes within a feed of the rig."""
    link = AircraftLink("fritz", "feed:back")
    track = Track(rig._bus, SystemClock(), TelemetrySettings((), tracks=(link,)), link)
    reader, kept = rig._bus.lossless(TelemetrySample), list[TelemetrySample]()

    def samples() -> list[TelemetrySample]:
        kept.extend(reader.drain())
        return kept

    def state() -> LinkState:
        told = rig._bus.peek(LinkState, "fritz")
        assert told is not None
        return told

    task = asyncio.ensure_future(track.run())
    try:
        yield samples, state
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_nobody_there_and_no_room_harm_nothing() -> None:
    """A port that nobody reads, then a socket that takes nothing: the feed's readers do not notice."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with own_bus() as bus, sending(bus, f"udp://127.0.0.1:{port}") as sender:
        await play(bus, Codec.H264, SystemClock().now_ns())
        await until(lambda: sender.sent > PICTURES, "sent to nobody")
    async with own_bus() as bus, sending(bus, "udp://127.255.255.255:9") as sender:
        # Broadcast is refused to whom did not ask for it.
        await play(bus, Codec.H264, SystemClock().now_ns())
        await until(lambda: sender.dropped > PICTURES, "refused by the system")
        assert sender.sent == 0


async def test_without_telemetry_only_pictures_go() -> None:
    begin_ns = SystemClock().now_ns()
    async with receiving() as received, own_bus() as bus:
        async with sending(bus, f"udp://127.0.0.1:{received.port}") as sender:
            bus.publish(sample(0, begin_ns - 60 * NS_PER_S))  # of a minute ago
            for index, source in enumerate(coded(20)):
                bus.publish(picture(index, source, Codec.H264, begin_ns))
            await until(lambda: sender.sent == len(received.datagrams) and sender.sent >= 20, "all there")
            assert sender.sets == 0
    assert sets_of(received.stream) == []
    assert KlvSplitter().push(received.stream) == []


async def test_pictures_from_before_the_first_sample_have_none() -> None:
    """A joiner gets the group that there is; where the aircraft was in those pictures nobody has told."""
    begin_ns = SystemClock().now_ns()
    async with receiving() as received, own_bus() as bus:
        for index, source in enumerate(coded(20)):
            bus.publish(picture(index, source, Codec.H264, begin_ns))
        bus.publish(sample(18, begin_ns))
        async with sending(bus, f"udp://127.0.0.1:{received.port}") as sender:
            await until(lambda: sender.sent == len(received.datagrams) and sender.sent >= 10, "all there")
            assert sender.sets == 1
    [(_, told)] = sets_of(received.stream)
    assert abs((told.utc_us or 0) - sample(18, begin_ns).utc_ns // 1000) <= 50_000


async def test_it_is_among_what_telemetry_runs() -> None:
    async with receiving() as received, own_bus() as bus:
        task = asyncio.ensure_future(
            Telemetry(bus, SystemClock(), settings(f"udp://127.0.0.1:{received.port}")).run()
        )
        try:
            bus.publish(picture(0, coded(20)[0], Codec.H264, SystemClock().now_ns()))
            await until(lambda: len(received.datagrams) > 0, "sent")
        finally:
            task.cancel()
            await asyncio.wait([task])
    assert task.cancelled()


async def test_a_multicast_group_is_reached_through_the_interface_that_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as member:
        member.bind(("", 0))
        membership = socket.inet_aton("239.255.77.1") + socket.inet_aton("127.0.0.1")
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        member.setblocking(False)
        to = f"udp://239.255.77.1:{member.getsockname()[1]}?ttl=0&interface=127.0.0.1"
        async with own_bus() as bus, sending(bus, to) as sender:
            bus.publish(picture(0, coded(20)[0], Codec.H264, SystemClock().now_ns()))
            await until(lambda: sender.sent + sender.dropped > 0, "sent")
            assert sender.dropped == 0
        assert member.recv(2048)[0] == 0x47
