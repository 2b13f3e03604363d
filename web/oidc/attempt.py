"""One login under way: a signed cookie of ten minutes, in the browser that began it and in no other.

Nothing is kept here meanwhile: a restart breaks off no login, and strangers who begin many fill no memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

import msgspec

from flow.clock import NS_PER_S

COOKIE = "lagebild_oidc"
GOOD_FOR_S = 600
NEXT_MOST = 512
_SECRET_BYTES = 32


class _Kept(msgspec.Struct, array_like=True):
    secret: bytes
    next_path: str
    expires_ns: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """`state`, `nonce` and `verifier` are made of one secret and the house's key: whoever reads the cookie
    knows none of them."""

    secret: bytes = field(repr=False)
    next_path: str  # where the person wanted to go: a path of ours
    expires_ns: int
    house_key: bytes = field(repr=False)

    @property
    def state(self) -> str:
        return self._made("state")

    @property
    def nonce(self) -> str:
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """43 characters (RFC 7636 4.1)."""
        return self._made("verifier")

    @property
    def challenge(self) -> str:
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    def cookie(self) -> str:
        kept = msgspec.json.encode(_Kept(self.secret, self.next_path, self.expires_ns))
        return f"{_text(kept)}.{_text(_signature(self.house_key, kept))}"

    def _made(self, what: str) -> str:
        return _text(hmac.digest(self.house_key, b"oidc " + what.encode() + self.secret, "sha256"))


def new_attempt(house_key: bytes, next_path: str, now_ns: int) -> Attempt:
    expires_ns = now_ns + GOOD_FOR_S * NS_PER_S
    return Attempt(secrets.token_bytes(_SECRET_BYTES), own_path(next_path), expires_ns, house_key)


def attempt_of(house_key: bytes, cookie: str, now_ns: int) -> Attempt | None:
    """What that cookie holds; None where we have not signed it, or too long ago."""
    kept_text, _, signature_text = cookie.partition(".")
    try:
        kept_bytes, signature = _bytes(kept_text), _bytes(signature_text)
        if not house_key or not hmac.compare_digest(signature, _signature(house_key, kept_bytes)):
            return None
        kept = msgspec.json.decode(kept_bytes, type=_Kept)
    except (ValueError, msgspec.DecodeError):
        return None
    if now_ns >= kept.expires_ns:
        return None
    return Attempt(kept.secret, kept.next_path, kept.expires_ns, house_key)


def own_path(asked: str) -> str:
    """`asked` where it is a path of ours, else "/": never an address of somebody else's.

    Browsers take a backslash for a slash and leave out tabs and line ends (WHATWG URL 4.4).
    """
    is_text = len(asked) <= NEXT_MOST and all("!" <= character <= "~" for character in asked)
    is_path = asked.startswith("/") and not asked.startswith("//") and "\\" not in asked
    return asked if is_text and is_path else "/"


def _signature(house_key: bytes, kept: bytes) -> bytes:
    return hmac.digest(house_key, b"oidc attempt" + kept, "sha256")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
