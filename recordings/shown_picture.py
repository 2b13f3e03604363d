"""Which picture of a recorded feed was on the screen at a moment, and from where it can be decoded."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flow.clock import NS_PER_MS, NS_PER_S
from flow.errors import MalformedError, NotFoundError
from flow.units import AccessUnit

from . import segment_file
from .folders import segments_in
from .protocol.segment_index import Fragment, IndexedPicture

SHOWN_NS = 2 * NS_PER_S
"""A picture stays on the screen for so long at most: what is later is in a gap."""
_ROUNDED_NS = NS_PER_MS  # whoever asks tells the time in milliseconds
_NEIGHBOURS = 2  # fragments: so far is a picture from its place in time


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture in its file, and the keyframes before it, the nearest first (their decoding times)."""

    path: Path
    feed_id: str
    picture: IndexedPicture
    keyframes_90k: Sequence[int]

    def units(self, from_90k: int) -> Iterator[AccessUnit]:
        """From one of the keyframes on; those after the picture, too, for a decoder may hold it back."""
        return segment_file.pictures(self.path, self.feed_id, from_90k)


def shown_picture(folder: Path, feed_id: str, utc_ns: int) -> ShownPicture:
    """Blocking. Raises NotFoundError ("no_picture") where there is none of that moment, OSError."""
    found: ShownPicture | None = None
    for path in (path for of, _, path in segments_in(folder) if of == feed_id):
        try:
            fragments = segment_file.read_index(path).fragments
            found = _in_segment(path, feed_id, fragments, utc_ns + _ROUNDED_NS) or found
        except MalformedError:
            continue  # the pictures around it are as good
    if found is None:
        raise NotFoundError("there is no picture of that moment", code="no_picture")
    return found


def _in_segment(path: Path, feed_id: str, fragments: Sequence[Fragment], utc_ns: int) -> ShownPicture | None:
    at = bisect_right(fragments, utc_ns, key=lambda fragment: fragment.utc_ns)
    near = fragments[max(0, at - 1 - _NEIGHBOURS) : at + _NEIGHBOURS]
    pictures = segment_file.entries(path, near)
    shown = max((p for p in pictures if p.utc_ns <= utc_ns), key=lambda p: p.utc_ns, default=None)
    if shown is None or utc_ns - shown.utc_ns > SHOWN_NS:
        return None
    keyframes = [
        each.dts_90k
        for each in reversed(fragments)
        if each.keyframe and each.dts_90k <= shown.dts_90k and each.pts_90k <= shown.pts_90k
    ]
    return ShownPicture(path, feed_id, shown, keyframes)
