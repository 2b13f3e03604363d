"""Incidents as people change them: the files, then the catalogue. Used by the archive's thread alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flow.clock import Clock
from flow.errors import MalformedError, NotFoundError
from flow.flights import ID_PATTERN, Incident, IncidentKind
from flow.recording import RecordKind, in_order

from .catalogue import Catalogue
from .entered import entered
from .incidents import (
    IncidentFile,
    incident_files,
    incident_path,
    new_incident_id,
    read_incident,
    write_incident,
)

log = logging.getLogger("lagebild.recordings")


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """None: as it is. What is added or removed counts from what there is by then, so that two people who
    assign flights at once do not undo each other. What is recorded is `record`, unless it is to be as the
    settings say; `by` has said so."""

    name: str | None = None
    kind: IncidentKind | None = None
    closed: bool | None = None
    aircraft_ids: tuple[str, ...] | None = None
    flight_ids: tuple[str, ...] | None = None
    add_flight_ids: tuple[str, ...] = ()
    remove_flight_ids: tuple[str, ...] = ()
    record: tuple[RecordKind, ...] | None = None
    record_as_set: bool = False
    by: str = ""

    @property
    def is_of_recording(self) -> bool:
        return self.record is not None or self.record_as_set


class IncidentDesk:
    """A flight belongs to one incident at most. One that begins joins the open incident of its aircraft; one
    in the air does when the aircraft is given to an incident, or that is opened again. `stored` is told of
    every one that was opened or changed."""

    def __init__(
        self, root: Path, clock: Clock, catalogue: Catalogue, stored: Callable[[Incident], None]
    ) -> None:
        self._root, self._stored = root, stored
        self._clock = clock
        self._catalogue = catalogue

    def load(self) -> None:
        """Take in all files; of those that claim the same flight, the one changed last has it."""
        found: list[IncidentFile] = []
        try:
            paths = incident_files(self._root)
        except OSError as error:
            log.error("incidents cannot be read: %s", error)
            return
        for path in paths:
            try:
                found.append(read_incident(path))
            except (MalformedError, FileNotFoundError) as error:
                log.warning("%s is passed over: %s", path, error)
        with self._catalogue.change():
            self._catalogue.clear_incidents()
            for incident in sorted(found, key=lambda i: (i.changed_ns, i.id)):
                self._catalogue.put_incident(incident)

    def open(
        self,
        kind: IncidentKind,
        name: str,
        aircraft_ids: tuple[str, ...],
        by: str,
        record: tuple[RecordKind, ...] | None = None,
    ) -> Incident:
        name = entered(name, "the name")
        now_ns = self._clock.now_ns()
        aircraft_ids = _known_form(aircraft_ids)
        by = entered(by, "the name", needed=False)
        return self._store(
            IncidentFile(
                new_incident_id(self._root, name, now_ns),
                kind,
                name,
                opened_ns=now_ns,
                changed_ns=now_ns,
                opened_by=by,
                aircraft_ids=aircraft_ids,
                flight_ids=self._in_the_air(aircraft_ids),
                record=None if record is None else in_order(record),
                record_by="" if record is None else by,
            )
        )

    def change(self, incident_id: str, change: IncidentChange) -> Incident:
        old = self._incident(incident_id)
        now_ns = self._clock.now_ns()
        new = msgspec.structs.replace(
            old,
            name=old.name if change.name is None else entered(change.name, "the name"),
            kind=change.kind or old.kind,
            closed_ns=_closed_ns(old.closed_ns, change.closed, now_ns),
            aircraft_ids=old.aircraft_ids
            if change.aircraft_ids is None
            else _known_form(change.aircraft_ids),
            flight_ids=self._changed(old.flight_ids, change),
            changed_ns=now_ns,
        )
        if change.is_of_recording:
            record = None if change.record is None else in_order(change.record)
            by = entered(change.by, "the name", needed=False)
            new = msgspec.structs.replace(new, record=record, record_by=by)
        if new.closed_ns is None:
            reopened = old.closed_ns is not None
            added = set(new.aircraft_ids) if reopened else set(new.aircraft_ids) - set(old.aircraft_ids)
            new = msgspec.structs.replace(new, flight_ids=_united(new.flight_ids, self._in_the_air(added)))
        return self._store(new)

    def join(self, flight_id: str, aircraft_id: str) -> None:
        """A flight has begun: it joins the open incident of its aircraft, if there is one."""
        incident_id = self._catalogue.open_incident_of(aircraft_id)
        if incident_id is None or self._catalogue.incident_of(flight_id) is not None:
            return
        old = self._incident(incident_id)
        flight_ids = _united(old.flight_ids, (flight_id,))
        self._store(msgspec.structs.replace(old, flight_ids=flight_ids, changed_ns=self._clock.now_ns()))

    def _store(self, new: IncidentFile) -> Incident:
        """The new one first: should a power cut leave a flight in two files, the one changed last has it."""
        others = {self._catalogue.incident_of(flight_id) for flight_id in new.flight_ids} - {None, new.id}
        write_incident(self._root, new)
        with self._catalogue.change():
            self._catalogue.put_incident(new)
        for other in sorted(filter(None, others)):
            write_incident(self._root, self._incident(other))
        self._stored(new.incident())
        return self._catalogue.incidents([new.id])[0]

    def _incident(self, incident_id: str) -> IncidentFile:
        incident_path(self._root, incident_id)
        incident = self._catalogue.incident_file(incident_id)
        if incident is None:
            raise NotFoundError("there is no such incident")
        return incident

    def _changed(self, flight_ids: tuple[str, ...], change: IncidentChange) -> tuple[str, ...]:
        """Raises NotFoundError for a flight that is to belong to it and is not there."""
        told = flight_ids if change.flight_ids is None else self._flights(change.flight_ids)
        removed = set(change.remove_flight_ids)
        return tuple(one for one in _united(told, self._flights(change.add_flight_ids)) if one not in removed)

    def _flights(self, flight_ids: tuple[str, ...]) -> tuple[str, ...]:
        for flight_id in flight_ids:
            if not self._catalogue.has_flight(flight_id):
                raise NotFoundError(f"there is no flight '{flight_id[:60]}'")
        return _united(flight_ids, ())

    def _in_the_air(self, aircraft_ids: Iterable[str]) -> tuple[str, ...]:
        """Running flights of these aircraft that belong to no incident."""
        wanted = set(aircraft_ids)
        return tuple(
            flight_id
            for flight_id, aircraft_id in self._catalogue.running()
            if aircraft_id in wanted and self._catalogue.incident_of(flight_id) is None
        )


def _closed_ns(closed_ns: int | None, closed: bool | None, now_ns: int) -> int | None:
    """One that is closed already stays closed since then."""
    if closed is None:
        return closed_ns
    return (closed_ns or now_ns) if closed else None


def _known_form(aircraft_ids: tuple[str, ...]) -> tuple[str, ...]:
    for aircraft_id in aircraft_ids:
        if not ID_PATTERN.fullmatch(aircraft_id):
            raise NotFoundError(f"there is no aircraft '{aircraft_id[:60]}'")
    return _united(aircraft_ids, ())


def _united(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*first, *second}))
