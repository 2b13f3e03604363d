"""What the arrivals of a source's pictures say of its clock, and what only of a queue before us.

Both look alike: pictures come later than their timestamps say. A clock may be slow, or may have stood; a
queue (TCP on a narrow way, an outage that is being caught up) makes a picture old, and an old picture that is
shown as live can kill. So it is with an aircraft's messages, but their sizes say nothing. Told apart are they
by what only one of them does:

- a clock drifts by a few hundred ppm, evenly; a queue moves faster, or stands;
- after a silence in which the clock stood, pictures are as punctual as before at once and for good; what was
  held back is caught up with, or falls further behind;
- in a queue a picture waits for its own bytes, so a keyframe is late by its size; a clock delays large and
  small pictures alike.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice, pairwise
from statistics import fmean, linear_regression

from .clock import NS_PER_MS, NS_PER_S
from .envelope import EarliestArrival

MOST_DRIFT_PPM = 2000
"""What a clock may run slow. 29.97 pictures a second that are stamped as 30 are 1000 ppm; quartz is 100."""
CLOSE_NS = 100 * NS_PER_MS
"""So little behind, it is taken for drift: a step this small does no harm, and a queue grows beyond it."""
BLOCK_NS = 2 * NS_PER_S
BLOCK_PICTURES = 8
CONFIRMED = 3
"""Pictures of a block that must be as early, for it to be the clock's doing and no bad timestamp's."""
WINDOW_BLOCKS = 5
SLOPE_BLOCKS = 3 * WINDOW_BLOCKS

SILENCE_NS = 250 * NS_PER_MS
STEP_NS = 100 * NS_PER_MS
SET_BACK_NS = 400 * NS_PER_MS
"""Timestamps without decoding order step back for B-frames by less."""
STEADY_NS = 40 * NS_PER_MS
"""Between the first block after a silence and those that follow."""

LUMP_NS = 60 * NS_PER_MS
"""Large and small pictures differ enough to tell, if on a full way the largest took so much longer."""
BEHIND_NS, CAUGHT_UP_NS = 300 * NS_PER_MS, 150 * NS_PER_MS


@dataclass(slots=True)
class _Block:
    """Some seconds of pictures: arrival, offset (arrival - source time) and size of each."""

    arrivals_ns: list[int] = field(default_factory=list)
    offsets_ns: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        enough = len(self.arrivals_ns) >= BLOCK_PICTURES
        return enough and self.arrivals_ns[-1] - self.arrivals_ns[0] >= BLOCK_NS

    @property
    def level_ns(self) -> int:
        """The least offset that CONFIRMED of its pictures have."""
        return sorted(self.offsets_ns)[min(CONFIRMED, len(self.offsets_ns)) - 1]


@dataclass(slots=True)
class _Stop:
    """A moment at which the offset stepped up: a clock stood or was set back, or pictures were held back."""

    since_ns: int
    before_ns: int  # level
    rise_ns: int  # of the first picture against that
    levels_ns: list[int] = field(default_factory=list)  # of the blocks since


class Arrival:
    """Maps the times of a source's clock to Lagebild time, by its least delayed pictures.

    As `EarliestArrival` does, but never above `floor`, which rises only by what is a clock's doing. A floor
    that is too low makes pictures look old; it is left by reconnecting.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._envelope = EarliestArrival(window_ns)
        self.reset()

    def reset(self) -> None:
        """Forget everything: the source's clock has jumped."""
        self._envelope.reset()
        self._floor_ns: int | None = None
        self._last: tuple[int, int] | None = None  # arrival and offset
        self._block = _Block()
        self._blocks: deque[_Block] = deque(maxlen=WINDOW_BLOCKS)  # since the last step
        self._levels: deque[tuple[int, int]] = deque(maxlen=SLOPE_BLOCKS)  # (when, level) of blocks
        self._stop: _Stop | None = None
        self._runs_straight = False
        self.is_behind = False
        """Whether pictures come later than the clock explains."""

    @property
    def runs_straight(self) -> bool:
        """Whether they come later and later so evenly, large and small ones, that it is no queue's doing."""
        return self._runs_straight

    @property
    def offset_ns(self) -> int | None:
        """Lagebild time minus source time as of the newest arrival; None before the first."""
        least_ns = self._envelope.offset_ns
        if least_ns is None or self._floor_ns is None:
            return least_ns
        return min(least_ns, self._floor_ns)

    def map(self, source_ns: int, arrival_ns: int, size: int = 0) -> int:
        """Take a picture of `size` bytes (0: unknown) that arrived at `arrival_ns` (rising) with `source_ns`;
        return that moment in Lagebild time, never later than `arrival_ns`.
        """
        self._envelope.map(source_ns, arrival_ns)
        self._watch_step(arrival_ns - source_ns, arrival_ns)
        self._last = arrival_ns, arrival_ns - source_ns
        block = self._block
        block.arrivals_ns.append(arrival_ns)
        block.offsets_ns.append(arrival_ns - source_ns)
        block.sizes.append(size)
        if block.is_full:
            self._close(block)
        offset_ns = self.offset_ns or 0
        behind_ns = (self._envelope.offset_ns or 0) - offset_ns
        self.is_behind = behind_ns > (CAUGHT_UP_NS if self.is_behind else BEHIND_NS)
        return source_ns + offset_ns

    def smoothed(self, source_ns: int) -> int:
        """That moment by the least delayed pictures of the window alone: even, but for telling an age."""
        return source_ns + (self._envelope.offset_ns or 0)

    def _watch_step(self, offset_ns: int, arrival_ns: int) -> None:
        if self._last is None:
            return
        gap_ns, step_ns = arrival_ns - self._last[0], offset_ns - self._last[1]
        stood = gap_ns >= SILENCE_NS and 3 * step_ns >= 2 * gap_ns  # not only slow pictures, getting slower
        if step_ns <= STEP_NS or not (stood or step_ns >= gap_ns + SET_BACK_NS):
            return
        usual_ns = self._block.offsets_ns + (self._blocks[-1].offsets_ns if self._blocks else [])
        if offset_ns - max(usual_ns) <= STEP_NS:
            return  # jitter
        before_ns = self._level_now_ns()
        self._floor_ns = before_ns if self._floor_ns is None else min(self._floor_ns, before_ns)
        again = self._stop is not None  # step upon step is a queue that grows
        self._stop = None if again else _Stop(arrival_ns, before_ns, offset_ns - before_ns)
        self._block = _Block()
        self._blocks.clear()
        self._levels.clear()
        self._runs_straight = False

    def _level_now_ns(self) -> int:
        few = len(self._block.offsets_ns) < BLOCK_PICTURES
        return self._levels[-1][1] if few and self._levels else self._block.level_ns

    def _close(self, block: _Block) -> None:
        now_ns, level_ns = block.arrivals_ns[-1], block.level_ns
        passed_ns = now_ns - (self._levels[-1][0] if self._levels else block.arrivals_ns[0])
        self._block = _Block()
        self._blocks.append(block)
        self._levels.append((now_ns, level_ns))
        if self._floor_ns is None or level_ns < self._floor_ns:
            self._floor_ns = level_ns
        least_ns = min(level for _, level in islice(reversed(self._levels), WINDOW_BLOCKS))
        rise_ns = self._after_stop_ns(level_ns, now_ns) + self._drift_ns(least_ns - self._floor_ns, passed_ns)
        self._floor_ns = min(least_ns, self._floor_ns + rise_ns)

    def _after_stop_ns(self, level_ns: int, now_ns: int) -> int:
        """What a clock has stood, once that is certain."""
        stop = self._stop
        if stop is None:
            return 0
        stop.levels_ns.append(level_ns)
        first_ns = stop.levels_ns[0]
        stood_ns = first_ns - stop.before_ns
        if level_ns < first_ns - STEADY_NS or stood_ns < stop.rise_ns // 2:
            self._stop = None  # it was caught up with: no clock that stood
            return 0
        if now_ns - stop.since_ns < self._window_ns or len(stop.levels_ns) < 3:
            return 0
        self._stop = None
        return stood_ns if level_ns <= first_ns + STEADY_NS else 0

    def _drift_ns(self, behind_ns: int, passed_ns: int) -> int:
        """What the clock has fallen behind since the block before."""
        if behind_ns < CLOSE_NS:
            self._runs_straight = False
            return passed_ns * MOST_DRIFT_PPM // 1_000_000
        slope = self._straight_slope()
        if slope is not None:
            over_ns = passed_ns if self._runs_straight else WINDOW_BLOCKS * passed_ns
            self._runs_straight = True
            return int(slope * over_ns)
        self._runs_straight = False
        return int(self._slow_slope() * passed_ns)

    def _slow_slope(self) -> float:
        """How the levels move over half a minute, if no faster than a clock."""
        if len(self._levels) < SLOPE_BLOCKS:
            return 0.0
        levels = list(self._levels)
        (old_ns, old), (new_ns, new) = (
            (fmean(at for at, _ in part), min(level for _, level in part))
            for part in (levels[:WINDOW_BLOCKS], levels[-WINDOW_BLOCKS:])
        )
        slope = (new - old) / (new_ns - old_ns)
        return slope if abs(slope) * 1_000_000 <= MOST_DRIFT_PPM else 0.0

    def _straight_slope(self) -> float | None:
        """How the offsets of the window rise, if large pictures are as punctual as small ones; else None."""
        if len(self._blocks) < WINDOW_BLOCKS:
            return None
        arrivals = [at for block in self._blocks for at in block.arrivals_ns]
        offsets = [offset for block in self._blocks for offset in block.offsets_ns]
        sizes = [size for block in self._blocks for size in block.sizes]
        interval_ns = fmean(after - before for before, after in pairwise(arrivals))
        lump_ns = (max(sizes) / (fmean(sizes) or 1) - 1) * interval_ns
        if lump_ns < LUMP_NS:
            return None
        began_ns, least_ns = arrivals[0], min(offsets)
        x = [(at - began_ns) / NS_PER_S for at in arrivals]
        y = [(offset - least_ns) / NS_PER_S for offset in offsets]
        slope, intercept = linear_regression(x, y)
        most = max(abs(b - intercept - slope * a) for a, b in zip(x, y, strict=True))
        return slope if most * NS_PER_S < lump_ns / 3 else None
