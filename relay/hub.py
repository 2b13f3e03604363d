"""The relay: opens, counts and closes sessions of viewers and publishers. Implements flow.doors.RelayDoor."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.doors import (
    Answer,
    FeedTraffic,
    KeyDoor,
    NoKeys,
    NoPublishers,
    PublishDoor,
    RenditionChosen,
    RtpPublisher,
    ViewerReport,
    entity_tag,
)
from flow.errors import BusyError, LagebildError, NotFoundError, TooManyError
from flow.flights import SourceState
from flow.units import Rendition

from .aiortc_seam import read_offer
from .answer import Local, answer_sdp, choose_format
from .candidates import Candidates
from .outlet import Outlet
from .peer import Lapse, Peer
from .port import Path, Port, origin_of
from .protocol import stun
from .protocol.icelite import HELD_NS
from .protocol.paces import Paces
from .publish_answer import SETUP, choose_video, publish_answer_sdp
from .publisher import Publisher
from .renditions import Renditions
from .sdp import checked_offer
from .settings import RelaySettings
from .viewer import Viewer

log = logging.getLogger("lagebild.relay")

CLOSE_WITHIN_S = 5.0
TEND_EVERY_NS = 100 * NS_PER_MS
STUN_BYTES = range(0, 4)
DTLS_BYTES = range(20, 64)
SRTP_BYTES = range(128, 192)
"""First bytes of the datagrams that share the port (RFC 7983 7)."""


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
        keys: KeyDoor | None = None,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._ingest = ingest or NoPublishers()
        self._keys = keys or NoKeys()
        self.fan_outs = {feed_id: Renditions(bus, clock, feed_id) for feed_id in feed_ids}
        self._candidates = Candidates(settings)
        self._outlet = Outlet()
        self._paces = Paces(settings.pace_fixed_bps)
        self._port: Port | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._viewers: dict[str, Viewer] = {}
        self._publishers: dict[str, Publisher] = {}
        self._attending: dict[str, asyncio.Task[None]] = {}
        self._by_ufrag: dict[str, Peer] = {}
        self._by_path: dict[Path, Peer] = {}
        self._gone: dict[str, FeedTraffic] = {f: FeedTraffic(f) for f in feed_ids}
        self._refused: Counter[str] = Counter()

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
                settings.addresses, settings.port, self._receive, self._path_closed, tcp=settings.tcp
            )

    async def run(self) -> None:
        """Serve until cancelled; then end all sessions and close the port."""
        await self.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._candidates.run(self._clock))
                for feed_id, fan_out in self.fan_outs.items():
                    tasks.create_task(self._kept_going(feed_id, fan_out))
                try:
                    await self._tend()
                finally:
                    self._tasks = None
        finally:
            if self._port is not None:
                await self._port.close()

    async def answer(self, feed_id: str, offer_sdp: str, client_address: str = "") -> Answer:
        self._check_running()
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
        self._begin(viewer, lambda: self._watch(viewer))
        log.info("feed %s: viewer %s joins (%d watching)", feed_id, session_id[:6], self._watching(feed_id))
        return Answer(session_id, sdp, entity_tag(session_id))

    async def publish(self, feed_id: str, key: str, offer_sdp: str, client_address: str = "") -> Answer:
        self._check_running()
        self._check_connecting("publishers", self._publishers.values(), client_address)
        self._keys.check(feed_id, key)
        offer = read_offer(checked_offer(offer_sdp, watches=False))
        chosen = choose_video(offer)
        session_id = secrets.token_urlsafe(16)
        origin, now_ns = origin_of(client_address), self._clock.now_ns()
        publisher = Publisher(session_id, feed_id, origin, chosen, now_ns)
        local = self._local(publisher, SETUP[chosen.remote.setup])
        sdp = publish_answer_sdp(offer, chosen, local, secrets.randbits(62))
        # Last, since nothing may go wrong any more once it has the place.
        sender = RtpPublisher("whip", client_address, chosen.video.codec, chosen.video.payload_type)
        displaced = Lapse("publisher_left", "has made room for another publisher")
        publisher.publication = self._ingest.accept_rtp(
            feed_id, key, sender, lambda: self._end(publisher, displaced)
        )
        self._publishers[session_id] = publisher
        self._begin(publisher, lambda: publisher.serve(self._bus, self._clock))
        log.info("feed %s: publisher %s comes from %s", feed_id, publisher.name, client_address)
        return Answer(session_id, sdp, entity_tag(session_id))

    async def trickle(self, session_id: str, fragment: str) -> None:
        # The other side's checks tell us its address; its candidates are not needed (relay/sdp.py).
        self._session(session_id)

    async def close(self, session_id: str) -> None:
        self._end(self._session(session_id), Lapse("publisher_left", "left"))

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
        sums = self._refused.copy()
        for peer in self._peers():
            sums.update(peer.refused())
        if self._port is not None:
            sums.update(asdict(self._port.counts))
        return dict(sums)

    def _peers(self) -> list[Peer]:
        return [*self._publishers.values(), *self._viewers.values()]

    def _session(self, session_id: str) -> Peer:
        peer = self._viewers.get(session_id) or self._publishers.get(session_id)
        if peer is None:
            raise NotFoundError(f"no session '{session_id[:6]}…'; it may have ended")
        return peer

    def _viewer(self, session_id: str) -> Viewer:
        peer = self._session(session_id)
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

    def _check_running(self) -> None:
        if self._tasks is None:
            raise BusyError("the relay is starting or stopping; try again in a moment", code="starting")

    def _check_connecting(self, who: str, peers: Collection[Peer], client_address: str) -> None:
        """Whoever only makes offers is soon told to wait."""
        origin = origin_of(client_address)
        same = sum(p.state == "connecting" and p.client_origin == origin for p in peers)
        if origin and same >= self._settings.connecting_per_address:
            raise TooManyError(
                f"{same} {who} of {client_address} are still connecting; try again in a moment",
                code="address_connecting",
            )

    def _check_limits(self, feed_id: str, client_address: str) -> None:
        settings = self._settings
        if feed_id not in self.fan_outs:
            raise NotFoundError(
                f"no feed '{feed_id}'; there are {', '.join(sorted(self.fan_outs)) or 'none'}"
            )
        if self._watching(feed_id) >= settings.viewers_per_feed:
            raise BusyError(f"feed '{feed_id}' has {settings.viewers_per_feed} viewers, its limit")
        origin = origin_of(client_address)
        self._check_connecting("viewers", self._viewers.values(), client_address)
        if self._watching(feed_id, "connecting") >= settings.connecting_per_feed:
            limit = settings.connecting_per_feed
            raise BusyError(
                f"feed '{feed_id}' has {limit} viewers still connecting; try again in a moment",
                code="feed_connecting",
            )
        same = sum(v.client_origin == origin for v in self._viewers.values())
        if origin and same >= settings.viewers_per_address:
            raise TooManyError(f"{client_address} watches {same} times already, the limit for one address")

    def _watching(self, feed_id: str, state: str | None = None) -> int:
        """How many sessions the feed has, those in one state or all."""
        return sum(v.feed_id == feed_id and state in (None, v.state) for v in self._viewers.values())

    def _begin(self, peer: Peer, serve: Callable[[], Awaitable[None]]) -> None:
        assert self._tasks is not None
        self._by_ufrag[peer.credentials.ufrag] = peer
        self._attending[peer.session_id] = self._tasks.create_task(self._attend(peer, serve))

    async def _watch(self, viewer: Viewer) -> None:
        await viewer.connect(self._outlet, self._paces, self._clock)
        self.fan_outs[viewer.feed_id].add(viewer)
        await viewer.dtls.closed()

    async def _attend(self, peer: Peer, serve: Callable[[], Awaitable[None]]) -> None:
        """One session from its offer to its end, whoever ends it."""
        why = Lapse("publisher_left", "gone")
        try:
            await serve()
        except LagebildError as error:
            why = Lapse("not_connected", str(error))
        except Exception:
            why = Lapse("internal", "failed")
            log.exception("feed %s: session %s failed", peer.feed_id, peer.name)
        finally:
            self._forget(peer, why)
            await self._close(peer)
            for path in peer.ice.paths:
                self._leave(path, peer)

    async def _close(self, peer: Peer) -> None:
        """Free a connection; one that does not let itself be closed is given up and holds up no other."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await peer.dtls.close()
        except TimeoutError:
            log.error("feed %s: session %s does not close; it is given up", peer.feed_id, peer.name)
        except Exception:
            log.exception("feed %s: session %s did not close cleanly", peer.feed_id, peer.name)

    def _end(self, peer: Peer, why: Lapse) -> None:
        """End a session from outside; harmless when repeated."""
        task = self._attending.get(peer.session_id)
        self._forget(peer, why)
        if task is not None:
            task.cancel()

    def _forget(self, peer: Peer, why: Lapse) -> None:
        if self._attending.pop(peer.session_id, None) is None:
            return
        self._by_ufrag.pop(peer.credentials.ufrag, None)
        self._refused.update(peer.refused())
        if isinstance(peer, Viewer):
            self._forget_viewer(peer, why.text)
        elif isinstance(peer, Publisher):
            del self._publishers[peer.session_id]
            peer.leave(why)
            log.info("feed %s: publisher %s %s", peer.feed_id, peer.name, why.text)

    def _forget_viewer(self, viewer: Viewer, why: str) -> None:
        del self._viewers[viewer.session_id]
        self.fan_outs[viewer.feed_id].remove(viewer)
        if viewer.delivery is not None:
            address = viewer.delivery.path.address[0]
            self._paces.remember(address, viewer.delivery.pacer, self._clock.now_ns())
        self._gone[viewer.feed_id] = viewer.added_to(self._gone[viewer.feed_id])
        watching = self._watching(viewer.feed_id)
        log.info("feed %s: viewer %s %s (%d watching)", viewer.feed_id, viewer.name, why, watching)

    def _leave(self, path: Path, peer: Peer) -> None:
        if self._by_path.get(path) is peer:
            del self._by_path[path]
            path.close()

    def _receive(self, datagram: bytes, path: Path) -> None:
        """Whatever comes to the port, told apart by its first byte; nothing that comes may raise."""
        first = datagram[0] if datagram else 255
        try:
            if first in STUN_BYTES:
                self._receive_check(datagram, path)
                return
            peer = self._by_path.get(path)
            if peer is None:
                self._refused["unknown sender"] += 1
            elif first in SRTP_BYTES:
                peer.receive_media(datagram, path, self._clock.now_ns())
                if isinstance(peer, Viewer):
                    self.fan_outs[peer.feed_id].heard(peer)
            elif first in DTLS_BYTES:
                peer.dtls.receive(datagram)
            else:
                self._refused["unknown kind"] += 1
        except LagebildError:
            self._refused["malformed"] += 1
        except Exception:
            self._refused["defect"] += 1
            log.exception("a datagram of %d bytes from %s: a defect of Lagebild", len(datagram), path)

    def _receive_check(self, datagram: bytes, path: Path) -> None:
        local, _, _ = (stun.username_of(datagram) or "").partition(":")
        peer = self._by_ufrag.get(local)
        if peer is None:
            self._refused["unknown session"] += 1
            if path not in self._by_path:  # who is known may also send what is no check (RFC 8445 11)
                path.close()
            return
        now_ns, holder = self._clock.now_ns(), self._by_path.get(path, peer)
        if holder is not peer and now_ns - holder.ice.heard_ns < HELD_NS:
            self._refused["taken path"] += 1  # a forged sender: two sessions never share an address
            return
        peer.receive_check(datagram, path, now_ns)
        if path in peer.ice.paths:
            self._by_path[path] = peer
        else:
            path.close()  # a TCP connection of somebody who does not know the password
        for dropped in peer.ice.dropped():
            self._leave(dropped, peer)

    def _path_closed(self, path: Path) -> None:
        peer = self._by_path.pop(path, None)
        if peer is not None:
            peer.path_closed(path)

    async def _tend(self) -> None:
        """Once in a while: reports to everybody; end those that are gone or never came."""
        while True:
            now_ns = self._clock.now_ns()
            for peer in self._peers():
                if now_ns >= peer.tend_ns or peer.failed:
                    self._tend_one(peer, now_ns)
            for fan_out in self.fan_outs.values():
                fan_out.tend()
            await self._clock.sleep_until(now_ns + TEND_EVERY_NS)

    def _tend_one(self, peer: Peer, now_ns: int) -> None:
        lapse = peer.lapse(now_ns, int(self._settings.connect_within_s * NS_PER_S))
        if lapse is not None:
            self._end(peer, lapse)
            return
        try:
            peer.tend(now_ns)
        except Exception:
            log.exception("feed %s: session %s: a defect of Lagebild", peer.feed_id, peer.name)
            self._end(peer, Lapse("internal", "cannot be tended"))

    async def _kept_going(self, feed_id: str, fan_out: Renditions) -> None:
        """A defect in one feed's fan-out ends its viewers, who join again, and harms no other feed."""
        while True:
            try:
                await fan_out.run()
                return  # the bus is closed
            except Exception:
                log.exception("feed %s: the fan-out failed: a defect of Lagebild; it begins anew", feed_id)
            for viewer in [v for v in self._viewers.values() if v.feed_id == feed_id]:
                self._end(viewer, Lapse("internal", "cannot be served"))
            await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)
