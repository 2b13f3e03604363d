"""The places where an aircraft was, each once and of its own time; cut where one line would be a lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from flow.clock import NS_PER_S
from flow.codec.tlog import EARLIEST_US, LATEST_US
from flow.samples import Group, TelemetrySample

from .columns import STALE_NS, Column, Value, finite, place_of, values

GAP_NS = 10 * NS_PER_S
"""Nobody knows how it flew between two places that lie further apart in time."""
PIECE_MOST = 5000
"""So much of a flight is in memory at a time."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A place, when it was told, and what was known then of the columns that were asked for: () at a place
    that nobody told."""

    utc_ns: int
    lat_deg: float
    lon_deg: float
    alt_msl_m: float | None
    told: tuple[Value, ...] = ()


def fixes(samples: Iterable[TelemetrySample], columns: Sequence[Column] = ()) -> Iterator[Fix]:
    """Samples come ten times a second, positions often less: one that was told before is not told again."""
    last_ns = 0
    for sample in believable(samples):
        told_ns = min(sample.received_ns.get(Group.POSITION, sample.utc_ns), sample.utc_ns)
        place = place_of(sample)
        if place and told_ns != last_ns and sample.utc_ns - told_ns <= STALE_NS:
            last_ns = told_ns
            yield Fix(told_ns, *place, finite(sample.alt_msl_m), tuple(values(sample, columns)))


def believable(samples: Iterable[TelemetrySample]) -> Iterator[TelemetrySample]:
    """Without those of a time that no flight is of, and that no calendar may hold."""
    return (each for each in samples if EARLIEST_US <= each.utc_ns // 1000 <= LATEST_US)


def follows(before: Fix, after: Fix) -> bool:
    """Whether the aircraft flew from one to the other."""
    return 0 <= after.utc_ns - before.utc_ns <= GAP_NS


def pieces(
    track: Iterable[Fix], parted: Callable[[Fix, Fix], bool] = lambda before, after: False
) -> Iterator[list[Fix]]:
    """What may be drawn as one line each: cut at gaps, at the date line, and where `parted` says so.

    A piece has PIECE_MOST fixes at most; the next one then begins with its last.
    """
    piece: list[Fix] = []
    for fix in track:
        if piece and (not follows(piece[-1], fix) or parted(piece[-1], fix)):
            yield piece
            piece = []
        elif piece and _crosses_date_line(piece[-1], fix):
            this_side, other_side = _at_date_line(piece[-1], fix)
            yield [*piece, this_side]
            piece = [other_side]
        elif len(piece) >= PIECE_MOST:
            yield piece
            piece = piece[-1:]
        piece.append(fix)
    if piece:
        yield piece


def _crosses_date_line(before: Fix, after: Fix) -> bool:
    return abs(after.lon_deg - before.lon_deg) > 180


def _at_date_line(before: Fix, after: Fix) -> tuple[Fix, Fix]:
    """Where the way between them crosses it, said from either side (RFC 7946 3.1.9). Nothing else is known
    of that place."""
    side_deg = math.copysign(180.0, before.lon_deg)
    way_deg = after.lon_deg + 2 * side_deg - before.lon_deg
    share = (side_deg - before.lon_deg) / way_deg if way_deg else 0.0
    utc_ns = before.utc_ns + round(share * (after.utc_ns - before.utc_ns))
    height_m = None
    if before.alt_msl_m is not None and after.alt_msl_m is not None:
        height_m = before.alt_msl_m + share * (after.alt_msl_m - before.alt_msl_m)
    lat_deg = before.lat_deg + share * (after.lat_deg - before.lat_deg)
    this = Fix(utc_ns, lat_deg, side_deg, height_m)
    return this, replace(this, lon_deg=-side_deg)
