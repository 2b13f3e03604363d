"""The door's threshold: one listening socket for HTTP, a bound on who stands in it, and clear refusals."""

from __future__ import annotations

import asyncio
import errno
import logging
import os

from aiohttp import web

from flow.errors import ConfigError, LagebildError, PortInUseError

from .access.forwarded import Proxies, through
from .malformed import Malformed, Requests
from .settings import ServerSettings

log = logging.getLogger("lagebild.web")

ANY_ADDRESS = ("0.0.0.0", "::", "")
CONNECTIONS_MOST = 3000
"""Connections beyond are closed at once, so that descriptors remain for pictures and telemetry.

A page keeps one WebSocket for each feed it shows, and for a while two or three requests' connections.
"""


async def listen(
    runner: web.AppRunner, server: ServerSettings, malformed: Malformed
) -> tuple[asyncio.Server, str]:
    """Listen as the settings say; return the listener and the page's address.

    Raises PortInUseError where the port is taken, ConfigError where the address cannot be listened on.
    """
    http = runner.server
    if http is None:
        raise LagebildError("the web application is not set up")
    http.request_factory = through(Proxies(server.proxies), http.request_factory)

    loop = asyncio.get_running_loop()

    def connect() -> asyncio.Protocol:
        return Requests(http, loop, malformed) if len(http.connections) < CONNECTIONS_MOST else _Refused()

    try:
        listener = await loop.create_server(connect, server.host, server.port, reuse_address=True)
    except OSError as error:
        raise _refusal(server, error) from None
    host, port = listener.sockets[0].getsockname()[:2]
    shown = "127.0.0.1" if host in ANY_ADDRESS else host
    return listener, f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


class _Refused(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        log.debug("connection refused: there are %d", CONNECTIONS_MOST)
        transport.abort()


def _refusal(server: ServerSettings, error: OSError) -> ConfigError:
    # asyncio's own text would say the address a second time; a host that has no address has no such number.
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
    problem = f"cannot listen on {server.host}:{server.port} for the web page: {why}"
    if error.errno == errno.EADDRINUSE:
        remedy = "end the other program or choose another port (--port, or server.port in the configuration)"
        return PortInUseError(f"{problem}; {remedy}")
    return ConfigError(
        f"{problem}; check --host and --port, or server.host and server.port in the configuration"
    )
