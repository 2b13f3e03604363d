"""How often each address may do something that everybody is told of."""

from __future__ import annotations

from collections import OrderedDict

from flow.clock import NS_PER_S, Clock
from flow.errors import TooManyError

_ADDRESSES_KEPT = 1024


class Pace:
    """`burst` times at once, then `a_second`. Who is not heard of for long has its burst again."""

    def __init__(self, clock: Clock, burst: int, a_second: float) -> None:
        self._clock, self._burst, self._a_second = clock, burst, a_second
        self._left: OrderedDict[str, tuple[float, int]] = OrderedDict()  # how often yet, as of when

    def take(self, address: str) -> None:
        """Raises TooManyError."""
        now_ns = self._clock.now_ns()
        left, since_ns = self._left.pop(address, (float(self._burst), now_ns))
        left = min(self._burst, left + self._a_second * (now_ns - since_ns) / NS_PER_S)
        self._left[address] = (left - 1 if left >= 1 else left), now_ns
        if len(self._left) > _ADDRESSES_KEPT:
            self._left.popitem(last=False)
        if left < 1:
            raise TooManyError(f"{address} is too fast: {self._a_second:g} changes a second are the limit")
