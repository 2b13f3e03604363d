"""Whom the settings tell us to call: refused at the start where nobody is to be called there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from flow.errors import ConfigError
from flow.reachable import RefusedAddressError, check_reachable

from .settings import Settings
from .unsecured import host_of

_CALLED = frozenset({"rtsp", "srt", "tcp", "udpout"})
"""Schemes of `source`, `mavlink` and `forward` by which we call."""


def check_outgoing(settings: Settings, where: str) -> None:
    """Raises ConfigError for the first that is never called. Names are judged as they are looked up."""
    for name, host, sends_only in _called(settings):
        try:
            check_reachable(host, host, sends_only=sends_only)
        except RefusedAddressError as error:
            raise ConfigError(f"{where}: {name}: {error}", code="address_refused") from None


def _called(settings: Settings) -> Iterator[tuple[str, str, bool]]:
    """(which setting, the host in it, whether datagrams are only sent there)."""
    for aircraft in settings.aircraft:
        links = (aircraft.mavlink, *aircraft.forward)
        for address in (*links, *(feed.source for feed in aircraft.feed)):
            scheme, _, rest = address.partition(":")
            if scheme.lower() in _CALLED:
                yield f"aircraft '{aircraft.id}': {scheme}", host_of(_place(rest)), scheme == "udpout"
        for feed in aircraft.feed:
            yield f"feed '{feed.id}': ts_out", _host(feed.ts_out), True
    for address in settings.cot.to:
        yield "cot.to", _host(address), address.startswith("udp:")
    yield "oidc.issuer", _host(settings.oidc.issuer), False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _place(rest: str) -> str:
    """Without user and password, and what follows the host."""
    authority = rest.removeprefix("//").partition("/")[0].partition("?")[0]
    return authority.rpartition("@")[2]
