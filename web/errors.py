"""The one place that maps errors to HTTP."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from flow.errors import BusyError, ConfigError, LagebildError, NotFoundError, RemoteError

from .access import ForbiddenError

log = logging.getLogger("lagebild.web")

_STATUS: tuple[tuple[type[LagebildError], int], ...] = (
    (NotFoundError, 404),
    (BusyError, 503),
    (ForbiddenError, 403),
    (RemoteError, 400),
    (ConfigError, 500),
    (LagebildError, 409),
)

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
        headers = {"Retry-After": "2"} if isinstance(error, BusyError) else None
        return _error(status_of(error), error.code, str(error), headers)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _error(error.status, "http", error.reason or str(error.status), None)
    except (ConnectionError, TimeoutError):
        raise
    except Exception:
        log.exception("%s %s failed: a defect of Lagebild", request.method, request.path)
        return _error(500, "internal", "an error inside Lagebild; the log has it", None)


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
