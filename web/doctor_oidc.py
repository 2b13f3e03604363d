"""The city's OpenID Connect provider, where there is one: does it answer, and what must it know of us."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence

from flow.clock import SystemClock
from flow.errors import ConfigError

from .doctor_report import Finding, fail, ok
from .listening import ANY_ADDRESS
from .oidc.errors import OidcError
from .oidc.id_token import ALGORITHMS, can_sign
from .oidc.provider import Key, Provider
from .routes.oidc import BACK
from .settings import ServerSettings, Settings
from .unsecured import is_loopback


def check_provider(settings: Settings) -> Iterator[Finding]:
    """Waits for the provider."""
    oidc = settings.oidc
    if not oidc.issuer:
        yield ok("oidc", "not used: local accounts only")
        return
    try:
        keys = asyncio.run(_keys_of(Provider(oidc, SystemClock())))
    except ConfigError as error:
        yield fail("oidc", str(error), "the service does not start until then")
        return
    except OidcError as error:
        todo = (
            "until it answers nobody logs in by it, local accounts do: is the address right, does a firewall "
            "stand between, is its certificate of an authority of your own (oidc.ca)?"
        )
        yield fail("oidc", str(error), todo)
        return
    usable = sum(1 for key in keys if can_sign(key))
    if usable:
        yield ok("oidc", f"{oidc.issuer} answers, with {usable} keys that it signs with")
    else:
        what = f"{oidc.issuer} has no key for {', '.join(ALGORITHMS)}"
        yield fail("oidc", what, "have it sign ID tokens with one of these")
    shown = ", ".join(redirect_uris(settings.server))
    yield ok("oidc", f"the provider must know, for client '{oidc.client_id}', the redirect URI {shown}")


async def _keys_of(provider: Provider) -> Sequence[Key]:
    return await provider.keys()


def redirect_uris(server: ServerSettings) -> list[str]:
    """As far as the settings tell by which names people call the page."""
    hosts = list(server.names)
    if server.host not in ANY_ADDRESS and not (hosts and is_loopback(server.host)):
        hosts.append(server.host)
    at_home = is_loopback(server.host) and not server.proxies
    scheme, standard = ("http", 80) if at_home else ("https", 443)
    port = "" if server.proxies or server.port == standard else f":{server.port}"
    return [f"{scheme}://{_in_url(host)}{port}{BACK}" for host in hosts or [socket.gethostname().lower()]]


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
