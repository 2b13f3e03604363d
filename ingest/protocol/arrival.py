"""What the arrivals of a source's pictures say of its clock, and what only of a queue before us."""

from __future__ import annotations

from dataclasses import dataclass

from flow.clock import NS_PER_MS
from flow.envelope import EarliestArrival

MOST_DRIFT_PPM = 2000
"""What a clock may run slow. 29.97 pictures a second that are stamped as 30 are 1000 ppm; quartz is 100."""
SILENCE_NS = 250 * NS_PER_MS
JITTER_NS = 100 * NS_PER_MS
BEHIND_NS = 200 * NS_PER_MS


@dataclass(slots=True)
class _Stop:
    """A silence after which the source time goes on as if it had not been."""

    since_ns: int  # arrival of the first picture after it
    offset_ns: int  # of that picture
    rise_ns: int  # against the last picture before

    @property
    def spare_ns(self) -> int:
        """What of later pictures is jitter and contradicts nothing."""
        return max(JITTER_NS, self.rise_ns // 10)


class PictureArrival:
    """Maps the times of a source's clock to Lagebild time, by its least delayed pictures.

    `EarliestArrival` believes after its window whatever delay all pictures have. A sender whose queue grows
    by 0.1 s each second (TCP on a link that is too narrow) would look punctual for ever. So the offset rises
    by no more than a clock drifts; what comes later than that is late.

    One thing looks the same and is none: a clock that stood while no pictures were made. Then the first
    picture after the silence is as punctual as all that follow, whereas what a link held back comes faster
    than it was made. A step up in a silence is therefore believed once `window_ns` have passed in which
    nothing caught up and nothing fell further behind.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._envelope = EarliestArrival(window_ns)
        self._offset_ns: int | None = None
        self._arrival_ns = 0
        self._raw_ns = 0  # offset of the newest picture by itself
        self._stop: _Stop | None = None

    @property
    def offset_ns(self) -> int | None:
        """Lagebild time minus source time as of the newest arrival; None before the first."""
        return self._offset_ns

    @property
    def is_behind(self) -> bool:
        """Whether pictures have come later for a whole window than the clock's drift explains."""
        least_ns = self._envelope.offset_ns
        return (
            None not in (least_ns, self._offset_ns) and (least_ns or 0) - (self._offset_ns or 0) > BEHIND_NS
        )

    def map(self, source_ns: int, arrival_ns: int) -> int:
        """Take what arrived at `arrival_ns` (rising) with `source_ns`; return that moment in Lagebild time.

        The result is never later than `arrival_ns`.
        """
        self._envelope.map(source_ns, arrival_ns)
        least_ns, raw_ns = self._envelope.offset_ns or 0, arrival_ns - source_ns
        if self._offset_ns is None:
            self._offset_ns = least_ns
        else:
            passed_ns = max(0, arrival_ns - self._arrival_ns)
            self._watch_silence(raw_ns, arrival_ns, passed_ns)
            rise_ns = passed_ns * MOST_DRIFT_PPM // 1_000_000 + self._believed_ns(
                raw_ns, least_ns, arrival_ns
            )
            self._offset_ns = min(least_ns, self._offset_ns + rise_ns)
        self._arrival_ns, self._raw_ns = arrival_ns, raw_ns
        return source_ns + self._offset_ns

    def _watch_silence(self, raw_ns: int, arrival_ns: int, passed_ns: int) -> None:
        rise_ns = raw_ns - self._raw_ns
        if passed_ns >= SILENCE_NS and rise_ns > JITTER_NS:
            before_ns = self._stop.rise_ns if self._stop else 0
            self._stop = _Stop(arrival_ns, raw_ns, before_ns + rise_ns)
        elif self._stop and raw_ns < self._stop.offset_ns - self._stop.spare_ns:
            self._stop = None  # it was held back: no clock that stood

    def _believed_ns(self, raw_ns: int, least_ns: int, arrival_ns: int) -> int:
        stop = self._stop
        if stop is None or arrival_ns - stop.since_ns <= self._window_ns:
            return 0
        if least_ns < stop.offset_ns - stop.spare_ns or raw_ns > stop.offset_ns + stop.spare_ns:
            return 0
        self._stop = None
        return stop.rise_ns

    def reset(self) -> None:
        """Forget everything: the source's clock has jumped."""
        self._envelope.reset()
        self._offset_ns = None
        self._stop = None
