"""RFC 6184: golden payloads, and what a sender or a lossy link can do to pictures."""

from __future__ import annotations

import random

import pytest

from flow.codec.annexb import join_nal_units, split_nal_units
from flow.codec.h264 import Depacketizer, Picture, is_keyframe, packetize
from flow.codec.rtp import RtpPacket

SPS, PPS, SEI = b"\x67\x42\x00\x1f", b"\x68\xce\x3c\x80", b"\x06\x05\x01\xaa\x80"
RECOVERY_SEI = b"\x06\x05\x02\xff\xff\x06\x01\xc4\x80"  # user data, then payloadType 6 (H.264 D.1.8)


def nal(header: int, first_mb: bool, size: int, seed: int = 0) -> bytes:
    """A NAL unit of that size whose second byte says whether it is the first slice."""
    body = random.Random(seed).randbytes(size - 2).replace(b"\x00", b"\x01")
    return bytes((header, 0x88 if first_mb else 0x30)) + body


def idr(seed: int = 0, size: int = 5000) -> bytes:
    return join_nal_units([SPS, PPS, SEI, nal(0x65, True, size, seed)])


def p(seed: int = 0, size: int = 3000) -> bytes:
    return join_nal_units([nal(0x41, True, size, seed)])


def packets(*units: bytes, sequence: int = 100, ssrc: int = 7, marker: bool = True) -> list[RtpPacket]:
    """The units as a sender would send them, 3000 ticks apart."""
    sent = []
    for number, unit in enumerate(units):
        payloads = packetize(unit, 1000)
        for index, payload in enumerate(payloads):
            last = marker and index == len(payloads) - 1
            sent.append(RtpPacket(96, last, sequence % 65_536, 3000 * number, ssrc, payload))
            sequence += 1
    return sent


def receive(sent: list[RtpPacket], depacketizer: Depacketizer | None = None) -> list[Picture]:
    depacketizer = depacketizer or Depacketizer()
    return [picture for packet in sent for picture in depacketizer.push(packet)]


UNITS = [idr(1), p(2), p(3), p(4), idr(5), p(6), p(7)]
WHOLE = [Picture(unit, 3000 * i, i in (0, 4), False) for i, unit in enumerate(UNITS)]


def test_single_nal_unit_packet_is_the_nal_unit() -> None:
    """RFC 6184 5.6."""
    assert packetize(join_nal_units([b"\x41\x9a\x01"])) == [b"\x41\x9a\x01"]


def test_small_parameter_sets_share_a_stap_a() -> None:
    """RFC 6184 5.7.1: header with the highest NRI, then 16-bit sizes."""
    unit = join_nal_units([SPS, PPS, SEI, b"\x65\x88\x01"])
    assert packetize(unit) == [
        b"\x78" + b"\x00\x04" + SPS + b"\x00\x04" + PPS + b"\x00\x05" + SEI,
        b"\x65\x88\x01",
    ]


def test_large_nal_unit_becomes_fu_a_of_equal_size() -> None:
    """RFC 6184 5.8: indicator F|NRI|28, header S|E|R|type, the NAL header itself is not repeated."""
    unit = join_nal_units([b"\x65" + b"\x88" * 2500])
    payloads = packetize(unit, 1200)
    assert [payload[:2] for payload in payloads] == [b"\x7c\x85", b"\x7c\x05", b"\x7c\x45"]
    assert [len(payload) for payload in payloads] == [836, 836, 834]


@pytest.mark.parametrize("size", [1199, 1200, 1201, 1202, 2397, 2398, 65_000])
def test_no_payload_exceeds_the_limit_and_all_come_back(size: int) -> None:
    unit = join_nal_units([SPS, nal(0x68, False, 1190), PPS, SEI, nal(0x65, True, size)])
    payloads = packetize(unit, 1200)
    assert max(map(len, payloads)) <= 1200
    depacketizer = Depacketizer()
    last = len(payloads) - 1
    sent = [RtpPacket(96, i == last, i, 0, 1, payload) for i, payload in enumerate(payloads)]
    assert receive(sent, depacketizer) == [Picture(unit, 0, True, False)]


def test_an_empty_access_unit_has_no_payloads() -> None:
    assert packetize(b"") == []


def test_recovery_point_is_a_keyframe() -> None:
    slice_ = nal(0x41, True, 10)
    assert is_keyframe([RECOVERY_SEI, slice_])
    assert not is_keyframe([SEI, slice_])
    assert not is_keyframe([b"\x06", b"\x06\xff", b"\x06\xff\xff", b""])


def test_a_picture_is_there_with_its_last_packet() -> None:
    depacketizer = Depacketizer()
    for packet in packets(*UNITS):
        pictures = depacketizer.push(packet)
        assert len(pictures) == packet.marker
    assert depacketizer.lost_packets == depacketizer.late_packets == depacketizer.malformed_packets == 0


def test_sequence_and_timestamp_wrap() -> None:
    sent = [
        RtpPacket(96, x.marker, x.sequence, (x.timestamp - 6000) % 2**32, x.ssrc, x.payload)
        for x in packets(*UNITS, sequence=65_530)
    ]
    received = receive(sent)
    assert [picture.data for picture in received] == UNITS
    assert received[0].rtp_timestamp == 2**32 - 6000
    assert not any(picture.damaged for picture in received)


def test_without_markers_the_next_timestamp_ends_a_picture() -> None:
    depacketizer = Depacketizer()
    assert receive(packets(*UNITS, marker=False), depacketizer) == WHOLE[:-1]
    assert depacketizer.flush() == WHOLE[-1:]


def test_reordering_and_duplicates_are_harmless() -> None:
    sent = packets(*UNITS)
    order = random.Random(1)
    shuffled = sorted(range(len(sent)), key=lambda i: i + 2 * order.random())
    shuffled.remove(0)  # the first packet of all tells where the stream begins
    depacketizer = Depacketizer()
    received = receive([sent[i] for i in [0, *shuffled] for _ in range(2)], depacketizer)
    assert received == WHOLE
    assert depacketizer.lost_packets == 0
    assert depacketizer.late_packets == len(sent)


def test_a_filled_gap_does_not_give_up_the_next_one() -> None:
    slices = [nal(0x65, True, 300), nal(0x65, False, 300), nal(0x41, True, 300), nal(0x41, False, 300)]
    sent = [RtpPacket(96, i % 2 == 1, i, i // 2 * 3000, 1, slice_) for i, slice_ in enumerate(slices)]
    received = receive([sent[0], sent[3], sent[1], sent[2]])
    assert [picture.data for picture in received] == [join_nal_units(slices[:2]), join_nal_units(slices[2:])]
    assert not any(picture.damaged for picture in received)


def test_a_keyframe_is_whole_without_its_sei() -> None:
    sps_and_pps = packetize(join_nal_units([SPS, PPS]))[0]
    rest = [nal(0x65, True, 300), nal(0x65, False, 300)]
    sent = [RtpPacket(96, i == 3, i, 0, 1, x) for i, x in enumerate([sps_and_pps, SEI, *rest])]
    assert receive([sent[0], *sent[2:]]) == []  # the gap may still be filled
    depacketizer = Depacketizer()
    received = receive([sent[0], *sent[2:]], depacketizer) + depacketizer.flush()
    assert received == [Picture(join_nal_units([SPS, PPS, *rest]), 0, True, False)]
    assert depacketizer.lost_packets == 1


def test_endless_parameter_sets_stay_few() -> None:
    depacketizer = Depacketizer()
    for sequence in range(3000):
        sps = SPS + sequence.to_bytes(2, "big") + b"\x80"
        depacketizer.push(RtpPacket(96, True, sequence, sequence * 3000, 1, sps))
        assert len(depacketizer._nals) <= 33


def test_a_lost_packet_damages_its_picture_only() -> None:
    """Of three slices one is lost; a decoder may conceal that, the caller decides."""
    sent, whole = sliced(6, marker_on_every_slice=False)
    for lost in (3, 4):  # the first and the second slice of the second picture
        depacketizer = Depacketizer()
        received = receive(sent[:lost] + sent[lost + 1 :], depacketizer)
        assert [picture.damaged for picture in received] == [False, True, False, False, False, False]
        assert len(split_nal_units(received[1].data)) == 2
        assert [picture.data for picture in received[2:]] == whole[2:]
        assert depacketizer.lost_packets == 1


@pytest.mark.parametrize("part", [0, 1, 3])
def test_a_slice_with_a_lost_fragment_is_dropped_and_its_successor_damaged(part: int) -> None:
    """Nothing is left of a picture of one slice; the next one refers to it."""
    sent = packets(*UNITS)
    fragments = [packet for packet in sent if packet.timestamp == 3000]
    received = receive([packet for packet in sent if packet is not fragments[part]])
    assert [(x.rtp_timestamp, x.damaged) for x in received[:3]] == [(0, False), (6000, True), (9000, False)]


def test_a_whole_lost_picture_damages_the_next_unless_it_is_a_keyframe() -> None:
    without_p = receive([packet for packet in packets(*UNITS) if packet.timestamp != 3000])
    assert [(x.rtp_timestamp, x.damaged) for x in without_p[:3]] == [(0, False), (6000, True), (9000, False)]
    before_idr = receive([packet for packet in packets(*UNITS) if packet.timestamp != 9000])
    assert [(x.rtp_timestamp, x.damaged) for x in before_idr[2:4]] == [(6000, False), (12_000, False)]


def test_joining_mid_group_is_damaged_until_the_keyframe() -> None:
    received = receive(packets(*UNITS)[9:])
    keyframe = next(i for i, picture in enumerate(received) if picture.keyframe)
    assert received[0].damaged
    assert received[keyframe:] == WHOLE[4:]


def test_a_loss_delays_by_no_more_than_a_picture() -> None:
    sent = packets(*UNITS)
    lost = [packet for packet in sent if packet.timestamp == 3000][1]
    depacketizer = Depacketizer()
    for packet in sent:
        if packet is lost:
            continue
        pictures = depacketizer.push(packet)
        if packet.marker and packet.timestamp == 6000:
            assert [picture.rtp_timestamp for picture in pictures] == [6000]


def sliced(units: int, marker_on_every_slice: bool) -> tuple[list[RtpPacket], list[bytes]]:
    """Pictures of three slices, as x264 zerolatency makes them."""
    sent, whole = [], []
    for number in range(units):
        header = 0x65 if number % 3 == 0 else 0x41
        slices = [nal(header, index == 0, 400, number * 3 + index) for index in range(3)]
        whole.append(join_nal_units(slices))
        for index, slice_ in enumerate(slices):
            marker = marker_on_every_slice or index == 2
            sent.append(RtpPacket(96, marker, number * 3 + index, 3000 * number, 1, slice_))
    return sent, whole


def test_all_slices_of_a_picture_are_joined() -> None:
    sent, whole = sliced(6, marker_on_every_slice=False)
    assert [picture.data for picture in receive(sent)] == whole


def test_a_marker_on_every_slice_is_found_out() -> None:
    sent, whole = sliced(9, marker_on_every_slice=True)
    depacketizer = Depacketizer()
    received = receive(sent, depacketizer) + depacketizer.flush()
    # The first slice went out as a picture, what followed it as a damaged one; then all are whole.
    assert [picture.damaged for picture in received] == [False, True] + [False] * 8
    assert [picture.data for picture in received[2:]] == whole[1:]


def test_two_fields_with_one_timestamp_and_a_marker_each_are_two_pictures() -> None:
    fields = [nal(0x65, True, 300), nal(0x41, True, 300)]
    sent = [RtpPacket(96, True, i, 0, 1, field) for i, field in enumerate(fields)]
    received = receive(sent)
    assert [picture.data for picture in received] == [join_nal_units([field]) for field in fields]
    assert not any(picture.damaged for picture in received)


@pytest.mark.parametrize("ahead", [0, 3000], ids=["own marker", "own marker and timestamp"])
def test_parameter_sets_sent_apart_go_with_the_next_slice(ahead: int) -> None:
    slice_ = nal(0x65, True, 300)
    sent = [
        RtpPacket(96, True, 0, 9000 - ahead, 1, SPS),
        RtpPacket(96, True, 1, 9000 - ahead, 1, PPS),
        RtpPacket(96, True, 2, 9000, 1, slice_),
    ]
    assert receive(sent) == [Picture(join_nal_units([SPS, PPS, slice_]), 9000, True, False)]


def test_a_recovery_point_of_a_lost_picture_does_not_stick_to_the_next() -> None:
    sent = [
        RtpPacket(96, False, 0, 0, 1, RECOVERY_SEI),
        RtpPacket(96, True, 2, 3000, 1, nal(0x41, True, 300)),
        RtpPacket(96, True, 3, 6000, 1, nal(0x41, True, 300)),
    ]
    assert [(x.keyframe, x.damaged) for x in receive(sent)] == [(False, True), (False, False)]


def test_restarted_and_replaced_senders_are_followed() -> None:
    first, second, third = packets(*UNITS), packets(*UNITS, sequence=40_000), packets(*UNITS, ssrc=8)
    assert receive(first + second + third) == WHOLE * 3


def test_one_stray_packet_is_no_restart() -> None:
    sent = packets(*UNITS)
    stray = RtpPacket(96, True, 50_000, 123, 7, b"\x41\x88\x01")
    assert receive([*sent[:8], stray, *sent[8:]]) == WHOLE


@pytest.mark.parametrize(
    "payload",
    [
        b"\x78\x00\x09\x67",  # STAP-A whose NAL unit is longer than the packet
        b"\x78\x00\x00",  # STAP-A with an empty NAL unit
        b"\x78\x00",
        b"\x7c",  # FU-A without header
        b"\x79\x00\x00\x00\x01\x67",  # STAP-B: interleaved mode
        b"\x00\x01",
        b"\x1f\x01",
    ],
)
def test_malformed_payloads_are_counted_and_damage(payload: bytes) -> None:
    depacketizer = Depacketizer()
    sent = [
        RtpPacket(96, False, 0, 0, 1, b"\x65\x88\x01"),
        RtpPacket(96, True, 1, 0, 1, payload),
        RtpPacket(96, True, 2, 3000, 1, b"\x41\x88\x01"),
    ]
    received = receive(sent, depacketizer)
    assert depacketizer.malformed_packets == 1
    assert [picture.damaged for picture in received] == [True, False]


def test_packets_without_payload_are_harmless() -> None:
    sent = [RtpPacket(96, False, 0, 0, 1, b""), RtpPacket(96, True, 1, 0, 1, b"\x65\x88\x01")]
    assert len(receive(sent)) == 1


def test_fragments_of_a_picture_without_end_stay_bounded() -> None:
    depacketizer = Depacketizer()
    body = bytes(60_000)
    for sequence in range(400):
        fragment = b"\x7c\x85" if sequence == 0 else b"\x7c\x05"
        depacketizer.push(RtpPacket(96, False, sequence, 0, 1, fragment + body))
        assert sum(map(len, depacketizer._fragments)) <= 8 * 1024 * 1024
    after = packets(idr(1), sequence=400)
    sent = [RtpPacket(96, x.marker, x.sequence, 3000, 1, x.payload) for x in after]
    assert receive(sent, depacketizer) == [Picture(idr(1), 3000, True, False)]


def test_seeded_loss_never_passes_a_changed_picture_as_whole() -> None:
    """Whatever is lost, doubled and swapped: a slice not called damaged is byte for byte the sent one."""
    units = [idr(i, 4000) if i % 5 == 0 else p(i, 1500) for i in range(60)]
    for seed in range(30):
        chance = random.Random(seed)
        sent = packets(*units, sequence=65_000)
        kept = [(i + 6 * chance.random(), x) for i, x in enumerate(sent) if chance.random() > 0.05]
        depacketizer = Depacketizer()
        received = receive([x for _, x in sorted(kept, key=lambda item: item[0])], depacketizer)
        for picture in received + depacketizer.flush():
            if not picture.damaged:
                # Parameter sets in a packet of their own may be lost before a keyframe that is whole.
                sent_nals = split_nal_units(units[picture.rtp_timestamp // 3000])
                assert split_nal_units(picture.data) in (sent_nals, sent_nals[-1:])
