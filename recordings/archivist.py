"""What the archive does, step by step, in its one thread: the file first, then the catalogue.

The folders are the truth. Whatever fails between a file and its row is put right at the next `open`.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from flow.bus import Event
from flow.clock import Clock
from flow.errors import LagebildError, MalformedError, NotFoundError
from flow.flights import Incident

from . import deletions, viewing_files
from .catalogue import Catalogue
from .catalogue_file import open_catalogue, set_aside
from .entered import REASON_LIMIT, entered
from .entries import Deletion, FlightEntry, FlightQuery, Hold, Rule
from .flight_file import FlightFile, read_flight
from .folders import FLIGHT_ID_PATTERN, flight_folder, flights_folder, incidents_folder, viewings_folder
from .holds import HoldChange, changed_hold, standing_hold
from .incident_desk import IncidentDesk
from .players import Players
from .protocol.retention import Days, rule_of
from .survey import FlightSurvey, folder_stamp
from .viewing import Viewing

log = logging.getLogger("lagebild.recordings")


class Archivist:
    """Every method but `open` and `close` raises OSError and sqlite3.Error where the disk does not do."""

    def __init__(
        self,
        root: Path,
        clock: Clock,
        days: Days,
        players: Players,
        stored: Callable[[Incident], None] = lambda incident: None,
    ) -> None:
        """`stored` is told of every incident that was opened or changed."""
        self._root, self._stored = root, stored
        self._clock = clock
        self._days = days
        self._players = players
        self._surveys: dict[str, FlightSurvey] = {}  # of the flights that are being recorded
        self._leaving = False
        self._opened_ns = 0
        self._is_loaded = False

    # --- opening -------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Raises nothing: without a disk there is nothing to list, but pictures are still shown."""
        self._leaving = self._is_loaded = False
        self._opened_ns = self._clock.now_ns()
        self._make_folders()
        self._open_catalogue()

    def reconcile(self) -> None:
        """Make the catalogue say what the folders say. Raises sqlite3.Error and OSError."""
        try:
            self._load()
        except sqlite3.Error as error:
            log.warning("the catalogue cannot be used (%s), so it is made anew from the folders", error)
            self._catalogue.close()
            set_aside(self._root)
            self._open_catalogue()
            self._load()
        self._is_loaded = True

    def leave(self) -> None:
        """Let `reconcile` end early; the next one goes on. From any thread."""
        self._leaving = True

    def close(self) -> None:
        self._catalogue.close()

    def _make_folders(self) -> None:
        trash = deletions.trash_folder(self._root)
        try:
            if trash.is_symlink():
                trash.unlink()  # what is moved there is removed: it must be ours
            for folder in (flights_folder, incidents_folder, viewings_folder, deletions.trash_folder):
                folder(self._root).mkdir(parents=True, exist_ok=True)
            deletions.finish_all(self._root)
            deletions.keep_room(self._root)
        except OSError as error:
            log.error("the data folder %s cannot be used as it should be: %s", self._root, error)

    def _open_catalogue(self) -> None:
        self._catalogue = Catalogue(open_catalogue(self._root))
        self._surveys.clear()  # this one may not know what they have read
        self.desk = IncidentDesk(self._root, self._clock, self._catalogue, self._stored)

    def _load(self) -> None:
        self.desk.load()
        for step in (self._load_deletions, self._load_viewings, self._load_flights):
            try:
                step()
            except OSError as error:
                log.error("the catalogue is not complete: %s", error)

    def _load_deletions(self) -> None:
        with self._catalogue.change():
            for deletion in deletions.read_deletions(self._root):
                self._catalogue.put_deletion(deletion)

    def _load_viewings(self) -> None:
        read = self._catalogue.viewings_read()
        for month, size_bytes in viewing_files.months(self._root):
            start = read.get(month, 0)
            if start == size_bytes:
                continue
            with self._catalogue.change():
                end = start if start < size_bytes else 0  # somebody made it shorter
                for viewing, after in viewing_files.read_viewings(self._root, month, end):
                    self._catalogue.put_viewing(viewing)
                    end = after
                self._catalogue.put_viewings_read(month, end)

    def _load_flights(self) -> None:
        known = self._catalogue.stamps()
        found = dict(_flight_folders(self._root))
        for flight_id in sorted(known.keys() - found.keys()):
            self._lose(flight_id)
        for flight_id in sorted(found):
            if self._leaving:
                return
            try:
                if known.get(flight_id) != folder_stamp(found[flight_id]):
                    self.refresh(flight_id)
            except InterruptedError:
                return
            except (OSError, NotFoundError) as error:
                log.error("flight %s cannot be read: %s", flight_id, error)
            except sqlite3.Error:
                raise
            except Exception:  # a bug here must not keep the others from the lists
                log.exception("flight %s cannot be read: a defect of Lagebild", flight_id)

    # --- flights -------------------------------------------------------------------------------------------

    def refresh(self, flight_id: str) -> None:
        folder = flight_folder(self._root, flight_id)
        if folder.is_symlink() or not folder.is_dir():
            flights_folder(self._root).stat()  # all of it is gone: the disk is, not this flight
            if not self._catalogue.has_flight(flight_id):
                raise NotFoundError("there is no such flight")
            self._lose(flight_id)
            return
        survey = self._surveys.pop(flight_id, None) or FlightSurvey(folder, lambda: self._leaving)
        reading = survey.read()
        begins = self._begins(reading.flight)
        with self._catalogue.change():
            self._catalogue.put_reading(reading, standing_hold(folder))
        # Only now: had the catalogue not taken it, the next reading must be of everything.
        if reading.flight.ended_ns is None:
            self._surveys[flight_id] = survey
        if begins:
            self.desk.join(flight_id, reading.flight.aircraft_id)

    def _begins(self, flight: FlightFile) -> bool:
        """Whether it is news that it is being recorded, or was: when a server that told nobody ended, or
        while the catalogue was being made anew."""
        if flight.ended_ns is None:
            return flight.id not in dict(self._catalogue.running())
        was = flight.repaired_ns is not None or (self._is_loaded and flight.ended_ns >= self._opened_ns)
        return was and not self._catalogue.has_flight(flight.id)

    def _lose(self, flight_id: str) -> None:
        """Its folder is gone, and not by us: the deletions say so, for they are all that is left of it."""
        self._surveys.pop(flight_id, None)
        entry = self.flight(flight_id)
        if all(deletion.flight_id != flight_id for deletion in deletions.read_deletions(self._root)):
            deletion = self._deletion(entry, Rule.MISSING, "unknown", "", (0, 0))
            log.warning("flight %s is gone: its folder is not there any more", flight_id)
            deletions.document(self._root, deletion)
            with self._catalogue.change():
                self._catalogue.put_deletion(deletion)
        with self._catalogue.change():
            self._catalogue.remove_flight(flight_id)

    def flights(self, query: FlightQuery) -> list[FlightEntry]:
        return [self._dated(entry) for entry in self._catalogue.flights(query)]

    def flight(self, flight_id: str) -> FlightEntry:
        flight_folder(self._root, flight_id)
        entry = self._catalogue.flight(flight_id)
        if entry is None:
            raise NotFoundError("there is no such flight")
        return self._dated(entry)

    def _dated(self, entry: FlightEntry) -> FlightEntry:
        if entry.ended_ns is None or entry.hold is not None:
            return entry
        return msgspec.structs.replace(
            entry,
            delete_on_ns=self._days.due_ns(entry.kind, entry.ended_ns),
            delete_rule=rule_of(entry.kind),
        )

    def events(self, flight_id: str) -> list[Event]:
        self.flight(flight_id)
        return self._catalogue.events(flight_id)

    # --- holds ---------------------------------------------------------------------------------------------

    def hold(self, flight_id: str, reason: str, by: str) -> Hold:
        reason, by = entered(reason, "the reason", limit=REASON_LIMIT), entered(by, "the name")
        hold = Hold(reason, by, self._clock.now_ns())
        self._change_hold(flight_id, HoldChange(True, by, hold.since_ns, reason))
        return hold

    def release(self, flight_id: str, by: str) -> None:
        """Nothing happens where nobody holds it: two people may have released it."""
        change = HoldChange(False, entered(by, "the name"), self._clock.now_ns())
        if self.flight(flight_id).hold is not None:
            self._change_hold(flight_id, change)

    def _change_hold(self, flight_id: str, change: HoldChange) -> None:
        self.flight(flight_id)
        if deletions.is_begun(self._root, flight_id):
            raise NotFoundError(f"flight {flight_id} is being deleted")
        hold = changed_hold(flight_folder(self._root, flight_id), change)
        with self._catalogue.change():
            self._catalogue.put_hold(flight_id, hold)

    # --- deletions -----------------------------------------------------------------------------------------

    def delete(self, flight_id: str, rule: Rule, by: str, reason: str) -> Deletion:
        """Document it, and move its folder aside; `sweep` removes that. See deletions.py."""
        by, reason = entered(by, "the name"), entered(reason, "the reason", limit=REASON_LIMIT, needed=False)
        entry = self.flight(flight_id)
        folder = flight_folder(self._root, flight_id)
        if folder.is_symlink() or not folder.is_dir():
            self.refresh(flight_id)
            raise NotFoundError("there is no such flight any more")
        self._check_deletable(entry, folder)
        with self._players.deleting(flight_id):
            deletion = self._deletion(entry, rule, by, reason, deletions.contents(folder))
            deletion = deletions.carry_out(self._root, deletion)
        self._surveys.pop(flight_id, None)
        with self._catalogue.change():
            self._catalogue.put_deletion(deletion)
            self._catalogue.remove_flight(flight_id)
        return deletion

    def _check_deletable(self, entry: FlightEntry, folder: Path) -> None:
        """By the files, as they are now."""
        if standing_hold(folder) is not None:
            raise LagebildError(f"flight {entry.id} is held; release it first", code="on_hold")
        try:
            ended_ns = read_flight(folder).ended_ns
        except MalformedError:
            ended_ns = entry.ended_ns
        if ended_ns is None:
            raise LagebildError(
                f"flight {entry.id} is being recorded; it can be deleted when it has ended",
                code="flight_running",
            )

    def _deletion(
        self, entry: FlightEntry, rule: Rule, by: str, reason: str, contents: tuple[int, int]
    ) -> Deletion:
        now_ns = self._clock.now_ns()
        return Deletion(
            f"{entry.id}-{now_ns}",
            entry.id,
            entry.aircraft_id,
            entry.started_ns,
            entry.ended_ns,
            entry.incident.name if entry.incident else "",
            *contents,
            now_ns,
            rule,
            by,
            reason,
        )

    def sweep(self, flight_id: str) -> None:
        """Remove what a deletion moved aside; the next start does where this fails. From any thread."""
        try:
            deletions.finish(self._root, flight_id)
        except OSError as error:
            log.warning("flight %s is deleted, but its files cannot be removed yet: %s", flight_id, error)

    def deletions(self, limit: int) -> list[Deletion]:
        return self._catalogue.deletions(limit)

    # --- viewings ------------------------------------------------------------------------------------------

    def add_viewing(self, viewing: Viewing) -> None:
        size_bytes = viewing_files.append_viewing(self._root, viewing)
        with self._catalogue.change():
            self._catalogue.put_viewing(viewing)
            self._catalogue.put_viewings_read(viewing_files.month_of(viewing), size_bytes)

    def viewings(self, from_ns: int, to_ns: int, feed_ids: tuple[str, ...]) -> list[Viewing]:
        return self._catalogue.viewings(from_ns, to_ns, feed_ids)

    # --- incidents -----------------------------------------------------------------------------------------

    def incidents(self) -> list[Incident]:
        return self._catalogue.incidents()


def _flight_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Whatever else lies there, links too, is passed over. Raises OSError."""
    for folder in flights_folder(root).iterdir():
        if FLIGHT_ID_PATTERN.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
            yield folder.name, folder
