"""What the pilot page shows: how each feed is reached, whether it arrives, and a key once, as it is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from flow.bus import Bus, unit_key
from flow.doors import RelayDoor
from flow.errors import ConfigError
from flow.flights import Feed, PictureHealth, RenditionState, SourceState
from flow.samples import LinkState
from ingest.settings import PUSHED

from .feed_history import FeedHistory, FeedMoment
from .key_watch import KeyWatch
from .pilot_aircraft import AircraftDesk, PilotAlarm, PilotForward, PilotTelemetry, Pointed
from .pilot_outputs import PilotOutput, outputs_of
from .pilot_steps import Known, StepView, steps_of
from .publish_addresses import WayIn, addresses_of, ways_into
from .publish_keys import KeyStanding, PublishKeys
from .qr_codes import QrCodes, qr_of
from .schemas import FeedJson
from .settings import AircraftSettings, FeedSettings, Settings
from .views import MADE, feed_view


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
    rotated: Annotated[
        int, Meta(description="How many others let nobody in any more; who sends with one goes on")
    ]
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
    publisher_key: Annotated[
        KeyStanding | None,
        Meta(
            description="With which key whoever sends has come; rotated: a newer one took its place. "
            "null: nobody sends, or it takes no keys, or they cannot be read"
        ),
    ]
    ways: list[ScannedWay]
    steps: Annotated[
        list[StepView], Meta(description="What must be well for its picture to be seen, in order")
    ]
    viewers: Annotated[int, Meta(description="How many watch it now")]
    newest: Annotated[FeedMoment | None, Meta(description="Its last second; null: not counted yet")]


@dataclass(frozen=True, slots=True)
class PilotAircraft:
    """One aircraft with its cameras."""

    id: str
    name: str
    telemetry: Annotated[PilotTelemetry | None, Meta(description="null: none is configured")]
    forward: Annotated[PilotForward | None, Meta(description="null: it is not shared with ground stations")]
    alarms: Annotated[list[PilotAlarm], Meta(description="Those that are not over, the newest first")]
    pointed: Annotated[Pointed | None, Meta(description="null: no place is marked")]
    feeds: list[PilotFeed]


@dataclass(frozen=True, slots=True)
class PilotView:
    """Everything the pilot page shows; no key and no other secret."""

    utc_ms: Annotated[float, Meta(description="When this was so: milliseconds since the Unix epoch")]
    srt_encrypted: Annotated[
        bool, Meta(description="SRT needs the passphrase of the settings beside the key")
    ]
    aircraft: list[PilotAircraft]
    outputs: Annotated[list[PilotOutput], Meta(description="Where something is sent to, such as TAK")]


class PilotDesk:
    """Answers what the pilot page asks."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        keys: PublishKeys,
        codes: QrCodes,
        *,
        aircraft: AircraftDesk,
        history: FeedHistory,
        relay: RelayDoor,
        watch: KeyWatch,
    ) -> None:
        self._watch = watch
        self._settings, self._bus, self._keys, self._codes = settings, bus, keys, codes
        self._of_aircraft, self._history, self._relay = aircraft, history, relay
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
        watch = Counter(viewer.feed_id for viewer in self._relay.viewers())
        aircraft = [self._aircraft(each, called, watch) for each in self._settings.aircraft]
        outputs = outputs_of(self._settings, self._bus)
        return PilotView(utc_ms, bool(self._settings.publish.srt_passphrase), aircraft, outputs)

    def new_key(self, feed: FeedSettings, called: str, *, rotate: bool = False) -> NewKey:
        """Beside the others, or in their place. Raises KeysFullError, ConfigError. Waits for the disk."""
        key, rotated = self._keys.rotate(feed.id) if rotate else (self._keys.make(feed.id), 0)
        ways = addresses_of(feed, key, self._settings, called)
        return NewKey(key, rotated, [_with_key(way, key) for way in ways])

    def withdraw(self, feed: FeedSettings) -> Withdrawn:
        """Raises ConfigError. Waits for the disk."""
        return Withdrawn(self._keys.withdraw(feed.id))

    def _aircraft(self, settings: AircraftSettings, called: str, watch: Counter[str]) -> PilotAircraft:
        aircraft, desk = settings.as_aircraft(), self._of_aircraft
        telemetry = desk.telemetry(settings, called)
        pairs = zip(settings.feed, aircraft.feeds, strict=True)
        feeds = [
            PilotFeed(
                feed_view(self._bus, aircraft, feed),
                *(counted := self._count(source)),
                self._key_of_publisher(source),
                self._ways(source, called),
                steps_of(self._known(feed, counted, has_telemetry=telemetry is not None)),
                watch[feed.id],
                self._history.newest(feed.id),
            )
            for source, feed in pairs
        ]
        forward, alarms = desk.forward(aircraft.id), desk.alarms(aircraft.id)
        pointed = desk.pointed(aircraft.id)
        return PilotAircraft(aircraft.id, aircraft.name, telemetry, forward, alarms, pointed, feeds)

    def _ways(self, source: FeedSettings, called: str) -> list[ScannedWay]:
        state = self._bus.peek(SourceState, source.id)
        ways = ways_into(source, self._settings, called, state.address if state else "")
        if source.source in PUSHED:  # without its key an address is not worth scanning
            return [ScannedWay(way, "") for way in ways]
        return [ScannedWay(way, self._codes.kept(way.address)) for way in ways]

    def _known(self, feed: Feed, keys: tuple[int | None, bool], *, has_telemetry: bool) -> Known:
        made = (self._bus.peek(RenditionState, unit_key(feed.id, rendition)) for rendition in MADE)
        return Known(
            self._bus.peek(SourceState, feed.id),
            *keys,
            renditions=[state for state in made if state],
            health=self._bus.peek(PictureHealth, feed.id),
            has_telemetry=has_telemetry,
            link=self._bus.peek(LinkState, feed.aircraft_id),
        )

    def _count(self, source: FeedSettings) -> tuple[int | None, bool]:
        """How many keys the feed has, None: it takes none; and whether that is known: what arrives is shown
        all the same."""
        if source.source not in PUSHED:
            return None, True
        try:
            return self._keys.count(source.id), True
        except ConfigError:
            return 0, False

    def _key_of_publisher(self, source: FeedSettings) -> KeyStanding | None:
        try:
            return self._watch.of_publisher(source.id)
        except ConfigError:
            return None


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
