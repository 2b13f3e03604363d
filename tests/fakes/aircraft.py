"""An aircraft's side of MAVLink, written with pymavlink: every method returns one framed message."""

from __future__ import annotations

import math
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

COPTER, PLANE, SUB = 2, 1, 12  # MAV_TYPE
ARDUPILOT, PX4, INVALID = 3, 12, 8  # MAV_AUTOPILOT
CUSTOM, ARMED = 1, 128  # MAV_MODE_FLAG
UNKNOWN_CELLS = [0xFFFF] * 10


class FakeAircraft:
    """Counts its sequence as a sender does. `v1` sends MAVLink 1, `key` signs (MAVLink 2)."""

    def __init__(
        self, system_id: int = 1, component_id: int = 1, *, v1: bool = False, key: bytes | None = None
    ) -> None:
        self._mavlink = dialect.MAVLink(None, srcSystem=system_id, srcComponent=component_id)
        self._v1 = v1
        if key:
            self._mavlink.signing.secret_key = key
            self._mavlink.signing.sign_outgoing = True
            self._mavlink.signing.timestamp = 1

    def set_signing(self, link_id: int, timestamp: int) -> None:
        """Sign as this link from this time on, in units of 10 µs since 2015."""
        self._mavlink.signing.link_id = link_id
        self._mavlink.signing.timestamp = timestamp

    def send(self, message: Any) -> bytes:
        """Any message of the dialect, framed."""
        framed = bytes(message.pack(self._mavlink, force_mavlink1=self._v1))
        self._mavlink.seq = (self._mavlink.seq + 1) % 256
        return framed

    def skip(self, count: int) -> None:
        """Let `count` messages get lost."""
        self._mavlink.seq = (self._mavlink.seq + count) % 256

    def heartbeat(
        self, *, kind: int = COPTER, autopilot: int = ARDUPILOT, mode: int = 0, armed: bool = False
    ) -> bytes:
        base = CUSTOM | (ARMED if armed else 0)
        return self.send(dialect.MAVLink_heartbeat_message(kind, autopilot, base, mode, 4, 3))

    def position(
        self,
        boot_ms: int,
        lat: float = 49.4,
        lon: float = 7.6,
        *,
        alt: float = 300.0,
        home: float = 50.0,
        velocity: tuple[int, int, int] = (0, 0, 0),
        hdg: int = 0xFFFF,
    ) -> bytes:
        place = round(lat * 1e7), round(lon * 1e7), round(alt * 1e3), round(home * 1e3)
        return self.send(dialect.MAVLink_global_position_int_message(boot_ms, *place, *velocity, hdg))

    def attitude(self, boot_ms: int, roll: float = 0.0, pitch: float = 0.0, yaw: float = 90.0) -> bytes:
        angles = map(math.radians, (roll, pitch, yaw))
        return self.send(dialect.MAVLink_attitude_message(boot_ms, *angles, 0.0, 0.0, 0.0))

    def hud(self, ground_speed: float = 5.0, climb: float = 1.0) -> bytes:
        return self.send(dialect.MAVLink_vfr_hud_message(0.0, ground_speed, 0, 0, 0.0, climb))

    def gps(self, fix: int = 3, satellites: int = 14, lat: float = 49.4, lon: float = 7.6) -> bytes:
        place = round(lat * 1e7), round(lon * 1e7), 300_000
        return self.send(
            dialect.MAVLink_gps_raw_int_message(0, fix, *place, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, satellites)
        )

    def system_status(self, percent: int = 71, millivolts: int = 22_100) -> bytes:
        status = dialect.MAVLink_sys_status_message(0, 0, 0, 0, millivolts, -1, percent, 0, 0, 0, 0, 0, 0)
        return self.send(status)

    def battery(self, percent: int, cells: list[int], number: int = 0, more: tuple[int, ...] = ()) -> bytes:
        volts = (cells + UNKNOWN_CELLS)[:10]
        extra = [*more, 0, 0, 0, 0][:4]
        return self.send(
            dialect.MAVLink_battery_status_message(
                number, 0, 0, 0, volts, -1, -1, -1, percent, voltages_ext=extra
            )
        )

    def home(self, lat: float, lon: float, alt: float) -> bytes:
        place = round(lat * 1e7), round(lon * 1e7), round(alt * 1e3)
        return self.send(dialect.MAVLink_home_position_message(*place, 0, 0, 0, [1, 0, 0, 0], 0, 0, 0))

    def landed(self, state: int) -> bytes:
        return self.send(dialect.MAVLink_extended_sys_state_message(0, state))

    def text(self, text: str, severity: int = 6, text_id: int = 0, chunk: int = 0) -> bytes:
        return self.send(dialect.MAVLink_statustext_message(severity, text.encode(), text_id, chunk))

    def gimbal(self, q: list[float], flags: int, device: int = 0) -> bytes:
        status = dialect.MAVLink_gimbal_device_attitude_status_message(0, 0, 0, flags, q, 0.0, 0.0, 0.0, 0)
        status.gimbal_device_id = device
        return self.send(status)

    def radio(self, rssi: int, noise: int, far_rssi: int | None = None, far_noise: int = 48) -> bytes:
        """RADIO_STATUS, as the radio on the ground puts it into the stream; the other end hears as well."""
        far = rssi if far_rssi is None else far_rssi
        return self.send(dialect.MAVLink_radio_status_message(rssi, far, 100, noise, far_noise, 0, 0))
