"""The one place that maps errors to HTTP."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from flow.errors import (
    BusyError,
    ConfigError,
    LagebildError,
    NotFoundError,
    RemoteError,
    TooManyError,
    UnavailableError,
)

from .access import ForbiddenError

log = logging.getLogger("lagebild.web")

_STATUS: tuple[tuple[type[LagebildError], int], ...] = (
    (NotFoundError, 404),
    (BusyError, 503),
    (UnavailableError, 503),
    (TooManyError, 429),
    (ForbiddenError, 403),
    (RemoteError, 400),
    (ConfigError, 500),
    (LagebildError, 409),
)

RETRY_AFTER_S: dict[int, str] = {503: "2", 429: "10"}
"""A place on a feed comes free by itself; one's own only when one lets go of it (RFC 9110 10.2.3)."""

SOON_S = {"address_connecting": "2"}
"""By code, before the status: who is still connecting has connected, or failed, a moment later."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; connect-src 'self'; frame-ancestors 'self'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def status_of(error: LagebildError) -> int:
    return next(status for kind, status in _STATUS if isinstance(error, kind))


@web.middleware
async def errors_to_http(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer errors as `{"error": {"code", "message"}}`; an unexpected one is logged and says nothing."""
    try:
        return await handler(request)
    except LagebildError as error:
        return _error(status_of(error), error.code, str(error))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _error(error.status, "http", error.reason or str(error.status))
    except (ConnectionError, TimeoutError):
        raise
    except Exception:
        log.exception("%s %s failed: a defect of Lagebild", request.method, request.path)
        return _error(500, "internal", "an error inside Lagebild; the log has it")


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


def _error(status: int, code: str, message: str) -> web.Response:
    wait_s = SOON_S.get(code) or RETRY_AFTER_S.get(status)
    headers = {"Retry-After": wait_s} if wait_s else None
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
