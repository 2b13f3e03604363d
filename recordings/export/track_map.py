"""The track as a drawing in the metre grid of UTM, in millimetres of paper from the left and the top.

There is no map behind it: an export is made without the network, and must look the same everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from flow import utm
from flow.samples import Place
from flow.utmref import utmref

WIDTH_MM, HEIGHT_MM = 176.0, 120.0
_MARGIN_MM = 10.0
_LEAST_M = 150.0  # an aircraft that hovers is not drawn as if it wandered about
_LINES_MOST = 8  # of the grid, across the longer side
_NEAR_MM = 5.0
_SQUARE_M = 100_000
_LAT_MOST_DEG = 84.0


class Ink(StrEnum):
    """What a line or a dot is of."""

    GRID = "grid"
    FRAME = "frame"
    TRACK = "track"
    TAKEOFF = "takeoff"
    LANDING = "landing"
    MARKER = "marker"
    STILL = "still"
    SCALE = "scale"


LINES: dict[Ink, tuple[str, float]] = {
    Ink.GRID: ("#c9ced6", 0.15),
    Ink.FRAME: ("#111111", 0.3),
    Ink.TRACK: ("#0b57b7", 0.7),
    Ink.SCALE: ("#111111", 0.4),
}
"""Colour, and width in millimetres."""
DOTS: dict[Ink, str] = {
    Ink.TAKEOFF: "#0a6b2d",
    Ink.LANDING: "#9c1c1c",
    Ink.MARKER: "#111111",
    Ink.STILL: "#7a4b00",
}

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    points: tuple[Point, ...]
    ink: Ink


@dataclass(frozen=True, slots=True)
class Dot:
    """With a label to its right."""

    at: Point
    label: str
    ink: Ink


@dataclass(frozen=True, slots=True)
class Label:
    """`align` is "left", "middle" or "right" of `at`, on whose height it stands."""

    at: Point
    text: str
    align: str


@dataclass(frozen=True, slots=True)
class TrackMap:
    """What is drawn first lies below. `square` is UTMREF's of 100 km, "32U MV", where the track begins;
    `step_m` is between two lines of the grid."""

    lines: tuple[Line, ...]
    dots: tuple[Dot, ...]
    labels: tuple[Label, ...]
    zone: int
    square: str
    step_m: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A place with a name."""

    place: Place
    label: str
    ink: Ink


def track_map(track: Sequence[Sequence[Place]], marks: Iterable[Mark]) -> TrackMap | None:
    """Pieces of the track, and marks, of which those far off the paper are left out. None: there is no place
    that UTM has."""
    pieces = [[place for place in piece if abs(place.lat_deg) <= _LAT_MOST_DEG] for piece in track]
    marks = [mark for mark in marks if abs(mark.place.lat_deg) <= _LAT_MOST_DEG]
    places = [place for piece in pieces for place in piece] or [mark.place for mark in marks]
    if not places:
        return None
    zone = utm.zone_of(places[0].lat_deg, places[0].lon_deg)
    sheet = _sheet_of([utm.from_wgs84(place.lat_deg, place.lon_deg, zone) for place in places], zone)
    step_m = _step_m(max(sheet.width_m, sheet.height_m))
    tracks = [Line(tuple(map(sheet.at, piece)), Ink.TRACK) for piece in pieces if len(piece) > 1]
    return TrackMap(
        (*_grid(sheet, step_m), *tracks, *_scale_bar(sheet, step_m), _frame()),
        tuple(_merged(_dots(sheet, marks))),
        (*_grid_labels(sheet, step_m), _scale_label(step_m)),
        zone,
        utmref(places[0].lat_deg, places[0].lon_deg)[:6],
        step_m,
    )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The part of the grid that is on paper."""

    west_m: float
    north_m: float
    mm_per_m: float
    zone: int

    @property
    def width_m(self) -> float:
        return WIDTH_MM / self.mm_per_m

    @property
    def height_m(self) -> float:
        return HEIGHT_MM / self.mm_per_m

    def at(self, place: Place) -> Point:
        return self.point(*utm.from_wgs84(place.lat_deg, place.lon_deg, self.zone))

    def point(self, easting_m: float, northing_m: float) -> Point:
        return (easting_m - self.west_m) * self.mm_per_m, (self.north_m - northing_m) * self.mm_per_m


def _sheet_of(points: Sequence[Point], zone: int) -> _Sheet:
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    room = WIDTH_MM - 2 * _MARGIN_MM, HEIGHT_MM - 2 * _MARGIN_MM
    mm_per_m = min(room[0] / max(east - west, _LEAST_M), room[1] / max(north - south, _LEAST_M))
    left, top = (west + east) / 2 - WIDTH_MM / 2 / mm_per_m, (south + north) / 2 + HEIGHT_MM / 2 / mm_per_m
    return _Sheet(left, top, mm_per_m, zone)


def _step_m(side_m: float) -> int:
    """10, 20, 50, 100 … metres, so that there are few enough lines."""
    decade = 10 ** max(1, math.floor(math.log10(side_m / _LINES_MOST)))
    return next(int(decade * n) for n in (1, 2, 5, 10) if side_m / (decade * n) <= _LINES_MOST)


def _steps(low_m: float, high_m: float, step_m: int) -> range:
    return range(math.ceil(low_m / step_m) * step_m, math.floor(high_m) + 1, step_m)


def _eastings(sheet: _Sheet, step_m: int) -> range:
    return _steps(sheet.west_m, sheet.west_m + sheet.width_m, step_m)


def _northings(sheet: _Sheet, step_m: int) -> range:
    return _steps(sheet.north_m - sheet.height_m, sheet.north_m, step_m)


def _grid(sheet: _Sheet, step_m: int) -> Iterator[Line]:
    for easting_m in _eastings(sheet, step_m):
        x, _ = sheet.point(easting_m, 0)
        yield Line(((x, 0.0), (x, HEIGHT_MM)), Ink.GRID)
    for northing_m in _northings(sheet, step_m):
        _, y = sheet.point(0, northing_m)
        yield Line(((0.0, y), (WIDTH_MM, y)), Ink.GRID)


def _grid_labels(sheet: _Sheet, step_m: int) -> Iterator[Label]:
    """The digits with which UTMREF begins there, within the square of 100 km."""
    for easting_m in _eastings(sheet, step_m):
        x, _ = sheet.point(easting_m, 0)
        if 8 < x < WIDTH_MM - 8:
            yield Label((x, HEIGHT_MM + 3.6), _digits(easting_m, step_m), "middle")
    for northing_m in _northings(sheet, step_m):
        _, y = sheet.point(0, northing_m)
        if 4 < y < HEIGHT_MM - 4:
            yield Label((-1.2, y + 1.0), _digits(northing_m, step_m), "right")


def _digits(metres: int, step_m: int) -> str:
    count = 5 - math.floor(math.log10(step_m)) if step_m < _SQUARE_M else 1
    return f"{metres % _SQUARE_M:05d}"[:count]


def _frame() -> Line:
    corners = ((0.0, 0.0), (WIDTH_MM, 0.0), (WIDTH_MM, HEIGHT_MM), (0.0, HEIGHT_MM), (0.0, 0.0))
    return Line(corners, Ink.FRAME)


def _scale_bar(sheet: _Sheet, step_m: int) -> Iterator[Line]:
    """As long as the grid's lines are apart; true metres, which differ from the grid's by 0.04 % at most."""
    length = step_m * sheet.mm_per_m
    y = HEIGHT_MM - 4.0
    yield Line(((4.0, y - 1.5), (4.0, y), (4.0 + length, y), (4.0 + length, y - 1.5)), Ink.SCALE)


def _scale_label(step_m: int) -> Label:
    return Label((5.0, HEIGHT_MM - 5.0), f"{step_m} m" if step_m < 1000 else f"{step_m // 1000} km", "left")


def _dots(sheet: _Sheet, marks: Iterable[Mark]) -> Iterator[Dot]:
    for mark in marks:
        x, y = sheet.at(mark.place)
        if 0 <= x <= WIDTH_MM and 0 <= y <= HEIGHT_MM:
            yield Dot((x, y), mark.label, mark.ink)


def _merged(dots: Iterable[Dot]) -> list[Dot]:
    """Those that would lie upon each other are one, with all their labels."""
    merged: list[Dot] = []
    for dot in dots:
        near = next((n for n, other in enumerate(merged) if math.dist(other.at, dot.at) < _NEAR_MM), None)
        if near is None:
            merged.append(dot)
        else:
            other = merged[near]
            merged[near] = Dot(other.at, f"{other.label}, {dot.label}", other.ink)
    return merged
