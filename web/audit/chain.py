"""The chain: every line holds the hash of the line before. No I/O, no clock.

A line is one JSON object in UTF-8, its members in one order, with nothing between them. Its last member is

    ,"hash":"<64 hexadecimal digits>"}

and that is the SHA-256 of the bytes of the line before these 75. `prev` is the hash of the line before, 64
zeros in the very first; `seq` rises by one. So whoever changes a bit of one has to write all that follow
anew.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from flow.clock import NS_PER_S
from web.access.audit import Detail, Entry
from web.access.caller import CallerKind

ORIGIN = "0" * 64
"""What the very first line has for the hash of the line before."""

LINE_MOST_BYTES = 64 * 1024
TEXT_MOST = 300
PARTS_MOST = 40
_HASH_AT = b',"hash":"'
_TAIL_BYTES = len(_HASH_AT) + 64 + len(b'"}')
_INT_MOST = 2**63


@dataclass(frozen=True, slots=True)
class End:
    """Where the chain ends: its newest line."""

    seq: int = 0
    hash: str = ORIGIN


class Line(msgspec.Struct, frozen=True):
    """What a line says."""

    seq: int
    utc: str  # "2026-11-24T04:50:01.123456789Z"
    kind: str
    id: str
    name: str
    address: str
    action: str
    about: str
    named: dict[str, str]
    detail: dict[str, Detail]
    prev: str
    hash: str

    @property
    def end(self) -> End:
        return End(self.seq, self.hash)


_LINE = msgspec.json.Decoder(Line)


def line_of(entry: Entry, end: End) -> tuple[bytes, End]:
    """The line that tells of it, with its newline, and where the chain ends then."""
    caller = entry.caller
    told = {
        "seq": end.seq + 1,
        "utc": utc_text(entry.utc_ns),
        "kind": str(caller.kind),
        "id": _plain(caller.id),
        "name": "" if caller.kind is CallerKind.GUEST else _plain(caller.name),
        "address": _plain(entry.address),
        "action": str(entry.action),
        "about": _plain(entry.about),
        "named": {_plain(name): _plain(value) for name, value in _some(entry.named)},
        "detail": {_plain(name): _value(value) for name, value in _some(entry.detail)},
        "prev": end.hash,
    }
    text = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()[:-1]
    digest = hashlib.sha256(text).hexdigest()
    return text + _HASH_AT + digest.encode() + b'"}\n', End(end.seq + 1, digest)


def line_in(raw: bytes) -> Line | None:
    """What stands in a line, without its newline; None where it is none of ours, or not as it was written."""
    if len(raw) < _TAIL_BYTES or raw[-_TAIL_BYTES : -_TAIL_BYTES + len(_HASH_AT)] != _HASH_AT:
        return None
    if hashlib.sha256(raw[:-_TAIL_BYTES]).hexdigest().encode() + b'"}' != raw[-66:]:
        return None
    try:
        return _LINE.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def utc_text(utc_ns: int) -> str:
    """To the nanosecond, so that texts sort as times do."""
    return f"{datetime.fromtimestamp(utc_ns // NS_PER_S, UTC):%Y-%m-%dT%H:%M:%S}.{utc_ns % NS_PER_S:09d}Z"


def utc_ns_of(text: str) -> int:
    """Raises ValueError."""
    seconds, _, rest = text.removesuffix("Z").partition(".")
    return round(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * NS_PER_S + int(rest.ljust(9, "0"))


def _some(told: Mapping[str, Detail] | Mapping[str, str]) -> list[tuple[str, Detail]]:
    return list(told.items())[:PARTS_MOST]


def _plain(value: Detail) -> str:
    """At most so long, and nothing that UTF-8 cannot hold: what strangers send may be told here."""
    text = str(value)
    text = text if len(text) <= TEXT_MOST else text[: TEXT_MOST - 1] + "…"
    return text.encode("utf-8", "replace").decode()


def _value(value: Detail) -> Detail:
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) >= _INT_MOST:
        return _plain(value)
    return value
