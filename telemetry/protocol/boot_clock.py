"""Lagebild time of an aircraft's messages, from its uptime clock (`time_boot_ms`)."""

from __future__ import annotations

from flow.envelope import EarliestArrival

NS_PER_MS = 1_000_000
WINDOW_NS = 10_000_000_000
MOST_DELAY_NS = 2_000_000_000
"""A message mapped to longer ago than this says more about a bad clock than about a slow link."""
TRUST_AGAIN_NS = 30_000_000_000
RESTART_MS = 3_000
"""Uptime stepping back this far is a restart; less is a message that came late or over a slower link."""
FOLLOWS_NS = 1_000_000_000


class BootClock:
    """Maps uptime to Lagebild time by the least delayed message, so that link jitter does not move telemetry.

    Never trusts the clock far: a result outside [arrival - 2 s, arrival] is replaced by the arrival, and a
    clock that does it twice within 30 s (it runs at the wrong speed, or stands still) is ignored until the
    aircraft restarts.
    """

    def __init__(self) -> None:
        self._envelope = EarliestArrival(WINDOW_NS)
        self._newest_ms: int | None = None
        self._refused_ns: int | None = None
        self._trusted = True
        self._mapped_ns = 0

    def restarts_with(self, boot_ms: int) -> bool:
        """Whether `boot_ms` can only come from an aircraft that has started anew."""
        return self._newest_ms is not None and boot_ms < self._newest_ms - RESTART_MS

    def map(self, boot_ms: int, arrival_ns: int) -> int:
        """Lagebild time of a message that carries its uptime."""
        self._newest_ms = max(boot_ms, self._newest_ms or 0)
        mapped_ns = self._envelope.map(boot_ms * NS_PER_MS, arrival_ns) if self._trusted else arrival_ns
        if not arrival_ns - MOST_DELAY_NS <= mapped_ns <= arrival_ns:
            self._refuse(arrival_ns)
            mapped_ns = arrival_ns
        self._mapped_ns = mapped_ns
        return mapped_ns

    def follow(self, arrival_ns: int) -> int:
        """Lagebild time of a message without uptime: as old as the last one that had it, if that is recent.

        They travel through the same queue; its arrival alone would make it newer than the attitude beside it.
        """
        return self._mapped_ns if arrival_ns - self._mapped_ns < FOLLOWS_NS else arrival_ns

    def _refuse(self, arrival_ns: int) -> None:
        self._envelope.reset()
        self._trusted = self._refused_ns is None or arrival_ns - self._refused_ns > TRUST_AGAIN_NS
        self._refused_ns = arrival_ns
