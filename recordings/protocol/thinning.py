"""A flight's course in so few points that a page can draw it, with every peak of it still there."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from flow.clock import NS_PER_S

POINTS_MOST = 2000
_EVEN, _BINS = 800, 98
"""An even row of points; and in each of so many bins the least and the most of four columns. With one more
where a gap begins, of which there are half as many as even points at most, and the last: 1985."""
_GAP_NS = 10 * NS_PER_S


class CoursePoint(msgspec.Struct):
    """What a page draws of a TelemetrySample. None is unknown."""

    utc_ns: int
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_home_m: float | None = None
    alt_msl_m: float | None = None
    ground_speed_ms: float | None = None
    climb_ms: float | None = None
    battery_pct: float | None = None
    battery_v: float | None = None
    yaw_deg: float | None = None


class _Peak(NamedTuple):
    value: float
    number: int
    point: CoursePoint


class Thinning:
    """Takes every point between two times, in order; gives POINTS_MOST at most.

    Two hours leave a point every nine seconds, and the peaks of every 74.
    """

    def __init__(self, from_ns: int, to_ns: int) -> None:
        span_ns = max(1, to_ns - from_ns + 1)
        self._from_ns = from_ns
        self._even_ns, self._bin_ns = -(-span_ns // _EVEN), -(-span_ns // _BINS)
        self.gap_ns = max(_GAP_NS, 2 * self._even_ns)
        """So long without a point is a gap. Shorter ones of a long flight could not be seen."""
        self.cuts_ns: list[int] = []
        """Of each point that comes after a gap."""
        self._kept: dict[int, CoursePoint] = {}
        self._even = self._bin = self._number = -1
        self._peaks = _Peaks()
        self._last: CoursePoint | None = None

    def take(self, point: CoursePoint) -> None:
        since_ns = point.utc_ns - self._from_ns
        if since_ns < 0 or (self._last is not None and point.utc_ns < self._last.utc_ns):
            return  # time does not go back
        if self._last is not None and point.utc_ns - self._last.utc_ns >= self.gap_ns:
            self._kept[self._number] = self._last
            self.cuts_ns.append(point.utc_ns)
        self._number += 1
        if since_ns // self._even_ns > self._even:
            self._even = since_ns // self._even_ns
            self._kept[self._number] = point
        if since_ns // self._bin_ns > self._bin:
            self._bin = since_ns // self._bin_ns
            self._keep_peaks()
        self._peaks.take(self._number, point)
        self._last = point

    def points(self) -> list[CoursePoint]:
        """In order."""
        self._keep_peaks()
        if self._last is not None:
            self._kept[self._number] = self._last
        return [self._kept[number] for number in sorted(self._kept)]

    def _keep_peaks(self) -> None:
        self._kept.update(self._peaks.found())
        self._peaks = _Peaks()


class _Peaks:
    """Where each of four columns was least and most."""

    def __init__(self) -> None:
        self._least: list[_Peak | None] = [None] * 4
        self._most: list[_Peak | None] = [None] * 4

    def take(self, number: int, point: CoursePoint) -> None:
        columns = point.alt_home_m, point.alt_msl_m, point.ground_speed_ms, point.battery_pct
        for at, value in enumerate(columns):
            if value is None:
                continue
            least, most = self._least[at], self._most[at]
            if least is None or value < least.value:
                self._least[at] = _Peak(value, number, point)
            if most is None or value > most.value:
                self._most[at] = _Peak(value, number, point)

    def found(self) -> dict[int, CoursePoint]:
        return {peak.number: peak.point for peak in (*self._least, *self._most) if peak}
