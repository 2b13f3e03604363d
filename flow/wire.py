"""Bus items <-> bytes, versioned: what crosses process boundaries and lies in Redis.

Every message starts with the same four bytes, then comes the body:

    0  2  magic "LB"
    2  1  version: another one means an incompatible form
    3  1  type id (`_TYPES`)

An AccessUnit has a binary body, because it crosses 30 times a second and more: header length, fixed fields,
feed id, then the picture's bytes as they are. Everything else is a JSON object of its dataclass fields, read
back by its type hints. Within one version forms may only grow: unknown fields and longer headers are skipped,
missing fields take their default.
"""

from __future__ import annotations

import binascii
import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import MISSING, fields
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from .bus import Item
from .errors import MalformedError
from .flights import (
    Alarm,
    Armed,
    Disarmed,
    FlightEnded,
    FlightStarted,
    KeyframeWanted,
    Marker,
    PictureHealth,
    RecordingSwitch,
    RenditionState,
    RenditionWanted,
    SourceState,
)
from .recording import RecordingState, StorageState
from .samples import (
    ForwardState,
    LinkState,
    Metadata,
    OutputState,
    RawTelemetry,
    StatusText,
    TelemetrySample,
)
from .units import AccessUnit, Codec, Rendition, UtcOrigin

MAGIC = b"LB"
VERSION = 1

_TYPES: dict[int, type[Any]] = {  # ids are for ever: never change one, never use one again
    1: AccessUnit,
    2: RawTelemetry,
    3: TelemetrySample,
    4: SourceState,
    5: LinkState,
    6: KeyframeWanted,
    7: RenditionWanted,
    8: RenditionState,
    9: PictureHealth,
    10: Metadata,
    11: ForwardState,
    12: OutputState,
    13: RecordingState,
    14: StorageState,
    16: Armed,
    17: Disarmed,
    18: RecordingSwitch,
    19: Marker,
    20: Alarm,
    21: FlightStarted,
    22: FlightEnded,
    23: StatusText,
}
_TYPE_IDS = {kind: type_id for type_id, kind in _TYPES.items()}
_NAMED = {kind.__name__: type_id for type_id, kind in _TYPES.items() if kind is not AccessUnit}

_PREFIX = struct.Struct("!2sBB")
_PREFIXES = {kind: _PREFIX.pack(MAGIC, VERSION, type_id) for kind, type_id in _TYPE_IDS.items()}


def encode(item: Item) -> bytes:
    """The wire form of `item`. Raises struct.error where an integer of an AccessUnit exceeds 64 bits."""
    if isinstance(item, AccessUnit):
        return b"".join((_unit_header(item), item.data))
    return _PREFIXES[type(item)] + _JSON.encode(_fields_of(item)).encode("ascii")


def decode(message: bytes) -> Item:
    """The item in `message`. Raises MalformedError with what is wrong, and nothing else."""
    if len(message) < _PREFIX.size:
        raise MalformedError(
            f"wire: {len(message)} bytes are no message, the prefix alone has {_PREFIX.size}"
        )
    magic, version, type_id = _PREFIX.unpack_from(message)
    if magic != MAGIC:
        raise MalformedError(f"wire: message starts with {magic.hex()}, not {MAGIC.hex()}")
    if version != VERSION:
        raise MalformedError(f"wire: version {version}, this program speaks {VERSION}")
    if type_id not in _TYPES:
        raise MalformedError(f"wire: unknown type id {type_id}")
    return (
        _decode_unit(message)
        if _TYPES[type_id] is AccessUnit
        else _decode_json(type_id, message[_PREFIX.size :])
    )


def wire_size(item: Item) -> int:
    """`len(encode(item))`, without copying a picture."""
    if isinstance(item, AccessUnit):
        return _UNIT.size + len(item.feed_id) + len(item.data)
    return len(encode(item))


# --- AccessUnit ---------------------------------------------------------------------------------------------

_UNIT = struct.Struct("!2sBB HBBBBB qqqqq")
"""Prefix; header length (feed id included), codec, rendition, origin, keyframe, length of the feed id;
epoch, seq, dts_90k, pts_90k, utc_ns. The feed id (ASCII) ends the header as this version knows it."""

_CODECS = (Codec.H264, Codec.H265)  # the index is the code on the wire: only ever append
_RENDITIONS = (Rendition.SOURCE, Rendition.WEB, Rendition.LOW)
_ORIGINS = (UtcOrigin.SOURCE, UtcOrigin.ARRIVAL)
_CODEC_CODES = {codec: code for code, codec in enumerate(_CODECS)}
_RENDITION_CODES = {rendition: code for code, rendition in enumerate(_RENDITIONS)}
_ORIGIN_CODES = {origin: code for code, origin in enumerate(_ORIGINS)}


def _unit_header(unit: AccessUnit) -> bytes:
    feed_id = unit.feed_id.encode("ascii")
    fixed = _UNIT.pack(
        MAGIC,
        VERSION,
        _TYPE_IDS[AccessUnit],
        _UNIT.size + len(feed_id),
        _CODEC_CODES[unit.codec],
        _RENDITION_CODES[unit.rendition],
        _ORIGIN_CODES[unit.utc_origin],
        unit.keyframe,
        len(feed_id),
        unit.epoch,
        unit.seq,
        unit.dts_90k,
        unit.pts_90k,
        unit.utc_ns,
    )
    return fixed + feed_id


def _decode_unit(message: bytes) -> AccessUnit:
    if len(message) < _UNIT.size:
        raise MalformedError(f"wire: AccessUnit of {len(message)} bytes, its header alone has {_UNIT.size}")
    _, _, _, header_length, codec, rendition, origin, keyframe, id_length, *numbers = _UNIT.unpack_from(
        message
    )
    id_end = _UNIT.size + id_length
    if not id_end <= header_length <= len(message):
        raise MalformedError(
            f"wire: AccessUnit says {header_length} header bytes, needs {id_end}, has {len(message)} in all"
        )
    epoch, seq, dts_90k, pts_90k, utc_ns = numbers
    try:
        return AccessUnit(
            feed_id=message[_UNIT.size : id_end].decode("ascii"),
            rendition=_RENDITIONS[rendition],
            codec=_CODECS[codec],
            epoch=epoch,
            seq=seq,
            dts_90k=dts_90k,
            pts_90k=pts_90k,
            utc_ns=utc_ns,
            utc_origin=_ORIGINS[origin],
            keyframe=bool(keyframe),
            data=message[header_length:],
        )
    except IndexError:
        codes = f"codec {codec}, rendition {rendition}, origin {origin}"
        raise MalformedError(f"wire: AccessUnit with an unknown code among {codes}") from None
    except UnicodeDecodeError:
        raise MalformedError("wire: AccessUnit whose feed id is not ASCII") from None


# --- everything else: JSON, driven by the dataclasses' type hints -------------------------------------------

_Read: TypeAlias = Callable[[Any, str], Any]
"""Turns a JSON value into a field's value; the second argument says where, for the error."""


def _fields_of(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _plain(value: Any) -> Any:
    """What JSON lacks. It writes a StrEnum as its string and a tuple as a list by itself."""
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    return _fields_of(value)


_JSON = json.JSONEncoder(default=_plain, separators=(",", ":"))


def decode_named(name: str, body: bytes) -> Item:
    """The item of the type called `name` whose JSON `body` is: what `encode` puts behind the prefix.

    Raises MalformedError; an AccessUnit has no such form.
    """
    type_id = _NAMED.get(name)
    if type_id is None:
        raise MalformedError(f"wire: no type '{name[:40]}' that is told in JSON")
    return cast(Item, _decode_json(type_id, body))


def _decode_json(type_id: int, body: bytes) -> Any:
    name = _TYPES[type_id].__name__
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"wire: {name} is no JSON: {error}") from None
    return _READERS[type_id](value, name)


def _reader_of(hint: Any) -> _Read:
    """Build the function that reads values of this type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (UnionType, Union):
        return _optional(*args)
    if origin is tuple:
        return _tuple_of(args[0])
    if origin is dict:
        return _dict_of(*args)
    if hint in _SCALARS:
        return _SCALARS[hint]
    return _enum(hint) if issubclass(hint, Enum) else _dataclass(hint)


def _mismatch(where: str, wanted: str, value: Any) -> MalformedError:
    return MalformedError(f"wire: {where} must be {wanted}, is {str(value)[:40]!r}")


def _exactly(kind: type[Any]) -> _Read:
    def read(value: Any, where: str) -> Any:
        if type(value) is not kind:  # not isinstance: a bool is no int here
            raise _mismatch(where, kind.__name__, value)
        return value

    return read


def _float(value: Any, where: str) -> float:
    if type(value) not in (int, float):
        raise _mismatch(where, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise _mismatch(where, "a float", "a huge integer") from None


def _bytes(value: Any, where: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise _mismatch(where, "base64", value) from None


_SCALARS: dict[type[Any], _Read] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _float,
    bytes: _bytes,
}


def _optional(*alternatives: Any) -> _Read:
    (hint,) = (alternative for alternative in alternatives if alternative is not NoneType)
    read = _reader_of(hint)
    return lambda value, where: None if value is None else read(value, where)


def _tuple_of(hint: Any) -> _Read:
    read_element = _reader_of(hint)

    def read(value: Any, where: str) -> tuple[Any, ...]:
        if type(value) is not list:
            raise _mismatch(where, "a list", value)
        return tuple(read_element(element, where) for element in value)

    return read


def _dict_of(key_hint: Any, value_hint: Any) -> _Read:
    read_key, read_value = _reader_of(key_hint), _reader_of(value_hint)

    def read(value: Any, where: str) -> dict[Any, Any]:
        if type(value) is not dict:
            raise _mismatch(where, "an object", value)
        return {read_key(key, where): read_value(entry, where) for key, entry in value.items()}

    return read


def _enum(kind: type[Enum]) -> _Read:
    def read(value: Any, where: str) -> Enum:
        try:
            return kind(value)
        except ValueError:
            raise _mismatch(where, f"a {kind.__name__}", value) from None

    return read


def _dataclass(kind: type[Any]) -> _Read:
    hints = get_type_hints(kind)
    readers = {field.name: _reader_of(hints[field.name]) for field in fields(kind)}
    required = {
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    }

    def read(value: Any, where: str) -> Any:
        if type(value) is not dict:
            raise _mismatch(where, "an object", value)
        missing = required - value.keys()
        if missing:
            raise MalformedError(f"wire: {where} lacks {', '.join(sorted(missing))}")
        known = readers.keys() & value.keys()
        return kind(**{name: readers[name](value[name], f"{where}.{name}") for name in known})

    return read


_READERS = {type_id: _dataclass(kind) for type_id, kind in _TYPES.items()}
"""Built once, when this is imported; decoding only calls them."""

# --- streams: socket pairs and pipes ------------------------------------------------------------------------

FRAME_LIMIT_BYTES = 32 * 1024 * 1024
"""No picture is that large; a length beyond it means the stream is not ours or has lost its place."""

_LENGTH = struct.Struct("!I")


def frame(message: bytes) -> bytes:
    """`message` with its length before it (32 bits, big-endian), for a stream."""
    return _LENGTH.pack(len(message)) + message


class Deframer:
    """Cuts a byte stream of `frame`s back into messages, however it was sliced on its way."""

    def __init__(self, limit_bytes: int = FRAME_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()

    def push(self, data: bytes) -> list[bytes]:
        """Every message that is complete now. Raises MalformedError past the limit, and from then on."""
        self._buffer += data
        messages: list[bytes] = []
        start = 0
        while (end := self._frame_end(start)) is not None:
            messages.append(bytes(self._buffer[start + _LENGTH.size : end]))
            start = end
        del self._buffer[:start]
        return messages

    def _frame_end(self, start: int) -> int | None:
        if len(self._buffer) - start < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer, start)
        if length > self._limit_bytes:
            raise MalformedError(f"wire: frame of {length} bytes, the limit is {self._limit_bytes}")
        end = start + _LENGTH.size + int(length)
        return end if end <= len(self._buffer) else None
