"""catalogue.sqlite: opened, migrated, or set aside and begun anew. It is an index; the folders are the truth.

decisions/0028.
"""

from __future__ import annotations

import logging
import sqlite3
import stat
from pathlib import Path

from .folders import CATALOGUE_FILE

log = logging.getLogger("lagebild.recordings")

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE flights (
        id TEXT PRIMARY KEY, aircraft_id TEXT NOT NULL, aircraft_name TEXT NOT NULL,
        started_ns INTEGER NOT NULL, ended_ns INTEGER, size_bytes INTEGER NOT NULL,
        repaired_ns INTEGER, lost_bytes INTEGER NOT NULL, messages INTEGER NOT NULL, markers INTEGER NOT NULL,
        alarms INTEGER NOT NULL, damage TEXT NOT NULL, words TEXT NOT NULL, stamp TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX flights_by_aircraft ON flights (aircraft_id, id);
    CREATE INDEX flights_running ON flights (id) WHERE ended_ns IS NULL;
    CREATE TABLE feeds (
        flight_id TEXT NOT NULL REFERENCES flights ON DELETE CASCADE, place INTEGER NOT NULL,
        id TEXT NOT NULL, name TEXT NOT NULL, codec TEXT, width_px INTEGER, height_px INTEGER,
        segments INTEGER NOT NULL, pictures INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
        first_ns INTEGER, last_ns INTEGER, gaps INTEGER NOT NULL, gap_ns INTEGER NOT NULL,
        PRIMARY KEY (flight_id, id)
    ) WITHOUT ROWID;
    CREATE TABLE segments (
        flight_id TEXT NOT NULL REFERENCES flights ON DELETE CASCADE, feed_id TEXT NOT NULL,
        number INTEGER NOT NULL, codec TEXT NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
        first_ns INTEGER, last_ns INTEGER, pictures INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
        closed INTEGER NOT NULL,
        PRIMARY KEY (flight_id, feed_id, number)
    ) WITHOUT ROWID;
    CREATE TABLE events (
        flight_id TEXT NOT NULL REFERENCES flights ON DELETE CASCADE, id TEXT NOT NULL,
        utc_ns INTEGER NOT NULL, line BLOB NOT NULL,
        PRIMARY KEY (flight_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX events_by_time ON events (flight_id, utc_ns);
    CREATE TABLE markers (
        flight_id TEXT NOT NULL REFERENCES flights ON DELETE CASCADE, marker_id TEXT NOT NULL,
        utc_ns INTEGER NOT NULL, lat_deg REAL NOT NULL, lon_deg REAL NOT NULL, label TEXT NOT NULL,
        by TEXT NOT NULL,
        PRIMARY KEY (flight_id, marker_id)
    ) WITHOUT ROWID;
    CREATE TABLE holds (
        flight_id TEXT PRIMARY KEY REFERENCES flights ON DELETE CASCADE,
        reason TEXT NOT NULL, by TEXT NOT NULL, since_ns INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE incidents (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, words TEXT NOT NULL,
        opened_ns INTEGER NOT NULL, opened_by TEXT NOT NULL, changed_ns INTEGER NOT NULL, closed_ns INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE incident_aircraft (
        incident_id TEXT NOT NULL REFERENCES incidents ON DELETE CASCADE, aircraft_id TEXT NOT NULL,
        PRIMARY KEY (incident_id, aircraft_id)
    ) WITHOUT ROWID;
    CREATE TABLE incident_flights (  -- names flights that were deleted, too, as the incident's file does
        flight_id TEXT PRIMARY KEY, incident_id TEXT NOT NULL REFERENCES incidents ON DELETE CASCADE
    ) WITHOUT ROWID;
    CREATE INDEX incident_flights_by_incident ON incident_flights (incident_id, flight_id);
    CREATE TABLE deletions (
        id TEXT PRIMARY KEY, flight_id TEXT NOT NULL, aircraft_id TEXT NOT NULL, started_ns INTEGER NOT NULL,
        ended_ns INTEGER, incident TEXT NOT NULL, files INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
        deleted_ns INTEGER NOT NULL, rule TEXT NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX deletions_by_time ON deletions (deleted_ns);
    CREATE TABLE viewings (
        id TEXT PRIMARY KEY, feed_id TEXT NOT NULL, started_ns INTEGER NOT NULL, ended_ns INTEGER NOT NULL,
        joined_ms REAL, ages TEXT NOT NULL, interruptions INTEGER NOT NULL, interrupted_ms REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX viewings_by_time ON viewings (started_ns);
    CREATE TABLE viewing_files (month TEXT PRIMARY KEY, read_bytes INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    CREATE TABLE places (
        flight_id TEXT PRIMARY KEY REFERENCES flights ON DELETE CASCADE,
        lat_deg REAL NOT NULL, lon_deg REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE cells (
        flight_id TEXT NOT NULL REFERENCES flights ON DELETE CASCADE, cell INTEGER NOT NULL,
        PRIMARY KEY (flight_id, cell)
    ) WITHOUT ROWID;
    CREATE INDEX cells_by_place ON cells (cell, flight_id);
    UPDATE flights SET stamp = '';  -- read again, for where they were
    """,
    """
    ALTER TABLE incidents ADD COLUMN record TEXT;  -- NULL: as the settings say
    ALTER TABLE incidents ADD COLUMN record_by TEXT NOT NULL DEFAULT '';
    ALTER TABLE flights ADD COLUMN withheld TEXT NOT NULL DEFAULT '';
    """,
)
"""Each brings the catalogue from the version before (PRAGMA user_version) to its own; never change one."""

_SET_ASIDE = CATALOGUE_FILE + ".set-aside"
_COMPANIONS = ("", "-wal", "-shm", "-journal")


def open_catalogue(root: Path) -> sqlite3.Connection:
    """The catalogue in the data folder, of this program's version. One that is damaged, none of ours or of a
    newer program is set aside, and an empty one is there instead; on a disk that cannot be written, one in
    memory."""
    path = root / CATALOGUE_FILE
    try:
        return _opened(path)
    except (sqlite3.Error, OSError) as error:
        log.warning("%s cannot be used (%s), so it is made anew from the folders", path, error)
    try:
        set_aside(root)
        return _opened(path)
    except (sqlite3.Error, OSError) as error:
        log.error("%s cannot be made (%s), so the catalogue is kept in memory only", path, error)
    return _migrated(_connected(":memory:"))


def _opened(path: Path) -> sqlite3.Connection:
    """Raises sqlite3.Error, OSError."""
    if path.is_symlink() or (path.exists() and not stat.S_ISREG(path.lstat().st_mode)):
        raise sqlite3.DatabaseError("no regular file")
    connection = _connected(str(path))
    try:
        (journal,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        # A catalogue that misses its last second after a power cut is mended from the folders at the start.
        connection.execute("PRAGMA synchronous = NORMAL")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if journal != "wal" or verdict != "ok":
            raise sqlite3.DatabaseError(f"journal {journal}, check: {verdict}")
        return _migrated(connection)
    except BaseException:
        connection.close()
        raise


def _connected(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrated(connection: sqlite3.Connection) -> sqlite3.Connection:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError(
            f"of a newer Lagebild: version {version}, this one knows {len(MIGRATIONS)}"
        )
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version == 0 and tables:
        raise sqlite3.DatabaseError("no catalogue of ours")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
    return connection


def set_aside(root: Path) -> None:
    """Keep the newest one that could not be used, for whoever wants to know why. Raises OSError."""
    path = root / CATALOGUE_FILE
    for companion in _COMPANIONS:
        old = path.with_name(path.name + companion)
        aside = path.with_name(_SET_ASIDE + companion)
        if aside.is_dir() and not aside.is_symlink():
            aside.rename(aside.with_name(f"{aside.name}.{aside.lstat().st_mtime_ns}"))
        aside.unlink(missing_ok=True)
        if old.is_symlink() or old.exists():
            old.rename(aside)
