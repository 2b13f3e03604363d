"""An aircraft's time of day (SYSTEM_TIME, GPS_RAW_INT) beside Lagebild time."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from statistics import median

from flow.clock import NS_PER_MS, NS_PER_S
from flow.clock_watch import FAST, SLOW
from flow.codec.tlog import EARLIEST_US, LATEST_US

SINCE_BOOT_MOST_US = 1_000_000_000_000_000
"""GPS_RAW_INT.time_usec is since boot or since 1970, told apart by magnitude; this is September 2001."""
HEARD = 4
"""Times that must agree for the clock to be believed."""
AGREE_NS = NS_PER_S


class WallClock:
    """`hear` what the aircraft says the time is; read `offset_ms` and `reason`.

    Nothing is timed by it: it says how far to trust the times in the aircraft's own logs and pictures.
    """

    def __init__(self) -> None:
        self.reason = ""
        """Why it is not believed: "clock_bogus", "clock_fast", "clock_slow" or "clock_jumps"."""
        self.offset_ms: float | None = None
        """What it shows less Lagebild time; None while it is not known or not believed."""
        self._heard: deque[tuple[int, int]] = deque(maxlen=HEARD)  # Lagebild time, what it showed
        self._has_system_time = False

    def hear_system_time(self, unix_us: int, time_ns: int) -> None:
        """SYSTEM_TIME.time_unix_usec of a message of `time_ns` (Lagebild time); 0 is unknown."""
        self._has_system_time |= unix_us != 0
        self._hear(unix_us, time_ns)

    def hear_gps(self, time_us: int, time_ns: int) -> None:
        """GPS_RAW_INT.time_usec: counts where there is no SYSTEM_TIME, for it may be the time of the fix."""
        if time_us >= SINCE_BOOT_MOST_US and not self._has_system_time:
            self._hear(time_us, time_ns)

    def _hear(self, unix_us: int, time_ns: int) -> None:
        if unix_us == 0:
            return
        if not EARLIEST_US <= unix_us <= LATEST_US:
            self._heard.clear()
            self.reason, self.offset_ms = "clock_bogus", None
            return
        self._heard.append((time_ns, unix_us * 1000))
        if len(self._heard) == HEARD:
            offsets = [shown - at for at, shown in self._heard]
            agree = max(offsets) - min(offsets) <= AGREE_NS
            self.reason = "" if agree else self._fault()
            self.offset_ms = median(offsets) / NS_PER_MS if agree else None

    def _fault(self) -> str:
        steps = [(shown - before, at - since) for (since, before), (at, shown) in pairwise(self._heard)]
        if sum(shown > FAST * passed for shown, passed in steps) > 1:
            return "clock_fast"
        return "clock_slow" if sum(shown < SLOW * passed for shown, passed in steps) > 1 else "clock_jumps"
