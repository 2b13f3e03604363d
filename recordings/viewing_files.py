"""viewings/2026-11.jsonl: what viewers saw, by the month in which they came.

Of lines with the same id the newest counts.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from flow.clock import NS_PER_S
from flow.errors import MalformedError

from .folders import viewings_folder
from .json_files import decoded
from .plain_files import append_line, whole_lines
from .viewing import Viewing

MONTH_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}")
_LINE_LIMIT_BYTES = 16 * 1024


def month_of(viewing: Viewing) -> str:
    return f"{datetime.fromtimestamp(viewing.started_ns // NS_PER_S, UTC):%Y-%m}"


def append_viewing(root: Path, viewing: Viewing) -> int:
    """Returns the size of the month's file now. Raises OSError."""
    path = _path(root, month_of(viewing))
    append_line(path, msgspec.json.encode(viewing))
    return path.stat().st_size


def months(root: Path) -> list[tuple[str, int]]:
    """(month, bytes) of every file, in order."""
    files = (path for path in viewings_folder(root).iterdir() if path.suffix == ".jsonl")
    return sorted((path.stem, path.lstat().st_size) for path in files if MONTH_PATTERN.fullmatch(path.stem))


def read_viewings(root: Path, month: str, start: int) -> Iterator[tuple[Viewing, int]]:
    """What was added after a place in a month's file, each with the place after it. Raises OSError."""
    for line, end in whole_lines(_path(root, month), start, _LINE_LIMIT_BYTES):
        with contextlib.suppress(MalformedError):
            yield decoded(line, Viewing), end


def _path(root: Path, month: str) -> Path:
    return viewings_folder(root) / f"{month}.jsonl"
