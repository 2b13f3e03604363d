"""How long a connection may take over what it asks and over what it is told, and how much it may say.

aiohttp waits for a request's head for an hour, for its body for ever, and as long for whoever does not read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

log = logging.getLogger("lagebild.web")


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds and bytes."""

    idle_s: float = 150.0  # between requests: longer than proxies keep a connection (Caddy: 120 s)
    head_s: float = 15.0  # from a request's first byte to the end of its headers; also to the first request
    body_s: float = 30.0  # from there to the end of its body, which has 128 KB at most
    stalled_s: float = 60.0  # somebody to whom something is told reads nothing
    head_bytes: int = 64 * 1024
    said_bytes_a_second: int = 16 * 1024  # what a page says while it is answered: a WebSocket's messages
    said_bytes_at_once: int = 64 * 1024


class Patient(web.RequestHandler):
    """One connection: aiohttp's, with an end to patience."""

    def __init__(
        self,
        server: web.Server,
        loop: asyncio.AbstractEventLoop,
        leave: Callable[[], None],
        patience: Patience,
    ) -> None:
        options: dict[str, Any] = {"access_log": None}  # addresses may hold keys
        super().__init__(server, loop=loop, keepalive_timeout=patience.idle_s, **options)
        self._timers = loop
        self._leave, self._patience = leave, patience
        self._asking = True  # a request's head is awaited, or has begun
        self._telling = False  # it is asked whole, and answered
        self._told = False  # it was answered before it was asked whole
        self._head_bytes = 0
        self._said_left, self._said_since_s = float(patience.said_bytes_at_once), 0.0
        self._asked_by: asyncio.TimerHandle | None = None
        self._read_by: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Closed as others end an idle connection, not broken: a browser may have opened it to be quick.
        self._asked_by = self._timers.call_later(self._patience.head_s, self.force_close)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop(self._asked_by, self._read_by)
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not data:
            pass  # aiohttp looks at what it has put aside
        elif self._asking:
            # What came before was no whole head, or the request would have begun: there is a turn between.
            if self._head_bytes > self._patience.head_bytes:
                self._end("has too long headers")
                return
            self._head_bytes += len(data)
            if self._asked_by is None:
                self._asked_by = self._timers.call_later(self._patience.head_s, self._end, "asks too slowly")
        elif self._telling and not self._may_say(len(data)):
            self._end("says too much")
            return
        super().data_received(data)

    def has_asked(self, body: Any) -> None:
        """A request's head is there; `body` is what follows."""
        self._stop(self._asked_by)
        self._asked_by, self._asking, self._head_bytes = None, False, 0
        self._telling, self._told = bool(body.is_eof()), False
        if not self._telling:
            self._asked_by = self._timers.call_later(self._patience.body_s, self._end, "asks too slowly")
            body.on_eof(self._has_asked_all)

    def _has_asked_all(self) -> None:
        self._stop(self._asked_by)
        self._asked_by, self._telling = None, True
        if self._told:
            self._ask_anew()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        finished = await super().finish_response(request, resp, start_time)
        self._told = True
        if self._telling:
            self._ask_anew()
        return finished

    def _ask_anew(self) -> None:
        self._asking, self._telling, self._head_bytes = True, False, 0

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._read_by is None:
            self._read_by = self._timers.call_later(self._patience.stalled_s, self._end, "does not read")

    def resume_writing(self) -> None:
        self._stop(self._read_by)
        self._read_by = None
        super().resume_writing()

    def _may_say(self, size: int) -> bool:
        patience, now_s = self._patience, self._timers.time()
        refill = patience.said_bytes_a_second * (now_s - self._said_since_s)
        self._said_left = min(patience.said_bytes_at_once, self._said_left + refill) - size
        self._said_since_s = now_s
        return self._said_left >= 0

    def _end(self, why: str) -> None:
        log.debug("a connection was ended: it %s", why)
        self._stop(self._asked_by, self._read_by)
        transport = self.transport
        if transport is not None:
            transport.abort()

    @staticmethod
    def _stop(*timers: asyncio.TimerHandle | None) -> None:
        for timer in timers:
            if timer is not None:
                timer.cancel()


def timed(factory: Callable[..., Any]) -> Callable[..., Any]:
    """aiohttp's factory of requests, telling their connection that they have begun."""

    def begun(message: Any, body: Any, protocol: Any, *rest: Any) -> Any:
        if isinstance(protocol, Patient):
            protocol.has_asked(body)
        return factory(message, body, protocol, *rest)

    return begun
