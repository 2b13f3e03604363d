"""90 kHz ticks and nanoseconds."""

from __future__ import annotations


def ticks_to_ns(ticks: int) -> int:
    """90 kHz ticks to nanoseconds, exactly rounded down."""
    return ticks * 100_000 // 9


def ns_to_ticks(ns: int) -> int:
    """Nanoseconds to 90 kHz ticks, exactly rounded down."""
    return ns * 9 // 100_000
