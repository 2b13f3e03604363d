"""Reads where a flight was: not every sample, for nobody looks for a flight by the metre."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from .entries import FlightPlace
from .plain_files import open_plain
from .protocol.ground_cells import cell_at, cells_between
from .protocol.lines import LINE_LIMIT_BYTES

STRIDE_BYTES = 16 * 1024
"""One line is read in so many bytes: every two to three seconds of a flight, some ten metres."""

CELLS_MOST = 20_000
"""Of one flight; a day in an aeroplane has fewer."""

_FAR_DEG = 0.05  # no aircraft comes so far in a stride: the way between is not known


class _Where(msgspec.Struct):
    lat_deg: float | None = None
    lon_deg: float | None = None
    fix: str | None = None


class _Line(msgspec.Struct):
    item: _Where


_LINES = msgspec.json.Decoder(_Line)


class TrackSurvey:
    """`place` is the first with a fix, and `read` gives the squares (ground_cells.py) that are new."""

    def __init__(self, path: Path) -> None:
        self.place: FlightPlace | None = None
        self._path = path
        self._read_bytes = 0
        self._last: tuple[float, float] | None = None
        self._cells: set[int] = set()

    def read(self) -> tuple[int, ...]:
        """Blocking. What cannot be read is nowhere: the telemetry's own damage is told elsewhere."""
        new: set[int] = set()
        try:
            for at in self._places():
                new.update(self._step(at))
        except OSError:
            pass
        new -= self._cells
        self._cells |= new
        return tuple(sorted(new))

    def _step(self, at: tuple[float, float]) -> Iterator[int]:
        before, self._last = self._last, at
        if self.place is None:
            self.place = FlightPlace(*at)
        if len(self._cells) >= CELLS_MOST:
            return
        if before is None or max(abs(at[0] - before[0]), _turn_deg(at[1] - before[1])) > _FAR_DEG:
            yield cell_at(*at)
        else:
            yield from cells_between(before, at)

    def _places(self) -> Iterator[tuple[float, float]]:
        with open_plain(self._path) as file:
            size = file.seek(0, 2)
            while self._read_bytes < size:
                file.seek(self._read_bytes)
                if self._read_bytes:
                    file.readline(LINE_LIMIT_BYTES)  # the rest of one
                line = file.readline(LINE_LIMIT_BYTES)
                if not line.endswith(b"\n"):
                    return
                self._read_bytes = max(self._read_bytes + STRIDE_BYTES, file.tell() - 1)
                if (place := _place_in(line)) is not None:
                    yield place


def _place_in(line: bytes) -> tuple[float, float] | None:
    """None without a fix: an aircraft that searches says 0/0, or where it was yesterday."""
    try:
        where = _LINES.decode(line).item
    except (msgspec.MsgspecError, RecursionError):
        return None
    lat_deg, lon_deg = where.lat_deg, where.lon_deg
    if lat_deg is None or lon_deg is None or where.fix == "none" or (lat_deg, lon_deg) == (0.0, 0.0):
        return None
    if not (-180 <= lon_deg <= 180 and -90 <= lat_deg <= 90):
        return None
    return lat_deg, lon_deg


def _turn_deg(east_deg: float) -> float:
    return abs((east_deg + 180) % 360 - 180)
