"""Files of subtitles on disk, read with care: anything may bear that name."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from .errors import SourceError

FILE_LIMIT_BYTES = 64 * 1024 * 1024
"""Of a whole file; an hour of a film of 60 pictures a second has that."""
LINE_LIMIT_CHARACTERS = 4096
"""DJI's have 300."""


def open_subtitles(path: Path) -> TextIO:
    """Waits for the disk. Raises SourceError: not_found, not_telemetry."""
    try:
        kind = path.stat()
        if not stat.S_ISREG(kind.st_mode):  # opening a FIFO waits for a writer, perhaps for ever
            raise SourceError(f"telemetry file {path} is no regular file", code="not_telemetry")
        if kind.st_size > FILE_LIMIT_BYTES:
            raise SourceError(f"telemetry file {path} is too large for subtitles", code="not_telemetry")
        return path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        text = f"telemetry file {path} cannot be read: {error.strerror}"
        raise SourceError(text, code="not_found") from None


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines with their ends, but for those longer than any subtitle's: a file of another kind may be one
    single line. Raises OSError as reading does."""
    goes_on = False
    while line := file.readline(LINE_LIMIT_CHARACTERS):
        ended = line.endswith(("\n", "\r"))
        if not goes_on and (ended or len(line) < LINE_LIMIT_CHARACTERS):
            yield line
        goes_on = not ended
