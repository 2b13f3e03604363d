"""Whether an uptime that runs slow is a queue's doing: the aircraft's heartbeats tell.

Every autopilot sends one a second (https://mavlink.io/en/services/heartbeat.html). A queue that grows makes
them as rare as it makes uptime slow; where only the uptime is wrong, they come every second as ever.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median

from flow.clock import NS_PER_MS

KEPT = 8
LATE_NS = 1150 * NS_PER_MS
"""Less than what an uptime that counts as slow makes of a second."""


class Heartbeats:
    """`hear` every heartbeat of the autopilot."""

    def __init__(self) -> None:
        self._arrivals_ns: deque[int] = deque(maxlen=KEPT)
        self.are_late = False
        """Whether the last ones came rarer than every second. Also where some are lost: then a slow uptime
        makes messages look older than they are, never newer."""

    def hear(self, arrival_ns: int) -> None:
        """One has arrived (rising)."""
        self._arrivals_ns.append(arrival_ns)
        steps = [after - before for before, after in pairwise(self._arrivals_ns)]
        self.are_late = bool(steps) and median(steps) > LATE_NS
