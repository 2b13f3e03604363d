"""What is known of a viewer's way before it has said anything: how fast it could take it the last time."""

from __future__ import annotations

from flow.clock import NS_PER_S

from .pacer import GROWTH_PER_S, START_BPS, Pacer

REMEMBERED = 1024


class Paces:
    """Makes pacers. Whoever comes back over a narrow link is not sent its cached group at full speed again.

    What is remembered of an address grows as the pacer itself would have, so it is gone within a minute.
    With `fixed_bps` all pacers stay at that rate.
    """

    def __init__(self, fixed_bps: float | None = None) -> None:
        self._fixed_bps = fixed_bps
        self._known: dict[str, tuple[float, int]] = {}  # rate and when it was that, by address

    def pacer_for(self, address: str, now_ns: int) -> Pacer:
        """A pacer for a viewer at this IP address."""
        if self._fixed_bps is not None:
            return Pacer(fixed_bps=self._fixed_bps)
        rate_bps, at_ns = self._known.get(address, (START_BPS, now_ns))
        since_s = min((now_ns - at_ns) / NS_PER_S, 60.0)
        return Pacer(start_bps=min(START_BPS, rate_bps * GROWTH_PER_S**since_s))

    def remember(self, address: str, pacer: Pacer, now_ns: int) -> None:
        """That viewer has left."""
        self._known.pop(address, None)
        if pacer.rate_bps < START_BPS:
            self._known[address] = pacer.rate_bps, now_ns
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]
