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
    RefusedError,
    RemoteError,
    TooManyError,
    UnacceptableError,
    UnavailableError,
)

from .access import ForbiddenError, UnauthenticatedError
from .access.door import route_of

log = logging.getLogger("lagebild.web")

_STATUS: tuple[tuple[type[LagebildError], int], ...] = (
    (NotFoundError, 404),
    (BusyError, 503),
    (UnavailableError, 503),
    (TooManyError, 429),
    (UnauthenticatedError, 401),
    (ForbiddenError, 403),
    (UnacceptableError, 406),
    (RefusedError, 409),
    (RemoteError, 400),
    (ConfigError, 500),
    (LagebildError, 409),
)

_KEY_STATUS = {"key_missing": 401, "key_wrong": 401, "key_foreign": 403}

CHALLENGES = {
    "key_missing": 'Bearer realm="lagebild"',
    "login_needed": 'Bearer realm="lagebild"',
    "login_wrong": 'Bearer realm="lagebild"',
    "token_wrong": 'Bearer realm="lagebild", error="invalid_token"',
    "key_wrong": 'Bearer realm="lagebild", error="invalid_token"',
}
"""WWW-Authenticate by error code (RFC 9110 11.6.1, RFC 6750 3)."""

RETRY_AFTER_S: dict[int, str] = {503: "2", 429: "10"}
"""A place on a feed comes free by itself; one's own only when one lets go of it (RFC 9110 10.2.3)."""

SOON_S = {"address_connecting": "2", "too_fast": "2"}
"""By code, before the status: who is still connecting has connected, or failed, a moment later; and who was
too fast may ask again."""

_PARTING = frozenset({"too_fast", "too_long"})
"""Codes after which the connection ends: to refuse the next one costs less than an answer."""


class RequestError(RemoteError):
    """An HTTP request that is refused for what it is, whatever it asks for."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message, code=code)
        self.status = status


def status_of(error: LagebildError) -> int:
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, RefusedError) and error.code in _KEY_STATUS:
        return _KEY_STATUS[error.code]
    return next(status for kind, status in _STATUS if isinstance(error, kind))


@web.middleware
async def errors_to_http(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer errors as `{"error": {"code", "message"}}`; an unexpected one is logged and says nothing."""
    try:
        return await handler(request)
    except LagebildError as error:
        return _error(status_of(error), error.code, str(error), getattr(error, "retry_after_s", None))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        reply = _error(error.status, "http", error.reason or str(error.status))
        if "Allow" in error.headers:  # RFC 9110 15.5.6
            reply.headers["Allow"] = error.headers["Allow"]
        return reply
    except web.RequestPayloadError:  # its text repeats the body
        return _error(400, "malformed", "the body is not encoded as its headers say")
    except (ConnectionError, TimeoutError):
        raise
    except Exception:
        log.exception("%s %s failed: a defect of Lagebild", request.method, route_of(request))
        return _error(500, "internal", "an error inside Lagebild; the log has it")


def _error(status: int, code: str, message: str, known_s: int | None = None) -> web.Response:
    wait_s = str(known_s) if known_s else SOON_S.get(code) or RETRY_AFTER_S.get(status)
    headers = {"Retry-After": wait_s} if wait_s else {}
    if code in CHALLENGES:
        headers["WWW-Authenticate"] = CHALLENGES[code]
    reply = web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
    if code in _PARTING:
        reply.force_close()
    return reply
