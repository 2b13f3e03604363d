"""How often somebody may try: a few times at once, then ever more seldom. Bounded memory; no I/O, no clock.

An attempt counts before its password is looked at, so that many at the same moment are no way around it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from flow.clock import NS_PER_S
from flow.errors import TooManyError

KEPT_MOST = 10_000


class ThrottledError(TooManyError):
    """Too many wrong logins. `is_first`: the first that is refused since the last attempt."""

    code = "login_throttled"

    def __init__(self, wait_s: int, is_first: bool) -> None:
        super().__init__(f"too many wrong logins: try again in {wait_s} s")
        self.retry_after_s, self.is_first = wait_s, is_first


@dataclass(frozen=True, slots=True)
class Pace:
    """`free` attempts at once; then the first wait, doubled each time up to the longest.

    `forgives`: a right one wipes out the wrong ones before it. Not where several people share a key: whoever
    has one account must not buy attempts on another's with it.
    """

    free: int
    first_s: float
    longest_s: float
    forgives: bool = False

    def wait_ns(self, failures: int) -> int:
        if failures < self.free:
            return 0
        return round(min(self.longest_s, self.first_s * float(2 ** min(failures - self.free, 62))) * NS_PER_S)


@dataclass(slots=True)
class _Tries:
    """Of one key: how often in a row, when the last, and how many were refused since."""

    failures: int = 0
    last_ns: int = 0
    refused: int = 0


class Throttle:
    """Counts failures by key. The oldest are forgotten where there are too many keys, and each after
    `forget_s` without an attempt."""

    def __init__(self, pace: Pace, forget_s: float = 3600.0, kept_most: int = KEPT_MOST) -> None:
        self._pace, self._forget_ns, self._kept_most = pace, round(forget_s * NS_PER_S), kept_most
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def check(self, key: str, now_ns: int) -> None:
        """Raises ThrottledError where this key must wait."""
        tries = self._tries.get(key)
        if tries is None:
            return
        left_ns = tries.last_ns + self._pace.wait_ns(tries.failures) - now_ns
        if left_ns > 0:
            tries.refused += 1
            raise ThrottledError(-(-left_ns // NS_PER_S), tries.refused == 1)
        if now_ns - tries.last_ns >= self._forget_ns:
            del self._tries[key]

    def count(self, key: str, now_ns: int) -> int:
        """An attempt begins, which fails unless something else is said; how many were refused before."""
        tries = self._tries.setdefault(key, _Tries())
        self._tries.move_to_end(key)
        tries.failures, tries.last_ns = tries.failures + 1, now_ns
        refused, tries.refused = tries.refused, 0
        if len(self._tries) > self._kept_most:
            self._tries.popitem(last=False)
        return refused

    def succeed(self, key: str) -> None:
        """That attempt was right."""
        if self._pace.forgives:
            self.forget(key)
        else:
            self.take_back(key)

    def take_back(self, key: str) -> None:
        """That attempt counts no more; what failed before does."""
        tries = self._tries.get(key)
        if tries is not None and tries.failures > 1:
            tries.failures -= 1
        else:
            self._tries.pop(key, None)

    def forget(self, key: str) -> None:
        """Its owner was here."""
        self._tries.pop(key, None)


class Budget:
    """So many attempts a second for all together, some at once; each costs the house a hash."""

    def __init__(self, per_s: float, at_once: int) -> None:
        self._each_ns, self._at_once = round(NS_PER_S / per_s), at_once
        self._full_ns = 0
        """When all of it will be there again."""

    def check(self, now_ns: int) -> None:
        """Raises ThrottledError where all of it is spent."""
        left_ns = self._full_ns - now_ns - (self._at_once - 1) * self._each_ns
        if left_ns > 0:
            raise ThrottledError(-(-left_ns // NS_PER_S), is_first=False)

    def spend(self, now_ns: int) -> None:
        self._full_ns = max(self._full_ns, now_ns) + self._each_ns

    def take_back(self) -> None:
        """No hash was made."""
        self._full_ns -= self._each_ns
