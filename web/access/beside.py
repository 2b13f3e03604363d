"""What the command line changes, for the audit log: kept with the change itself until the service tells it.

The log has one writer, the service. So it hears of a change beside it within a second, and of one that was
made while it did not run at its next start; never of one that was not made.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from functools import partial

from .audit import Action, Audit, Entry
from .book import Untold
from .caller import Caller, CallerKind
from .store import AccessStore

ID = "command-line"


def note(
    file: sqlite3.Connection, now_ns: int, by: str, action: Action, *, about: str, named: Mapping[str, str]
) -> None:
    """An edit within the change that it tells of. `by` is the user of this machine who made it."""
    file.execute(
        "INSERT INTO untold (utc_ns, by, action, about, named) VALUES (?, ?, ?, ?, ?)",
        (now_ns, by, action, about, json.dumps(dict(named), ensure_ascii=False)),
    )


class Beside:
    """Tells the audit log what others have noted."""

    def __init__(self, store: AccessStore, audit: Audit) -> None:
        self._store, self._audit = store, audit
        self._there_is = asyncio.Event()
        store.on_change(self._look)

    async def run(self) -> None:
        """Until cancelled. What it has told and could not cross out is told again at the next start."""
        self._look()
        while True:
            await self._there_is.wait()
            self._there_is.clear()
            told = [self._tell(each) for each in self._store.book.untold]
            if told:
                await self._store.change(partial(_cross_out, last=max(told)))

    def _look(self) -> None:
        if self._store.book.untold:
            self._there_is.set()

    def _tell(self, each: Untold) -> int:
        by = Caller(CallerKind.LOCAL, ID, each.by)
        named = {str(name): str(value) for name, value in json.loads(each.named).items()}
        self._audit.record(Entry(each.utc_ns, by, "", Action(each.action), each.about, named))
        return each.number


def _cross_out(file: sqlite3.Connection, last: int) -> None:
    file.execute("DELETE FROM untold WHERE number <= ?", (last,))
