"""The relay: opens, counts and closes viewer sessions. Implements flow.doors.RelayDoor."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Collection

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.doors import Answer, FeedTraffic, ViewerReport
from flow.errors import BusyError, LagebildError, NotFoundError
from flow.flights import SourceState
from flow.units import Codec

from .aiortc_seam import offer_addresses
from .sdp import checked_offer
from .settings import RelaySettings
from .viewer import Viewer

log = logging.getLogger("lagebild.relay")


class Relay:
    """Fans out the feeds in `feed_ids` from `bus`. `run()` must be running; it closes all when it ends."""

    def __init__(self, bus: Bus, clock: Clock, settings: RelaySettings, feed_ids: Collection[str]) -> None:
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._feed_ids = frozenset(feed_ids)
        self._viewers: dict[str, Viewer] = {}
        self._ended: asyncio.Queue[str] = asyncio.Queue()
        offer_addresses(settings.addresses)

    async def run(self) -> None:
        """Close sessions that ended or never connected, until cancelled; then close all."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._drop_the_never_connected())
                while True:
                    tasks.create_task(self._end(await self._ended.get(), "gone"))
        finally:
            await asyncio.gather(*(self._end(s, "service stops") for s in list(self._viewers)))

    async def answer(self, feed_id: str, offer_sdp: str, client_address: str = "") -> Answer:
        self._check_feed(feed_id)
        offer = checked_offer(offer_sdp)
        session_id = secrets.token_urlsafe(16)
        reader = self._bus.from_keyframe(feed_id)
        viewer = Viewer(session_id, feed_id, reader, self._clock, self._ended.put_nowait)
        self._viewers[session_id] = viewer
        try:
            sdp = await viewer.answer(offer)
        except BaseException:
            await self._end(session_id, "offer refused")
            raise
        log.info("feed %s: viewer %s joins (%d watching)", feed_id, session_id[:6], self._watching(feed_id))
        return Answer(session_id, sdp, etag=f'"{session_id[:8]}"')

    async def trickle(self, session_id: str, fragment: str) -> None:
        # The viewer's checks tell us its address; its candidates are not needed (relay/sdp.py).
        if session_id not in self._viewers:
            raise NotFoundError(f"no viewer session '{session_id[:6]}…'; it may have ended")

    async def close(self, session_id: str) -> None:
        if session_id not in self._viewers:
            raise NotFoundError(f"no viewer session '{session_id[:6]}…'; it may have ended")
        await self._end(session_id, "left")

    def viewers(self) -> list[ViewerReport]:
        return [viewer.report() for viewer in self._viewers.values()]

    def traffic(self) -> list[FeedTraffic]:
        return [FeedTraffic(feed_id) for feed_id in sorted(self._feed_ids)]

    def _check_feed(self, feed_id: str) -> None:
        if feed_id not in self._feed_ids:
            raise NotFoundError(
                f"no feed '{feed_id}'; there are {', '.join(sorted(self._feed_ids)) or 'none'}"
            )
        if self._watching(feed_id) >= self._settings.viewers_per_feed:
            raise BusyError(f"feed '{feed_id}' has {self._settings.viewers_per_feed} viewers, its limit")
        if self._watching(feed_id, "connecting") >= self._settings.connecting_per_feed:
            limit = self._settings.connecting_per_feed
            raise BusyError(f"feed '{feed_id}' has {limit} viewers still connecting; try again in a moment")
        state = self._bus.peek(SourceState, feed_id)
        if state and state.config and state.config.codec is not Codec.H264:
            raise LagebildError(
                f"feed '{feed_id}' is {state.config.codec}; only H.264 is relayed to browsers so far",
                code="unsupported_codec",
            )

    def _watching(self, feed_id: str, state: str | None = None) -> int:
        """How many sessions the feed has, those in one state or all."""
        return sum(v.feed_id == feed_id and state in (None, v.state) for v in self._viewers.values())

    async def _end(self, session_id: str, why: str) -> None:
        """Free one session; one that does not let itself be closed is logged and holds up no other."""
        viewer = self._viewers.pop(session_id, None)
        if viewer is None:
            return
        feed_id, watching = viewer.feed_id, self._watching(viewer.feed_id)
        log.info("feed %s: viewer %s %s (%d watching)", feed_id, session_id[:6], why, watching)
        try:
            await viewer.close()
        except TimeoutError:
            log.error("feed %s: viewer %s does not close; it is given up", feed_id, session_id[:6])
        except Exception:
            log.exception("feed %s: viewer %s did not close cleanly", feed_id, session_id[:6])

    async def _drop_the_never_connected(self) -> None:
        limit_ns = int(self._settings.connect_within_s * NS_PER_S)
        while True:
            now = self._clock.now_ns()
            await self._clock.sleep_until(now + limit_ns // 4)
            for viewer in self._viewers.values():
                if viewer.state == "connecting" and now - viewer.opened_ns > limit_ns:
                    self._ended.put_nowait(viewer.session_id)
