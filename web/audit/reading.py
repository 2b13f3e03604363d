"""The monthly files, read from the newest line backwards or from a line on. Blocking."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recordings.plain_files import open_plain

FOLDER = "audit"
CHUNK_BYTES = 1024 * 1024
_MONTH = re.compile(r"\d{4}-\d{2}\.jsonl")


@dataclass(frozen=True, slots=True)
class Month:
    """One file as far as it was written at one moment."""

    path: Path
    size: int

    @property
    def name(self) -> str:
        """ "2026-11"."""
        return self.path.name.partition(".")[0]


def months_in(folder: Path) -> list[Month]:
    """The oldest first; none where there is no folder. Raises OSError."""
    try:
        names = sorted(name for name in os.listdir(folder) if _MONTH.fullmatch(name))
    except FileNotFoundError:
        return []
    return [Month(folder / name, (folder / name).lstat().st_size) for name in names]


def chunks_back(month: Month) -> Iterator[bytes]:
    """Whole lines, about a mebibyte at a time, the newest chunk first; only the very last line may have no
    end. Raises OSError."""
    with open_plain(month.path) as file:
        at, rest = month.size, b""
        while at > 0:
            start = max(0, at - CHUNK_BYTES)
            data = os.pread(file.fileno(), at - start, start) + rest
            at = start
            cut = data.find(b"\n") + 1 if start else 0
            if start and not cut:
                rest = data
                continue
            rest, data = data[:cut], data[cut:]
            if data:
                yield data


def lines_back(month: Month) -> Iterator[bytes]:
    """Lines with their newline, the newest first. Raises OSError."""
    for chunk in chunks_back(month):
        yield from reversed(_split(chunk))


def lines_of(month: Month, start: int = 0) -> Iterator[bytes]:
    """Lines with their newline, the oldest first; the last may have none. Raises OSError."""
    with open_plain(month.path) as file:
        at, rest = start, b""
        while at < month.size:
            data = os.pread(file.fileno(), min(CHUNK_BYTES, month.size - at), at)
            if not data:
                break
            at += len(data)
            *lines, rest = (rest + data).split(b"\n")
            yield from (line + b"\n" for line in lines)
        if rest:
            yield rest


def _split(chunk: bytes) -> list[bytes]:
    """At newlines alone."""
    *lines, rest = chunk.split(b"\n")
    return [line + b"\n" for line in lines] + ([rest] if rest else [])


def place_of(month: Month, seq: int) -> int:
    """Where in the file the first line stands whose number is at least that; its size where there is none."""
    low, high = 0, month.size
    with open_plain(month.path) as file:
        while high - low > CHUNK_BYTES:
            middle = (low + high) // 2
            found = _NUMBER.search(os.pread(file.fileno(), CHUNK_BYTES, middle))
            if found is None or int(found[1]) >= seq:
                high = middle
            else:
                low = middle + found.start()
        data = os.pread(file.fileno(), high - low + CHUNK_BYTES, low)
    for found in _NUMBER.finditer(data):
        if int(found[1]) >= seq:
            return low + found.start()
    return month.size


_NUMBER = re.compile(rb'^\{"seq":(\d{1,18}),', re.MULTILINE)
