"""Streams of other codecs that end, change and begin anew at the worst moment: with the real encoder process.

What several events do to each other that come in one turn of the loop, before any task runs, is decided here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from flow.clock import NS_PER_S
from ingest.foreign import ForeignPictures
from ingest.protocol.events import (
    ForeignPicture,
    Gone,
    Heard,
    Restarted,
    SourceEvent,
    SourcePicture,
    StreamInfo,
    Transcoded,
    Unusable,
)
from ingest.settings import EncodeSettings
from tests.fakes.clock import FakeClock

from .material import coded

DEADLINE_S = 30.0
MPEG2, NONSENSE = StreamInfo("mpeg2video"), StreamInfo("nonsense")
STEP = 100  # so that those of one turn are not late, which would leave some out
OUT = 19  # of 20: libav holds the last picture of MPEG-2 back until there is another
LATER = 1_000_000  # where the times of another stream begin


def pictures(start: int = 0, count: int = 20, info: StreamInfo = MPEG2) -> list[ForeignPicture]:
    made = coded(count, codec="mpeg2video", options=(("b", "500k"),))
    return [
        ForeignPicture(info, one.data, start + number * STEP, start + number * STEP, number)
        for number, one in enumerate(made)
    ]


class Stand:
    """One feed's foreign pictures, and everything that is told of them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.told: list[SourceEvent] = []
        self.foreign = ForeignPictures("f", EncodeSettings(preset="ultrafast"), self.clock, self.told.append)

    def see(self, *events: SourceEvent) -> None:
        for event in events:
            self.foreign.see(event)

    def made(self, since: int = 0) -> list[SourcePicture]:
        return [event for event in self.told[since:] if isinstance(event, SourcePicture)]

    def failures(self) -> list[Unusable]:
        return [event for event in self.told if isinstance(event, Unusable)]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while not condition():
            assert loop.time() < deadline, f"not within {DEADLINE_S} s: {what}"
            await asyncio.sleep(0.01)


@asynccontextmanager
async def stand() -> AsyncIterator[Stand]:
    here = Stand()
    running = asyncio.ensure_future(here.foreign.run())
    await asyncio.sleep(0)
    try:
        yield here
        assert not running.done(), running
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert encoders() == []


def encoders() -> list[str]:
    """The command lines of our encoders."""
    ids = [
        pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    ]
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in ids]
    return [line for line in lines if "ingest.encoder" in line]


async def test_a_picture_and_its_end_at_once_before_anything_runs() -> None:
    """It ended the task for all feeds."""
    async with stand() as here:
        here.see(pictures()[0], Gone("gone", "the publisher has left"))
        for _ in range(5):
            await asyncio.sleep(0)
        here.see(*pictures(LATER))
        await here.until(lambda: len(here.made()) == OUT, "all pictures of the next stream")
        assert here.failures() == []


async def test_a_picture_and_its_end_at_once_while_the_encoder_runs() -> None:
    async with stand() as here:
        here.see(*pictures())
        await here.until(lambda: len(here.made()) == OUT, "the first stream")
        here.see(pictures(20 * STEP, 1)[0], Gone("gone", "the publisher has left"))
        here.see(*pictures(LATER))
        await here.until(lambda: len(here.made()) == 2 * OUT, "the next stream")
        assert here.failures() == []


async def test_nothing_of_a_stream_is_told_for_the_next_and_none_of_the_next_is_lost() -> None:
    """The end comes while pictures are on their way in and out, with the next stream right behind it."""
    async with stand() as here:
        here.see(*pictures(count=40))
        await here.until(lambda: len(here.made()) >= 3, "the first pictures")
        here.see(*pictures(40 * STEP, 30), Restarted(), *pictures(LATER))
        since = len(here.told)
        await here.until(lambda: len(here.made(since)) >= OUT, "the next stream")
        made = here.made(since)
        assert [picture.pts for picture in made] == [LATER + number * STEP for number in range(OUT)]
        assert [picture.arrival_ns for picture in made] == list(range(OUT))
        assert made[0].data[4] & 0x1F == 7  # a keyframe, behind its parameter sets
        assert here.failures() == []


async def test_another_codec_is_another_stream_though_nobody_says_so() -> None:
    async with stand() as here:
        here.see(*pictures(count=40))
        await here.until(lambda: len(here.made()) >= 3, "the first pictures")
        mjpeg = [
            ForeignPicture(StreamInfo("mjpeg"), one.data, LATER + n * STEP, LATER + n * STEP, n)
            for n, one in enumerate(coded(10, codec="mjpeg", options=(("strict", "unofficial"),)))
        ]
        here.see(*mjpeg)
        since = len(here.told)
        await here.until(lambda: len(here.made(since)) >= 10, "the next stream")
        assert [picture.pts - LATER for picture in here.made(since)] == [n * STEP for n in range(10)]
        assert [e.note for e in here.told if isinstance(e, Transcoded)] == ["codec_mpeg2", "codec_mjpeg"]


async def test_a_failure_is_of_one_stream_and_the_pause_after_it_costs_the_next_no_picture() -> None:
    async with stand() as here:
        here.see(*pictures(info=NONSENSE))
        await here.until(here.failures, "the failure")
        assert here.failures()[0].reason == "undecodable"
        assert here.clock.next_wake_ns is not None
        here.see(pictures(info=NONSENSE)[0])
        (*_, last) = here.told
        assert last == here.failures()[0]  # as long as it lasts
        here.see(Restarted(), *pictures(LATER))
        assert here.told.pop() == Heard()
        await asyncio.sleep(0.05)
        here.clock.advance(2 * NS_PER_S)
        await here.until(lambda: len(here.made()) == OUT, "the next stream")
        assert here.made()[0].pts == LATER


async def test_after_a_failure_no_encoder_is_started_without_a_picture() -> None:
    async with stand() as here:
        here.see(*pictures(info=NONSENSE))
        await here.until(lambda: here.clock.next_wake_ns is not None, "the failure")
        here.clock.advance(2 * NS_PER_S)
        for _ in range(20):
            await asyncio.sleep(0)
        assert here.clock.next_wake_ns is None
        assert encoders() == []


async def test_what_a_container_says_of_a_stream_is_not_on_the_command_line() -> None:
    """It may be longer than a command line may be (128 KiB)."""
    large = StreamInfo("mpeg2video", bytes(range(1, 256)) * 1000)
    async with stand() as here:
        here.see(*pictures(info=large))
        await here.until(lambda: here.made() or here.failures(), "pictures")
        assert here.failures() == []
        (line,) = encoders()
        assert len(line) < 300
        assert line.rstrip().endswith(f"{os.getpid()} web libx264 ultrafast --foreign")
