"""What the autopilot and its pilot do along the flight: mode, landed state, battery, messages."""

from __future__ import annotations

from enum import IntEnum

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from simulator import flightpath


class Mode(IntEnum):
    """ArduCopter's flight modes as HEARTBEAT.custom_mode carries them (COPTER_MODE)."""

    AUTO = mavlink.COPTER_MODE_AUTO
    GUIDED = mavlink.COPTER_MODE_GUIDED
    CIRCLE = mavlink.COPTER_MODE_CIRCLE
    POSHOLD = mavlink.COPTER_MODE_POSHOLD
    RTL = mavlink.COPTER_MODE_RTL
    LAND = mavlink.COPTER_MODE_LAND


_MODES = (
    (0.0, Mode.GUIDED),
    (34.0, Mode.CIRCLE),
    (135.0, Mode.POSHOLD),
    (150.0, Mode.GUIDED),
    (214.0, Mode.CIRCLE),
    (274.0, Mode.RTL),
    (296.0, Mode.LAND),
)

_TEXTS = (
    (4.2, mavlink.MAV_SEVERITY_INFO, "Takeoff to 84 m"),
    (34.0, mavlink.MAV_SEVERITY_INFO, "Circle: centre set by camera"),
    (135.0, mavlink.MAV_SEVERITY_INFO, "Pilot takes over: PosHold"),
    (200.0, mavlink.MAV_SEVERITY_WARNING, "Wind 6 m/s, gusts 9 m/s"),
    (274.0, mavlink.MAV_SEVERITY_NOTICE, "Battery 1 at 40 percent: returning"),
    (309.5, mavlink.MAV_SEVERITY_INFO, "Landed, battery changed"),
)

CELLS = 6
_FULL_PCT, _EMPTY_PCT = 96.0, 30.0


def mode_at(t: float) -> Mode:
    return next(mode for since, mode in reversed(_MODES) if since <= t % flightpath.LOOP_S)


def landed_state_at(t: float) -> int:
    """MAV_LANDED_STATE."""
    if flightpath.is_on_ground(t):
        return int(mavlink.MAV_LANDED_STATE_ON_GROUND)
    if t % flightpath.LOOP_S < 30:
        return int(mavlink.MAV_LANDED_STATE_TAKEOFF)
    if mode_at(t) is Mode.LAND:
        return int(mavlink.MAV_LANDED_STATE_LANDING)
    return int(mavlink.MAV_LANDED_STATE_IN_AIR)


def texts_between(after: float, until: float) -> list[tuple[int, str]]:
    """(MAV_SEVERITY, text) of what happens in the flight times (after, until], less than a loop apart."""
    length = until - after
    return [
        (severity, text) for at, severity, text in _TEXTS if 0 <= (until - at) % flightpath.LOOP_S < length
    ]


def battery_pct_at(t: float) -> float:
    """Falls steadily from take-off to landing; on the ground a fresh one is put in."""
    return _FULL_PCT - (_FULL_PCT - _EMPTY_PCT) * ((t + 8) % flightpath.LOOP_S) / flightpath.LOOP_S


def battery_v_at(t: float) -> float:
    """Voltage of six lithium cells under load."""
    pct = battery_pct_at(t)
    return CELLS * (3.45 + 0.0062 * pct)
