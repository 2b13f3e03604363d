"""Our decoding of a payload beside pymavlink's."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.codec.tlog import read_tlog
from telemetry.protocol.assembly import READ_IDS
from telemetry.protocol.messages import kind_of
from telemetry.protocol.parser import Decoder, Frame, Parser
from tests.fakes.aircraft import FakeAircraft

PEERS = dialect.MAVLink(None)


def differences(frame: Frame, decoder: Decoder) -> list[str]:
    """Fields that the two decode differently; bytes of a text compare as pymavlink shows them."""
    ours, theirs = decoder.decode(frame), PEERS.decode(bytearray(frame.raw))
    names: list[str] = theirs.get_fieldnames()
    assert ours is not None
    assert set(ours._fields) == set(names)
    assert (ours.get_msgId(), ours.get_type()) == (theirs.get_msgId(), theirs.get_type())
    return [name for name in names if not same(getattr(ours, name), getattr(theirs, name))]


def same(ours: Any, theirs: Any) -> bool:
    return bool(ours == theirs) or repr(ours) == repr(theirs)  # NaN is equal to nothing


def sealed(number: int, payload: bytes) -> Frame:
    head = bytes((len(payload), 0, 0, 7, 1, 1)) + number.to_bytes(3, "little")
    extra: int = dialect.mavlink_map[number].crc_extra
    checksum: int = dialect.x25crc(head + payload + bytes((extra,))).crc
    [frame] = Parser().push(b"\xfd" + head + payload + checksum.to_bytes(2, "little"))
    return frame


def test_any_payload_of_any_message() -> None:
    """Of every length: MAVLink 2 cuts trailing zeros off, and newer dialects append fields."""
    rng, decoder = random.Random(7), Decoder()
    wrong = {}
    for number, kind in dialect.mavlink_map.items():
        size: int = kind.unpacker.size
        for length in (size, 0, rng.randrange(size + 1), min(255, size + 5)):
            wrong[number, length] = differences(sealed(number, rng.randbytes(length)), decoder)
    assert len(wrong) > 600
    assert {case: fields for case, fields in wrong.items() if fields} == {}


def test_unknown_ids_have_no_kind() -> None:
    assert kind_of(54_321) is None


def test_texts_end_at_the_first_zero() -> None:
    drone, decoder = FakeAircraft(), Decoder()
    for text in ("Low Battery!", "x" * 50, ""):
        [frame] = Parser().push(drone.text(text))
        message = decoder.decode(frame)
        assert message is not None
        assert message.text == text


@pytest.mark.feeds
@pytest.mark.parametrize(
    "name",
    [
        "copter_real_cmac_2015.tlog",
        "plane_real_cuav_2016_multilink.tlog",
        "plane_real_cuav_2018_notimestamps.mavlink",
        "plane_real_sydney_2012_mavlink1.tlog",
        "quadplane_sitl_2018.tlog",
        "sub_real_bluerov_2024_nogps.tlog",
    ],
)
def test_real_flights(feeds: Path, name: str) -> None:
    """Every field of what is read of every flight (of the longest each third message)."""
    data = (feeds / "telemetry" / name).read_bytes()
    timed = name.endswith(".tlog")
    parser, decoder = Parser(), Decoder()
    pieces = [message for _, message in read_tlog(data)] if timed else [data]
    frames = [frame for piece in pieces for frame in parser.push(piece) if frame.message_id in READ_IDS]
    wrong = Counter(
        (frame.message_id, field)
        for frame in frames[:: 1 + len(frames) // 12_000]
        for field in differences(frame, decoder)
    )
    assert len(frames) > 5000
    assert wrong == {}
