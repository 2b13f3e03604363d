"""Lagebild with a clock inside: from a picture on the bus to its last packet sent, per viewer.

`python -m tests.bench.traced FILE BITS_PER_SECOND serve --config FILE` runs the service with every viewer's
pacing held to that rate, and writes FILE as it ends. A picture that waits for its pace is not traced.
"""

from __future__ import annotations

import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flow.memory_bus import MemoryBus
from flow.units import AccessUnit
from relay.delivery import Delivery
from relay.fanout import FanOut
from tests.bench.figures import percentile
from tests.bench.peers import lagebild
from tests.bench.peers.place import Place

UNPACED_BPS = 100_000_000_000


class TracedLagebild(lagebild.LagebildPeer):
    """After it has stopped, `inside_ms` tells what it saw."""

    def __init__(self, place: Place, trace: Path, *, pace_bps: int = UNPACED_BPS) -> None:
        super().__init__(place, pace_bps=pace_bps)
        self._trace, self._rate = trace, pace_bps

    def command(self) -> Sequence[str]:
        python, *_, serve, config, file = super().command()
        return python, "-m", "tests.bench.traced", str(self._trace), str(self._rate), serve, config, file

    def inside_ms(self, began_ns: int, ended_ns: int) -> dict[str, float | None]:
        """Percentiles over all pictures and viewers of a window, and of each picture's last viewer."""
        entries = array("q", self._trace.read_bytes())
        every: list[float] = []
        last: dict[int, float] = {}
        for published_ns, sent_ns in zip(entries[::2], entries[1::2], strict=True):
            if began_ns <= published_ns < ended_ns:
                every.append((sent_ns - published_ns) / 1e6)
                last[published_ns] = every[-1]
        lasts = list(last.values())
        return {
            "p50": percentile(every, 0.5),
            "p99": percentile(every, 0.99),
            "last_p50": percentile(lasts, 0.5),
            "last_p99": percentile(lasts, 0.99),
        }


class Trace:
    """Pairs of nanoseconds: on the bus, sent to one viewer."""

    def __init__(self) -> None:
        self.entries = array("q")
        self._published: dict[tuple[int, int], int] = {}

    def published(self, unit: AccessUnit) -> None:
        self._published[unit.epoch, unit.seq] = time.monotonic_ns()

    def sent(self, unit: AccessUnit, delivery: Delivery) -> None:
        published_ns = self._published.get((unit.epoch, unit.seq))
        if published_ns is not None and not delivery.has_backlog:
            self.entries.extend((published_ns, time.monotonic_ns()))


def install(trace: Trace) -> None:
    """Every bus and fan-out of this process is traced from now on."""
    publish, begin = MemoryBus.publish, FanOut.__init__

    def publish_noted(self: MemoryBus, item: Any) -> None:
        if isinstance(item, AccessUnit):
            trace.published(item)
        publish(self, item)

    def begin_traced(self: FanOut, *arguments: Any) -> None:
        begin(self, *arguments)
        self.trace = trace.sent

    MemoryBus.publish = publish_noted  # type: ignore[method-assign]
    FanOut.__init__ = begin_traced  # type: ignore[method-assign,assignment]


def main(file: str, pace_bps: str, *arguments: str) -> int:
    trace = Trace()
    install(trace)
    try:
        return lagebild.main(float(pace_bps), arguments)
    finally:
        Path(file).write_bytes(trace.entries.tobytes())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
