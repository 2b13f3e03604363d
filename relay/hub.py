"""The relay: opens, counts and closes viewer sessions. Implements flow.doors.RelayDoor."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import asdict

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.doors import Answer, FeedTraffic, RenditionChosen, ViewerReport
from flow.errors import BusyError, LagebildError, NotFoundError, TooManyError
from flow.flights import SourceState
from flow.units import Rendition

from .aiortc_seam import read_offer
from .answer import Local, answer_sdp, choose_format
from .candidates import Candidates
from .outlet import Outlet
from .port import Path, Port, origin_of
from .protocol import stun
from .protocol.icelite import HELD_NS
from .protocol.paces import Paces
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
    """Fans out the feeds in `feed_ids` from `bus`: `open()` takes the port, `run()` serves."""

    def __init__(self, bus: Bus, clock: Clock, settings: RelaySettings, feed_ids: Collection[str]) -> None:
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self.fan_outs = {feed_id: Renditions(bus, clock, feed_id) for feed_id in feed_ids}
        self._candidates = Candidates(settings)
        self._outlet = Outlet()
        self._paces = Paces(settings.pace_fixed_bps)
        self._port: Port | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._viewers: dict[str, Viewer] = {}
        self._attending: dict[str, asyncio.Task[None]] = {}
        self._by_ufrag: dict[str, Viewer] = {}
        self._by_path: dict[Path, Viewer] = {}
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
        if self._tasks is None:
            raise BusyError("the relay is starting or stopping; try again in a moment", code="starting")
        self._check_limits(feed_id, client_address)
        offer = read_offer(checked_offer(offer_sdp))
        state = self._bus.peek(SourceState, feed_id)
        config = state.config if state else None
        chosen = choose_format(offer, config.profile_level_id if config else "", config)
        session_id = secrets.token_urlsafe(16)
        stream = self.fan_outs[feed_id].stream
        viewer = Viewer(session_id, stream, origin_of(client_address), chosen, self._clock.now_ns())
        local = Local(
            viewer.credentials.ufrag,
            viewer.credentials.password,
            viewer.dtls.fingerprint,
            self._candidates.addresses(),
            self.port,
            self._settings.tcp,
        )
        sdp = answer_sdp(offer, chosen, local, stream.ssrc, secrets.randbits(62))
        self._viewers[session_id] = self._by_ufrag[viewer.credentials.ufrag] = viewer
        self._attending[session_id] = self._tasks.create_task(self._attend(viewer))
        log.info("feed %s: viewer %s joins (%d watching)", feed_id, session_id[:6], self._watching(feed_id))
        return Answer(session_id, sdp, etag=f'"{session_id[:8]}"')

    async def trickle(self, session_id: str, fragment: str) -> None:
        # The viewer's checks tell us its address; its candidates are not needed (relay/sdp.py).
        self._session(session_id)

    async def close(self, session_id: str) -> None:
        self._end(self._session(session_id), "left")

    def rendition(self, session_id: str) -> RenditionChosen:
        return self._session(session_id).seat.chosen

    def choose(self, session_id: str, rendition: Rendition | None) -> RenditionChosen:
        viewer = self._session(session_id)
        self.fan_outs[viewer.feed_id].choose(viewer, rendition)
        return viewer.seat.chosen

    def follow(self, session_id: str, told: Callable[[RenditionChosen], None]) -> Callable[[], None]:
        return self._session(session_id).seat.follow(told)

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
        for viewer in self._viewers.values():
            sums.update(viewer.refused())
        if self._port is not None:
            sums.update(asdict(self._port.counts))
        return dict(sums)

    def _session(self, session_id: str) -> Viewer:
        viewer = self._viewers.get(session_id)
        if viewer is None:
            raise NotFoundError(f"no viewer session '{session_id[:6]}…'; it may have ended")
        return viewer

    def _check_limits(self, feed_id: str, client_address: str) -> None:
        settings = self._settings
        if feed_id not in self.fan_outs:
            raise NotFoundError(
                f"no feed '{feed_id}'; there are {', '.join(sorted(self.fan_outs)) or 'none'}"
            )
        if self._watching(feed_id) >= settings.viewers_per_feed:
            raise BusyError(f"feed '{feed_id}' has {settings.viewers_per_feed} viewers, its limit")
        connecting = [v for v in self._viewers.values() if v.state == "connecting"]
        origin = origin_of(client_address)
        same = sum(v.client_origin == origin for v in connecting)
        if origin and same >= settings.connecting_per_address:
            raise TooManyError(
                f"{same} viewers of {client_address} are still connecting; try again in a moment",
                code="address_connecting",
            )
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

    async def _attend(self, viewer: Viewer) -> None:
        """One session from its offer to its end, whoever ends it."""
        fan_out = self.fan_outs[viewer.feed_id]
        why = "gone"
        try:
            await viewer.connect(self._outlet, self._paces, self._clock)
            fan_out.add(viewer)
            await viewer.dtls.closed()
        except LagebildError as error:
            why = str(error)
        except Exception:
            log.exception("feed %s: viewer %s failed", viewer.feed_id, viewer.name)
        finally:
            self._forget(viewer, why)
            await self._close(viewer)
            for path in viewer.ice.paths:
                self._leave(path, viewer)

    async def _close(self, viewer: Viewer) -> None:
        """Free a connection; one that does not let itself be closed is given up and holds up no other."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await viewer.dtls.close()
        except TimeoutError:
            log.error("feed %s: viewer %s does not close; it is given up", viewer.feed_id, viewer.name)
        except Exception:
            log.exception("feed %s: viewer %s did not close cleanly", viewer.feed_id, viewer.name)

    def _end(self, viewer: Viewer, why: str) -> None:
        """End a session from outside; harmless when repeated."""
        task = self._attending.get(viewer.session_id)
        self._forget(viewer, why)
        if task is not None:
            task.cancel()

    def _forget(self, viewer: Viewer, why: str) -> None:
        if self._viewers.pop(viewer.session_id, None) is None:
            return
        self._attending.pop(viewer.session_id, None)
        self._by_ufrag.pop(viewer.credentials.ufrag, None)
        self.fan_outs[viewer.feed_id].remove(viewer)
        if viewer.delivery is not None:
            address = viewer.delivery.path.address[0]
            self._paces.remember(address, viewer.delivery.pacer, self._clock.now_ns())
        self._gone[viewer.feed_id] = viewer.added_to(self._gone[viewer.feed_id])
        self._refused.update(viewer.refused())
        feed_id = viewer.feed_id
        log.info(
            "feed %s: viewer %s %s (%d watching)",
            feed_id,
            viewer.name,
            why,
            self._watching(feed_id),
        )

    def _leave(self, path: Path, viewer: Viewer) -> None:
        if self._by_path.get(path) is viewer:
            del self._by_path[path]
            path.close()

    def _receive(self, datagram: bytes, path: Path) -> None:
        """Whatever comes to the port, told apart by its first byte; nothing that comes may raise."""
        first = datagram[0] if datagram else 255
        try:
            if first in STUN_BYTES:
                self._receive_check(datagram, path)
                return
            viewer = self._by_path.get(path)
            if viewer is None:
                self._refused["unknown sender"] += 1
            elif first in SRTP_BYTES:
                viewer.receive_rtcp(datagram, path, self._clock.now_ns())
                self.fan_outs[viewer.feed_id].heard(viewer)
            elif first in DTLS_BYTES:
                viewer.dtls.receive(datagram)
            else:
                self._refused["unknown kind"] += 1
        except LagebildError:
            self._refused["malformed"] += 1
        except Exception:
            self._refused["defect"] += 1
            log.exception("a datagram of %d bytes from %s: a defect of Lagebild", len(datagram), path)

    def _receive_check(self, datagram: bytes, path: Path) -> None:
        local, _, _ = (stun.username_of(datagram) or "").partition(":")
        viewer = self._by_ufrag.get(local)
        if viewer is None:
            self._refused["unknown session"] += 1
            if path not in self._by_path:  # a viewer may also send what is no check (RFC 8445 11)
                path.close()
            return
        now_ns, holder = self._clock.now_ns(), self._by_path.get(path, viewer)
        if holder is not viewer and now_ns - holder.ice.heard_ns < HELD_NS:
            self._refused["taken path"] += 1  # a forged sender: two viewers never share an address
            return
        viewer.receive_check(datagram, path, now_ns)
        if path in viewer.ice.paths:
            self._by_path[path] = viewer
        else:
            path.close()  # a TCP connection of somebody who does not know the password
        for dropped in viewer.ice.dropped():
            self._leave(dropped, viewer)

    def _path_closed(self, path: Path) -> None:
        viewer = self._by_path.pop(path, None)
        if viewer is not None:
            viewer.path_closed(path)

    async def _tend(self) -> None:
        """Once in a while: reports to viewers; end those that are gone or never came."""
        while True:
            now_ns = self._clock.now_ns()
            for viewer in list(self._viewers.values()):
                if now_ns >= viewer.tend_ns or viewer.failed:
                    self._tend_one(viewer, now_ns)
            for fan_out in self.fan_outs.values():
                fan_out.tend()
            await self._clock.sleep_until(now_ns + TEND_EVERY_NS)

    def _tend_one(self, viewer: Viewer, now_ns: int) -> None:
        limit_ns = int(self._settings.connect_within_s * NS_PER_S)
        if viewer.delivery is None and now_ns - viewer.opened_ns > limit_ns:
            self._end(viewer, "never connected")
        elif now_ns > viewer.ice.consent_until_ns:
            self._end(viewer, "sent no consent for 30 s")
        elif viewer.failed:
            self._end(viewer, "cannot be sent to")
        else:
            try:
                viewer.tend(now_ns)
            except Exception:
                log.exception("feed %s: viewer %s: a defect of Lagebild", viewer.feed_id, viewer.name)
                self._end(viewer, "cannot be tended")

    async def _kept_going(self, feed_id: str, fan_out: Renditions) -> None:
        """A defect in one feed's fan-out ends its viewers, who join again, and harms no other feed."""
        while True:
            try:
                await fan_out.run()
                return  # the bus is closed
            except Exception:
                log.exception("feed %s: the fan-out failed: a defect of Lagebild; it begins anew", feed_id)
            for viewer in [v for v in self._viewers.values() if v.feed_id == feed_id]:
                self._end(viewer, "cannot be served")
            await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)
