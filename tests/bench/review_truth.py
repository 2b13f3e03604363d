"""What the flights made for `make bench-review` show at each moment, and what time a shown thing tells.

The aircraft flies a circle in exactly the time that the clip takes, so that strip, heading and position all
tell the same: how many milliseconds of the clip have gone by. Errors are therefore known modulo its length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from flow.clock import NS_PER_MS
from flow.samples import Group, Place, TelemetrySample

CENTRE_LAT_DEG, CENTRE_LON_DEG = 49.444, 7.769
SPEED_MS = 20.0
M_PER_DEG = 111_320.0
_M_PER_DEG_EAST = M_PER_DEG * math.cos(math.radians(CENTRE_LAT_DEG))
_GROUPS = (Group.POSITION, Group.ATTITUDE, Group.SPEED, Group.GIMBAL, Group.BATTERY, Group.FIX, Group.MODE)


@dataclass(frozen=True, slots=True)
class Circle:
    """One flight's way: clockwise from the west of its centre, heading north at `started_ms`."""

    aircraft_id: str
    started_ms: int
    clip_ms: int

    @property
    def radius_m(self) -> float:
        return SPEED_MS * self.clip_ms / 1000 / (2 * math.pi)

    def sample(self, since_ms: int) -> TelemetrySample:
        """Of so long after the start."""
        yaw_deg = 360 * (since_ms % self.clip_ms) / self.clip_ms
        turned = math.radians(yaw_deg)
        utc_ns = (self.started_ms + since_ms) * NS_PER_MS
        return TelemetrySample(
            self.aircraft_id,
            utc_ns,
            lat_deg=CENTRE_LAT_DEG + self.radius_m * math.sin(turned) / M_PER_DEG,
            lon_deg=CENTRE_LON_DEG - self.radius_m * math.cos(turned) / _M_PER_DEG_EAST,
            alt_msl_m=330.0 + since_ms / 1e5,
            alt_home_m=80.0 + since_ms / 1e5,
            roll_deg=15.0,
            pitch_deg=-2.0,
            yaw_deg=yaw_deg,
            gimbal_pitch_deg=-45.0,
            gimbal_yaw_deg=yaw_deg,
            ground_speed_ms=SPEED_MS,
            climb_ms=0.0,
            battery_pct=round(100 - since_ms / 1e5),
            battery_v=16.2 - since_ms / 1e7,
            fix="3d",
            satellites=14,
            mode="AUTO",
            armed=True,
            home=Place(CENTRE_LAT_DEG, CENTRE_LON_DEG, 250.0),
            received_ns=dict.fromkeys(_GROUPS, utc_ns),
        )

    def strip_ms(self, utc_ms: float) -> float:
        """What the strip of the picture of that moment says."""
        return (utc_ms - self.started_ms) % self.clip_ms

    def strip_of_yaw(self, yaw_deg: float) -> float:
        """What it says when the aircraft heads there."""
        return yaw_deg % 360 / 360 * self.clip_ms

    def strip_of_place(self, lat_deg: float, lon_deg: float) -> float:
        """What it says when the aircraft is there."""
        north_m, east_m = _from_centre(lat_deg, lon_deg)
        return self.strip_of_yaw(math.degrees(math.atan2(north_m, -east_m)))

    def metres_off(self, lat_deg: float, lon_deg: float) -> float:
        """How far from its way the aircraft would be there."""
        return abs(math.hypot(*_from_centre(lat_deg, lon_deg)) - self.radius_m)

    def apart_ms(self, one_ms: float, other_ms: float) -> float:
        """How far the first is after the second, the shorter way round: at most half a clip."""
        return (one_ms - other_ms + self.clip_ms / 2) % self.clip_ms - self.clip_ms / 2


def _from_centre(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Metres north and east."""
    return (lat_deg - CENTRE_LAT_DEG) * M_PER_DEG, (lon_deg - CENTRE_LON_DEG) * _M_PER_DEG_EAST
