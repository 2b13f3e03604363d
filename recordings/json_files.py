"""The small JSON files and lines of the data folder, which people and accidents can change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from flow.errors import MalformedError

from .plain_files import read_plain, replace_file

_LIMIT_BYTES = 4 * 1024 * 1024
_LARGEST = (1 << 63) - 1


class Versioned(Protocol):
    """What a whole file holds."""

    @property
    def version(self) -> int: ...


_File = TypeVar("_File", bound=Versioned)
_Kind = TypeVar("_Kind")


def read_json(path: Path, kind: type[_File], version: int) -> _File:
    """Raises MalformedError for what is no such file, and FileNotFoundError."""
    try:
        content = decoded(read_plain(path, _LIMIT_BYTES), kind)
    except FileNotFoundError:
        raise
    except (OSError, MalformedError) as error:
        raise MalformedError(f"{path.name}: {error}") from None
    if content.version != version:
        raise MalformedError(f"{path.name}: version {content.version}, this program knows {version}")
    return content


def write_json(path: Path, content: msgspec.Struct) -> None:
    """Raises OSError."""
    replace_file(path, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")


def decoded(data: bytes, kind: type[_Kind]) -> _Kind:
    """Raises MalformedError, also for numbers that no time or size can be: the catalogue holds 64 bits."""
    try:
        content = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedError(str(error)) from None
    if any(not -_LARGEST <= number <= _LARGEST for number in _integers(content)):
        raise MalformedError("a number of more than 64 bits")
    return content


def _integers(value: Any) -> Iterator[int]:
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.astuple(value)
    if isinstance(value, tuple):
        for part in value:
            yield from _integers(part)
    elif isinstance(value, int):
        yield value
