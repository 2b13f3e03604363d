"""What is being recorded, and whether there is room for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class RecordKind(StrEnum):
    """What of a flight may be recorded, each apart from the others."""

    PICTURES = "pictures"  # of all its cameras
    THERMAL = "thermal"  # of its thermal cameras only: nobody is recognised in them
    TELEMETRY = "telemetry"  # where it flew, with its alarms and messages


EVERYTHING = (RecordKind.PICTURES, RecordKind.TELEMETRY)


def in_order(kinds: Iterable[RecordKind]) -> tuple[RecordKind, ...]:
    """Each once; thermal pictures are among the pictures."""
    told = set(kinds)
    if RecordKind.PICTURES in told:
        told.discard(RecordKind.THERMAL)
    return tuple(kind for kind in RecordKind if kind in told)


class RecordingStatus(StrEnum):
    """Whether an aircraft's pictures and telemetry are being kept."""

    OFF = "off"  # no flight, or switched off: `reason` says which
    RECORDING = "recording"
    FAILED = "failed"  # there is a flight, and nothing of it can be written: `reason` says why


@dataclass(frozen=True, slots=True)
class RecordingState:
    """LATEST, by aircraft. `reason` is a code of the UI catalogue: "" while all is well,

    "no_flight", "switched_off", "not_wanted" (OFF); "disk_full", "disk_failed", "disk_slow", "disk_stalled"
    (FAILED). `records` is what is, or would be, recorded now: as the incident says, else the settings; where
    that is nothing, the reason is "not_wanted". `detail` is one clear English line. Counters are of this
    flight; `lost` are pictures that came and could not be written.
    """

    aircraft_id: str
    status: RecordingStatus
    since_ns: int
    flight_id: str = ""
    started_ns: int | None = None
    reason: str = ""
    detail: str = ""
    pictures: int = 0
    written_bytes: int = 0
    lost: int = 0
    records: tuple[RecordKind, ...] = EVERYTHING


class StorageStatus(StrEnum):
    """How much room there is for recordings."""

    OK = "ok"
    LOW = "low"  # it will be full within the hours that the settings name
    FULL = "full"  # nothing may be thinned any more, and nothing is recorded
    FAILED = "failed"  # the folder cannot be read or written


@dataclass(frozen=True, slots=True)
class StorageState:
    """LATEST, one for the installation. `free_bytes` is what may still be filled: the reserve is not in it.

    `hours_left` is at the present rate, None while nothing is recorded.
    """

    status: StorageStatus
    since_ns: int
    free_bytes: int = 0
    used_bytes: int = 0  # by recordings
    hours_left: float | None = None
    detail: str = ""
