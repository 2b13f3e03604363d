"""A share by datagrams: to a ground station that is named, or to those that have said something."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from flow.clock import NS_PER_S
from flow.errors import ConfigError
from flow.reachable import RefusedAddressError, check_reachable
from telemetry.gate import Gate, bind_error, shown

from .client import CLIENTS_MOST, Client, of_a_port
from .ledger import Ledger

FORGOTTEN_NS = 10 * NS_PER_S
"""Ten heartbeats of a ground station; so long, too, would a forged sender be told what it never asked for."""
DATAGRAMS_MOST = 256
"""Read in one turn, 20 turns a second: a flood costs so much and no more; the kernel drops the rest."""
DATAGRAM_BYTES = 2048

Address = tuple[Any, ...]


class UdpShare:
    """One socket of our own, which no link knows. With `target`, only that one is told."""

    def __init__(
        self, sock: socket.socket, url: str, ledger: Ledger, gate: Gate | None, target: Address | None
    ) -> None:
        self._socket, self._ledger, self._gate, self._target = sock, ledger, gate, target
        self.address = url if target else shown("udpin", sock.getsockname())
        self._clients: dict[Address, Client] = {}
        self._heard = of_a_port()
        if target:
            self._clients[target] = Client(shown("udp", target), 0, known=True)

    @property
    def stations(self) -> list[str]:
        return [client.name for client in self._clients.values() if client.known and not client.aircraft]

    @property
    def aircraft(self) -> str:
        """Somebody who would be told, were it no aircraft; "" if nobody."""
        return next((client.name for client in self._clients.values() if client.aircraft), "")

    def send(self, message: bytes) -> None:
        """One datagram to each station, or to none that cannot take it now."""
        for address, client in self._clients.items():
            if not client.known or client.aircraft:
                continue
            try:
                self._socket.sendto(message, address)
            except OSError:  # its way is full, or there is none just now
                self._ledger.lost += 1

    def poll(self, shared: frozenset[int], now_ns: int) -> None:
        """Read what has come, a bounded lot of it, and forget who says nothing any more."""
        for _ in range(DATAGRAMS_MOST):
            try:
                data, address = self._socket.recvfrom(DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error of what was sent
            if client := self._client(address, now_ns):
                client.hear(data, self._ledger, shared, now_ns, self._heard, datagram=True)
        if not self._target:
            silent = [a for a, c in self._clients.items() if now_ns - c.heard_ns > FORGOTTEN_NS]
            for address in silent:
                del self._clients[address]

    def _client(self, address: Address, now_ns: int) -> Client | None:
        """Who that is; None for whom nothing is read."""
        if self._target:  # only that one knows this socket, whichever address it answers from
            return self._clients[self._target]
        if address in self._clients:
            return self._clients[address]
        if self._gate is None or not self._gate.admits(address):
            return None
        if len(self._clients) >= CLIENTS_MOST and not self._make_room():
            return None
        return self._clients.setdefault(address, Client(shown("udp", address), now_ns))

    def _make_room(self) -> bool:
        """Strangers hold no place that a ground station needs; the one unheard for longest goes."""
        strangers = [a for a, client in self._clients.items() if not client.known]
        if strangers:
            del self._clients[min(strangers, key=lambda a: self._clients[a].heard_ns)]
        return bool(strangers)

    async def aclose(self) -> None:
        self._socket.close()


async def open_udp(url: str, host: str, port: int, ledger: Ledger, gate: Gate | None) -> UdpShare:
    """Listen at HOST:PORT with `gate`, send there without. Raises ConfigError, PortInUseError."""
    loop = asyncio.get_running_loop()
    try:
        flags = socket.AI_PASSIVE if gate else 0
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=flags)
        if not gate:
            check_reachable(host, str(found[0][4][0]), sends_only=True)
    except RefusedAddressError as error:
        raise ConfigError(f"telemetry '{url}': {error}", code="address_refused") from None
    except OSError as error:
        text = f"telemetry '{url}': '{host}' is not found: {error.strerror}"
        raise ConfigError(text, code="address_refused") from None
    family, _, _, _, address = found[0]
    with contextlib.ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        sock.setblocking(False)
        if gate:
            try:
                sock.bind(address)
            except OSError as error:
                raise bind_error("udpin", host, port, error) from None
        undo.pop_all()
    return UdpShare(sock, url, ledger, gate, None if gate else address)
