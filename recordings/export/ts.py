"""A camera's pictures of a stretch as MPEG-TS, each with the MISB ST 0601 set of its own instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from flow.clock import NS_PER_S
from flow.codec.mpegts_writer import TsWriter
from flow.errors import MalformedError, NotFoundError
from flow.units import CLOCK_RATE_HZ, AccessUnit, captured_ns

from .reel import Reel
from .source import ExportSource, Progress

_BEGIN_90K = CLOCK_RATE_HZ  # of the first picture: there is room for the clock, which runs ahead of it
_TOLD_EVERY_NS = NS_PER_S


@dataclass(slots=True)
class TsMade:
    """From the first picture to the last, in Lagebild time; `sets` are those of KLV."""

    from_ns: int
    to_ns: int
    pictures: int = 0
    sets: int = 0


def make_ts(source: ExportSource, feed_id: str, path: Path, progress: Progress) -> TsMade:
    """All pictures of the stretch, and those from the keyframe before on, without which the first could not
    be shown. Gaps keep their length; times begin at one second.

    Raises NotFoundError ("no_pictures") where the camera has none in the stretch, MalformedError where
    regions of it must not be seen, OSError. There is no file then, but after an OSError.
    """
    order = source.order
    if order.regions.get(feed_id):
        raise MalformedError(f"'{feed_id}' has regions that are not to be seen: its pictures are not copied")
    units = _units(source, feed_id)
    first = next(units, None)
    if first is None:
        raise NotFoundError(f"camera '{feed_id}' has no picture between these times", code="no_pictures")
    late_ms = next((feed.air_link_ms for feed in source.flight.feeds if feed.id == feed_id), 0.0)
    made, writer, told_ns = TsMade(first.utc_ns, first.utc_ns), TsWriter(), order.from_ns
    shift_90k = _BEGIN_90K - first.dts_90k
    with path.open("wb") as file:
        for unit in chain((first,), units):
            told = source.past.klv(feed_id, captured_ns(unit.utc_ns, unit.utc_origin, late_ms))
            moved = replace(unit, dts_90k=unit.dts_90k + shift_90k, pts_90k=unit.pts_90k + shift_90k)
            file.write(writer.write(moved, told or b""))
            made.to_ns = max(made.to_ns, unit.utc_ns)
            made.pictures += 1
            made.sets += told is not None
            if unit.utc_ns >= told_ns + _TOLD_EVERY_NS:
                told_ns = unit.utc_ns
                progress(min(1.0, (told_ns - order.from_ns) / (order.to_ns - order.from_ns)))
    progress(1.0)
    return made


def _units(source: ExportSource, feed_id: str) -> Iterator[AccessUnit]:
    """In decoding order, up to the last that is shown in the stretch."""
    order, reel = source.order, Reel(source.folder, feed_id)
    inside = np.flatnonzero((reel.utc_ns >= order.from_ns) & (reel.utc_ns < order.to_ns))
    if not len(inside):
        return iter(())
    first, last = int(inside[0]), int(inside[-1])
    return reel.units(reel.start_for(first, int(reel.pts_90k[first])), last + 1)
