"""How much a publisher's way to us carries: generous, until packets begin to queue on it."""

from __future__ import annotations

from collections import deque

from flow.clock import NS_PER_S
from flow.codec.rtp import signed_distance
from flow.units import CLOCK_RATE_HZ

MOST_BPS = 20_000_000
LEAST_BPS = 500_000
"""A browser encodes at what it is told within its first two seconds, and up to what its own picture needs;
what is lost, it sees for itself in the receiver reports, and slows down."""

QUEUED_90K = CLOCK_RATE_HZ // 5
"""So much later than the least of the last seconds even the fastest packet of a second came: a queue."""

BACK_OFF = 0.85
GROWTH = 1.1  # a second
_SECONDS_KEPT = 10
_JUMP_90K = 10 * CLOCK_RATE_HZ


class Estimate:
    """Of one stream. `bps` is what the publisher may send."""

    def __init__(self) -> None:
        self.bps = MOST_BPS
        self._least: deque[int] = deque(maxlen=_SECONDS_KEPT)  # transit of the fastest packet of each second
        self._fastest: int | None = None
        self._reference: int | None = None  # transit of the first packet
        self._bytes = 0
        self._second_ns: int | None = None

    def take(self, size_bytes: int, timestamp: int, now_ns: int) -> None:
        """A packet that was not asked for: its RTP timestamp at 90 kHz, and when it came."""
        if self._second_ns is None:
            self._second_ns = now_ns
        self._bytes += size_bytes
        transit = now_ns * CLOCK_RATE_HZ // NS_PER_S - timestamp
        if self._reference is None:
            self._reference = transit
        late = signed_distance(self._reference, transit, 1 << 32)
        self._fastest = late if self._fastest is None else min(self._fastest, late)
        passed_ns = now_ns - self._second_ns
        if passed_ns >= NS_PER_S:
            self._judge(self._fastest, self._bytes * 8 * NS_PER_S // passed_ns)
            self._second_ns, self._bytes, self._fastest = now_ns, 0, None

    def _judge(self, fastest: int, received_bps: int) -> None:
        if self._least and abs(fastest - self._least[-1]) > _JUMP_90K:
            self._least.clear()  # the sender's clock was set
        self._least.append(fastest)
        if fastest - min(self._least) > QUEUED_90K:
            self.bps = max(LEAST_BPS, int(received_bps * BACK_OFF))
        else:
            self.bps = min(MOST_BPS, int(self.bps * GROWTH))
