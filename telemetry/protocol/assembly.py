"""The state of one aircraft, assembled from its messages. None is unknown; nothing is guessed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.flights import Armed, Disarmed
from flow.samples import Group, Place, StatusText, TelemetrySample
from flow.source_clock import ClockState

from .battery import BatteryReading, shown_battery
from .gimbal import CameraAxis, Source, Speaker, camera_axis, orientation_axis, status_axis
from .known import Known
from .modes import mode_name
from .places import compass_deg, place_e7
from .plausible import Plausibility, Whereabouts
from .quality import REMOTE_CONTROL_IDS
from .status_text import TextJoiner

AircraftEvent: TypeAlias = StatusText | Armed | Disarmed

_LANDED = {1: "on_ground", 2: "in_air", 3: "takeoff", 4: "landing"}  # MAV_LANDED_STATE
_AUTOPILOT = dialect.MAV_COMP_ID_AUTOPILOT1
_AUTOPILOT_GONE_NS = 5_000_000_000
_BEHIND_MS, _FAR_BEHIND_MS = 300, 10_000
"""Two ways that differ by less are as fast as each other; by more than 10 s, as claims.py has it, they are
not of one aircraft."""
_MOST_RAD = 2 * math.pi

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


class Way:
    """One of several ways that an aircraft's messages come by."""

    __slots__ = ("behind_ns", "boot_ms")

    def __init__(self) -> None:
        self.behind_ns = 0
        """How much older what it brings is than what another one has brought; 0 for the fastest."""
        self.boot_ms: int | None = None
        """The last uptime that it brought."""

    def may_go_on_at(self, boot_ms: int, behind_ms: int) -> bool:
        """Whether this uptime, so much earlier than the newest, only comes late and is no restart."""
        if self.boot_ms is None:
            return behind_ms <= _FAR_BEHIND_MS
        return boot_ms >= self.boot_ms


class Assembly:
    """`handle` messages of one system id, then read `sample()`; `moved` says that it is worth showing."""

    def __init__(self, aircraft_id: str) -> None:
        self._aircraft_id = aircraft_id
        self._known = Known()
        self._texts = TextJoiner()
        self._text_count = 0
        self._armed: bool | None = None  # outlives restarts: an event is a change, not a rediscovery
        self.autopilot: int = _AUTOPILOT
        """The component whose position, attitude and mode count."""
        self._heartbeat_ns: int | None = None
        self._time_ns = 0
        self._only_way = Way()
        self.moved = False
        """Position or attitude came since this was last set to False."""
        self.restarts = 0
        self.implausible = 0
        """Positions held back because the aircraft cannot have got there."""
        self.implausible_ns = 0

    def handle(
        self, component_id: int, message: Any, arrival_ns: int, way: Way | None = None
    ) -> list[AircraftEvent]:
        """Take in a message that arrived at `arrival_ns` by `way`; return what happened."""
        number = message.get_msgId()
        way = way or self._only_way
        if number == dialect.MAVLINK_MSG_ID_STATUSTEXT:
            return self._on_text(component_id, message, arrival_ns)
        if number == dialect.MAVLINK_MSG_ID_HEARTBEAT:
            return self._on_heartbeat(component_id, message, arrival_ns, way)
        if number in _ANYBODYS:
            if self._follow((component_id, number), arrival_ns, way):
                _ANYBODYS[number](self, component_id, message)
        elif component_id == self.autopilot and self._take_time(number, message, arrival_ns, way):
            _READERS[number](self, message)
        return []

    def on_radio(self, message: Any, arrival_ns: int) -> None:
        """Take in what the radio that carries this aircraft's messages says, whoever it says it as."""
        self._time_ns = self._known.clock.follow(arrival_ns)
        self._known.link.on_radio(message, self._time_ns)
        self._show_link()

    @property
    def clock(self) -> ClockState:
        """What is known of the aircraft's clocks."""
        return self._known.clock.state()

    def forget(self) -> None:
        """Throw away what is known: from here on another aircraft may be speaking."""
        self._known = Known()
        self._heartbeat_ns = None

    def poll(self, now_ns: int) -> list[AircraftEvent]:
        """What became due without a message."""
        return self._text_events(self._texts.overdue(now_ns), now_ns)

    def sample(self) -> TelemetrySample | None:
        """Everything known now; None before the first message that says anything."""
        return self._known.sample(self._aircraft_id)

    # --- messages of the autopilot ----------------------------------------------------------------

    def _follow(self, kind: tuple[int, int], arrival_ns: int, way: Way) -> bool:
        """Set the time of a message without uptime; False where a faster way has brought a newer one."""
        time_ns, newest_ns = self._known.clock.follow(arrival_ns) - way.behind_ns, self._known.newest_ns
        if way.behind_ns and time_ns < newest_ns.get(kind, 0):
            return False
        newest_ns[kind] = self._time_ns = time_ns
        return True

    def _take_time(self, number: int, message: Any, arrival_ns: int, way: Way) -> bool:
        """Set the time of `message`, notice a restart; False where it or a newer one of its kind is known."""
        clock = self._known.clock
        if number not in _CLOCKED:
            return self._follow((self.autopilot, number), arrival_ns, way)
        boot_ms: int = message.time_boot_ms
        behind_ms = clock.behind_ms(boot_ms)
        way.behind_ns = behind_ms * 1_000_000 if clock.is_used and behind_ms > _BEHIND_MS else 0
        goes_on, way.boot_ms = way.may_go_on_at(boot_ms, behind_ms), boot_ms
        if clock.restarts_with(boot_ms):
            if goes_on:
                clock.repeat(arrival_ns)
                return False
            self._known, way.behind_ns = Known(clock), 0
            self.restarts += 1
        before = self._known.newest_timed.get(number)
        # Overtaken on a faster link; or from a companion whose autopilot has gone silent.
        if clock.is_used and before and (boot_ms < before.time_boot_ms or message == before):
            clock.repeat(arrival_ns)
            return False
        self._time_ns = clock.map(boot_ms, arrival_ns)
        if clock.is_used:
            self._known.newest_timed[number] = message
        return True

    def _received(self, group: Group) -> None:
        self._known.received_ns[group] = max(self._time_ns, self._known.received_ns.get(group, 0))

    def _on_heartbeat(
        self, component_id: int, message: Any, arrival_ns: int, way: Way
    ) -> list[AircraftEvent]:
        if not is_aircraft(message) or not self._is_autopilot(component_id, arrival_ns):
            return []
        if not self._follow((component_id, dialect.MAVLINK_MSG_ID_HEARTBEAT), arrival_ns, way):
            return []
        self._known.clock.heartbeats.hear(arrival_ns)
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
        if not known.has_global_position:  # the autopilot's estimate follows from no place of its receiver
            known.has_global_position, known.plausibility = True, Plausibility()
        place, alt_m = place_e7(message.lat, message.lon), message.alt / 1e3
        if not self._believes(Whereabouts(place, alt_m, self._time_ns, message.time_boot_ms)):
            return
        known.place, known.alt_msl_m, known.alt_home_m = place, alt_m, message.relative_alt / 1e3
        known.heading_deg = compass_deg(message.hdg / 100) if message.hdg != 0xFFFF else None
        known.velocity = (math.hypot(message.vx, message.vy) / 100, -message.vz / 100) if place else None
        self._received(Group.POSITION)
        if known.velocity and not known.hud:
            self._received(Group.SPEED)
        if known.heading_deg is not None and not known.attitude:
            self._received(Group.ATTITUDE)
        self.moved = True

    def _believes(self, said: Whereabouts) -> bool:
        believed = self._known.plausibility.believes(said)
        if not believed:
            self.implausible += 1
            self.implausible_ns = said.time_ns
        return believed

    def _on_attitude(self, message: Any) -> None:
        angles = message.roll, message.pitch, message.yaw
        if all(-_MOST_RAD <= angle <= _MOST_RAD for angle in angles):  # NaN is not
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
        known.accuracy = message.h_acc / 1e3 or None, message.v_acc / 1e3 or None  # 0 where not sent
        known.clock.wall.hear_gps(message.time_usec, self._time_ns)
        self._received(Group.FIX)
        if known.has_global_position:
            return
        place, alt_m = place_e7(message.lat, message.lon), message.alt / 1e3
        if self._believes(Whereabouts(place, alt_m, self._time_ns)):  # bare trackers send nothing else
            known.place, known.alt_msl_m = place, alt_m
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

    def _on_fence(self, message: Any) -> None:
        self._known.fence_breached = bool(message.breach_status)

    def _on_distance_sensor(self, message: Any) -> None:
        self._known.ground.on_distance_sensor(message, self._known.upright(self._time_ns), self._time_ns)

    def _on_rangefinder(self, message: Any) -> None:
        self._known.ground.on_rangefinder(message, self._known.upright(self._time_ns), self._time_ns)

    def _on_altitude(self, message: Any) -> None:
        self._known.ground.on_altitude(message, self._time_ns)

    def _on_terrain(self, message: Any) -> None:
        known = self._known
        known.ground.on_terrain(message, known.place if known.located else None, self._time_ns)

    def _on_remote_control(self, message: Any) -> None:
        self._known.link.on_remote_control(message, self._time_ns)
        self._show_link()

    def _show_link(self) -> None:
        if self._known.link.percent is not None:
            self._known.received_ns[Group.LINK] = self._known.link.received_ns

    # --- messages of any component, whose uptime is its own: they follow the autopilot's clock -----------

    def _on_gimbal(self, component_id: int, message: Any) -> None:
        speaker = Speaker(Source.DEVICE, component_id, message.gimbal_device_id)
        self._show_gimbal(speaker, camera_axis(message.q, message.flags))

    def _on_mount_orientation(self, component_id: int, message: Any) -> None:
        self._show_gimbal(Speaker(Source.ORIENTATION, component_id), orientation_axis(message))

    def _on_mount_status(self, component_id: int, message: Any) -> None:
        of_body = component_id == self.autopilot
        axis = status_axis(message, self._known.tilt(self._time_ns), of_body=of_body)
        self._show_gimbal(Speaker(Source.STATUS, component_id), axis)

    def _show_gimbal(self, speaker: Speaker, axis: CameraAxis | None) -> None:
        if self._known.gimbal.take(speaker, axis, self._time_ns):
            self._received(Group.GIMBAL)

    def _on_fov(self, _: int, message: Any) -> None:
        self._known.fov = _fov_deg(message.hfov), _fov_deg(message.vfov)
        self._received(Group.CAMERA)

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


def _fov_deg(value: float) -> float | None:
    return value if 0.0 < value <= 180.0 else None  # NaN is neither


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
    dialect.MAVLINK_MSG_ID_FENCE_STATUS: Assembly._on_fence,
    dialect.MAVLINK_MSG_ID_DISTANCE_SENSOR: Assembly._on_distance_sensor,
    dialect.MAVLINK_MSG_ID_RANGEFINDER: Assembly._on_rangefinder,
    dialect.MAVLINK_MSG_ID_ALTITUDE: Assembly._on_altitude,
    dialect.MAVLINK_MSG_ID_TERRAIN_REPORT: Assembly._on_terrain,
    **dict.fromkeys(REMOTE_CONTROL_IDS, Assembly._on_remote_control),
}

_CLOCKED = frozenset({
    dialect.MAVLINK_MSG_ID_ATTITUDE,
    dialect.MAVLINK_MSG_ID_GLOBAL_POSITION_INT,
    dialect.MAVLINK_MSG_ID_SYSTEM_TIME,
})  # fmt: skip
"""Whose uptime the clock goes by; all others are as old as the last of these."""

_ANYBODYS: dict[int, Callable[[Assembly, int, Any], None]] = {
    dialect.MAVLINK_MSG_ID_GIMBAL_DEVICE_ATTITUDE_STATUS: Assembly._on_gimbal,
    dialect.MAVLINK_MSG_ID_MOUNT_ORIENTATION: Assembly._on_mount_orientation,
    dialect.MAVLINK_MSG_ID_MOUNT_STATUS: Assembly._on_mount_status,
    dialect.MAVLINK_MSG_ID_CAMERA_FOV_STATUS: Assembly._on_fov,
}

READ_IDS = frozenset({
    *_READERS,
    *_ANYBODYS,
    dialect.MAVLINK_MSG_ID_HEARTBEAT,
    dialect.MAVLINK_MSG_ID_STATUSTEXT,
})  # fmt: skip
"""The messages worth decoding."""
