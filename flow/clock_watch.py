"""Whether a source's clock runs as clocks do: its pace, its leaps, its restarts.

What arrives proves less than it seems to. Early it cannot be, so a clock that runs ahead is wrong, for sure.
Late it may be because the clock is slow, or because of a queue; and old telemetry that is taken for new can
kill. No quartz changes its pace in flight, but queues grow at any time: a clock is refused as slow by its
first seconds or because it stands still, never by what comes late once it has kept pace.
"""

from __future__ import annotations

from enum import Enum, auto

from .clock import NS_PER_S
from .source_clock import ClockStatus

TRIAL_NS = 10 * NS_PER_S
TRIAL_TIMES = 8
FAST, SLOW = 1.2, 0.8
"""What no clock runs at, over a trial. Camera time stamps that are counted, not taken, are off by a sixth."""
FAST_TRIALS = 2
"""One trial that begins amid held back messages looks fast, too."""
SILENCE_NS = NS_PER_S // 2
"""More than this between two times does not count against a slow clock: something was held back."""
STANDS_NS = 2 * NS_PER_S
LEAP_NS = 3 * NS_PER_S
"""A time so much earlier here than it can have been sent, or so far back, is no jitter."""
LEAP_TIMES = 3
"""So many in a row, or for so long as a clock may stand; else it was a bad message."""
AGAIN_NS = 30 * NS_PER_S
"""A clock without fault for so long is believed again."""
DRIFT_PPM = 2000


class Sight(Enum):
    """What is to be done with a time that was seen."""

    GOES_ON = auto()
    BEGINS = auto()  # use it, and forget what was known of the clock
    UNUSABLE = auto()  # the arrival stands in


class ClockWatch:
    """`see` every time of a free-running clock with its arrival; both in ns, arrivals rising."""

    def __init__(self) -> None:
        self.reason = ""
        """Why the clock is refused: "clock_fast", "clock_slow" or "clock_jumps"; "" while it is not."""
        self.pace: float | None = None
        """Seconds that it counts in one of ours, over the last trial."""
        self.restarts = 0
        self.newest_ns: int | None = None
        """The latest time that it showed since it began."""
        self._offended_ns = 0
        self._restarted_ns: int | None = None
        self._begin()

    def _begin(self) -> None:
        self.newest_ns = None
        self._kept_pace = False
        self._least_ns = 0  # of (arrival - source time)
        self._seen_at_ns = 0
        self._leaps: list[tuple[int, int]] = []  # (source, arrival)
        self._trial: tuple[int, int, int] | None = None  # source, arrival and least of its first time
        self._seen = self._heard_ns = self._fast_trials = 0
        self._same_since_ns = self._same = 0

    @property
    def status(self) -> ClockStatus:
        if self.reason:
            return ClockStatus.REFUSED
        if self.newest_ns is None:
            return ClockStatus.NONE
        return ClockStatus.GOOD if self._kept_pace else ClockStatus.ESTIMATING

    @property
    def wrong_by_ppm(self) -> float | None:
        """How much faster than ours a clock runs that is refused for its pace."""
        if self.pace is None or self.reason not in {"clock_fast", "clock_slow"}:
            return None
        return (self.pace - 1) * 1e6

    def see(self, source_ns: int, arrival_ns: int, *, is_late: bool = False) -> Sight:
        """Take what it showed in something that arrived at `arrival_ns`; `is_late`: that is held back, as is
        known from elsewhere, so it may look slow."""
        if self.newest_ns is None or self.restarts_with(source_ns):
            self._restart(arrival_ns)
            self._admit(source_ns, arrival_ns)
            return self._verdict(Sight.BEGINS)
        if arrival_ns - source_ns < self._least_ns - LEAP_NS:
            self._leap(source_ns, arrival_ns)
            return Sight.UNUSABLE
        self._leaps.clear()
        self._admit(source_ns, arrival_ns)
        if self.newest_ns is not None:  # or it was refused just now
            self._judge_pace(source_ns, arrival_ns, is_late)
        if self.reason and arrival_ns - self._offended_ns >= AGAIN_NS:
            self.reason = ""
            return Sight.BEGINS
        return self._verdict(Sight.GOES_ON)

    def restarts_with(self, source_ns: int) -> bool:
        """Whether `source_ns` can only come from a clock that has begun anew."""
        return self.newest_ns is not None and source_ns < self.newest_ns - LEAP_NS

    def refuse(self, reason: str, now_ns: int) -> None:
        """Believe it no more, for a while."""
        self.reason, self._offended_ns = reason, now_ns
        self._begin()

    def restart(self) -> None:
        """It begins anew, and that is known from elsewhere."""
        self._begin()
        self.newest_ns = None

    def _verdict(self, sight: Sight) -> Sight:
        return Sight.UNUSABLE if self.reason else sight

    def _restart(self, arrival_ns: int) -> None:
        if self.newest_ns is None:
            return
        self.restarts += 1
        again = self._restarted_ns is not None and arrival_ns - self._restarted_ns < AGAIN_NS
        self._restarted_ns = arrival_ns
        self._begin()
        if again:  # nobody boots twice in so short a time
            self.refuse("clock_jumps", arrival_ns)

    def _leap(self, source_ns: int, arrival_ns: int) -> None:
        if not self._leaps or source_ns != self._leaps[-1][0]:  # messages of one instant share its fault
            self._leaps.append((source_ns, arrival_ns))
        (first_ns, began_ns), (last_ns, ended_ns) = self._leaps[0], self._leaps[-1]
        if len(self._leaps) < LEAP_TIMES and arrival_ns - began_ns < STANDS_NS:
            return
        runs = last_ns - first_ns > FAST * (ended_ns - began_ns) + NS_PER_S
        self.refuse("clock_fast" if runs or self.reason == "clock_fast" else "clock_jumps", arrival_ns)
        self._admit(source_ns, arrival_ns)

    def _admit(self, source_ns: int, arrival_ns: int) -> None:
        offset_ns = arrival_ns - source_ns
        if self.newest_ns is None:
            self._least_ns, self.newest_ns = offset_ns, source_ns
            self._seen_at_ns = self._same_since_ns = arrival_ns
            return
        passed_ns, self._seen_at_ns = arrival_ns - self._seen_at_ns, arrival_ns
        self._heard_ns += min(passed_ns, SILENCE_NS)
        self._least_ns = min(offset_ns, self._least_ns + passed_ns * DRIFT_PPM // 1_000_000)
        if source_ns > self.newest_ns:
            self.newest_ns, self._same_since_ns, self._same = source_ns, arrival_ns, 0
        elif source_ns == self.newest_ns:
            self._same += 1
            if self._same >= TRIAL_TIMES and arrival_ns - self._same_since_ns >= STANDS_NS:
                self.refuse("clock_slow", arrival_ns)

    def _judge_pace(self, source_ns: int, arrival_ns: int, is_late: bool) -> None:
        self._seen += 1
        if self._trial is None:
            self._trial = source_ns, arrival_ns, self._least_ns
            return
        first_ns, began_ns, least_ns = self._trial
        passed_ns = arrival_ns - began_ns
        if passed_ns < TRIAL_NS or self._seen < TRIAL_TIMES:
            return
        self.pace = (source_ns - first_ns) / passed_ns
        # What is caught up with comes fast, but not before it was sent.
        fast = self.pace > FAST and self._least_ns < least_ns - (FAST - 1) * passed_ns / 2
        self._fast_trials = self._fast_trials + 1 if fast else 0
        slow = source_ns - first_ns < SLOW * self._heard_ns and not self._kept_pace
        if (slow and not is_late) or self._fast_trials >= FAST_TRIALS:
            self.refuse("clock_slow" if slow else "clock_fast", arrival_ns)
            return
        self._kept_pace |= not fast and not slow
        self._trial, self._seen, self._heard_ns = (source_ns, arrival_ns, self._least_ns), 0, 0
