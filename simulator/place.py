"""Where the demo plays: an invented farm in the metre grid of UTM zone 32U near Kaiserslautern.

**Scene coordinates** (x, y, z) are metres of the UTM grid from the burning barn: x grid east, y grid north,
z up from the flat ground. A true metre is `SCALE` grid metres; z is in grid metres too, so the mapping from
the world to the scene is conformal, and a picture of the scene is one of the world, to the pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

from flow import utm

ORIGIN_EASTING_M = 410_862.0
ORIGIN_NORTHING_M = 5_477_118.0
GROUND_MSL_M = 251.4
GEOID_M = 48.1
"""Height of the geoid over the WGS84 ellipsoid here, for messages that carry both heights."""

ORIGIN_LAT_DEG, ORIGIN_LON_DEG = utm.to_wgs84(ORIGIN_EASTING_M, ORIGIN_NORTHING_M)
CONVERGENCE_DEG = utm.convergence_deg(ORIGIN_LAT_DEG, ORIGIN_LON_DEG)
SCALE = utm.scale(ORIGIN_LAT_DEG, ORIGIN_LON_DEG)
"""Grid metres per true metre, the same to 0.1 mm over the whole scene."""

HOME_XY = (-61.0, -57.0)
"""Scene position of the landing pad beside the command vehicle."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A place as an aircraft reports it."""

    lat_deg: float
    lon_deg: float
    alt_msl_m: float


def to_fix(x: float, y: float, height_m: float = 0.0) -> Fix:
    """The WGS84 place of a scene position; `height_m` over ground in true metres."""
    lat_deg, lon_deg = utm.to_wgs84(ORIGIN_EASTING_M + x, ORIGIN_NORTHING_M + y)
    return Fix(lat_deg, lon_deg, GROUND_MSL_M + height_m)


def true_bearing_deg(grid_deg: float) -> float:
    """Bearing against true north, 0 to 360, of one against grid north."""
    return (grid_deg + CONVERGENCE_DEG) % 360.0


HOME = to_fix(*HOME_XY)
