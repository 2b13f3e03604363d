"""What lies where in the data folder, and which names are let near it.

    .owner                                which server has this folder (flock, and who it is)
    catalogue.sqlite                      an index of what follows; made anew where it is lost
    catalogue.sqlite.set-aside            the newest one that could not be used
    flights/20261122t044900z-fritz/       one folder per flight
        flight.json                       aircraft, feeds, start, end: flight_file.py
        fritz-tag.0001.mp4 …              segments of a feed: fragmented MP4 with its picture index
        telemetry.tlog                    raw MAVLink
        samples.jsonl                     TelemetrySamples, ten a second at most
        metadata.jsonl                    what the streams carried: KLV, GPMF, DJI subtitles
        events.jsonl                      markers, alarms, STATUSTEXT, armed and disarmed, gaps
        hold.json                         who holds it, and why
        notes.jsonl                       bookmarks and notes of those who reviewed it; only appended to
    incidents/ID.json                     one file per incident
    deletions.jsonl                       what was deleted, when, by which rule, by whom; only appended to
    .room                                 so that a deletion can be documented on a full disk: deletions.py
    clock.json                            what time it was last: clock_watch.py
    viewings/2026-11.jsonl                who watched what, and how old the pictures were
    exports/ID/                           an export: its order, how far it is, export.zip
    thumbnails/FLIGHT.jpg                 can always be made again
    renditions/FLIGHT/                    H.264 of what browsers cannot play; can always be made again
    signing-key.pem                       Ed25519: what exports are signed with
    .trash/                               a deletion that is being carried out: deletions.py

The folders are the truth; the catalogue can always be made of them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from flow.clock import NS_PER_S
from flow.errors import NotFoundError
from flow.flights import ID_PATTERN

FLIGHT_ID_PATTERN = re.compile(rf"[0-9]{{8}}t[0-9]{{6}}z-{ID_PATTERN.pattern}")
_SEGMENT_PATTERN = re.compile(rf"({ID_PATTERN.pattern})\.([0-9]{{4}})\.mp4")

FLIGHT_FILE = "flight.json"
TLOG_FILE = "telemetry.tlog"
SAMPLES_FILE = "samples.jsonl"
METADATA_FILE = "metadata.jsonl"
EVENTS_FILE = "events.jsonl"
HOLD_FILE = "hold.json"
NOTES_FILE = "notes.jsonl"
OWNER_FILE = ".owner"
CATALOGUE_FILE = "catalogue.sqlite"
DELETIONS_FILE = "deletions.jsonl"
ROOM_FILE = ".room"
CLOCK_FILE = "clock.json"
SIGNING_KEY_FILE = "signing-key.pem"


def flight_id(started_ns: int, aircraft_id: str) -> str:
    """`20261122t044900z-fritz`: the UTC start, to the second, and the aircraft."""
    return f"{datetime.fromtimestamp(started_ns // NS_PER_S, UTC):%Y%m%dt%H%M%Sz}-{aircraft_id}"


def flights_folder(root: Path) -> Path:
    return root / "flights"


def incidents_folder(root: Path) -> Path:
    return root / "incidents"


def exports_folder(root: Path) -> Path:
    return root / "exports"


def thumbnails_folder(root: Path) -> Path:
    return root / "thumbnails"


def renditions_folder(root: Path) -> Path:
    return root / "renditions"


def viewings_folder(root: Path) -> Path:
    return root / "viewings"


def flight_folder(root: Path, flight: str) -> Path:
    """Where a flight lies, or would. Raises NotFoundError for what can be no flight's id, such as a path."""
    if not FLIGHT_ID_PATTERN.fullmatch(flight):
        raise NotFoundError("there is no such flight")
    return flights_folder(root) / flight


def segment_name(feed_id: str, number: int) -> str:
    """Segments of a feed are numbered from 1, whatever starts a new one."""
    return f"{feed_id}.{number:04d}.mp4"


def segments_in(folder: Path) -> list[tuple[str, int, Path]]:
    """(feed, number, file) of every segment in a flight's folder, in order; whatever else lies there is
    passed over, and what is no regular file too."""
    found = ((_SEGMENT_PATTERN.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted(
        (match[1], int(match[2]), path)
        for match, path in found
        if match and path.is_file() and not path.is_symlink()
    )
