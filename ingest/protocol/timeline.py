"""A source's own wrapped timestamps in, the timestamps of access units out. See docs/decisions/0005."""

from __future__ import annotations

from dataclasses import dataclass

from flow.arrival import Arrival
from flow.clock import NS_PER_S
from flow.clock_watch import ClockWatch
from flow.codec.rtp import Unwrapper, signed_distance
from flow.drift import Drift
from flow.source_clock import ClockState, ClockStatus
from flow.units import CLOCK_RATE_HZ, UtcOrigin

from .camera_clock import CameraClock
from .ticks import ns_to_ticks, ticks_to_ns

WINDOW_NS = 10 * NS_PER_S
"""How long the least delayed picture counts."""

_REORDER_MOST_TICKS = CLOCK_RATE_HZ  # a presentation time steps back by at most 1 s for B-frames
_COMPOSITION_MOST_TICKS = 10 * CLOCK_RATE_HZ
_BESIDE_AHEAD_MOST_TICKS = 10 * CLOCK_RATE_HZ
_BESIDE_BEHIND_MOST_TICKS = 60 * CLOCK_RATE_HZ  # it is old, and must not look as if it were not
_FORWARD_JUMP_NS = 3 * NS_PER_S
_HELD_BACK_MOST_NS = 60 * NS_PER_S  # after a longer silence pictures are new: the source's clock stood
_PAUSE_ERROR_NS = NS_PER_S


@dataclass(frozen=True, slots=True)
class Stamp:
    """Everything about time that an AccessUnit carries; its invariants are AccessUnit's."""

    epoch: int
    seq: int
    dts_90k: int
    pts_90k: int
    utc_ns: int
    utc_origin: UtcOrigin


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the source's clock on the feed's timeline; see AccessUnit."""

    pts_90k: int
    utc_ns: int
    utc_origin: UtcOrigin


class Timeline:
    """One feed's line of time over all restarts of its source.

    `restart()` opens the first epoch and every further one. At its first picture, and where the source's
    timestamps jump, the source is anchored: its time there is the Lagebild time of the arrival. From there
    on its own clock counts.
    """

    def __init__(self, trust_clock: bool = False) -> None:
        self._camera = CameraClock(trust_clock)
        self._watch = ClockWatch()  # of the timestamps
        self._is_slow = False  # they are, for certain
        self._drift = Drift()
        self._arrival = Arrival(WINDOW_NS)
        self._bits = 64
        self._unwrapper = Unwrapper(self._bits)
        self._position: int | None = None  # of the last picture, in unwrapped ticks of the source
        self._arrival_ns = 0
        self._shift = 0  # what leads from the source's ticks to ours
        self._reorder = 0  # how far the source's presentation times were seen to step back
        self._last_dts = 0
        self._epoch = -1
        self._seq = -1
        self._utc_shift_ns = 0  # of the last picture: its `utc_ns` less its time of presentation
        self._utc_origin = UtcOrigin.ARRIVAL

    @property
    def epoch(self) -> int:
        return self._epoch

    @property
    def clock_note(self) -> str:
        """ "clock_untrusted" or "clock_refused" where the source tells capture times that are not used."""
        return self._camera.clock_note

    @property
    def clock(self) -> ClockState:
        """What is known of the source's clocks: the one of its timestamps, and its time of day."""
        state = self._camera.state(self._drift.ppm)
        reason = self._watch.reason
        if not reason or state.status is ClockStatus.GOOD or (reason == "clock_slow" and not self._is_slow):
            return state
        return ClockState(ClockStatus.REFUSED, reason, None, self._watch.wrong_by_ppm)

    @property
    def pace_note(self) -> str:
        """ "arrival_behind" while pictures come later and later than their timestamps say, else ""."""
        return "arrival_behind" if self._arrival.is_behind else ""

    def restart(self, bits: int | None = None) -> None:
        """The source begins (anew): another epoch. `bits`: where its timestamps wrap, if that is new."""
        self._bits = bits or self._bits
        self._unwrapper = Unwrapper(self._bits)
        self._epoch += 1
        self._seq = -1
        self._position = None
        self._camera.restart(self._bits)
        self._watch.restart()

    def clock_report(self, capture_ns: int, timestamp: int) -> None:
        """The source says when the picture with that timestamp was captured (UTC), or 0: it does not know."""
        self._camera.report(capture_ns, timestamp)

    def place(self, pts: int, dts: int | None, arrival_ns: int, size: int = 0) -> Stamp:
        """The stamp of the next picture in decoding order, of `size` bytes (0: unknown); `dts` None where the
        source tells none."""
        position = self._unwrapper.unwrap(pts if dts is None else dts)
        if self._jumped(position, arrival_ns, reorders=dts is None):
            self._anchor(position, arrival_ns)
        self._position, self._arrival_ns = position, arrival_ns
        ahead = 0 if dts is None else self._composition(pts, dts)
        shown_ns = ticks_to_ns(position + ahead)
        mapped_ns = self._arrival.map(shown_ns, arrival_ns, size)
        if self._runs_wrong(ticks_to_ns(position), arrival_ns):
            mapped_ns = arrival_ns
            self._camera.refuse(self._watch.reason)
        capture_ns = self._camera.capture_ns(pts, arrival_ns, self._arrival.smoothed(shown_ns))
        dts_90k, pts_90k = self._place(position) if dts is None else self._place_both(position, ahead)
        self._last_dts = dts_90k
        self._seq += 1
        utc_ns = mapped_ns if capture_ns is None else capture_ns
        origin = UtcOrigin.ARRIVAL if capture_ns is None else UtcOrigin.SOURCE
        self._utc_shift_ns, self._utc_origin = utc_ns - shown_ns, origin
        return Stamp(self._epoch, self._seq, dts_90k, pts_90k, utc_ns, origin)

    def moment(self, pts: int) -> Moment | None:
        """What a picture with this presentation time would have, as the last picture tells; the line itself
        does not move on. None before the first picture, and where it is too far from the last to
        be of its clock."""
        if self._position is None:
            return None
        ahead = signed_distance(self._position, pts, 1 << self._bits)
        if not -_BESIDE_BEHIND_MOST_TICKS <= ahead <= _BESIDE_AHEAD_MOST_TICKS:
            return None
        position = self._position + ahead
        utc_ns = ticks_to_ns(position) + self._utc_shift_ns
        return Moment(position + self._shift, utc_ns, self._utc_origin)

    def _jumped(self, position: int, arrival_ns: int, *, reorders: bool) -> bool:
        offset_ns = self._arrival.offset_ns
        if self._position is None or offset_ns is None:
            return True
        step = position - self._position
        if step < (-_REORDER_MOST_TICKS if reorders else 0):
            return True
        gap_ns = arrival_ns - self._arrival_ns
        if gap_ns >= _HELD_BACK_MOST_NS:
            return abs(ticks_to_ns(step) - gap_ns) > _PAUSE_ERROR_NS
        # Nothing arrives before it was sent: this early, the clock has been set.
        return ticks_to_ns(position) + offset_ns - arrival_ns > _FORWARD_JUMP_NS

    def _runs_wrong(self, source_ns: int, arrival_ns: int) -> bool:
        """Whether the timestamps have a pace that no clock has. What may be a queue is none of theirs."""
        self._watch.see(source_ns, arrival_ns)
        if not self._arrival.is_behind:
            self._drift.add(source_ns, arrival_ns)
        is_slow = self._watch.reason == "clock_slow"
        self._is_slow = is_slow and (self._is_slow or self._arrival.runs_straight)
        return self._is_slow or self._watch.reason == "clock_fast"

    def _anchor(self, position: int, arrival_ns: int) -> None:
        self._shift = max(ns_to_ticks(arrival_ns), self._last_dts + 1) - position
        self._reorder = 0
        self._arrival.reset()
        self._drift.reset()
        if self._position is not None:
            self._camera.jumped(self._position, position)
            if position < self._position:
                self._watch.restart()

    def _composition(self, pts: int, dts: int) -> int:
        """How long after its decoding a picture is shown; nonsense counts as 0."""
        ahead = signed_distance(dts, pts, 1 << self._bits)
        return ahead if 0 <= ahead <= _COMPOSITION_MOST_TICKS else 0

    def _place_both(self, position: int, ahead: int) -> tuple[int, int]:
        dts_90k = max(position + self._shift, self._last_dts + 1)
        return dts_90k, max(position + self._shift + ahead, dts_90k)

    def _place(self, position: int) -> tuple[int, int]:
        """Decoding times where only presentation times are told.

        While those rise, the two are the same. Each time one steps back further than ever before, all later
        ones are put off by the difference, so that decoding keeps rising and never comes after showing.
        """
        pts_90k = position + self._shift
        if pts_90k <= self._last_dts:
            late = self._last_dts + 1 - pts_90k
            self._shift += late
            self._reorder += late
            pts_90k += late
        return max(self._last_dts + 1, pts_90k - self._reorder), pts_90k
