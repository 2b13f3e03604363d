"""Whether the clock may say whose days are over.

Lagebild's time is that of the machine when it starts. Where that is years ahead, every flight is due, and
nobody has had the time to notice. So what time it was last is kept, and a leap is waited out.
"""

from __future__ import annotations

import msgspec

from flow.clock import NS_PER_S

NS_PER_DAY = 86_400 * NS_PER_S
LEAP_NS = 14 * NS_PER_DAY
"""Servers are off for so long only now and then; days are counted in tens."""

WAIT_NS = NS_PER_DAY
"""Of running time: somebody will look at the page, or at the log."""

VERSION = 1


class ClockSeen(msgspec.Struct, frozen=True):
    """What time it was last. `wait_ns` of running time are left until its days count again, because it leapt
    ahead by `leapt_ns`; 0: they count."""

    seen_ns: int
    wait_ns: int = 0
    leapt_ns: int = 0
    version: int = VERSION

    @property
    def leapt_days(self) -> int:
        return self.leapt_ns // NS_PER_DAY

    def restarted(self, now_ns: int) -> ClockSeen:
        """At the start of a run. A second leap does not begin to wait anew: where a server runs for an hour
        a month, flights would be kept for ever. One that goes back undoes the first."""
        leapt_ns = now_ns - self.seen_ns
        if leapt_ns > LEAP_NS:
            left_ns = min(max(self.wait_ns, 0), WAIT_NS) or WAIT_NS
            return ClockSeen(now_ns, left_ns, leapt_ns)
        if leapt_ns < -LEAP_NS:
            return ClockSeen(now_ns)
        return ClockSeen(now_ns, min(max(self.wait_ns, 0), WAIT_NS), self.leapt_ns)

    def ran(self, now_ns: int) -> ClockSeen:
        """Within a run, where time only passes."""
        wait_ns = max(0, self.wait_ns - max(0, now_ns - self.seen_ns))
        return ClockSeen(now_ns, wait_ns, self.leapt_ns if wait_ns else 0)
