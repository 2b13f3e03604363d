"""What viewers got to see, as their pages report it: the measured effect.

A page reports what it counted since its connection was made, every ten seconds. It is stored every minute
and when the connection ends, under one id.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Collection
from typing import Annotated

import msgspec
from msgspec import Meta

from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import LagebildError
from recordings.archive import Archive
from recordings.viewing import AGE_EDGES_MS, Viewing

from .archive_calls import in_time

log = logging.getLogger("lagebild.web")

STORED_EVERY_NS = 60 * NS_PER_S
BEFORE_MOST_NS = 600 * NS_PER_S
"""A page whose connection was lost reports what it counted meanwhile in its next one."""
WAITING_MOST = 5000
_AGAIN_S = 1.0
_BUCKETS = len(AGE_EDGES_MS) + 1

_Seconds = Annotated[float, Meta(ge=0)]


class ViewingReport(msgspec.Struct, tag_field="type", tag="viewing", forbid_unknown_fields=True, frozen=True):
    """Since the connection was made. `ages` are seconds by the age of the picture; `joined_ms` None: its
    first picture did not come in this connection."""

    joined_ms: Annotated[float, Meta(ge=0)] | None
    ages: Annotated[tuple[_Seconds, ...], Meta(min_length=_BUCKETS, max_length=_BUCKETS)]
    interruptions: Annotated[int, Meta(ge=0, le=1_000_000)]
    interrupted_ms: Annotated[float, Meta(ge=0)]

    def is_of(self, stay_ns: int) -> bool:
        """Whether so much can happen in that time."""
        most_ms = (stay_ns + BEFORE_MOST_NS) / NS_PER_MS
        return max(sum(self.ages) * 1000, self.interrupted_ms, self.joined_ms or 0) <= most_ms

    def follows(self, before: ViewingReport) -> bool:
        """Whether nothing has become less."""
        return (
            all(now >= then for now, then in zip(self.ages, before.ages, strict=True))
            and self.interruptions >= before.interruptions
            and self.interrupted_ms >= before.interrupted_ms
            and (before.joined_ms is None or self.joined_ms == before.joined_ms)
        )


class Stay:
    """One connection of one page."""

    def __init__(self, desk: ViewingDesk, feed_id: str, now_ns: int) -> None:
        self._desk, self._feed_id = desk, feed_id
        self._id = secrets.token_hex(8)
        self._started_ns = self._stored_ns = now_ns
        self._newest: ViewingReport | None = None

    def report(self, told: ViewingReport, now_ns: int) -> None:
        """What cannot be is not taken, and counted."""
        before = self._newest
        if not told.is_of(now_ns - self._started_ns) or (before and not told.follows(before)):
            self._desk.refused += 1
            return
        self._newest = told
        if now_ns - self._stored_ns >= STORED_EVERY_NS:
            self.store(now_ns)

    def store(self, now_ns: int) -> None:
        self._stored_ns = now_ns
        if told := self._newest:
            self._desk.keep(
                Viewing(
                    self._id,
                    self._feed_id,
                    self._started_ns,
                    now_ns,
                    told.joined_ms,
                    told.ages,
                    told.interruptions,
                    told.interrupted_ms,
                )
            )


class ViewingDesk:
    """Takes the reports and has them stored; a slow disk is waited for by nobody. `run()` until cancelled."""

    def __init__(self, clock: Clock, archive: Archive | None, uncounted: Collection[str] = ()) -> None:
        """Without an archive nothing is kept; nor is anything of the feeds `uncounted`, whose pictures are
        played."""
        self._clock, self._archive, self._uncounted = clock, archive, frozenset(uncounted)
        self._waiting: OrderedDict[str, Viewing] = OrderedDict()  # by id: the newest of a stay
        self._wake = asyncio.Event()
        self.refused = 0

    def arrived(self, feed_id: str) -> Stay:
        return Stay(self, feed_id, self._clock.now_ns())

    def keep(self, viewing: Viewing) -> None:
        if self._archive is None or viewing.feed_id in self._uncounted:
            return
        self._waiting[viewing.id] = viewing
        if len(self._waiting) > WAITING_MOST:
            self._waiting.popitem(last=False)
        self._wake.set()

    async def run(self) -> None:
        while await self._wake.wait():
            self._wake.clear()
            if not await self.settle():
                await self._clock.sleep_until(self._clock.now_ns() + round(_AGAIN_S * NS_PER_S))
                self._wake.set()

    async def settle(self) -> bool:
        """Store what waits; False where the archive does not take it now."""
        while self._archive is not None and self._waiting:
            viewing_id, viewing = next(iter(self._waiting.items()))
            try:
                await in_time(self._archive.add_viewing(viewing))
            except LagebildError as error:
                log.debug("a viewing is not stored yet: %s", error)
                return False
            if self._waiting.get(viewing_id) is viewing:
                del self._waiting[viewing_id]
        return True
