from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.codec.annexb import ACCESS_UNIT_LIMIT_BYTES
from flow.errors import MalformedError
from ingest.protocol.rtmp.chunks import CHUNK_STREAMS_MOST, CHUNKS_MOST, ChunkReader, ChunkWriter
from ingest.protocol.rtmp.messages import Kind, Message

KEPT: dict[int, int] = {Kind.VIDEO: ACCESS_UNIT_LIMIT_BYTES, Kind.COMMAND_AMF0: 1000, Kind.USER_CONTROL: 64}

MESSAGES = st.builds(
    Message,
    st.sampled_from([Kind.VIDEO, Kind.COMMAND_AMF0]),
    st.integers(0, 2),
    st.integers(0, 2**32 - 1) | st.integers(0xFFFFF0, 0x100000F) | st.integers(0, 100),
    st.binary(max_size=300) | st.just(b"x" * 140),
)


def read(*pieces: bytes, reader: ChunkReader | None = None) -> list[Message]:
    reader = reader or ChunkReader(KEPT)
    return [message for piece in pieces for message in reader.read(piece)]


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = list[bytes](), 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([2, 63, 64, 319, 320, 65599]), MESSAGES, st.integers(1, 400)), max_size=12
    ),
    st.lists(st.integers(1, 200), min_size=1, max_size=5),
)
def test_whatever_is_written_is_read_however_it_is_cut(
    sent: list[tuple[int, Message, int]], sizes: list[int]
) -> None:
    writer = ChunkWriter()
    data = b"".join(
        writer.set_chunk_size(size) + writer.write(number, message) for number, message, size in sent
    )
    assert read(*cut(data, sizes)) == [message for _, message, _ in sent]


def test_the_first_example_of_the_specification() -> None:
    """RTMP 5.3.2.1: four messages 20 ms apart, headers of type 0, 2, 3 and 3."""
    payload = bytes(32)
    data = (
        bytes.fromhex("03 0003e8 000020 09 39300000") + payload
        + bytes.fromhex("83 000014") + payload
        + b"\xc3" + payload
        + b"\xc3" + payload
    )  # fmt: skip
    assert read(data) == [Message(9, 12345, time_ms, payload) for time_ms in (1000, 1020, 1040, 1060)]
    writer = ChunkWriter()
    assert b"".join(writer.write(3, message) for message in read(data)) == data


def test_the_second_example_of_the_specification() -> None:
    """RTMP 5.3.2.2: one message of 307 bytes in three chunks."""
    payload = bytes(range(256)) + bytes(51)
    data = b"".join(
        (
            bytes.fromhex("04 0003e8 000133 09 3a300000"),
            payload[:128],
            b"\xc4",
            payload[128:256],
            b"\xc4",
            payload[256:],
        )
    )
    message = Message(9, 12346, 1000, payload)
    assert read(data) == [message]
    assert ChunkWriter().write(4, message) == data


def test_messages_of_several_chunk_streams_interleave() -> None:
    first, second = bytes(200), bytes(range(150))
    data = b"".join(
        (
            bytes.fromhex("04 000000 0000c8 09 01000000"), first[:128],
            bytes.fromhex("03 000000 000096 14 00000000"), second[:128],
            b"\xc4", first[128:],
            b"\xc3", second[128:],
        )
    )  # fmt: skip
    assert [message.payload for message in read(data)] == [first, second]


@pytest.mark.parametrize(
    ("at_ms", "field"), [(0xFFFFFE, "fffffe"), (0xFFFFFF, "ffffff00ffffff"), (2**32 - 1, "ffffffffffffff")]
)
def test_extended_timestamps_begin_at_their_marker(at_ms: int, field: str) -> None:
    message = Message(9, 1, at_ms, bytes(130))
    data = ChunkWriter().write(4, message)
    time, extended = bytes.fromhex(field)[:3], bytes.fromhex(field)[3:]
    assert data[1:4] + data[12 : 12 + len(extended)] == time + extended
    assert data.count(b"\xc4" + extended + bytes(2)) == 1
    assert read(data) == [message]


def test_encoders_that_do_not_repeat_the_extended_timestamp_are_read_too() -> None:
    payload = bytes(range(1, 201))
    head = bytes.fromhex("04 ffffff 0000c8 09 01000000 01000000")
    told = bytes.fromhex("01000000")
    for repeated in (b"", told):
        data = head + payload[:128] + b"\xc4" + repeated + payload[128:]
        again = bytes.fromhex("84 000028") + payload[:128] + b"\xc4" + payload[128:]
        assert [(each.timestamp_ms, each.payload) for each in read(data + again)] == [
            (0x1000000, payload),
            (0x1000000 + 40, payload),
        ]


def test_type_3_after_type_0_adds_the_time_of_that_once_more() -> None:
    """RTMP 5.3.1.2.4; ffmpeg and GStreamer do so."""
    data = bytes.fromhex("04 000028 000001 09 01000000 aa c4 bb c4 cc")
    assert [(each.timestamp_ms, each.payload) for each in read(data)] == [
        (40, b"\xaa"),
        (80, b"\xbb"),
        (120, b"\xcc"),
    ]


def test_differences_wrap_at_32_bits() -> None:
    data = bytes.fromhex("04 ffffff 000001 09 01000000 fffffff0 aa 84 000020 bb")
    assert [each.timestamp_ms for each in read(data)] == [2**32 - 16, 16]


def test_librtmp_opens_its_control_stream_with_type_1() -> None:
    data = bytes.fromhex("42 000000 00000a 04 0003 00000001 00000bb8")
    assert read(data) == [Message(4, 0, 0, bytes.fromhex("0003 00000001 00000bb8"))]


def test_the_chunk_size_changes_between_messages() -> None:
    data = bytes.fromhex("02 000000 000004 01 00000000 00000200 04 000000 000190 09 01000000") + bytes(400)
    assert [len(each.payload) for each in read(data)] == [400]


def test_an_aborted_message_is_forgotten() -> None:
    begun = bytes.fromhex("04 000000 000100 09 01000000") + bytes(128)
    abort = bytes.fromhex("02 000000 000004 02 00000000 00000004")
    begins = bytes.fromhex("44 000028 000002 09") + b"ab"
    assert [each.payload for each in read(begun + abort + begins)] == [b"ab"]
    nothing = bytes.fromhex("82 000000 00000009")
    assert read(abort, nothing) == []


def test_what_is_not_kept_passes_without_being_held() -> None:
    pieces = cut(ChunkWriter().write(4, Message(Kind.AUDIO, 1, 7, bytes(3_000_000))), [4096])
    reader = ChunkReader(KEPT)
    tracemalloc.start()
    try:
        heard = read(*pieces, reader=reader)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
    assert heard == [Message(Kind.AUDIO, 1, 7, b"")]


def test_a_message_under_way_is_known() -> None:
    reader = ChunkReader(KEPT)
    data = ChunkWriter().write(4, Message(Kind.VIDEO, 1, 7, bytes(300)))
    assert read(data[:200], reader=reader) == []
    assert (reader.is_within(Kind.VIDEO), reader.is_within(Kind.AUDIO)) == (True, False)
    assert len(read(data[200:], reader=reader)) == 1
    assert not reader.is_within(Kind.VIDEO)


def header(number: int, length: int, kind: int) -> bytes:
    return bytes((number,)) + bytes(3) + length.to_bytes(3, "big") + bytes((kind,)) + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        header(4, ACCESS_UNIT_LIMIT_BYTES + 1, Kind.VIDEO),
        header(4, 1001, Kind.COMMAND_AMF0),
        header(4, 65, Kind.USER_CONTROL),
        header(2, 5, Kind.SET_CHUNK_SIZE),
        header(2, 3, Kind.SET_CHUNK_SIZE) + bytes(3),
        header(2, 4, Kind.SET_CHUNK_SIZE) + bytes(4),
        header(2, 4, Kind.SET_CHUNK_SIZE) + b"\x80\x00\x00\x00",
        b"\x84\x00\x00\x00",  # type 2 on a stream without a header
        b"\xc4",
        header(4, 300, Kind.VIDEO) + bytes(128) + header(4, 1, Kind.VIDEO),
        # two that are short enough, and together are not
        header(4, ACCESS_UNIT_LIMIT_BYTES, Kind.VIDEO) + bytes(128) + header(5, 1 << 20, Kind.VIDEO),
        b"".join(header(number, 1, Kind.AUDIO) + b"\x00" for number in range(2, 3 + CHUNK_STREAMS_MOST)),
    ],
)
def test_every_bound(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read(data)


def test_as_many_chunk_streams_as_are_allowed() -> None:
    data = b"".join(header(number, 1, Kind.VIDEO) + b"\x00" for number in range(2, 2 + CHUNK_STREAMS_MOST))
    assert len(read(data)) == CHUNK_STREAMS_MOST


def test_a_flood_of_chunks_with_nothing_in_them() -> None:
    assert len(read(header(4, 0, Kind.VIDEO) + b"\xc4" * (CHUNKS_MOST - 1))) == CHUNKS_MOST
    with pytest.raises(MalformedError, match="chunks at once"):
        read(header(4, 0, Kind.VIDEO) + b"\xc4" * CHUNKS_MOST)
