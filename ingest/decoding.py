"""Decoding one feed beside the live path: what its decoder process is given, and when there is one."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from flow.bus import Bus, Reader
from flow.clock import NS_PER_S, Clock
from flow.errors import MalformedError, UnavailableError
from flow.flights import SourceState
from flow.units import AccessUnit
from flow.wire import Deframer

from .child import child_process
from .health import HealthWatch
from .protocol.decoder_pipe import Looked, NoStill, Picture, StillMade, StillWanted, decode, encode
from .protocol.doubt import Doubt
from .protocol.sampling import Sampling, affordable, followable

log = logging.getLogger("lagebild.ingest")

WARM_NS = 30 * NS_PER_S
"""So long after a still everything is decoded that can be, for the next one to be there at once."""

IDLE_NS = 60 * NS_PER_S
"""A feed without pictures keeps its decoder for so long."""

SETTLED_NS = 3 * NS_PER_S
"""A feed is looked at once it has had pictures for so long: a start is dear, and many feeds only try."""

ANSWER_WITHIN_S = 10.0
"""A busy machine takes a second or two to start the process."""

_BACKLOG_BYTES = 4 * 1024 * 1024
_RETRY_FIRST_NS, _RETRY_MOST_NS = NS_PER_S, 60 * NS_PER_S
_READ_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Decoded:
    """A still as the decoder made it. `warm`: all was being decoded; else it is the newest keyframe."""

    picture: StillMade
    warm: bool


class FeedDecoder:
    """Follows one feed: for stills, and for its `watch` if it has one."""

    def __init__(self, feed_id: str, bus: Bus, clock: Clock, watch: HealthWatch | None = None) -> None:
        self.feed_id, self._bus, self._clock = feed_id, bus, clock
        self._watch = watch
        self._sampling = Sampling()
        self._doubt = Doubt()
        self._reader: Reader[AccessUnit] | None = None
        self._turning = False  # the reader was closed for another to begin with the cached group
        self._decodes_all = False
        self._keyframe: AccessUnit | None = None
        self._shown: AccessUnit | None = None  # the keyframe that was decoded alone last
        self._first_ns: int | None = None
        self._picture_ns = 0
        self._warm_until_ns = 0
        self._needed = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._whole = False  # what the decoder was given of the run has no gap
        self._asked: asyncio.Future[StillMade | NoStill] | None = None
        self._asked_warm = False
        self._given = False  # the decoder knows that somebody asks
        self._ended = False  # the decoder was ended from here

    async def run(self) -> None:
        """Until cancelled, or until the bus is closed."""
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._keep_decoder())
            await self._follow()
            keeping.cancel()

    async def still(self) -> Decoded:
        """The newest picture; who asks while it is made shares it. Raises UnavailableError."""
        if self._keyframe is None:
            raise UnavailableError(f"feed '{self.feed_id}' has had no picture yet", code="no_picture")
        self._warm_until_ns = self._clock.now_ns() + WARM_NS
        if self._asked is None:
            self._ask()
        asked, warm = self._asked, self._asked_warm
        assert asked is not None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                made = await asyncio.shield(asked)
        except TimeoutError:
            self._end_decoder()  # it is stuck, or the machine is; another try begins with a new one
            made = NoStill(f"no answer within {ANSWER_WITHIN_S:g} s")
        if isinstance(made, NoStill):
            raise UnavailableError(f"feed '{self.feed_id}': {made.reason}", code="decoder_failed")
        return Decoded(made, warm)

    def tick(self) -> None:
        """Time has passed; call this about once a second."""
        now_ns = self._clock.now_ns()
        if self._wants_all(now_ns) != self._decodes_all:
            self._turn()
        settled = self._first_ns is not None and now_ns - self._first_ns >= SETTLED_NS
        idle = now_ns - self._picture_ns >= IDLE_NS
        is_asked = self._asked is not None or self._is_warm(now_ns)
        if is_asked or (self._watch and settled and not idle):
            self._needed.set()
        elif self._needed.is_set():
            self._first_ns = None
            self._needed.clear()
            self._end_decoder()

    # --- the feed's pictures ---

    async def _follow(self) -> None:
        while True:
            self._turning, self._whole = False, False
            self._decodes_all = self._wants_all(self._clock.now_ns())
            with self._bus.from_keyframe(self.feed_id) as self._reader:
                async for unit in self._reader:
                    self._take(unit)
            if not self._turning:
                return

    def _turn(self) -> None:
        """Read on from the cached group: what is to be decoded has changed."""
        if self._reader is not None:
            self._turning = True
            self._reader.close()

    def _wants_all(self, now_ns: int) -> bool:
        state = self._bus.peek(SourceState, self.feed_id)
        if self._is_warm(now_ns):
            return followable(state)
        if self._watch is None:
            return False
        if self._doubt.asks(now_ns):
            return followable(state)
        return self._sampling.long_groups and affordable(state)

    def _is_warm(self, now_ns: int) -> bool:
        return now_ns < self._warm_until_ns

    def _take(self, unit: AccessUnit) -> None:
        self._picture_ns = self._clock.now_ns()
        self._first_ns = self._picture_ns if self._first_ns is None else self._first_ns
        is_known = self._keyframe is not None and unit.dts_90k <= self._keyframe.dts_90k
        if not is_known:
            self._sampling.picture(unit)
            self._doubt.picture(unit)
        if unit.keyframe:
            self._keyframe = unit
        if self._writer is None:
            return
        if self._decodes_all:
            self._give_run(self._writer, unit)
        elif unit.keyframe and not is_known and self._is_looked_at() and self._sampling.wants(unit):
            self._give_alone(self._writer, unit)

    def _is_looked_at(self) -> bool:
        return self._watch is not None or self._is_warm(self._picture_ns)

    def _give_run(self, writer: asyncio.StreamWriter, unit: AccessUnit) -> None:
        """Pictures without a gap; where the decoder is too slow for them, it gets the next whole group."""
        has_room = writer.transport.get_write_buffer_size() + len(unit.data) <= _BACKLOG_BYTES
        self._whole = has_room and (self._whole or unit.keyframe)
        if self._whole:
            writer.write(encode(Picture(unit)))

    def _give_alone(self, writer: asyncio.StreamWriter, unit: AccessUnit) -> None:
        if unit is not self._shown and writer.transport.get_write_buffer_size() <= _BACKLOG_BYTES:
            self._shown = unit
            writer.write(encode(Picture(unit, alone=True)))

    # --- the decoder ---

    def _ask(self) -> None:
        self._given = False
        self._asked = asyncio.get_running_loop().create_future()
        self._asked_warm = self._whole and self._writer is not None
        if self._writer is not None:
            self._ask_now(self._writer)
        self._needed.set()

    def _ask_now(self, writer: asyncio.StreamWriter) -> None:
        """A decoder that has only seen keyframes answers with the newest, and then gets its whole group."""
        if not self._asked_warm and self._keyframe is not None:
            self._give_alone(writer, self._keyframe)
        writer.write(encode(StillWanted()))
        self._given = True
        if not self._decodes_all and self._wants_all(self._clock.now_ns()):
            self._turn()

    async def _keep_decoder(self) -> None:
        pause_ns = _RETRY_FIRST_NS
        while True:
            await self._needed.wait()
            began_ns = self._clock.now_ns()
            why = await self._run_decoder()
            if self._ended:
                continue
            if self._clock.now_ns() - began_ns >= _RETRY_MOST_NS:
                pause_ns = _RETRY_FIRST_NS
            log.warning("feed %s: the process that decodes it for stills and health %s", self.feed_id, why)
            await self._clock.sleep_until(self._clock.now_ns() + pause_ns)
            pause_ns = min(2 * pause_ns, _RETRY_MOST_NS)

    async def _run_decoder(self) -> str:
        """Run the process until it ends; how it did."""
        try:
            async with child_process("ingest.picture_decoder") as child:
                self._begin(child.writer)
                await self._listen(child.reader)
            return "ended"
        except (OSError, MalformedError) as error:
            return f"failed: {error}"
        finally:
            self._writer = self._shown = None
            if self._watch:
                self._watch.unseen()
            if self._given:
                self._answer(NoStill("its decoder has ended"))

    def _begin(self, writer: asyncio.StreamWriter) -> None:
        self._writer, self._whole, self._ended = writer, False, False
        if self._asked is not None:
            self._ask_now(writer)
        elif self._watch and self._keyframe is not None:
            self._give_alone(writer, self._keyframe)
        if self._wants_all(self._clock.now_ns()):
            self._turn()

    def _end_decoder(self) -> None:
        if self._writer is not None:
            self._ended = True
            self._writer.transport.abort()
            self._writer = None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        deframer = Deframer()
        while data := await reader.read(_READ_BYTES):
            for message in map(decode, deframer.push(data)):
                match message:
                    case StillMade() | NoStill():
                        self._answer(message)
                    case Looked(figures) if self._watch:
                        long_groups = self._sampling.long_groups
                        self._watch.look(self._doubt.judged(figures, long_groups=long_groups))

    def _answer(self, answer: StillMade | NoStill) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(answer)
