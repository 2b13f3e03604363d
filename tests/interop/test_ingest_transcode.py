"""Encoder processes: started by a lease, ended after it, started again when they die, never late."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from flow.clock import NS_PER_S, SystemClock
from flow.flights import (
    KeyframeWanted,
    RenditionState,
    RenditionStatus,
    RenditionWanted,
    SourceState,
    SourceStatus,
)
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, CodecConfig, Rendition
from ingest import remote_encoder
from ingest.settings import EncodeSettings
from ingest.transcode import Transcoding
from tests.fakes.encoded import as_units, h264_pictures
from tests.unit.ingest.renditions import check_rendition, decoded_frames

DEADLINE_S = 40.0
FEED = "fritz"
GROUP = 15
SIZE = (160, 120)


class Studio:
    """Transcoding on a bus on which a camera films all the time, and everything that came of it."""

    def __init__(self, bus: MemoryBus, clock: SystemClock) -> None:
        self.bus, self.clock = bus, clock
        self.source: list[AccessUnit] = []
        self.states: list[RenditionState] = []
        self._made: list[AccessUnit] = []
        self._units = bus.lossless(AccessUnit)
        self._told = bus.lossless(RenditionState)
        self._camera_pid = 0

    async def film(self, group: int, repeat: int) -> None:
        """30 pictures a second, an IDR every `group` of them."""
        pictures = h264_pictures(group * repeat, *SIZE, group)
        start_ns, laps = self.clock.now_ns(), 0
        while True:
            for unit in as_units(pictures, FEED, start_ns):
                number = laps * len(pictures) + unit.seq
                ticks = laps * len(pictures) * 3000
                now_ns = unit.utc_ns + ticks * 100_000 // 9
                await self.clock.sleep_until(now_ns)
                moved = replace(
                    unit,
                    seq=number,
                    dts_90k=unit.dts_90k + ticks,
                    pts_90k=unit.pts_90k + ticks,
                    utc_ns=now_ns,
                )
                self.source.append(moved)
                self.bus.publish(moved)
            laps += 1

    def notes(self, *notes: str) -> None:
        config = CodecConfig(
            self.source[0].codec if self.source else _H264, *SIZE, 66, 0, 30, "4:2:0", 8, False, False
        )
        self.bus.publish(
            SourceState(FEED, SourceStatus.LIVE, self.clock.now_ns(), config=config, notes=notes)
        )

    def want(self, rendition: Rendition, for_s: float) -> None:
        self.bus.publish(RenditionWanted(FEED, rendition, self.clock.now_ns() + round(for_s * NS_PER_S)))

    def made(self, rendition: Rendition) -> list[AccessUnit]:
        self._made += [unit for unit in self._units.drain() if unit.rendition is not Rendition.SOURCE]
        return [unit for unit in self._made if unit.rendition is rendition]

    def state(self, rendition: Rendition) -> RenditionState | None:
        self.states += self._told.drain()
        return self.bus.peek(RenditionState, f"{FEED}/{rendition}")

    async def until(self, condition: Callable[[], object], what: str) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await asyncio.sleep(0.02)
        assert condition(), what

    async def until_made(self, rendition: Rendition, count: int, *, renew: bool = False) -> list[AccessUnit]:
        def are_there() -> bool:
            if renew:
                self.want(rendition, for_s=1.0)
            return len(self.made(rendition)) >= count

        await self.until(are_there, f"{count} of {rendition}")
        return self.made(rendition)

    async def until_status(
        self, rendition: Rendition, status: RenditionStatus, reason: str = ""
    ) -> RenditionState:
        def is_so() -> bool:
            state = self.state(rendition)
            return state is not None and (state.status, state.reason) == (status, reason)

        await self.until(is_so, f"{rendition} {status} {reason}")
        state = self.state(rendition)
        assert state is not None
        return state


_H264 = as_units(h264_pictures(1), FEED)[0].codec


@asynccontextmanager
async def studio(
    settings: EncodeSettings | None = None, group: int = GROUP, repeat: int = 4
) -> AsyncIterator[Studio]:
    bus, clock = MemoryBus(), SystemClock()
    here = Studio(bus, clock)
    transcoding = Transcoding(bus, clock, settings or EncodeSettings(preset="ultrafast"), [FEED])
    tasks = [asyncio.ensure_future(here.film(group, repeat)), asyncio.ensure_future(transcoding.run())]
    try:
        await here.until(lambda: here.source, "the first picture")
        yield here
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await bus.aclose()
    assert all(task.cancelled() for task in tasks)
    assert encoders() == []


def encoders() -> list[int]:
    """Process ids of our encoders."""
    me, found = os.getpid(), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            parent = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == me and b"ingest.encoder" in command:
            found.append(int(entry.name))
    return found


async def test_a_lease_starts_an_encoder_and_its_end_ends_it() -> None:
    async with studio() as here:
        here.notes("clock_untrusted")
        await asyncio.sleep(0)
        assert encoders() == []
        made = await here.until_made(Rendition.LOW, 40, renew=True)
        state = await here.until_status(Rendition.LOW, RenditionStatus.LIVE)
        assert len(encoders()) == 1
        assert (state.width_px, state.height_px, state.encoder) == (*SIZE, "libx264")
        await here.until(lambda: (here.state(Rendition.LOW) or state).cpu_share, "the processor's share")
        await here.until(lambda: encoders() == [], "the encoder's end")
        ended = await here.until_status(Rendition.LOW, RenditionStatus.OFF)
        assert ended.fps is None
    check_rendition(made, here.source)
    assert [unit.seq for unit in made] == list(range(len(made)))
    missing = (made[-1].pts_90k - made[0].pts_90k) // 3000 + 1 - len(made)
    assert missing == 0 or ended.dropped > 0  # on a busy machine some are left out, and counted
    assert len(decoded_frames(made)) == len(made)
    live = [one for one in here.states if one.status is RenditionStatus.LIVE and one.delay_ms is not None]
    assert live
    assert all(one.fps for one in live[1:])


async def test_web_is_made_only_of_what_is_unfit() -> None:
    async with studio() as here:
        here.want(Rendition.WEB, for_s=60)
        await here.until_status(Rendition.WEB, RenditionStatus.OFF, "no_source")
        here.notes("clock_untrusted")
        await here.until_status(Rendition.WEB, RenditionStatus.OFF, "not_needed")
        assert encoders() == []
        here.notes("clock_untrusted", "b_frames")
        made = await here.until_made(Rendition.WEB, 5)
        state = await here.until_status(Rendition.WEB, RenditionStatus.LIVE)
        assert state.why == ("b_frames",)
    check_rendition(made, here.source)


async def test_an_encoder_that_is_killed_is_replaced() -> None:
    async with studio() as here:
        here.notes()
        here.want(Rendition.LOW, for_s=60)
        before = len(await here.until_made(Rendition.LOW, 10))
        (killed,) = encoders()
        os.kill(killed, signal.SIGKILL)
        await here.until_status(Rendition.LOW, RenditionStatus.FAILED, "encoder_failed")
        await here.until_status(Rendition.LOW, RenditionStatus.LIVE)
        made = await here.until_made(Rendition.LOW, before + 30)
        state = here.state(Rendition.LOW)
        assert state is not None
        assert state.restarts == 1
        assert killed not in encoders()
    check_rendition(made, here.source)
    assert [unit.seq for unit in made] == list(range(len(made)))


async def test_an_encoder_that_falls_silent_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async with studio() as here:
        here.notes()
        here.want(Rendition.LOW, for_s=60)
        await here.until_made(Rendition.LOW, 10)
        with monkeypatch.context() as patience:
            patience.setattr(remote_encoder, "_SILENT_MOST_S", 2.0)
            await here.until_made(
                Rendition.LOW, len(here.made(Rendition.LOW)) + 2
            )  # it waits so long from now on
            (stopped,) = encoders()
            os.kill(stopped, signal.SIGSTOP)
            await here.until_status(Rendition.LOW, RenditionStatus.FAILED, "encoder_failed")
        await here.until_status(Rendition.LOW, RenditionStatus.LIVE)
        assert stopped not in encoders()


async def test_a_keyframe_on_demand() -> None:
    async with studio() as here:
        here.notes()
        here.want(Rendition.LOW, for_s=60)
        await here.until_made(Rendition.LOW, 20)
        asked = len(here.made(Rendition.LOW))
        here.bus.publish(KeyframeWanted(FEED, here.clock.now_ns(), Rendition.LOW))
        await here.until(lambda: any(unit.keyframe for unit in here.made(Rendition.LOW)[asked:]), "an IDR")
        answered = next(n for n, unit in enumerate(here.made(Rendition.LOW)) if n >= asked and unit.keyframe)
        assert answered - asked <= 25


async def test_the_only_keyframe_is_not_lost() -> None:
    """Of a feed with one keyframe, the encoder of `web` decodes before anybody asks; `low` is made of it."""
    async with studio(group=400, repeat=1) as here:
        here.notes("keyframe_interval_long")
        await here.until(lambda: len(encoders()) == 1, "the encoder that waits")
        assert here.state(Rendition.WEB) is None  # nobody has asked
        here.bus._groups[f"{FEED}/source"].clear()  # what the bus does once the group is too long
        assert not here.bus.has_cached_group(FEED)
        here.want(Rendition.LOW, for_s=60)
        made = await here.until_made(Rendition.LOW, 30)
        assert len(encoders()) == 2
        web = await here.until_status(Rendition.WEB, RenditionStatus.LIVE)
        assert web.why == ("keyframe_interval_long",)
    check_rendition(made, here.source)
    check_rendition(here.made(Rendition.WEB), here.source)


async def test_an_unknown_encoder_is_a_clear_state() -> None:
    async with studio(EncodeSettings(encoder="h264_unheard_of")) as here:
        here.notes()
        here.want(Rendition.LOW, for_s=60)
        state = await here.until_status(Rendition.LOW, RenditionStatus.FAILED, "encoder_unknown")
        assert state.detail == "there is no encoder 'h264_unheard_of' here"


async def test_a_lease_for_a_feed_that_is_not_ours_is_nothing() -> None:
    async with studio() as here:
        here.bus.publish(RenditionWanted("ottmar", Rendition.LOW, here.clock.now_ns() + 10 * NS_PER_S))
        here.bus.publish(RenditionWanted(FEED, Rendition.SOURCE, here.clock.now_ns() + 10 * NS_PER_S))
        here.bus.publish(KeyframeWanted("ottmar", here.clock.now_ns(), Rendition.LOW))
        await asyncio.sleep(0.3)
        assert encoders() == []


def test_an_encoder_ends_with_its_parent() -> None:
    """Also where the parent is killed, and the pipe held open by somebody else."""
    script = (
        "import asyncio, os, sys\n"
        "from ingest.child import child_process\n"
        "async def main():\n"
        "    async with child_process('ingest.encoder', 'low', 'libx264', 'ultrafast') as child:\n"
        "        await child.reader.read(1)\n"
        "        print(child.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.kill()
    deadline_s = time.monotonic() + DEADLINE_S
    while _runs(pid):
        assert time.monotonic() < deadline_s, "the encoder is still there"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
