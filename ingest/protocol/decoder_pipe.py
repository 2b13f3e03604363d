"""What ingest and the process that decodes one feed (picture_decoder.py) tell each other, as bytes.

Each message is a kind of one byte and its body, in a frame of flow/wire.py.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from typing import TypeAlias

from flow import wire
from flow.errors import MalformedError
from flow.units import AccessUnit, UtcOrigin

from .health import Figures


@dataclass(frozen=True, slots=True)
class Picture:
    """To the decoder: the next picture of a run that began with a keyframe, or a keyframe `alone`."""

    unit: AccessUnit
    alone: bool = False


@dataclass(frozen=True, slots=True)
class StillWanted:
    """To the decoder: answer with the newest picture, once what came before this is decoded."""


@dataclass(frozen=True, slots=True)
class StillMade:
    """From the decoder: the newest picture it has. `pts_90k` tells it from others of the feed."""

    pts_90k: int
    utc_ns: int
    utc_origin: UtcOrigin
    width_px: int
    height_px: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class NoStill:
    """From the decoder: nothing could be decoded yet, for this reason (one line)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Looked:
    """From the decoder: what a sample of the pictures looks like."""

    figures: Figures


Message: TypeAlias = Picture | StillWanted | StillMade | NoStill | Looked

_ORIGINS = (UtcOrigin.SOURCE, UtcOrigin.ARRIVAL)
_STILL = struct.Struct("!qqBII")
_FIGURES = struct.Struct("!qddddd")


def encode(message: Message) -> bytes:
    """The message in its frame, ready for the socket."""
    match message:
        case Picture(unit, alone):
            kind, body = b"A" if alone else b"P", wire.encode(unit)
        case StillWanted():
            kind, body = b"W", b""
        case StillMade(pts, utc_ns, origin, width, height, jpeg):
            kind = b"S"
            body = _STILL.pack(pts, utc_ns, _ORIGINS.index(origin), width, height) + jpeg
        case NoStill(reason):
            kind, body = b"N", reason.encode()
        case Looked(figures):
            kind, body = b"L", _FIGURES.pack(*astuple(figures))
    return wire.frame(kind + body)


def decode(message: bytes) -> Message:
    """The message back, out of its frame. Raises MalformedError if it is none."""
    kind, body = message[:1], message[1:]
    try:
        match kind:
            case b"A" | b"P":
                return Picture(_unit(body), alone=kind == b"A")
            case b"W":
                return StillWanted()
            case b"S":
                pts, utc_ns, origin, width, height = _STILL.unpack_from(body)
                return StillMade(pts, utc_ns, _ORIGINS[origin], width, height, body[_STILL.size :])
            case b"N":
                return NoStill(body.decode())
            case b"L":
                return Looked(Figures(*_FIGURES.unpack(body)))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise MalformedError(f"an unreadable message of the decoder: {error}") from None
    raise MalformedError(f"a message of unknown kind {kind!r} of the decoder")


def _unit(body: bytes) -> AccessUnit:
    unit = wire.decode(body)
    if not isinstance(unit, AccessUnit):
        raise MalformedError(f"the decoder takes pictures, not {type(unit).__name__}")
    return unit
