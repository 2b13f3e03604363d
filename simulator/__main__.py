"""`python -m simulator --rtp HOST:PORT …`: flies the demo aircraft until it is told to land."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from types import FrameType

import cv2

from flow.clock import SystemClock
from simulator.arguments import parse
from simulator.flight import Flight


class Ending:
    """Says when to stop: a signal, the end of the given time, or the parent's death."""

    def __init__(self, seconds: float | None, with_parent: bool) -> None:
        self._until = None if seconds is None else time.monotonic() + seconds
        self._with_parent = with_parent
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def start(self, seconds: float | None) -> None:
        self._until = None if seconds is None else time.monotonic() + seconds

    def is_over(self) -> bool:
        late = self._until is not None and time.monotonic() >= self._until
        return self._asked or late or (self._with_parent and _stdin_closed())

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True


def _stdin_closed() -> bool:
    """Whether standard input has ended; anything written to it is ignored."""
    readable, _, _ = select.select([0], [], [], 0)
    return bool(readable) and os.read(0, 4096) == b""


def main() -> int:
    given = parse()
    cv2.setNumThreads(1)
    ending = Ending(given.seconds, given.with_parent)
    with contextlib.ExitStack() as stack:
        truth = stack.enter_context(given.truth.open("w")) if given.truth else None
        flight = stack.enter_context(contextlib.closing(Flight(given, SystemClock(), truth)))
        ending.start(given.seconds)
        began, cpu = time.monotonic(), time.process_time()
        captured = flight.run(ending.is_over)
        took, used = time.monotonic() - began, time.process_time() - cpu
    print(f"simulator: {captured} instants in {took:.1f} s, {used / took:.2f} CPU s/s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
