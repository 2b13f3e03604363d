"""How many NAL units one aggregation packet may hold."""

from __future__ import annotations

from flow.codec.h264 import Depacketizer
from flow.codec.payload_format import _AGGREGATED_MOST
from flow.codec.rtp import RtpPacket

SLICE = b"\x00\x02\x41\x9a"


def test_a_packet_of_more_than_any_picture_has_is_malformed() -> None:
    for count, malformed in ((_AGGREGATED_MOST, 0), (_AGGREGATED_MOST + 1, 1)):
        depacketizer = Depacketizer()
        depacketizer.push(RtpPacket(96, True, 0, 0, 5, b"\x18" + SLICE * count))
        assert depacketizer.malformed_packets == malformed
