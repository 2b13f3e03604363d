"""A viewer is moved to another rendition: one stream to it, whatever happens in between."""

from __future__ import annotations

from typing import Any

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from relay.delivery import Delivery, Link, Sent
from relay.protocol.pacer import Pacer
from relay.stream import Stream
from tests.unit.relay.test_relay_delivery import FEED, PICTURE_NS, SHAPE, Tap, Way, contiguous

LOW_TYPE = 96


class Rig:
    """Two streams of one feed at 30 pictures a second; the viewer is in `on`, the pictures go to both."""

    def __init__(self, fixed_bps: float | None = None) -> None:
        self.now_ns = 0
        self.number = 0
        self.full, self.low = Stream(FEED), Stream(FEED)
        self.low._next = 70_000  # another number space, as after hours
        self.on: Stream | None = None
        self.tap, self.sent, self.way = Tap(), Sent(), Way()
        way: Any = self.way
        srtp: Any = None
        link = Link(SHAPE, srtp, way, self.tap)
        self.delivery = Delivery(self.full, link, Pacer(fixed_bps), self.sent)

    def join(self) -> None:
        self.on = self.full
        self.delivery.start(self.now_ns)
        self.delivery.pump(self.now_ns)

    def move(self, to: Stream, payload_type: int = LOW_TYPE) -> None:
        self.on = to
        self.delivery.move(to, payload_type, self.now_ns)
        self.delivery.start(self.now_ns)
        self.delivery.pump(self.now_ns)

    def picture(self, size: int = 3000, *, full_key: bool = False, low_key: bool = False) -> None:
        number, self.number = self.number, self.number + 1
        for stream, key, count in ((self.full, full_key, size), (self.low, low_key, size // 3)):
            nal = bytes([0x65 if key else 0x41]) + bytes([number % 251 + 1]) * count
            pts_90k = number * 3000
            unit = AccessUnit(
                FEED, Rendition.SOURCE, Codec.H264, 1, number, pts_90k, pts_90k, self.now_ns,
                UtcOrigin.SOURCE, key, b"\0\0\0\1" + nal,
            )  # fmt: skip
            wire = stream.accept(unit, self.now_ns)
            if stream is self.on:
                self.delivery.offer(wire, self.now_ns)
        self.pass_ns(PICTURE_NS)

    def pass_ns(self, duration_ns: int) -> None:
        for _ in range(duration_ns // NS_PER_MS):
            self.now_ns += NS_PER_MS
            self.delivery.pump(self.now_ns)
        self.now_ns += duration_ns % NS_PER_MS


def used_once(tap: Tap) -> bool:
    """SRTP must never protect two packets under one number (RFC 3711 9.1): here none is the same twice."""
    seen: dict[int, bytes] = {}
    return all(seen.setdefault(p.sequence, p.serialize()) == p.serialize() for p in tap.packets)


def watching(rig: Rig) -> Rig:
    rig.picture(full_key=True, low_key=True)
    rig.join()
    for _ in range(5):
        rig.picture()
    return rig


def test_the_numbers_go_on_and_the_pictures_begin_with_the_keyframe() -> None:
    rig = watching(Rig())
    rig.picture(low_key=True)
    rig.move(rig.low)  # its group has just begun
    for _ in range(3):
        rig.picture()
    rig.picture(full_key=True)
    rig.move(rig.full, SHAPE.payload_type)
    for _ in range(3):
        rig.picture()
    assert contiguous(rig.tap.sequences)
    assert used_once(rig.tap)
    assert rig.tap.pictures == [0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 10, 11, 12, 13]
    types = {p.timestamp // 3000: p.payload_type for p in rig.tap.packets}
    assert [types[n] for n in (5, 6, 9, 10)] == [SHAPE.payload_type, LOW_TYPE, LOW_TYPE, SHAPE.payload_type]


def test_without_a_group_it_waits_for_a_keyframe_of_the_new_stream() -> None:
    rig = watching(Rig())
    rig.low = rig.on = Stream(FEED)
    rig.move(rig.low)
    assert rig.low.keyframe_wanted
    rig.picture()
    rig.picture(low_key=True)
    rig.picture()
    assert rig.tap.pictures == [0, 1, 2, 3, 4, 5, 7, 8]
    assert contiguous(rig.tap.sequences)


def test_a_picture_that_is_half_sent_comes_to_its_end_first() -> None:
    rig = watching(Rig(fixed_bps=6_000_000))
    rig.picture(120_000, full_key=True, low_key=True)  # 160 ms at 6 Mbit/s
    half = len(rig.tap.packets)
    assert rig.delivery.has_backlog
    rig.picture()
    rig.move(rig.low)
    assert rig.delivery.has_backlog
    assert rig.delivery.stream is rig.full
    for _ in range(12):
        rig.picture()
    assert len(rig.tap.packets) > half
    assert contiguous(rig.tap.sequences)
    assert used_once(rig.tap)
    shown = rig.tap.pictures
    assert shown[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert shown[7:] == list(range(6, 20))  # then the group of `low`, from its keyframe
    assert {p.payload_type for p in rig.tap.packets if p.timestamp == 18 * 3000} == {LOW_TYPE}


def test_what_waits_of_the_old_stream_is_left_out() -> None:
    rig = watching(Rig(fixed_bps=6_000_000))
    for _ in range(8):
        rig.picture(40_000)  # 9.6 Mbit/s
    waiting = rig.delivery.backlog_bytes
    assert waiting > 40_000
    rig.picture(low_key=True)
    rig.move(rig.low)
    assert rig.sent.dropped_pictures > 0
    for _ in range(10):
        rig.picture()
    assert not rig.delivery.has_backlog
    assert contiguous(rig.tap.sequences)
    assert rig.tap.pictures[-1] == rig.number - 1


def test_a_nack_for_the_stream_before_is_never_answered_with_a_packet_of_this_one() -> None:
    rig = watching(Rig())
    before = list(rig.tap.sequences)
    rig.picture(low_key=True)
    rig.move(rig.low)
    rig.picture()
    rig.tap.packets.clear()
    rig.delivery.resend(before, None, rig.now_ns)
    assert rig.tap.packets == []


def test_a_nack_for_this_stream_is_answered_under_the_numbers_it_had() -> None:
    rig = watching(Rig())
    rig.picture(low_key=True)
    rig.move(rig.low)
    rig.picture()
    lost = rig.tap.packets[-1]
    assert lost.payload_type == LOW_TYPE
    rig.delivery.resend([lost.sequence], None, rig.now_ns)
    assert rig.tap.packets[-1] == lost
    assert rig.sent.resent_packets == 1


def test_between_the_streams_nothing_is_resent_or_repeated() -> None:
    rig = watching(Rig())
    rig.low = Stream(FEED)
    rig.move(rig.low)
    count = len(rig.tap.packets)
    rig.delivery.resend(rig.tap.sequences, None, rig.now_ns)
    rig.delivery.repeat_group(rig.now_ns)
    rig.pass_ns(NS_PER_S)
    assert len(rig.tap.packets) == count


def test_a_pli_while_a_half_sent_picture_ends_does_not_bring_the_old_group_back() -> None:
    rig = watching(Rig(fixed_bps=6_000_000))
    rig.picture(120_000, full_key=True, low_key=True)
    rig.move(rig.low)
    assert rig.delivery.has_backlog
    rig.delivery.repeat_group(rig.now_ns)
    rig.picture()
    rig.pass_ns(NS_PER_S)
    assert rig.tap.pictures == [0, 1, 2, 3, 4, 5, 6, 6, 7]
    assert contiguous(rig.tap.sequences)
    assert used_once(rig.tap)


def test_a_pli_after_the_move_brings_this_streams_group() -> None:
    rig = watching(Rig())
    rig.picture(low_key=True)
    rig.move(rig.low)
    rig.picture()
    rig.tap.packets.clear()
    rig.delivery.repeat_group(rig.now_ns)
    rig.delivery.pump(rig.now_ns)
    assert rig.tap.pictures == [6, 7]
    assert {p.payload_type for p in rig.tap.packets} == {LOW_TYPE}


def test_who_has_had_nothing_yet_starts_with_the_other_stream() -> None:
    rig = Rig()
    rig.picture(full_key=True, low_key=True)
    rig.move(rig.low)
    rig.picture()
    assert rig.tap.sequences[0] < 1 << 15
    assert rig.tap.pictures == [0, 1]
    assert contiguous(rig.tap.sequences)


def test_moving_on_before_the_keyframe_has_come_leaves_no_gap() -> None:
    rig = watching(Rig())
    last = rig.tap.sequences[-1]
    rig.move(Stream(FEED))
    rig.picture()
    rig.picture(full_key=True)
    rig.move(rig.full, SHAPE.payload_type)
    assert rig.tap.sequences[rig.tap.sequences.index(last) + 1] == last + 1
    assert contiguous(rig.tap.sequences)
    assert rig.tap.pictures == [0, 1, 2, 3, 4, 5, 7]


def test_a_silent_viewer_is_moved_without_being_sent_anything() -> None:
    rig = watching(Rig())
    rig.delivery.rest(silent=True)
    count = len(rig.tap.packets)
    rig.picture(low_key=True)
    rig.move(rig.low)
    rig.picture()
    assert len(rig.tap.packets) == count
    rig.delivery.rest(silent=False)
    assert rig.low.keyframe_wanted
    rig.picture(low_key=True)
    assert contiguous(rig.tap.sequences)
    assert rig.tap.pictures[-1] == rig.number - 1


def test_what_is_held_goes_on_with_the_keyframe_of_what_it_is_moved_to() -> None:
    rig = watching(Rig())
    rig.delivery.hold(True, rig.now_ns)
    before = list(rig.tap.sequences)
    rig.picture()
    rig.picture(full_key=True)
    rig.delivery.resend(before[-2:], 30.0, rig.now_ns)
    assert rig.tap.sequences == before
    rig.picture(low_key=True)
    rig.move(rig.low)
    rig.picture()
    assert len(rig.tap.sequences) > len(before)
    assert contiguous(rig.tap.sequences)
    assert rig.tap.pictures[-1] == rig.number - 1


@pytest.mark.parametrize("keyframe_meanwhile", [False, True])
def test_what_is_held_no_longer_begins_anew_with_the_cached_group(keyframe_meanwhile: bool) -> None:
    rig = watching(Rig())
    rig.delivery.hold(True, rig.now_ns)
    rig.picture()
    rig.picture(full_key=keyframe_meanwhile)
    before = len(rig.tap.packets)
    rig.delivery.hold(False, rig.now_ns)
    rig.picture()
    assert len(rig.tap.packets) > before
    first = 7 if keyframe_meanwhile else 0
    assert rig.tap.pictures == [*range(6), *range(first, rig.number)]
    assert rig.full.keyframe_wanted
    assert contiguous(rig.tap.sequences)
    assert used_once(rig.tap)
    rig.delivery.resend(rig.tap.sequences[-2:], None, rig.now_ns)
    assert used_once(rig.tap)


def test_what_is_held_no_longer_waits_for_a_keyframe_where_the_group_is_too_long() -> None:
    rig = watching(Rig(fixed_bps=1_000_000))
    rig.pass_ns(NS_PER_S)
    rig.delivery.hold(True, rig.now_ns)
    for _ in range(60):
        rig.picture()
    rig.delivery.hold(False, rig.now_ns)
    assert rig.full.keyframe_wanted
    count = len(rig.tap.packets)
    rig.picture()
    assert len(rig.tap.packets) == count
    rig.picture(full_key=True)
    assert rig.tap.pictures[-1] == rig.number - 1
    assert contiguous(rig.tap.sequences)


@pytest.mark.parametrize("size", [100, 5000, 60_000])
def test_a_hundred_moves_reuse_no_number(size: int) -> None:
    rig = watching(Rig(fixed_bps=3_000_000))
    for n in range(100):
        for _ in range(n % 4):
            rig.picture(size)
        rig.picture(size, full_key=True, low_key=True)
        rig.move(*((rig.low, LOW_TYPE) if rig.on is rig.full else (rig.full, SHAPE.payload_type)))
        if n % 3 == 0:
            rig.delivery.resend(rig.tap.sequences[-40:], None, rig.now_ns)
            rig.delivery.repeat_group(rig.now_ns)
    first_sent = list(dict.fromkeys(rig.tap.sequences))
    assert contiguous(first_sent)
    assert used_once(rig.tap)
