"""One feed as RTP over UDP (RFC 3550, 6184), its sender reports on the same port (RFC 5761)."""

from __future__ import annotations

import random
import socket
import time

from flow.codec.h264 import packetize
from flow.codec.rtp import RtpPacket, SenderReport
from flow.units import CLOCK_RATE_HZ

PAYLOAD_TYPE = 96
REPORT_PERIOD_MS = 1000
_BURST = 16
_PAUSE_S = 0.0008
"""A keyframe of 80 packets goes out in about 4 ms: at once it could overflow a receiver's socket buffer."""


class RtpSender:
    """Sends access units, each with the time its picture was taken."""

    def __init__(self, address: tuple[str, int], seed: int) -> None:
        chosen = random.Random(seed)
        self._ssrc = chosen.getrandbits(32)
        self._sequence = chosen.getrandbits(16)
        self._offset = chosen.getrandbits(32)  # RFC 3550 5.1: the timestamp starts at a random value
        self._packets = 0
        self._octets = 0
        self._last_report_ms: float | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._address = address

    def rtp_timestamp(self, capture_ms: float) -> int:
        """The timestamp of a picture taken when the aircraft's clock showed `capture_ms`."""
        return (self._offset + round(capture_ms * CLOCK_RATE_HZ / 1000)) & 0xFFFF_FFFF

    def send(self, access_unit: bytes, capture_ms: float) -> None:
        """One picture; a report comes first where one is due, so the very first picture has its time."""
        if self._last_report_ms is None or capture_ms - self._last_report_ms >= REPORT_PERIOD_MS:
            self._last_report_ms = capture_ms
            self._report(capture_ms)
        timestamp = self.rtp_timestamp(capture_ms)
        payloads = packetize(access_unit)
        for i, payload in enumerate(payloads):
            if i and i % _BURST == 0:
                time.sleep(_PAUSE_S)
            marker = i == len(payloads) - 1
            self._send(
                RtpPacket(PAYLOAD_TYPE, marker, self._sequence, timestamp, self._ssrc, payload).serialize()
            )
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._packets += 1
            self._octets += len(payload)

    def close(self) -> None:
        self._socket.close()

    def _report(self, capture_ms: float) -> None:
        ntp_ns = round(capture_ms * 1e6)
        report = SenderReport(self._ssrc, ntp_ns, self.rtp_timestamp(capture_ms), self._packets, self._octets)
        self._send(report.serialize(cname="fritz@demo"))

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._address)
        except OSError:
            return  # the network is away or the buffer full: a radio link would lose it as well
