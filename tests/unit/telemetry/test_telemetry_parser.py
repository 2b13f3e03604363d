"""Framing: what is a message, what is junk, whatever the cuts."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as dialect

from telemetry.protocol.parser import Decoder, Frame, Parser
from tests.fakes.aircraft import FakeAircraft

# ATTITUDE with time_boot_ms 1000 and roll 1.0, from system 1, component 1, sequence 7; without checksum.
GOLDEN_V1 = bytes.fromhex("fe1c0701011ee80300000000803f" + 20 * "00")
GOLDEN_V2 = bytes.fromhex("fd0800000701011e0000e80300000000803f")


def mcrf4xx(data: bytes) -> int:
    """CRC-16/MCRF4XX, bit by bit."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def sealed(frame: bytes, extra: int = 39) -> bytes:
    """`frame` with its checksum, which also covers CRC_EXTRA: 39 for ATTITUDE."""
    return frame + mcrf4xx(frame[1:] + bytes((extra,))).to_bytes(2, "little")


def flight(count: int = 40) -> list[bytes]:
    """Messages of several kinds, MAVLink 1 and 2 mixed, two of them signed, some with start bytes inside."""
    new, old = FakeAircraft(1), FakeAircraft(1, v1=True)
    signed = FakeAircraft(2, key=bytes(32))
    messages = []
    for number in range(count):
        sender = (new, old, signed)[number % 3]
        makers = (
            lambda sender=sender: sender.heartbeat(),
            lambda sender=sender, number=number: sender.attitude(100 * number, yaw=number),
            lambda sender=sender: sender.text("\xfe\xfd\xfe start bytes"),
            lambda sender=sender, number=number: sender.position(0xFEFDFE00 + number),
        )
        messages.append(makers[number % 4]())
    return messages


MESSAGES = flight()
STREAM = b"".join(MESSAGES)


def pushed(parser: Parser, chunks: list[bytes]) -> list[Frame]:
    return [frame for chunk in chunks for frame in parser.push(chunk)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("frame", [sealed(GOLDEN_V1), sealed(GOLDEN_V2)], ids=["v1", "v2"])
def test_golden_attitude(frame: bytes) -> None:
    parser = Parser()
    [received] = parser.push(frame)
    assert (received.system_id, received.component_id, received.sequence) == (1, 1, 7)
    assert received.raw == frame
    message = Decoder().decode(received)
    assert message is not None
    assert (message.get_type(), message.time_boot_ms, message.roll) == ("ATTITUDE", 1000, 1.0)
    assert parser.bad_bytes == 0


def test_mixed_versions_and_signed_messages_arrive_as_sent() -> None:
    parser = Parser()
    assert [frame.raw for frame in parser.push(STREAM)] == MESSAGES
    assert parser.bad_bytes == 0
    assert any(len(message) > 12 and message[2] & 1 and message[0] == 0xFD for message in MESSAGES)


@given(places=st.lists(st.integers(0, len(STREAM)), max_size=60))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_any_cut_gives_the_same_messages(places: list[int]) -> None:
    parser = Parser()
    assert [frame.raw for frame in pushed(parser, cut(STREAM, places))] == MESSAGES
    assert parser.bad_bytes == 0


@given(junk=st.lists(st.binary(max_size=40), min_size=5, max_size=5), places=st.lists(st.integers(0, 4000)))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_junk_between_messages_costs_none_of_them(junk: list[bytes], places: list[int]) -> None:
    data = b"".join(part + message for part, message in zip(junk, MESSAGES, strict=False))
    parser = Parser()
    assert [frame.raw for frame in pushed(parser, cut(data, places))] == MESSAGES[:5]
    assert parser.bad_bytes == sum(map(len, junk))


def test_a_flipped_bit_costs_its_own_message_only() -> None:
    rng = random.Random(7)
    for _ in range(200):
        victim = rng.randrange(len(MESSAGES) - 1)
        broken = bytearray(MESSAGES[victim])
        broken[rng.randrange(1, len(broken))] ^= 1 << rng.randrange(8)
        if broken == MESSAGES[victim]:
            continue
        data = b"".join([*MESSAGES[:victim], bytes(broken), *MESSAGES[victim + 1 :]])
        received = [frame.raw for frame in Parser().push(data)]
        # What no checksum covers may pass: a signature, or a message id that has become an unknown one.
        good = [raw for raw in received if raw != bytes(broken)]
        assert good == MESSAGES[:victim] + MESSAGES[victim + 1 :]


def test_a_false_start_holds_nothing_back() -> None:
    parser = Parser()
    assert parser.push(b"\x00\xfe\xff" + MESSAGES[0])[0].raw == MESSAGES[0]
    assert parser.bad_bytes == 3


def test_a_datagram_cut_short_does_not_hold_back_the_next() -> None:
    parser = Parser()
    assert parser.push_datagram(MESSAGES[0])
    assert parser.push_datagram(MESSAGES[3][:-5]) == []
    assert [frame.raw for frame in parser.push_datagram(MESSAGES[1])] == [MESSAGES[1]]
    assert parser.bad_bytes == len(MESSAGES[3]) - 5


def test_a_serial_stream_cut_into_datagrams_anywhere_is_whole_again() -> None:
    parser = Parser()
    chunks = [STREAM[at : at + 33] for at in range(0, len(STREAM), 33)]
    assert [frame.raw for chunk in chunks for frame in parser.push_datagram(chunk)] == MESSAGES
    assert parser.bad_bytes == 0


def test_nothing_but_a_frame_in_the_making_is_kept() -> None:
    parser = Parser()
    rng = random.Random(3)
    for _ in range(300):
        parser.push(rng.randbytes(700))
        assert len(parser._pending) <= 280
    half = MESSAGES[1][:10]
    for _ in range(1000):
        parser.push(MESSAGES[0] + half)
        parser.push(MESSAGES[1][10:])
    assert len(parser._pending) <= 280


def unknown(sequence: int, system_id: int = 1) -> bytes:
    return bytes((0xFD, 3, 0, 0, sequence, system_id, 1)) + (54_321).to_bytes(3, "little") + b"\xfeabXY"


def test_an_unknown_message_counts_behind_a_good_one_of_its_sender_only() -> None:
    assert Parser().push(unknown(0)) == []
    parser = Parser()
    sender = FakeAircraft(1)
    frames = parser.push(sender.heartbeat() + unknown(1) + unknown(2, system_id=9))
    assert [frame.message_id for frame in frames] == [0, 54_321]
    assert Decoder().decode(frames[1]) is None


def test_an_unknown_incompatibility_flag_is_refused() -> None:
    frame = bytearray(MESSAGES[0])
    assert frame[0] == 0xFD
    frame[2] = 0x02
    assert Parser().push(sealed(bytes(frame[:-2]), dialect.MAVLink_heartbeat_message.crc_extra)) == []
