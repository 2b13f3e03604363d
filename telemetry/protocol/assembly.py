"""The state of one aircraft, assembled from its messages. None is unknown; nothing is guessed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.flights import Armed, Disarmed
from flow.samples import Group, Place, StatusText, TelemetrySample
from flow.source_clock import ClockState

from .battery import BatteryReading, shown_battery
from .boot_clock import BootClock
from .gimbal import CameraAxis, camera_axis
from .modes import mode_name
from .places import compass_deg, place_e7
from .status_text import TextJoiner

AircraftEvent: TypeAlias = StatusText | Armed | Disarmed

# GPS_FIX_TYPE; 7 (static) and 8 (precise point positioning) are 3D fixes with a better source.
_FIXES = {0: "none", 1: "none", 2: "2d", 3: "3d", 4: "dgps", 5: "rtk_float", 6: "rtk_fixed", 7: "3d", 8: "3d"}
_FIX_2D, _FIX_3D = dialect.GPS_FIX_TYPE_2D_FIX, dialect.GPS_FIX_TYPE_3D_FIX
_LANDED = {1: "on_ground", 2: "in_air", 3: "takeoff", 4: "landing"}  # MAV_LANDED_STATE
_AUTOPILOT = dialect.MAV_COMP_ID_AUTOPILOT1
_AUTOPILOT_GONE_NS = 5_000_000_000

# Components and ground equipment, as told by MAV_TYPE.
NOT_AIRCRAFT = frozenset(
    getattr(dialect, f"MAV_TYPE_{name}")
    for name in (
        *("ANTENNA_TRACKER", "GCS", "ONBOARD_CONTROLLER", "GIMBAL", "ADSB", "CAMERA", "CHARGING_STATION"),
        *("FLARM", "SERVO", "ODID", "BATTERY", "PARACHUTE", "LOG", "OSD", "IMU", "GPS", "WINCH"),
        *("ILLUMINATOR", "GRIPPER"),
    )
)


def is_aircraft(heartbeat: Any) -> bool:
    """Whether a HEARTBEAT comes from a vehicle's autopilot, not from a component or ground station."""
    return heartbeat.autopilot != dialect.MAV_AUTOPILOT_INVALID and heartbeat.type not in NOT_AIRCRAFT


@dataclass(slots=True)
class _Known:
    """What has been heard since the aircraft started; thrown away when it restarts, all but its clock."""

    clock: BootClock = field(default_factory=BootClock)
    received_ns: dict[Group, int] = field(default_factory=dict)
    newest_boot_ms: dict[int, int] = field(default_factory=dict)  # by message id
    place: tuple[float, float] | None = None
    alt_msl_m: float | None = None
    alt_home_m: float | None = None
    heading_deg: float | None = None
    velocity: tuple[float, float] | None = None  # ground speed and climb of GLOBAL_POSITION_INT
    attitude: tuple[float, float, float] | None = None  # roll, pitch, yaw in degrees
    hud: tuple[float | None, float | None] | None = None  # ground speed and climb of VFR_HUD
    axis: CameraAxis | None = None
    gimbal: tuple[int, int] | None = None  # component and device id of the gimbal that is shown
    system_battery: BatteryReading | None = None
    first_battery: BatteryReading | None = None
    battery: BatteryReading | None = None  # what is shown of both
    fix_type: int | None = None
    satellites: int | None = None
    mode: str | None = None
    armed: bool | None = None
    landed: str | None = None
    home: Place | None = None
    has_global_position: bool = False


class Assembly:
    """`handle` messages of one system id, then read `sample()`; `moved` says that it is worth showing."""

    def __init__(self, aircraft_id: str) -> None:
        self._aircraft_id = aircraft_id
        self._known = _Known()
        self._texts = TextJoiner()
        self._text_count = 0
        self._armed: bool | None = None  # outlives restarts: an event is a change, not a rediscovery
        self.autopilot: int = _AUTOPILOT
        """The component whose position, attitude and mode count."""
        self._heartbeat_ns: int | None = None
        self._time_ns = 0
        self.moved = False
        """Position or attitude came since this was last set to False."""
        self.restarts = 0

    def handle(self, component_id: int, message: Any, arrival_ns: int) -> list[AircraftEvent]:
        """Take in a message that arrived at `arrival_ns`; return what happened."""
        number = message.get_msgId()
        if number == dialect.MAVLINK_MSG_ID_STATUSTEXT:
            return self._on_text(component_id, message, arrival_ns)
        if number == dialect.MAVLINK_MSG_ID_HEARTBEAT:
            return self._on_heartbeat(component_id, message, arrival_ns)
        if number == dialect.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS:
            self._on_gimbal(component_id, message, arrival_ns)
        elif component_id == self.autopilot and self._take_time(number, message, arrival_ns):
            _READERS[number](self, message)
        return []

    @property
    def clock(self) -> ClockState:
        """What is known of the aircraft's clocks."""
        return self._known.clock.state()

    def forget(self) -> None:
        """Throw away what is known: from here on another aircraft may be speaking."""
        self._known = _Known()
        self._heartbeat_ns = None

    def poll(self, now_ns: int) -> list[AircraftEvent]:
        """What became due without a message."""
        return self._text_events(self._texts.overdue(now_ns), now_ns)

    def sample(self) -> TelemetrySample | None:
        """Everything known now; None before the first message that says anything."""
        known = self._known
        if not known.received_ns:
            return None
        located = known.place is not None if known.fix_type is None else known.fix_type >= _FIX_2D
        place = known.place if located else None
        roll, pitch, yaw = known.attitude or (None, None, known.heading_deg)
        speed, climb = known.hud or known.velocity or (None, None)
        return TelemetrySample(
            aircraft_id=self._aircraft_id,
            utc_ns=max(known.received_ns.values()),
            lat_deg=place[0] if place else None,
            lon_deg=place[1] if place else None,
            # A height above the sea needs a 3D fix; the one above home is the barometer's and needs none.
            alt_msl_m=known.alt_msl_m if place and (known.fix_type or _FIX_3D) >= _FIX_3D else None,
            alt_home_m=known.alt_home_m,
            roll_deg=roll,
            pitch_deg=pitch,
            yaw_deg=yaw,
            gimbal_pitch_deg=known.axis.pitch_deg if known.axis else None,
            gimbal_yaw_deg=known.axis.true_yaw_deg(yaw) if known.axis else None,
            ground_speed_ms=speed if located else None,
            climb_ms=climb,
            battery_pct=known.battery.percent if known.battery else None,
            battery_v=known.battery.volts if known.battery else None,
            fix=_FIXES.get(known.fix_type) if known.fix_type is not None else None,
            satellites=known.satellites,
            mode=known.mode,
            armed=known.armed,
            landed=known.landed,
            home=known.home,
            received_ns=dict(known.received_ns),
        )

    # --- messages of the autopilot ----------------------------------------------------------------

    def _take_time(self, number: int, message: Any, arrival_ns: int) -> bool:
        """Set the time of `message`, notice a restart; False where a newer one of its kind is known."""
        boot_ms: int | None = getattr(message, "time_boot_ms", None)
        clock = self._known.clock
        if boot_ms is None:
            self._time_ns = clock.follow(arrival_ns)
            return True
        if clock.restarts_with(boot_ms):
            self._known = _Known(clock)
            self.restarts += 1
        if clock.is_used and boot_ms < self._known.newest_boot_ms.get(number, 0):
            return False  # overtaken on a faster link
        self._time_ns = clock.map(boot_ms, arrival_ns)
        if clock.is_used:
            self._known.newest_boot_ms[number] = boot_ms
        return True

    def _received(self, group: Group) -> None:
        self._known.received_ns[group] = max(self._time_ns, self._known.received_ns.get(group, 0))

    def _on_heartbeat(self, component_id: int, message: Any, arrival_ns: int) -> list[AircraftEvent]:
        if not is_aircraft(message) or not self._is_autopilot(component_id, arrival_ns):
            return []
        self._time_ns = self._known.clock.follow(arrival_ns)
        self._known.mode = mode_name(message.autopilot, message.type, message.base_mode, message.custom_mode)
        armed = self._known.armed = bool(message.base_mode & dialect.MAV_MODE_FLAG_SAFETY_ARMED)
        self._received(Group.MODE)
        before, self._armed = self._armed, armed
        if armed == bool(before):  # first heard disarmed is no event
            return []
        kind = Armed if armed else Disarmed
        name = f"{self._aircraft_id}-{kind.__name__.lower()}-{arrival_ns}"
        return [kind(name, self._aircraft_id, self._time_ns)]

    def _is_autopilot(self, component_id: int, now_ns: int) -> bool:
        """Whether this vehicle heartbeat counts: companions that pose as a vehicle must not take over."""
        silent = self._heartbeat_ns is None or now_ns - self._heartbeat_ns > _AUTOPILOT_GONE_NS
        if component_id in {self.autopilot, _AUTOPILOT} or silent:
            self.autopilot, self._heartbeat_ns = component_id, now_ns
        return component_id == self.autopilot

    def _on_global_position(self, message: Any) -> None:
        known = self._known
        known.has_global_position = True
        known.place = place_e7(message.lat, message.lon)
        known.alt_msl_m, known.alt_home_m = message.alt / 1e3, message.relative_alt / 1e3
        known.heading_deg = compass_deg(message.hdg / 100) if message.hdg != 0xFFFF else None
        known.velocity = (
            (math.hypot(message.vx, message.vy) / 100, -message.vz / 100) if known.place else None
        )
        self._received(Group.POSITION)
        if known.velocity and not known.hud:
            self._received(Group.SPEED)
        if known.heading_deg is not None and not known.attitude:
            self._received(Group.ATTITUDE)
        self.moved = True

    def _on_attitude(self, message: Any) -> None:
        angles = message.roll, message.pitch, message.yaw
        if all(map(math.isfinite, angles)):
            roll, pitch, yaw = map(math.degrees, angles)
            self._known.attitude = roll, pitch, compass_deg(yaw)
            self._received(Group.ATTITUDE)
            self.moved = True

    def _on_hud(self, message: Any) -> None:
        self._known.hud = _finite(message.groundspeed), _finite(message.climb)
        self._received(Group.SPEED)

    def _on_gps(self, message: Any) -> None:
        known = self._known
        known.fix_type = message.fix_type
        known.satellites = message.satellites_visible if message.satellites_visible != 0xFF else None
        known.clock.wall.hear_gps(message.time_usec, self._time_ns)
        self._received(Group.FIX)
        if not known.has_global_position:  # bare trackers send nothing else
            known.place, known.alt_msl_m = place_e7(message.lat, message.lon), message.alt / 1e3
            self._received(Group.POSITION)
            self.moved = True

    def _on_system_time(self, message: Any) -> None:
        self._known.clock.wall.hear_system_time(message.time_unix_usec, self._time_ns)

    def _on_system_status(self, message: Any) -> None:
        volts = message.voltage_battery / 1e3 if message.voltage_battery not in {0, 0xFFFF} else None
        self._known.system_battery = self._battery_reading(message, volts)
        self._show_battery()

    def _on_battery(self, message: Any) -> None:
        if message.id == 0:  # others feed a payload or a second bus
            cells = [mv for mv in message.voltages if mv != 0xFFFF] + list(message.voltages_ext)
            self._known.first_battery = self._battery_reading(message, sum(cells) / 1e3 or None)
            self._show_battery()

    def _battery_reading(self, message: Any, volts: float | None) -> BatteryReading:
        return BatteryReading(_percent(message.battery_remaining), volts, self._time_ns)

    def _show_battery(self) -> None:
        known = self._known
        known.battery = shown_battery(known.system_battery, known.first_battery)
        known.received_ns[Group.BATTERY] = known.battery.received_ns

    def _on_home(self, message: Any) -> None:
        place = place_e7(message.latitude, message.longitude)
        self._known.home = Place(*place, alt_msl_m=message.altitude / 1e3) if place else None
        self._received(Group.HOME)

    def _on_landed(self, message: Any) -> None:
        self._known.landed = _LANDED.get(message.landed_state)

    # --- messages of any component ----------------------------------------------------------------

    def _on_gimbal(self, component_id: int, message: Any, arrival_ns: int) -> None:
        """The first gimbal heard is the one shown; its uptime is its own, so it follows the autopilot's."""
        gimbal = component_id, message.gimbal_device_id
        self._known.gimbal = self._known.gimbal or gimbal
        if gimbal == self._known.gimbal:
            self._known.axis = camera_axis(message.q, message.flags)
            self._time_ns = self._known.clock.follow(arrival_ns)
            self._received(Group.GIMBAL)

    def _on_text(self, component_id: int, message: Any, arrival_ns: int) -> list[AircraftEvent]:
        return self._text_events(self._texts.push(component_id, message, arrival_ns), arrival_ns)

    def _text_events(self, texts: list[tuple[Any, str]], now_ns: int) -> list[AircraftEvent]:
        events: list[AircraftEvent] = []
        for severity, text in texts:
            self._text_count += 1
            name = f"{self._aircraft_id}-text-{now_ns}-{self._text_count}"
            events.append(StatusText(name, self._aircraft_id, now_ns, severity, text))
        return events


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _percent(remaining: int) -> float | None:
    return float(remaining) if 0 <= remaining <= 100 else None


_READERS: dict[int, Callable[[Assembly, Any], None]] = {
    dialect.MAVLINK_MSG_ID_SYS_STATUS: Assembly._on_system_status,
    dialect.MAVLINK_MSG_ID_SYSTEM_TIME: Assembly._on_system_time,
    dialect.MAVLINK_MSG_ID_GPS_RAW_INT: Assembly._on_gps,
    dialect.MAVLINK_MSG_ID_ATTITUDE: Assembly._on_attitude,
    dialect.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: Assembly._on_global_position,
    dialect.MAVLINK_MSG_ID_VFR_HUD: Assembly._on_hud,
    dialect.MAVLINK_MSG_ID_BATTERY_STATUS: Assembly._on_battery,
    dialect.MAVLINK_MSG_ID_HOME_POSITION: Assembly._on_home,
    dialect.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: Assembly._on_landed,
}

READ_IDS = frozenset({
    *_READERS,
    dialect.MAVLINK_MSG_ID_HEARTBEAT,
    dialect.MAVLINK_MSG_ID_STATUSTEXT,
    dialect.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS,
})  # fmt: skip
"""The messages worth decoding."""
