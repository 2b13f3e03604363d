"""A disk whose room a test sets, and an archive of flights that lie on it."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from flow.errors import LagebildError
from recordings.entries import Deletion, FlightEntry, FlightQuery, Rule

PAGE = 3
"""So small that whoever wants all flights has to page."""


class FakeDisk:
    """`statvfs` of it is handed to whoever looks at a disk. Clear `answers`, and it hangs."""

    def __init__(self, total_bytes: int, free_bytes: int) -> None:
        self.total_bytes, self.free_bytes = total_bytes, free_bytes
        self.answers = Event()
        self.answers.set()
        self.trouble: OSError | None = None
        self.asked = 0

    def statvfs(self, _: Path) -> os.statvfs_result:
        self.asked += 1
        self.answers.wait(30)
        if self.trouble:
            raise self.trouble
        # bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax; root's share is not ours
        return os.statvfs_result(
            (4096, 1, self.total_bytes, self.free_bytes + 10**9, self.free_bytes, 1, 1, 1, 0, 255)
        )


class FakeArchive:
    """Deleting a flight makes its room free, unless it is `stuck`."""

    def __init__(self, disk: FakeDisk, *flights: FlightEntry) -> None:
        self._disk = disk
        self.kept = {flight.id: flight for flight in flights}
        self.stuck: set[str] = set()
        self.deleted: list[tuple[str, Rule, str]] = []
        self.broken = False

    async def flights(self, query: FlightQuery) -> list[FlightEntry]:
        if self.broken:
            raise LagebildError("the catalogue cannot be read")
        newest_first = sorted(self.kept.values(), key=lambda each: each.id, reverse=True)
        asked = [each for each in newest_first if not query.before_id or each.id < query.before_id]
        return asked[: min(query.limit, PAGE)]

    async def delete(self, flight_id: str, rule: Rule, by: str, reason: str = "") -> Deletion:
        if flight_id in self.stuck:
            raise LagebildError("it is being looked at")
        flight = self.kept.pop(flight_id)
        self._disk.free_bytes += flight.size_bytes
        self.deleted.append((flight_id, rule, by))
        return Deletion(
            f"d-{flight_id}", flight_id, flight.aircraft_id, flight.started_ns, flight.ended_ns, "", 3,
            flight.size_bytes, 5, rule, by, reason,
        )  # fmt: skip
