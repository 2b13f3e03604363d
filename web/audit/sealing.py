"""The log taken out of the house: its lines as they are, under a seal; or CSV for a spreadsheet.

The last line of an export is the seal: how many lines stand before it, the SHA-256 of all of them with their
newlines, where the chain ended, and when; signed with the key that signs exports. What is signed is that line
up to its `signature`, as the chain does it with `hash`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from recordings.export.signature import PublicKey, SigningKey

from .chain import Line, line_in, utc_text
from .checking import Checker, Found

_SIGNATURE_AT = b',"signature":"'
_TAIL_BYTES = len(_SIGNATURE_AT) + 128 + len(b'"}')
_RUN_BY_SHEETS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("seq", "utc", "kind", "id", "name", "address", "action", "about", "named", "detail", "hash")


class SealReport(msgspec.Struct, frozen=True):
    """What a check of an exported file has seen. `complete`: nothing is left out between its lines."""

    intact: bool
    entries: int
    fingerprint: str
    utc: str
    complete: bool
    why: str


class _Seal(msgspec.Struct, frozen=True):
    lines: int
    sha256: str
    utc: str
    key: str
    signature: str


def sealed(lines: Iterable[bytes], key: SigningKey, now_ns: int) -> Iterator[bytes]:
    """The lines, then the seal."""
    digest, count = hashlib.sha256(), 0
    for line in lines:
        digest.update(line)
        count += 1
        yield line
    told = {
        "seal": "lagebild audit export",
        "lines": count,
        "sha256": digest.hexdigest(),
        "utc": utc_text(now_ns),
        "key": key.public.fingerprint,
    }
    text = json.dumps(told, separators=(",", ":")).encode()[:-1]
    yield text + _SIGNATURE_AT + key.sign(text).hex().encode() + b'"}\n'


def check_sealed(path: Path, key: PublicKey | None) -> SealReport | None:
    """Whether an exported file is as it was sealed; None where it has no seal. Raises OSError."""
    digest, checker, last = hashlib.sha256(), Checker(), b""
    with path.open("rb") as file:
        for line in file:
            if last:
                digest.update(last)
                checker.take(last)
            last = line
    text = last.removesuffix(b"\n")
    seal = _seal_in(text)
    if seal is None:
        return None
    missing = any(each.found is Found.BROKEN for each in checker.findings)
    changed = any(each.found is not Found.BROKEN for each in checker.findings)
    why = ""
    if changed or (seal.lines, seal.sha256) != (checker.entries, digest.hexdigest()):
        why = "lines were changed, added or removed after it was sealed"
    elif key is None or key.fingerprint != seal.key:
        why = "it is sealed by another key"
    elif not key.has_signed(text[:-_TAIL_BYTES], bytes.fromhex(seal.signature)):
        why = "the seal's signature is wrong"
    return SealReport(not why, checker.entries, seal.key, seal.utc, not missing, why)


def as_csv(lines: Iterable[bytes]) -> Iterator[bytes]:
    """A row for each; nothing that a spreadsheet would run."""
    yield _row(COLUMNS)
    for raw in lines:
        line = line_in(raw.removesuffix(b"\n"))
        if line is not None:
            yield _row([_cell(line, column) for column in COLUMNS])


def _cell(line: Line, column: str) -> object:
    value = getattr(line, column)
    if isinstance(value, dict):
        value = "; ".join(f"{name}={each}" for name, each in value.items())
    if isinstance(value, str) and value.startswith(_RUN_BY_SHEETS):
        return "'" + value
    return value


def _row(cells: Iterable[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _seal_in(raw: bytes) -> _Seal | None:
    if raw[-_TAIL_BYTES : -_TAIL_BYTES + len(_SIGNATURE_AT)] != _SIGNATURE_AT:
        return None
    try:
        seal = msgspec.json.decode(raw, type=_Seal)
        bytes.fromhex(seal.signature)
    except (msgspec.MsgspecError, ValueError):
        return None
    return seal
