"""Our mode names against those of pymavlink's mavutil."""

from __future__ import annotations

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import ardupilotmega as dialect

from telemetry.protocol.modes import mode_name

KINDS = {
    1: "plane",
    2: "copter",
    10: "rover",
    12: "sub",
    14: "octorotor",
    4: "helicopter",
    20: "vtol",
    11: "boat",
}


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
def test_ardupilot_modes_are_named_as_ground_stations_name_them(kind: int) -> None:
    for number, name in mavutil.mode_mapping_bynumber(kind).items():
        assert mode_name(dialect.MAV_AUTOPILOT_ARDUPILOTMEGA, kind, 0x51, number) == name


def test_px4_modes() -> None:
    for name, (base, main, sub) in mavutil.px4_map.items():
        assert mode_name(dialect.MAV_AUTOPILOT_PX4, 2, base, main << 16 | sub << 24) == name


def test_a_number_without_a_name() -> None:
    assert mode_name(dialect.MAV_AUTOPILOT_ARDUPILOTMEGA, 2, 0x51, 99) == "Mode 99"
    assert mode_name(dialect.MAV_AUTOPILOT_PX4, 2, 0x51, 4 << 16 | 77 << 24) == "Mode 4.77"
    assert mode_name(dialect.MAV_AUTOPILOT_GENERIC, 43, 0x51, 3) == "Mode 3"


def test_no_custom_mode_is_no_mode() -> None:
    assert mode_name(dialect.MAV_AUTOPILOT_ARDUPILOTMEGA, 2, 0x50, 5) is None
