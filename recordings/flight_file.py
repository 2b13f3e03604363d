"""flight.json: what a flight's folder says of itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

from flow.errors import MalformedError
from flow.flights import ID_PATTERN, Aircraft
from flow.recording import EVERYTHING, RecordKind

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
    thermal: bool = False


class KeptRule(msgspec.Struct, frozen=True):
    """What was recorded of a flight from a moment on, and who wanted it so."""

    since_ns: int
    records: tuple[RecordKind, ...]
    incident_id: str = ""  # "": the settings
    by: str = ""  # as was told; "": nobody, it is what the settings say


class FlightFile(msgspec.Struct, frozen=True):
    """One flight. `ended_ns` None: it goes on, or the server ended in the middle of it. `repaired_ns`: when
    it was put in order after that; its end is then that of its last picture or message, and `lost_bytes` were
    cut off. `rules` are those by which something of it was not recorded, and those that ended them; none:
    everything was to be recorded."""

    id: str
    aircraft_id: str
    aircraft_name: str
    feeds: tuple[RecordedFeed, ...]
    started_ns: int
    ended_ns: int | None = None
    repaired_ns: int | None = None
    lost_bytes: int = 0
    rules: tuple[KeptRule, ...] = ()
    version: int = VERSION

    @property
    def records(self) -> tuple[RecordKind, ...]:
        """What was to be recorded last."""
        return self.rules[-1].records if self.rules else EVERYTHING

    @property
    def withheld(self) -> str:
        """The kinds that were at some time not recorded."""
        missing = {kind for rule in self.rules for kind in EVERYTHING if kind not in rule.records}
        return " ".join(kind for kind in EVERYTHING if kind in missing)

    def withheld_of(self, feed_id: str) -> list[tuple[int, int | None]]:
        """From when to when pictures of that feed were not to be recorded; None: they still are not."""
        wanted = {RecordKind.PICTURES}
        if any(feed.id == feed_id and feed.thermal for feed in self.feeds):
            wanted.add(RecordKind.THERMAL)
        ends = [rule.since_ns for rule in self.rules[1:]] + [self.ended_ns]
        return [
            (rule.since_ns, end_ns)
            for rule, end_ns in zip(self.rules, ends, strict=False)
            if not wanted & set(rule.records)
        ]

    @classmethod
    def begun(cls, flight: str, aircraft: Aircraft, started_ns: int) -> FlightFile:
        feeds = tuple(
            RecordedFeed(f.id, f.name, f.air_link_ms, f.hfov_deg, f.mount_pitch_deg, f.thermal)
            for f in aircraft.feeds
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
