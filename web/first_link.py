"""The one-time link by which a new installation gets its first administrator."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from .listening import ANY_ADDRESS
from .publish_addresses import reachable_host
from .settings import ServerSettings
from .unsecured import is_loopback


def welcome_link(base: str, token: str) -> str:
    """The token stands in the fragment, which browsers send to nobody and no log sees."""
    return f"{base.rstrip('/')}/welcome#{quote(token, safe='')}"


def address_for_people(server: ServerSettings, url: str) -> str:
    """How people call the service that listens at `url`: by its first name, or an address others reach.

    Behind a proxy it is the proxy that they call, by https and its usual port.
    """
    listening = urlsplit(url)
    host = server.names[0] if server.names else _reachable(server, listening.hostname or "")
    printed = f"[{host}]" if ":" in host else host
    if server.proxies:
        return f"https://{printed}"
    return f"{listening.scheme}://{printed}:{listening.port}"


def _reachable(server: ServerSettings, host: str) -> str:
    everywhere = server.host in ANY_ADDRESS or (bool(server.proxies) and is_loopback(host))
    return reachable_host() if everywhere else host
