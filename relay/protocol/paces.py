"""What is known of a viewer's way before it has said anything: how fast others could take it lately."""

from __future__ import annotations

from dataclasses import dataclass

from flow.clock import NS_PER_S

from .pacer import GROWTH_PER_S, START_BPS, Pacer

REMEMBERED = 1024
LATELY_NS = 300 * NS_PER_S
PROVEN_NS = 5 * NS_PER_S
"""Who is still at full speed after so long has had the time to complain."""


@dataclass(frozen=True, slots=True)
class Left:
    """The fastest of those that have left an address, when that one left, and when the last one did."""

    rate_bps: float
    rate_ns: int
    last_ns: int


class Paces:
    """Makes pacers. Whoever comes back over a narrow link is not sent its cached group at full speed again.

    Many viewers may have one address, and one of them on a bad way says nothing about the others: the
    fastest counts, of those that are there and those that have left lately. That grows as the pacer itself
    would have, so what is remembered of a narrow way is gone within a minute. With `fixed_bps` all pacers
    stay at that rate.
    """

    def __init__(self, fixed_bps: float | None = None) -> None:
        self._fixed_bps = fixed_bps
        self._present: dict[Pacer, tuple[str, int]] = {}  # address, and since when
        self._left: dict[str, Left] = {}

    def pacer_for(self, address: str, now_ns: int, at_most_bps: float = START_BPS) -> Pacer:
        """A pacer for a viewer at this IP address; `remember` it when the viewer leaves."""
        if self._fixed_bps is not None:
            return Pacer(fixed_bps=self._fixed_bps)
        pacer = Pacer(start_bps=min(self._start_bps(address, now_ns), at_most_bps))
        self._present[pacer] = address, now_ns
        return pacer

    def remember(self, address: str, pacer: Pacer, now_ns: int) -> None:
        """That viewer has left, from `address`."""
        _, since_ns = self._present.pop(pacer, (address, now_ns))
        if not _says_something(pacer, since_ns, now_ns):
            return
        before = self._left.pop(address, None)
        if before and before.rate_bps > pacer.rate_bps and now_ns - before.rate_ns <= LATELY_NS:
            self._left[address] = Left(before.rate_bps, before.rate_ns, now_ns)
        else:
            self._left[address] = Left(pacer.rate_bps, now_ns, now_ns)
        if len(self._left) > REMEMBERED:
            del self._left[next(iter(self._left))]

    def _start_bps(self, address: str, now_ns: int) -> float:
        known = [
            (pacer.rate_bps, now_ns)
            for pacer, (where, since_ns) in self._present.items()
            if where == address and _says_something(pacer, since_ns, now_ns)
        ]
        left = self._left.get(address)
        if left and now_ns - left.rate_ns <= LATELY_NS:
            known.append((left.rate_bps, left.last_ns))
        if not known:
            return START_BPS
        since_s = (now_ns - max(at_ns for _, at_ns in known)) / NS_PER_S
        growth: float = GROWTH_PER_S**since_s
        return min(START_BPS, max(rate_bps for rate_bps, _ in known) * growth)


def _says_something(pacer: Pacer, since_ns: int, now_ns: int) -> bool:
    return pacer.rate_bps < START_BPS or now_ns - since_ns >= PROVEN_NS
