"""What was known of an aircraft at any moment of a recorded flight, and where its cameras looked.

Samples are read as they are needed, some twenty seconds at once, so that going through a flight is cheap, and
so is a leap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from flow.clock import NS_PER_S
from flow.codec.st0601 import encode_st0601
from flow.doors import CameraLook
from flow.errors import NotFoundError, UnlocatableError
from flow.flights import Feed
from flow.samples import Place, TelemetrySample

from .protocol.camera_look import look_of
from .protocol.freshness import fresh
from .protocol.geometry import seen_at
from .protocol.ground_error import CLOCK_ARRIVAL_S
from .protocol.height_grid import Surroundings
from .protocol.klv_out import Names, klv_set, sample_at
from .protocol.pose_track import Moment, PoseTrack
from .protocol.sight import Picture, sight_of
from .surroundings import PastSurroundings

SamplesBetween: TypeAlias = Callable[[int, int], Iterable[TelemetrySample]]
"""The samples from one moment to another, in order, and the newest one before. Blocking."""
ShapeAt: TypeAlias = Callable[[str, int], float | None]
"""How high a feed's pictures are at a moment, their width being 1; None: not known. Blocking."""

AHEAD_NS = 20 * NS_PER_S
_BACK_NS = 2 * NS_PER_S
"""What is read for a moment serves for those so near to it: pictures among B-frames step back."""
_BESIDE_NS = 3 * NS_PER_S
"""Beyond that nothing has a say in a moment. All together are less than a PoseTrack keeps."""


class PastLooks:
    """For one thread at a time; every question may wait for the disk. Times are of capture.

    `cameras` are those of the flight, as they were then; `around` has the height models, and may be shared
    with others. `mission` and `aircraft` go into KLV. What is read
    for a moment serves until `ahead_ns` later, AHEAD_NS at most: less is quicker for who leaps about.
    """

    def __init__(
        self,
        cameras: Sequence[Feed],
        samples: SamplesBetween,
        shape: ShapeAt,
        *,
        around: PastSurroundings | None = None,
        mission: str = "",
        aircraft: str = "",
        ahead_ns: int = AHEAD_NS,
    ) -> None:
        self._cameras = {feed.id: feed for feed in cameras}
        self._samples, self._shape = samples, shape
        self._names = {feed.id: Names(mission, aircraft, feed.name) for feed in cameras}
        self._around = around or PastSurroundings(())
        self._track = PoseTrack()
        self._ahead_ns = ahead_ns
        self._from_ns = self._to_ns = 0

    def sample(self, utc_ns: int) -> TelemetrySample | None:
        """The pose between what was told before and after that moment, the rest as it was told last. What a
        display would mark as old at that moment is None in it; None: all of it, or nothing was told yet."""
        moment = self._moment(utc_ns)
        return fresh(sample_at(moment), utc_ns) if moment else None

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        """Where a camera looked. Raises NotFoundError for one that the flight does not have."""
        feed, moment = self._feed(feed_id), self._moment(utc_ns)
        return look_of(moment, self._picture(feed, utc_ns), self._surroundings(moment), utc_ns)

    def klv(self, feed_id: str, utc_ns: int) -> bytes | None:
        """The MISB ST 0601 set of a picture; None where nothing is known of its moment.

        Raises NotFoundError for a camera that the flight does not have.
        """
        sample = self.sample(utc_ns)
        look = self.look(feed_id, utc_ns)
        told = klv_set(sample, utc_ns, self._feed(feed_id), self._names[feed_id], look) if sample else None
        return encode_st0601(told) if told else None

    def seen(self, feed_id: str, utc_ns: int, place: Place) -> float | None:
        """How far from the middle of a camera's picture a place on the ground was: 0 there, 1 at an edge.

        None: it was not in the picture, or that cannot be told. Raises NotFoundError as `look` does.
        """
        feed, moment = self._feed(feed_id), self._moment(utc_ns)
        try:
            sight = sight_of(moment, self._picture(feed, utc_ns), self._surroundings(moment))
            return seen_at(sight, place)
        except UnlocatableError:
            return None

    def _feed(self, feed_id: str) -> Feed:
        feed = self._cameras.get(feed_id)
        if feed is None:
            raise NotFoundError(f"this flight has no feed '{feed_id}'")
        return feed

    def _picture(self, feed: Feed, utc_ns: int) -> Picture:
        """Whether the camera's clock was trusted then is not asked: it only makes the ellipse smaller."""
        return Picture(feed, self._shape(feed.id, utc_ns), CLOCK_ARRIVAL_S)

    def _surroundings(self, moment: Moment | None) -> Surroundings | None:
        return self._around.of(moment.sample) if moment else None

    def _moment(self, utc_ns: int) -> Moment | None:
        if not self._from_ns <= utc_ns < self._to_ns:
            self._read(utc_ns)
        return self._track.at(utc_ns)

    def _read(self, utc_ns: int) -> None:
        self._from_ns, self._to_ns = utc_ns - _BACK_NS, utc_ns + self._ahead_ns
        self._track = PoseTrack()
        for sample in self._samples(self._from_ns - _BESIDE_NS, self._to_ns + _BESIDE_NS):
            self._track.add(sample)
