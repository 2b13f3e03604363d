"""What a ground station says is told apart: asking, commanding, being there, being an aircraft."""

from __future__ import annotations

from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from telemetry.protocol.station import Speech, Station
from tests.fakes.aircraft import FakeAircraft

ARM, REQUEST = dialect.MAV_CMD_COMPONENT_ARM_DISARM, dialect.MAV_CMD_REQUEST_MESSAGE
GCS = dialect.MAV_TYPE_GCS


def long(command: int) -> Any:
    return dialect.MAVLink_command_long_message(1, 1, command, 0, 1, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("message", "speech", "name"),
    [
        (dialect.MAVLink_heartbeat_message(GCS, 8, 0, 0, 0, 3), Speech.PRESENCE, "HEARTBEAT"),
        (dialect.MAVLink_heartbeat_message(2, 3, 0, 0, 0, 3), Speech.AIRCRAFT, "HEARTBEAT"),
        (
            dialect.MAVLink_heartbeat_message(dialect.MAV_TYPE_CAMERA, 8, 0, 0, 0, 3),
            Speech.AIRCRAFT,
            "HEARTBEAT",
        ),
        (
            dialect.MAVLink_heartbeat_message(18, 8, 0, 0, 0, 3),
            Speech.PRESENCE,
            "HEARTBEAT",
        ),  # on the ground, too
        (dialect.MAVLink_param_request_list_message(1, 1), Speech.REQUEST, "PARAM_REQUEST_LIST"),
        (dialect.MAVLink_request_data_stream_message(1, 1, 0, 4, 1), Speech.REQUEST, "REQUEST_DATA_STREAM"),
        (dialect.MAVLink_mission_request_list_message(1, 1), Speech.REQUEST, "MISSION_REQUEST_LIST"),
        (long(REQUEST), Speech.REQUEST, "COMMAND_LONG REQUEST_MESSAGE"),
        (long(ARM), Speech.COMMAND, "COMMAND_LONG COMPONENT_ARM_DISARM"),
        (long(64_999), Speech.COMMAND, "COMMAND_LONG 64999"),
        (dialect.MAVLink_set_mode_message(1, 1, 6), Speech.COMMAND, "SET_MODE"),
        (dialect.MAVLink_param_set_message(1, 1, b"RTL_ALT", 1.0, 9), Speech.COMMAND, "PARAM_SET"),
        (dialect.MAVLink_mission_count_message(1, 1, 3), Speech.COMMAND, "MISSION_COUNT"),
        (dialect.MAVLink_mission_clear_all_message(1, 1), Speech.COMMAND, "MISSION_CLEAR_ALL"),
        (dialect.MAVLink_manual_control_message(1, 0, 0, 0, 0, 0), Speech.COMMAND, "MANUAL_CONTROL"),
        (
            dialect.MAVLink_rc_channels_override_message(1, 1, *[1500] * 8),
            Speech.COMMAND,
            "RC_CHANNELS_OVERRIDE",
        ),
        (
            dialect.MAVLink_file_transfer_protocol_message(0, 1, 1, [0, 0, 0, 4] + [0] * 247),  # open to read
            Speech.REQUEST,
            "FILE_TRANSFER_PROTOCOL",
        ),
        (
            dialect.MAVLink_file_transfer_protocol_message(0, 1, 1, [0, 0, 0, 8] + [0] * 247),  # remove
            Speech.COMMAND,
            "FILE_TRANSFER_PROTOCOL",
        ),
        (dialect.MAVLink_gps_rtcm_data_message(0, 3, [0] * 180), Speech.COMMAND, "GPS_RTCM_DATA"),
        (dialect.MAVLink_system_time_message(0, 0), Speech.REMARK, "SYSTEM_TIME"),
    ],
)
def test_what_it_amounts_to(message: Any, speech: Speech, name: str) -> None:
    sender = FakeAircraft(255, 190)
    (said,) = Station().hear(sender.send(message), datagram=True)
    assert (said.speech, said.name, said.system_id) == (speech, name, 255)


def test_every_message_that_is_addressed_to_an_aircraft_is_a_request_or_a_command() -> None:
    """Also those that the dialect will gain."""
    sender, station = FakeAircraft(255, 190), Station()
    addressed = [kind for kind in dialect.mavlink_map.values() if "target_system" in kind.fieldnames]
    assert len(addressed) > 60
    for kind in addressed:
        message = kind(*[_blank(kind, name) for name in kind.fieldnames])
        (said,) = station.hear(sender.send(message), datagram=True)
        assert said.speech in (Speech.REQUEST, Speech.COMMAND), said


def _blank(kind: Any, name: str) -> Any:
    if kind.fieldtypes[kind.fieldnames.index(name)] == "char":
        return b""
    length = kind.array_lengths[kind.ordered_fieldnames.index(name)]
    return [0] * length if length > 1 else 0


def test_garbage_says_nothing() -> None:
    station = Station()
    assert station.hear(b"GET / HTTP/1.1\r\n\r\n" + bytes(range(256)) * 20) == []
