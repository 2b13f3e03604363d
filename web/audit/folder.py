"""The log's files in `data_dir`/audit: added to under a lock, so that the command line may, beside a service.

Nothing that was written is ever changed. Half a line that a kill left is ended, and the next line says so.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recordings.export.signature import SigningKey, signing_key
from recordings.plain_files import sync_folder
from web.access.audit import Action, Detail, Entry
from web.access.caller import Caller, CallerKind

from .anchor import Anchor, anchor_of, read_anchor, write_anchor
from .chain import End, Line, line_in, line_of, utc_text
from .reading import FOLDER, Month, lines_back, months_in

LOCK_FILE = "lock"
LOOKED_BACK_MOST = 100_000
"""Lines, for the one that the newest anchor vouches for: it is at most some seconds back."""

SERVICE = Caller(CallerKind.LOCAL, "service")


@dataclass(frozen=True, slots=True)
class _Tail:
    """How the newest file ends."""

    month: Month | None
    end: End
    is_open: bool = False  # the last line is whole, but its newline is missing
    torn: bytes = b""  # half a line
    damaged: int = 0  # lines after the newest whole one that are none of ours


class AuditFolder:
    """For one thread. `write` and `sync` are the system's calls; tests bring a disk that refuses."""

    def __init__(
        self,
        root: Path,
        write: Callable[[int, bytes], int] = os.write,
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        self.root, self.path = root, root / FOLDER
        self._write, self._sync = write, sync
        self._left: tuple[Month | None, End] | None = None
        """What we left behind, or saw there: None makes us look again."""
        self._expected: End | None = None
        """What must be in the chain: it was there when we looked last."""
        self._key: SigningKey | None = None

    @property
    def end(self) -> End:
        """As we left it."""
        return self._left[1] if self._left else End()

    def append(self, entries: Sequence[Entry], now_ns: int) -> int:
        """Add the first of them, as far as they belong into one file, and wait until they are on the disk;
        how many those were. Raises OSError; then none of them is in the chain."""
        with self.alone():
            tail = self._tail()
            notes = self._notes(tail, now_ns)
            newest = tail.month.name if tail.month else ""
            month = max(newest, utc_text(entries[0].utc_ns)[:7])
            run = list(itertools.takewhile(lambda each: utc_text(each.utc_ns)[:7] <= month, entries))
            if notes and month > newest:  # what is to be mended is in the file before
                self._add(newest or month, tail, notes)
                tail, notes = self._tail(), []
            self._add(month, tail, [*notes, *run])
        return len(run)

    def anchor(self, now_ns: int) -> Anchor | None:
        """Sign the chain's end; None where there is no line. Raises OSError, ConfigError."""
        with self.alone():
            end = self._tail().end
            if not end.seq:
                return None
            self._key = self._key or signing_key(self.root)
            anchor = anchor_of(end, utc_text(now_ns), self._key)
            write_anchor(self.path, anchor)
        return anchor

    def over(self, before_ns: int) -> list[tuple[Month, Line]]:
        """Files, the oldest first, whose newest line is older than that, with it; never the newest file."""
        found = []
        for month in months_in(self.path)[:-1]:
            line = next(filter(None, (line_in(raw.removesuffix(b"\n")) for raw in lines_back(month))), None)
            if line is None or line.utc >= utc_text(before_ns):
                break
            found.append((month, line))
        return found

    def remove(self, month: Month) -> None:
        """Raises OSError."""
        with self.alone():
            month.path.unlink(missing_ok=True)
            sync_folder(self.path)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes meanwhile. Raises OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self.path / LOCK_FILE, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _tail(self) -> _Tail:
        """How the chain ends now: as we left it, unless somebody else has written."""
        months = months_in(self.path)
        newest = months[-1] if months else None
        if self._left is not None and self._left[0] == newest:
            return _Tail(newest, self._left[1])
        return _tail_of(months)

    def _notes(self, tail: _Tail, now_ns: int) -> list[Entry]:
        """What the chain must say of itself before it goes on."""
        notes: list[Mapping[str, Detail]] = []
        if tail.torn:
            digest = hashlib.sha256(tail.torn).hexdigest()
            notes.append({"found": "half_line", "bytes": len(tail.torn), "sha256": digest})
        if tail.damaged:
            notes.append({"found": "damaged", "lines": tail.damaged})
        notes += self._missing(tail)
        return [_note(now_ns, each) for each in notes]

    def _missing(self, tail: _Tail) -> Iterator[Mapping[str, Detail]]:
        """What was there, as we remember or as the anchor says, and is there no more."""
        if self._left is not None and self._left == (tail.month, tail.end):
            return
        anchor = read_anchor(self.path)
        expected = self._expected or (anchor.end if anchor else None)
        if expected is None:
            if tail.end.seq:
                yield {"found": "no_anchor"}
        elif _hash_of(months_in(self.path), expected.seq) != expected.hash:
            yield {"found": "cut_off" if expected.seq > tail.end.seq else "rewritten"} | {
                "seq": expected.seq,
                "hash": expected.hash,
            }

    def _add(self, month: str, tail: _Tail, entries: Sequence[Entry]) -> None:
        path = self.path / f"{month}.jsonl"
        is_same = tail.month is not None and tail.month.path == path
        data = bytearray(b"\n" if is_same and (tail.torn or tail.is_open) else b"")
        end = tail.end
        for entry in entries:
            line, end = line_of(entry, end)
            data += line
        self._left = None
        size = self._append(path, bytes(data))
        if not is_same:
            sync_folder(self.path)
        self._left, self._expected = (Month(path, size), end), end

    def _append(self, path: Path, data: bytes) -> int:
        """All of it or nothing; the file's size then. Raises OSError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            before = os.fstat(descriptor).st_size
            try:
                at = 0
                while at < len(data):
                    at += self._write(descriptor, data[at:])
                self._sync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):  # where it may only be added to, half a line stays
                    os.ftruncate(descriptor, before)
                raise
            return before + len(data)
        finally:
            os.close(descriptor)


def _note(now_ns: int, detail: Mapping[str, Detail]) -> Entry:
    return Entry(now_ns, SERVICE, "", Action.MENDED, "audit", {}, detail)


def _tail_of(months: Sequence[Month]) -> _Tail:
    """Of the files as they are."""
    newest = months[-1] if months else None
    torn, damaged = b"", 0
    for at, raw in enumerate(_all_back(months)):
        line = line_in(raw.removesuffix(b"\n"))
        if line is not None:
            return _Tail(newest, line.end, at == 0 and not raw.endswith(b"\n"), torn, damaged)
        if at == 0 and not raw.endswith(b"\n"):
            torn = raw
        else:
            damaged += 1
    return _Tail(newest, End(), False, torn, damaged)


def _all_back(months: Sequence[Month]) -> Iterator[bytes]:
    for month in reversed(months):
        yield from lines_back(month)


def _hash_of(months: Sequence[Month], seq: int) -> str:
    """Of the line with that number; "" where it is not found."""
    for raw in itertools.islice(_all_back(months), LOOKED_BACK_MOST):
        line = line_in(raw.removesuffix(b"\n"))
        if line is not None and line.seq <= seq:
            return line.hash if line.seq == seq else ""
    return ""
