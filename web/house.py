"""The rooms and desks of one service, wired to each other. Nothing runs yet: service.py does that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from flow.bus import Bus
from flow.clock import Clock
from ingest.supervisor import Ingest
from relay.hub import Relay
from telemetry.link import Telemetry

from . import room_settings
from .access import Door
from .aircraft_stream import Streams
from .alarms import AlarmBoard
from .channel import FeedChannel, FeedList
from .feed_history import FeedHistory
from .map_background import background_of, package_of
from .markers import MarkerBoard
from .metrics import Refused
from .pilot_aircraft import AircraftDesk
from .pilot_views import PilotDesk
from .publish_keys import PublishKeys
from .qr_codes import QrCodes
from .routes.alarms import add_alarm_routes
from .routes.feeds import add_feed_routes
from .routes.ground import Pointer, add_ground_routes
from .routes.health import add_health_routes
from .routes.live import add_live_routes
from .routes.map import add_map_routes
from .routes.markers import add_marker_routes
from .routes.pages import add_page_routes
from .routes.pilot import add_pilot_routes
from .routes.publish import add_publish_routes
from .routes.situation import add_situation_routes
from .routes.stills import add_still_routes
from .routes.telemetry import add_telemetry_routes
from .settings import Settings
from .situation import Situation

Run: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class House:
    """Raises ConfigError where settings contradict themselves, or the map's background cannot be used."""

    def __init__(self, settings: Settings, bus: Bus, clock: Clock) -> None:
        self._settings, self._bus, self._clock = settings, bus, clock
        self.background = background_of(settings.map)
        self._aircraft = tuple(a.as_aircraft() for a in settings.aircraft)
        feeds = [(a, f) for a in self._aircraft for f in a.feeds]
        self.telemetry = Telemetry(bus, clock, room_settings.telemetry_settings(settings))
        looks = self.telemetry.looks
        self._channels = {
            f.id: FeedChannel(bus, clock, a, f, settings.viewers, looks=looks) for a, f in feeds
        }
        self._feed_list = FeedList(bus, self._aircraft, self._channels)
        self._markers = MarkerBoard(bus, clock, self._channels)
        self._alarms = AlarmBoard(bus, self._aircraft, self._channels)
        self._situation = Situation(bus, clock, self._aircraft, looks)
        self._history = FeedHistory(bus, clock, (f for _, f in feeds))
        self._streams = Streams(bus, clock, self._aircraft, self._channels, settings.viewers)
        self._keys = PublishKeys(Path(settings.server.data_dir))
        self.ingest = Ingest(bus, clock, room_settings.ingest_settings(settings), keys=self._keys)
        relay_settings = room_settings.relay_settings(settings)
        self.relay = Relay(bus, clock, relay_settings, self._channels.keys(), ingest=self.ingest)

    def open_doors(self, door: Door, dashboard: Path | None) -> None:
        """Register every route."""
        bus, clock, relay, aircraft, channels = (
            self._bus, self._clock, self.relay, self._aircraft, self._channels,
        )  # fmt: skip
        refused: Refused = {feed_id: Counter() for feed_id in channels}
        add_live_routes(door, relay, refused)
        add_publish_routes(door, relay, refused)
        add_telemetry_routes(door, bus, clock, aircraft, channels, streams=self._streams, relay=relay)
        add_situation_routes(door, self._situation)
        pointer = Pointer(self.telemetry.looks, clock, channels)
        add_ground_routes(door, pointer)
        add_marker_routes(door, self._markers, pointer, clock, aircraft)
        add_alarm_routes(door, self._alarms)
        add_feed_routes(door, self._settings, self._feed_list, relay, self.background)
        add_still_routes(door, self.ingest)
        add_health_routes(door, bus, aircraft, relay, refused)
        add_pilot_routes(door, self._pilot_desk(), self._history, clock, self.ingest.dismiss)
        if self.background.kind == "pmtiles":
            add_map_routes(door, package_of(self._settings.map))
        add_page_routes(door, dashboard)

    def _pilot_desk(self) -> PilotDesk:
        return PilotDesk(
            self._settings,
            self._bus,
            self._keys,
            QrCodes(self._clock),
            aircraft=AircraftDesk(
                self._settings, self._bus, self._clock, self._alarms.of, self._markers.newest
            ),
            history=self._history,
            relay=self.relay,
        )

    def rooms(self) -> Iterator[tuple[str, Run]]:
        """What must run, and stops the service where it cannot."""
        yield "ingest", self.ingest.run
        yield "telemetry", self.telemetry.run
        yield "relay", self.relay.run

    def tellers(self) -> Iterator[tuple[str, Run]]:
        """What tells pages; a defect in one of them must not end the pictures of all."""
        yield "feed list", self._feed_list.run
        yield "markers", self._markers.run
        yield "alarms", self._alarms.run
        yield "situation", self._situation.run
        yield "history", self._history.run
        for feed_id, channel in self._channels.items():
            yield f"channel {feed_id}", channel.run

    def dismiss_pages(self) -> None:
        """Tell whoever listens that the service stops."""
        self._streams.close()
        for channel in self._channels.values():
            channel.close()
