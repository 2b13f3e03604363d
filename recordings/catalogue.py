"""The rows of the catalogue: one connection, used by one thread; every change is one transaction."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from flow.bus import Event
from flow.errors import MalformedError
from flow.flights import Incident, IncidentKind, Marker
from flow.recording import RecordKind
from flow.units import Codec

from .entries import Deletion, FeedEntry, FlightEntry, FlightPlace, FlightQuery, Hold, Rule
from .incidents import IncidentFile
from .protocol.ground_cells import Near, runs_near
from .protocol.lines import item_of
from .reading import Reading
from .viewing import Viewing

_T = TypeVar("_T")

MOST_FLIGHTS = 1000
"""In one answer."""


class Catalogue:
    """Raises sqlite3.Error from every method. Rows that are gone are no error anywhere."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._rows = connection

    def close(self) -> None:
        self._rows.close()

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """All that happens inside, or nothing of it."""
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._rows.in_transaction:  # SQLite itself rolls back where the disk is full
                self._rows.execute("ROLLBACK")
            raise
        self._rows.execute("COMMIT")

    # --- flights -------------------------------------------------------------------------------------------

    def stamps(self) -> dict[str, str]:
        """Of every flight, what its folder looked like when it was read; "" where it is not at rest."""
        rows = self._rows.execute("SELECT id, iif(ended_ns IS NULL, '', stamp) FROM flights")
        return dict(rows.fetchall())

    def has_flight(self, flight_id: str) -> bool:
        return self._rows.execute("SELECT 1 FROM flights WHERE id = ?", (flight_id,)).fetchone() is not None

    def running(self) -> list[tuple[str, str]]:
        """(flight, aircraft) of those that are being recorded."""
        rows = self._rows.execute("SELECT id, aircraft_id FROM flights WHERE ended_ns IS NULL ORDER BY id")
        return list(rows.fetchall())

    def put_reading(self, reading: Reading, hold: Hold | None) -> None:
        flight = reading.flight
        names = [flight.id, flight.aircraft_name, *(feed.name for feed in reading.feeds)]
        self._rows.execute(_PUT_FLIGHT, (
            flight.id, flight.aircraft_id, flight.aircraft_name, flight.started_ns, flight.ended_ns,
            reading.size_bytes, flight.repaired_ns, flight.lost_bytes, reading.messages,
            reading.marker_count, reading.alarm_count, reading.damage, "\n".join(names).casefold(),
            reading.stamp, flight.withheld,
        ))  # fmt: skip
        if reading.first:
            for table in ("feeds", "segments", "events", "markers", "places", "cells"):
                self._rows.execute(f"DELETE FROM {table} WHERE flight_id = ?", (flight.id,))
        for place, feed in enumerate(reading.feeds):
            self._put("feeds", (flight.id, place, *msgspec.structs.astuple(feed)))
        for segment in reading.segments:
            self._put("segments", (flight.id, *dataclasses.astuple(segment)))
        for event, line in reading.events:
            self._put("events", (flight.id, event.id, event.utc_ns, line))
        for marker in reading.markers:
            self._put_marker(flight.id, marker)
        if reading.place is not None:
            self._put("places", (flight.id, reading.place.lat_deg, reading.place.lon_deg))
        self._rows.executemany(
            "INSERT OR IGNORE INTO cells VALUES (?, ?)", [(flight.id, cell) for cell in reading.cells]
        )
        self.put_hold(flight.id, hold)

    def _put_marker(self, flight_id: str, marker: Marker) -> None:
        marker_id = marker.marker_id or marker.id
        if marker.removed or not (math.isfinite(marker.lat_deg) and math.isfinite(marker.lon_deg)):
            self._rows.execute(
                "DELETE FROM markers WHERE flight_id = ? AND marker_id = ?", (flight_id, marker_id)
            )
            return
        place = marker.lat_deg, marker.lon_deg
        self._put("markers", (flight_id, marker_id, marker.utc_ns, *place, marker.label, marker.by))

    def put_hold(self, flight_id: str, hold: Hold | None) -> None:
        if hold is None:
            self._rows.execute("DELETE FROM holds WHERE flight_id = ?", (flight_id,))
        else:
            self._put("holds", (flight_id, *msgspec.structs.astuple(hold)))

    def remove_flight(self, flight_id: str) -> None:
        self._rows.execute("DELETE FROM flights WHERE id = ?", (flight_id,))

    def flights(self, query: FlightQuery) -> list[FlightEntry]:
        """Without `delete_on_ns`, which depends on the settings."""
        where, values = _conditions(query)
        rows = self._rows.execute(
            f"SELECT {_FLIGHT_COLUMNS} FROM flights AS f {_JOINS} {where} ORDER BY f.id DESC LIMIT ?",
            (*values, min(max(query.limit, 0), MOST_FLIGHTS)),
        ).fetchall()
        return self._entries(rows)

    def flight(self, flight_id: str) -> FlightEntry | None:
        rows = self._rows.execute(
            f"SELECT {_FLIGHT_COLUMNS} FROM flights AS f {_JOINS} WHERE f.id = ?", (flight_id,)
        ).fetchall()
        return next(iter(self._entries(rows)), None)

    def _entries(self, rows: Sequence[tuple[Any, ...]]) -> list[FlightEntry]:
        ids = [row[0] for row in rows]
        feeds, places = self._feeds(ids), self._places(ids)
        incidents = {i.id: i for i in self.incidents({row[_INCIDENT] for row in rows if row[_INCIDENT]})}
        return [
            _made(
                FlightEntry,
                *row[:_FEEDS],
                tuple(feeds[row[0]]),
                *row[_FEEDS:_INCIDENT],
                incidents.get(row[_INCIDENT]),
                None if row[_INCIDENT + 1] is None else Hold(*row[_INCIDENT + 1 :]),
                None,
                None,
                places.get(row[0]),
            )
            for row in rows
        ]

    def _feeds(self, flight_ids: list[str]) -> dict[str, list[FeedEntry]]:
        rows = self._rows.execute(
            f"SELECT {_FEED_COLUMNS} FROM feeds WHERE flight_id IN ({_marks(flight_ids)}) "
            "ORDER BY flight_id, place",
            flight_ids,
        )
        found: dict[str, list[FeedEntry]] = defaultdict(list)
        for flight_id, feed_id, name, codec, *rest in rows:
            found[flight_id].append(FeedEntry(feed_id, name, Codec(codec) if codec else None, *rest))
        return found

    def _places(self, flight_ids: list[str]) -> dict[str, FlightPlace]:
        rows = self._rows.execute(
            f"SELECT flight_id, lat_deg, lon_deg FROM places WHERE flight_id IN ({_marks(flight_ids)})",
            flight_ids,
        )
        return {flight_id: FlightPlace(*place) for flight_id, *place in rows}

    def events(self, flight_id: str) -> list[Event]:
        rows = self._rows.execute(
            "SELECT line FROM events WHERE flight_id = ? ORDER BY utc_ns, id", (flight_id,)
        )
        found = []
        for (line,) in rows:
            with contextlib.suppress(MalformedError):
                found.append(item_of(line))
        return found  # type: ignore[return-value]  # only events are put in

    # --- incidents -----------------------------------------------------------------------------------------

    def put_incident(self, incident: IncidentFile) -> None:
        """Its flights leave whatever incident they were in."""
        i = incident
        self._rows.execute("DELETE FROM incidents WHERE id = ?", (i.id,))
        self._put("incidents", (
            i.id, i.kind, i.name, i.name.casefold(), i.opened_ns, i.opened_by, i.changed_ns, i.closed_ns,
            None if i.record is None else " ".join(i.record), i.record_by,
        ))  # fmt: skip
        for aircraft_id in i.aircraft_ids:
            self._put("incident_aircraft", (i.id, aircraft_id))
        for flight_id in i.flight_ids:
            self._put("incident_flights", (flight_id, i.id))

    def clear_incidents(self) -> None:
        self._rows.execute("DELETE FROM incidents")

    def incident_file(self, incident_id: str) -> IncidentFile | None:
        """What its file should hold."""
        row = self._rows.execute(
            "SELECT id, kind, name, opened_ns, changed_ns, closed_ns, opened_by, record, record_by "
            "FROM incidents WHERE id = ?",
            (incident_id,),
        ).fetchone()
        if row is None:
            return None
        aircraft = self._column(
            "SELECT aircraft_id FROM incident_aircraft WHERE incident_id = ?", incident_id
        )
        flights = self._column("SELECT flight_id FROM incident_flights WHERE incident_id = ?", incident_id)
        kind = IncidentKind(row[1])
        return _made(IncidentFile, row[0], kind, *row[2:7], aircraft, flights, _kinds(row[7]), row[8])

    def incident_of(self, flight_id: str) -> str | None:
        found = self._column("SELECT incident_id FROM incident_flights WHERE flight_id = ?", flight_id)
        return found[0] if found else None

    def open_incident_of(self, aircraft_id: str) -> str | None:
        """The one that was opened last, of those that are open and have this aircraft."""
        found = self._column(
            "SELECT i.id FROM incident_aircraft AS a JOIN incidents AS i ON i.id = a.incident_id "
            "WHERE a.aircraft_id = ? AND i.closed_ns IS NULL ORDER BY i.opened_ns DESC, i.id DESC LIMIT 1",
            aircraft_id,
        )
        return found[0] if found else None

    def incidents(self, ids: Iterable[str] | None = None) -> list[Incident]:
        """The newest first, with those of their flights that are there."""
        wanted = None if ids is None else list(ids)
        some = "" if wanted is None else f"WHERE id IN ({_marks(wanted)})"
        of_some = "" if wanted is None else f"WHERE incident_id IN ({_marks(wanted)})"
        values = wanted or []
        aircraft, flights = defaultdict(list), defaultdict(list)
        for incident_id, aircraft_id in self._rows.execute(
            f"SELECT incident_id, aircraft_id FROM incident_aircraft {of_some}", values
        ):
            aircraft[incident_id].append(aircraft_id)
        for incident_id, flight_id in self._rows.execute(
            "SELECT m.incident_id, m.flight_id FROM incident_flights AS m "
            f"JOIN flights AS f ON f.id = m.flight_id {of_some}",
            values,
        ):
            flights[incident_id].append(flight_id)
        rows = self._rows.execute(
            f"SELECT id, kind, name, opened_ns, closed_ns, record, record_by FROM incidents {some} "
            "ORDER BY opened_ns DESC, id DESC",
            values,
        )
        return [
            Incident(
                id_,
                IncidentKind(kind),
                name,
                opened_ns,
                closed_ns,
                tuple(sorted(aircraft[id_])),
                tuple(sorted(flights[id_])),
                _kinds(record),
                record_by,
            )
            for id_, kind, name, opened_ns, closed_ns, record, record_by in rows.fetchall()
        ]

    # --- deletions, viewings -------------------------------------------------------------------------------

    def put_deletion(self, deletion: Deletion) -> None:
        self._put("deletions", msgspec.structs.astuple(deletion))

    def deletions(self, limit: int) -> list[Deletion]:
        rows = self._rows.execute(
            f"SELECT {_DELETION_COLUMNS} FROM deletions ORDER BY deleted_ns DESC, id DESC LIMIT ?",
            (_storable(max(0, limit)),),
        )
        return [_made(Deletion, *row[:9], Rule(row[9]), *row[10:]) for row in rows.fetchall()]

    def put_viewing(self, viewing: Viewing) -> None:
        ages = msgspec.json.encode(viewing.ages).decode()
        self._put("viewings", (*msgspec.structs.astuple(viewing)[:5], ages,
                               viewing.interruptions, viewing.interrupted_ms))  # fmt: skip

    def viewings(self, from_ns: int, to_ns: int, feed_ids: Sequence[str]) -> list[Viewing]:
        of_feeds = f"AND feed_id IN ({_marks(feed_ids)})" if feed_ids else ""
        rows = self._rows.execute(
            f"SELECT {_VIEWING_COLUMNS} FROM viewings WHERE started_ns < ? AND ended_ns >= ? {of_feeds} "
            "ORDER BY started_ns, id",
            [_storable(value) for value in (to_ns, from_ns, *feed_ids)],
        )
        return [
            _made(Viewing, *row[:5], msgspec.json.decode(row[5], type=tuple[float, ...]), *row[6:])
            for row in rows.fetchall()
        ]

    def viewings_read(self) -> dict[str, int]:
        """By month, how much of its file is in here."""
        return dict(self._rows.execute("SELECT month, read_bytes FROM viewing_files").fetchall())

    def put_viewings_read(self, month: str, read_bytes: int) -> None:
        self._put("viewing_files", (month, read_bytes))

    def _put(self, table: str, values: Sequence[Any]) -> None:
        """Not for flights: replacing a row takes with it whatever hangs on it."""
        storable = [_storable(value) for value in values]
        self._rows.execute(f"INSERT OR REPLACE INTO {table} VALUES ({_marks(values)})", storable)

    def _column(self, query: str, value: str) -> tuple[str, ...]:
        return tuple(row[0] for row in self._rows.execute(query, (value,)))


_JOINS = (
    "LEFT JOIN holds AS h ON h.flight_id = f.id LEFT JOIN incident_flights AS m ON m.flight_id = f.id "
    "LEFT JOIN incidents AS i ON i.id = m.incident_id"
)
_FEEDS = FlightEntry.__struct_fields__.index("feeds")  # where an entry has what is in other tables
_INCIDENT = FlightEntry.__struct_fields__.index("incident") - 1  # where a row has its, then its hold
_OWN_COLUMNS = (
    *FlightEntry.__struct_fields__[:_FEEDS],
    *FlightEntry.__struct_fields__[_FEEDS + 1 : _INCIDENT + 1],
)
_FLIGHT_COLUMNS = (
    ", ".join(f"f.{name}" for name in _OWN_COLUMNS) + ", m.incident_id, h.reason, h.by, h.since_ns"
)
_FEED_COLUMNS = "flight_id, " + ", ".join(FeedEntry.__struct_fields__)
_DELETION_COLUMNS = ", ".join(Deletion.__struct_fields__)
_VIEWING_COLUMNS = ", ".join(Viewing.__struct_fields__)
_PUT_FLIGHT = (
    f"INSERT INTO flights VALUES ({', '.join('?' * 15)}) ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_OWN_COLUMNS[1:], "words", "stamp"))
)


def _made(kind: Callable[..., _T], *values: Any) -> _T:
    """One of what the rows are of, from its fields in their order."""
    return kind(*values)


def _kinds(text: str | None) -> tuple[RecordKind, ...] | None:
    return None if text is None else tuple(map(RecordKind, text.split()))


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _conditions(query: FlightQuery) -> tuple[str, list[Any]]:
    """The WHERE clause, and its values. Ids begin with the start, so their order is that of time."""
    wanted: list[tuple[str, str | int]] = []
    if query.aircraft_id:
        wanted.append(("f.aircraft_id = ?", query.aircraft_id))
    if query.incident_id:
        wanted.append(("m.incident_id = ?", query.incident_id))
    if query.from_ns is not None:
        wanted.append(("ifnull(f.ended_ns, 9e18) >= ?", query.from_ns))
    if query.to_ns is not None:
        wanted.append(("f.started_ns < ?", query.to_ns))
    if query.before_id:
        wanted.append(("f.id < ?", query.before_id))
    words = query.text.casefold().split()
    wanted += [("instr(f.words || char(10) || ifnull(i.words, ''), ?)", word) for word in words]
    clauses, values = [sql for sql, _ in wanted], [_storable(value) for _, value in wanted]
    if query.near is not None:
        clause, runs = _near(query.near)
        clauses.append(clause)
        values += runs
    return ("WHERE " + " AND ".join(clauses) if clauses else ""), values


def _near(near: Near) -> tuple[str, list[int]]:
    """A clause per row of the grid: a hundred at most."""
    runs = list(runs_near(near))
    where = " OR ".join(["cell BETWEEN ? AND ?"] * len(runs))
    return f"f.id IN (SELECT flight_id FROM cells WHERE {where})", [end for run in runs for end in run]


def _storable(value: Any) -> Any:
    """What SQLite can hold: numbers of 64 bits, and text without halves of characters."""
    if isinstance(value, int):
        return min(max(value, -(1 << 63)), (1 << 63) - 1)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
