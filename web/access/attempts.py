"""By what an attempt to log in is counted: its address and its account, or its device; and all together.

A device on which the account has logged in before is counted by itself, so that nobody else's attempts lock
it out, wherever it is. Whoever has a whole network to guess from is met by the budget of strangers.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from .book import Account, Book
from .recognise import digest_of
from .sessions import device_cookie_name, is_known_device
from .store import AccessStore
from .throttle import Budget, Pace, Throttle

OF_ACCOUNT = Pace(free=5, first_s=1.0, longest_s=300.0, forgives=True)
OF_ADDRESS = Pace(free=20, first_s=1.0, longest_s=900.0)
OF_DEVICE = Pace(free=10, first_s=1.0, longest_s=60.0, forgives=True)
"""A station shares one address; whoever guesses from it soon waits longer than the account he guesses at."""

STRANGERS_PER_S, STRANGERS_AT_ONCE = 3.0, 30
"""Logins from addresses where nobody is logged in, all together: whoever has a whole network to guess from
costs 5 % of a core. He keeps others out who log in elsewhere for the first time; they get a one-time link.
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, counted by each of these, and at the cost of the budget."""

    counted_by: list[tuple[Throttle, str]]
    budget: Budget | None = None

    def begin(self, now_ns: int) -> int:
        """How many were refused since the last one. Raises ThrottledError; then nothing is counted."""
        for throttle, key in self.counted_by:
            throttle.check(key, now_ns)
        if self.budget:
            self.budget.check(now_ns)
            self.budget.spend(now_ns)
        return sum(throttle.count(key, now_ns) for throttle, key in self.counted_by)

    def succeed(self) -> None:
        for throttle, key in self.counted_by:
            throttle.succeed(key)

    def take_back(self) -> None:
        """No password was looked at."""
        for throttle, key in self.counted_by:
            throttle.take_back(key)
        if self.budget:
            self.budget.take_back()


class Attempts:
    """What was tried lately; of logins only their hashes are kept: people type passwords there."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store
        self._accounts, self._addresses = Throttle(OF_ACCOUNT), Throttle(OF_ADDRESS)
        self._devices = Throttle(OF_DEVICE)
        self._strangers = Budget(STRANGERS_PER_S, STRANGERS_AT_ONCE)
        self._familiar: tuple[Book | None, frozenset[str]] = (None, frozenset())

    def of_login(
        self, login: str, account: Account | None, address: str, cookies: Mapping[str, str]
    ) -> Attempt:
        """`account` is whose login it is, if anybody's."""
        if account is not None:
            known = cookies.get(device_cookie_name(account.id), "")
            if is_known_device(self._store.book.house_key, account.id, known):
                return Attempt([(self._devices, digest_of(known))])
        near = _neighbourhood(address)
        budget = None if near in self._familiar_addresses() else self._strangers
        return Attempt([(self._addresses, near), (self._accounts, _key_of(login))], budget)

    def of_session(self, session_id: str) -> Attempt:
        """Of somebody who is logged in, and says his password once more."""
        return Attempt([(self._devices, f"session {session_id}")])

    def pardon(self, login: str) -> None:
        """Whoever came by a link is who he says: he need not wait for what others have tried."""
        self._accounts.forget(_key_of(login))

    def _familiar_addresses(self) -> frozenset[str]:
        """Where somebody is logged in now."""
        book = self._store.book
        if self._familiar[0] is not book:
            addresses = {each.address for each in book.sessions.values()}
            self._familiar = book, frozenset(map(_neighbourhood, addresses))
        return self._familiar[1]


def _key_of(login: str) -> str:
    return hashlib.sha256(login.strip().lower().encode("utf-8", "surrogateescape")).hexdigest()


def _neighbourhood(address: str) -> str:
    """What one caller has to itself: an IPv4 address, or a /64 (RFC 6177)."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4 or known.ipv4_mapped:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False))
