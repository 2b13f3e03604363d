"""What the pilot page shows: how each feed is reached, whether it arrives, and a key once, as it is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from flow.bus import Bus
from flow.errors import ConfigError
from flow.flights import Aircraft, Feed, SourceState, Unsecured
from flow.samples import LinkState
from ingest.settings import PUSHED

from .publish_addresses import WayIn, addresses_of, way_of_telemetry, ways_into
from .publish_keys import PublishKeys
from .qr_codes import QrCodes, qr_of
from .schemas import FeedJson, LinkJson
from .settings import AircraftSettings, FeedSettings, Settings
from .unsecured import how_unsecured
from .views import feed_view, link_view


@dataclass(frozen=True, slots=True)
class ScannedWay:
    """A way in with its QR code."""

    way: WayIn
    qr: Annotated[
        str,
        Meta(
            description="The address as a QR code: a data URI with an SVG; "
            "'': not to be sent to, or not drawn yet"
        ),
    ]


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key, told this once: the service keeps only its hash."""

    key: str
    ways: Annotated[
        list[ScannedWay],
        Meta(description="Best first; WHIP's has the key beside, as Bearer, and in its QR code as `?key=`"),
    ]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Keys taken back."""

    withdrawn: Annotated[int, Meta(description="How many keys the feed had")]


@dataclass(frozen=True, slots=True)
class PilotFeed:
    """One camera as its pilot sees it."""

    feed: FeedJson
    keys: Annotated[int | None, Meta(description="How many keys it has; null: it takes none")]
    keys_readable: Annotated[bool, Meta(description="false: nobody can publish, and `keys` is not known (0)")]
    ways: list[ScannedWay]


@dataclass(frozen=True, slots=True)
class PilotTelemetry:
    """An aircraft's telemetry link."""

    way: WayIn
    unsecured: Annotated[Unsecured | None, Meta(description="Who may send without a key; null: nobody")]
    state: Annotated[LinkJson | None, Meta(description="The link; null: not opened yet")]


@dataclass(frozen=True, slots=True)
class PilotAircraft:
    """One aircraft with its cameras."""

    id: str
    name: str
    telemetry: Annotated[PilotTelemetry | None, Meta(description="null: none is configured")]
    feeds: list[PilotFeed]


@dataclass(frozen=True, slots=True)
class PilotView:
    """Everything the pilot page shows; no key and no other secret."""

    utc_ms: Annotated[float, Meta(description="When this was so: milliseconds since the Unix epoch")]
    srt_encrypted: Annotated[
        bool, Meta(description="SRT needs the passphrase of the settings beside the key")
    ]
    aircraft: list[PilotAircraft]


class PilotDesk:
    """Answers what the pilot page asks."""

    def __init__(self, settings: Settings, bus: Bus, keys: PublishKeys, codes: QrCodes) -> None:
        self._settings, self._bus, self._keys, self._codes = settings, bus, keys, codes
        self._feeds = {feed.id: feed for aircraft in settings.aircraft for feed in aircraft.feed}

    def feed(self, feed_id: str) -> FeedSettings | None:
        return self._feeds.get(feed_id)

    async def view(self, called: str, utc_ms: float) -> PilotView:
        """`called` is how the page was called, such as "http://192.0.2.7:8080"."""
        view = self._view(called, utc_ms)
        if await self._codes.draw(_to_be_drawn(view)):
            view = self._view(called, utc_ms)
        return view

    def _view(self, called: str, utc_ms: float) -> PilotView:
        aircraft = [self._aircraft(each, called) for each in self._settings.aircraft]
        return PilotView(utc_ms, bool(self._settings.publish.srt_passphrase), aircraft)

    def new_key(self, feed: FeedSettings, called: str) -> NewKey:
        """Raises KeysFullError, ConfigError. Waits for the disk."""
        key = self._keys.make(feed.id)
        return NewKey(key, [_with_key(way, key) for way in addresses_of(feed, key, self._settings, called)])

    def withdraw(self, feed: FeedSettings) -> Withdrawn:
        """Raises ConfigError. Waits for the disk."""
        return Withdrawn(self._keys.withdraw(feed.id))

    def _aircraft(self, settings: AircraftSettings, called: str) -> PilotAircraft:
        aircraft = settings.as_aircraft()
        pairs = zip(settings.feed, aircraft.feeds, strict=True)
        feeds = [self._feed(aircraft, feed, source, called) for source, feed in pairs]
        return PilotAircraft(aircraft.id, aircraft.name, self._telemetry(settings, called), feeds)

    def _feed(self, aircraft: Aircraft, feed: Feed, source: FeedSettings, called: str) -> PilotFeed:
        state = self._bus.peek(SourceState, feed.id)
        ways = ways_into(source, self._settings, called, state.address if state else "")
        view = feed_view(self._bus, aircraft, feed)
        if source.source in PUSHED:  # without its key an address is not worth scanning
            return PilotFeed(view, *self._count(feed.id), [ScannedWay(way, "") for way in ways])
        return PilotFeed(view, None, True, [ScannedWay(way, self._codes.kept(way.address)) for way in ways])

    def _count(self, feed_id: str) -> tuple[int, bool]:
        """How many keys the feed has, and whether that is known: what arrives is shown all the same."""
        try:
            return self._keys.count(feed_id), True
        except ConfigError:
            return 0, False

    def _telemetry(self, aircraft: AircraftSettings, called: str) -> PilotTelemetry | None:
        if not aircraft.telemetry_url:
            return None
        state = self._bus.peek(LinkState, aircraft.id)
        way = way_of_telemetry(aircraft.telemetry_url, called, state.address if state else "")
        return PilotTelemetry(way, self._unsecured(aircraft), link_view(state) if state else None)

    def _unsecured(self, aircraft: AircraftSettings) -> Unsecured | None:
        """Of telemetry within a feed's stream, what is so of the feed."""
        feed = self._feeds.get(aircraft.telemetry.removeprefix("feed:"))
        return how_unsecured(feed.source if feed else aircraft.mavlink)


def _with_key(way: WayIn, key: str) -> ScannedWay:
    """As it is scanned: with the key also where that stands apart for those who type."""
    return ScannedWay(way, qr_of(f"{way.address}?key={key}" if way.protocol == "whip" else way.address))


def _to_be_drawn(view: PilotView) -> list[str]:
    """Addresses of a view that lack their QR code: those of inputs without a key that are sent to."""
    return [
        scanned.way.address
        for aircraft in view.aircraft
        for feed in aircraft.feeds
        for scanned in feed.ways
        if feed.keys is None and not scanned.way.pulled and not scanned.qr
    ]
