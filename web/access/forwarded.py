"""What reverse proxies say of a request that they pass on: from whom it comes, and whether encrypted.

Only those that `server.proxies` names are believed. What they say becomes the request's own `remote` and
`scheme`, before anything looks at it: limits, cookies, the log and addresses made for people need not know
of proxies.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from aiohttp import hdrs, web

from flow.errors import ConfigError

Factory: TypeAlias = Callable[..., Any]
"""Makes a request of what came; aiohttp's Server.request_factory."""


class Proxies:
    """The reverse proxies that speak for others: addresses, or networks such as "172.18.0.0/16"."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        """Raises ConfigError for what is no address, and for a network of everybody."""
        self._networks = tuple(_network(each) for each in named)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._networks)

    def client(self, peer: str, forwarded: Iterable[str]) -> str:
        """Who calls, where `peer` is connected and X-Forwarded-For says that; the last who is no proxy.

        What stands before him he may have written himself.
        """
        hops = [hop.strip() for line in forwarded for hop in line.split(",")]
        while peer in self and hops:
            hop = hops.pop()
            if not _is_address(hop):
                break
            peer = hop
        return peer


def through(proxies: Proxies, factory: Factory) -> Factory:
    """`factory`, whose requests say what the proxies say."""

    def seen(*parts: Any) -> Any:
        request: web.BaseRequest = factory(*parts)
        peer = request.remote or ""
        if peer not in proxies:
            return request
        headers = request.headers
        said = headers.getall("X-Forwarded-Proto", [request.scheme])[-1].rpartition(",")[2].strip().lower()
        scheme = said if said in ("http", "https") else request.scheme
        client = proxies.client(peer, headers.getall(hdrs.X_FORWARDED_FOR, []))
        return request.clone(scheme=scheme, remote=client)

    return seen


def is_secure(request: web.BaseRequest) -> bool:
    """Whether its caller's way to us (or to our proxy) is encrypted: then cookies are Secure."""
    return request.scheme == "https"


def origin_url(request: web.BaseRequest) -> str:
    """How its caller calls this service: "https://elw.example:8443", for addresses made for people."""
    return f"{request.scheme}://{request.host}"


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ConfigError(
            f"server.proxies: '{text}' is neither an address nor a network such as 172.18.0.0/16"
        ) from None
    if network.prefixlen == 0:
        raise ConfigError(f"server.proxies: {text} is everybody; name the proxies alone")
    return network


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
