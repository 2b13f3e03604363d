"""The relay: the feeds, who watches them, and what is sent. Implements flow.doors.RelayDoor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Collection
from dataclasses import asdict

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.doors import (
    Answer,
    FeedTraffic,
    NoPublishers,
    PublishDoor,
    RenditionChosen,
    ViewerReport,
    entity_tag,
)
from flow.errors import BusyError, NotFoundError, TooManyError
from flow.flights import SourceState
from flow.units import Rendition

from .aiortc_seam import read_offer
from .answer import Local, answer_sdp, choose_format
from .candidates import Candidates
from .limits import Limits
from .outlet import Outlet
from .peer import Lapse, Peer
from .port import Port, origin_of
from .protocol.paces import Paces
from .publishers import Publishers
from .renditions import Renditions
from .sdp import checked_offer
from .sessions import Sessions
from .settings import RelaySettings
from .viewer import Viewer

log = logging.getLogger("lagebild.relay")

TEND_EVERY_NS = 100 * NS_PER_MS


class Relay:
    """Fans out the feeds in `feed_ids` from `bus`, and brings what is published to `ingest`: `open()` takes
    the port, `run()` serves."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: RelaySettings,
        feed_ids: Collection[str],
        *,
        ingest: PublishDoor | None = None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self.fan_outs = {feed_id: Renditions(bus, clock, feed_id) for feed_id in feed_ids}
        self._candidates = Candidates(settings)
        self._outlet = Outlet()
        self._paces = Paces(settings.pace_fixed_bps)
        self._port: Port | None = None
        self._sessions = Sessions(clock, self._heard)
        self._publishers = Publishers(bus, clock, settings, ingest or NoPublishers(), self._sessions)
        self._viewers: dict[str, Viewer] = {}
        self._over: dict[str, list[Callable[[], None]]] = {}  # by session: who wants to know of its end
        self._limits = Limits(settings, "viewers")
        self._gone: dict[str, FeedTraffic] = {f: FeedTraffic(f) for f in feed_ids}

    @property
    def port(self) -> int:
        """The number of the one port, once open."""
        if self._port is None:
            raise BusyError("the relay has not opened its port yet")
        return self._port.port

    async def open(self) -> None:
        """Take the port. Raises PortInUseError, or ConfigError for an address that is not this host's."""
        if self._port is None:
            settings = self._settings
            self._port = await Port.open(
                settings.addresses,
                settings.port,
                self._sessions.receive,
                self._sessions.path_closed,
                tcp=settings.tcp,
            )

    async def run(self) -> None:
        """Serve until cancelled; then end all sessions and close the port."""
        await self.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._sessions.serve_in(tasks)
                tasks.create_task(self._candidates.run(self._clock))
                for feed_id, fan_out in self.fan_outs.items():
                    tasks.create_task(self._kept_going(feed_id, fan_out))
                try:
                    await self._tend()
                finally:
                    self._sessions.serve_in(None)
        finally:
            if self._port is not None:
                await self._port.close()

    async def answer(self, feed_id: str, offer_sdp: str, client_address: str = "") -> Answer:
        self._sessions.check_running()
        self._check_limits(feed_id, client_address)
        offer = read_offer(checked_offer(offer_sdp))
        state = self._bus.peek(SourceState, feed_id)
        config = state.config if state else None
        chosen = choose_format(offer, config.profile_level_id if config else "", config)
        session_id = secrets.token_urlsafe(16)
        stream = self.fan_outs[feed_id].stream
        viewer = Viewer(session_id, stream, origin_of(client_address), chosen, self._clock.now_ns())
        sdp = answer_sdp(offer, chosen, self._local(viewer), stream.ssrc, secrets.randbits(62))
        self._viewers[session_id] = viewer
        self._sessions.begin(
            viewer, lambda: self._watch(viewer), lambda why: self._forget_viewer(viewer, why.text)
        )
        log.info("feed %s: viewer %s joins (%d watching)", feed_id, session_id[:6], self._watching(feed_id))
        return Answer(session_id, sdp, entity_tag(session_id))

    async def publish(self, feed_id: str, key: str, offer_sdp: str, client_address: str = "") -> Answer:
        self._sessions.check_running()
        return self._publishers.open(feed_id, key, offer_sdp, client_address, self._local)

    async def trickle(self, session_id: str, fragment: str) -> None:
        # The other side's checks tell us its address; its candidates are not needed (relay/sdp.py).
        self._sessions.peer(session_id)

    async def close(self, session_id: str) -> None:
        self._sessions.end(self._sessions.peer(session_id), Lapse("publisher_left", "left"))

    def end(self, session_id: str) -> None:
        with contextlib.suppress(NotFoundError):
            self._sessions.end(self._sessions.peer(session_id), Lapse("publisher_left", "is let go of"))

    def attend(self, session_id: str, over: Callable[[], None]) -> None:
        self._over.setdefault(self._viewer(session_id).session_id, []).append(over)

    def check_publisher(self, session_id: str, feed_id: str) -> None:
        peer = self._sessions.peer(session_id)
        if isinstance(peer, Viewer) or peer.feed_id != feed_id:
            raise NotFoundError(f"session '{session_id[:6]}…' brings no pictures to feed '{feed_id}'")

    def rendition(self, session_id: str) -> RenditionChosen:
        return self._viewer(session_id).seat.chosen

    def choose(self, session_id: str, rendition: Rendition | None) -> RenditionChosen:
        viewer = self._viewer(session_id)
        self.fan_outs[viewer.feed_id].choose(viewer, rendition)
        return viewer.seat.chosen

    def follow(self, session_id: str, told: Callable[[RenditionChosen], None]) -> Callable[[], None]:
        return self._viewer(session_id).seat.follow(told)

    def viewers(self) -> list[ViewerReport]:
        now_ns = self._clock.now_ns()
        return [viewer.report(now_ns) for viewer in self._viewers.values()]

    def traffic(self) -> list[FeedTraffic]:
        sums = dict(self._gone)
        for viewer in self._viewers.values():
            sums[viewer.feed_id] = viewer.added_to(sums[viewer.feed_id])
        return [sums[feed_id] for feed_id in sorted(sums)]

    def refused(self) -> dict[str, int]:
        sums = self._sessions.refused()
        if self._port is not None:
            sums.update(asdict(self._port.counts))
        return dict(sums)

    def _viewer(self, session_id: str) -> Viewer:
        peer = self._sessions.peer(session_id)
        if not isinstance(peer, Viewer):
            raise NotFoundError(f"session '{session_id[:6]}…' is a publisher's, not a viewer's")
        return peer

    def _local(self, peer: Peer, setup: str = "passive") -> Local:
        return Local(
            peer.credentials.ufrag,
            peer.credentials.password,
            peer.dtls.fingerprint,
            self._candidates.addresses(),
            self.port,
            self._settings.tcp,
            setup,
        )

    def _check_limits(self, feed_id: str, client_address: str) -> None:
        settings, viewers = self._settings, self._viewers.values()
        if feed_id not in self.fan_outs:
            raise NotFoundError(
                f"no feed '{feed_id}'; there are {', '.join(sorted(self.fan_outs)) or 'none'}"
            )
        if self._watching(feed_id) >= settings.viewers_per_feed:
            raise BusyError(f"feed '{feed_id}' has {settings.viewers_per_feed} viewers, its limit")
        self._limits.check_address(viewers, client_address)
        self._limits.check_feed(viewers, feed_id)
        origin = origin_of(client_address)
        same = sum(v.client_origin == origin for v in viewers)
        if origin and same >= settings.viewers_per_address:
            raise TooManyError(f"{client_address} watches {same} times already, the limit for one address")

    def _watching(self, feed_id: str) -> int:
        """How many sessions the feed has."""
        return sum(v.feed_id == feed_id for v in self._viewers.values())

    async def _watch(self, viewer: Viewer) -> None:
        await viewer.connect(self._outlet, self._paces, self._clock)
        self.fan_outs[viewer.feed_id].add(viewer)
        await viewer.dtls.closed()

    def _forget_viewer(self, viewer: Viewer, why: str) -> None:
        del self._viewers[viewer.session_id]
        self.fan_outs[viewer.feed_id].remove(viewer)
        if viewer.delivery is not None:
            address = viewer.delivery.path.address[0]
            self._paces.remember(address, viewer.delivery.pacer, self._clock.now_ns())
        self._gone[viewer.feed_id] = viewer.added_to(self._gone[viewer.feed_id])
        viewer.delivery = None  # its packets still come until it has hung up: no answer to them
        for over in self._over.pop(viewer.session_id, ()):
            over()
        watching = self._watching(viewer.feed_id)
        log.info("feed %s: viewer %s %s (%d watching)", viewer.feed_id, viewer.name, why, watching)

    def _heard(self, peer: Peer) -> None:
        if isinstance(peer, Viewer):
            self.fan_outs[peer.feed_id].heard(peer)

    async def _tend(self) -> None:
        """What is due by time, of all sessions and of all feeds."""
        connect_within_ns = int(self._settings.connect_within_s * NS_PER_S)
        while True:
            now_ns = self._clock.now_ns()
            self._sessions.tend(now_ns, connect_within_ns)
            for fan_out in self.fan_outs.values():
                fan_out.tend()
            await self._clock.sleep_until(now_ns + TEND_EVERY_NS)

    async def _kept_going(self, feed_id: str, fan_out: Renditions) -> None:
        """A defect in one feed's fan-out ends its viewers, who join again, and harms no other feed."""
        while True:
            try:
                await fan_out.run()
                return  # the bus is closed
            except Exception:
                log.exception("feed %s: the fan-out failed: a defect of Lagebild; it begins anew", feed_id)
            for viewer in [v for v in self._viewers.values() if v.feed_id == feed_id]:
                self._sessions.end(viewer, Lapse("internal", "cannot be served"))
            await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)
