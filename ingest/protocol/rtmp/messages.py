"""The messages of RTMP: their kinds, and those that control the connection (RTMP 1.0, 5.4, 6.2 and 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from flow.errors import MalformedError

CONTROL_CHUNK_STREAM = 2  # RTMP 5.4
COMMAND_CHUNK_STREAM = 3

_DYNAMIC = 2  # the limit type of Set Peer Bandwidth that leaves most to the peer, RTMP 5.4.5
_STREAM_BEGIN, _PING_REQUEST, _PING_RESPONSE = 0, 6, 7  # events of User Control messages, RTMP 7.1.7


class Kind(IntEnum):
    """Message type ids that mean something to us; audio, data and whatever else there is passes unread."""

    SET_CHUNK_SIZE = 1
    ABORT = 2
    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_ACKNOWLEDGEMENT_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    COMMAND_AMF3 = 17
    COMMAND_AMF0 = 20
    AGGREGATE = 22


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message; `timestamp_ms` wraps at 32 bits. Of one that passes unread, `payload` is empty."""

    kind: int
    stream_id: int
    timestamp_ms: int
    payload: bytes


_TAG_HEADER = 11  # FLV E.4.1
_BACK_POINTER = 4


def parts(aggregate: Message) -> Iterator[Message]:
    """The messages in an aggregate one, each behind the header of an FLV tag (RTMP 7.1.6). Their times are
    relative to the first's, which is the aggregate's. Raises MalformedError."""
    data, at, first_ms = aggregate.payload, 0, None
    while at < len(data):
        body = at + _TAG_HEADER
        end = body + int.from_bytes(data[at + 1 : at + 4], "big")
        if end > len(data):
            raise MalformedError("a message within an aggregate one is cut off (RTMP 7.1.6)")
        told_ms = int.from_bytes(data[at + 4 : at + 7], "big") | data[at + 7] << 24
        first_ms = told_ms if first_ms is None else first_ms
        at_ms = aggregate.timestamp_ms + told_ms - first_ms & 0xFFFF_FFFF
        yield Message(data[at] & 0x1F, aggregate.stream_id, at_ms, data[body:end])
        at = end + _BACK_POINTER


def control(kind: Kind, payload: bytes) -> Message:
    """A protocol control message."""
    return Message(kind, 0, 0, payload)


def acknowledgement(received: int) -> Message:
    """So many bytes have come so far (RTMP 5.4.3)."""
    return control(Kind.ACKNOWLEDGEMENT, (received & 0xFFFF_FFFF).to_bytes(4, "big"))


def window(size: int) -> list[Message]:
    """How often each side wants to hear that its bytes arrive (RTMP 5.4.4 and 5.4.5)."""
    number = size.to_bytes(4, "big")
    return [
        control(Kind.WINDOW_ACKNOWLEDGEMENT_SIZE, number),
        control(Kind.SET_PEER_BANDWIDTH, number + bytes((_DYNAMIC,))),
    ]


def stream_begin(stream_id: int) -> Message:
    """The stream can be used now (RTMP 7.1.7)."""
    return control(Kind.USER_CONTROL, _STREAM_BEGIN.to_bytes(2, "big") + stream_id.to_bytes(4, "big"))


def pong(payload: bytes) -> Message | None:
    """The answer to a User Control message, where it is a ping."""
    if len(payload) < 6 or int.from_bytes(payload[:2], "big") != _PING_REQUEST:
        return None
    return control(Kind.USER_CONTROL, _PING_RESPONSE.to_bytes(2, "big") + payload[2:6])
