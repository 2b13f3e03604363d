"""Who calls: by a token, by the cookie of a session or of a guest, or by sitting at this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets

from aiohttp import web

from flow.clock import Clock

from .audit import Audit
from .caller import NOBODY, Caller, CallerKind
from .door import UnauthenticatedError
from .forwarded import Proxies
from .permissions import Permission
from .policy import Reach
from .store import AccessStore

SESSION_COOKIE = "lagebild_session"
GUEST_COOKIE = "lagebild_guest"
TOKEN_PREFIX = "lbt_"
"""Tokens begin so: other bearer tokens are publishers' keys, which the feed's own door checks."""

_SECRET_BYTES = 32
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")

LOCAL = Caller(CallerKind.LOCAL, "local", "", frozenset(Permission))


class Gatekeeper:
    """The door's guard. `trusts_this_machine`: who calls from it may do everything (only while the service
    listens on loopback addresses alone, and no proxy speaks for others)."""

    def __init__(
        self,
        store: AccessStore,
        reach: Reach,
        audit: Audit,
        clock: Clock,
        *,
        trusts_this_machine: bool,
        proxies: Proxies | None = None,
    ) -> None:
        self.reach, self.audit = reach, audit
        self._store, self._clock = store, clock
        self._trusts_this_machine = trusts_this_machine and not proxies

    @property
    def trusts_this_machine(self) -> bool:
        return self._trusts_this_machine

    def now_ns(self) -> int:
        return self._clock.now_ns()

    def address(self, request: web.Request) -> str:
        """The caller's; behind a trusted proxy as that tells it (forwarded.py)."""
        return request.remote or ""

    def caller(self, request: web.Request) -> Caller:
        token = _bearer(request)
        if token is not None:
            caller = self._store.book.machine(digest_of(token), self.now_ns())
            if caller is None:
                raise UnauthenticatedError("this token is wrong, or was withdrawn", code="token_wrong")
            return caller
        return self._by_cookie(request) or (LOCAL if self._is_local(request) else NOBODY)

    def _by_cookie(self, request: web.Request) -> Caller | None:
        book, now_ns = self._store.book, self.now_ns()
        for cookie, known in ((SESSION_COOKIE, book.person), (GUEST_COOKIE, book.guest)):
            session = session_of(book.house_key, request.cookies.get(cookie, ""))
            caller = known(session, now_ns) if session else None
            if caller is not None:
                return caller
        return None

    def _is_local(self, request: web.Request) -> bool:
        """Not where a proxy that nobody told us of calls for others."""
        if not self._trusts_this_machine or any(name in request.headers for name in _FORWARDED):
            return False
        try:
            return ipaddress.ip_address(request.remote or "").is_loopback
        except ValueError:
            return False


def new_cookie(house_key: bytes) -> tuple[str, str]:
    """(what the cookie says, the session's id): a random secret, signed so that only ours are looked up."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    value = f"{_text(secret)}.{_text(_signature(house_key, secret))}"
    return value, hashlib.sha256(secret).hexdigest()


def session_of(house_key: bytes, value: str) -> str | None:
    """The id of the session whose cookie says that; None where it is none that we have signed."""
    secret_text, _, signature_text = value.partition(".")
    try:
        secret, signature = _bytes(secret_text), _bytes(signature_text)
    except ValueError:
        return None
    if not house_key or not hmac.compare_digest(signature, _signature(house_key, secret)):
        return None
    return hashlib.sha256(secret).hexdigest()


def new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(token: str) -> str:
    """Of tokens and invites: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.startswith(TOKEN_PREFIX) else None


def _signature(house_key: bytes, secret: bytes) -> bytes:
    return hmac.digest(house_key, b"session" + secret, "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
