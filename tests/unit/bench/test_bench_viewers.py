"""The benchmark's viewers count what they do not look at."""

from __future__ import annotations

import socket
import struct

import pytest

from flow.codec.rtp import RtpPacket
from tests.bench.viewers.rtcp import Heard, nack, report, sender_report
from tests.bench.viewers.sampling import EVERY, Tally, attach, drain, open_socket, program
from tests.bench.viewers.sdp import Own, answer, offer, read

UDP_SEGMENT = 103


def packet(sequence: int, *, marker: bool = False) -> bytes:
    return RtpPacket(102, marker, sequence & 0xFFFF, 3000, 7, b"x" * 100).serialize()


def count(sock: socket.socket, tally: Tally) -> int:
    """Let the tally take what was delivered; returns how much that was."""
    delivered = list(drain(sock))
    for datagram in delivered:
        tally.take(int.from_bytes(datagram.data[2:4], "big"), datagram.dropped)
    return len(delivered)


def test_every_packet_is_counted_and_few_are_delivered() -> None:
    tally = Tally()
    with open_socket("127.0.0.1") as viewer, socket.socket(type=socket.SOCK_DGRAM) as server:
        for sequence in range(65_000, 65_000 + 20 * EVERY):  # over the wrap
            if sequence not in (65_100, 65_101, 66_000):
                server.sendto(packet(sequence), viewer.getsockname())
        assert 18 <= count(viewer, tally) <= 20
    assert tally.expected % EVERY == 0
    assert tally.expected - tally.received == 3


def test_segments_of_an_offloaded_send_are_counted_one_by_one() -> None:
    tally = Tally()
    with open_socket("127.0.0.1") as viewer, socket.socket(type=socket.SOCK_DGRAM) as server:
        size = len(packet(0))
        server.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
        for first in range(0, 4 * EVERY, 16):
            run = b"".join(packet(sequence) for sequence in range(first, first + 16))
            server.sendto(run, viewer.getsockname())
        server.sendto(packet(4 * EVERY), viewer.getsockname())
        assert count(viewer, tally) == 5
    assert (tally.expected, tally.received) == (4 * EVERY, 4 * EVERY)


def test_a_packet_sent_again_is_no_packet_more() -> None:
    tally = Tally()
    with open_socket("127.0.0.1") as viewer, socket.socket(type=socket.SOCK_DGRAM) as server:
        for sequence in (*range(EVERY + 1), EVERY, *range(EVERY + 1, 2 * EVERY + 1)):
            server.sendto(packet(sequence), viewer.getsockname())
        count(viewer, tally)
    assert (tally.expected, tally.received, tally.resent) == (2 * EVERY, 2 * EVERY, 1)


def test_the_last_packets_of_pictures_are_delivered_where_wanted_and_other_protocols_always() -> None:
    others = [b"\x00\x01" + bytes(18), b"\x16\xfe\xfd" + bytes(10), struct.pack("!BBH", 0x80, 200, 0)]
    with open_socket("127.0.0.1") as viewer, socket.socket(type=socket.SOCK_DGRAM) as server:
        for data in (packet(5, marker=True), *others):
            server.sendto(data, viewer.getsockname())
        assert [d.data for d in drain(viewer)] == others
        attach(viewer, program(markers=True))
        for data in (packet(6), packet(7, marker=True)):
            server.sendto(data, viewer.getsockname())
        last = list(drain(viewer))
    assert [d.data[2:4] for d in last] == [b"\x00\x07"]
    assert last[0].arrival_ns > 1_700_000_000_000_000_000


def test_feedback_reads_back_as_it_was_meant() -> None:
    from relay.protocol.rtcp import Nack, ReceiverReport, Remb, parse

    heard = Heard(7, 70_000, 0.01, 0x1234_5678, 1_000_000_000)
    said = parse(report(9, heard, 20_000_000, 1_500_000_000)) + parse(nack(9, 7, 640))
    (receiver,) = (item for item in said if isinstance(item, ReceiverReport))
    assert (receiver.ssrc, receiver.highest_sequence, receiver.lsr, receiver.dlsr) == (
        7,
        70_000,
        0x1234_5678,
        31_457,
    )
    (remb,) = (item for item in said if isinstance(item, Remb))
    assert remb.bitrate_bps == pytest.approx(20_000_000, rel=0.001)
    (asked,) = (item for item in said if isinstance(item, Nack))
    assert (asked.media_ssrc, asked.sequences) == (7, (640,))
    assert sender_report(report(9, heard, 1, 0)) is None


def test_an_answer_takes_what_was_offered() -> None:
    own = Own(("192.0.2.1", 4000), "abcd", "e" * 24, "AA:BB")
    offered = read(offer(own))
    assert offered.candidates == (("192.0.2.1", 4000),)
    assert (offered.setup, offered.mid, offered.payload_type, offered.lite) == ("actpass", "0", 102, False)
    answered = read(answer(own, offered))
    assert (answered.setup, answered.mid, answered.payload_type, answered.fmtp) == (
        "active",
        "0",
        102,
        offered.fmtp,
    )
    with pytest.raises(ValueError, match="no video"):
        read("v=0\r\nm=video 0 UDP/TLS/RTP/SAVPF 0\r\n")


def test_delays_are_found_whatever_a_relay_counts_from() -> None:
    from tests.bench.relay_load import Sent, delays

    sent = {
        (4_294_960_000 + 3000 * n) & 0xFFFF_FFFF: Sent(n * 33_333_333, keyframe=n % 60 == 0)
        for n in range(300)
    }

    def seen_by(offset: int) -> list[tuple[int, int]]:
        late_ns = {True: 40_000_000, False: 2_000_000}
        pictures = list(sent.items())[60:]
        return [((t + offset) & 0xFFFF_FFFF, p.last_ns + late_ns[p.keyframe]) for t, p in pictures]

    found = delays(sent, [seen_by(0), seen_by(123_456_789)])
    assert found == {"p50": 2.0, "p99": 40.0, "last_p50": 2.0, "last_p99": 40.0, "key_p50": 40.0}
    assert set(delays(sent, []).values()) == {None}
