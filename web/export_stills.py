"""Stills for the report of an export: where somebody set a mark, and evenly between."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from flow.clock import NS_PER_S
from flow.errors import MalformedError, NotFoundError, UnavailableError
from flow.flights import Marker
from recordings.export.source import ExportSource, Progress

from .flight_stills import still_of

log = logging.getLogger("lagebild.export")

STILLS_MOST = 8
"""Of all cameras together."""


def make_stills(source: ExportSource, folder: Path, progress: Progress) -> list[Path]:
    """JPEGs in the order of their time. A moment of which the stretch has no picture is passed
    over.

    Blocking, for some seconds. Raises OSError.
    """
    feed_ids = source.order.feed_ids[:STILLS_MOST]
    wanted = [
        (moment_ns, feed_id)
        for moment_ns in moments(source, STILLS_MOST // max(1, len(feed_ids)))
        for feed_id in feed_ids
    ]
    made: list[Path] = []
    for number, (moment_ns, feed_id) in enumerate(wanted):
        progress(number / len(wanted))
        try:
            still = still_of(
                source.folder, source.flight, feed_id, moment_ns, source.order.regions.get(feed_id, ())
            )
        except (NotFoundError, UnavailableError, MalformedError) as error:
            log.info("no still of %s: %s", feed_id, error)
            continue
        if not source.order.from_ns <= still.told_ns < source.order.to_ns:
            continue  # at the very beginning, or in a gap, one from before was still on the screen
        path = folder / f"{feed_id}-{_stamp(still.utc_ns)}.jpg"
        path.write_bytes(still.jpeg)
        if path not in made:  # two moments may have the same picture
            made.append(path)
    return made


def moments(source: ExportSource, count: int) -> list[int]:
    """So many moments of the stretch: those of the first marks, and of the middles of equal parts."""
    marks = [event for event in source.events if isinstance(event, Marker) and not event.removed]
    marked = sorted({mark.utc_ns for mark in marks})[:count]
    parts = count - len(marked)
    from_ns, length_ns = source.order.from_ns, source.order.to_ns - source.order.from_ns
    middles = [from_ns + length_ns * (2 * part + 1) // (2 * parts) for part in range(parts)]
    return sorted(marked + middles)


def _stamp(utc_ns: int) -> str:
    """`20261122T064640.500Z`"""
    at = datetime.fromtimestamp(utc_ns // NS_PER_S, UTC)
    return f"{at:%Y%m%dT%H%M%S}.{utc_ns // 1_000_000 % 1000:03d}Z"
