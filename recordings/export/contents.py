"""What is in an export that somebody brings: a ZIP or the folder it was unpacked to. Nothing is unpacked.

Whoever brings it may mean harm. Names are compared and shown, and opened only where the manifest has them;
of a ZIP that is not as it is made here no more is unpacked than the manifest says there is.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from flow.errors import MalformedError
from recordings.plain_files import open_plain, read_plain

from .manifest import FILES_MOST, SEAL_LIMIT_BYTES, SEALS
from .stored_zip import Entry, directory, read_header

_PIECE_BYTES = 1024 * 1024
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
    OverflowError,
)  # fmt: skip
"""What zipfile raises for archives that are none, are encrypted, or are packed in ways it does not know."""


@dataclass(frozen=True, slots=True)
class Content:
    """Of a file; its bytes only where it is one of the seals."""

    size_bytes: int
    sha256: str
    data: bytes = b""


class Contents(Protocol):
    """`fault` is what is wrong with the ZIP itself, "" where nothing is. Names may come twice;
    where a form `keeps_order`, in the one in which they were packed."""

    fault: str
    keeps_order: bool

    def names(self) -> list[str]: ...

    def read(self, name: str, limit_bytes: int) -> Content | None:
        """None: it cannot be read. Of one that is longer, no more is read than tells so."""
        ...


@contextmanager
def open_contents(path: Path) -> Iterator[Contents]:
    """Raises OSError where there is nothing to read."""
    if path.is_dir():
        yield FolderContents(path)
        return
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "neither a ZIP nor a folder", str(path))
    with path.open("rb") as file:
        try:
            sealed = SealedZip.read_from(file)
        except MalformedError as error:
            with LooseZip(path, str(error)) as loose:
                yield loose
            return
    yield sealed


@dataclass(slots=True)
class FolderContents:
    """An unpacked export."""

    folder: Path
    fault: str = ""
    keeps_order = False

    def names(self) -> list[str]:
        """Whatever lies there, but folders; one more than there may be at most."""
        return sorted(islice(self._walk(), FILES_MOST + len(SEALS) + 1))

    def _walk(self) -> Iterator[str]:
        for at, folders, files in os.walk(self.folder, onerror=_refuse):
            links = [each for each in folders if os.path.islink(os.path.join(at, each))]
            for name in (*files, *links):
                yield Path(at, name).relative_to(self.folder).as_posix()

    def read(self, name: str, limit_bytes: int) -> Content | None:
        path = self.folder / name
        try:
            if any(stat.S_ISLNK(part.lstat().st_mode) for part in self._way_to(path)):
                return None
            if name in SEALS:
                data = read_plain(path, limit_bytes)
                return Content(len(data), hashlib.sha256(data).hexdigest(), data)
            with open_plain(path) as file:
                return _content(file, limit_bytes)
        except OSError:
            return None

    def _way_to(self, path: Path) -> list[Path]:
        return [path, *(parent for parent in path.parents if parent.is_relative_to(self.folder))][:-1]


@dataclass(slots=True)
class SealedZip:
    """A ZIP that is, byte for byte, what stored_zip makes of the files in it, but perhaps for their sums."""

    _names: list[str] = field(default_factory=list)
    _contents: dict[str, Content] = field(default_factory=dict)
    fault: str = ""
    keeps_order = True

    @classmethod
    def read_from(cls, file: BinaryIO) -> SealedZip:
        """Read all of it, once. Raises MalformedError where it is of another form."""
        found = cls()
        entries: list[Entry] = []
        while (entry := read_header(file.read)) is not None:
            if len(entries) == FILES_MOST + len(SEALS):
                raise MalformedError(f"more than {FILES_MOST} files")
            content, crc32 = _stored(file, entry)
            if crc32 != entry.crc32 and not found.fault:
                found.fault = f"the check sum of '{entry.name[:200]}' is not that of its content"
            entries.append(entry)
            found._names.append(entry.name)
            found._contents.setdefault(entry.name, content)
        expected = directory(entries)
        file.seek(-4, os.SEEK_CUR)
        if file.read(len(expected) + 1) != expected:
            raise MalformedError("its directory is not as it is made here, or something follows it")
        return found

    def names(self) -> list[str]:
        return self._names

    def read(self, name: str, limit_bytes: int) -> Content | None:
        """The first of that name; whoever looks for two finds them in `names`."""
        return self._contents.get(name)


class LooseZip:
    """A ZIP of any other form: packed anew, or damaged. Read as most programs do, by its directory."""

    keeps_order = False

    def __init__(self, path: Path, fault: str) -> None:
        self.fault = fault
        try:
            self._archive: zipfile.ZipFile | None = zipfile.ZipFile(path)
        except _BROKEN:
            self._archive = None

    def __enter__(self) -> LooseZip:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._archive is not None:
            self._archive.close()

    def names(self) -> list[str]:
        entries = self._archive.infolist() if self._archive is not None else []
        return [each.filename for each in entries[: FILES_MOST + len(SEALS) + 1] if not each.is_dir()]

    def read(self, name: str, limit_bytes: int) -> Content | None:
        if self._archive is None:
            return None
        try:
            if self._archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                return None  # others may ask for gigabytes before their first byte
            with self._archive.open(name) as file:
                if name not in SEALS:
                    return _content(file, limit_bytes)
                data = file.read(limit_bytes + 1)
                return Content(len(data), hashlib.sha256(data).hexdigest(), data)
        except (*_BROKEN, KeyError, OSError):
            return None


def _refuse(error: OSError) -> None:
    """Of a folder that cannot be looked into nobody can say that nothing was added."""
    raise error


def _stored(file: BinaryIO, entry: Entry) -> tuple[Content, int]:
    """What stands behind a header, and its CRC-32."""
    is_seal = entry.name in SEALS and entry.size <= SEAL_LIMIT_BYTES
    sha256, crc32, left, kept = hashlib.sha256(), 0, entry.size, b""
    while left:
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            raise MalformedError(f"it ends in the middle of '{entry.name[:200]}'")
        sha256.update(piece)
        crc32 = zlib.crc32(piece, crc32)
        left -= len(piece)
        kept += piece if is_seal else b""
    return Content(entry.size, sha256.hexdigest(), kept), crc32


def _content(file: IO[bytes], limit_bytes: int) -> Content:
    sha256, size = hashlib.sha256(), 0
    while size <= limit_bytes and (piece := file.read(_PIECE_BYTES)):
        sha256.update(piece)
        size += len(piece)
    return Content(size, sha256.hexdigest())
