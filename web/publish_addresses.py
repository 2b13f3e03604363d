"""What a pilot types into an encoder to reach a feed, and what of a feed's own address may be shown."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from flow.errors import ConfigError
from ingest.addresses import HIDDEN, shown
from ingest.settings import PUSHED

from .listening import ANY_ADDRESS
from .settings import FeedSettings, Settings
from .unsecured import host_of, is_loopback, port_of

Protocol = Literal["srt", "rtmp", "whip", "camera", "rtp", "mpegts", "rtsp", "file", "mavlink", "track"]


@dataclass(frozen=True, slots=True)
class WayIn:
    """One way in which pictures or telemetry come."""

    protocol: Protocol
    address: Annotated[str, Meta(description="'…' stands for what is secret, such as the key")]
    local: Annotated[bool, Meta(description="Only programs on the server itself reach it")]
    pulled: Annotated[bool, Meta(description="Lagebild reads from the address; else it is sent to")] = False


def feed_named(feed_id: str, settings: Settings) -> FeedSettings:
    """The feed of that id that publishers bring pictures to. Raises ConfigError."""
    feeds = {feed.id: feed for aircraft in settings.aircraft for feed in aircraft.feed}
    feed = feeds.get(feed_id)
    if feed is None:
        known = ", ".join(feeds) or "none; is --config missing?"
        raise ConfigError(f"no feed '{feed_id}' is configured; there are: {known}")
    if feed.source not in PUSHED:
        raise ConfigError(
            f"feed '{feed_id}' takes its pictures from {feed.source.partition(':')[0]} and needs no key; "
            f"keys are for source = {', '.join(sorted(PUSHED))}"
        )
    return feed


def addresses_of(
    feed: FeedSettings, key: str, settings: Settings, called: str = "", *, with_passphrase: bool = False
) -> list[WayIn]:
    """One way for each protocol that the feed is pushed by, with its key, best first; WHIP's has it beside.
    Where WHIP is taken, a page of ours films ("camera"), its key in the fragment, which no server sees.

    `called` is how the page was called, such as "http://192.0.2.7:8080": where the service listens on all
    addresses, that is the one its caller can reach. SRT's passphrase cannot be withdrawn as a key can, so
    it is told only on request.
    """
    publish, server = settings.publish, settings.server
    host = _reachable(publish.host or server.host, called)
    page, port = _reachable(server.host, called), _page_port(called) or server.port
    passphrase = publish.srt_passphrase if with_passphrase else ""
    secret = f"&passphrase={passphrase}" if passphrase else ""  # of unreserved characters: settings_checks
    origin = f"{urlsplit(called).scheme or 'http'}://{_printed(page)}:{port}"
    addresses: tuple[tuple[Protocol, str, str], ...] = (
        ("srt", host, f"srt://{_printed(host)}:{publish.srt_port}?streamid=publish:{feed.id}:{key}{secret}"),
        ("rtmp", host, f"rtmp://{_printed(host)}:{publish.rtmp_port}/live/{feed.id}?key={key}"),
        ("whip", page, f"{origin}/live/{feed.id}/whip"),
        ("camera", page, f"{origin}/camera/{feed.id}#key={key}"),
    )
    taken = PUSHED[feed.source] | ({"camera"} if "whip" in PUSHED[feed.source] else set())
    return [WayIn(kind, address, is_loopback(at)) for kind, at, address in addresses if kind in taken]


def ways_into(feed: FeedSettings, settings: Settings, called: str, opened: str) -> list[WayIn]:
    """Every way into a feed, without secrets; `opened` is where its source really listens, if known."""
    if feed.source in PUSHED:
        return addresses_of(feed, HIDDEN, settings, called)
    match feed.source.partition(":")[0].lower():
        case "rtp":
            return [_port_of_ours("rtp", opened or feed.source, called)]
        case "udp":
            return [_port_of_ours("mpegts", opened or feed.source, called)]
        case "rtsp":
            return [WayIn("rtsp", shown(feed.source), False, pulled=True)]
        case "srt":
            return [WayIn("srt", shown(feed.source), False, pulled=True)]
        case _:
            return [WayIn("file", shown(feed.source), True, pulled=True)]


def way_of_telemetry(url: str, called: str, opened: str) -> WayIn:
    """Where an aircraft's telemetry is sent to, or read from: `url` is its `mavlink` or its `telemetry`."""
    match url.partition(":")[0]:
        case "udpin" | "tcpin":
            return _port_of_ours("mavlink", opened or url, called)
        case "feed" | "srt" as kind:
            return WayIn("track", url, kind == "srt", pulled=True)
        case "tlog":
            return WayIn("file", url, True, pulled=True)
        case _:
            return WayIn("mavlink", url, False, pulled=True)


def _port_of_ours(kind: Protocol, address: str, called: str) -> WayIn:
    """`address` with a host that a sender can use in place of "all addresses"."""
    scheme, _, rest = address.partition(":")
    slashes = "//" if rest.startswith("//") else ""
    host = _reachable(host_of(rest), called)
    return WayIn(kind, f"{scheme}:{slashes}{_printed(host)}:{port_of(rest)}", is_loopback(host))


def _page_port(called: str) -> int | None:
    """The port by which the page was called, said or not (RFC 9110 4.2)."""
    url = urlsplit(called)
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _reachable(host: str, called: str) -> str:
    """A host that others can name, for one that a server listens on."""
    if host not in ANY_ADDRESS:
        return host
    caller = urlsplit(called).hostname or ""
    return reachable_host() if not caller or is_loopback(caller) else caller


def _printed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def reachable_host() -> str:
    """This machine's address on its way out, for a service that listens on all; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737), discard
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
