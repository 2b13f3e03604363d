"""A stretch of one camera as an MP4 that everybody plays: copied where that can be, its edges encoded again.

With the head-up display in the picture, or regions made unrecognisable, all of it is encoded again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame

from flow.clock import NS_PER_S
from flow.errors import NotFoundError
from flow.units import CLOCK_RATE_HZ, AccessUnit

from .cut import within
from .hud import Hud
from .movie_file import MovieFile
from .painting import Planes, painted
from .reel import Reel
from .regions import hide
from .source import ExportSource, Progress
from .splice import Paint, Splicer


@dataclass(frozen=True, slots=True)
class ClipMade:
    """What a clip shows: from its first picture to the end of its last."""

    from_ns: int
    to_ns: int
    pictures: int
    copied: int
    encoded: int


def make_clip(
    source: ExportSource, feed_id: str, path: Path, progress: Progress, burn_in: bool = False
) -> ClipMade:
    """A new file at `path`, whose time 0 is that of its first picture; a gap is as long as it was, and the
    picture before it stays. Blocking, for long; memory does not grow with the length.

    Raises NotFoundError ("no_pictures") where the camera has none in the stretch, LagebildError
    ("encoder_failed"), MalformedError, OSError; then there is no file.
    """
    reel, order = Reel(source.folder, feed_id), source.order
    span_90k = within(reel.pts_90k, reel.utc_ns, order.from_ns, order.to_ns)
    if span_90k is None:
        raise _nothing(feed_id)
    numbers = np.flatnonzero((reel.pts_90k >= span_90k[0]) & (reel.pts_90k <= span_90k[1]))
    taken_ns, last_90k = reel.utc_ns[numbers], reel.duration_90k(int(numbers[-1]))
    with MovieFile(path, len(numbers), last_90k) as file:
        splicer = Splicer(reel, file, lambda done: progress(min(1.0, done / len(numbers))))
        splicer.write(span_90k, _paint(source, feed_id, burn_in))
        if not file.pictures:
            raise _nothing(feed_id)
        file.finish(int(taken_ns.min()))
    end_ns = int(taken_ns.max()) + last_90k * NS_PER_S // CLOCK_RATE_HZ
    return ClipMade(int(taken_ns.min()), end_ns, file.pictures, splicer.copied, splicer.encoded)


def _nothing(feed_id: str) -> NotFoundError:
    told = f"camera '{feed_id}' has no picture between these times that can be read"
    return NotFoundError(told, code="no_pictures")


def _paint(source: ExportSource, feed_id: str, burn_in: bool) -> Paint | None:
    """None where pictures are to stay as they are."""
    regions = source.order.regions.get(feed_id, ())
    hud = Hud(source, feed_id) if burn_in else None
    if hud is None and not regions:
        return None

    def paint(frame: VideoFrame, unit: AccessUnit) -> VideoFrame:
        def draw(planes: Planes) -> None:
            hide(planes, regions)  # first: what is written over them stays legible
            if hud is not None:
                hud.draw(planes, unit)

        return painted(frame, draw)

    return paint
