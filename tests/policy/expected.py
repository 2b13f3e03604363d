"""The table of what is expected (table.txt, by hand), line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CALLERS = "SVPDAGmtiko"

TABLE = Path(__file__).with_name("table.txt").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Line:
    """One route, or one channel of it, and what each caller gets by what it is about."""

    channel: str  # a method, "WS" or "SSE"
    path: str
    statuses: frozenset[int]  # of what is allowed
    columns: tuple[str, ...]  # a letter for each of CALLERS

    @property
    def route(self) -> tuple[str, str]:
        """As it is registered."""
        return ("GET" if self.channel in ("WS", "SSE") else self.channel), self.path


def lines(table: str = TABLE) -> Iterator[Line]:
    """Raises ValueError for a line that is none."""
    for text in table.splitlines():
        if not text or text.startswith("#"):
            continue
        channel, path, statuses, *columns = text.split()
        if not columns or any(len(each) != len(CALLERS) or set(each) - set("+LFH") for each in columns):
            raise ValueError(f"this is no line of the table: {text}")
        if len(columns) not in (1, 2, 4):
            raise ValueError(f"one, two or four columns: {text}")
        yield Line(channel, path, frozenset(map(int, statuses.split(","))), tuple(columns))
