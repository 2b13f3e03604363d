"""What is known of one aircraft, and the sample that shows it. None is unknown; nothing is guessed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.samples import Group, Place, TelemetrySample

from .battery import BatteryReading
from .boot_clock import BootClock
from .gimbal import GimbalChoice
from .heights import GroundHeight
from .plausible import Plausibility
from .quality import LinkQuality

# GPS_FIX_TYPE; 7 (static) and 8 (precise point positioning) are 3D fixes with a better source.
_FIXES = {0: "none", 1: "none", 2: "2d", 3: "3d", 4: "dgps", 5: "rtk_float", 6: "rtk_fixed", 7: "3d", 8: "3d"}
_FIX_2D, _FIX_3D = dialect.GPS_FIX_TYPE_2D_FIX, dialect.GPS_FIX_TYPE_3D_FIX
_TILT_LASTS_NS = 2_000_000_000


@dataclass(slots=True)
class Known:
    """What has been heard since the aircraft started; thrown away when it restarts, all but its clock."""

    clock: BootClock = field(default_factory=BootClock)
    received_ns: dict[Group, int] = field(default_factory=dict)
    newest_ns: dict[tuple[int, int], int] = field(default_factory=dict)
    """Of messages without uptime, by component and message id."""
    newest_timed: dict[int, Any] = field(default_factory=dict)  # messages with uptime, by message id
    plausibility: Plausibility = field(default_factory=Plausibility)
    place: tuple[float, float] | None = None
    alt_msl_m: float | None = None
    alt_home_m: float | None = None
    ground: GroundHeight = field(default_factory=GroundHeight)
    heading_deg: float | None = None
    velocity: tuple[float, float] | None = None  # ground speed and climb of GLOBAL_POSITION_INT
    attitude: tuple[float, float, float] | None = None  # roll, pitch, yaw in degrees
    hud: tuple[float | None, float | None] | None = None  # ground speed and climb of VFR_HUD
    gimbal: GimbalChoice = field(default_factory=GimbalChoice)
    fov: tuple[float | None, float | None] = (None, None)  # horizontal and vertical, degrees
    system_battery: BatteryReading | None = None
    first_battery: BatteryReading | None = None
    battery: BatteryReading | None = None  # what is shown of both
    fix_type: int | None = None
    satellites: int | None = None
    accuracy: tuple[float | None, float | None] = (None, None)  # horizontal and vertical, metres
    link: LinkQuality = field(default_factory=LinkQuality)
    mode: str | None = None
    armed: bool | None = None
    landed: str | None = None
    fence_breached: bool | None = None
    home: Place | None = None
    has_global_position: bool = False

    @property
    def located(self) -> bool:
        """Whether the position is one: there is a fix, or nobody speaks of fixes."""
        return self.place is not None if self.fix_type is None else self.fix_type >= _FIX_2D

    def tilt(self, now_ns: int) -> tuple[float, float] | None:
        """Roll and pitch in degrees, unless they are old."""
        told_ns = self.received_ns.get(Group.ATTITUDE)
        if self.attitude is None or told_ns is None or now_ns - told_ns > _TILT_LASTS_NS:
            return None
        return self.attitude[:2]

    def upright(self, now_ns: int) -> float:
        """Cosine of the angle between the body's down and the Earth's; 1 where that is not known."""
        roll_deg, pitch_deg = self.tilt(now_ns) or (0.0, 0.0)
        return max(0.0, math.cos(math.radians(roll_deg)) * math.cos(math.radians(pitch_deg)))

    @property
    def _turned_since(self) -> bool:
        """Whether the vehicle's heading is so much older than the angles that it may be another by now."""
        told_ns = self.received_ns.get(Group.ATTITUDE, 0)
        return self.received_ns.get(Group.GIMBAL, 0) - told_ns > _TILT_LASTS_NS

    def sample(self, aircraft_id: str) -> TelemetrySample | None:
        """Everything known now; None before the first message that says anything."""
        if not self.received_ns:
            return None
        newest_ns = max(self.received_ns.values())
        located = self.located
        place = self.place if located else None
        roll, pitch, yaw = self.attitude or (None, None, self.heading_deg)
        speed, climb = self.hud or self.velocity or (None, None)
        axis, battery = self.gimbal.axis, self.battery
        return TelemetrySample(
            aircraft_id=aircraft_id,
            utc_ns=newest_ns,
            lat_deg=place[0] if place else None,
            lon_deg=place[1] if place else None,
            # A height above the sea needs a 3D fix; the one above home is the barometer's and needs none.
            alt_msl_m=self.alt_msl_m if place and (self.fix_type or _FIX_3D) >= _FIX_3D else None,
            alt_home_m=self.alt_home_m,
            alt_agl_m=self.ground.height_m(newest_ns),
            roll_deg=roll,
            pitch_deg=pitch,
            yaw_deg=yaw,
            gimbal_pitch_deg=axis.pitch_deg if axis else None,
            gimbal_yaw_deg=axis.true_yaw_deg(None if self._turned_since else yaw) if axis else None,
            gimbal_roll_deg=axis.roll_deg if axis else None,
            hfov_deg=self.fov[0],
            vfov_deg=self.fov[1],
            ground_speed_ms=speed if located else None,
            climb_ms=climb,
            battery_pct=battery.percent if battery else None,
            battery_v=battery.volts if battery else None,
            fix=_FIXES.get(self.fix_type) if self.fix_type is not None else None,
            satellites=self.satellites,
            h_accuracy_m=self.accuracy[0] if located else None,
            v_accuracy_m=self.accuracy[1] if located else None,
            link_quality_pct=self.link.percent,
            mode=self.mode,
            armed=self.armed,
            landed=self.landed,
            fence_breached=self.fence_breached,
            home=self.home,
            received_ns=dict(self.received_ns),
        )
