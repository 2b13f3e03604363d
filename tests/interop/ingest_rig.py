"""The real ingest on the real clock and real ports, and real programs that publish to it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import imageio_ffmpeg

from flow.clock import SystemClock
from flow.doors import KeyDoor
from flow.flights import SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.samples import Metadata
from flow.units import AccessUnit
from ingest.settings import EncodeSettings, FeedSource, IngestSettings, PublishSettings
from ingest.supervisor import Ingest
from tests.unit.ingest.material import decoded

DEADLINE_S = 20.0
FFMPEG = "ffmpeg"
FFMPEG_9 = imageio_ffmpeg.get_ffmpeg_exe()


class Rig:
    """Running feeds, with every access unit, metadata and state they ever published."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._units_reader = bus.lossless(AccessUnit)
        self._states_reader = bus.lossless(SourceState)
        self._metadata_reader = bus.lossless(Metadata)
        self._units: list[AccessUnit] = []
        self._metadata: list[Metadata] = []
        self.states: list[SourceState] = []

    def units(self, feed_id: str) -> list[AccessUnit]:
        self._units += self._units_reader.drain()
        return [unit for unit in self._units if unit.feed_id == feed_id]

    def metadata(self, feed_id: str) -> list[Metadata]:
        self._metadata += self._metadata_reader.drain()
        return [unit for unit in self._metadata if unit.feed_id == feed_id]

    def state(self, feed_id: str) -> SourceState:
        self.states += self._states_reader.drain()
        state = self._bus.peek(SourceState, feed_id)
        assert state is not None
        return state

    def port(self, feed_id: str) -> int:
        return int(self.state(feed_id).address.rpartition(":")[2])

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until the condition holds; fails after the deadline."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while not condition():
            assert loop.time() < deadline, f"not within {DEADLINE_S} s: {what}"
            await asyncio.sleep(0.02)

    async def until_status(self, feed_id: str, status: SourceStatus, reason: str | None = None) -> None:
        await self.until(
            lambda: (
                self.state(feed_id).status is status
                and (reason is None or self.state(feed_id).reason == reason)
            ),
            f"{feed_id} {status} {reason or ''}",
        )

    async def until_pictures(self, feed_id: str, count: int) -> None:
        await self.until(lambda: len(self.units(feed_id)) >= count, f"{count} pictures of {feed_id}")


@asynccontextmanager
async def running(
    *sources: FeedSource,
    stalled_s: float = 0.5,
    lost_s: float = 1.5,
    publish: PublishSettings | None = None,
    keys: KeyDoor | None = None,
    encode: EncodeSettings | None = None,
) -> AsyncIterator[Rig]:
    """Ingest of these sources, all of them opened."""
    bus = MemoryBus()
    rig = Rig(bus)
    settings = IngestSettings(
        sources,
        stalled_after_s=stalled_s,
        lost_after_s=lost_s,
        retry_first_s=0.1,
        retry_most_s=0.3,
        publish=publish or PublishSettings(),
        encode=encode or EncodeSettings(),
    )
    task = asyncio.ensure_future(Ingest(bus, SystemClock(), settings, keys=keys).run())
    try:
        await rig.until(lambda: bus.peek(SourceState, sources[-1].feed_id) is not None, "the first states")
        yield rig
    finally:
        task.cancel()
        await asyncio.wait([task])
        await bus.aclose()
    assert task.cancelled(), "ingest must run until it is cancelled"


@asynccontextmanager
async def publishing(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """An external program that publishes; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def published(*commands: list[str], within_s: float = DEADLINE_S) -> None:
    """Run these programs beside each other until each has ended well."""
    async with asyncio.TaskGroup() as tasks:
        for command in commands:
            tasks.create_task(_published(command, within_s))


async def _published(command: list[str], within_s: float) -> None:
    async with publishing(*command) as process, asyncio.timeout(within_s):
        assert await process.wait() == 0, command


def ffmpeg_rtp(program: str, clip: str, port: int, *options: str) -> list[str]:
    """RTP with RTCP on the same port, and parameter sets in the stream: there is no SDP to carry them."""
    url = f"rtp://127.0.0.1:{port}?rtcpport={port}&pkt_size=1200"
    return [*_ffmpeg(program, clip), "-bsf:v", "h264_mp4toannexb,dump_extra", *options, "-f", "rtp", url]


def ffmpeg_ts(program: str, clip: str, port: int, *options: str) -> list[str]:
    return [*_ffmpeg(program, clip), *options, "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"]


def _ffmpeg(program: str, clip: str) -> list[str]:
    return [program, "-nostdin", "-loglevel", "error", "-re", "-i", clip, "-map", "0:v", "-c", "copy"]


def gstreamer(clip: str, port: int, *muxer: str) -> list[str]:
    """GStreamer with this payloader or multiplexer, paced by the clip's timestamps."""
    pipeline = f"filesrc location={clip} ! qtdemux ! h264parse config-interval=-1 !".split()
    return ["gst-launch-1.0", "-q", *pipeline, *muxer, "!", *f"udpsink host=127.0.0.1 port={port}".split()]


def check_invariants(units: list[AccessUnit]) -> None:
    """What flow/units.py promises of the pictures of one feed."""
    for before, after in pairwise(units):
        assert after.dts_90k > before.dts_90k
        assert (after.epoch, after.seq) in {(before.epoch, before.seq + 1), (before.epoch + 1, 0)}
    for unit in units:
        assert unit.pts_90k >= unit.dts_90k
        assert unit.data.startswith(b"\x00\x00\x00\x01")
        assert unit.keyframe or unit.seq > 0


def decoded_count(units: list[AccessUnit]) -> int:
    """How many pictures libav decodes out of them."""
    return decoded(b"".join(unit.data for unit in units), "h264" if units[0].codec == "h264" else "hevc")
