"""Is the log as it was written, and is all of it there? Read from the first line to the last; blocking."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from recordings.export.signature import PublicKey
from web.access.audit import Action

from .anchor import Anchor, public_key_of, read_anchor
from .chain import ORIGIN, End, Line, line_in
from .folder import LOCK_FILE
from .reading import FOLDER, Month, lines_of, months_in

FINDINGS_MOST = 1000


class Found(StrEnum):
    """What is wrong."""

    DAMAGED = "damaged"  # a line that is not as it was written
    BROKEN = "broken"  # a line that does not follow the one before: some are missing, added or moved
    BEGINNING = "beginning"  # the first lines are gone, and no entry says that their days were over
    HALF_LINE = "half_line"  # at the very end: a service was killed, and none has been started since
    CUT_OFF = "cut_off"  # the newest anchor vouches for lines that are not there
    REWRITTEN = "rewritten"  # the newest anchor vouches for another line than is there
    NO_ANCHOR = "no_anchor"
    ANCHOR = "anchor"  # it is not signed by this installation's key
    SEEN = "seen"  # a line is another than the one that was noted outside of this house
    NOTED = "noted"  # the service itself found something so when it was started, and says so in the chain


class Finding(msgspec.Struct, frozen=True):
    """`seq` 0: of no line."""

    found: Found
    seq: int
    text: str


class Report(msgspec.Struct, frozen=True):
    """What a check has seen."""

    intact: bool
    entries: int
    first_seq: int
    last_seq: int
    last_hash: str
    anchored_seq: int  # so far the newest anchor vouches for all; 0: for nothing
    anchored_utc: str
    fingerprint: str  # of the key that has signed it
    lost: int  # entries that the disk did not take in time; the chain says so itself
    findings: list[Finding]


class Checker:
    """Goes along a chain."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.first: Line | None = None
        self.end = End()
        self.entries = self.lost = 0
        self.places: dict[int, str] = {}
        """The hashes of lines that somebody vouches for; "" until they come."""
        self._torn: bytes | None = None
        self._gone: set[tuple[int, str]] = set()

    def take(self, raw: bytes) -> None:
        """The next line, with its newline if it has one."""
        line = line_in(raw.removesuffix(b"\n"))
        if line is None:
            self._end_torn()
            self._torn = raw.removesuffix(b"\n")
            return
        if self._torn is not None and not _tells_of(line, self._torn):
            self._end_torn()
        self._torn = None
        self._follow(line)
        self._note(line)
        if line.seq in self.places:
            self.places[line.seq] = line.hash
        self.entries += 1
        self.end = line.end

    def finish(self) -> None:
        """There are no more."""
        if self._torn is not None:
            self.find(
                Found.HALF_LINE, self.end.seq + 1,
                "the last line is not whole: either somebody changed it, or the service was killed while it "
                "wrote; then the next start says so in the chain",
            )  # fmt: skip
        first = self.first
        if first is None or (first.seq, first.prev) == (1, ORIGIN):
            return
        if (first.seq - 1, first.prev) not in self._gone:
            self.find(Found.BEGINNING, first.seq, f"the {first.seq - 1} lines before this one are gone")

    def find(self, found: Found, seq: int, text: str) -> None:
        if len(self.findings) < FINDINGS_MOST:
            self.findings.append(Finding(found, seq, text))

    def _end_torn(self) -> None:
        if self._torn is not None:
            seq = self.end.seq + 1
            self.find(Found.DAMAGED, seq, f"the line after entry {self.end.seq} is not as it was written")

    def _follow(self, line: Line) -> None:
        if self.first is None:
            self.first = line
        elif line.seq != self.end.seq + 1 or line.prev != self.end.hash:
            self.find(Found.BROKEN, line.seq, f"entry {line.seq} does not follow entry {self.end.seq}")

    def _note(self, line: Line) -> None:
        if line.action == Action.DELETED and line.about == FOLDER:
            self._gone.add((_number(line, "through_seq"), str(line.detail.get("through_hash"))))
        if line.action != Action.MENDED:
            return
        found = line.detail.get("found")
        if found == "lost":
            self.lost += _number(line, "entries")
        elif found != "half_line":
            self.find(Found.NOTED, line.seq, f"at {line.utc} the service found the log {found}")


def check(root: Path, seen: End | None = None) -> Report:
    """Of the log in that data folder. `seen`: a line that somebody has noted. Raises OSError, ConfigError."""
    folder = root / FOLDER
    with _still(folder):
        months, anchor = months_in(folder), read_anchor(folder)
    checker = Checker()
    checker.places = {end.seq: "" for end in (anchor, seen) if end is not None}
    for month in months:
        for raw in lines_of(month):
            checker.take(raw)
    checker.finish()
    key = public_key_of(root)
    _compare(checker, anchor, key)
    if seen is not None and checker.places[seen.seq] != seen.hash:
        checker.find(Found.SEEN, seen.seq, f"entry {seen.seq} is not the one that was noted")
    return _report(checker, anchor)


def check_files(paths: Sequence[Path]) -> Report:
    """Of files alone, in that order, such as those of months that were kept elsewhere. Raises OSError."""
    checker = Checker()
    for path in paths:
        for raw in lines_of(Month(path, path.stat().st_size)):
            checker.take(raw)
    checker.finish()
    checker.findings = [each for each in checker.findings if each.found is not Found.BEGINNING]
    return _report(checker, None)


def _compare(checker: Checker, anchor: Anchor | None, key: PublicKey | None) -> None:
    if anchor is None:
        if checker.entries:
            checker.find(Found.NO_ANCHOR, 0, "there is no anchor: nobody vouches for the newest lines")
        return
    if key is None or not anchor.is_signed_by(key):
        checker.find(Found.ANCHOR, 0, "the anchor is not signed by the key of this installation")
    if checker.places[anchor.seq] == anchor.hash:
        return
    if anchor.seq > checker.end.seq:
        gone = anchor.seq - checker.end.seq
        checker.find(Found.CUT_OFF, anchor.seq, f"{gone} lines are gone that were there on {anchor.utc}")
    else:
        checker.find(Found.REWRITTEN, anchor.seq, f"entry {anchor.seq} is not the one that was anchored")


def _report(checker: Checker, anchor: Anchor | None) -> Report:
    return Report(
        not checker.findings,
        checker.entries,
        checker.first.seq if checker.first else 0,
        checker.end.seq,
        checker.end.hash,
        anchor.seq if anchor else 0,
        anchor.utc if anchor else "",
        anchor.key if anchor else "",
        checker.lost,
        checker.findings,
    )


def _tells_of(line: Line, torn: bytes) -> bool:
    told = line.detail
    is_note = line.action == Action.MENDED and told.get("found") == "half_line"
    return is_note and told.get("sha256") == hashlib.sha256(torn).hexdigest()


def _number(line: Line, name: str) -> int:
    value = line.detail.get(name)
    return value if isinstance(value, int) else 0


@contextlib.contextmanager
def _still(folder: Path) -> Iterator[None]:
    """While nobody writes; where the lock cannot be had, such as in a copy on a disk, nobody does."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)
