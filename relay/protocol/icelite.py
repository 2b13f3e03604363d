"""The ICE agent of one viewer session: RFC 8445 lite, always controlled, consent by RFC 7675.

A lite agent sends no checks. It answers the viewer's, learns from them where the viewer is, and takes each
of them, being signed with our password, as consent to send.
"""

from __future__ import annotations

import secrets
import string
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flow.errors import MalformedError

from . import stun

P = TypeVar("P", bound=Hashable)
"""A way to the viewer: the local and the remote address of a datagram, or a TCP connection."""

CONSENT_NS = 30_000_000_000
"""RFC 7675 5.1: consent expires 30 s after the last check that was answered."""

SILENT_NS = 15_000_000_000
"""Three consent checks missed (RFC 7675 5.1: each 4 to 6 s): another path that is checked is better."""

HELD_NS = 5_000_000_000
"""A path that was heard so lately is in use; a browser in good order is heard every second or two."""

MAX_PATHS = 8
REMEMBERED_CHECKS = 256

_ICE_CHARS = string.ascii_letters + string.digits
_KNOWN = {stun.USERNAME, stun.MESSAGE_INTEGRITY, stun.PRIORITY, stun.USE_CANDIDATE}
_OPTIONAL_FROM = 0x8000


@dataclass(frozen=True, slots=True)
class Credentials:
    """`ice-ufrag` and `ice-pwd` of one side (RFC 8839 5.4)."""

    ufrag: str
    password: str = field(repr=False)

    @classmethod
    def fresh(cls) -> Credentials:
        """Random ones: 47 bits for the name, which only has to be unique, 142 for the password."""
        return cls(_random(8), _random(24))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ICE_CHARS) for _ in range(length))


class IceLite(Generic[P]):
    """Answers the checks of one viewer and knows where to send.

    Holds at most MAX_PATHS paths and the transaction ids of the last REMEMBERED_CHECKS checks (at one check
    every 2.5 s, the last ten minutes). Once one of them is forgotten, a check from a path never seen before
    may be that one, repeated by somebody else: it counts only if the path in use has fallen silent.
    `refused` counts by reason what was not accepted.
    """

    def __init__(self, local: Credentials, remote: Credentials, now_ns: int) -> None:
        self._username = f"{local.ufrag}:{remote.ufrag}".encode("ascii", "replace")
        self._key = local.password.encode()
        self._path: P | None = None
        self._checked_ns: dict[P, int] = {}
        self._transactions: dict[bytes, P | None] = {}  # None: its path is closed
        self._remembers_all = True
        self._dropped: list[P] = []
        self.checked = False
        """Whether any authenticated check has come: DTLS may be sent from then on, before nomination."""
        self.consent_until_ns = now_ns + CONSENT_NS
        """Until when we may send: 30 s from the last check of `path`; before one, from the beginning."""
        self.refused: Counter[str] = Counter()

    @property
    def path(self) -> P | None:
        """Where to send: the path nominated last; until there is one, the first that was checked."""
        return self._path

    @property
    def paths(self) -> Mapping[P, int]:
        """Every path with an authenticated check and when the last one came."""
        return self._checked_ns

    @property
    def heard_ns(self) -> int:
        """When the viewer was last heard by the path in use."""
        return self.consent_until_ns - CONSENT_NS

    def dropped(self) -> list[P]:
        """The paths that had to make room for others since this was last asked."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def handle(self, datagram: bytes, path: P, source: stun.Address, now_ns: int) -> bytes | None:
        """The answer to send back on `path` to a check that came from `source`; None where there is none.

        Silence for everything unsigned: whoever does not know the password learns nothing, and a forged
        sender is not sent our answers.
        """
        try:
            message = stun.parse(datagram)
        except MalformedError:
            self.refused["malformed"] += 1
            return None
        fault = self._fault_of(message, path, now_ns)
        if fault is not None:
            self.refused[fault] += 1
            return None
        return self._answer(message, path, source, now_ns)

    def heard(self, path: P, now_ns: int) -> None:
        """Something protected with the viewer's own SRTP keys came by `path`.

        That is as good as a check: it comes from the viewer, it is no replay, and it is feedback on what we
        send there. Some agents (libnice 0.1.21) make no consent checks at all.
        """
        if path == self._path:
            self._checked_ns[path] = now_ns
            self.consent_until_ns = now_ns + CONSENT_NS

    def forget(self, path: P) -> None:
        """`path` is closed; the path checked last takes its place."""
        self._checked_ns.pop(path, None)
        for transaction_id, used in self._transactions.items():
            if used == path:
                self._transactions[transaction_id] = None
        if path == self._path:
            self._path = max(self._checked_ns, key=self._checked_ns.__getitem__, default=None)
            if self._path is not None:
                self.consent_until_ns = self._checked_ns[self._path] + CONSENT_NS

    def _fault_of(self, message: stun.Message, path: P, now_ns: int) -> str | None:
        if message.kind != stun.BINDING_REQUEST:
            return "no request"
        if message.attributes.get(stun.USERNAME) != self._username:
            return "username"
        if not message.is_signed_with(self._key):
            return "integrity"
        # A check repeated from elsewhere is somebody who wants the video sent to him (RFC 8445 19.2).
        if self._transactions.get(message.transaction_id, path) != path:
            return "replayed"
        held = self._path is not None and now_ns - self.heard_ns < HELD_NS
        if held and path not in self._checked_ns and not self._remembers_all:
            return "late path"
        return None

    def _answer(self, message: stun.Message, path: P, source: stun.Address, now_ns: int) -> bytes:
        again = message.transaction_id in self._transactions
        self._remember(message.transaction_id, path)
        unknown = [kind for kind in message.attributes if kind < _OPTIONAL_FROM and kind not in _KNOWN]
        if unknown:  # RFC 8489 6.3.1
            self.refused["unknown attribute"] += 1
            return stun.error(message.transaction_id, 420, "Unknown Attribute", self._key, unknown)
        if stun.ICE_CONTROLLED in message.attributes:
            # RFC 8445 6.1.1: beside a lite agent the full one controls, whatever the tie-breakers say;
            # 487 makes it change its role (7.2.5.1).
            self.refused["role conflict"] += 1
            return stun.error(message.transaction_id, 487, "Role Conflict", self._key)
        if not again:  # a retransmission is answered again, but proves nothing about now
            self._take(path, stun.USE_CANDIDATE in message.attributes, now_ns)
        return stun.success(message.transaction_id, source, self._key)

    def _remember(self, transaction_id: bytes, path: P) -> None:
        self._transactions[transaction_id] = path
        if len(self._transactions) > REMEMBERED_CHECKS:
            del self._transactions[next(iter(self._transactions))]
            self._remembers_all = False

    def _take(self, path: P, nominated: bool, now_ns: int) -> None:
        silent = self._path is not None and now_ns - self._checked_ns[self._path] > SILENT_NS
        self._checked_ns[path] = now_ns
        if nominated or self._path is None or silent:
            self._path = path
        if path == self._path:
            self.consent_until_ns = now_ns + CONSENT_NS
        self.checked = True
        if len(self._checked_ns) > MAX_PATHS:
            others = (p for p in self._checked_ns if p not in (path, self._path))
            oldest = min(others, key=self._checked_ns.__getitem__)
            del self._checked_ns[oldest]
            self._dropped.append(oldest)
