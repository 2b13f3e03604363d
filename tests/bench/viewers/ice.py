"""ICE of one viewer (RFC 8445), no I/O: checks every host candidate, keeps to the first that answers."""

from __future__ import annotations

import secrets

from aioice.stun import Class, Message, Method, parse_message

PRIORITY = 0x6E7F_1EFF
RETRY_NS = 50_000_000
"""Between checks until one is answered (RFC 8445 14.2)."""
CONSENT_NS = 5_000_000_000
"""Between checks afterwards (RFC 7675 5.1)."""
ROLE_CONFLICT = 487

Address = tuple[str, int]
Outgoing = list[tuple[bytes, Address]]


class Ice:
    """`handle()` and `due()` return what is to be sent; `path` is where media comes from, once known."""

    def __init__(self) -> None:
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.path: Address | None = None
        self.consents = 0
        self._controlling = True
        self._tie_breaker = secrets.randbits(64)
        self._candidates: tuple[Address, ...] = ()
        self._username = ""
        self._key = b""
        self._asked: dict[bytes, Address] = {}
        self._nominated = False
        self._next_ns = 0

    def start(self, candidates: tuple[Address, ...], ufrag: str, password: str, *, controlling: bool) -> None:
        """The other side is known: check its candidates from now on."""
        self._candidates, self._controlling = candidates, controlling
        self._username, self._key = f"{ufrag}:{self.ufrag}", password.encode()

    def due(self, now_ns: int) -> Outgoing:
        if not self._key or now_ns < self._next_ns:
            return []
        done = self.path is not None and (self._nominated or not self._controlling)
        self._next_ns = now_ns + (CONSENT_NS if done else RETRY_NS)
        return [self._check(a) for a in ([self.path] if self.path else self._candidates)]

    def handle(self, data: bytes, source: Address) -> Outgoing:
        """Take one STUN message; what is not authentic is ignored."""
        try:
            message = parse_message(data)
        except ValueError:
            return []
        if message.message_class == Class.REQUEST:
            return self._answer(message, source)
        asked = self._asked.pop(message.transaction_id, None)
        if message.message_class == Class.ERROR and message.error_code == ROLE_CONFLICT:
            self._controlling = not self._controlling
            self._next_ns = 0
        elif asked and message.message_class == Class.RESPONSE and message.check_message_integrity(self._key):
            return self._answered(asked)
        return []

    def _answered(self, by: Address) -> Outgoing:
        self._asked.clear()
        if self._nominated:
            self.consents += 1
            return []
        if self.path is None:
            self.path = by
            return [self._check(by)] if self._controlling else []
        self._nominated = True
        return []

    def _answer(self, request: Message, source: Address) -> Outgoing:
        if not request.check_message_integrity(self.password.encode()):
            return []
        if "USE-CANDIDATE" in request.attributes and not self._controlling:
            self.path, self._nominated = source, True
        response = Message(Method.BINDING, Class.RESPONSE, request.transaction_id)
        response.attributes["XOR-MAPPED-ADDRESS"] = source
        response.add_message_integrity(self.password.encode())
        # RFC 8445 7.3.1.4: a check in return. It also finds the way where no candidate did.
        returned = [self._check(source)] if self._key and self.path is None else []
        return [(bytes(response), source), *returned]

    def _check(self, to: Address) -> tuple[bytes, Address]:
        request = Message(Method.BINDING, Class.REQUEST)
        request.attributes["USERNAME"] = self._username
        request.attributes["PRIORITY"] = PRIORITY
        role = "ICE-CONTROLLING" if self._controlling else "ICE-CONTROLLED"
        request.attributes[role] = self._tie_breaker
        if self._controlling and self.path is not None:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._key)
        self._asked[request.transaction_id] = to
        return bytes(request), to
