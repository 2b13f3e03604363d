"""A bad network as an object: what one direction of a link does to each datagram, seeded and without a clock.

tests/fakes/lossy_proxy.py puts two of them between a WebRTC client and a real UDP port.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from flow.clock import NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True)
class Conditions:
    """One direction of a link. Shares are 0..1 of the datagrams, each drawn on its own.

    `delay_ms` and `jitter_ms` (uniform, 0 to its value) keep the order, as a queue does; a reordered datagram
    is held back for `reorder_ms` more while the others pass. A narrow link sends `rate_bps` and drops what
    does not fit into its `queue_bytes`.
    """

    loss: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    reorder: float = 0.0
    reorder_ms: float = 10.0
    duplicate: float = 0.0
    truncate: float = 0.0
    rate_bps: int | None = None
    queue_bytes: int = 64 * 1024


PERFECT = Conditions()


class LossyLink:
    """One direction under `conditions`. `send()` says when and how each datagram arrives, if it does.

    `counts` holds how many datagrams were "sent", "lost", "overflowed", "reordered", "duplicated" and
    "truncated". The same seed and the same calls give the same answers.
    """

    def __init__(self, conditions: Conditions = PERFECT, seed: int = 1) -> None:
        self.conditions = conditions
        self.counts: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._wire_free_ns = 0
        self._last_ns = 0

    def send(self, datagram: bytes, now_ns: int) -> list[tuple[int, bytes]]:
        """(deliver_at_ns, datagram) of each copy that arrives, [] if none. `now_ns` never steps back."""
        self.counts["sent"] += 1
        if self._happens("lost", self.conditions.loss):
            return []
        left_ns = self._through_the_queue(len(datagram), now_ns)
        if left_ns is None:
            return []
        if self._happens("truncated", self.conditions.truncate):
            datagram = datagram[: self._dice.randrange(len(datagram))] if datagram else datagram
        arrivals = [(self._arrival(left_ns), datagram)]
        if self._happens("duplicated", self.conditions.duplicate):
            arrivals.append((self._arrival(left_ns), datagram))
        return arrivals

    def _happens(self, what: str, share: float) -> bool:
        happens = share > 0 and self._dice.random() < share
        self.counts[what] += happens
        return happens

    def _through_the_queue(self, size: int, now_ns: int) -> int | None:
        """When the last bit is on the wire; None if the queue had no room."""
        rate_bps = self.conditions.rate_bps
        if rate_bps is None:
            return now_ns
        starts_ns = max(now_ns, self._wire_free_ns)
        waiting_bytes = (starts_ns - now_ns) * rate_bps // (8 * NS_PER_S)
        if waiting_bytes + size > self.conditions.queue_bytes:
            self.counts["overflowed"] += 1
            return None
        self._wire_free_ns = starts_ns + size * 8 * NS_PER_S // rate_bps
        return self._wire_free_ns

    def _arrival(self, left_ns: int) -> int:
        delay_ms = self.conditions.delay_ms + self._dice.uniform(0.0, self.conditions.jitter_ms)
        in_order_ns = self._last_ns = max(left_ns + int(delay_ms * NS_PER_MS), self._last_ns)
        if self._happens("reordered", self.conditions.reorder):
            return in_order_ns + int(self.conditions.reorder_ms * NS_PER_MS)
        return in_order_ns
