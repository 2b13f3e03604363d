"""Where a gimbal looks: the angles of three generations of messages -> the camera's axis; and whose count.

GIMBAL_MANAGER_STATUS is not read: it says who steers a gimbal, not which of several the picture comes from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

from pymavlink.dialects.v20 import ardupilotmega as dialect

from .places import compass_deg

_IN_VEHICLE_FRAME = dialect.GIMBAL_DEVICE_FLAGS_YAW_IN_VEHICLE_FRAME
_IN_EARTH_FRAME = dialect.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME
SILENT_NS = 2_000_000_000
"""So long after its last word a gimbal makes way for another source."""

_Vector: TypeAlias = tuple[float, float, float]
_YAW_LOCK = dialect.GIMBAL_DEVICE_FLAGS_YAW_LOCK


@dataclass(frozen=True, slots=True)
class CameraAxis:
    """Pitch against the horizon (-90 straight down), yaw, and roll about the axis (right side down), degrees.

    `roll_deg` is None where the message does not tell. `yaw_deg` counts from true north where `yaw_is_true`,
    else from the vehicle's heading. The vehicle frame of the gimbal protocol is level: it turns with the
    vehicle's heading and never with its roll and pitch.
    """

    pitch_deg: float
    yaw_deg: float
    yaw_is_true: bool
    roll_deg: float | None = None

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
    forward = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
    right_down, down_down = 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
    up = -2 * (x * z + w * y), -2 * (y * z - w * x)
    return _axis(forward, up, (right_down, down_down), yaw_is_true=_yaw_is_true(flags))


def mounted_axis(
    roll_deg: float, pitch_deg: float, yaw_deg: float, vehicle_roll_deg: float, vehicle_pitch_deg: float
) -> CameraAxis:
    """The axis of a camera that is turned so against the vehicle's body, when the vehicle is tilted so."""
    sr, cr, sp, cp, sy, cy = _turns(roll_deg, pitch_deg, yaw_deg)
    body = _turns(vehicle_roll_deg, vehicle_pitch_deg, 0.0)[:4]
    forward = _levelled((cp * cy, cp * sy, -sp), *body)
    right = _levelled((sr * sp * cy - cr * sy, sr * sp * sy + cr * cy, sr * cp), *body)
    low = _levelled((cr * sp * cy + sr * sy, cr * sp * sy - sr * cy, cr * cp), *body)
    return _axis(forward, (-low[0], -low[1]), (right[2], low[2]), yaw_is_true=False)


def _turns(
    roll_deg: float, pitch_deg: float, yaw_deg: float
) -> tuple[float, float, float, float, float, float]:
    """Sine and cosine of each."""
    roll, pitch, yaw = math.radians(roll_deg), math.radians(pitch_deg), math.radians(yaw_deg)
    return math.sin(roll), math.cos(roll), math.sin(pitch), math.cos(pitch), math.sin(yaw), math.cos(yaw)


def _levelled(of_body: _Vector, sr: float, cr: float, sp: float, cp: float) -> _Vector:
    """A direction in the axes of a tilted body -> in level ones with the body's heading."""
    x, y, z = of_body
    lower = sr * y + cr * z
    return cp * x + sp * lower, cr * y - sr * z, cp * lower - sp * x


def _axis(
    forward: _Vector, up: tuple[float, float], sides_down: tuple[float, float], *, yaw_is_true: bool
) -> CameraAxis:
    """`forward` is the camera's axis in north-east-down, `up` where the picture's top points (north, east),
    `sides_down` how much its right and its lower edge point down."""
    north, east, down = forward
    roll_deg = math.degrees(math.atan2(*sides_down))
    if math.hypot(north, east) < 0.01:  # within 0.6° of straight down or up: where the picture's top points
        sign = math.copysign(1.0, down)
        north, east, roll_deg = sign * up[0], sign * up[1], 0.0
    pitch_deg = -math.degrees(math.asin(max(-1.0, min(1.0, down))))
    return CameraAxis(pitch_deg, math.degrees(math.atan2(east, north)), yaw_is_true, roll_deg)


def orientation_axis(message: Any) -> CameraAxis | None:
    """The axis of MOUNT_ORIENTATION: roll and pitch against the horizon, yaw against the vehicle's heading,
    and `yaw_absolute` against north, where 0 is also what senders older than that field give."""
    absolute = message.yaw_absolute
    is_true = math.isfinite(absolute) and absolute != 0.0
    yaw_deg = absolute if is_true else message.yaw
    if not (_is_angle(message.pitch) and _is_angle(yaw_deg)):
        return None
    return CameraAxis(message.pitch, yaw_deg, is_true, message.roll if _is_angle(message.roll) else None)


def status_axis(message: Any, tilt: tuple[float, float] | None, *, of_body: bool) -> CameraAxis | None:
    """The axis of MOUNT_STATUS: pitch, roll and yaw in hundredths of a degree.

    The message does not say against what. ArduPilot sends the positions of its servos, against the vehicle's
    body (`of_body`; seen on a real copter, where they follow roll and pitch inversely), which takes the
    vehicle's `tilt` (roll, pitch) to convert. Gimbals that send it themselves mean the horizon.
    """
    pitch_deg, roll_deg, yaw_deg = (
        each / 100 for each in (message.pointing_a, message.pointing_b, message.pointing_c)
    )
    if not all(map(_is_angle, (pitch_deg, roll_deg, yaw_deg))):
        return None  # a place to look at, in modes of old
    if not of_body:
        return CameraAxis(pitch_deg, yaw_deg, False, roll_deg)
    return None if tilt is None else mounted_axis(roll_deg, pitch_deg, yaw_deg, *tilt)


def _is_angle(value: float) -> bool:
    return math.isfinite(value) and abs(value) <= 360.0


class Source(IntEnum):
    """Messages that tell of a gimbal, the best one first."""

    DEVICE = 0
    ORIENTATION = 1
    STATUS = 2


class Speaker(NamedTuple):
    """Who tells of a gimbal, and by which message."""

    source: Source
    component_id: int
    device_id: int = 0


class GimbalChoice:
    """Shows one gimbal as one message tells of it: the best heard lately, and of equals the first."""

    def __init__(self) -> None:
        self.axis: CameraAxis | None = None
        self._shown: Speaker | None = None
        self._heard_ns = 0

    def take(self, speaker: Speaker, axis: CameraAxis | None, now_ns: int) -> bool:
        """Show `axis` if it is for `speaker` to say; whether it is. Whoever says nothing of use makes way."""
        shown = self._shown
        mine = shown is None or speaker == shown or now_ns - self._heard_ns > SILENT_NS
        if not mine and (axis is None or (shown and speaker.source >= shown.source)):
            return False
        self.axis, self._heard_ns = axis, now_ns
        self._shown = speaker if axis else None
        return True


def _yaw_is_true(flags: int) -> bool:
    """Without a frame flag, YAW_LOCK tells (backwards compatibility rule of the message)."""
    if flags & (_IN_VEHICLE_FRAME | _IN_EARTH_FRAME):
        return bool(flags & _IN_EARTH_FRAME)
    return bool(flags & _YAW_LOCK)
