"""Everything that publishers and cameras can do wrong, all at once, beside one that does it right: that one
loses nothing, and of each other it is said what is wrong."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from flow.flights import SourceStatus
from ingest.protocol.rtsp_messages import Interleaved
from ingest.settings import FeedSource, PublishSettings
from tests.prove.resources import held, stalls
from tests.unit.ingest.rtmp_publisher import C2, HELLO, RtmpPublisher
from tests.unit.ingest.test_ingest_rtsp_source import Caller
from web.publish_keys import PublishKeys

from .ingest_rig import DEADLINE_S, FFMPEG, FFMPEG_9, Rig, published, publishing, running
from .test_ingest_publishers import PICTURES, make_clip
from .test_ingest_rtmp import check_whole, ffmpeg, port, url
from .test_ingest_rtsp import free_port

ROOT = Path(__file__).resolve().parents[2]
GROWTH_KB = 250_000  # what the flood's pictures come to, which the test keeps; a bus without readers does not


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    if shutil.which(FFMPEG) is None:
        pytest.fail(f"{FFMPEG} is not installed: run scripts/apt-test")
    return make_clip(tmp_path_factory.mktemp("clips") / "live.mp4", "-tune", "zerolatency", "-g", "30")


class Site:
    """Feeds with real keys, and their port."""

    def __init__(self, rig: Rig, keys: dict[str, str], at: int) -> None:
        self.rig, self.keys, self.at = rig, keys, at

    def url(self, feed_id: str, key_of: str = "") -> str:
        return url(self.at, feed_id, self.keys[key_of or feed_id])

    def reason(self, feed_id: str) -> str:
        return self.rig.state(feed_id).reason


@asynccontextmanager
async def site(tmp_path: Path, *pushed: str, cameras: dict[str, str] | None = None) -> AsyncIterator[Site]:
    """`pushed` feeds by RTMP, of which "wechsel" may be taken over, and cameras by their addresses."""
    made = PublishKeys(tmp_path)
    keys = {feed_id: made.make(feed_id) for feed_id in pushed}
    sources = [FeedSource(feed_id, at) for feed_id, at in (cameras or {}).items()]
    sources += [FeedSource(feed_id, "rtmp", takeover=feed_id == "wechsel") for feed_id in pushed]
    publish = PublishSettings(("127.0.0.1",), rtmp_port=0)
    async with running(*sources, publish=publish, keys=made) as rig:
        await rig.until(lambda: "rtmp://127.0.0.1:" in rig.state(pushed[-1]).detail, "the server listens")
        yield Site(rig, keys, port(rig, pushed[-1]))


async def told(command: list[str]) -> str:
    """What a publisher that is refused says at its end."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(DEADLINE_S):
        _, said = await process.communicate()
    assert process.returncode != 0
    return said.decode()


async def send(at: int, *pieces: bytes, every_s: float = 0.0) -> None:
    """Say this to the server, and hear it out until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", at)
    try:
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(every_s)
            async with asyncio.timeout(DEADLINE_S):
                while await reader.read(65_536):
                    pass
    finally:
        writer.transport.abort()


def flood(here: Site, feed_id: str, mbit_s: int, seconds: float, *how: str) -> list[str]:
    name = f"{feed_id}?key={here.keys[feed_id]}"
    module = [sys.executable, "-m", "tests.fakes.rtmp_flood"]
    return ["env", "-C", str(ROOT), *module, str(here.at), name, str(mbit_s), str(seconds), *how]


@asynccontextmanager
async def camera(behave: Callable[[Caller], Awaitable[None]]) -> AsyncIterator[str]:
    """A bad camera, by its address; whoever it is busy with is left at the end."""
    meetings: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        meetings.add(task)
        try:
            await behave(Caller(reader, writer))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a task of the server's, which nobody else awaits
        finally:
            meetings.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/main"
    finally:
        server.close()
        ending = list(meetings)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def garbage(caller: Caller) -> None:
    """A camera that speaks RTSP up to PLAY, and then anything."""
    await caller.play("RTP/AVP/TCP;interleaved=0-1")
    chance = random.Random(5)
    while True:
        caller.writer.write(chance.randbytes(1000))
        await caller.writer.drain()


async def noise_in_frames(caller: Caller) -> None:
    """One whose frames are well formed, and what is in them is not."""
    await caller.play("RTP/AVP/TCP;interleaved=0-1")
    chance = random.Random(6)
    while True:
        caller.writer.write(
            Interleaved(chance.randrange(2), chance.randbytes(chance.randrange(200))).serialize()
        )
        await caller.writer.drain()
        await asyncio.sleep(0.002)


async def dribble(caller: Caller) -> None:
    """One that answers a byte at a time."""
    await caller.request()
    for byte in b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 9\r\n\r\n123456789" * 100:
        caller.writer.write(bytes((byte,)))
        await asyncio.sleep(0.25)


BAD_CAMERAS: dict[str, tuple[Callable[[Caller], Awaitable[None]], set[str]]] = {
    "unsinn": (garbage, {"not_rtsp"}),
    "rauschen": (noise_in_frames, {"not_video"}),
    "tropf": (dribble, {"connecting"}),
}


def looped(clip: str, to: str) -> list[str]:
    """Publishes for as long as it is let, however long the others take."""
    command = ffmpeg(FFMPEG, clip, to)
    at = command.index("-i")
    return [*command[:at], "-stream_loop", "-1", *command[at:]]


async def test_everything_wrong_beside_one_that_is_well(
    clip: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lagebild.ingest")
    async with AsyncExitStack() as stack:
        cameras = {
            name: await stack.enter_async_context(camera(behave)) for name, (behave, _) in BAD_CAMERAS.items()
        }
        cameras["niemand"] = f"rtsp://admin:geheim@127.0.0.1:{free_port()}/main"
        pushed = ("besetzt", "wechsel", "muell", "gesund")
        here = await stack.enter_async_context(site(tmp_path, *pushed, cameras=cameras))
        rig, at = here.rig, here.at
        opening = RtmpPublisher().opening(f"muell?key={here.keys['muell']}")
        halves = [socket.create_connection(("127.0.0.1", at)) for _ in range(8)]
        async with asyncio.TaskGroup() as tasks:
            well = tasks.create_task(published(ffmpeg(FFMPEG, clip, here.url("gesund"))))
            await rig.until_pictures("gesund", 2)
            drip = tasks.create_task(send(at, HELLO, *(bytes(1) for _ in range(1000)), every_s=0.1))
            tasks.create_task(send(at, opening, random.Random(7).randbytes(100_000)))
            for nonsense in (b"\xff" * 50_000, b"GET / HTTP/1.1\r\n\r\n", HELLO + C2 + b"\xff" * 50_000):
                tasks.create_task(send(at, nonsense))
            first = await stack.enter_async_context(publishing(*looped(clip, here.url("wechsel"))))
            await stack.enter_async_context(publishing(*looped(clip, here.url("besetzt"))))
            await rig.until_pictures("besetzt", 5)
            await rig.until_pictures("wechsel", 5)
            said = await asyncio.gather(
                told(ffmpeg(FFMPEG, clip, here.url("besetzt", "gesund"))),
                told(ffmpeg(FFMPEG, clip, url(at, "besetzt", "falsch"))),
                told(ffmpeg(FFMPEG, clip, here.url("besetzt"))),
            )
            newer = tasks.create_task(published(ffmpeg(FFMPEG_9, clip, here.url("wechsel"))))
            await asyncio.wait([well, newer])
            drip.cancel()
        for half in halves:
            half.close()
        for refusal, words in zip(
            said, ("another feed's", "is wrong", "has a publisher already"), strict=True
        ):
            assert words in refusal
        assert (
            await asyncio.wait_for(first.wait(), DEADLINE_S) != 0
        )  # the newer one was let in, this one sent off
        assert rig.state("wechsel").restarts == 1
        check_whole(rig.units("gesund"))
        assert rig.state("gesund").restarts == 0
        assert "publisher_garbled" in {state.reason for state in rig.states if state.feed_id == "muell"}
        for name, (_, reasons) in BAD_CAMERAS.items():
            assert reasons <= {state.reason for state in rig.states if state.feed_id == name}, rig.state(name)
            assert rig.units(name) == []
        assert here.reason("niemand") == "unreachable"
        lines = [record.getMessage() for record in caplog.records] + [repr(state) for state in rig.states]
    for secret in (*here.keys.values(), "geheim", "falsch"):
        assert not [line for line in lines if secret in line]
    assert not [record for record in caplog.records if record.exc_info], "a defect of ours was met"


@asynccontextmanager
async def flooding_camera(mbit_s: int, seconds: float) -> AsyncIterator[str]:
    """An RTSP camera without measure, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fakes.rtsp_flood", str(mbit_s), str(seconds)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        at = int(await asyncio.wait_for(process.stdout.readline(), DEADLINE_S))
        yield f"rtsp://127.0.0.1:{at}/main"
    finally:
        process.kill()
        await process.wait()


async def test_floods_of_one_publisher_harm_no_other(
    clip: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """200 Mbit/s of pictures by RTMP, as many by RTSP, and as many tiny ones as go.

    How long the loop was held up is recorded, not judged: what a parser takes at most for one input is the
    matter of `make prove-ingest`.
    """
    async with (
        flooding_camera(200, 2) as camera_url,
        site(tmp_path, "flut", "staub", "gesund", cameras={"kamera": camera_url}) as here,
    ):
        rig, before = here.rig, held()
        async with (
            stalls() as stall,
            publishing(*flood(here, "staub", 50, 2, "tiny")) as tiny,
            publishing(*flood(here, "flut", 200, 2)) as large,
            asyncio.TaskGroup() as tasks,
        ):
            await rig.until_pictures("flut", 3)
            well = tasks.create_task(published(ffmpeg(FFMPEG, clip, here.url("gesund"))))

            def all_ended() -> bool:
                rig.units("gesund")  # or what comes meanwhile would exceed what a reader may leave unread
                return well.done() and None not in (tiny.returncode, large.returncode)

            await rig.until(all_ended, "the end of all publishers")
        assert (tiny.returncode, large.returncode) == (1, 0)
        await rig.until_pictures("gesund", PICTURES)
        check_whole(rig.units("gesund"))
        record_property("worst_stall_ms", round(stall.worst_ms))
        for flooded in ("flut", "kamera"):
            assert sum(len(unit.data) for unit in rig.units(flooded)) > 10_000_000
        assert held().resident_kb - before.resident_kb < GROWTH_KB
        await rig.until_status("flut", SourceStatus.LOST, "publisher_left")
        assert "publisher_garbled" in {state.reason for state in rig.states if state.feed_id == "staub"}
