"""Where a gimbal looks: quaternion of GIMBAL_DEVICE_ATTITUDE_STATUS -> pitch and yaw of the camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pymavlink.dialects.v20 import ardupilotmega as dialect

from .places import compass_deg

_IN_VEHICLE_FRAME = dialect.GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME
_IN_EARTH_FRAME = dialect.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME
_YAW_LOCK = dialect.GIMBAL_DEVICE_FLAGS_YAW_LOCK


@dataclass(frozen=True, slots=True)
class CameraAxis:
    """Pitch against the horizon (-90 straight down) and yaw, degrees.

    `yaw_deg` counts from true north where `yaw_is_true`, else from the vehicle's heading. The vehicle
    frame of the gimbal protocol is level: it turns with the vehicle's heading and never with its roll and
    pitch.
    """

    pitch_deg: float
    yaw_deg: float
    yaw_is_true: bool

    def true_yaw_deg(self, vehicle_yaw_deg: float | None) -> float | None:
        """Yaw against true north, 0 to 360; None where that needs a heading and there is none."""
        if self.yaw_is_true:
            return compass_deg(self.yaw_deg)
        return None if vehicle_yaw_deg is None else compass_deg(self.yaw_deg + vehicle_yaw_deg)


def camera_axis(q: Sequence[float], flags: int) -> CameraAxis | None:
    """The axis of quaternion `q` (w, x, y, z; turns camera axes into north-east-down); None if it is none.

    The message's `delta_yaw` would give the other frame, but senders older than that field send zeros for it
    (MAVLink 2 cannot tell 0 from absent) and ArduPilot sends NaN, so the heading comes from ATTITUDE instead.
    """
    norm = math.sqrt(sum(part * part for part in q))
    if not math.isfinite(norm) or norm < 0.5:
        return None
    w, x, y, z = (part / norm for part in q)
    north, east, down = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
    if math.hypot(north, east) < 0.01:  # within 0.6° of straight down or up: where the picture's top points
        sign = math.copysign(1.0, down)
        north, east = -sign * 2 * (x * z + w * y), -sign * 2 * (y * z - w * x)
    pitch_deg = -math.degrees(math.asin(max(-1.0, min(1.0, down))))
    return CameraAxis(pitch_deg, math.degrees(math.atan2(east, north)), _yaw_is_true(flags))


def _yaw_is_true(flags: int) -> bool:
    """Without a frame flag, YAW_LOCK tells (backwards compatibility rule of the message)."""
    if flags & (_IN_VEHICLE_FRAME | _IN_EARTH_FRAME):
        return bool(flags & _IN_EARTH_FRAME)
    return bool(flags & _YAW_LOCK)
