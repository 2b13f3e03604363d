"""MAVLink says what the pose is, and leads to the same pixel as the picture."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from flow import utm
from simulator import arguments, place
from simulator.aircraft import AircraftClock, ClockError, Errors, Sensors, true_state
from simulator.camera import DAY_HFOV_DEG, Lens, View
from simulator.flightpath import pose_at
from simulator.mavlink_out import MavlinkOut

DAY = Lens(1280, 720, DAY_HFOV_DEG)
BOOT_MS = 60_000.0
UTC_MS = 1_795_330_000_000.0


def sent(t: float, system_id: int = 1) -> dict[str, Any]:
    datagrams = MavlinkOut(system_id).messages(true_state(pose_at(t)), t, BOOT_MS, UTC_MS)
    parser = mavlink.MAVLink(None)
    messages = [message for datagram in datagrams for message in parser.parse_buffer(datagram)]
    assert len(messages) == len(datagrams)
    return {message.get_type(): message for message in messages}


def ecef(lat_deg: float, lon_deg: float, height_m: float) -> np.ndarray[Any, Any]:
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    eccentricity2 = utm.FLATTENING * (2 - utm.FLATTENING)
    normal = utm.SEMI_MAJOR_M / math.sqrt(1 - eccentricity2 * math.sin(lat) ** 2)
    radius = (normal + height_m) * math.cos(lat)
    z = (normal * (1 - eccentricity2) + height_m) * math.sin(lat)
    return np.array([radius * math.cos(lon), radius * math.sin(lon), z])


def pixel_by_telemetry(messages: dict[str, Any], lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """Where a ground place must be in the picture: from MAVLink alone, and not by the simulator's way."""
    here, gimbal = messages["GLOBAL_POSITION_INT"], messages["GIMBAL_DEVICE_ATTITUDE_STATUS"]
    lat, lon = math.radians(here.lat / 1e7), math.radians(here.lon / 1e7)
    # All heights are over one ellipsoid that touches the ground: the scale changes by 4e-5 with it.
    away = ecef(lat_deg, lon_deg, 0.0) - ecef(here.lat / 1e7, here.lon / 1e7, here.relative_alt / 1000)
    north = np.array([-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)])
    east = np.array([-math.sin(lon), math.cos(lon), 0.0])
    down = np.cross(north, east)
    w, x, y, z = gimbal.q
    to_earth = np.array(  # quaternion to matrix: camera (forward, right, down) to north, east, down
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    forward, right, below = to_earth.T @ np.array([north @ away, east @ away, down @ away])
    focal = 640 / math.tan(math.radians(DAY_HFOV_DEG / 2))
    return 639.5 + focal * right / forward, 359.5 + focal * below / forward


@pytest.mark.parametrize("t", [40.0, 90.0, 125.0, 150.0, 178.0, 240.0])
@pytest.mark.parametrize("spot", [(0.0, 0.0), (22.5, -31.0), (-40.0, 18.0)])
def test_telemetry_leads_to_the_pixel(t: float, spot: tuple[float, float]) -> None:
    pose = pose_at(t)
    view = View(DAY, pose.scene_position, pose.camera_bearing_deg, pose.camera_pitch_deg)
    expected = view.project(np.array([[*spot, 0.0]]))[0, :2]
    fix = place.to_fix(*spot)
    assert pixel_by_telemetry(sent(t), fix.lat_deg, fix.lon_deg) == pytest.approx(tuple(expected), abs=0.35)


def test_values_and_units() -> None:
    t = 90.0
    pose, messages = pose_at(t), sent(t, system_id=7)
    position, attitude, gimbal = (
        messages[name] for name in ("GLOBAL_POSITION_INT", "ATTITUDE", "GIMBAL_DEVICE_ATTITUDE_STATUS")
    )
    assert {message.get_srcSystem() for message in messages.values()} == {7}
    assert {message.time_boot_ms for message in (position, attitude, gimbal)} == {60_000}
    assert position.alt / 1000 == pytest.approx(place.GROUND_MSL_M + pose.height_m, abs=0.001)
    assert position.relative_alt / 1000 == pytest.approx(pose.height_m, abs=0.001)
    true_yaw = place.true_bearing_deg(pose.bearing_deg)
    assert position.hdg / 100 == pytest.approx(true_yaw, abs=0.006)
    assert math.degrees(attitude.yaw) % 360 == pytest.approx(true_yaw, abs=1e-3)
    assert math.degrees(attitude.roll) == pytest.approx(pose.roll_deg, abs=1e-4)
    speed = math.hypot(position.vx, position.vy) / 100
    assert speed == pytest.approx(math.hypot(*pose.velocity_ms[:2]), abs=0.02)
    assert gimbal.flags & mavlink.GIMBAL_DEVICE_FLAGS_YAW_IN_EARTH_FRAME
    heartbeat = messages["HEARTBEAT"]
    assert heartbeat.type == mavlink.MAV_TYPE_QUADROTOR
    assert heartbeat.autopilot == mavlink.MAV_AUTOPILOT_ARDUPILOTMEGA
    assert heartbeat.base_mode & mavlink.MAV_MODE_FLAG_SAFETY_ARMED
    assert heartbeat.custom_mode == mavlink.COPTER_MODE_CIRCLE
    assert messages["SYSTEM_TIME"].time_unix_usec == UTC_MS * 1000
    assert messages["BATTERY_STATUS"].battery_remaining == messages["SYS_STATUS"].battery_remaining
    assert messages["HOME_POSITION"].latitude / 1e7 == pytest.approx(place.HOME.lat_deg, abs=1e-7)


def test_rates_over_ten_seconds() -> None:
    out, parser, counts = MavlinkOut(1), mavlink.MAVLink(None), Counter[str]()
    for i in range(300):
        t = 60 + i / 30
        for datagram in out.messages(true_state(pose_at(t)), t, BOOT_MS + i * 1000 / 30, UTC_MS):
            counts.update(message.get_type() for message in parser.parse_buffer(datagram))
    expected = {"ATTITUDE": 300, "GLOBAL_POSITION_INT": 300, "GIMBAL_DEVICE_ATTITUDE_STATUS": 300}
    expected |= {"VFR_HUD": 50, "GPS_RAW_INT": 20, "HEARTBEAT": 10, "SYS_STATUS": 10, "BATTERY_STATUS": 10}
    expected |= {"HOME_POSITION": 5, "EXTENDED_SYS_STATE": 10, "SYSTEM_TIME": 10}
    assert counts == expected


def test_sensor_errors_are_seeded_of_the_size_asked_for_and_absent_by_default() -> None:
    truth = true_state(pose_at(80.0))
    assert Sensors(Errors(), 1).measure(truth, 0.03) == truth
    errors = Errors(gps_m=2.0, alt_m=1.0, attitude_deg=0.5, gimbal_deg=0.3)
    one, same = Sensors(errors, 5), Sensors(errors, 5)
    series = [one.measure(truth, 5.0) for _ in range(2000)]
    assert [same.measure(truth, 5.0) for _ in range(2000)] == series
    north_m = [(state.lat_deg - truth.lat_deg) * 111_200 for state in series]
    assert np.std(north_m) == pytest.approx(2.0, rel=0.2)
    assert np.std([state.alt_msl_m for state in series]) == pytest.approx(1.0, rel=0.2)
    assert np.std([state.camera_pitch_deg for state in series]) == pytest.approx(0.3, rel=0.2)


def test_the_aircrafts_clock_is_as_wrong_as_told() -> None:
    clock = AircraftClock(1_000_000, ClockError(200.0, 30.0) + ClockError(50.0, 10.0))
    assert clock.at(1_000_000) == 1_000_250
    assert clock.at(1_000_000 + 100_000) == pytest.approx(1_100_254)


def test_the_clocks_of_camera_and_autopilot_are_wrong_apart_from_each_other() -> None:
    wrong = ("--clock-offset-ms=100", "--camera-clock-offset-ms=37000", "--autopilot-clock-drift-ppm=-60")
    errors = arguments.parse(["--rtp", "127.0.0.1:5600", *wrong]).errors
    assert errors.clock + errors.camera_clock == ClockError(37_100.0, 0.0)
    assert errors.clock + errors.autopilot_clock == ClockError(100.0, -60.0)
