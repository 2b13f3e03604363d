"""What a camera saw of the ground at a moment of its aircraft's track, or why that cannot be said."""

from __future__ import annotations

from flow.doors import CameraLook, GroundPoint
from flow.errors import UnlocatableError

from .geometry import Spot, footprint, locate
from .height_grid import Surroundings
from .pose_track import Moment
from .sight import Picture, Sight, bearing_of, sight_of


def look_of(moment: Moment | None, picture: Picture, around: Surroundings | None, utc_ns: int) -> CameraLook:
    """The picture's outline and middle on the ground; what is missing is the reason there."""
    feed = picture.feed
    bearing = bearing_of(moment, feed)
    try:
        sight = sight_of(moment, picture, around)
        corners, cut = footprint(sight)
    except UnlocatableError as error:
        return CameraLook(feed.id, utc_ns, reason=error.code, bearing_deg=bearing)
    try:
        centre = point_of(feed.id, utc_ns, sight, locate(sight, 0.5, 0.5))
    except UnlocatableError:
        centre = None
    return CameraLook(feed.id, utc_ns, "", bearing, corners, cut, centre)


def point_of(feed_id: str, utc_ns: int, sight: Sight, spot: Spot) -> GroundPoint:
    return GroundPoint(feed_id, utc_ns, spot.place, spot.slant_range_m, spot.error, sight.ground.terrain)
