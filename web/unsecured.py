"""Which inputs take what comes without a key, and so from whom."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flow.flights import Unsecured

_LISTENING = frozenset({"rtp", "udp", "udpin", "tcpin"})
"""Schemes of `source` and `mavlink` that open a port of ours and have no place for a key."""


def how_unsecured(address: str) -> Unsecured | None:
    """How strangers are kept away from a `source` or `mavlink` that carries no key; None for all others."""
    scheme, _, rest = address.partition(":")
    if scheme.lower() not in _LISTENING:
        return None
    return Unsecured.LOCAL if is_loopback(host_of(rest)) else Unsecured.NAMED


def host_of(rest: str) -> str:
    """The host of "//HOST:PORT" or "HOST:PORT", without brackets; "" where there is none."""
    try:
        return urlsplit(f"//{rest.removeprefix('//')}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach a port of this host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def port_of(rest: str) -> int:
    """The port of "//HOST:PORT" or "HOST:PORT"; 0 where there is none."""
    try:
        return urlsplit(f"//{rest.removeprefix('//')}").port or 0
    except ValueError:
        return 0
