"""What each room is told of the settings of the whole service."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from flow.recording import RecordKind, in_order
from ingest.settings import EncodeSettings, FeedSource, IngestSettings, PublishSettings
from recordings.protocol.storage import FEED_BYTES_S
from recordings.rules import Defaults
from recordings.settings import RecordingsSettings
from relay.settings import RelaySettings
from telemetry.settings import AircraftLink, CotOut, Sharing, TelemetrySettings, Thresholds, TsOut

from .exports import ExportRules
from .listening import ANY_ADDRESS
from .settings import AircraftSettings, Settings


def addresses(host: str) -> tuple[str, ...]:
    """The addresses of this host that its name means; () are all."""
    named = {"localhost": "127.0.0.1"}.get(host, host)
    return () if named in ANY_ADDRESS else (named,)


def relay_settings(settings: Settings) -> RelaySettings:
    return RelaySettings(
        addresses=addresses(settings.server.host),
        port=settings.webrtc.port,
        public_host=settings.webrtc.public_host,
        tcp=settings.webrtc.tcp,
        viewers_per_feed=settings.viewers.per_feed,
        viewers_per_address=settings.viewers.per_address,
    )


def ingest_settings(settings: Settings) -> IngestSettings:
    return IngestSettings(
        sources=tuple(
            FeedSource(
                feed_id=feed.id,
                url=feed.source,
                fps=feed.fps,
                loop=feed.loop,
                trust_clock=feed.trust_clock,
                allow_from=feed.allow_from,
                takeover=feed.takeover,
                transport=feed.transport,
                expected=not aircraft.as_aircraft().training,
            )
            for aircraft in settings.aircraft
            for feed in aircraft.feed
        ),
        encode=EncodeSettings(settings.encode.encoder, settings.encode.preset),
        lost_after_s=settings.picture.lost_ms / 1000,
        cameras=tuple(feed for aircraft in settings.aircraft for feed in aircraft.as_aircraft().feeds),
        health=settings.health.enabled,
        publish=PublishSettings(
            hosts=addresses(settings.publish.host or settings.server.host),
            rtmp_port=settings.publish.rtmp_port,
            srt_port=settings.publish.srt_port,
            srt_latency_ms=settings.publish.srt_latency_ms,
            srt_passphrase=settings.publish.srt_passphrase,
        ),
    )


def telemetry_settings(settings: Settings) -> TelemetrySettings:
    every = settings.aircraft
    return TelemetrySettings(
        links=tuple(_link(aircraft, aircraft.mavlink) for aircraft in every if aircraft.mavlink),
        tracks=tuple(_link(aircraft, _track(aircraft)) for aircraft in every if aircraft.telemetry),
        cameras=tuple(feed for aircraft in every for feed in aircraft.as_aircraft().feeds),
        names=tuple((aircraft.id, aircraft.name or aircraft.id) for aircraft in every),
        training=tuple(one.id for one in (aircraft.as_aircraft() for aircraft in every) if one.training),
        mission=settings.server.title,
        terrain=settings.map.terrain,
        sharing=tuple(
            Sharing(aircraft.id, aircraft.forward, aircraft.forward_allow_from)
            for aircraft in every
            if aircraft.forward
        ),
        thresholds=tuple(
            Thresholds(aircraft.id, **dataclasses.asdict(aircraft.alarms)) for aircraft in every
        ),
        ts_outs=tuple(
            TsOut(feed.id, feed.ts_out) for aircraft in every for feed in aircraft.feed if feed.ts_out
        ),
        cot=CotOut(**dataclasses.asdict(settings.cot)),
    )


def recordings_settings(settings: Settings) -> RecordingsSettings:
    recording = settings.recording
    return RecordingsSettings(
        root=Path(settings.server.data_dir),
        aircraft=tuple(aircraft.as_aircraft() for aircraft in settings.aircraft),
        einsatz_days=recording.einsatz_days,
        uebung_days=recording.uebung_days,
        reserve_bytes=recording.reserve_mb * 1024**2,
        warn_hours=recording.warn_hours,
        records=Defaults(_kinds(recording.einsatz), _kinds(recording.uebung), _kinds(recording.no_incident)),
    )


def _kinds(names: tuple[str, ...]) -> tuple[RecordKind, ...]:
    return in_order(map(RecordKind, names))


def export_rules(settings: Settings) -> ExportRules:
    recording = settings.recording
    feeds = sum(len(aircraft.feed) for aircraft in settings.aircraft)
    return ExportRules(
        days=recording.export_days,
        reserve_bytes=recording.reserve_mb * 1024**2,
        recorded_bytes_s=feeds * FEED_BYTES_S,
        terrain=settings.map.terrain,
    )


def _track(aircraft: AircraftSettings) -> str:
    """Its `telemetry`; subtitles of a film that it plays come within the stream of that film, in step."""
    scheme, _, name = aircraft.telemetry.partition(":")
    for feed in aircraft.feed:
        film = Path(feed.source.removeprefix("file:").removeprefix("//"))
        if (
            scheme == "srt"
            and feed.source.startswith("file:")
            and film.with_suffix("") == Path(name).with_suffix("")
        ):
            return f"feed:{feed.id}"
    return aircraft.telemetry


def _link(aircraft: AircraftSettings, url: str) -> AircraftLink:
    return AircraftLink(aircraft.id, url, aircraft.system_id, aircraft.allow_from, aircraft.signing_key)
