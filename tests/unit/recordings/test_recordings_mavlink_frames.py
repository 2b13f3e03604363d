"""Messages are found in a byte stream, and nothing of it is lost."""

from __future__ import annotations

import random

import pytest
from pymavlink.dialects.v20 import all as dialect

from recordings.protocol.mavlink_frames import (
    JUNK_LIMIT_BYTES,
    MAGIC,
    is_intact,
    parse_header,
    seal,
    split_stream,
)
from tests.unit.recordings.flights import Aircraft


@pytest.mark.parametrize("version", [1, 2])
def test_header_of_a_message(version: int) -> None:
    data = Aircraft(version, system_id=7, component_id=9).attitude(1234)
    header = parse_header(data)
    assert header is not None
    assert (header.version, header.system_id, header.component_id) == (version, 7, 9)
    assert header.message_id == dialect.MAVLINK_MSG_ID_ATTITUDE
    assert header.size == len(data)
    assert is_intact(data, header)
    assert seal(data[: header.payload_end], header) == data


def test_a_flipped_bit_is_seen() -> None:
    data = bytearray(Aircraft().attitude(1234))
    data[12] ^= 4
    header = parse_header(bytes(data))
    assert header is not None
    assert is_intact(bytes(data), header) is False


def test_nobody_can_tell_for_an_unknown_message() -> None:
    data = b"\xfd\x01\x00\x00\x00\x01\x01\xff\xff\xff\x00\x12\x34"
    header = parse_header(data)
    assert header is not None
    assert is_intact(data, header) is None


@pytest.mark.parametrize("data", [b"", b"\xfe", b"\xfd" * 9, b"GET / HTTP/1.1"])
def test_no_header(data: bytes) -> None:
    assert parse_header(data) is None


def test_messages_between_junk() -> None:
    aircraft = Aircraft()
    first, second = aircraft.attitude(1), aircraft.heartbeat()
    junk = b"\xfdjunk\xfe" + b"\x00" * 2000
    stream = b"no" + first + junk + second
    pieces = list(split_stream([stream]))
    assert b"".join(pieces) == stream
    assert first in pieces
    assert second in pieces
    assert max(map(len, pieces)) <= JUNK_LIMIT_BYTES


def test_an_unknown_message_counts_where_another_follows() -> None:
    unknown = b"\xfd\x01\x00\x00\x00\x01\x01\xff\xff\xff\x07\x12\x34"
    known = Aircraft().heartbeat()
    assert list(split_stream([unknown + known + unknown])) == [unknown, known, unknown]


@pytest.mark.parametrize("seed", range(30))
def test_pieces_do_not_depend_on_how_the_stream_is_read(seed: int) -> None:
    rng = random.Random(seed)
    aircraft = Aircraft(version=1 + seed % 2)
    parts: list[bytes] = []
    for number in range(40):
        parts.append(aircraft.attitude(number * 20) if rng.random() < 0.7 else aircraft.servo_output(number))
        if rng.random() < 0.3:
            parts.append(rng.choice((rng.randbytes(rng.randrange(1, 40)), bytes(MAGIC), parts[-1][:-3])))
    stream = b"".join(parts)
    whole = list(split_stream([stream]))
    cuts = sorted(rng.randrange(len(stream)) for _ in range(20))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert list(split_stream(chunks)) == whole
    assert b"".join(whole) == stream
