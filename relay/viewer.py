"""One viewer: its place on the bus, its connection, its counters."""

from __future__ import annotations

from collections.abc import Callable

from flow.bus import Reader
from flow.clock import NS_PER_MS, Clock
from flow.doors import ViewerReport
from flow.units import AccessUnit

from .aiortc_seam import ViewerConnection


class Viewer:
    """Sends one feed to one browser until closed.

    The bus gives the cached group at once and then what follows; a viewer that is too slow loses whole
    groups there, never anybody else's.
    """

    def __init__(
        self,
        session_id: str,
        feed_id: str,
        reader: Reader[AccessUnit],
        clock: Clock,
        on_ended: Callable[[str], None],
    ) -> None:
        self.session_id = session_id
        self.feed_id = feed_id
        self.opened_ns = clock.now_ns()
        self.state = "connecting"
        self._reader = reader
        self._clock = clock
        self._on_ended = on_ended
        self._pictures_sent = 0
        self._bytes_sent = 0
        self._connection = ViewerConnection(self._next_picture, self._changed)

    async def answer(self, offer_sdp: str) -> str:
        """See ViewerConnection.answer."""
        return await self._connection.answer(offer_sdp)

    async def close(self) -> None:
        """Free the subscription and the connection; harmless when repeated."""
        self._reader.close()
        await self._connection.close()

    def report(self) -> ViewerReport:
        return ViewerReport(
            session_id=self.session_id,
            feed_id=self.feed_id,
            state=self.state,
            connected_ms=(self._clock.now_ns() - self.opened_ns) / NS_PER_MS,
            pictures_sent=self._pictures_sent,
            pictures_dropped=self._reader.dropped,
            bytes_sent=self._bytes_sent,
            since_ns=self.opened_ns,
        )

    async def _next_picture(self) -> AccessUnit | None:
        async for unit in self._reader:
            self._pictures_sent += 1
            self._bytes_sent += len(unit.data)
            return unit
        return None

    def _changed(self, state: str) -> None:
        if state == "connected":
            self.state = state
        elif state in ("failed", "closed"):
            # RFC 7675: no consent for 30 s ends in "failed"; a browser's DTLS close_notify in "closed".
            self._on_ended(self.session_id)
