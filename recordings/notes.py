"""notes.jsonl of a flight: what people who reviewed it noted of its moments. Nothing in it is ever removed.

A change, or that a note was taken back, is one more line; the newest of an id counts. Whoever has the file
can see what was noted, when, and by whom. With the flight it goes.
"""

from __future__ import annotations

import os
import secrets
import threading
from pathlib import Path
from typing import Any

import msgspec

from flow.clock import Clock
from flow.errors import LagebildError, MalformedError, NotFoundError

from .folders import NOTES_FILE
from .json_files import decoded
from .plain_files import append_line, whole_lines

NOTES_MOST = 1000
FILE_MOST_BYTES = 4 * 1024 * 1024
_LINE_MOST_BYTES = 64 * 1024


class Note(msgspec.Struct, frozen=True):
    """A note at a moment of a flight, as this line has it. `by` has written the line, at `told_ns`; the first
    line of the note was written at `made_ns`. No feed: of the flight, or its map."""

    id: str
    utc_ns: int
    text: str
    by: str
    feed_id: str
    made_ns: int
    told_ns: int
    removed: bool = False


def read_notes(folder: Path) -> dict[str, Note]:
    """Blocking. Those that stand, by id; lines that are none are passed over. Raises OSError."""
    notes: dict[str, Note] = {}
    try:
        for line, _ in whole_lines(folder / NOTES_FILE, 0, _LINE_MOST_BYTES):
            try:
                note = decoded(line, Note)
            except MalformedError:
                continue
            notes[note.id] = note
    except FileNotFoundError:
        return {}
    return {note.id: note for note in notes.values() if not note.removed}


class NoteBook:
    """Writes notes. All of it blocks, and returns when the line is on the disk. Raises OSError,
    NotFoundError("no_note"), LagebildError("notes_full")."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._writing = threading.Lock()

    def add(self, folder: Path, utc_ns: int, text: str, by: str, feed_id: str) -> Note:
        now_ns = self._clock.now_ns()
        note = Note(f"n-{secrets.token_hex(6)}", utc_ns, text, by, feed_id, now_ns, now_ns)
        with self._writing:
            if len(read_notes(folder)) >= NOTES_MOST:
                raise LagebildError(f"{NOTES_MOST} notes are on this flight", code="notes_full")
            _append(folder, note)
        return note

    def change(self, folder: Path, note_id: str, by: str, **changed: Any) -> Note:
        """`changed`: fields of Note."""
        with self._writing:
            note = read_notes(folder).get(note_id)
            if note is None:
                raise NotFoundError("there is no such note (any more)", code="no_note")
            note = msgspec.structs.replace(note, by=by, told_ns=self._clock.now_ns(), **changed)
            _append(folder, note)
        return note

    def remove(self, folder: Path, note_id: str, by: str) -> None:
        """From what is shown; it stays in the file, with who took it back."""
        self.change(folder, note_id, by, removed=True)


def _append(folder: Path, note: Note) -> None:
    path = folder / NOTES_FILE
    if os.path.lexists(path) and path.lstat().st_size >= FILE_MOST_BYTES and not note.removed:
        raise LagebildError("the notes of this flight were changed too often", code="notes_full")
    append_line(path, msgspec.json.encode(note))
