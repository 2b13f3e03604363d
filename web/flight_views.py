"""Recorded flights, incidents, holds and deletions as JSON of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from flow.flights import Incident, IncidentKind
from flow.recording import RecordKind
from flow.units import Codec
from flow.utmref import utmref
from recordings.entries import Deletion, FeedEntry, FlightEntry, FlightPlace, Hold, Rule
from recordings.protocol.retention import Planned
from recordings.rules import Defaults

from .views import ms

FlightId = Annotated[str, Meta(description="UTC start and aircraft", examples=["20261122t044900z-fritz"])]
Time = Annotated[float, Meta(description="Milliseconds since the Unix epoch", examples=[1795322940000.0])]
By = Annotated[str, Meta(description="Who did it, as was told", examples=["Meier, ELW 1"])]


@dataclass(frozen=True, slots=True)
class RecordedFeedView:
    """One camera of a recorded flight."""

    id: str
    name: str
    codec: Annotated[Codec | None, Meta(description="null: no picture of it was recorded")]
    width_px: int | None
    height_px: int | None
    segments: Annotated[int, Meta(description="Files that its pictures are in")]
    pictures: int
    size_bytes: int
    first_ms: Time | None
    last_ms: Time | None
    gaps: Annotated[int, Meta(description="How often pictures are missing between the first and the last")]
    gap_ms: Annotated[float, Meta(description="How long that is in all")]


@dataclass(frozen=True, slots=True)
class IncidentOfFlight:
    """Which incident a flight belongs to."""

    id: str
    kind: IncidentKind
    name: Annotated[str, Meta(examples=["Dachstuhlbrand Mühlstraße"])]


@dataclass(frozen=True, slots=True)
class HoldView:
    """Somebody keeps a flight beyond its days."""

    reason: Annotated[str, Meta(examples=["Auskunftsersuchen der Polizei"])]
    by: By
    since_ms: Time


@dataclass(frozen=True, slots=True)
class PlaceView:
    """WGS84, and as fire brigades say it."""

    lat_deg: Annotated[float, Meta(examples=[49.4431])]
    lon_deg: Annotated[float, Meta(examples=[7.7727])]
    utmref: Annotated[str, Meta(examples=["32U MV 1102 7744"])]


@dataclass(frozen=True, slots=True)
class FlightView:
    """A recorded flight."""

    id: FlightId
    aircraft_id: str
    aircraft_name: str
    started_ms: Time
    ended_ms: Annotated[Time | None, Meta(description="null: it is being recorded")]
    duration_ms: Annotated[float, Meta(description="So far, where it has not ended")]
    size_bytes: int
    feeds: list[RecordedFeedView]
    repaired_ms: Annotated[Time | None, Meta(description="When it was put in order after a power cut")]
    lost_bytes: Annotated[int, Meta(description="What had to be cut off then")]
    messages: Annotated[int, Meta(description="Messages in telemetry.tlog")]
    markers: int
    alarms: int
    damage: Annotated[str, Meta(description="What of it cannot be read; empty: nothing")]
    withheld: Annotated[
        list[RecordKind], Meta(description="What was at some time not recorded, because it was not wanted")
    ]
    incident: IncidentOfFlight | None
    hold: Annotated[HoldView | None, Meta(description="null: nobody keeps it beyond its days")]
    delete_on_ms: Annotated[Time | None, Meta(description="When it will be deleted; null: not as things are")]
    delete_rule: Rule | None
    place: Annotated[PlaceView | None, Meta(description="Where it began; null: nothing told where")]
    thumbnail_url: Annotated[str | None, Meta(description="null: no picture was recorded")]


@dataclass(frozen=True, slots=True)
class Flights:
    """Recorded flights, the newest first."""

    flights: list[FlightView]


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An Einsatz or an exercise, which people open and close."""

    id: str
    kind: IncidentKind
    name: str
    opened_ms: Time
    closed_ms: Annotated[Time | None, Meta(description="null: it is open")]
    aircraft_ids: Annotated[list[str], Meta(description="New flights of these join it while it is open")]
    flight_ids: list[str]
    record: Annotated[
        list[RecordKind] | None,
        Meta(description="What of its flights is recorded; []: nothing; null: what the settings say"),
    ]
    record_by: Annotated[str, Meta(description="Who chose that; empty: nobody, or not known")]


@dataclass(frozen=True, slots=True)
class RecordDefaults:
    """What the settings say is recorded, where an incident does not."""

    einsatz: list[RecordKind]
    uebung: list[RecordKind]
    no_incident: list[RecordKind]


@dataclass(frozen=True, slots=True)
class Incidents:
    """Every incident, the newest first."""

    incidents: list[IncidentView]
    record_defaults: RecordDefaults


@dataclass(frozen=True, slots=True)
class DeletionView:
    """A flight that was deleted, by which rule and by whom."""

    id: str
    flight_id: FlightId
    aircraft_id: str
    started_ms: Time
    ended_ms: Time | None
    incident: Annotated[str, Meta(description="Its name at that time; empty: none")]
    files: int
    size_bytes: int
    deleted_ms: Time
    rule: Rule
    by: Annotated[str, Meta(description="The person, or lagebild")]
    reason: str


@dataclass(frozen=True, slots=True)
class Deletions:
    """What was deleted, the newest first."""

    deletions: list[DeletionView]


@dataclass(frozen=True, slots=True)
class PlannedView:
    """A flight that retention will delete."""

    flight_id: FlightId
    rule: Rule
    due_ms: Annotated[Time, Meta(description="From when on")]


@dataclass(frozen=True, slots=True)
class Retention:
    """What will be deleted, and when, as things stand; nothing is done."""

    einsatz_days: float
    uebung_days: float
    planned: list[PlannedView]


def flight_view(flight: FlightEntry, now_ns: int) -> FlightView:
    ended_ns = now_ns if flight.ended_ns is None else flight.ended_ns
    incident = flight.incident
    has_picture = any(feed.pictures for feed in flight.feeds)
    return FlightView(
        id=flight.id,
        aircraft_id=flight.aircraft_id,
        aircraft_name=flight.aircraft_name,
        started_ms=ms(flight.started_ns),
        ended_ms=_ms(flight.ended_ns),
        duration_ms=max(0.0, ms(ended_ns - flight.started_ns)),
        size_bytes=flight.size_bytes,
        feeds=[_feed_view(feed) for feed in flight.feeds],
        repaired_ms=_ms(flight.repaired_ns),
        lost_bytes=flight.lost_bytes,
        messages=flight.messages,
        markers=flight.markers,
        alarms=flight.alarms,
        damage=flight.damage,
        withheld=[RecordKind(each) for each in flight.withheld.split()],
        incident=IncidentOfFlight(incident.id, incident.kind, incident.name) if incident else None,
        hold=hold_view(flight.hold) if flight.hold else None,
        delete_on_ms=_ms(flight.delete_on_ns),
        delete_rule=flight.delete_rule,
        place=_place_view(flight.place) if flight.place else None,
        thumbnail_url=f"/api/v1/flights/{flight.id}/thumbnail.jpg" if has_picture else None,
    )


def _place_view(place: FlightPlace) -> PlaceView:
    return PlaceView(place.lat_deg, place.lon_deg, utmref(place.lat_deg, place.lon_deg))


def _feed_view(feed: FeedEntry) -> RecordedFeedView:
    return RecordedFeedView(
        id=feed.id,
        name=feed.name,
        codec=feed.codec,
        width_px=feed.width_px,
        height_px=feed.height_px,
        segments=feed.segments,
        pictures=feed.pictures,
        size_bytes=feed.size_bytes,
        first_ms=_ms(feed.first_ns),
        last_ms=_ms(feed.last_ns),
        gaps=feed.gaps,
        gap_ms=ms(feed.gap_ns),
    )


def hold_view(hold: Hold) -> HoldView:
    return HoldView(hold.reason, hold.by, ms(hold.since_ns))


def defaults_view(defaults: Defaults) -> RecordDefaults:
    return RecordDefaults(list(defaults.einsatz), list(defaults.uebung), list(defaults.otherwise))


def incident_view(incident: Incident) -> IncidentView:
    return IncidentView(
        id=incident.id,
        kind=incident.kind,
        name=incident.name,
        opened_ms=ms(incident.opened_ns),
        closed_ms=_ms(incident.closed_ns),
        aircraft_ids=list(incident.aircraft_ids),
        flight_ids=list(incident.flight_ids),
        record=None if incident.record is None else list(incident.record),
        record_by=incident.record_by,
    )


def deletion_view(deletion: Deletion) -> DeletionView:
    return DeletionView(
        id=deletion.id,
        flight_id=deletion.flight_id,
        aircraft_id=deletion.aircraft_id,
        started_ms=ms(deletion.started_ns),
        ended_ms=_ms(deletion.ended_ns),
        incident=deletion.incident,
        files=deletion.files,
        size_bytes=deletion.size_bytes,
        deleted_ms=ms(deletion.deleted_ns),
        rule=deletion.rule,
        by=deletion.by,
        reason=deletion.reason,
    )


def planned_view(planned: Planned) -> PlannedView:
    return PlannedView(planned.flight_id, planned.rule, ms(planned.due_ns))


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ms(ns)
