"""Audit logs for tests: entries, a log of some of them, and a disk that takes nothing when a test says so."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from flow.clock import NS_PER_S
from tests.fakes.clock import START_NS
from web.access.audit import Action, Entry
from web.access.caller import Caller, CallerKind
from web.audit.folder import AuditFolder

MEIER = Caller(CallerKind.PERSON, "a1", "Meier")


def entry(at_s: float = 0, action: Action = Action.MADE, who: Caller = MEIER, **detail: str | int) -> Entry:
    utc_ns = START_NS + round(at_s * NS_PER_S)
    return Entry(utc_ns, who, "192.0.2.7", action, "/api/v1/incidents", {"incident": "i1"}, detail)


def logged(root: Path, count: int = 4) -> Path:
    """The file of a log with that many entries, the last of which is anchored."""
    folder = AuditFolder(root)
    folder.append([entry(n, n=n) for n in range(count)], START_NS)
    folder.anchor(START_NS + count * NS_PER_S)
    return folder.path / "2026-11.jsonl"


class Disk:
    """`write` of a disk that has `room` bytes left; `fails` is what sync says."""

    def __init__(self, room: int = 10**9) -> None:
        self.room = room
        self.fails: OSError | None = None

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = os.write(descriptor, data[: self.room])
        self.room -= written
        return written

    def sync(self, descriptor: int) -> None:
        if self.fails:
            raise self.fails
        os.fsync(descriptor)
