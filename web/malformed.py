"""What comes to the HTTP port and is no HTTP: answered plainly, and logged without a byte of it.

A request that cannot be read may hold anything anywhere, a publisher's key, too. aiohttp would log it as an
error, with the bytes it stumbled over and its own traceback, and repeat them in the answer.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from flow.clock import NS_PER_S, Clock

from .patience import Patience, Patient

log = logging.getLogger("lagebild.web")

_LINE_EVERY_NS = 10 * NS_PER_S
_TEXTS = {400: "this is no HTTP/1.1 request that can be read\n", 504: "this took too long\n"}
_INTERNAL = "an error inside Lagebild; the log has it\n"


class Malformed:
    """A line now and then for all that is refused, with a count of what it leaves out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left_out = 0
        self._due_ns = 0

    def add(self, address: str) -> None:
        self.refuse(address, "is no HTTP")

    def refuse(self, address: str, why: str) -> None:
        now_ns = self._clock.now_ns()
        if now_ns < self._due_ns:
            self._left_out += 1
            return
        more = f" (and {self._left_out} more requests since the last such line)" if self._left_out else ""
        self._left_out, self._due_ns = 0, now_ns + _LINE_EVERY_NS
        log.warning("a request from %s %s and was refused%s", address, why, more)


class Requests(Patient):
    """One connection: aiohttp's, but for what it says of what goes wrong."""

    def __init__(
        self,
        server: web.Server,
        loop: asyncio.AbstractEventLoop,
        malformed: Malformed,
        leave: Callable[[], None] = lambda: None,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(server, loop, leave, patience or Patience())
        self._malformed = malformed

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what cannot be read, or to what no handler of ours has answered."""
        if 400 <= status < 500:
            self._malformed.add(self._address())
        else:
            self.log_exception(exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun, and cannot become another one")
        response = web.Response(status=status, text=_TEXTS.get(status, _INTERNAL))
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPExpectationFailed):  # aiohttp's own, which repeats the header
            resp.text = "only 100-continue can be expected\n"
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *_: Any, **named: Any) -> None:
        """Say what failed and where; not what it says of itself, which may repeat the request."""
        error = named.get("exc_info")
        if isinstance(error, (web.RequestPayloadError, HttpProcessingError)):
            self._malformed.add(self._address())
        elif isinstance(error, BaseException) and not isinstance(error, (ConnectionError, TimeoutError)):
            frames = traceback.extract_tb(error.__traceback__)
            where = " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))
            log.error("a request failed: a defect of Lagebild: %s at %s", type(error).__name__, where)

    def _address(self) -> str:
        peer = self.transport.get_extra_info("peername") if self.transport else None
        return str(peer[0]) if peer else "somebody who has left"
