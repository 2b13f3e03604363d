"""Chunks: the pieces in which RTMP interleaves its messages (RTMP 1.0, 5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flow.codec.annexb import ACCESS_UNIT_LIMIT_BYTES
from flow.errors import MalformedError

from .messages import CONTROL_CHUNK_STREAM, Kind, Message, control

CHUNK_STREAMS_MOST = 32
CHUNKS_MOST = 1024
"""In one `read()`: more of them in the 8 kB that a server reads at once would be of a few bytes each, and
only keep it busy."""

UNFINISHED_LIMIT_BYTES = ACCESS_UNIT_LIMIT_BYTES + 64 * 1024
"""What the messages that have begun and not ended may come to, all chunk streams together."""

_FIRST_CHUNK_SIZE = 128  # RTMP 5.4.1
_CHUNK_SIZE_MOST = 0x7FFF_FFFF
_EXTENDED = 0xFF_FFFF  # RTMP 5.3.1.3
_WRAP = 0xFFFF_FFFF
_HEADER_BYTES = (11, 7, 3, 0)  # RTMP 5.3.1.2, by header type
_LARGEST_TWO_BYTE_ID = 319
_OWN_LIMITS: dict[int, int] = {Kind.SET_CHUNK_SIZE: 4, Kind.ABORT: 4}


class _ChunkStream:
    """What one chunk stream said last, and the message that is under way on it."""

    __slots__ = (
        "extended",
        "field",
        "is_kept",
        "kind",
        "length",
        "missing",
        "payload",
        "stream_id",
        "timestamp_ms",
    )

    def __init__(self) -> None:
        self.timestamp_ms = 0
        self.field = 0  # the time of the last header that had one: absolute in type 0, else a difference
        self.extended = False
        self.length = self.kind = self.stream_id = 0
        self.missing = 0  # of the message under way; 0 between messages
        self.is_kept = False
        self.payload = bytearray()


class ChunkReader:
    """Puts messages together; `kept` says which kinds, and how long at most. All others pass unread.

    Set Chunk Size and Abort take effect by themselves.
    """

    def __init__(self, kept: Mapping[int, int]) -> None:
        self._kept = {**kept, **_OWN_LIMITS}
        self._chunk_size = _FIRST_CHUNK_SIZE
        self._streams: dict[int, _ChunkStream] = {}
        self._current: _ChunkStream | None = None  # the one whose chunk goes on
        self._left = 0  # of that chunk
        self._rest = b""  # a header that is not whole yet
        self._unfinished = 0

    def read(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole with `data`; to be taken to the end. Raises MalformedError."""
        data, self._rest = self._rest + data, b""
        at = chunks = 0
        while True:
            stream = self._current
            if stream is None:
                begin = self._header(data, at)
                if begin is None:
                    self._rest = data[at:]
                    return
                at, stream = begin
                chunks += 1
                if chunks > CHUNKS_MOST:
                    raise MalformedError(f"more than {CHUNKS_MOST} chunks at once, of a few bytes each")
            end = min(at + self._left, len(data))
            if stream.is_kept:
                stream.payload += data[at:end]
            stream.missing -= end - at
            self._left -= end - at
            at = end
            self._current = stream if self._left else None
            if self._left:
                return
            if not stream.missing:
                yield from self._finished(stream)

    def is_within(self, kind: Kind) -> bool:
        """Whether a message of that kind has begun and not ended."""
        return any(stream.missing and stream.kind == kind for stream in self._streams.values())

    def _header(self, data: bytes, at: int) -> tuple[int, _ChunkStream] | None:
        """Read the header of a chunk: where its payload begins, and its stream. None where it is cut off."""
        if at == len(data):
            return None
        kind, number = data[at] >> 6, data[at] & 0x3F
        fields = at + (1 if number > 1 else 2 + number)
        end = fields + _HEADER_BYTES[kind]
        if end > len(data):
            return None
        if number < 2:  # RTMP 5.3.1.1: one or two more bytes, the lower one first
            number = 64 + int.from_bytes(data[at + 1 : fields], "little")
        stream = self._streams.get(number) or self._opened(number, kind)
        field = stream.field
        extended = stream.extended
        if kind < 3:
            field = int.from_bytes(data[fields : fields + 3], "big")
            extended = field == _EXTENDED
        if extended:
            if end + 4 > len(data):
                return None
            told = int.from_bytes(data[end : end + 4], "big")
            if kind < 3 or told == field:  # not every encoder repeats it in chunks of type 3
                field, end = told, end + 4
        if kind < 3 or not stream.missing:
            stream.field, stream.extended = field, extended
            self._begin(stream, kind, data[fields:end])
        self._left = min(self._chunk_size, stream.missing)
        return end, stream

    def _opened(self, number: int, kind: int) -> _ChunkStream:
        if kind > 1:  # 1 is what librtmp opens its control stream with
            raise MalformedError(f"chunk stream {number} begins without a length (RTMP 5.3.1.2)")
        if len(self._streams) == CHUNK_STREAMS_MOST:
            raise MalformedError(f"more than {CHUNK_STREAMS_MOST} chunk streams")
        return self._streams.setdefault(number, _ChunkStream())

    def _begin(self, stream: _ChunkStream, kind: int, fields: bytes) -> None:
        """A message begins with a header of type `kind`, whose fields these are."""
        if stream.missing:
            raise MalformedError("a message begins within another one on its chunk stream (RTMP 5.3.1)")
        if kind < 2:
            stream.length, stream.kind = int.from_bytes(fields[3:6], "big"), fields[6]
        if kind == 0:
            stream.stream_id = int.from_bytes(fields[7:11], "little")
            stream.timestamp_ms = stream.field
        else:  # after type 0, type 3 adds the time of that one once more: RTMP 5.3.1.2.4
            stream.timestamp_ms = (stream.timestamp_ms + stream.field) & _WRAP
        limit = self._kept.get(stream.kind)
        stream.is_kept = limit is not None
        stream.missing = stream.length
        if limit is None:
            return
        self._unfinished += stream.length
        if stream.length > limit or self._unfinished > UNFINISHED_LIMIT_BYTES:
            raise MalformedError(f"a message of type {stream.kind} with {stream.length} bytes is too long")

    def _finished(self, stream: _ChunkStream) -> Iterator[Message]:
        payload = self._taken(stream)
        match stream.kind:
            case Kind.SET_CHUNK_SIZE:
                self._chunk_size = _number(payload)
                if not 1 <= self._chunk_size <= _CHUNK_SIZE_MOST:
                    raise MalformedError(f"a chunk size of {self._chunk_size} (RTMP 5.4.1)")
            case Kind.ABORT:
                if (aborted := self._streams.get(_number(payload))) is not None and aborted.missing:
                    aborted.missing = 0
                    self._taken(aborted)
            case _:
                yield Message(stream.kind, stream.stream_id, stream.timestamp_ms, payload)

    def _taken(self, stream: _ChunkStream) -> bytes:
        """What there is of the stream's message, which is over."""
        if not stream.is_kept:
            return b""
        self._unfinished -= stream.length
        payload = bytes(stream.payload)
        stream.payload.clear()
        return payload


def _number(payload: bytes) -> int:
    if len(payload) < 4:
        raise MalformedError("a control message is cut off (RTMP 5.4)")
    return int.from_bytes(payload[:4], "big")


@dataclass(frozen=True, slots=True)
class _Sent:
    """The last message of a chunk stream; `step_ms` is None where its header had an absolute time."""

    message: Message
    step_ms: int | None


class ChunkWriter:
    """Cuts messages into chunks, with the shortest headers that say it all."""

    def __init__(self) -> None:
        self._chunk_size = _FIRST_CHUNK_SIZE
        self._sent: dict[int, _Sent] = {}

    def set_chunk_size(self, size: int) -> bytes:
        """The message that says so; what follows it is cut that long."""
        told = self.write(CONTROL_CHUNK_STREAM, control(Kind.SET_CHUNK_SIZE, size.to_bytes(4, "big")))
        self._chunk_size = size
        return told

    def write(self, number: int, message: Message) -> bytes:
        """The chunks of a message on chunk stream `number` (2 to 65599)."""
        kind, time_ms, step_ms = self._header_type(self._sent.get(number), message)
        self._sent[number] = _Sent(message, step_ms)
        payload = message.payload
        fields = (
            min(time_ms, _EXTENDED).to_bytes(3, "big")
            + len(payload).to_bytes(3, "big")
            + bytes((message.kind,))
            + message.stream_id.to_bytes(4, "little")
        )
        extended = time_ms.to_bytes(4, "big") if time_ms >= _EXTENDED else b""
        parts = [
            _basic_header(kind, number),
            fields[: _HEADER_BYTES[kind]],
            extended,
            payload[: self._chunk_size],
        ]
        for at in range(self._chunk_size, len(payload), self._chunk_size):
            parts += _basic_header(3, number), extended, payload[at : at + self._chunk_size]
        return b"".join(parts)

    @staticmethod
    def _header_type(sent: _Sent | None, message: Message) -> tuple[int, int, int | None]:
        """Header type, the time to put into it, and the step from the message before."""
        before = sent.message if sent else None
        if (
            before is None
            or before.stream_id != message.stream_id
            or message.timestamp_ms < before.timestamp_ms
        ):
            return 0, message.timestamp_ms, None
        step_ms = message.timestamp_ms - before.timestamp_ms
        if (before.kind, len(before.payload)) != (message.kind, len(message.payload)):
            return 1, step_ms, step_ms
        # Not everybody reads type 3 after type 0 as RTMP 5.3.1.2.4 has it, so it is not sent there.
        return 3 if sent and sent.step_ms == step_ms else 2, step_ms, step_ms


def _basic_header(kind: int, number: int) -> bytes:
    """RTMP 5.3.1.1."""
    if number < 64:
        return bytes((kind << 6 | number,))
    if number <= _LARGEST_TWO_BYTE_ID:
        return bytes((kind << 6, number - 64))
    return bytes((kind << 6 | 1,)) + (number - 64).to_bytes(2, "little")
