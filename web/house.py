"""The rooms and desks of one service, wired to each other. Nothing runs yet: service.py does that."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from flow.bus import Bus
from flow.clock import Clock
from ingest.settings import PUSHED
from ingest.supervisor import Ingest
from recordings.players import Players
from recordings.protocol.retention import Days
from recordings.room import Recordings
from relay.hub import Relay
from telemetry.link import Telemetry

from . import room_settings
from .access import Door
from .access.forgetting import Forgetting
from .access.links import Links
from .aircraft_stream import Streams
from .alarms import AlarmBoard
from .archive_calls import DiskReads
from .channel import FeedChannel, FeedList
from .data_folder import DataFolder
from .exports import ExportDesk
from .feed_history import FeedHistory
from .key_watch import KeyWatch
from .map_background import background_of, package_of
from .markers import MarkerBoard
from .metrics import Refused
from .pilot_aircraft import AircraftDesk
from .pilot_views import PilotDesk
from .porch import Porch
from .present import PresentBoard
from .publish_keys import PublishKeys
from .qr_codes import QrCodes
from .recording_metrics import RecordingCollector
from .renditions import WebRenditions
from .routes.alarms import add_alarm_routes
from .routes.effect import add_effect_routes
from .routes.enter import add_enter_routes
from .routes.exports import add_export_routes
from .routes.feeds import add_feed_routes
from .routes.flight_media import FlightMedia, add_flight_media_routes
from .routes.flight_notes import FlightNotes, add_flight_note_routes
from .routes.flight_past import FlightPast, add_flight_past_routes
from .routes.flight_tracks import FlightTracks, add_flight_track_routes
from .routes.flights import add_flight_routes
from .routes.ground import Pointer, add_ground_routes
from .routes.health import add_health_routes
from .routes.incidents import add_incident_routes
from .routes.links import add_link_routes
from .routes.live import add_live_routes
from .routes.map import add_map_routes
from .routes.markers import add_marker_routes
from .routes.pages import add_page_routes
from .routes.pilot import add_pilot_routes
from .routes.present import add_present_routes
from .routes.privacy import add_privacy_routes
from .routes.publish import add_publish_routes
from .routes.recording import add_recording_routes
from .routes.signing_key import add_signing_key_route
from .routes.situation import add_situation_routes
from .routes.stills import add_still_routes
from .routes.telemetry import add_telemetry_routes
from .routes.training import add_training_routes
from .settings import Settings
from .situation import Situation
from .training import Training
from .training_aircraft import TRAINING, with_training
from .viewings import ViewingDesk
from .whep_sessions import WhepSessions

Run: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


SETTLED_WITHIN_S = 2.0


class House:
    """Raises ConfigError where settings contradict themselves, or the map's background cannot be used."""

    def __init__(self, settings: Settings, bus: Bus, clock: Clock, folder: DataFolder) -> None:
        self._settings, self._bus, self._clock, self._folder = settings, bus, clock, folder
        settings = with_training(settings)
        self._root = Path(settings.server.data_dir)
        self.background = background_of(settings.map)
        self._aircraft = tuple(a.as_aircraft() for a in settings.aircraft)
        feeds = [(a, f) for a in self._aircraft for f in a.feeds]
        self.telemetry = Telemetry(bus, clock, room_settings.telemetry_settings(settings))
        looks = self.telemetry.looks
        self._channels = {
            f.id: FeedChannel(bus, clock, a, f, settings.viewers, looks=looks) for a, f in feeds
        }
        self._recordings = (
            Recordings(bus, clock, room_settings.recordings_settings(settings), lambda: folder.is_anothers)
            if settings.recording.enabled
            else None
        )
        self._exports = (
            ExportDesk(clock, self._recordings, self._root, room_settings.export_rules(settings))
            if self._recordings
            else None
        )
        playing = self._recordings.archive.playing if self._recordings else Players().playing
        self._training = Training(bus, clock, self._root, playing, self._training_changed)
        self._feed_list = FeedList(bus, self._aircraft, self._channels, self._training.shown)
        training = [each.id for each in self._aircraft if each.training]
        self._markers = MarkerBoard(bus, clock, self._channels, training)
        self._alarms = AlarmBoard(bus, self._aircraft, self._channels, self._training.hides)
        self._situation = Situation(bus, clock, self._aircraft, looks, hides=self._training.hides)
        self._history = FeedHistory(bus, clock, (f for _, f in feeds))
        self._streams = Streams(bus, clock, self._aircraft, self._channels, settings.viewers)
        self._viewings = ViewingDesk(
            clock,
            self._recordings.archive if self._recordings else None,
            [feed.id for _, feed in feeds if feed.training],
        )
        self._reads = DiskReads()
        self._keys = PublishKeys(self._root)
        archive = self._recordings.archive if self._recordings else None
        self.porch = Porch(settings, bus, clock, self._aircraft, archive)
        self.porch.reach.on_change(self._reach_changed)
        self.ingest = Ingest(bus, clock, room_settings.ingest_settings(settings), keys=self._keys)
        self.ingest.on_publisher(self.porch.audit.published)
        pushed = [feed.id for each in settings.aircraft for feed in each.feed if feed.source in PUSHED]
        self._key_watch = KeyWatch(self._keys, self.ingest, pushed, clock)
        relay_settings = room_settings.relay_settings(settings)
        self.relay = Relay(bus, clock, relay_settings, self._channels.keys(), ingest=self.ingest)
        self._sessions = WhepSessions(self.relay, self.porch.presence)
        self._links = Links(self.porch.store, clock)
        self._present = PresentBoard(self.porch.presence, clock, self._channels)

    def open_doors(self, door: Door, dashboard: Path | None) -> None:
        """Register every route."""
        bus, clock, relay, aircraft, channels = (
            self._bus, self._clock, self.relay, self._aircraft, self._channels,
        )  # fmt: skip
        refused: Refused = {feed_id: Counter() for feed_id in channels}
        self.porch.open_doors(door)
        add_live_routes(door, relay, refused, self._sessions)
        add_publish_routes(door, relay, refused)
        add_telemetry_routes(
            door,
            bus,
            clock,
            aircraft,
            channels,
            streams=self._streams,
            relay=relay,
            sessions=self._sessions,
            viewings=self._viewings,
        )
        add_situation_routes(door, self._situation)
        pointer = Pointer(self.telemetry.looks, clock, channels)
        add_ground_routes(door, pointer)
        add_marker_routes(door, self._markers, pointer, clock, aircraft)
        add_alarm_routes(door, self._alarms)
        add_feed_routes(door, self._settings, self._feed_list, relay, self.background)
        add_still_routes(door, self.ingest)
        add_privacy_routes(door, self._settings, clock)
        add_enter_routes(door, self._links, self.porch.reach, clock, self._settings.server.title)
        add_present_routes(door, self._present, self._links)
        add_link_routes(door, self._links, self.porch.reach, self._settings.access.link_hours)
        figures = RecordingCollector(bus, aircraft, self._viewings)
        add_health_routes(door, bus, aircraft, relay, refused, more=[figures, self.porch.audit.figures])
        add_pilot_routes(door, self._pilot_desk(), self._history, clock, self.ingest.dismiss)
        if self.background.kind == "pmtiles":
            add_map_routes(door, package_of(self._settings.map))
        if self._recordings:
            self._open_recordings(door, self._recordings)
        add_page_routes(door, dashboard)

    def _open_recordings(self, door: Door, recordings: Recordings) -> None:
        bus, clock, aircraft = self._bus, self._clock, self._aircraft
        reserve_bytes = room_settings.recordings_settings(self._settings).reserve_bytes
        renditions = WebRenditions(self._root, self._reads, reserve_bytes)
        media = FlightMedia(self._root, bus, aircraft, self._reads, renditions)
        add_flight_routes(door, recordings.archive, clock, self._reads)
        add_flight_media_routes(door, media)
        add_flight_track_routes(door, FlightTracks(self._root, self._reads))
        add_flight_note_routes(door, FlightNotes(self._root, clock, self._reads))
        past = FlightPast(self._root, self._reads, self._settings.map.terrain)
        add_flight_past_routes(door, past)
        add_incident_routes(
            door, recordings.archive, aircraft, recordings.rules.defaults, told=self.porch.reach.told
        )
        add_effect_routes(door, recordings.archive, clock, self._reads)
        if self._exports:
            add_export_routes(door, self._exports, self._reads)
        add_recording_routes(
            door,
            bus,
            clock,
            aircraft,
            recordings=recordings,
            settings=self._settings.recording,
            reads=self._reads,
        )
        add_training_routes(door, self._training, clock)
        add_signing_key_route(door, self._root, self._reads)

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
            watch=self._key_watch,
        )

    def rooms(self) -> Iterator[tuple[str, Run]]:
        """What must run, and stops the service where it cannot."""
        yield "ingest", self.ingest.run
        yield "telemetry", self.telemetry.run
        yield "relay", self.relay.run

    def tellers(self) -> Iterator[tuple[str, Run]]:
        """What tells pages, and what records; a defect in one of them must not end the pictures of all."""
        yield "feed list", self._feed_list.run
        yield "markers", self._markers.run
        yield "alarms", self._alarms.run
        yield "situation", self._situation.run
        yield "history", self._history.run
        yield "training", self._training.run
        yield from self.porch.tellers()
        yield "present", self._present.run
        yield "keys", self._key_watch.run
        for feed_id, channel in self._channels.items():
            yield f"channel {feed_id}", channel.run
        if self._recordings:
            yield "data folder", self._folder.run
            yield "recordings", self._recordings.run
            yield "viewings", self._viewings.run
            yield "forgetting", self._forgetting(self._recordings).run
        if self._exports:
            yield "exports", self._exports.run

    def _training_changed(self) -> None:
        """An exercise has begun or ended: with it its feeds, alarms and markers come and go."""
        if not self._training.view().playing:
            self._markers.remove_all(TRAINING.id)
        self._feed_list.tell()
        self._alarms.tell()

    def _forgetting(self, recordings: Recordings) -> Forgetting:
        kept = self._settings.recording
        days = Days(kept.einsatz_days, kept.uebung_days)

        def may() -> bool:
            return recordings.keeper.doubted_days == 0

        return Forgetting(self._links, self.porch.reach, days.due_ns, self._clock, may)

    def _reach_changed(self) -> None:
        """Something belongs to another incident. Whoever sees it no more is gone already (sweeping.py)."""
        for told in (self._feed_list, self._alarms, self._markers, self._present):
            told.tell()

    def dismiss_pages(self) -> None:
        """Tell whoever listens that the service stops."""
        self._streams.close()
        for channel in self._channels.values():
            channel.close()

    async def settle(self) -> None:
        """Have stored what pages said last, once they have gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN_S):
                await self._viewings.settle()

    def close(self) -> None:
        """Let go of the threads."""
        self._reads.close()
        self.porch.close()
        if self._exports:
            self._exports.close()
