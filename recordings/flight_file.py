"""flight.json: what a flight's folder says of itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

from flow.errors import MalformedError
from flow.flights import ID_PATTERN, Aircraft

from .folders import FLIGHT_FILE, FLIGHT_ID_PATTERN
from .json_files import read_json
from .plain_files import replace_file, sync_folder

__all__ = ["FlightFile", "RecordedFeed", "encoded", "read_flight", "replace_file", "sync_folder"]

VERSION = 1


class RecordedFeed(msgspec.Struct, frozen=True):
    """A camera, as it was configured at the time."""

    id: str
    name: str
    air_link_ms: float = 0.0
    hfov_deg: float | None = None
    mount_pitch_deg: float | None = None


class FlightFile(msgspec.Struct, frozen=True):
    """One flight. `ended_ns` None: it goes on, or the server ended in the middle of it. `repaired_ns`: when
    it was put in order after that; its end is then that of its last picture or message, and `lost_bytes` were
    cut off."""

    id: str
    aircraft_id: str
    aircraft_name: str
    feeds: tuple[RecordedFeed, ...]
    started_ns: int
    ended_ns: int | None = None
    repaired_ns: int | None = None
    lost_bytes: int = 0
    version: int = VERSION

    @classmethod
    def begun(cls, flight: str, aircraft: Aircraft, started_ns: int) -> FlightFile:
        feeds = tuple(
            RecordedFeed(f.id, f.name, f.air_link_ms, f.hfov_deg, f.mount_pitch_deg) for f in aircraft.feeds
        )
        return cls(flight, aircraft.id, aircraft.name, feeds, started_ns)


def encoded(flight: FlightFile) -> bytes:
    return msgspec.json.format(msgspec.json.encode(flight), indent=2) + b"\n"


def read_flight(folder: Path) -> FlightFile:
    """Raises MalformedError where there is none that can be read, or it is of another folder."""
    try:
        flight = read_json(folder / FLIGHT_FILE, FlightFile, VERSION)
    except FileNotFoundError:
        raise MalformedError(f"{FLIGHT_FILE}: it is not there") from None
    if flight.id != folder.name or not FLIGHT_ID_PATTERN.fullmatch(flight.id):
        raise MalformedError(f"{FLIGHT_FILE}: it says it is flight '{flight.id[:60]}'")
    for id_ in (flight.aircraft_id, *(feed.id for feed in flight.feeds)):
        if not ID_PATTERN.fullmatch(id_):
            raise MalformedError(f"{FLIGHT_FILE}: '{id_[:60]}' is no id")
    return flight
