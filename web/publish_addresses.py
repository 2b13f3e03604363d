"""What a pilot types into an encoder to reach a feed."""

from __future__ import annotations

import socket

from flow.errors import ConfigError
from ingest.settings import PUSHED

from .listening import ANY_ADDRESS
from .settings import FeedSettings, Settings


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


def addresses_of(feed: FeedSettings, key: str, settings: Settings) -> list[str]:
    """One address for each protocol that the feed is pushed by, with its key, best first."""
    publish, server = settings.publish, settings.server
    host = publish.host or server.host
    host = reachable_host() if host in ANY_ADDRESS else host
    host = f"[{host}]" if ":" in host else host
    page = f"[{server.host}]" if ":" in server.host else server.host
    page = host if server.host in ANY_ADDRESS else page
    addresses = {
        "srt": f"srt://{host}:{publish.srt_port}?streamid=publish:{feed.id}:{key}",
        "rtmp": f"rtmp://{host}:{publish.rtmp_port}/live/{feed.id}?key={key}",
        "whip": f"http://{page}:{server.port}/live/{feed.id}/whip?key={key}",
    }
    return [address for protocol, address in addresses.items() if protocol in PUSHED[feed.source]]


def reachable_host() -> str:
    """This machine's address on its way out, for a service that listens on all; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737), discard
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
