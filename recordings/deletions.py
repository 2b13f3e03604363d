"""Flights go, and stay documented: deletions.jsonl, and the folder .trash where a deletion is half done.

In this order, so that a crash at any moment is either before the deletion or is finished at the next start:

1. .trash/FLIGHT.json    the document: from here on the deletion will be carried out
2. deletions.jsonl       the document, for ever
3. flights/FLIGHT        moved into .trash in one step: the flight is gone
4. .trash/FLIGHT         removed, and all that was made of the flight (made.py); then its document there

A folder that somebody brings back from a backup has no document in .trash, so it is a flight again.

Where others have filled the disk to its last byte, documents find room in that of .room.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from flow.errors import MalformedError

from .entries import Deletion
from .folders import DELETIONS_FILE, FLIGHT_ID_PATTERN, ROOM_FILE, flight_folder
from .json_files import decoded
from .made import remove_made_of
from .plain_files import append_line, read_plain, replace_file, sync_folder, whole_lines

log = logging.getLogger("lagebild.recordings")

_LINE_LIMIT_BYTES = 64 * 1024
_ROOM_BYTES = 64 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def trash_folder(root: Path) -> Path:
    return root / ".trash"


def contents(folder: Path) -> tuple[int, int]:
    """(files, bytes) of a folder and those in it; a symbolic link counts as itself."""
    files = size_bytes = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in names + links:
            files += 1
            status = (Path(parent) / name).lstat()
            size_bytes += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return files, size_bytes


def keep_room(root: Path) -> None:
    """What is to be deleted because the disk is full must be documented first. Tried again where there is
    none now."""
    with contextlib.suppress(OSError):
        if not _room(root).exists():
            replace_file(_room(root), os.urandom(_ROOM_BYTES))  # which no file system can make smaller


def carry_out(root: Path, deletion: Deletion) -> Deletion:
    """Document the deletion and move the flight's folder aside.

    Raises OSError; calling it again, or the next start, goes on from there. A deletion that was begun before
    is the one that is gone on with, and returned.
    """
    try:
        return _carry_out(root, deletion)
    except OSError as error:
        if error.errno not in _FULL or not _room(root).exists():
            raise
        _room(root).unlink()
        return _carry_out(root, deletion)


def _carry_out(root: Path, deletion: Deletion) -> Deletion:
    path = _document(root, deletion.flight_id)
    begun = _begun(path)
    if begun is None:
        replace_file(path, msgspec.json.encode(deletion))
    elif any(each.id == begun.id for each in read_deletions(root)):
        _move_aside(root, begun.flight_id)
        return begun
    document(root, begun or deletion)
    _move_aside(root, deletion.flight_id)
    return begun or deletion


def finish(root: Path, flight_id: str) -> None:
    """Remove what was moved aside, links as links. Raises OSError."""
    if flight_folder(root, flight_id).exists():
        return  # it could not be moved aside; the next start tries again
    _remove(trash_folder(root) / flight_id)
    remove_made_of(root, flight_id)
    sync_folder(trash_folder(root))
    _document(root, flight_id).unlink(missing_ok=True)
    keep_room(root)


def is_begun(root: Path, flight_id: str) -> bool:
    """Whether this flight's deletion is decided, and not carried out yet."""
    return _begun(_document(root, flight_id)) is not None


def finish_all(root: Path) -> None:
    """At the start: carry out what a crash left. Where one fails, the next start tries it again. Raises
    OSError where it cannot be told what was left."""
    for path in sorted(trash_folder(root).iterdir()):
        if path.suffix != ".json" or not FLIGHT_ID_PATTERN.fullmatch(path.stem):
            continue
        deletion = _begun(path)
        if deletion is None:
            log.warning("%s is no document of a deletion, so nothing is deleted for it", path)
            continue
        try:
            carry_out(root, deletion)
            finish(root, path.stem)
        except OSError as error:
            log.error("flight %s is to be deleted, and that cannot be finished: %s", path.stem, error)
            continue
        log.info("the deletion of %s that was interrupted is finished", path.stem)


def document(root: Path, deletion: Deletion) -> None:
    """For ever. Raises OSError."""
    append_line(root / DELETIONS_FILE, msgspec.json.encode(deletion))


def read_deletions(root: Path) -> Iterator[Deletion]:
    """Everything documented, the oldest first; lines that are none are passed over. Raises OSError."""
    try:
        for line, _ in whole_lines(root / DELETIONS_FILE, 0, _LINE_LIMIT_BYTES):
            with contextlib.suppress(MalformedError):
                yield decoded(line, Deletion)
    except FileNotFoundError:
        return


def _room(root: Path) -> Path:
    return root / ROOM_FILE


def _document(root: Path, flight_id: str) -> Path:
    return trash_folder(root) / f"{flight_folder(root, flight_id).name}.json"


def _begun(path: Path) -> Deletion | None:
    try:
        deletion = decoded(read_plain(path, _LINE_LIMIT_BYTES), Deletion)
    except (OSError, MalformedError):
        return None
    return deletion if deletion.flight_id == path.stem else None


def _move_aside(root: Path, flight_id: str) -> None:
    folder = flight_folder(root, flight_id)
    aside = trash_folder(root) / flight_id
    if folder.is_symlink() or not folder.is_dir():
        return
    _remove(aside)  # of a deletion before that nobody finished
    folder.rename(aside)
    sync_folder(folder.parent)
    sync_folder(aside.parent)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)  # which follows no link either
    else:
        path.unlink(missing_ok=True)
