"""Field pairs, with slice headers written by hand: libx264 makes no pictures of one field."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from flow.clock import NS_PER_MS
from flow.codec.annexb import join_nal_units, split_nal_units
from flow.units import AccessUnit, Codec
from ingest.protocol.events import Opened, Restarted, SourcePicture
from ingest.protocol.feed import Feed
from ingest.protocol.fields import HOLD_MOST_NS
from ingest.protocol.lifecycle import Patience
from tests.fakes.clock import START_NS
from tests.unit.flow.test_flow_parameter_sets import bits, h264_sps, ue

from .material import coded

FIELD_NS = 20 * NS_PER_MS
SPS, PPS = h264_sps(rest="0 1 1 0 0"), bytes((0x68, 0b11101011))
DELIMITER = bytes((9, 0xF0))
RECOVERY_POINT = bytes((6, 6, 1, 0x84, 0x80))


def field(frame_num: int, parity: str, header: int = 0x41) -> bytes:
    head = ue(0) + ue(7 if header == 0x65 else 5) + ue(0) + f"{frame_num:04b}"
    text = head + ("0" if parity == "frame" else "1" + "01"[parity == "bottom"])
    return bytes((header,)) + bits(text) + bytes((0x55,)) * 8


IDR_TOP = [DELIMITER, SPS, PPS, field(0, "top", 0x65)]
P_BOTTOM = [DELIMITER, field(0, "bottom")]


class Camera:
    """A feed and the pictures it is sent, a field's time apart."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.feed = Feed("a", "rtp://127.0.0.1:0", Patience(), START_NS)
        self.feed.handle(Opened("rtp://127.0.0.1:5600", 32), START_NS)
        self._ticks = 0

    def send(self, *nals: bytes, damaged: bool = False) -> list[AccessUnit]:
        self.now_ns += FIELD_NS
        self._ticks += 1800
        data = join_nal_units(nals)
        return self.feed.handle(
            SourcePicture(Codec.H264, data, self._ticks, None, self.now_ns, damaged), self.now_ns
        )


@pytest.fixture
def camera() -> Camera:
    return Camera()


def kinds(unit: AccessUnit) -> list[int]:
    return [nal[0] & 31 for nal in split_nal_units(unit.data)]


def test_a_keyframe_of_an_idr_and_a_p_field_is_one_access_unit_with_the_time_of_the_first(
    camera: Camera,
) -> None:
    assert camera.send(*IDR_TOP) == []
    (unit,) = camera.send(*P_BOTTOM)
    assert unit.keyframe
    assert kinds(unit) == [9, 7, 8, 5, 1]
    assert unit.utc_ns == START_NS + FIELD_NS


def test_pairs_follow_each_other_a_frame_apart(camera: Camera) -> None:
    units = camera.send(*IDR_TOP) + camera.send(*P_BOTTOM)
    for number in range(1, 40):
        header = 0x41 if number % 3 else 0x01
        units += camera.send(field(number % 16, "top", header))
        units += camera.send(field(number % 16, "bottom", header))
    assert [unit.seq for unit in units] == list(range(40))
    assert {b.dts_90k - a.dts_90k for a, b in pairwise(units)} == {3600}
    assert camera.feed.state().fps == pytest.approx(25)


def test_the_first_field_decides_about_the_keyframe(camera: Camera) -> None:
    camera.send(*IDR_TOP)
    camera.send(*P_BOTTOM)
    camera.send(field(1, "top"))
    (unit,) = camera.send(RECOVERY_POINT, field(1, "bottom"))
    assert not unit.keyframe
    camera.send(RECOVERY_POINT, field(2, "top"))
    (unit,) = camera.send(field(2, "bottom"))
    assert unit.keyframe


@pytest.mark.parametrize(
    "following",
    [
        [field(2, "bottom")],
        [field(1, "top")],
        [field(1, "frame")],
        [DELIMITER, SPS, PPS, field(0, "bottom", 0x65)],
    ],
    ids=["other frame_num", "same parity", "whole frame", "IDR"],
)
def test_a_lone_field_goes_on_when_the_next_picture_begins(camera: Camera, following: list[bytes]) -> None:
    camera.send(*IDR_TOP)
    camera.send(*P_BOTTOM)
    camera.send(field(1, "top"))
    lone, *rest = camera.send(*following)
    assert kinds(lone) == [1]
    assert len(rest) == (1 if following == [field(1, "frame")] else 0)


def test_a_lone_field_is_not_held_for_long(camera: Camera) -> None:
    camera.send(*IDR_TOP)
    assert camera.feed.tick(camera.now_ns + HOLD_MOST_NS - 1) == []
    (unit,) = camera.feed.tick(camera.now_ns + HOLD_MOST_NS)
    assert unit.keyframe
    assert camera.feed.tick(camera.now_ns + 2 * HOLD_MOST_NS) == []


def test_both_fields_in_one_picture_are_not_held(camera: Camera) -> None:
    """As MP4 has them, and RTP from senders that know of pairs."""
    (unit,) = camera.send(*IDR_TOP, field(0, "bottom"))
    assert unit.keyframe


def test_a_frame_is_damaged_where_one_of_its_fields_is(camera: Camera) -> None:
    camera.send(*IDR_TOP)
    camera.send(*P_BOTTOM)
    camera.send(field(1, "top"))
    assert camera.send(field(1, "bottom"), damaged=True) == []
    camera.send(field(2, "top"), damaged=True)
    assert camera.send(field(2, "bottom")) == []
    assert camera.feed.state().damaged == 2
    camera.send(field(3, "top"))
    assert len(camera.send(field(3, "bottom"))) == 1


def test_a_field_held_over_a_restart_is_dropped(camera: Camera) -> None:
    camera.send(*IDR_TOP)
    camera.feed.handle(Restarted(), camera.now_ns)
    assert camera.send(*P_BOTTOM) == []
    assert camera.feed.tick(camera.now_ns + HOLD_MOST_NS) == []


def test_a_field_held_at_the_end_of_its_source_brings_nothing_back_to_life(camera: Camera) -> None:
    camera.send(*IDR_TOP)
    camera.feed.failed("source_ended", "the end", camera.now_ns)
    assert camera.feed.tick(camera.now_ns + HOLD_MOST_NS) == []
    assert camera.feed.state().reason == "source_ended"


def frames_only(options: str) -> Callable[[], tuple[bytes, ...]]:
    preset = (("preset", "ultrafast"), ("tune", "zerolatency"), ("x264-params", options))
    return lambda: tuple(each.data for each in coded(20, options=preset))


@pytest.mark.parametrize(
    "encoded",
    [frames_only("interlaced=1"), frames_only("fake-interlaced=1"), frames_only("bframes=0")],
    ids=["MBAFF", "frames that may be fields", "progressive"],
)
def test_an_encoder_s_frames_are_never_held(camera: Camera, encoded: Callable[[], tuple[bytes, ...]]) -> None:
    for data in encoded():
        assert len(camera.send(*split_nal_units(data))) == 1
