"""What is recorded of which flight: as its incident says, else as the settings say for its kind.

The flight's own incident counts, also once that is closed: an aircraft that flies home from a house where
nobody wanted pictures kept must not begin to record on its way. Until a flight has one, the open incident of
its aircraft counts, which it joins. Used on the event loop alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from flow.errors import MalformedError
from flow.flights import Incident, IncidentKind
from flow.recording import EVERYTHING, RecordKind

from .incidents import incident_files, read_incident

log = logging.getLogger("lagebild.recordings")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What is recorded of flights whose incident says nothing of it, and of those that have none."""

    einsatz: tuple[RecordKind, ...] = EVERYTHING
    uebung: tuple[RecordKind, ...] = EVERYTHING
    otherwise: tuple[RecordKind, ...] = EVERYTHING

    def of(self, kind: IncidentKind | None) -> tuple[RecordKind, ...]:
        match kind:
            case IncidentKind.EINSATZ:
                return self.einsatz
            case IncidentKind.UEBUNG:
                return self.uebung
            case None:
                return self.otherwise

    def of_incident(self, incident: Incident) -> tuple[RecordKind, ...]:
        return self.of(incident.kind) if incident.record is None else incident.record


@dataclass(frozen=True, slots=True)
class Rule:
    """What is recorded, by which incident ("": the settings) and whose word ("": the settings)."""

    records: tuple[RecordKind, ...] = EVERYTHING
    incident_id: str = ""
    by: str = ""


@dataclass(slots=True)
class Rules:
    """Tell it every incident as it is changed; whoever is told by `on_change` asks `of` again."""

    defaults: Defaults = field(default_factory=Defaults)
    _incidents: dict[str, Incident] = field(default_factory=dict)
    _homes: dict[str, str] = field(default_factory=dict)  # incident by flight
    _told: list[Callable[[], None]] = field(default_factory=list)

    def load(self, incidents: Iterable[Incident]) -> None:
        """Those that there are, the one changed last at the end."""
        for incident in incidents:
            self._take(incident)
        self._tell()

    def put(self, incident: Incident) -> None:
        """One was opened or changed."""
        self._take(incident)
        self._tell()

    def on_change(self, told: Callable[[], None]) -> Callable[[], None]:
        """Call `told` from now on, until what this returns is called."""
        self._told.append(told)
        return lambda: self._told.remove(told)

    def of(self, aircraft_id: str, flight_id: str) -> Rule:
        """For an aircraft, and the flight of it that goes on ("": none)."""
        home = self._incidents.get(self._homes.get(flight_id, ""))
        incident = home or self._open_incident(aircraft_id)
        if incident is None:
            return Rule(self.defaults.otherwise)
        by = "" if incident.record is None else incident.record_by
        return Rule(self.defaults.of_incident(incident), incident.id, by)

    def _open_incident(self, aircraft_id: str) -> Incident | None:
        """As the archive says (Catalogue.open_incident_of): the one that was opened last."""
        having = (
            each for each in self._incidents.values()
            if each.closed_ns is None and aircraft_id in each.aircraft_ids
        )  # fmt: skip
        return max(having, key=lambda each: (each.opened_ns, each.id), default=None)

    def _take(self, incident: Incident) -> None:
        before = self._incidents.get(incident.id)
        for flight_id in before.flight_ids if before else ():
            if self._homes.get(flight_id) == incident.id:
                del self._homes[flight_id]
        self._homes.update(dict.fromkeys(incident.flight_ids, incident.id))
        self._incidents[incident.id] = incident

    def _tell(self) -> None:
        for told in tuple(self._told):
            told()


def read_incidents(root: Path) -> list[Incident]:
    """Every incident that lies there, the one changed last at the end. Raises nothing: what cannot be read
    is passed over, and told by whoever lists incidents."""
    found = []
    try:
        for path in incident_files(root):
            try:
                found.append(read_incident(path))
            except (MalformedError, FileNotFoundError) as error:
                log.warning("%s does not say what is recorded: %s", path, error)
    except OSError as error:
        log.info("what incidents say of recording cannot be read: %s", error)
    return [each.incident() for each in sorted(found, key=lambda each: (each.changed_ns, each.id))]
