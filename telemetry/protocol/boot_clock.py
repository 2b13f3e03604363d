"""Lagebild time of an aircraft's messages, from its uptime clock (`time_boot_ms`)."""

from __future__ import annotations

from flow.arrival import Arrival
from flow.clock import NS_PER_MS, NS_PER_S
from flow.clock_watch import ClockWatch, Sight
from flow.drift import Drift
from flow.source_clock import ClockState, ClockStatus

from .heartbeats import Heartbeats
from .wall_clock import WallClock

WINDOW_NS = 10 * NS_PER_S
MOST_DELAY_NS = 300 * NS_PER_S
"""No sender keeps messages for so long: a clock that says so is slow."""
FOLLOWS_NS = NS_PER_S
ALONE_NS = 5 * NS_PER_S
"""So long after a silence messages without uptime come alone before they are taken for new."""


class BootClock:
    """Maps uptime to Lagebild time by the least delayed message, so that link jitter does not move telemetry.

    What a queue holds back stays old (flow/arrival.py). A clock that no aircraft has (flow/clock_watch.py) is
    refused: then a message is as old as its arrival, until the clock has been without fault for 30 s.
    """

    def __init__(self) -> None:
        self._watch = ClockWatch()
        self._arrival = Arrival(WINDOW_NS)
        self._drift = Drift()
        self._last: tuple[int, int] | None = (
            None  # arrival of a message with uptime, and what it was mapped to
        )
        self._alone_since_ns: int | None = None  # since when only messages without uptime come
        self.heartbeats = Heartbeats()
        self.wall = WallClock()
        """The aircraft's time of day; no message is timed by it."""
        self.is_used = False
        """Whether the last uptime was believed."""

    def restarts_with(self, boot_ms: int) -> bool:
        """Whether `boot_ms` can only come from an aircraft that has started anew."""
        return self._watch.restarts_with(boot_ms * NS_PER_MS)

    def behind_ms(self, boot_ms: int) -> int:
        """How much earlier than the newest uptime `boot_ms` is."""
        return (self._watch.newest_ns or 0) // NS_PER_MS - boot_ms

    def map(self, boot_ms: int, arrival_ns: int) -> int:
        """Lagebild time of a message that carries its uptime, never later than `arrival_ns` (rising)."""
        source_ns, mapped_ns = boot_ms * NS_PER_MS, arrival_ns
        sight = self._watch.see(source_ns, arrival_ns, is_late=self.heartbeats.are_late)
        if sight is Sight.BEGINS:
            self._arrival.reset()
            self._drift.reset()
        self._alone_since_ns = None
        self.is_used = sight is not Sight.UNUSABLE
        if self.is_used:
            mapped_ns = self._mapped_ns(source_ns, arrival_ns)
        self._last = arrival_ns, mapped_ns
        return mapped_ns

    def _mapped_ns(self, source_ns: int, arrival_ns: int) -> int:
        mapped_ns = self._arrival.map(source_ns, arrival_ns)
        if arrival_ns - mapped_ns > MOST_DELAY_NS and not self.heartbeats.are_late:
            self._watch.refuse("clock_slow", arrival_ns)
            self.is_used = False
            return arrival_ns
        if not self._arrival.is_behind:
            self._drift.add(source_ns, arrival_ns)
        return mapped_ns

    def repeat(self, arrival_ns: int) -> None:
        """An uptime that is no newer than what had come before: nothing has become newer by it."""
        if self._last is not None:
            self._last = arrival_ns, self._last[1]

    def follow(self, arrival_ns: int) -> int:
        """Lagebild time of a message without uptime: as old as the last one that had it.

        They travel through the same queue; its arrival alone would make it newer than the attitude beside it.
        What comes first after a silence may have been held back all that time; the next uptime tells.
        """
        if self._last is None or arrival_ns - self._last[0] >= MOST_DELAY_NS:
            return arrival_ns
        last_ns, mapped_ns = self._last
        if arrival_ns - last_ns < FOLLOWS_NS:
            return mapped_ns
        if self._alone_since_ns is None:
            self._alone_since_ns = arrival_ns
        return mapped_ns if arrival_ns - self._alone_since_ns < ALONE_NS else arrival_ns

    def state(self) -> ClockState:
        """What is known of both. A `reason` beside another status than REFUSED is that of the time of day."""
        watch = self._watch
        refused = watch.status is ClockStatus.REFUSED
        return ClockState(
            status=watch.status,
            reason=watch.reason or self.wall.reason,
            offset_ms=self.wall.offset_ms,
            drift_ppm=watch.wrong_by_ppm if refused else self._drift.ppm,
            restarts=watch.restarts,
        )
