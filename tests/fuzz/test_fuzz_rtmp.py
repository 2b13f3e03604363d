"""Whatever arrives by RTMP: one clear refusal at most, bounded memory, and no event out of place."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import MalformedError
from ingest.protocol.events import SourcePicture
from ingest.protocol.rtmp import amf0
from ingest.protocol.rtmp.handshake import NONCE_BYTES
from ingest.protocol.rtmp.messages import Kind
from ingest.protocol.rtmp.session import Event, PublishRequested, PublishSession, State, Unpublished
from ingest.protocol.rtmp.video import VideoTags
from tests.unit.ingest.material import coded
from tests.unit.ingest.rtmp_publisher import C2, HELLO, RtmpPublisher

SEEDS = 150


def talk(pieces: list[bytes]) -> list[Event]:
    """What a session makes of these bytes, until it has had enough."""
    session, events = PublishSession(bytes(NONCE_BYTES), 0), list[Event]()
    try:
        for now_ns, piece in enumerate(pieces):
            for event in session.receive(piece, now_ns):
                events.append(event)
                if isinstance(event, PublishRequested):
                    session.accept(now_ns)
            session.data_to_send()
            session.overdue(now_ns)
            if session.state is State.REFUSED:
                break
    except MalformedError:
        return events
    return events


def check(events: list[Event]) -> None:
    """Media comes between a request and its end, and nowhere else."""
    publishing = False
    for event in events:
        if isinstance(event, PublishRequested):
            assert not publishing
            publishing = True
        else:
            assert publishing
            publishing = not isinstance(event, Unpublished)


def cut(data: bytes, chance: random.Random) -> list[bytes]:
    pieces, at = list[bytes](), 0
    while at < len(data):
        size = chance.choice((1, 7, 100, 5000))
        pieces.append(data[at : at + size])
        at += size
    return pieces


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_mistreated_publisher(seed: int) -> None:
    chance, publisher = random.Random(seed), RtmpPublisher()
    data = bytearray(publisher.opening() + b"".join(publisher.pictures(coded(20, size=(64, 48)))))
    spoiled = 3073 if seed % 2 else 3600  # in what is said before, or in the pictures
    for _ in range(chance.randrange(1, 12)):
        at = chance.randrange(spoiled, len(data))
        match chance.randrange(3):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(1, 200)]
            case 2:
                data[at:at] = chance.randbytes(chance.randrange(1, 200))
    check(talk(cut(bytes(data), chance)))


def test_the_same_publisher_unharmed() -> None:
    publisher = RtmpPublisher()
    data = publisher.opening() + b"".join(publisher.pictures(coded(20, size=(64, 48))))
    events = talk(cut(data, random.Random(0)))
    check(events)
    assert sum(isinstance(event, SourcePicture) for event in events) == 20


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=10), st.booleans())
def test_any_bytes_at_all_behind_the_handshake(pieces: list[bytes], connected: bool) -> None:
    before = RtmpPublisher().connect() if connected else b""
    check(talk([HELLO + C2 + before, *pieces]))


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.binary(max_size=200))
def test_any_values_at_all(data: bytes) -> None:
    try:
        amf0.read(data)
    except MalformedError:
        return


HEADS = st.sampled_from([bytes.fromhex(head) for head in ("17", "27", "2c", "90", "a1", "a3", "97", "96")])


@settings(derandomize=True, max_examples=500, deadline=None)
@given(st.lists(st.tuples(HEADS, st.binary(max_size=60), st.integers(0, 2**32 - 1)), max_size=8))
def test_any_video_messages_at_all(messages: list[tuple[bytes, bytes, int]]) -> None:
    tags = VideoTags()
    for head, rest, at_ms in messages:
        assert tags.take(head + rest, at_ms, 0)


def test_a_flood_of_unfinished_messages_holds_little() -> None:
    """Each chunk stream begins a picture as long as may be; only what has come may be held."""
    publisher = RtmpPublisher()
    begun = b"".join(
        bytes((number,))
        + bytes(3)
        + (1 << 20).to_bytes(3, "big")
        + bytes((Kind.VIDEO,))
        + bytes(4)
        + bytes(128)
        for number in range(5, 35)
    )
    tracemalloc.start()
    try:
        events = talk([publisher.opening(), *(begun[at : at + 1000] for at in range(0, len(begun), 1000))])
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    check(events)
