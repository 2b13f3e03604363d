"""An export packed and signed: files, their sums, the signature, and how anybody checks it, in one ZIP."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flow.errors import LagebildError, MalformedError
from recordings.plain_files import open_plain

from .how_to_check import HOW_TO_CHECK_FILE, SUMS_FILE, how_to_check
from .manifest import (
    FORMAT,
    MANIFEST_FILE,
    PUBLIC_KEY_FILE,
    SIGNATURE_FILE,
    VERSION,
    Manifest,
    Origin,
    SignedFile,
    checked_names,
    encoded,
)
from .signature import SigningKey
from .source import Progress
from .stored_zip import Entry, directory, local_header

CHUNK_BYTES = 1024 * 1024
NOTHING_TOLD = Origin()


@dataclass(frozen=True, slots=True)
class _Member:
    """A file that goes into the ZIP: of the disk, or made here."""

    name: str
    content: Path | bytes
    size: int
    sha256: str
    crc32: int

    @property
    def entry(self) -> Entry:
        return Entry(self.name, self.size, self.crc32)

    @property
    def signed(self) -> SignedFile:
        return SignedFile(self.name, self.size, self.sha256)


def write_package(
    folder: Path,
    zip_path: Path,
    key: SigningKey,
    origin: Origin = NOTHING_TOLD,
    progress: Progress | None = None,
) -> Manifest:
    """Everything in `folder` as a signed ZIP at `zip_path`. Blocking; reads every file twice, a piece at a
    time. Where it fails there is no ZIP.

    Raises OSError, and LagebildError for what may not be in an export: names that some system cannot have,
    links, a file that changes meanwhile.
    """
    paths = dict(_files(folder))
    total = sum(path.stat().st_size for path in paths.values())
    meter = _Meter(2 * total, progress)
    members = [_member(name, path, meter) for name, path in paths.items()]
    members = [_made(HOW_TO_CHECK_FILE, how_to_check(key.public)), *members]
    members = [_made(SUMS_FILE, _sums(members)), *members]
    manifest = Manifest(
        FORMAT,
        VERSION,
        origin,
        key.public.pem.decode("ascii"),
        key.public.fingerprint,
        tuple(member.signed for member in members),
    )
    data = encoded(manifest)
    seals = [
        _made(MANIFEST_FILE, data),
        _made(SIGNATURE_FILE, key.sign(data)),
        _made(PUBLIC_KEY_FILE, key.public.pem),
    ]
    try:
        with zip_path.open("wb") as file:
            _write(file, [*seals, *members], meter)
    except BaseException:
        zip_path.unlink(missing_ok=True)
        raise
    return manifest


@dataclass(slots=True)
class _Meter:
    total: int
    progress: Progress | None
    done: int = 0

    def add(self, size: int) -> None:
        self.done += size
        if self.progress is not None and self.total:
            self.progress(min(1.0, self.done / self.total))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """By name. Raises LagebildError."""
    found = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
    try:
        checked_names([SUMS_FILE, HOW_TO_CHECK_FILE, *found])
    except MalformedError as error:
        raise LagebildError(f"this cannot be exported: {error}", code="export_failed") from None
    yield from found.items()


def _member(name: str, path: Path, meter: _Meter) -> _Member:
    sha256, crc32, size = hashlib.sha256(), 0, 0
    for piece in _pieces(path):
        sha256.update(piece)
        crc32 = zlib.crc32(piece, crc32)
        size += len(piece)
        meter.add(len(piece))
    return _Member(name, path, size, sha256.hexdigest(), crc32)


def _made(name: str, data: bytes) -> _Member:
    return _Member(name, data, len(data), hashlib.sha256(data).hexdigest(), zlib.crc32(data))


def _sums(members: list[_Member]) -> bytes:
    """As `sha256sum --check` reads them."""
    return "".join(f"{member.sha256}  {member.name}\n" for member in members).encode("ascii")


def _write(file: BinaryIO, members: list[_Member], meter: _Meter) -> None:
    for member in members:
        file.write(local_header(member.entry))
        if isinstance(member.content, bytes):
            file.write(member.content)
        else:
            _copy(file, member, member.content, meter)
    file.write(directory(member.entry for member in members))


def _copy(file: BinaryIO, member: _Member, path: Path, meter: _Meter) -> None:
    crc32, size = 0, 0
    for piece in _pieces(path):
        file.write(piece)
        crc32 = zlib.crc32(piece, crc32)
        size += len(piece)
        meter.add(len(piece))
    if (size, crc32) != (member.size, member.crc32):
        raise LagebildError(f"'{member.name}' changed while it was packed", code="export_failed")


def _pieces(path: Path) -> Iterator[bytes]:
    with open_plain(path) as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
