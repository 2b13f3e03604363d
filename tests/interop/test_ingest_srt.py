"""ffmpeg (Debian's and another build) and srt-live-transmit speak SRT with the real ingest."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from flow.flights import SourceStatus
from flow.units import AccessUnit, Codec
from ingest.settings import FeedSource, PublishSettings
from ingest.sources import srt_caller
from tests.fakes.derived_keys import DerivedKeys

from .ingest_rig import (
    DEADLINE_S,
    FFMPEG,
    FFMPEG_9,
    Rig,
    check_invariants,
    decoded_count,
    ffmpeg_ts,
    publishing,
    running,
)
from .test_ingest_publishers import PICTURES, make_clip

TRANSMIT = "srt-live-transmit"
LATENCY_MS = 60
PASSPHRASE = "0123456789ab"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for program in (FFMPEG, TRANSMIT):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: run scripts/apt-test")
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clip(folder: Path) -> str:
    return make_clip(folder / "live.mp4", "-tune", "zerolatency", "-g", "30")


@asynccontextmanager
async def server(
    *feed_ids: str, takeover: bool = False, passphrase: str = "", lost_s: float = 1.5
) -> AsyncIterator[Rig]:
    """Feeds that publishers bring pictures to by SRT, on a port that the kernel chose."""
    sources = (FeedSource(feed_id, "srt", takeover=takeover) for feed_id in feed_ids)
    publish = PublishSettings(
        ("127.0.0.1",), srt_port=0, srt_latency_ms=LATENCY_MS, srt_passphrase=passphrase
    )
    async with running(*sources, lost_s=lost_s, publish=publish, keys=DerivedKeys()) as rig:
        await rig.until(lambda: "srt://127.0.0.1:" in rig.state(feed_ids[-1]).detail, "the server listens")
        yield rig


def port(rig: Rig, feed_id: str) -> int:
    """Where somebody is waited for."""
    return int(rig.state(feed_id).detail.rpartition(":")[2])


def url(at: int, feed_id: str, more: str = "", key: str = "") -> str:
    return f"srt://127.0.0.1:{at}?streamid=publish:{feed_id}:{key or 'k-' + feed_id}{more}"


def ffmpeg(program: str, clip: str, to: str, *options: str) -> list[str]:
    """Sends the clip again and again. At its end it would not wait for what libsrt has not sent yet."""
    command = [program, "-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", clip]
    return [*command, "-map", "0:v", "-c", "copy", *options, "-f", "mpegts", to]


def transmit(source: str, target: str) -> list[str]:
    """It ends when a side has ended (-a no), and not before (-t 0)."""
    return [TRANSMIT, "-a", "no", "-t", "0", "-loglevel", "fatal", source, target]


def free_port() -> int:
    """Of programs that cannot say which one they got."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_whole(units: list[AccessUnit]) -> None:
    """Every picture from the first one on is there, at its time, and can be decoded."""
    check_invariants(units)
    assert len(units) >= PICTURES
    assert decoded_count(units) == len(units)
    assert {after.dts_90k - before.dts_90k for before, after in pairwise(units)} <= {2999, 3000, 3001}


async def test_every_publisher_is_received_whole(folder: Path, clip: str) -> None:
    x265 = ("-c:v", "libx265", "-tag:v", "hvc1", "-x265-params", "bframes=2:keyint=30:log-level=none")
    h265 = make_clip(folder / "h265.mp4", *x265)
    h264_b = make_clip(folder / "b.mp4", "-bf", "2", "-g", "30")
    feeds = ("debian", "imageio", "h264-b", "h265", "transmit")
    async with server(*feeds) as rig:
        await all_of_them(rig, clip, h264_b, h265)
        for feed_id in feeds:
            units, state = rig.units(feed_id), rig.state(feed_id)
            check_whole(units)
            assert {unit.codec for unit in units} == {Codec.H265 if feed_id == "h265" else Codec.H264}
            assert any(unit.pts_90k > unit.dts_90k for unit in units) is (feed_id in ("h265", "h264-b"))
            assert (state.damaged, state.lost_packets, state.restarts) == (0, 0, 0)
            assert state.config is not None
            assert (state.config.width_px, state.config.height_px) == (640, 360)


async def all_of_them(rig: Rig, clip: str, h264_b: str, h265: str) -> None:
    """Every publisher, until each has sent its pictures."""
    at, relayed = port(rig, "debian"), free_port()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            publishing(*transmit(f"udp://127.0.0.1:{relayed}", url(at, "transmit")))
        )
        await rig.until(lambda: rig.state("transmit").reason == "connecting", "srt-live-transmit is here")
        for command in (
            ffmpeg_ts(FFMPEG_9, clip, relayed),
            ffmpeg(FFMPEG, clip, url(at, "debian")),
            ffmpeg(FFMPEG_9, clip, url(at, "imageio", "&latency=20000")),
            ffmpeg(FFMPEG, h264_b, url(at, "h264-b")),
            ffmpeg(FFMPEG_9, h265, url(at, "h265")),
        ):
            await stack.enter_async_context(publishing(*command))
        for feed_id in ("debian", "imageio", "h264-b", "h265", "transmit"):
            await rig.until_pictures(feed_id, PICTURES)


async def refused(command: list[str]) -> bytes:
    """What a program says that is not let in."""
    process = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.STDOUT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE_S):
        told, _ = await process.communicate()
    assert process.returncode != 0
    return told


@pytest.mark.parametrize("program", [FFMPEG, FFMPEG_9], ids=["debian", "imageio"])
async def test_who_may_not_is_refused_before_any_media(clip: str, program: str) -> None:
    async with server("tag", "nacht", passphrase=PASSPHRASE) as rig:
        at, secret = port(rig, "tag"), f"&passphrase={PASSPHRASE}"
        wrong = (
            url(at, "tag", secret, "x"),
            url(at, "tag", secret, "k-nacht"),
            url(at, "nobody", secret),
            url(at, "tag", "&passphrase=9876543210"),
            url(at, "tag"),
            f"srt://127.0.0.1:{at}?streamid=k-tag{secret}",
            f"srt://127.0.0.1:{at}?{secret}",
        )
        async with asyncio.TaskGroup() as tasks:
            told = [tasks.create_task(refused(ffmpeg(program, clip, each))) for each in wrong]
        assert all(b"rror" in each.result() for each in told)
        assert rig.state("tag").reason in {"key_wrong", "key_foreign", "no_publisher"}  # one is told a second
        assert rig.state("nacht").reason == "no_publisher"
        assert not any("k-tag" in state.detail or "k-nacht" in state.detail for state in rig.states)
        async with publishing(*ffmpeg(program, clip, url(at, "tag", secret))):
            await rig.until_pictures("tag", PICTURES)
        check_whole(rig.units("tag"))


async def test_a_feed_that_nobody_sends_to_says_who_was_refused_and_why(clip: str) -> None:
    async with server("tag", "nacht") as rig:
        await refused(ffmpeg(FFMPEG, clip, url(port(rig, "tag"), "tag", "", "x")))
        await rig.until_status("tag", SourceStatus.LOST, "key_wrong")
        assert rig.state("nacht").reason == "no_publisher"


async def test_three_publishers_at_once_beside_strangers(clip: str) -> None:
    feeds = ("eins", "zwei", "drei")
    async with server(*feeds) as rig, AsyncExitStack() as stack:
        at = port(rig, "eins")
        for feed_id in feeds:
            await stack.enter_async_context(publishing(*ffmpeg(FFMPEG_9, clip, url(at, feed_id))))
        await rig.until_pictures("drei", 5)
        for _ in range(3):  # the feed is busy, and the key of another one does not help
            await refused(ffmpeg(FFMPEG, clip, url(at, "eins")))
            await refused(ffmpeg(FFMPEG, clip, url(at, "eins", key="k-zwei")))
        for feed_id in feeds:
            await rig.until_pictures(feed_id, PICTURES)
            check_whole(rig.units(feed_id))
            assert rig.state(feed_id).restarts == 0


async def test_a_publisher_is_killed_and_started_again(clip: str) -> None:
    async with server("tag", lost_s=2.5) as rig:  # from 2 s on another one may come
        at = port(rig, "tag")
        async with publishing(*ffmpeg(FFMPEG_9, clip, url(at, "tag"))):
            await rig.until_pictures("tag", 20)
        await rig.until_status("tag", SourceStatus.LOST, "no_packets")  # it could not say good-bye
        before = len(rig.units("tag"))
        async with publishing(*ffmpeg(FFMPEG, clip, url(at, "tag"))):
            await rig.until_pictures("tag", before + PICTURES)
        check_invariants(rig.units("tag"))
        check_whole(rig.units("tag")[before:])
        assert rig.state("tag").restarts == 1


async def test_a_newer_publisher_takes_over_where_that_is_configured(clip: str) -> None:
    async with server("tag", takeover=True) as rig:
        at = port(rig, "tag")
        async with publishing(*ffmpeg(FFMPEG, clip, url(at, "tag"))) as process:
            await rig.until_pictures("tag", 5)
            before = len(rig.units("tag"))
            async with publishing(*ffmpeg(FFMPEG_9, clip, url(at, "tag"))), asyncio.timeout(DEADLINE_S):
                assert await process.wait() != 0
                await rig.until_pictures("tag", before + 2 * PICTURES)
        units = rig.units("tag")
        check_invariants(units)
        check_whole([unit for unit in units if unit.epoch == 1])


async def test_an_encoder_that_listens_comes_later_vanishes_and_returns(
    clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(srt_caller, "CONNECT_MOST_MS", 500)
    at = free_port()
    source = f"srt://127.0.0.1:{at}?passphrase={PASSPHRASE}&streamid=anything&latency={LATENCY_MS}"
    async with running(FeedSource("tag", source)) as rig:
        await rig.until_status("tag", SourceStatus.LOST, "unreachable")
        listening = f"srt://127.0.0.1:{at}?mode=listener&passphrase={PASSPHRASE}"
        async with publishing(*ffmpeg(FFMPEG_9, clip, listening)) as process:
            await rig.until_pictures("tag", 20)
            process.terminate()
            await rig.until_status("tag", SourceStatus.LOST, "connection_lost")
        before = len(rig.units("tag"))
        relayed = free_port()
        async with publishing(*transmit(f"udp://127.0.0.1:{relayed}", listening)):
            await rig.until_status("tag", SourceStatus.CONNECTING)
            async with publishing(*ffmpeg_ts(FFMPEG, clip, relayed)):
                await rig.until_pictures("tag", before + PICTURES)
        check_invariants(rig.units("tag"))
        check_whole(rig.units("tag")[before:])
        assert PASSPHRASE not in str(rig.states)
        assert rig.state("tag").address == f"srt://127.0.0.1:{at}"
