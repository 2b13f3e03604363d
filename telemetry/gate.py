"""Ports of telemetry: how their addresses are written, and who may reach them."""

from __future__ import annotations

import errno
import ipaddress
import socket
from functools import lru_cache
from typing import Any

from flow.errors import ConfigError, PortInUseError


def host_port(url: str, rest: str, forms: str) -> tuple[str, int]:
    """HOST and PORT of `rest`, which is `url` without its scheme. Raises ConfigError naming the `forms`."""
    host, _, port = rest.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"telemetry '{url}': HOST:PORT is missing; use {forms}", code="unsupported_url")
    return host.strip("[]"), int(port)


@lru_cache(maxsize=256)
def shown(kind: str, address: tuple[Any, ...]) -> str:
    """A socket's address as it is configured."""
    host, port = address[:2]
    return f"{kind}:[{host}]:{port}" if ":" in host else f"{kind}:{host}:{port}"


class Gate:
    """Who may reach a port: anybody on a loopback address, else only those named.

    Raises ConfigError for a port that is open to the network without them.
    """

    def __init__(self, url: str, host: str, allow_from: tuple[str, ...], name: str = "allow_from") -> None:
        try:
            self._networks = [ipaddress.ip_network(entry, strict=False) for entry in allow_from]
        except ValueError as error:
            raise ConfigError(f"telemetry '{url}': {name}: {error}", code="address_refused") from None
        if not self._networks and not _is_loopback(host):
            advice = f"name the senders in {name}, or use 127.0.0.1"
            raise ConfigError(f"telemetry '{url}' is open to the network: {advice}", code="address_refused")

    def admits(self, address: tuple[Any, ...]) -> bool:
        if not self._networks:
            return True
        sender = ipaddress.ip_address(str(address[0]).partition("%")[0])
        # A socket bound to "::" shows IPv4 senders as ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
        names = {sender, getattr(sender, "ipv4_mapped", None) or sender}
        return any(name in network for name in names for network in self._networks)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind_error(kind: str, host: str, port: int, error: OSError) -> ConfigError:
    """What to say of a port that cannot be opened."""
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(f"telemetry port {kind}:{host}:{port} is in use by another program")
    text = f"telemetry port {kind}:{host}:{port} cannot be opened: {error.strerror}"
    return ConfigError(text, code="address_refused")


def keep_alive(sock: socket.socket) -> None:
    """Let the kernel notice a peer that has vanished: where we never send, we would wait for it for ever."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
