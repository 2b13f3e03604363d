"""The sessions of the one port, of viewers and publishers: from offer to end, and whose a datagram is."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from flow.clock import Clock
from flow.errors import BusyError, LagebildError, NotFoundError, RefusedError

from .peer import Lapse, Peer
from .port import Path
from .protocol import stun
from .protocol.icelite import HELD_NS

log = logging.getLogger("lagebild.relay")

CLOSE_WITHIN_S = 5.0
STUN_BYTES = range(0, 4)
DTLS_BYTES = range(20, 64)
SRTP_BYTES = range(128, 192)
"""First bytes of the datagrams that share the port (RFC 7983 7)."""


class _Session(NamedTuple):
    peer: Peer
    attending: asyncio.Task[None]
    over: Callable[[Lapse], None]


class Sessions:
    """Attends each session and hands it what comes for it. `heard` is called behind each packet of media."""

    def __init__(self, clock: Clock, heard: Callable[[Peer], None]) -> None:
        self._clock = clock
        self._heard = heard
        self._tasks: asyncio.TaskGroup | None = None
        self._open: dict[str, _Session] = {}
        self._by_ufrag: dict[str, Peer] = {}
        self._by_path: dict[Path, Peer] = {}
        self._refused: Counter[str] = Counter()

    def serve_in(self, tasks: asyncio.TaskGroup | None) -> None:
        """From now on sessions can be opened, which run in `tasks`; None: no more."""
        self._tasks = tasks

    def check_running(self) -> asyncio.TaskGroup:
        """Raises BusyError while no session can be opened."""
        if self._tasks is None:
            raise BusyError("the relay is starting or stopping; try again in a moment", code="starting")
        return self._tasks

    def begin(self, peer: Peer, serve: Callable[[], Awaitable[None]], over: Callable[[Lapse], None]) -> None:
        """Attend a session as long as `serve` runs; `over` is called once, as soon as it has ended."""
        attending = self.check_running().create_task(self._attend(peer, serve))
        self._open[peer.session_id] = _Session(peer, attending, over)
        self._by_ufrag[peer.credentials.ufrag] = peer

    def peer(self, session_id: str) -> Peer:
        """Raises NotFoundError."""
        session = self._open.get(session_id)
        if session is None:
            raise NotFoundError(f"no session '{session_id[:6]}…'; it may have ended")
        return session.peer

    def end(self, peer: Peer, why: Lapse) -> None:
        """End a session from outside; harmless when repeated."""
        session = self._open.get(peer.session_id)
        self._forget(peer, why)
        if session is not None:
            session.attending.cancel()

    def tend(self, now_ns: int, connect_within_ns: int) -> None:
        """Reports to everybody whose turn it is; the end of those that are gone or never came."""
        for peer in [session.peer for session in self._open.values()]:
            if now_ns >= peer.tend_ns or peer.failed:
                self._tend_one(peer, now_ns, connect_within_ns)

    def refused(self) -> Counter[str]:
        """What came and was not taken, by reason; of sessions that have ended as well."""
        sums = self._refused.copy()
        for session in self._open.values():
            sums.update(session.peer.refused())
        return sums

    def receive(self, datagram: bytes, path: Path) -> None:
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
                self._heard(peer)
            elif first in DTLS_BYTES:
                peer.dtls.receive(datagram)
            else:
                self._refused["unknown kind"] += 1
        except LagebildError:
            self._refused["malformed"] += 1
        except Exception:
            self._refused["defect"] += 1
            log.exception("a datagram of %d bytes from %s: a defect of Lagebild", len(datagram), path)

    def path_closed(self, path: Path) -> None:
        peer = self._by_path.pop(path, None)
        if peer is not None:
            peer.path_closed(path)

    async def _attend(self, peer: Peer, serve: Callable[[], Awaitable[None]]) -> None:
        """One session from its offer to its end, whoever ends it."""
        why = Lapse("publisher_left", "gone")
        try:
            await serve()
        except RefusedError as error:
            why = Lapse(error.code, f"is refused: {error}")
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

    def _forget(self, peer: Peer, why: Lapse) -> None:
        session = self._open.pop(peer.session_id, None)
        if session is None:
            return
        self._by_ufrag.pop(peer.credentials.ufrag, None)
        self._refused.update(peer.refused())
        session.over(why)

    def _leave(self, path: Path, peer: Peer) -> None:
        if self._by_path.get(path) is peer:
            del self._by_path[path]
            path.close()

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

    def _tend_one(self, peer: Peer, now_ns: int, connect_within_ns: int) -> None:
        lapse = peer.lapse(now_ns, connect_within_ns)
        if lapse is not None:
            self.end(peer, lapse)
            return
        try:
            peer.tend(now_ns)
        except Exception:
            log.exception("feed %s: session %s: a defect of Lagebild", peer.feed_id, peer.name)
            self.end(peer, Lapse("internal", "cannot be tended"))
