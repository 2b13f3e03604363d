"""How much anybody may ask for: requests and connections by address, and what a page may say.

Behind one address may stand a whole command vehicle, so all of it grows with `viewers.per_address`. Nobody
is counted who calls from this machine while only this machine can call.
"""

from __future__ import annotations

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from flow.clock import NS_PER_S, Clock

from .access.door import route_of
from .errors import RequestError
from .settings import Settings
from .unsecured import is_loopback

CONNECTIONS_MOST = 3000
"""Connections beyond are closed at once, so that descriptors remain for pictures and telemetry."""

CONNECTIONS_A_DEVICE = 8
"""A browser opens six for requests, and one for each WebSocket."""

DEVICES_LEAST = 20  # behind one address, whatever `viewers.per_address` says
REQUESTS_A_SECOND = 1  # of each device: a page asks every second
REQUESTS_AT_ONCE = 10  # of each device: its page, and what that asks for first

HEAD_MOST_BYTES = 32 * 1024

_ADDRESSES_KEPT = 4096
_IPV6_SUBSCRIBER = 64  # bits: who has one address of it has them all (RFC 6177)

COSTS: Mapping[tuple[str, str], float] = {
    ("GET", "/assets/{name}"): 0.2,  # a file of the page, which the browser keeps
    ("POST", "/live/{feed}/whep"): 5.0,  # a DTLS handshake comes of it
    ("POST", "/live/{feed}/whip"): 5.0,
    ("POST", "/api/v1/login"): 10.0,  # argon2id
    ("POST", "/api/v1/invited"): 10.0,
    ("PUT", "/api/v1/me/password"): 10.0,
    ("POST", "/api/v1/enter"): 5.0,
}
"""What a request counts as; others as one."""


class Ration:
    """`burst` at once, then `a_second`, for each address. Forgets who has not asked for longest."""

    def __init__(self, clock: Clock, burst: float, a_second: float) -> None:
        self._clock, self._burst, self._a_second = clock, burst, a_second
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()  # how much yet, as of when

    def take(self, who: str, cost: float = 1.0) -> bool:
        """Whether there is so much left; then it is taken."""
        now_ns = self._clock.now_ns()
        left, since_ns = self._left.pop(who, (self._burst, now_ns))
        left = min(self._burst, left + self._a_second * (now_ns - since_ns) / NS_PER_S)
        enough = left >= cost
        self._left[who] = (left - cost if enough else left), now_ns
        if len(self._left) > _ADDRESSES_KEPT:
            self._left.popitem(last=False)
        return enough


@dataclass(frozen=True, slots=True)
class Measure:
    """How much is much."""

    devices: int = 100  # behind one address
    connections: int = 3000

    @property
    def connections_an_address(self) -> int:
        return CONNECTIONS_A_DEVICE * self.devices


class Crowd:
    """Everybody who is connected, by address, and how fast each asks."""

    def __init__(
        self, clock: Clock, measure: Measure, uncounted: Callable[[str], bool] = lambda _: False
    ) -> None:
        self._measure, self._uncounted = measure, uncounted
        self._all = 0
        self._here: Counter[str] = Counter()
        burst, a_second = REQUESTS_AT_ONCE * measure.devices, REQUESTS_A_SECOND * measure.devices
        self._requests, self._arrivals = Ration(clock, burst, a_second), Ration(clock, burst, a_second)

    def enter(self, address: str, *, speaks_for_others: bool = False) -> Callable[[], None] | None:
        """A connection from there: what says that it has ended; None where it is one too many."""
        who = "" if speaks_for_others or self._uncounted(address) else subscriber(address)
        if self._all >= self._measure.connections:
            return None
        if who and (self._here[who] >= self._measure.connections_an_address or not self._arrivals.take(who)):
            return None
        self._all += 1
        self._here[who] += 1
        gone = False

        def leave() -> None:
            nonlocal gone
            if not gone:
                gone = True
                self._all -= 1
                self._here[who] -= 1
                if not self._here[who]:
                    del self._here[who]

        return leave

    def may_ask(self, address: str, cost: float) -> bool:
        return self._uncounted(address) or self._requests.take(subscriber(address), cost)


def crowd_of(settings: Settings, clock: Clock) -> Crowd:
    server = settings.server
    alone = settings.access.this_machine and is_loopback(server.host) and not server.proxies
    measure = Measure(max(DEVICES_LEAST, settings.viewers.per_address), CONNECTIONS_MOST)
    return Crowd(clock, measure, is_loopback if alone else lambda _: False)


def rationing(crowd: Crowd) -> Callable[..., Awaitable[web.StreamResponse]]:
    """A middleware that refuses what is too much, before anybody looks at it."""

    @web.middleware
    async def rationed(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if sum(len(name) + len(value) for name, value in request.raw_headers) > HEAD_MOST_BYTES:
            raise RequestError("the headers are too long", code="too_long", status=431)
        cost = COSTS.get((request.method, route_of(request)), 1.0)
        if not crowd.may_ask(request.remote or "", cost):
            raise RequestError("too many requests from this address", code="too_fast", status=429)
        return await handler(request)

    return rationed


def subscriber(address: str) -> str:
    """Whom an address stands for."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(ipaddress.ip_network((known, _IPV6_SUBSCRIBER), strict=False).network_address)
