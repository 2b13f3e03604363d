"""What publishers do wrong, told without a flood of lines."""

from __future__ import annotations

import logging
import threading

from flow.clock import NS_PER_S

log = logging.getLogger("lagebild.ingest")

_LINE_EVERY_NS = NS_PER_S


class Complaints:
    """A line a second of one protocol, with a count of those that were left out. Any thread may complain."""

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._left_out = 0
        self._due_ns = 0
        self._lock = threading.Lock()

    def add(self, line: str, now_ns: int) -> bool:
        """Whether it was told, and not only counted."""
        with self._lock:
            if now_ns < self._due_ns:
                self._left_out += 1
                return False
            more = f" (and {self._left_out} more)" if self._left_out else ""
            self._left_out, self._due_ns = 0, now_ns + _LINE_EVERY_NS
        log.warning("%s: %s%s", self._protocol, line, more)
        return True
