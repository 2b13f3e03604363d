"""Positions and directions."""

from __future__ import annotations

import math

EARTH_RADIUS_M = 6_371_009.0
_DEGREE_M = 111_700.0  # the longest that one is, of latitude at the poles


def place_e7(lat_e7: int, lon_e7: int) -> tuple[float, float] | None:
    """Degrees of a position in degE7; None for 0/0 ("no position", in the sea) or beyond the Earth."""
    if not (lat_e7 or lon_e7) or abs(lat_e7) > 900_000_000 or abs(lon_e7) > 1_800_000_000:
        return None
    return lat_e7 / 1e7, lon_e7 / 1e7


def place_deg(lat_deg: float, lon_deg: float) -> tuple[float, float] | None:
    """A position in degrees as `place_e7` takes it; None, too, for what is no number."""
    if not (abs(lat_deg) <= 90 and abs(lon_deg) <= 180):  # nor is not-a-number
        return None
    return place_e7(round(lat_deg * 1e7), round(lon_deg * 1e7))


def distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance of two (lat, lon) in degrees, by the haversine formula."""
    lat_a, lat_b = math.radians(one[0]), math.radians(other[0])
    half = math.sin((lat_b - lat_a) / 2) ** 2
    half += math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half)))


def are_within(most_m: float, one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two (lat, lon) in degrees are at most so far apart; the usual yes costs no trigonometry."""
    if abs(one[0] - other[0]) + abs(one[1] - other[1]) <= most_m / _DEGREE_M:
        return True
    return distance_m(one, other) <= most_m


def compass_deg(angle_deg: float) -> float:
    """The direction as 0 <= degrees < 360; plain `%` turns -1e-15 into 360.0."""
    wrapped = angle_deg % 360.0
    return wrapped if wrapped < 360.0 else 0.0


def longitude_deg(angle_deg: float) -> float:
    """What was reckoned beyond the date line, as -180 to 180 degrees."""
    return angle_deg if -180.0 <= angle_deg <= 180.0 else math.remainder(angle_deg, 360.0)


def bearing_and_distance(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """From one (lat, lon) to another: degrees from true north, 0 to 360, and great-circle metres."""
    lat_a, lat_b = math.radians(one[0]), math.radians(other[0])
    east = math.radians(other[1] - one[1])
    y = math.sin(east) * math.cos(lat_b)
    x = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(east)
    return compass_deg(math.degrees(math.atan2(y, x))), distance_m(one, other)
