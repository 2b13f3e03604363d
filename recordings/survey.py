"""Reads a flight's folder: all of it at first, and what was added each time after.

A running flight is read every few seconds, so the cost of that does not grow with its length: of segments
that are done the sums are kept, and of files that grow only the new end is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from flow.bus import Event
from flow.clock import NS_PER_S
from flow.errors import MalformedError
from flow.flights import Alarm, Marker

from .feed_survey import FeedSurvey
from .flight_file import FlightFile, read_flight
from .folders import EVENTS_FILE, FLIGHT_FILE, HOLD_FILE, SAMPLES_FILE, TLOG_FILE, segments_in
from .plain_files import open_plain, whole_lines
from .protocol.lines import LINE_LIMIT_BYTES, item_of
from .protocol.tlog_count import TlogCount
from .reading import Reading, SegmentEntry
from .track_survey import TrackSurvey

EVENTS_MOST = 100_000
"""Of one flight. Nobody makes so many in a day; whoever fills a file with them does not fill our memory."""

_CHUNK_BYTES = 1024 * 1024
_DAMAGES_TOLD = 3


class FlightSurvey:
    """One folder. Raises OSError from `read` only where the folder itself cannot be read, and
    InterruptedError once `leaving()` says that there is no time to read a long log to its end."""

    def __init__(self, folder: Path, leaving: Callable[[], bool] = lambda: False) -> None:
        self._folder = folder
        self._first = True
        self._tlog = _GrowingTlog(folder / TLOG_FILE, leaving)
        self._events = _GrowingEvents(folder / EVENTS_FILE)
        self._track = TrackSurvey(folder / SAMPLES_FILE)
        self._feeds: dict[str, FeedSurvey] = {}

    def read(self) -> Reading:
        stamp = folder_stamp(self._folder)  # first: what changes from now on is read the next time
        sizes, newest_ns = _files(self._folder)
        damage: list[str] = []
        try:
            flight = read_flight(self._folder)
        except MalformedError as error:
            damage.append(str(error))
            flight = _guessed(self._folder.name, newest_ns)
        segments = self._read_feeds(flight)
        events = self._events.read()
        self._tlog.read()
        cells = self._track.read()
        damage += [text for feed in self._feeds.values() for text in feed.damage]
        damage += [text for text in (self._tlog.damage, self._events.damage) if text]
        first, self._first = self._first, False
        return Reading(
            flight=flight,
            size_bytes=sum(sizes.values()),
            messages=self._tlog.count.records,
            marker_count=len(self._events.markers),
            alarm_count=len(self._events.alarms),
            damage=_told(damage),
            stamp=stamp,
            feeds=tuple(feed.entry() for feed in self._feeds.values()),
            segments=segments,
            events=tuple(events),
            markers=tuple(event for event, _ in events if isinstance(event, Marker)),
            place=self._track.place,
            cells=cells,
            first=first,
        )

    def _read_feeds(self, flight: FlightFile) -> tuple[SegmentEntry, ...]:
        """Feeds come in the order of flight.json; those that it does not name, after them."""
        found: dict[str, list[tuple[int, Path, int]]] = {feed.id: [] for feed in flight.feeds}
        for feed_id, number, path in segments_in(self._folder):
            found.setdefault(feed_id, []).append((number, path, path.lstat().st_size))
        names = {feed.id: feed.name for feed in flight.feeds}
        changed: list[SegmentEntry] = []
        for feed_id, segments in found.items():
            feed = self._feeds.setdefault(feed_id, FeedSurvey(feed_id, names.get(feed_id, feed_id)))
            changed += feed.read(segments, flight.ended_ns is None)
        return tuple(changed)


class _GrowingTlog:
    def __init__(self, path: Path, leaving: Callable[[], bool]) -> None:
        self.count = TlogCount()
        self._path, self._leaving = path, leaving
        self._read_bytes = 0
        self._failure = ""

    @property
    def damage(self) -> str:
        if self.count.bad_at is not None:
            return f"{self._path.name}: what begins at byte {self.count.bad_at} is no record"
        return self._failure

    def read(self) -> None:
        try:
            with open_plain(self._path) as file:
                file.seek(self._read_bytes)
                while self.count.bad_at is None and (data := file.read(_CHUNK_BYTES)):
                    self._read_bytes += len(data)
                    self.count.take(data)
                    if len(data) == _CHUNK_BYTES and self._leaving():
                        raise InterruptedError(f"{self._path.name} is not read to its end")
            self._failure = ""
        except FileNotFoundError:
            return
        except InterruptedError:
            raise
        except OSError as error:
            self._failure = f"{self._path.name}: {error.strerror}"


class _GrowingEvents:
    def __init__(self, path: Path) -> None:
        self.markers: set[str] = set()
        self.alarms: set[str] = set()
        self.damage = ""
        self._path = path
        self._read_bytes = 0
        self._events = 0
        self._bad = 0

    def read(self) -> list[tuple[Event, bytes]]:
        """Those that are new, each with its line."""
        found: list[tuple[Event, bytes]] = []
        try:
            for line, end in whole_lines(self._path, self._read_bytes, LINE_LIMIT_BYTES):
                if self._events >= EVENTS_MOST:
                    self.damage = (
                        f"{self._path.name}: more than {EVENTS_MOST} events; those after are not listed"
                    )
                    break
                self._take(line, found)
                self._read_bytes = end
        except FileNotFoundError:
            pass
        except OSError as error:
            self.damage = f"{self._path.name}: {error.strerror}"
        return found

    def _take(self, line: bytes, found: list[tuple[Event, bytes]]) -> None:
        try:
            event = item_of(line)
        except MalformedError:
            event = None
        if not isinstance(event, get_args(Event)):
            self._bad += bool(line)
            self.damage = f"{self._path.name}: {self._bad} lines cannot be read" if self._bad else ""
            return
        self._events += 1
        found.append((event, line))
        if isinstance(event, Marker):
            known = event.marker_id or event.id
            (self.markers.discard if event.removed else self.markers.add)(known)
        elif isinstance(event, Alarm) and event.active:
            self.alarms.add(event.id)


def folder_stamp(folder: Path) -> str:
    """Changes when a name in the folder comes or goes, and with its flight.json. Raises OSError."""
    stamp = str(folder.lstat().st_mtime_ns)
    try:
        status = (folder / FLIGHT_FILE).lstat()
    except FileNotFoundError:
        return stamp
    return f"{stamp} {status.st_mtime_ns} {status.st_size}"


def _files(folder: Path) -> tuple[dict[str, int], int]:
    """Sizes of the regular files, and when the newest was written (Unix time). Raises OSError.

    A hold comes and goes without the flight changing its size.
    """
    with os.scandir(folder) as entries:
        found = {
            entry.name: entry.stat(follow_symlinks=False) for entry in entries if entry.name != HOLD_FILE
        }
    files = {name: status for name, status in found.items() if stat.S_ISREG(status.st_mode)}
    newest_ns = max((status.st_mtime_ns for status in files.values()), default=folder.lstat().st_mtime_ns)
    return {name: status.st_size for name, status in files.items()}, newest_ns


def _guessed(flight_id: str, newest_ns: int) -> FlightFile:
    """A flight without a readable flight.json, from its name: over since its newest file, so that it is
    deleted in its time as every other."""
    started, _, aircraft_id = flight_id.partition("z-")
    try:
        moment = datetime.strptime(started, "%Y%m%dt%H%M%S").replace(tzinfo=UTC)
        started_ns = int(moment.timestamp()) * NS_PER_S
    except ValueError:  # the 99th of a month
        started_ns = newest_ns
    return FlightFile(flight_id, aircraft_id, aircraft_id, (), started_ns, max(started_ns, newest_ns))


def _told(damage: list[str]) -> str:
    more = len(damage) - _DAMAGES_TOLD
    return "; ".join(damage[:_DAMAGES_TOLD] + ([f"and {more} more"] if more > 0 else []))
