"""incidents/ID.json: an Einsatz or Übung, and what belongs to it."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from flow.clock import NS_PER_S
from flow.errors import MalformedError, NotFoundError
from flow.flights import Incident, IncidentKind
from flow.recording import RecordKind

from .folders import incidents_folder
from .json_files import read_json, write_json

VERSION = 1
INCIDENT_ID_PATTERN = re.compile(r"[a-z0-9-]{1,64}")
_SLUG_LENGTH = 40
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class IncidentFile(msgspec.Struct, frozen=True):
    """As it lies on the disk. `flight_ids` names flights that were deleted, too.

    A flight that two incidents claim (a power cut while it was moved) belongs to the one changed last.
    """

    id: str
    kind: IncidentKind
    name: str
    opened_ns: int
    changed_ns: int
    closed_ns: int | None = None
    opened_by: str = ""
    aircraft_ids: tuple[str, ...] = ()
    flight_ids: tuple[str, ...] = ()
    record: tuple[RecordKind, ...] | None = None
    record_by: str = ""
    version: int = VERSION

    def incident(self) -> Incident:
        return Incident(
            self.id,
            self.kind,
            self.name,
            self.opened_ns,
            self.closed_ns,
            self.aircraft_ids,
            self.flight_ids,
            self.record,
            self.record_by,
        )


def incident_path(root: Path, incident_id: str) -> Path:
    """Raises NotFoundError for what can be no incident's id, such as a path."""
    if not INCIDENT_ID_PATTERN.fullmatch(incident_id):
        raise NotFoundError("there is no such incident")
    return incidents_folder(root) / f"{incident_id}.json"


def new_incident_id(root: Path, name: str, opened_ns: int) -> str:
    """`20261122t044900z-dachstuhlbrand`: when it was opened, and of its name what a path can hold."""
    opened = f"{datetime.fromtimestamp(opened_ns // NS_PER_S, UTC):%Y%m%dt%H%M%Sz}"
    latin = unicodedata.normalize("NFKD", name.lower().translate(_GERMAN)).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", latin)[:_SLUG_LENGTH].strip("-")
    wanted = f"{opened}-{slug}" if slug else opened
    numbers = iter(range(2, 1_000_000))
    free = wanted
    while incident_path(root, free).exists():
        free = f"{wanted}-{next(numbers)}"
    return free


def write_incident(root: Path, incident: IncidentFile) -> None:
    """Raises OSError."""
    write_json(incident_path(root, incident.id), incident)


def read_incident(path: Path) -> IncidentFile:
    """Raises MalformedError, and FileNotFoundError."""
    incident = read_json(path, IncidentFile, VERSION)
    if path.name != f"{incident.id}.json" or not INCIDENT_ID_PATTERN.fullmatch(incident.id):
        raise MalformedError(f"{path.name}: it says it is incident '{incident.id[:60]}'")
    return incident


def incident_files(root: Path) -> list[Path]:
    """Every file that may be an incident's, in the order of their names."""
    return sorted(
        p
        for p in incidents_folder(root).iterdir()
        if INCIDENT_ID_PATTERN.fullmatch(p.stem) and p.suffix == ".json"
    )
