"""How to look at a place from where an aircraft is: bearing and distance. Pure."""

from __future__ import annotations

from math import atan2, cos, degrees, hypot, radians, sin

EARTH_M = 6_371_008.8
"""Mean radius; within the ranges of a drone a sphere is off by less than 0.3 %."""


def bearing_and_distance(
    from_lat_deg: float, from_lon_deg: float, lat_deg: float, lon_deg: float
) -> tuple[float, float]:
    """Degrees from true north (0 to 360) at the start of the great circle, and its length in metres."""
    north, north_to = radians(from_lat_deg), radians(lat_deg)
    east = radians(lon_deg - from_lon_deg)
    x = cos(north) * sin(north_to) - sin(north) * cos(north_to) * cos(east)
    y = cos(north_to) * sin(east)
    along = sin(north) * sin(north_to) + cos(north) * cos(north_to) * cos(east)
    return degrees(atan2(y, x)) % 360.0, EARTH_M * atan2(hypot(x, y), along)
