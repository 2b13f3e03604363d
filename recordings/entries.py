"""What the archive says of flights, incidents, holds and deletions. Times are Lagebild time."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from flow.flights import Incident, IncidentKind
from flow.units import Codec

from .protocol.ground_cells import Near


class Hold(msgspec.Struct, frozen=True):
    """Somebody keeps a flight beyond its days: nothing deletes it until it is released."""

    reason: str
    by: str
    since_ns: int


class Rule(StrEnum):
    """By what a flight was, or will be, deleted."""

    EINSATZ_DAYS = "einsatz_days"
    UEBUNG_DAYS = "uebung_days"
    THINNED = "thinned"  # the disk was nearly full
    PERSON = "person"
    MISSING = "missing"  # nobody told us: its folder was found gone


class Deletion(msgspec.Struct, frozen=True):
    """A flight that was deleted: it stays documented for ever."""

    id: str
    flight_id: str
    aircraft_id: str
    started_ns: int
    ended_ns: int | None
    incident: str  # its name at the time, "" if it had none
    files: int
    size_bytes: int
    deleted_ns: int
    rule: Rule
    by: str  # the person, "lagebild", or "unknown"
    reason: str = ""


class FeedEntry(msgspec.Struct, frozen=True):
    """One camera of a recorded flight. `gap_ns` is what is missing between its first and last picture."""

    id: str
    name: str
    codec: Codec | None = None
    width_px: int | None = None
    height_px: int | None = None
    segments: int = 0
    pictures: int = 0
    size_bytes: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    gaps: int = 0
    gap_ns: int = 0


class FlightPlace(msgspec.Struct, frozen=True):
    """Where a flight began: its first place with a fix, WGS84."""

    lat_deg: float
    lon_deg: float


class FlightEntry(msgspec.Struct, frozen=True):
    """A recorded flight. `ended_ns` None: it is being recorded. `delete_on_ns` None: not as things stand."""

    id: str
    aircraft_id: str
    aircraft_name: str
    started_ns: int
    ended_ns: int | None
    size_bytes: int
    feeds: tuple[FeedEntry, ...] = ()
    repaired_ns: int | None = None
    lost_bytes: int = 0  # what a repair had to cut off
    messages: int = 0  # records of the .tlog
    markers: int = 0
    alarms: int = 0
    damage: str = ""  # what of its folder cannot be read
    withheld: str = ""  # kinds that were at some time not recorded, because somebody wanted it so
    incident: Incident | None = None
    hold: Hold | None = None
    delete_on_ns: int | None = None
    delete_rule: Rule | None = None
    place: FlightPlace | None = None

    @property
    def kind(self) -> IncidentKind:
        """A flight that belongs to no incident is kept as long as one of an Einsatz."""
        return self.incident.kind if self.incident else IncidentKind.EINSATZ


class FlightQuery(msgspec.Struct, frozen=True):
    """Which flights, the newest first. `text` is looked for in names of aircraft, feeds and incident; `near`
    are those that were over such a place, to within a square of ground_cells.py."""

    aircraft_id: str = ""
    incident_id: str = ""
    from_ns: int | None = None
    to_ns: int | None = None
    text: str = ""
    near: Near | None = None
    before_id: str = ""  # to page on: those that come after this one in the list
    limit: int = 100
