"""Who we are, told to a server that asks: Basic (RFC 7617) and Digest (RFC 7616, and 2617 before it)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_VALUE_LIMIT = 4096  # of one WWW-Authenticate field; a longer one is no challenge
_TRIES_MOST = 3
_PIECE = re.compile(
    r"""([\w!#$%&'*+.^`|~-]+)                               # a scheme, or with what follows a parameter
        (?:\s*(=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?""",
    re.VERBOSE,
)
_ALGORITHMS = ("sha-256", "md5")
"""By preference. RFC 2617 3.2.1: no algorithm means MD5."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """How a server wants to be told: the scheme in small letters, its parameters with names in small ones."""

    scheme: str
    parameters: dict[str, str]

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "MD5").lower()

    @property
    def nonce(self) -> str:
        return self.parameters.get("nonce", "")

    @property
    def is_stale(self) -> bool:
        return self.parameters.get("stale", "").lower() == "true"

    @property
    def wants_qop(self) -> bool:
        return "qop" in self.parameters

    @property
    def is_known(self) -> bool:
        """Whether we can answer it; not qop "auth-int" alone, sessions ("MD5-sess"), other schemes."""
        if self.scheme != "digest":
            return self.scheme == "basic"
        offered = [value.strip().lower() for value in self.parameters.get("qop", "auth").split(",")]
        return bool(self.nonce) and self.algorithm in _ALGORITHMS and "auth" in offered


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """The challenges of all WWW-Authenticate fields; one field may hold several (RFC 7235 4.1)."""
    challenges: list[Challenge] = []
    for value in values:
        for name, equals, quoted, token in _PIECE.findall(value[:_VALUE_LIMIT]):
            if not equals:
                challenges.append(Challenge(name.lower(), {}))
            elif challenges:
                challenges[-1].parameters[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or token
    return challenges


class Authenticator:
    """One connection's part in it: answers challenges, and knows when it is no use to go on.

    Digest goes before Basic, which tells the password to everybody on the way, and SHA-256 before MD5.
    `cnonce` is what we add to the digest: random, and of letters and digits.
    """

    def __init__(self, credentials: Credentials | None, cnonce: str) -> None:
        self._credentials = credentials
        self._cnonce = cnonce
        self._challenge: Challenge | None = None
        self._count = 0
        self._is_proven = False

    def authorization(self, method: str, uri: str) -> str:
        """The Authorization field for this request; "" while nobody has asked."""
        if self._challenge is None or self._credentials is None:
            return ""
        if self._challenge.scheme == "basic":
            return basic(self._credentials)
        self._count += 1
        return digest(self._credentials, self._challenge, method, uri, self._cnonce, count=self._count)

    @property
    def is_proven(self) -> bool:
        """Whether user and password were right before, on this connection."""
        return self._is_proven

    def accepted(self) -> None:
        """A request with our authorization was answered well."""
        self._is_proven = self._challenge is not None

    def challenged(self, values: Iterable[str], tries: int) -> str:
        """The server answered 401, with these WWW-Authenticate fields, to a request sent `tries` times.

        Returns "" if it is worth another try, else why it is not. A password that was refused is not tried
        again: cameras lock an account after a few. What may be tried again is an old nonce, which the
        server calls stale, or simply replaces where the password was right before.
        """
        if self._credentials is None:
            return "wants a user and a password; write them into the address: rtsp://USER:PASSWORD@..."
        known = [challenge for challenge in parse_challenges(values) if challenge.is_known]
        if not known:
            return "wants a kind of authentication other than Basic and Digest (MD5, SHA-256)"
        before, best = self._challenge, min(known, key=_rank)
        if before is not None:
            renewed = best.is_stale or (self._is_proven and best.nonce != before.nonce)
            if not renewed or tries >= _TRIES_MOST:
                return "refuses the user or the password"
        self._challenge, self._count = best, 0
        return ""


def _rank(challenge: Challenge) -> int:
    if challenge.scheme == "basic":
        return len(_ALGORITHMS)
    return _ALGORITHMS.index(challenge.algorithm)


def basic(credentials: Credentials) -> str:
    """RFC 7617 2, in UTF-8."""
    pair = f"{credentials.user}:{credentials.password}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")


def digest(
    credentials: Credentials, challenge: Challenge, method: str, uri: str, cnonce: str, *, count: int
) -> str:
    """RFC 7616 3.4; where the server names no qop, RFC 2617 3.2.2.1 has the form of RFC 2069."""
    realm, nonce = challenge.parameters.get("realm", ""), challenge.nonce

    def hashed(*parts: str) -> str:
        data = ":".join(parts).encode()
        if challenge.algorithm == "md5":
            return hashlib.md5(data, usedforsecurity=False).hexdigest()
        return hashlib.sha256(data).hexdigest()

    secret = hashed(credentials.user, realm, credentials.password)
    request = hashed(method, uri)
    fields = {"username": credentials.user, "realm": realm, "nonce": nonce, "uri": uri}
    bare: dict[str, str] = {}  # RFC 7616 3.4: these are not quoted
    if challenge.wants_qop:
        bare = {"qop": "auth", "nc": f"{count:08x}"}
        fields["cnonce"] = cnonce
        fields["response"] = hashed(secret, nonce, bare["nc"], cnonce, "auth", request)
    else:
        fields["response"] = hashed(secret, nonce, request)
    for name, told in (("algorithm", bare), ("opaque", fields)):
        if name in challenge.parameters:
            told[name] = challenge.parameters[name]
    quoted = [f'{name}="{_escaped(value)}"' for name, value in fields.items()]
    return "Digest " + ", ".join(quoted + [f"{name}={value}" for name, value in bare.items()])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
