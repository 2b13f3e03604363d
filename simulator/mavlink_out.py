"""The aircraft's MAVLink 2, as ArduPilot sends it, from the pose at the pictures' capture instants."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from simulator import mission, place
from simulator.aircraft import State

_GIMBAL_FLAGS = (
    mavlink.GIMBAL_DEVICE_FLAGS_ROLL_LOCK
    | mavlink.GIMBAL_DEVICE_FLAGS_PITCH_LOCK
    | mavlink.GIMBAL_DEVICE_FLAGS_YAW_LOCK
    | mavlink.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME
)
_SENSORS = (
    mavlink.MAV_SYS_STATUS_SENSOR_3D_GYRO
    | mavlink.MAV_SYS_STATUS_SENSOR_3D_ACCEL
    | mavlink.MAV_SYS_STATUS_SENSOR_3D_MAG
    | mavlink.MAV_SYS_STATUS_SENSOR_ABSOLUTE_PRESSURE
    | mavlink.MAV_SYS_STATUS_SENSOR_GPS
    | mavlink.MAV_SYS_STATUS_SENSOR_BATTERY
)
_DRAW_A = 14.5


class MavlinkOut:
    """Packs the messages that are due at each capture instant; every datagram holds one message."""

    def __init__(self, system_id: int) -> None:
        self._mavlink = mavlink.MAVLink(
            None, srcSystem=system_id, srcComponent=mavlink.MAV_COMP_ID_AUTOPILOT1
        )
        self._slots: dict[str, int] = {}
        self._flight_s: float | None = None

    def messages(self, state: State, flight_s: float, boot_ms: float, utc_ms: float) -> list[bytes]:
        """Everything due now; `boot_ms` and `utc_ms` are what the aircraft's clock shows at the capture."""
        due = [self._attitude(state, boot_ms), self._position(state, boot_ms), self._gimbal(state, boot_ms)]
        due += self._slow(state, flight_s, boot_ms, utc_ms)
        since, self._flight_s = self._flight_s, flight_s
        if since is not None:
            for severity, text in mission.texts_between(since, flight_s):
                due.append(self._mavlink.statustext_encode(severity, text.encode()))
        return [self._pack(message) for message in due]

    def _pack(self, message: mavlink.MAVLink_message) -> bytes:
        packed = bytes(message.pack(self._mavlink))
        self._mavlink.seq = (self._mavlink.seq + 1) % 256
        return packed

    def _slow(
        self, state: State, flight_s: float, boot_ms: float, utc_ms: float
    ) -> Iterator[mavlink.MAVLink_message]:
        if self._is_due("1 Hz", boot_ms, 1000):
            yield self._heartbeat(flight_s)
            yield self._sys_status(flight_s)
            yield self._battery(flight_s)
            yield self._mavlink.extended_sys_state_encode(0, mission.landed_state_at(flight_s))
            yield self._mavlink.system_time_encode(round(utc_ms * 1000), round(boot_ms))
        if self._is_due("home", boot_ms, 2000):
            yield self._home(boot_ms)
        if self._is_due("gps", boot_ms, 500):
            yield self._gps(state, utc_ms)
        if self._is_due("hud", boot_ms, 200):
            yield self._hud(state)

    def _is_due(self, name: str, boot_ms: float, period_ms: int) -> bool:
        slot = int(boot_ms) // period_ms
        due = self._slots.get(name) != slot
        self._slots[name] = slot
        return due

    def _heartbeat(self, flight_s: float) -> mavlink.MAVLink_message:
        flags = mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | mavlink.MAV_MODE_FLAG_SAFETY_ARMED
        flags |= mavlink.MAV_MODE_FLAG_STABILIZE_ENABLED | mavlink.MAV_MODE_FLAG_GUIDED_ENABLED
        return self._mavlink.heartbeat_encode(
            mavlink.MAV_TYPE_QUADROTOR,
            mavlink.MAV_AUTOPILOT_ARDUPILOTMEGA,
            flags,
            int(mission.mode_at(flight_s)),
            mavlink.MAV_STATE_ACTIVE,
        )

    def _attitude(self, state: State, boot_ms: float) -> mavlink.MAVLink_message:
        yaw = math.remainder(math.radians(state.yaw_deg), math.tau)
        roll, pitch = math.radians(state.roll_deg), math.radians(state.pitch_deg)
        return self._mavlink.attitude_encode(round(boot_ms), roll, pitch, yaw, 0.0, 0.0, 0.0)

    def _position(self, state: State, boot_ms: float) -> mavlink.MAVLink_message:
        return self._mavlink.global_position_int_encode(
            round(boot_ms),
            round(state.lat_deg * 1e7),
            round(state.lon_deg * 1e7),
            round(state.alt_msl_m * 1000),
            round(state.height_m * 1000),
            *(round(speed * 100) for speed in state.velocity_ned_ms),
            round(state.yaw_deg * 100) % 36000,
        )

    def _gimbal(self, state: State, boot_ms: float) -> mavlink.MAVLink_message:
        """ArduPilot's report for its first gimbal; yaw is locked to the earth, so `q` is against north."""
        nan = math.nan
        yaw, pitch = math.radians(state.camera_yaw_deg) / 2, math.radians(state.camera_pitch_deg) / 2
        q = [
            math.cos(pitch) * math.cos(yaw),
            -math.sin(pitch) * math.sin(yaw),
            math.sin(pitch) * math.cos(yaw),
            math.cos(pitch) * math.sin(yaw),
        ]
        delta_yaw = math.remainder(math.radians(state.yaw_deg), math.tau)
        return self._mavlink.gimbal_device_attitude_status_encode(
            0, 0, round(boot_ms), _GIMBAL_FLAGS, q, nan, nan, nan, 0, delta_yaw, nan, 1
        )

    def _hud(self, state: State) -> mavlink.MAVLink_message:
        north, east, down = state.velocity_ned_ms
        speed = math.hypot(north, east)
        return self._mavlink.vfr_hud_encode(
            speed, speed, round(state.yaw_deg) % 360, 46, state.alt_msl_m, -down
        )

    def _gps(self, state: State, utc_ms: float) -> mavlink.MAVLink_message:
        north, east, _ = state.velocity_ned_ms
        course = round(math.degrees(math.atan2(east, north)) * 100) % 36000
        return self._mavlink.gps_raw_int_encode(
            round(utc_ms * 1000),
            mavlink.GPS_FIX_TYPE_DGPS,
            round(state.lat_deg * 1e7),
            round(state.lon_deg * 1e7),
            round(state.alt_msl_m * 1000),
            72,
            118,
            round(math.hypot(north, east) * 100),
            course,
            17,
            round((state.alt_msl_m + place.GEOID_M) * 1000),
            620,
            980,
        )

    def _sys_status(self, flight_s: float) -> mavlink.MAVLink_message:
        millivolts = round(mission.battery_v_at(flight_s) * 1000)
        remaining = round(mission.battery_pct_at(flight_s))
        return self._mavlink.sys_status_encode(
            _SENSORS, _SENSORS, _SENSORS, 310, millivolts, round(_DRAW_A * 100), remaining, 0, 0, 0, 0, 0, 0
        )

    def _battery(self, flight_s: float) -> mavlink.MAVLink_message:
        cell = round(mission.battery_v_at(flight_s) / mission.CELLS * 1000)
        voltages = [cell] * mission.CELLS + [0xFFFF] * (10 - mission.CELLS)
        percent = mission.battery_pct_at(flight_s)
        return self._mavlink.battery_status_encode(
            0,
            mavlink.MAV_BATTERY_FUNCTION_ALL,
            mavlink.MAV_BATTERY_TYPE_LIPO,
            3140,
            voltages,
            round(_DRAW_A * 100),
            round((100 - percent) * 80),  # mAh of 8 Ah
            -1,
            round(percent),
        )

    def _home(self, boot_ms: float) -> mavlink.MAVLink_message:
        home, nan = place.HOME, math.nan
        return self._mavlink.home_position_encode(
            round(home.lat_deg * 1e7),
            round(home.lon_deg * 1e7),
            round(home.alt_msl_m * 1000),
            0.0,
            0.0,
            0.0,
            [1.0, 0.0, 0.0, 0.0],
            nan,
            nan,
            nan,
            round(boot_ms * 1000),
        )
