from __future__ import annotations

import struct

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.reception import Reception, opening_packets
from flow.codec.rtp import RtpPacket, SenderReport, is_rtcp, parse_rtp, parse_sender_reports

OURS, THEIRS = 0x01020304, 0x0A0B0C0D


def packet(sequence: int, timestamp: int = 0, ssrc: int = THEIRS) -> bytes:
    return RtpPacket(96, False, sequence % 65_536, timestamp, ssrc, b"x").serialize()


def block(report: bytes) -> tuple[int, int, int, int, int, int, int]:
    """Source, fraction lost, lost, highest, jitter, LSR and DLSR of the one block of a report."""
    first, kind, words, ours = struct.unpack_from("!BBHI", report)
    assert (first, kind, words, ours) == (0x81, 201, 7, OURS)
    source, losses, highest, jitter, last, delay = struct.unpack_from("!IIIIII", report, 8)
    return source, losses >> 24, losses & 0xFF_FFFF, highest, jitter, last, delay


def test_losses_are_counted_over_a_wrap() -> None:
    reception = Reception(OURS)
    for sequence in range(65_526, 65_546):  # 20 packets, of which 5 are lost
        if sequence % 4:
            reception.take(packet(sequence), 0)
    assert block(reception.report(0))[:4] == (THEIRS, 256 * 5 // 20, 5, 65_545)
    for sequence in range(65_546, 65_556):
        reception.take(packet(sequence), 0)
    assert block(reception.report(0))[:4] == (THEIRS, 0, 5, 65_555)
    assert block(reception.report(0))[1] == 0  # nothing was due, so nothing was lost


def test_reordered_and_doubled_packets_are_no_losses() -> None:
    reception = Reception(OURS)
    for sequence in (1, 3, 2, 4, 4):
        reception.take(packet(sequence), 0)
    _, fraction, lost, highest, *_ = block(reception.report(0))
    assert (fraction, lost, highest) == (0, 0xFF_FFFF, 4)  # -1: RFC 3550 6.4.1


def test_jitter_is_that_of_rfc_3550_a_8() -> None:
    reception = Reception(OURS)
    even = Reception(OURS)
    for index in range(1000):
        at_ns = index * 10 * NS_PER_MS
        even.take(packet(index, 900 * index), at_ns)
        reception.take(packet(index, 900 * index), at_ns + index % 2 * NS_PER_MS)
    assert block(even.report(0))[4] == 0
    assert 85 <= block(reception.report(0))[4] <= 90  # each 1 ms after the other: 90 ticks


def test_the_sender_learns_the_way_there_and_back() -> None:
    reception = Reception(OURS)
    report = SenderReport(THEIRS, 1_700_000_000 * NS_PER_S + NS_PER_S // 2, 0, 0, 0).serialize()
    reception.take(packet(1), 0)
    reception.take(report, 10 * NS_PER_S)
    *_, last, delay = block(reception.report(12 * NS_PER_S + NS_PER_S // 2))
    assert last == (int.from_bytes(report[8:12], "big") & 0xFFFF) << 16 | 0x8000
    assert delay == 5 * 65_536 // 2


def test_another_sender_begins_anew() -> None:
    reception = Reception(OURS)
    reception.take(packet(1), 0)
    reception.take(packet(500), 0)
    reception.take(packet(9000, ssrc=7), 0)
    assert block(reception.report(0))[:4] == (7, 0, 0, 9000)


def test_before_the_first_packet_there_is_nothing_to_report() -> None:
    reception = Reception(OURS)
    reception.take(b"", 0)
    reception.take(b"\x80\xc8", 0)
    report = reception.report(0)
    assert report[:8] == struct.pack("!BBHI", 0x80, 201, 1, OURS)
    assert report[8:] == b"\x81\xca\x00\x04" + struct.pack("!I", OURS) + b"\x01\x08lagebild\x00\x00"
    assert parse_sender_reports(report) == []


def test_the_packets_that_open_the_way_are_what_they_should_be() -> None:
    rtp, rtcp = opening_packets(OURS)
    assert parse_rtp(rtp).payload == b""
    assert parse_rtp(rtp).ssrc == OURS
    assert is_rtcp(rtcp)
    assert len(rtcp) == 8
