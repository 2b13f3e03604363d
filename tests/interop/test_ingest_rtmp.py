"""ffmpeg (Debian's and another build) and GStreamer publish to the real ingest by RTMP."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from flow.flights import SourceStatus
from flow.units import AccessUnit, Codec
from ingest.settings import FeedSource, PublishSettings
from tests.fakes.derived_keys import DerivedKeys
from tests.unit.ingest.rtmp_publisher import C2, HELLO

from .ingest_rig import (
    DEADLINE_S,
    FFMPEG,
    FFMPEG_9,
    Rig,
    check_invariants,
    decoded_count,
    published,
    publishing,
    running,
)
from .test_ingest_publishers import PICTURES, make_clip

MILLISECOND_STEPS = {2970, 3060}
"""Of 30 pictures a second, told in whole milliseconds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program in (FFMPEG, "gst-launch-1.0"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: run scripts/apt-test")
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clip(folder: Path) -> str:
    return make_clip(folder / "live.mp4", "-tune", "zerolatency", "-g", "30")


@asynccontextmanager
async def server(*feed_ids: str, lost_s: float = 1.5) -> AsyncIterator[Rig]:
    """Feeds that publishers bring pictures to by RTMP, on a port that the kernel chose."""
    sources = (FeedSource(feed_id, "rtmp") for feed_id in feed_ids)
    publish = PublishSettings(("127.0.0.1",), rtmp_port=0)
    async with running(*sources, lost_s=lost_s, publish=publish, keys=DerivedKeys()) as rig:
        await rig.until(lambda: "rtmp://127.0.0.1:" in rig.state(feed_ids[-1]).detail, "the server listens")
        yield rig


def port(rig: Rig, feed_id: str) -> int:
    """Where somebody is waited for."""
    return int(rig.state(feed_id).detail.rpartition(":")[2].removesuffix("/live"))


def url(at: int, feed_id: str, key: str = "") -> str:
    return f"rtmp://127.0.0.1:{at}/live/{feed_id}?key={key or 'k-' + feed_id}"


def ffmpeg(program: str, clip: str, to: str, *options: str) -> list[str]:
    command = [program, "-nostdin", "-loglevel", "error", "-re", "-i", clip, "-map", "0:v", "-c", "copy"]
    return [*command, *options, "-f", "flv", to]


def gstreamer(clip: str, to: str) -> list[str]:
    pipeline = (
        f"filesrc location={clip} ! qtdemux ! h264parse ! identity sync=true ! flvmux streamable=true !"
    )
    return ["gst-launch-1.0", "-q", *pipeline.split(), "rtmp2sink", f"location={to}"]


def check_whole(units: list[AccessUnit]) -> None:
    """Every picture is there, at its time, and can be decoded."""
    check_invariants(units)
    assert (len(units), decoded_count(units)) == (PICTURES, PICTURES)
    assert {after.dts_90k - before.dts_90k for before, after in pairwise(units)} <= MILLISECOND_STEPS


async def test_every_publisher_is_received_whole(folder: Path, clip: str) -> None:
    x265 = ("-c:v", "libx265", "-tag:v", "hvc1", "-x265-params", "bframes=0:keyint=30:log-level=none")
    h265 = make_clip(folder / "h265.mp4", *x265)
    h265_b = make_clip(folder / "h265b.mp4", *(option.replace("bframes=0", "bframes=2") for option in x265))
    h264_b = make_clip(folder / "b.mp4", "-bf", "2", "-g", "30")
    feeds = ("debian", "imageio", "gst", "h264-b", "h265", "h265-b")
    async with server(*feeds) as rig:
        at = port(rig, "debian")
        await published(
            ffmpeg(FFMPEG, clip, url(at, "debian")),
            ffmpeg(FFMPEG_9, clip, url(at, "imageio")),
            gstreamer(clip, url(at, "gst")),
            ffmpeg(FFMPEG, h264_b, url(at, "h264-b")),
            ffmpeg(FFMPEG_9, h265, url(at, "h265"), "-rtmp_enhanced_codecs", "hvc1"),
            ffmpeg(FFMPEG_9, h265_b, url(at, "h265-b")),
        )
        for feed_id in feeds:
            await rig.until_pictures(feed_id, PICTURES)
            await rig.until_status(feed_id, SourceStatus.LOST, "publisher_left")
            units, state = rig.units(feed_id), rig.state(feed_id)
            check_whole(units)
            assert {unit.codec for unit in units} == {Codec.H265 if "h265" in feed_id else Codec.H264}
            assert any(unit.pts_90k > unit.dts_90k for unit in units) is feed_id.endswith("-b")
            assert (state.damaged, state.lost_packets, state.restarts) == (0, 0, 0)
            assert state.config is not None
            assert (state.config.width_px, state.config.height_px) == (640, 360)
            assert ("b_frames" in state.notes) is feed_id.endswith("-b")


@pytest.mark.parametrize("program", [FFMPEG, FFMPEG_9], ids=["debian", "imageio"])
async def test_a_wrong_key_is_refused_with_its_reason_before_any_media(clip: str, program: str) -> None:
    async with server("tag", "nacht") as rig:
        at = port(rig, "tag")
        process = await asyncio.create_subprocess_exec(
            *ffmpeg(program, clip, url(at, "tag", "k-nacht")), stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(DEADLINE_S):
            _, told = await process.communicate()
        assert process.returncode != 0
        assert b"feed 'tag': this key is wrong" in told
        assert rig.units("tag") == []
        assert rig.state("tag").reason == "key_wrong"


async def test_encoders_with_two_fields_and_one_that_puts_the_key_into_the_server(clip: str) -> None:
    async with server("feld", "server") as rig:
        at = port(rig, "feld")
        server_url = f"rtmp://127.0.0.1:{at}/live"
        await published(
            ffmpeg(FFMPEG, clip, f"{server_url}/feld", "-rtmp_app", "live/feld", "-rtmp_playpath", "k-feld"),
            ffmpeg(FFMPEG, clip, server_url, "-rtmp_app", "live?key=k-server", "-rtmp_playpath", "server"),
        )
        for feed_id in ("feld", "server"):
            await rig.until_pictures(feed_id, PICTURES)


async def test_three_publishers_beside_garbage(clip: str) -> None:
    feeds = ("eins", "zwei", "drei")
    async with server(*feeds) as rig:
        at = port(rig, "eins")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(published(*(ffmpeg(FFMPEG, clip, url(at, feed_id)) for feed_id in feeds)))
            await rig.until_pictures("drei", 5)
            for garbage in (b"\xff" * 100_000, HELLO + C2 + b"\xff" * 100_000, HELLO + C2 + bytes(100_000)):
                reader, writer = await asyncio.open_connection("127.0.0.1", at)
                writer.write(garbage)
                async with asyncio.timeout(DEADLINE_S):
                    try:
                        while await reader.read(65_536):
                            pass
                    except ConnectionResetError:
                        pass
                writer.close()
        for feed_id in feeds:
            await rig.until_pictures(feed_id, PICTURES)
            check_whole(rig.units(feed_id))


async def test_a_publisher_is_killed_and_started_again(clip: str) -> None:
    async with server("tag") as rig:
        at = port(rig, "tag")
        async with publishing(*ffmpeg(FFMPEG, clip, url(at, "tag"))):
            await rig.until_pictures("tag", 20)
        await rig.until_status("tag", SourceStatus.LOST, "publisher_left")
        before = len(rig.units("tag"))
        await published(ffmpeg(FFMPEG_9, clip, url(at, "tag")))
        await rig.until_pictures("tag", before + PICTURES)
        units = rig.units("tag")
        check_invariants(units)
        assert decoded_count(units[before:]) == PICTURES
        assert rig.state("tag").restarts == 1


async def test_a_stream_that_is_older_than_24_bits_of_milliseconds_goes_on(clip: str) -> None:
    """16,777,215 ms, or 4.66 h, is where the timestamps of chunks become extended."""
    feeds = ("debian", "imageio")
    async with server(*feeds) as rig:
        at = port(rig, "debian")
        late = ("-output_ts_offset", "16776.2")
        await published(
            ffmpeg(FFMPEG, clip, url(at, "debian"), *late), ffmpeg(FFMPEG_9, clip, url(at, "imageio"), *late)
        )
        for feed_id in feeds:
            await rig.until_pictures(feed_id, PICTURES)
            check_whole(rig.units(feed_id))
            assert rig.state(feed_id).restarts == 0


async def hold(at: int, host: str, opened: list[str]) -> None:
    """Hold a connection open that says nothing, and open another one whenever it is closed."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", at, local_addr=(host, 0))
        opened.append(host)
        try:
            with suppress(ConnectionError):
                await reader.read()
        finally:
            writer.transport.abort()
        await asyncio.sleep(0.05)


async def test_nobody_keeps_publishers_out_by_holding_connections(clip: str) -> None:
    """64 of the publisher's own address and 64 of others, each opened anew at once, and none says a word."""
    opened: list[str] = []
    hosts = ["127.0.0.1"] * 64 + [f"127.0.1.{index % 16}" for index in range(64)]
    async with server("eins", "zwei") as rig:
        at = port(rig, "eins")
        tasks = [asyncio.create_task(hold(at, host, opened)) for host in hosts]
        try:
            await rig.until(lambda: len(opened) >= 3 * len(hosts), "closed ones come again")
            before = len(opened)
            await published(ffmpeg(FFMPEG, clip, url(at, "eins")), ffmpeg(FFMPEG_9, clip, url(at, "zwei")))
            assert len(opened) > before
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for feed_id in ("eins", "zwei"):
            await rig.until_pictures(feed_id, PICTURES)
            check_whole(rig.units(feed_id))
            assert rig.state(feed_id).restarts == 0
