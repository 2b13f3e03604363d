"""What the process that reads a container file (av_reader.py) tells the one that plays it, as bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

from flow.codec.annexb import ACCESS_UNIT_LIMIT_BYTES
from flow.codec.klv import SET_LIMIT_BYTES
from flow.errors import MalformedError
from flow.samples import MetadataKind
from flow.units import Codec

from .events import StreamInfo


@dataclass(frozen=True, slots=True)
class Begin:
    """The file is open: its codec, and the parameter sets that stand beside its pictures, as Annex B."""

    codec: Codec
    parameter_sets: bytes


@dataclass(frozen=True, slots=True)
class BeginForeign:
    """The file is open: its pictures are of a codec that does not travel."""

    info: StreamInfo


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture (as Annex B, if its codec travels) with its times in 90 kHz ticks, which run on from one
    pass to the next."""

    pts: int
    dts: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Beside:
    """One unit of a metadata track, with its time as of a Sample; None where the file does not say."""

    kind: MetadataKind
    pts: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Remark:
    """One line for whoever runs this: what beside the file is passed over, and why."""

    detail: str


@dataclass(frozen=True, slots=True)
class End:
    """The file is at its end."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The file cannot be read (on): a reason code and one line."""

    reason: str
    detail: str


Message: TypeAlias = Begin | BeginForeign | Sample | Beside | Remark | End | Failure

PREFIX = struct.Struct("!cI")  # kind, length of what follows
_SIZE = struct.Struct("!II")
_TIMES = struct.Struct("!qq")
_BESIDE = struct.Struct("!?q4s")  # whether it has a time, its time, its kind
BESIDE_LIMIT_BYTES = SET_LIMIT_BYTES
_LENGTH_LIMIT = ACCESS_UNIT_LIMIT_BYTES + _TIMES.size


def encode(message: Message) -> bytes:
    """The message as bytes."""
    match message:
        case Begin(codec, parameter_sets):
            kind, body = b"B", codec.encode("ascii") + b"\n" + parameter_sets
        case BeginForeign(info):
            size = _SIZE.pack(info.width_px, info.height_px)
            kind, body = b"X", size + info.codec.encode("ascii") + b"\n" + info.extradata
        case Sample(pts, dts, data):
            kind, body = b"S", _TIMES.pack(pts, dts) + data
        case Beside(metadata, at, data):
            head = _BESIDE.pack(at is not None, at or 0, metadata.encode("ascii"))
            kind, body = b"M", head + data
        case Remark(detail):
            kind, body = b"R", detail.encode("utf-8", "replace")
        case End():
            kind, body = b"E", b""
        case Failure(reason, detail):
            kind, body = b"F", f"{reason}\n{detail}".encode()
    return PREFIX.pack(kind, len(body)) + body


def body_length(prefix: bytes) -> int:
    """How many bytes follow a prefix. Raises MalformedError where no message is that long."""
    _, length = PREFIX.unpack(prefix)
    if length > _LENGTH_LIMIT:
        raise MalformedError(f"a message of {length} bytes from the file reader")
    return int(length)


def decode(prefix: bytes, body: bytes) -> Message:
    """The message back. Raises MalformedError if it is none."""
    kind, _ = PREFIX.unpack(prefix)
    try:
        match kind:
            case b"B":
                codec, _, parameter_sets = body.partition(b"\n")
                return Begin(Codec(codec.decode("ascii")), parameter_sets)
            case b"X":
                codec, _, extradata = body[_SIZE.size :].partition(b"\n")
                return BeginForeign(StreamInfo(codec.decode("ascii"), extradata, *_SIZE.unpack_from(body)))
            case b"S":
                pts, dts = _TIMES.unpack_from(body)
                return Sample(pts, dts, body[_TIMES.size :])
            case b"M":
                timed, at, metadata = _BESIDE.unpack_from(body)
                name = MetadataKind(metadata.rstrip(b"\0").decode("ascii"))
                return Beside(name, at if timed else None, body[_BESIDE.size :])
            case b"R":
                return Remark(body.decode())
            case b"E":
                return End()
            case b"F":
                reason, _, detail = body.decode().partition("\n")
                return Failure(reason, detail)
    except (ValueError, struct.error) as error:
        raise MalformedError(f"an unreadable message from the file reader: {error}") from None
    raise MalformedError(f"a message of unknown kind {kind!r} from the file reader")
