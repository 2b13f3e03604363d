"""The door's threshold: where the page is listened for, encrypted or not, and clear refusals."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable

from aiohttp import web

from flow.errors import ConfigError, LagebildError, PortInUseError

from .access.forwarded import Proxies, through
from .arrivals import Arrivals, Connect, Leave, tell_of_tls
from .limits import Crowd
from .malformed import Malformed, Requests
from .patience import Patience, timed
from .settings import ServerSettings
from .unsecured import is_loopback

log = logging.getLogger("lagebild.web")

ANY_ADDRESS = ("0.0.0.0", "::", "")
_BACKLOG = 100


class Listener:
    """Where the page is, for as long as somebody may come in."""

    def __init__(self, arrivals: Arrivals, plain: web.Server, url: str) -> None:
        self.url = url
        self._arrivals, self._plain = arrivals, plain

    def close(self) -> None:
        """Nobody comes in any more."""
        self._arrivals.close()

    async def aclose(self) -> None:
        """And who was still being greeted is let go of."""
        await self._arrivals.aclose()
        await self._plain.shutdown(0)


async def listen(
    runner: web.AppRunner,
    server: ServerSettings,
    malformed: Malformed,
    crowd: Crowd,
    *,
    context: Callable[[], ssl.SSLContext] | None = None,
    patience: Patience | None = None,
) -> Listener:
    """Listen as the settings say; with `context` TLS is spoken, without it only this machine and the proxies
    are let in.

    Raises PortInUseError where the port is taken, ConfigError where the address cannot be listened on, or the
    page would go over the network in the clear.
    """
    http = runner.server
    if http is None:
        raise LagebildError("the web application is not set up")
    proxies = Proxies(server.proxies)
    if context is None and not proxies and not is_loopback(server.host):
        raise ConfigError(
            f"on {server.host} the page would go over the network in the clear: set tls.certificate and "
            "tls.key, or name the reverse proxies that encrypt it in server.proxies"
        )
    http.request_factory = timed(through(proxies, http.request_factory))
    plain = web.Server(tell_of_tls)
    plain.request_factory = timed(plain.request_factory)
    loop = asyncio.get_running_loop()

    def enter(address: str) -> Leave | None:
        speaks_for_others = address in proxies
        if context is None and proxies and not speaks_for_others and not is_loopback(address):
            malformed.refuse(address, "comes from no proxy of server.proxies, without TLS,")
            return None
        return crowd.enter(address, speaks_for_others=speaks_for_others)

    def connection(to: web.Server) -> Connect:
        return lambda leave: Requests(to, loop, malformed, leave, patience)

    sockets = _listening(server)
    arrivals = Arrivals(sockets, enter, connection(http), plain=connection(plain), context=context)
    host, port = sockets[0].getsockname()[:2]
    shown = "127.0.0.1" if host in ANY_ADDRESS else f"[{host}]" if ":" in host else host
    return Listener(arrivals, plain, f"{'https' if context else 'http'}://{shown}:{port}/")


def _listening(server: ServerSettings) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            server.host or None, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            listening = socket.socket(family, kind, protocol)
            sockets.append(listening)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.setblocking(False)
            listening.bind(address)
            listening.listen(_BACKLOG)
    except OSError as error:
        for each in sockets:
            each.close()
        raise _refusal(server, error) from None
    return sockets


def _refusal(server: ServerSettings, error: OSError) -> ConfigError:
    # A host that has no address has no such number.
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    problem = f"cannot listen on {server.host}:{server.port} for the web page: {why}"
    if error.errno == errno.EADDRINUSE:
        remedy = "end the other program or choose another port (--port, or server.port in the configuration)"
        return PortInUseError(f"{problem}; {remedy}")
    return ConfigError(
        f"{problem}; check --host and --port, or server.host and server.port in the configuration"
    )
