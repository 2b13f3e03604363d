"""What a ground station says, told apart for the report: nothing of it is ever passed on.

A ground station asks for parameters, streams and versions whenever it connects, without anybody's doing. What
would change something (arm, fly there, set that) is another matter: somebody believes that they fly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from .assembly import NOT_AIRCRAFT, is_aircraft
from .parser import Decoder, Frame, Parser


class Speech(StrEnum):
    """What a message of a ground station amounts to."""

    PRESENCE = "presence"  # a heartbeat
    AIRCRAFT = "aircraft"  # a heartbeat of an autopilot, or of what flies with one: nobody to send to
    REQUEST = "request"  # asks to be told something
    COMMAND = "command"  # would change something
    REMARK = "remark"  # addressed to nobody


@dataclass(frozen=True, slots=True)
class Said:
    """One message; `name` as people look it up: "COMMAND_LONG COMPONENT_ARM_DISARM"."""

    speech: Speech
    name: str
    system_id: int = 0  # what the speaker calls itself


_REQUESTS = frozenset(
    {
        dialect.MAVLINK_MSG_ID_PARAM_REQUEST_LIST,
        dialect.MAVLINK_MSG_ID_PARAM_REQUEST_READ,
        dialect.MAVLINK_MSG_ID_REQUEST_DATA_STREAM,
        dialect.MAVLINK_MSG_ID_MISSION_REQUEST_LIST,
        dialect.MAVLINK_MSG_ID_MISSION_REQUEST,
        dialect.MAVLINK_MSG_ID_MISSION_REQUEST_INT,
        dialect.MAVLINK_MSG_ID_MISSION_ACK,  # says that it has read the mission
        dialect.MAVLINK_MSG_ID_FENCE_FETCH_POINT,
        dialect.MAVLINK_MSG_ID_RALLY_FETCH_POINT,
        dialect.MAVLINK_MSG_ID_LOG_REQUEST_LIST,
        dialect.MAVLINK_MSG_ID_LOG_REQUEST_DATA,
        dialect.MAVLINK_MSG_ID_AUTOPILOT_VERSION_REQUEST,
        dialect.MAVLINK_MSG_ID_TIMESYNC,
        dialect.MAVLINK_MSG_ID_PING,
    }
)
AIRCRAFT_ASK_TOO = frozenset(
    {"TIMESYNC", "PING", "MISSION_REQUEST", "MISSION_REQUEST_INT", "MISSION_ACK", "FILE_TRANSFER_PROTOCOL"}
)
"""Requests by which nobody is known for a ground station."""
_ABOARD = NOT_AIRCRAFT - {
    dialect.MAV_TYPE_GCS,
    dialect.MAV_TYPE_ANTENNA_TRACKER,
    dialect.MAV_TYPE_ONBOARD_CONTROLLER,  # also what programs on the ground call themselves
    dialect.MAV_TYPE_CHARGING_STATION,
}
"""What has a heartbeat of its own and flies along: gimbals, cameras, batteries, ..."""
_ASKING_COMMANDS = frozenset(
    {
        dialect.MAV_CMD_REQUEST_MESSAGE,
        dialect.MAV_CMD_SET_MESSAGE_INTERVAL,
        dialect.MAV_CMD_GET_MESSAGE_INTERVAL,
        dialect.MAV_CMD_REQUEST_PROTOCOL_VERSION,
        dialect.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES,
        dialect.MAV_CMD_REQUEST_CAMERA_INFORMATION,
        dialect.MAV_CMD_REQUEST_CAMERA_SETTINGS,
        dialect.MAV_CMD_REQUEST_STORAGE_INFORMATION,
        dialect.MAV_CMD_REQUEST_CAMERA_CAPTURE_STATUS,
        dialect.MAV_CMD_GET_HOME_POSITION,
    }
)
_READING_FILES = frozenset({0, 1, 2, 3, 4, 5, 14, 15})
"""MAVLink FTP opcodes that change nothing: sessions, list, open, read, checksum. Parameters come so, too."""
_FTP_OPCODE_AT = 3
_WITH_COMMAND = frozenset({dialect.MAVLINK_MSG_ID_COMMAND_LONG, dialect.MAVLINK_MSG_ID_COMMAND_INT})
_UNADDRESSED_COMMANDS = frozenset(
    {
        dialect.MAVLINK_MSG_ID_GPS_RTCM_DATA,
        dialect.MAVLINK_MSG_ID_HIL_STATE,
        dialect.MAVLINK_MSG_ID_HIL_SENSOR,
        dialect.MAVLINK_MSG_ID_HIL_GPS,
        dialect.MAVLINK_MSG_ID_VISION_POSITION_ESTIMATE,
        dialect.MAVLINK_MSG_ID_ATT_POS_MOCAP,
    }
)
"""They steer without saying whom: corrections and simulated sensors."""
_ADDRESSED = frozenset(
    number
    for number, kind in dialect.mavlink_map.items()
    if {"target_system", "target"} & set(kind.fieldnames)
)


class Station:
    """The messages of one station, whichever way its bytes are cut; bounded like its Parser."""

    def __init__(self) -> None:
        self._parser = Parser()
        self._decoder = Decoder()

    def hear(self, data: bytes, *, datagram: bool = False) -> list[Said]:
        """What `data` says; what is no MAVLink says nothing."""
        frames = self._parser.push_datagram(data) if datagram else self._parser.push(data)
        return [replace(self._judge(frame), system_id=frame.system_id) for frame in frames]

    def _judge(self, frame: Frame) -> Said:
        number = frame.message_id
        if number not in dialect.mavlink_map:
            return Said(Speech.COMMAND, f"MESSAGE {number}")  # not known: better told too often
        name: str = dialect.mavlink_map[number].msgname
        if number == dialect.MAVLINK_MSG_ID_HEARTBEAT:
            heartbeat = self._decoder.decode(frame)
            flies = heartbeat and (is_aircraft(heartbeat) or heartbeat.type in _ABOARD)
            return Said(Speech.AIRCRAFT if flies else Speech.PRESENCE, name)
        if number in _REQUESTS:
            return Said(Speech.REQUEST, name)
        if number in _WITH_COMMAND:
            return _command(name, self._decoder.decode(frame))
        if number == dialect.MAVLINK_MSG_ID_FILE_TRANSFER_PROTOCOL:
            return _file_transfer(name, self._decoder.decode(frame))
        if number in _ADDRESSED or number in _UNADDRESSED_COMMANDS:
            return Said(Speech.COMMAND, name)
        return Said(Speech.REMARK, name)


def _command(name: str, message: Any | None) -> Said:
    if message is None:
        return Said(Speech.COMMAND, name)
    speech = Speech.REQUEST if message.command in _ASKING_COMMANDS else Speech.COMMAND
    entry = dialect.enums["MAV_CMD"].get(message.command)
    which = entry.name.removeprefix("MAV_CMD_") if entry else str(message.command)
    return Said(speech, f"{name} {which}")


def _file_transfer(name: str, message: Any | None) -> Said:
    reads = message is not None and message.payload[_FTP_OPCODE_AT] in _READING_FILES
    return Said(Speech.REQUEST if reads else Speech.COMMAND, name)
