"""Renditions `web` and `low`: an encoder process for each that somebody needs, and only then.

With one exception. Of a feed whose keyframes are so far apart that the bus cannot keep its beginning, nothing
could be decoded later. Its process for `web` runs and decodes all the time, though it encodes only when
needed, and its `low` is made from `web`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

from flow.bus import Bus, unit_key
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.flights import (
    KeyframeWanted,
    RenditionState,
    RenditionStatus,
    RenditionWanted,
    SourceState,
)
from flow.units import CLOCK_RATE_HZ, AccessUnit, Rendition

from .child import EncoderError, raise_if_cancelled
from .protocol.leases import Lease
from .protocol.rendition import RenditionLog, loses_its_beginning, web_reasons
from .protocol.ticks import ns_to_ticks
from .remote_encoder import RemoteEncoder, remote_encoder
from .settings import EncodeSettings

log = logging.getLogger("lagebild.ingest")

_MADE = (Rendition.WEB, Rendition.LOW)

_TICK_NS = 100 * NS_PER_MS
_REPORT_NS = NS_PER_S
_RETRY_FIRST_NS = NS_PER_S // 2
_RETRY_MOST_NS = 10 * NS_PER_S
_PROVEN_NS = 10 * NS_PER_S
"""An encoder that ran this long is started again at once."""

_STALE_90K = 20 * CLOCK_RATE_HZ  # of a group that was left on the bus when its rendition ended
_ASK_EVERY_NS = 2 * NS_PER_S

_REFUSALS = ("no_source", "not_needed")

_LASTING = attrgetter("status", "reason", "detail", "why", "width_px", "height_px")


class Transcoding:
    """All renditions of all feeds. The failure of one touches no other."""

    def __init__(self, bus: Bus, clock: Clock, settings: EncodeSettings, feed_ids: Iterable[str]) -> None:
        self._bus, self._clock = bus, clock
        self._makers = {
            unit_key(feed_id, rendition): _Maker(feed_id, rendition, bus, clock, settings)
            for feed_id in feed_ids
            for rendition in _MADE
        }

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear_leases(), name="ingest-leases")
            tasks.create_task(self._hear_wishes(), name="ingest-keyframes")
            tasks.create_task(self._tick(), name="ingest-rendition-tick")
            for key, maker in self._makers.items():
                tasks.create_task(maker.run(), name=f"ingest-{key}")

    async def _hear_leases(self) -> None:
        with self._bus.latest(RenditionWanted) as leases:
            async for wanted in leases:
                maker = self._makers.get(unit_key(wanted.feed_id, wanted.rendition))
                if maker is not None:
                    maker.want(wanted.until_ns)

    async def _hear_wishes(self) -> None:
        with self._bus.latest(KeyframeWanted) as wishes:
            async for wish in wishes:
                maker = self._makers.get(unit_key(wish.feed_id, wish.rendition))
                if maker is not None:
                    maker.ask(wish)

    async def _tick(self) -> None:
        while True:
            for maker in self._makers.values():
                maker.tick()
                if maker.reads_from is Rendition.WEB:
                    self._makers[unit_key(maker.feed_id, Rendition.WEB)].want(self._clock.now_ns() + _TICK_NS)
            await self._clock.sleep_until(self._clock.now_ns() + _TICK_NS)


class _Maker:
    """One rendition of one feed, with its encoder while it has one."""

    def __init__(
        self, feed_id: str, rendition: Rendition, bus: Bus, clock: Clock, settings: EncodeSettings
    ) -> None:
        self.feed_id, self._rendition = feed_id, rendition
        self.reads_from: Rendition | None = None
        """What its encoder is fed with, while there is one."""
        self._bus, self._clock, self._settings = bus, clock, settings
        self._lease = Lease()
        self._log = RenditionLog(feed_id, rendition, clock.now_ns())
        self._needed, self._needless = asyncio.Event(), asyncio.Event()
        self._encoder: RemoteEncoder | None = None
        self._encodes = False
        self._failed, self._complaint = False, ""
        self._heard: RenditionState | None = None  # from the encoder, last
        self._asked_ns = 0
        self._told: RenditionState | None = None
        self._told_ns = 0

    # --- what others want of it ---

    def want(self, until_ns: int) -> None:
        """Somebody needs the rendition until then."""
        self._lease.take(until_ns, self._clock.now_ns())
        self._look_whether_needed()

    def ask(self, wish: KeyframeWanted) -> None:
        """Somebody needs a keyframe of it."""
        if self._encoder is not None and self._clock.now_ns() - wish.utc_ns < _ASK_EVERY_NS:
            self._encoder.ask(wish)

    def tick(self) -> None:
        """Time has passed; call this a few times a second."""
        self._look_whether_needed()
        now_ns, source = self._clock.now_ns(), self._source
        if self._encoder is not None and self._encodes:
            self._log.look(self._heard, source, now_ns)
            if self._log.state.reason == "waiting_for_keyframe" and now_ns - self._asked_ns >= _ASK_EVERY_NS:
                self._asked_ns = now_ns
                self._bus.publish(KeyframeWanted(self.feed_id, now_ns))
        self._tell(now_ns)

    @property
    def _source(self) -> SourceState | None:
        return self._bus.peek(SourceState, self.feed_id)

    def _look_whether_needed(self) -> None:
        now_ns, source, is_web = self._clock.now_ns(), self._source, self._rendition is Rendition.WEB
        leased = self._lease.holds(now_ns)
        if is_web and self._encoder is None:
            if leased and not web_reasons(source):
                leased = False
                self._log.off(*_why_not_made(source), now_ns)
            elif web_reasons(source) and self._log.state.reason in _REFUSALS:
                self._log.off("", "nobody needs it", now_ns)  # the source has changed since
        if leased or (is_web and loses_its_beginning(source)):
            self._needed.set()
            self._needless.clear()
        else:
            self._needed.clear()
            self._needless.set()
            if self._failed:
                self._failed = False
                self._log.off("", "nobody needs it", now_ns)
        self._switch(leased, now_ns)

    def _switch(self, encodes: bool, now_ns: int) -> None:
        """Let the encoder encode, or only decode."""
        if self._encoder is None or encodes is self._encodes:
            return
        self._encodes = encodes
        self._encoder.encode(self.feed_id, self._rendition, on=encodes)
        if encodes:
            why = web_reasons(self._source) if self._rendition is Rendition.WEB else ()
            self._log.begin(why, self._settings.encoder, now_ns, again=self._failed)
        else:
            self._log.off("", "nobody needs it", now_ns)
            self._failed = False

    # --- the encoder's process ---

    async def run(self) -> None:
        """Until cancelled: an encoder whenever one is needed, another one when it ends by itself."""
        pause_ns = _RETRY_FIRST_NS
        while True:
            await self._needed.wait()
            began_ns = self._clock.now_ns()
            try:
                await self._make()
            except* EncoderError as group:
                self._fail(group.exceptions[0])
            except* Exception as group:  # a fault of ours must not take the feeds down
                log.exception("feed %s: rendition %s failed unexpectedly", self.feed_id, self._rendition)
                self._fail(group.exceptions[0])
            raise_if_cancelled()
            if not self._failed:
                pause_ns = _RETRY_FIRST_NS
                continue
            if self._clock.now_ns() - began_ns >= _PROVEN_NS:
                pause_ns = _RETRY_FIRST_NS
            await self._clock.sleep_until(self._clock.now_ns() + pause_ns)
            pause_ns = min(2 * pause_ns, _RETRY_MOST_NS)

    async def _make(self) -> None:
        """Run an encoder until it is needed no longer. Raises EncoderError in a group, or alone."""
        chained = self._rendition is Rendition.LOW and loses_its_beginning(self._source)
        self.reads_from = Rendition.WEB if chained else Rendition.SOURCE
        try:
            async with remote_encoder(self._settings, self._rendition) as encoder:
                self._encoder, self._encodes, self._heard = encoder, False, None
                async with asyncio.TaskGroup() as tasks:
                    work = (
                        tasks.create_task(self._feed(encoder, self.reads_from)),
                        tasks.create_task(self._take(encoder)),
                    )
                    self._look_whether_needed()
                    await self._needless.wait()
                    for task in work:
                        task.cancel()
        finally:
            self._encoder = self.reads_from = None
        self._failed = False

    async def _feed(self, encoder: RemoteEncoder, rendition: Rendition) -> None:
        with self._bus.from_keyframe(self.feed_id, rendition) as units:
            async for unit in units:
                batch = self._present([unit, *units.drain()], rendition)
                if len(batch) > 1:
                    await encoder.feed(replace(batch[-1], data=b""))
                for each in batch:
                    await encoder.feed(each)

    def _present(self, batch: list[AccessUnit], rendition: Rendition) -> list[AccessUnit]:
        """What of a batch is to be fed."""
        now_ns = self._clock.now_ns()
        if rendition is not Rendition.SOURCE:
            batch = [unit for unit in batch if ns_to_ticks(now_ns) - unit.dts_90k < _STALE_90K]
        for unit in batch:
            self._log.fed(unit, now_ns)
        return batch

    async def _take(self, encoder: RemoteEncoder) -> None:
        async for answer in encoder.answers():
            now_ns = self._clock.now_ns()
            if isinstance(answer, RenditionState):
                self._heard = answer
                self._log.cpu_share = encoder.cpu_share(now_ns)
                continue
            unit = self._log.made(replace(answer, feed_id=self.feed_id), now_ns)
            if unit is not None:
                self._bus.publish(unit)
                if self._log.state.status is not RenditionStatus.LIVE:
                    self.tick()

    def _fail(self, error: Exception) -> None:
        code = error.code if isinstance(error, EncoderError) else "encoder_failed"
        if not self._failed or self._complaint != str(error):
            log.warning("feed %s: rendition %s: %s", self.feed_id, self._rendition, error)
        self._failed, self._complaint = True, str(error)
        self._log.failed(code, str(error), self._clock.now_ns())

    # --- what is told ---

    def _tell(self, now_ns: int) -> None:
        state, told = self._log.state, self._told
        if told is None and state.status is RenditionStatus.OFF and not state.reason:
            return  # nobody has ever asked for it
        is_due = state.status is not RenditionStatus.OFF and now_ns - self._told_ns >= _REPORT_NS
        if is_due or told is None or _LASTING(told) != _LASTING(state):
            self._told, self._told_ns = state, now_ns
            self._bus.publish(state)


def _why_not_made(source: SourceState | None) -> tuple[str, str]:
    if source is None or source.config is None:
        return "no_source", "the source has brought no pictures yet"
    return "not_needed", "the source is fit for every browser as it is"
