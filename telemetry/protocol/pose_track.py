"""Where an aircraft and its camera were at any moment of the last half minute."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import TypeAlias

from flow.samples import Group, TelemetrySample

KEPT_NS = 30_000_000_000
STALE_NS = 1_000_000_000
"""A pose further than this from the picture's instant says nothing of it."""
_BETWEEN_NS = 2 * STALE_NS
_MOST_KEPT = 4_096

Values: TypeAlias = tuple[float | None, ...]

POSITION = ("lat_deg", "lon_deg", "alt_msl_m", "alt_home_m", "alt_agl_m")
ATTITUDE = ("yaw_deg", "pitch_deg", "roll_deg")
GIMBAL = ("gimbal_yaw_deg", "gimbal_pitch_deg", "gimbal_roll_deg")
"""Fields of a TelemetrySample, in the order in which an Instant has their values."""

_TURNING = frozenset({"lon_deg", *ATTITUDE, *GIMBAL})


@dataclass(frozen=True, slots=True)
class Instant:
    """Values at a moment, their change per second, and how far from it the nearest telling was."""

    values: Values
    rates: Values
    away_ns: int

    @property
    def stale(self) -> bool:
        return self.away_ns > STALE_NS


class Series:
    """One group's values over time. Those that are `turning`, angles and longitudes, take the short way
    round, which may lead past north, or the date line."""

    def __init__(self, turning: Sequence[bool]) -> None:
        self._turning = tuple(turning)
        self._told: deque[tuple[int, Values]] = deque(maxlen=_MOST_KEPT)

    def add(self, utc_ns: int, values: Values) -> None:
        """What was so at `utc_ns`; a time that steps back begins anew."""
        if self._told and utc_ns <= self._told[-1][0]:
            if utc_ns < self._told[-1][0]:
                self._told.clear()
            else:
                self._told.pop()
        self._told.append((utc_ns, values))
        while self._told[0][0] < utc_ns - KEPT_NS:
            self._told.popleft()

    def at(self, utc_ns: int) -> Instant | None:
        """Between what was told before and after; beyond the ends as at the nearest. None: nothing told."""
        if not self._told:
            return None
        at = bisect_right(self._told, utc_ns, key=itemgetter(0))
        before, after = max(0, at - 1), min(at, len(self._told) - 1)
        return self._between(self._told[before], self._told[after], utc_ns)

    def _between(self, one: tuple[int, Values], other: tuple[int, Values], utc_ns: int) -> Instant:
        before_ns, after_ns = utc_ns - one[0], other[0] - utc_ns
        nearest = one if abs(before_ns) <= abs(after_ns) else other
        away_ns = min(abs(before_ns), abs(after_ns))
        span_ns = other[0] - one[0]
        if not 0 < span_ns <= _BETWEEN_NS:
            return Instant(nearest[1], (None,) * len(nearest[1]), away_ns)
        share = before_ns / span_ns
        values: list[float | None] = []
        rates: list[float | None] = []
        for a, b, known, turns in zip(one[1], other[1], nearest[1], self._turning, strict=True):
            if a is None or b is None:  # unknown is never filled in
                values.append(known)
                rates.append(None)
                continue
            change = math.remainder(b - a, 360.0) if turns else b - a
            values.append(a + share * change)
            rates.append(change * 1e9 / span_ns)
        return Instant(tuple(values), tuple(rates), 0 if share < 1 else away_ns)


@dataclass(frozen=True, slots=True)
class Moment:
    """An aircraft at the instant of a picture. `sample` is the newest up to then: what changes slowly."""

    sample: TelemetrySample
    position: Instant
    attitude: Instant
    gimbal: Instant


class PoseTrack:
    """`add` samples as they come, ask for any moment."""

    def __init__(self) -> None:
        self._samples: deque[TelemetrySample] = deque(maxlen=_MOST_KEPT)
        self._position, self._attitude, self._gimbal = (
            Series([name in _TURNING for name in names]) for names in (POSITION, ATTITUDE, GIMBAL)
        )

    def add(self, sample: TelemetrySample) -> None:
        if self._samples and sample.utc_ns < self._samples[-1].utc_ns:
            self._samples.clear()
        self._samples.append(sample)
        while self._samples[0].utc_ns < sample.utc_ns - KEPT_NS:
            self._samples.popleft()
        told = sample.received_ns
        for series, group, names in (
            (self._position, Group.POSITION, POSITION),
            (self._attitude, Group.ATTITUDE, ATTITUDE),
            (self._gimbal, Group.GIMBAL, GIMBAL),
        ):
            series.add(told.get(group, sample.utc_ns), tuple(getattr(sample, name) for name in names))

    @property
    def newest(self) -> TelemetrySample | None:
        return self._samples[-1] if self._samples else None

    def at(self, utc_ns: int) -> Moment | None:
        """None before the first sample."""
        position, attitude, gimbal = (
            series.at(utc_ns) for series in (self._position, self._attitude, self._gimbal)
        )
        if position is None or attitude is None or gimbal is None:
            return None
        return Moment(self._sample_at(utc_ns), position, attitude, gimbal)

    def _sample_at(self, utc_ns: int) -> TelemetrySample:
        return self._samples[max(0, bisect_right(self._samples, utc_ns, key=attrgetter("utc_ns")) - 1)]
