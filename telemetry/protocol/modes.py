"""Flight mode names as ground stations show them.

From the enums of the dialect (COPTER_MODE, PLANE_MODE, ...). pymavlink's own maps live in `mavutil`,
which opens sockets and serial ports and takes half a second to import; a test holds ours against them.
"""

from __future__ import annotations

from pymavlink.dialects.v20 import ardupilotmega as dialect


def _names(enum: str, **shown_as: str) -> dict[int, str]:
    """Mode numbers -> names without the enum's prefix; `shown_as` where ground stations use another word."""
    entries = dialect.enums[enum]
    plain = {number: entry.name.removeprefix(f"{enum}_") for number, entry in entries.items()}
    return {number: shown_as.get(name, name) for number, name in plain.items() if name != "ENUM_END"}


# Numbers without an entry in the enum belong to releases long gone, which still fly.
_COPTER = _names("COPTER_MODE") | {8: "POSITION", 10: "OF_LOITER", 29: "RATE_ACRO"}
_PLANE = _names(
    "PLANE_MODE",
    FLY_BY_WIRE_A="FBWA",
    FLY_BY_WIRE_B="FBWB",
    INITIALIZING="INITIALISING",
    LOITER_ALT_QLAND="LOITERALTQLAND",
)
_ROVER = _names("ROVER_MODE", INITIALIZING="INITIALISING") | {2: "LEARNING"}
_SUB = _names("SUB_MODE")

_COPTER_TYPES = (
    2,
    3,
    4,
    13,
    14,
    15,
    29,
    35,
)  # quadrotor, coaxial, helicopter, hexa-, octo-, tri-, dodeca-, deca-
_PLANE_TYPES = (1, 19, 20, 21, 22, 23, 24, 25)  # fixed wing and the VTOL types
_ARDUPILOT: dict[int, dict[int, str]] = {
    **dict.fromkeys(_COPTER_TYPES, _COPTER),
    **dict.fromkeys(_PLANE_TYPES, _PLANE),
    dialect.MAV_TYPE_GROUND_ROVER: _ROVER,
    dialect.MAV_TYPE_SURFACE_BOAT: _ROVER,
    dialect.MAV_TYPE_SUBMARINE: _SUB,
}

# px4_custom_mode.h: custom_mode holds the main mode in bits 16 to 23 and the sub mode in bits 24 to 31.
_PX4_MAIN = {1: "MANUAL", 2: "ALTCTL", 3: "POSCTL", 5: "ACRO", 6: "OFFBOARD", 7: "STABILIZED", 8: "RATTITUDE"}
_PX4_AUTO = {2: "TAKEOFF", 3: "LOITER", 4: "MISSION", 5: "RTL", 6: "LAND", 7: "RTGS", 8: "FOLLOWME"}
_PX4_MAIN_AUTO = 4


def mode_name(autopilot: int, vehicle_type: int, base_mode: int, custom_mode: int) -> str | None:
    """Name of the mode a HEARTBEAT states, "Mode 27" where it has none; None where no mode is stated."""
    if autopilot == dialect.MAV_AUTOPILOT_PX4:
        return _px4_mode_name(custom_mode)
    if not base_mode & dialect.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
        return None
    return _ARDUPILOT.get(vehicle_type, {}).get(custom_mode, f"Mode {custom_mode}")


def _px4_mode_name(custom_mode: int) -> str:
    main, sub = custom_mode >> 16 & 0xFF, custom_mode >> 24
    name = _PX4_AUTO.get(sub) if main == _PX4_MAIN_AUTO else _PX4_MAIN.get(main)
    return name or f"Mode {main}.{sub}"
