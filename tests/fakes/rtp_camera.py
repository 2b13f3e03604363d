"""A camera that sends RTP H.264 and MAVLink to ports of a service under test."""

from __future__ import annotations

import socket

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from flow.codec.h264 import packetize
from flow.codec.rtp import RtpPacket, SenderReport

from .encoded import Picture

SSRC = 0x4C414745


class RtpCamera:
    """Sends pictures one by one, as told; RTP timestamps count from `first_timestamp`."""

    def __init__(self, address: str, first_timestamp: int = 1000) -> None:
        host, _, port = address.rpartition("://")[2].rpartition(":")
        self._target = (host, int(port))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sequence = 0
        self.timestamp = first_timestamp

    def close(self) -> None:
        self._socket.close()

    def report(self, ntp_ns: int) -> None:
        """An RTCP sender report: the next picture was captured at `ntp_ns`."""
        report = SenderReport(
            ssrc=SSRC, ntp_ns=ntp_ns, rtp_timestamp=self.timestamp, packet_count=0, octet_count=0
        )
        self._socket.sendto(report.serialize(), self._target)

    def send(self, picture: Picture, step_90k: int = 3000) -> None:
        payloads = packetize(picture.data)
        for number, payload in enumerate(payloads):
            packet = RtpPacket(
                payload_type=96,
                marker=number == len(payloads) - 1,
                sequence=self._sequence & 0xFFFF,
                timestamp=self.timestamp & 0xFFFF_FFFF,
                ssrc=SSRC,
                payload=payload,
            )
            self._socket.sendto(packet.serialize(), self._target)
            self._sequence += 1
        self.timestamp += step_90k


class MavlinkAircraft:
    """Sends single MAVLink messages of system 1."""

    def __init__(self, address: str) -> None:
        _, host, port = address.split(":")
        self._target = (host, int(port))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._mavlink = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)

    def close(self) -> None:
        self._socket.close()

    def send(self, message: mavlink.MAVLink_message) -> None:
        self._socket.sendto(message.pack(self._mavlink), self._target)

    def heartbeat(self) -> None:
        self.send(
            mavlink.MAVLink_heartbeat_message(
                mavlink.MAV_TYPE_QUADROTOR, mavlink.MAV_AUTOPILOT_ARDUPILOTMEGA, 128, 4, 4, 3
            )
        )

    def attitude(self, boot_ms: int, yaw_rad: float) -> None:
        self.send(mavlink.MAVLink_attitude_message(boot_ms, 0.0, 0.0, yaw_rad, 0.0, 0.0, 0.0))
