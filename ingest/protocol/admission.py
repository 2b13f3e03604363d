"""Who may hold a connection without having shown a key: so many at once, and old ones yield to new ones."""

from __future__ import annotations

import ipaddress
from typing import Generic, Protocol, TypeVar

from flow.clock import NS_PER_S

YOUNG_NS = 2 * NS_PER_S
"""Within this a publisher has shown its key: that takes a few round trips, even by a poor mobile network."""


class Visitor(Protocol):
    """A connection; `host` is the address that it comes from."""

    host: str

    @property
    def is_promising(self) -> bool:
        """Whether something came by it, and it was not refused for that."""
        ...


V = TypeVar("V", bound=Visitor)


class Antechamber(Generic[V]):
    """The connections that have shown no key (yet). It never refuses anybody: where it is full, somebody has
    to go for whoever comes, so nobody can keep publishers out by holding connections.

    That is one of the same origin where that has all it may have, else anybody: two aircraft behind one
    router do not push each other out while others hold the room. First who has been here for longer than
    anybody needs, then who says nothing or was refused, then whoever came first: one who only opens
    connections, however fast, does not push out one who speaks.
    """

    def __init__(self, *, most_of_one: int, most: int) -> None:
        """So many of one origin, and altogether."""
        self._most_of_one, self._most = most_of_one, most
        self._since_ns: dict[V, int] = {}

    def enter(self, visitor: V, now_ns: int) -> V | None:
        """Let one in; returns who has to go, and is forgotten already."""
        origin = origin_of(visitor.host)
        same = [other for other in self._since_ns if origin_of(other.host) == origin]
        crowd = same if len(same) >= self._most_of_one else list(self._since_ns)
        leaving: V | None = None
        if crowd is same or len(crowd) >= self._most:
            leaving = min(crowd, key=lambda other: self._rank(other, now_ns))
            del self._since_ns[leaving]
        self._since_ns[visitor] = now_ns
        return leaving

    def leave(self, visitor: V) -> None:
        """It has shown a key, or is gone."""
        self._since_ns.pop(visitor, None)

    def _rank(self, visitor: V, now_ns: int) -> tuple[bool, bool, int]:
        """The least goes first; of equals, `min` takes the first that came."""
        since_ns = self._since_ns[visitor]
        is_young = now_ns - since_ns < YOUNG_NS
        return is_young, is_young and visitor.is_promising, since_ns


def origin_of(host: str) -> str:
    """Whom an address belongs to: of IPv6, everybody has a /64. What is no address stays as it is."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
