"""One publisher's connection, from its handshake to its last picture (RTMP 1.0, 7.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.annexb import ACCESS_UNIT_LIMIT_BYTES
from flow.errors import MalformedError, RefusedError
from ingest.protocol.events import Heard, SourceEvent, Unusable

from . import amf0
from .address import feed_and_key
from .chunks import ChunkReader, ChunkWriter
from .handshake import Handshake
from .messages import (
    COMMAND_CHUNK_STREAM,
    CONTROL_CHUNK_STREAM,
    Kind,
    Message,
    acknowledgement,
    parts,
    pong,
    stream_begin,
    window,
)
from .video import VideoTags

BEFORE_PUBLISHING_BYTES = 64 * 1024
"""Nobody needs more to say what it wants."""

OPENING_NS = 10 * NS_PER_S
SILENCE_NS = 10 * NS_PER_S
FAREWELL_NS = 2 * NS_PER_S
"""So long a refused publisher may take to read why, and to hang up."""

_COMMAND_LIMIT_BYTES = 16 * 1024
_CONTROL_LIMIT_BYTES = 64
_KEPT: dict[int, int] = {
    Kind.USER_CONTROL: _CONTROL_LIMIT_BYTES,
    Kind.WINDOW_ACKNOWLEDGEMENT_SIZE: _CONTROL_LIMIT_BYTES,
    Kind.COMMAND_AMF0: _COMMAND_LIMIT_BYTES,
    Kind.COMMAND_AMF3: _COMMAND_LIMIT_BYTES,
    Kind.VIDEO: ACCESS_UNIT_LIMIT_BYTES,
    Kind.AGGREGATE: ACCESS_UNIT_LIMIT_BYTES,
}
_COST: dict[int, int] = {Kind.VIDEO: 1, Kind.COMMAND_AMF0: 20, Kind.COMMAND_AMF3: 20}
_PUBLISH_COST = 400  # a feed that begins is told to everybody, and logged
COST_MOST = 2000
"""What one connection may ask for within a second of ours: so many pictures, 100 commands, 4 beginnings. A
camera that was held back on its way for half a minute sends fewer at once."""
_CHUNK_SIZE = 65_536
_WINDOW_BYTES = 2_500_000
_HEARD_EVERY_NS = 100 * NS_PER_MS
_STREAMS_MOST = 16

_SERVER: dict[str, amf0.Value] = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31}
_CAN_FORWARD, _MOD_EX = 4, 4
_ENHANCED: dict[str, amf0.Value] = {
    "fourCcList": ["avc1", "hvc1"],
    "videoFourCcInfoMap": {"avc1": _CAN_FORWARD, "hvc1": _CAN_FORWARD},
    "capsEx": _MOD_EX,
}
"""What we can do of Enhanced RTMP v2, "Enhancing NetConnection connect Command"."""


@dataclass(frozen=True, slots=True)
class PublishRequested:
    """A publisher wants to send; `accept()` or `refuse()` it before the next event is taken."""

    feed_id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unpublished:
    """The publisher has said that it sends no more; it may begin again."""


Event: TypeAlias = PublishRequested | Unpublished | SourceEvent


class State(Enum):
    """What the connection is good for."""

    HANDSHAKE = "handshake"
    OPEN = "open"  # connect is awaited
    CONNECTED = "connected"  # publish is awaited
    ASKED = "asked"  # our answer to publish is
    PUBLISHING = "publishing"
    REFUSED = "refused"  # whatever comes is ignored; the peer may hang up


LEGAL: dict[State, frozenset[State]] = {
    State.HANDSHAKE: frozenset({State.OPEN}),
    State.OPEN: frozenset({State.CONNECTED}),
    State.CONNECTED: frozenset({State.ASKED, State.REFUSED}),
    State.ASKED: frozenset({State.PUBLISHING, State.REFUSED}),
    State.PUBLISHING: frozenset({State.CONNECTED, State.REFUSED}),
    State.REFUSED: frozenset(),
}


class PublishSession:
    """The server's side of one connection: bytes in, events and bytes out."""

    def __init__(self, nonce: bytes, now_ns: int) -> None:
        """`nonce`: handshake.NONCE_BYTES of chance."""
        self.state = State.HANDSHAKE
        self._handshake = Handshake(nonce)
        self._reader = ChunkReader(_KEPT)
        self._writer = ChunkWriter()
        self._output: list[bytes] = []
        self._since_ns = now_ns  # when what is awaited began to be, or was last seen
        self._app = self._tc_url = ""
        self._streams = 0
        self._stream_id = 0  # the one that is published on
        self._unasked = 0  # bytes of one that may not publish (yet)
        self._received = self._acknowledged = 0
        self._window = _WINDOW_BYTES
        self._video = VideoTags()
        self._has_video = False
        self._told_ns = 0  # when an event was last told
        self._cost = 0  # since _cost_ns
        self._cost_ns = now_ns

    def receive(self, data: bytes, now_ns: int) -> Iterator[Event]:
        """Take what came. Events are made as they are taken, so all must be. Raises MalformedError.

        Nothing is read of what follows a refusal.
        """
        if self._refused:
            return
        self._unasked = 0 if self._publishing else self._unasked + len(data)
        rest = self._handshake.receive(data) if self.state is State.HANDSHAKE else data
        if rest is not None:
            if self.state is State.HANDSHAKE:
                self._become(State.OPEN)
            yield from self._messages(rest, now_ns)
        if self._unasked > BEFORE_PUBLISHING_BYTES and not (self._publishing or self._refused):
            raise MalformedError(f"more than {BEFORE_PUBLISHING_BYTES} bytes before anything was published")

    def data_to_send(self) -> bytes:
        """What is to be sent now, once."""
        output, self._output = self._handshake.data_to_send() + b"".join(self._output), []
        return output

    def accept(self, now_ns: int) -> None:
        """The publisher may send."""
        self._become(State.PUBLISHING)
        self._since_ns = self._told_ns = now_ns
        self._video, self._has_video = VideoTags(), False
        self._send(CONTROL_CHUNK_STREAM, stream_begin(self._stream_id))
        self._status("status", "NetStream.Publish.Start", "The feed takes your pictures.")

    def refuse(self, reason: str, now_ns: int) -> None:
        """The publisher may not send (any more); `reason` is told, in plain words."""
        self._end("NetStream.Publish.BadName", reason, now_ns)

    def overdue(self, now_ns: int) -> str:
        """What did not come in time, after which the connection is to be ended; "" for nothing."""
        limit_ns, what = OPENING_NS, "nothing was published"
        if self._publishing:
            limit_ns, what = SILENCE_NS, "neither pictures nor sound came"
        elif self._refused:
            limit_ns, what = FAREWELL_NS, "refused, it did not hang up"
        is_late = now_ns - self._since_ns >= limit_ns
        return f"{what} for {limit_ns // NS_PER_S} s" if is_late else ""

    @property
    def _publishing(self) -> bool:
        return self.state is State.PUBLISHING

    @property
    def _refused(self) -> bool:
        return self.state is State.REFUSED

    def _messages(self, data: bytes, now_ns: int) -> Iterator[Event]:
        self._received += len(data)
        for message in self._reader.read(data):
            yield from self._message(message, now_ns)
            if self._refused:
                return
        if self._received - self._acknowledged >= self._window:
            self._acknowledged = self._received
            self._send(CONTROL_CHUNK_STREAM, acknowledgement(self._received))
        if (
            self._publishing
            and now_ns - self._told_ns >= _HEARD_EVERY_NS
            and self._reader.is_within(Kind.VIDEO)
        ):
            self._told_ns = now_ns
            yield Heard()  # a large picture on a slow way is no silence

    def _message(self, message: Message, now_ns: int) -> Iterator[Event]:
        self._spend(_COST.get(message.kind, 0), now_ns)
        match message.kind:
            case Kind.AGGREGATE if self._publishing:
                for part in parts(message):
                    self._spend(1, now_ns)
                    if part.kind in (Kind.VIDEO, Kind.AUDIO):
                        yield from self._message(part, now_ns)
            case Kind.VIDEO | Kind.AUDIO if self._publishing:
                self._since_ns = self._told_ns = now_ns
                yield from self._media(message, now_ns)
            case Kind.COMMAND_AMF0:
                yield from self._command(message.stream_id, message.payload, now_ns)
            case Kind.COMMAND_AMF3:  # a byte that says: what follows is AMF 0
                yield from self._command(message.stream_id, message.payload[1:], now_ns)
            case Kind.USER_CONTROL:
                if (answer := pong(message.payload)) is not None:
                    self._send(CONTROL_CHUNK_STREAM, answer)
            case Kind.WINDOW_ACKNOWLEDGEMENT_SIZE:
                self._window = int.from_bytes(message.payload[:4], "big") or _WINDOW_BYTES

    def _spend(self, cost: int, now_ns: int) -> None:
        if now_ns - self._cost_ns >= NS_PER_S:
            self._cost, self._cost_ns = 0, now_ns
        self._cost += cost
        if self._cost > COST_MOST:
            raise MalformedError("thousands of messages a second, or hundreds of commands")

    def _media(self, message: Message, now_ns: int) -> Sequence[SourceEvent]:
        if message.kind == Kind.VIDEO:
            self._has_video = True
            return self._video.take(message.payload, message.timestamp_ms, now_ns)
        return [] if self._has_video else [Unusable("no_video", "sound, and no video with it")]

    def _command(self, stream_id: int, payload: bytes, now_ns: int) -> Iterator[Event]:
        name, transaction, *values = [*amf0.read(payload), None, None]
        if not isinstance(name, str) or not isinstance(transaction, float):
            raise MalformedError("a command without a name or a transaction (RTMP 7.2)")
        if (name == "connect") is not (self.state is State.OPEN):
            raise MalformedError("a connection begins with connect, once (RTMP 7.2.1.1)")
        match name:
            case "connect":
                self._connect(transaction, values[0])
            case "releaseStream" | "_checkbw":
                self._answer(transaction, None)
            case "FCPublish":
                self._answer(transaction, None)
                self._tell("onFCPublish", 0, _status("status", "NetStream.Publish.Start", ""))
            case "createStream":
                self._create_stream(transaction)
            case "publish":
                yield from self._publish(stream_id, values[1], now_ns)
            case "play" | "play2" if self.state is State.CONNECTED:
                self._stream_id = stream_id
                self._end(
                    "NetStream.Play.Failed", "Pictures are only taken here; watch them in a browser.", now_ns
                )
            case "FCUnpublish" | "closeStream" | "deleteStream" if self._publishing:
                self._become(State.CONNECTED)
                self._since_ns, self._unasked = now_ns, 0
                self._status("status", "NetStream.Unpublish.Success", "")
                yield Unpublished()

    def _connect(self, transaction: float, value: amf0.Value) -> None:
        asked = value if isinstance(value, dict) else {}
        self._app, self._tc_url = _text(asked.get("app")), _text(asked.get("tcUrl"))
        self._become(State.CONNECTED)
        for message in window(_WINDOW_BYTES):
            self._send(CONTROL_CHUNK_STREAM, message)
        self._output.append(self._writer.set_chunk_size(_CHUNK_SIZE))
        enhanced = _ENHANCED if _ENHANCED.keys() & asked.keys() else {}
        told = _status("status", "NetConnection.Connect.Success", "")
        self._answer(transaction, {**_SERVER, **enhanced}, {**told, "objectEncoding": 0, **enhanced})

    def _create_stream(self, transaction: float) -> None:
        self._streams += 1
        if self._streams > _STREAMS_MOST:
            raise MalformedError(f"more than {_STREAMS_MOST} streams on one connection")
        self._answer(transaction, None, self._streams)

    def _publish(self, stream_id: int, name: amf0.Value, now_ns: int) -> Iterator[Event]:
        if self.state is not State.CONNECTED:
            raise MalformedError("a second stream is published on one connection")
        self._spend(_PUBLISH_COST, now_ns)
        self._stream_id = stream_id
        self._become(State.ASKED)
        try:
            yield PublishRequested(*feed_and_key(self._app, self._tc_url, _text(name)))
        except RefusedError as error:
            self.refuse(str(error), now_ns)

    def _end(self, code: str, reason: str, now_ns: int) -> None:
        self._become(State.REFUSED)
        self._since_ns = now_ns
        self._status("error", code, reason)

    def _status(self, level: str, code: str, description: str) -> None:
        """Tell how the stream is (RTMP 7.2.2)."""
        self._tell("onStatus", self._stream_id, _status(level, code, description))

    def _answer(self, transaction: float, *values: amf0.Value) -> None:
        """The result of a command (RTMP 7.2.1)."""
        self._send_command(0, "_result", transaction, *values)

    def _tell(self, name: str, stream_id: int, status: dict[str, amf0.Value]) -> None:
        self._send_command(stream_id, name, 0, None, status)

    def _send_command(self, stream_id: int, *values: amf0.Value) -> None:
        self._send(COMMAND_CHUNK_STREAM, Message(Kind.COMMAND_AMF0, stream_id, 0, amf0.write(*values)))

    def _send(self, chunk_stream: int, message: Message) -> None:
        self._output.append(self._writer.write(chunk_stream, message))

    def _become(self, state: State) -> None:
        if state not in LEGAL[self.state]:
            raise ValueError(f"an RTMP connection cannot go from {self.state.name} to {state.name}")
        self.state = state


def _status(level: str, code: str, description: str) -> dict[str, amf0.Value]:
    return {"level": level, "code": code, "description": description}


def _text(value: amf0.Value) -> str:
    return value if isinstance(value, str) else ""
