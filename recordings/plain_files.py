"""Files of the data folder, read and added to so that nothing strange in it can do harm.

Whoever can put a file into the data folder could put a symbolic link, a pipe or a device there instead. Only
regular files are opened: a link is not followed, and a pipe does not make us wait.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 1024 * 1024


def open_plain(path: Path) -> BinaryIO:
    """Open for reading. Raises OSError, also for what is no regular file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_plain(path: Path, limit_bytes: int) -> bytes:
    """All of a small file. Raises OSError, also where it is larger than that."""
    with open_plain(path) as file:
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise OSError(errno.EFBIG, f"larger than {limit_bytes} bytes", str(path))
    return data


def replace_file(path: Path, data: bytes) -> None:
    """Write a whole file so that at any moment, after a power cut too, the old or the new one is there."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)  # what a crash left, or a link that somebody put there
    with new.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Names in a folder are safe from a power cut only after this (POSIX fsync of a directory)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some file systems have no such thing
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_line(path: Path, line: bytes) -> None:
    """Add a line and wait until it is on the disk. Half a line that a power cut left is ended first."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        try:
            _write_all(descriptor, (b"\n" if torn else b"") + line.rstrip(b"\n") + b"\n")
        except OSError:
            os.ftruncate(descriptor, size)  # the disk is full: half a line is none
            raise
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if size == 0:
        sync_folder(path.parent)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def whole_lines(path: Path, start: int, limit_bytes: int) -> Iterator[tuple[bytes, int]]:
    """Lines from a place in the file on, each with the place after it; none that has no end yet.

    Of a line longer than `limit_bytes` nothing is told. Raises OSError.
    """
    with open_plain(path) as file:
        file.seek(start)
        rest = b""
        too_long = False
        while chunk := file.read(_CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                start += len(line) + 1
                if not too_long and len(line) <= limit_bytes:
                    yield line, start
                too_long = False
            if len(rest) > limit_bytes:
                start += len(rest)
                rest, too_long = b"", True
