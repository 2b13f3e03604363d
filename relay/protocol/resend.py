"""What a viewer may be sent again: bounded, so that NACKs neither multiply traffic nor clog a full link."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from flow.clock import NS_PER_MS

from .pacer import TokenBucket

RATE_BPS = 4_000_000
BURST_BYTES = 128 * 1024
"""Half of a large keyframe at once; then 10 % of a 40 Mbit/s stream."""

LEAST_INTERVAL_MS = 10.0
REMEMBERED = 1024
"""Resent within half a round trip; beyond that only tiny packets or a forged round trip lead."""

LOOKED_UP_PER_S = 1000
LOOKED_UP_AT_ONCE = 1000
"""Numbers that are looked for at all, 5 µs each; twice as many as RATE_BPS has packets. One datagram of a
hostile viewer names a thousand."""


class ResendBudget:
    """Decides about one viewer's NACKs; `refused` counts what was asked for too often or too much.

    A resend takes from the pacer's allowance like anything else. Ask the pacer first: what is granted here
    counts as sent.
    """

    def __init__(self, rate_bps: float = RATE_BPS, burst_bytes: int = BURST_BYTES) -> None:
        self.refused = 0
        self._bucket = TokenBucket(rate_bps, burst_bytes)
        self._lookups = TokenBucket(8 * LOOKED_UP_PER_S, LOOKED_UP_AT_ONCE)  # a number counts as a byte
        self._sent_ns: OrderedDict[int, int] = OrderedDict()  # feed sequence -> when last resent

    def admitted(self, asked: Sequence[int], now_ns: int) -> Sequence[int]:
        """As many of the numbers that a NACK asks for as may be looked for now."""
        admitted = asked[: self._lookups.allowance(now_ns)]
        self._lookups.spent(len(admitted))
        self.refused += len(asked) - len(admitted)
        return admitted

    def grant(self, feed_seq: int, size_bytes: int, rtt_ms: float | None, now_ns: int) -> bool:
        """Whether the packet may be resent now; if so, it is counted as sent.

        Not twice within half a round trip: the NACK was sent before the resent packet can have come.
        """
        interval_ns = int(max(LEAST_INTERVAL_MS, (rtt_ms or 0.0) / 2) * NS_PER_MS)
        self._forget_until(now_ns - interval_ns)
        too_soon = feed_seq in self._sent_ns or len(self._sent_ns) >= REMEMBERED
        if too_soon or self._bucket.allowance(now_ns) < size_bytes:
            self.refused += 1
            return False
        self._bucket.spent(size_bytes)
        self._sent_ns[feed_seq] = now_ns
        return True

    def _forget_until(self, then_ns: int) -> None:
        while self._sent_ns and next(iter(self._sent_ns.values())) <= then_ns:
            self._sent_ns.popitem(last=False)
