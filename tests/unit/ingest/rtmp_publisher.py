"""What an RTMP encoder sends, byte by byte, and what it is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flow.codec.annexb import split_nal_units
from ingest.protocol.rtmp import amf0
from ingest.protocol.rtmp.chunks import ChunkReader, ChunkWriter
from ingest.protocol.rtmp.messages import Kind, Message

from .material import Coded

HELLO = b"\x03" + bytes(range(256)) * 6  # C0 and C1, with a version number as digests need it
C2 = bytes(1536)
COMMANDS = 3
MEDIA = 4

ALL_KINDS = dict.fromkeys(range(256), 1 << 24)


class RtmpPublisher:
    """Makes bytes to send; `hear()` reads the answers."""

    def __init__(self) -> None:
        self.writer = ChunkWriter()
        self._reader = ChunkReader(ALL_KINDS)
        self._handshake = b""

    def command(self, *values: amf0.Value, stream_id: int = 0, kind: Kind = Kind.COMMAND_AMF0) -> bytes:
        prefix = b"\x00" if kind is Kind.COMMAND_AMF3 else b""
        return self.message(kind, prefix + amf0.write(*values), stream_id=stream_id, chunk_stream=COMMANDS)

    def message(
        self, kind: Kind, payload: bytes, at_ms: int = 0, stream_id: int = 1, chunk_stream: int = MEDIA
    ) -> bytes:
        return self.writer.write(chunk_stream, Message(kind, stream_id, at_ms, payload))

    def connect(self, more: dict[str, amf0.Value] | None = None) -> bytes:
        return self.command("connect", 1, {"app": "live", "tcUrl": "rtmp://127.0.0.1/live", **(more or {})})

    def publish(self, name: str = "tag?key=k-tag") -> bytes:
        """What comes between connect and the pictures."""
        return b"".join(
            (
                self.command("releaseStream", 2, None, name),
                self.command("FCPublish", 3, None, name),
                self.command("createStream", 4, None),
                self.command("publish", 5, None, name, "live", stream_id=1),
            )
        )

    def opening(self, name: str = "tag?key=k-tag") -> bytes:
        """Everything before the pictures, sent without waiting for anything."""
        return HELLO + C2 + self.connect() + self.publish(name)

    def pictures(self, coded: Iterable[Coded], start_ms: int = 0) -> Iterator[bytes]:
        """A sequence header and a message for each picture, 25 a second."""
        pictures = list(coded)
        yield self.message(Kind.VIDEO, sequence_header(pictures[0].data), start_ms)
        for index, picture in enumerate(pictures):
            yield self.message(
                Kind.VIDEO, nal_units(picture.data, keyframe=index == 0), start_ms + 40 * index
            )

    def hear(self, data: bytes) -> list[Message]:
        """The messages in an answer, after the handshake."""
        if len(self._handshake) < 3073:
            missing = 3073 - len(self._handshake)
            self._handshake, data = self._handshake + data[:missing], data[missing:]
        return list(self._reader.read(data))


def commands(messages: Iterable[Message]) -> list[list[amf0.Value]]:
    """What is said in them."""
    return [amf0.read(message.payload) for message in messages if message.kind == Kind.COMMAND_AMF0]


def sequence_header(annexb: bytes) -> bytes:
    """An FLV video tag with the avcC of a stream that begins with these H.264 parameter sets."""
    sets = [nal for nal in split_nal_units(annexb) if nal[0] & 0x1F in (7, 8)]
    sps, pps = sets
    record = b"".join(
        (
            bytes((1, *sps[1:4], 0xFF, 0xE1)),
            len(sps).to_bytes(2, "big") + sps,
            b"\x01" + len(pps).to_bytes(2, "big") + pps,
        )
    )
    return b"\x17\x00\x00\x00\x00" + record


def nal_units(annexb: bytes, *, keyframe: bool = False, composition_ms: int = 0) -> bytes:
    """An FLV video tag with one H.264 picture."""
    nals = [nal for nal in split_nal_units(annexb) if nal[0] & 0x1F not in (7, 8)]
    head = bytes((0x17 if keyframe else 0x27, 1)) + composition_ms.to_bytes(3, "big", signed=True)
    return head + b"".join(len(nal).to_bytes(4, "big") + nal for nal in nals)
