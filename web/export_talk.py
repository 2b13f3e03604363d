"""What an export's worker is told on its standard input, once, and what it says: one JSON object per line."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from flow.flights import Incident
from recordings.export.jobs import LeftOut


class Task(msgspec.Struct, frozen=True):
    """What all cameras together record in a second, and what of the disk is never filled: an export must not
    take the room of recordings."""

    root: str
    job_id: str
    incident: Incident | None = None
    terrain: tuple[str, ...] = ()
    reserve_bytes: int = 0
    recorded_bytes_s: int = 0


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """`share` is from 0 to 1; `step` is the part that is being made."""

    share: float
    step: str


class Made(msgspec.Struct, frozen=True, tag="made"):
    """The last word: export.zip is there."""

    size_bytes: int
    left_out: tuple[LeftOut, ...] = ()


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The last word. `reason` is a code of the UI catalogue."""

    reason: str
    detail: str = ""


Word: TypeAlias = Progress | Made | Failed
