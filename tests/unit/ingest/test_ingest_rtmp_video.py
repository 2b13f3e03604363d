from __future__ import annotations

import pytest

from flow.codec.annexb import START_CODE, split_nal_units
from flow.units import Codec
from ingest.protocol.events import Heard, ParameterSets, SourceEvent, SourcePicture, Unusable
from ingest.protocol.rtmp.video import VideoTags

from .material import coded
from .rtmp_publisher import nal_units, sequence_header

NOW_NS = 5
NAL = bytes.fromhex("00000003 6588aa")
ANNEXB = START_CODE + bytes.fromhex("6588aa")

HVCC = (
    bytes((1,)) + bytes(20) + bytes((3, 1))  # lengths of four bytes, one array
    + bytes.fromhex("21 0001 0004 42010101")  # SPS
)  # fmt: skip


def take(body: bytes, at_ms: int = 1000) -> list[SourceEvent]:
    return VideoTags().take(body, at_ms, NOW_NS)


def one(body: bytes, at_ms: int = 1000) -> SourceEvent:
    (event,) = take(body, at_ms)
    return event


def test_a_real_stream() -> None:
    tags, pictures = VideoTags(), coded(3)
    sets, heard = tags.take(sequence_header(pictures[0].data), 0, NOW_NS)
    assert isinstance(sets, ParameterSets)
    assert [nal[0] & 0x1F for nal in split_nal_units(sets.data)] == [7, 8]
    assert heard == Heard()
    for index, picture in enumerate(pictures):
        (event,) = tags.take(nal_units(picture.data), 40 * index, NOW_NS)
        assert isinstance(event, SourcePicture)
        assert event.codec is Codec.H264
        kept = [nal for nal in split_nal_units(picture.data) if nal[0] & 0x1F not in (7, 8)]
        assert split_nal_units(event.data) == kept


@pytest.mark.parametrize(
    ("field", "ahead_ms"), [("000000", 0), ("000042", 66), ("ffffdf", -33), ("7fffff", 8388607)]
)
def test_composition_times_are_signed(field: str, ahead_ms: int) -> None:
    event = one(bytes.fromhex("27 01" + field) + NAL)
    assert event == SourcePicture(Codec.H264, ANNEXB, (1000 + ahead_ms) * 90, 1000 * 90, NOW_NS)


def test_timestamps_go_on_past_their_wrap() -> None:
    tags = VideoTags()
    times = [2**32 - 40, 0, 40, 2**31, 2**32 - 1, 10]
    decoded = [tags.take(b"\x27\x01\x00\x00\x00" + NAL, time_ms, NOW_NS)[0] for time_ms in times]
    unwrapped = [event.dts for event in decoded if isinstance(event, SourcePicture)]
    assert unwrapped == [90 * (2**32 + step) for step in (-40, 0, 40, 2**31, 2**32 - 1, 2**32 + 10)]


def test_lengths_are_as_long_as_the_sequence_header_says() -> None:
    tags = VideoTags()
    header = bytearray(sequence_header(coded(1)[0].data))
    header[5 + 4] = 0xFC | 1  # lengthSizeMinusOne
    tags.take(bytes(header), 0, NOW_NS)
    (event,) = tags.take(bytes.fromhex("27 01 000000 0003 6588aa"), 0, NOW_NS)
    assert isinstance(event, SourcePicture)
    assert event.data == ANNEXB


@pytest.mark.parametrize(
    ("body", "codec", "ahead_ms"),
    [
        ("a1 68766331 00002a", Codec.H265, 42),  # CodedFrames
        ("a1 68766331 ffffff", Codec.H265, -1),
        ("a3 68766331", Codec.H265, 0),  # CodedFramesX
        ("a3 61766331", Codec.H264, 0),
        ("a1 61766331 00002a", Codec.H264, 42),
        ("a7 02 0186a0 03 68766331", Codec.H265, 0),  # a nanosecond offset before it
        ("a7 02 0186a0 07 00 aa 01 68766331 00002a", Codec.H265, 42),  # two modifiers
        ("a7 ff 0001 aabb 03 68766331", Codec.H265, 0),  # a size of 16 bits
        ("2c 01 00002a", Codec.H265, 42),  # what cameras send that know nothing of all this
    ],
)
def test_enhanced_pictures(body: str, codec: Codec, ahead_ms: int) -> None:
    event = one(bytes.fromhex(body) + NAL)
    assert event == SourcePicture(codec, ANNEXB, (1000 + ahead_ms) * 90, 90_000, NOW_NS)


@pytest.mark.parametrize("head", ["90 68766331", "1c 00 000000", "97 02 000000 00 68766331"])
def test_sequence_starts_of_h265(head: str) -> None:
    sets, _ = take(bytes.fromhex(head) + HVCC)
    assert sets == ParameterSets(Codec.H265, START_CODE + bytes.fromhex("42010101"))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "17 02 000000",  # end of sequence
        "92 68766331",
        "27 01 000000",  # a picture of no NAL unit
        "57 00",  # a command for players
        "d0 00",
        "94 68766331 0200",  # metadata
    ],
)
def test_what_shows_nothing(body: str) -> None:
    assert one(bytes.fromhex(body)) == Heard()


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("22 00", "Sorenson H.263"),
        ("24 00", "VP6"),
        ("2f 00", "codec 15"),
        ("91 76703039 000000", "VP9"),
        ("90 61763031", "AV1"),
        ("a3 76766331", "H.266"),
        ("a3 0a0a0a0a", "unknown"),
        ("a1 48563031 00", "unknown"),
    ],
)
def test_other_codecs_are_named(body: str, named: str) -> None:
    event = one(bytes.fromhex(body))
    assert isinstance(event, Unusable)
    assert event.reason == "unsupported_codec"
    assert named in event.detail
    assert "\n" not in event.detail


@pytest.mark.parametrize("body", ["96 00 68766331", "97 02 0186a0 06 01 68766331 00"])
def test_several_tracks_are_refused(body: str) -> None:
    event = one(bytes.fromhex(body))
    assert isinstance(event, Unusable)
    assert event.reason == "multitrack"


@pytest.mark.parametrize(
    "body",
    [
        "17",
        "17 01 0000",
        "17 00 000000 00",  # no avcC
        "17 00 000000 01640028ff",
        "17 03 000000 aa",  # no such packet
        "95 68766331 00",  # MPEG-2 TS instead of hvcC
        "9f 68766331 00",
        "91 6876",
        "91 68766331 0000",
        "97",
        "97 ff",
        "97 ff ffff",
        "97 02 00",
        "97 00 00 07 00 00 07",
        "90 68766331 01",
        "27 01 000000 000000ff 65",  # longer than it is
    ],
)
def test_what_cannot_be_read_is_unusable(body: str) -> None:
    event = one(bytes.fromhex(body))
    assert isinstance(event, Unusable)
    assert event.reason == "not_video"
