"""Lagebild with an ear on its bus: `python -m tests.bench.ingest_tap FILE WANTED serve --config FILE`.

Writes a line of JSON for each access unit and each change of a feed's state, as it happens. With WANTED
"web" or "low", that rendition of every feed is needed as long as the feed is live, as if somebody watched it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from flow.clock import NS_PER_S
from flow.flights import RenditionWanted, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Rendition
from tests.bench.ingest_marks import number_of
from web import cli

_LEASE_NS = 4 * NS_PER_S
"""States come once a second while a feed is live."""


class Tap:
    """What passes the bus, with the monotonic clock of its publishing."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self._told: dict[str, tuple[str, str]] = {}

    def unit(self, unit: AccessUnit, at_ns: int) -> None:
        self._write("unit", unit.feed_id, at_ns, number_of(unit.data), unit.rendition, len(unit.data))

    def state(self, state: SourceState, at_ns: int) -> None:
        told = (state.status.value, state.reason)
        if self._told.get(state.feed_id) != told:
            self._told[state.feed_id] = told
            self._write("state", state.feed_id, at_ns, *told)

    def _write(self, *entry: Any) -> None:
        self._log.write(json.dumps(entry) + "\n")


def install(tap: Tap, wanted: Rendition | None) -> None:
    """Every bus of this process is tapped from now on."""
    publish = MemoryBus.publish

    def publish_noted(self: MemoryBus, item: Any) -> None:
        at_ns = time.monotonic_ns()
        publish(self, item)
        if isinstance(item, AccessUnit):
            tap.unit(item, at_ns)
        elif isinstance(item, SourceState):
            tap.state(item, at_ns)
            if wanted is not None and item.status is SourceStatus.LIVE:
                publish(self, RenditionWanted(item.feed_id, wanted, time.time_ns() + _LEASE_NS))

    MemoryBus.publish = publish_noted  # type: ignore[method-assign]


def main(file: str, wanted: str, *arguments: str) -> int:
    with Path(file).open("w", buffering=1, encoding="utf-8") as log:
        install(Tap(log), Rendition(wanted) if wanted else None)
        return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
