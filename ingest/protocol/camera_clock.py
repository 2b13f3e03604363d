"""A camera's time of day, as its reports tell it, and what of it is believed. See docs/decisions/0019."""

from __future__ import annotations

from flow.clock import NS_PER_MS, NS_PER_S
from flow.clock_watch import AGAIN_NS, FAST, SLOW
from flow.codec.rtp import signed_distance
from flow.source_clock import ClockState, ClockStatus

from .ticks import ticks_to_ns

_FUTURE_MOST_NS = 50 * NS_PER_MS  # the capture of a picture that is already here
_AGE_MOST_NS = 60 * NS_PER_S
_FIRST_AGE_MOST_NS = 5 * NS_PER_S
"""Of a clock that has not proved itself: from a camera to us no picture takes longer without a queue."""
_SMOOTHED_NS = 10 * NS_PER_S  # after a capture that was a little ahead of its arrival
_PACE_LEAST_NS = NS_PER_S // 2  # between two reports that are compared
_YEAR_2000_NS, _YEAR_2100_NS = 946_684_800 * NS_PER_S, 4_102_444_800 * NS_PER_S


class CameraClock:
    """Reports in, capture times of pictures out; `trusted`: the capture times are to be used."""

    def __init__(self, trusted: bool) -> None:
        self._trusted = trusted
        self._period = 1 << 64  # of the source's timestamps
        self._report: tuple[int, int] | None = None  # (capture_ns, timestamp)
        self._before: tuple[int, int] | None = None  # the report before
        self._pace_fault = ""
        self._off_until_ns: int | None = None
        self._ahead_until_ns = 0
        self._is_proved = False
        self._refused_for = ""
        self._offset_ns: int | None = None
        self.clock_note = ""
        """"clock_untrusted" or "clock_refused" where the source tells capture times that are not used."""

    def restart(self, bits: int) -> None:
        """The source begins (anew); its timestamps wrap at `bits`."""
        self._period = 1 << bits
        self._report = self._before = None

    def report(self, capture_ns: int, timestamp: int) -> None:
        """The source says when the picture with that timestamp was captured (UTC), or 0: it does not know."""
        if capture_ns == 0:
            return
        if not self._trusted:
            self.clock_note = "clock_untrusted"
        self._pace_fault = self._judge_pace(capture_ns, timestamp)
        self._report = self._before = capture_ns, timestamp

    def jumped(self, before: int, after: int) -> None:
        """The source's timestamps did, between these two pictures: a report belongs to the nearer one."""
        self._before, self._pace_fault = None, ""
        if self._report is not None:
            timestamp = self._report[1]
            if abs(self._distance(timestamp, before)) <= abs(self._distance(timestamp, after)):
                self._report = None  # it tells of the clock before the jump, however new it is

    def capture_ns(self, pts: int, arrival_ns: int, smoothed_ns: int) -> int | None:
        """When the source says that it captured this picture, if it is to be believed.

        Of a clock that was lately seen to be a little ahead only the pace is: nothing was captured after it
        came, and the smoothed arrival, unlike the arrival itself, keeps that pace.
        """
        if self._report is None:
            return None
        reported_ns, timestamp = self._report
        capture_ns = reported_ns + ticks_to_ns(self._distance(timestamp, pts))
        fault = self._fault(reported_ns, arrival_ns - capture_ns, arrival_ns)
        self._offset_ns = None if fault == "clock_bogus" else capture_ns - smoothed_ns
        if fault:
            self.refuse(fault)
        if fault or not self._trusted:
            return None
        self.clock_note = self._refused_for = ""
        self._off_until_ns = None
        self._is_proved = True
        if capture_ns > arrival_ns:
            self._ahead_until_ns = arrival_ns + _SMOOTHED_NS
        return min(capture_ns, smoothed_ns) if arrival_ns <= self._ahead_until_ns else capture_ns

    def refuse(self, fault: str) -> None:
        """Believe no capture time until the source reports again."""
        told, self._report, self._is_proved = self._report is not None, None, False
        if told and self._trusted:
            self._refused_for = fault
            self.clock_note = "clock_refused"

    def state(self, drift_ppm: float | None) -> ClockState:
        """What is known of it; `drift_ppm` is that of the timestamps. Untrusted, it counts as none."""
        offset_ms = None if self._offset_ns is None else self._offset_ns / NS_PER_MS
        if self._refused_for:
            status = ClockStatus.REFUSED
        elif offset_ms is None or not self._trusted:
            status = ClockStatus.NONE
        else:
            status = ClockStatus.ESTIMATING if self._report is None else ClockStatus.GOOD
        return ClockState(status, self._refused_for, offset_ms, drift_ppm)

    def _judge_pace(self, capture_ns: int, timestamp: int) -> str:
        """What two reports say of the time of day beside the timestamps; no queue has a part in that."""
        if self._before is None:
            return ""
        shown_ns = capture_ns - self._before[0]
        passed_ns = ticks_to_ns(self._distance(self._before[1], timestamp))
        short = passed_ns < _PACE_LEAST_NS and (shown_ns < _PACE_LEAST_NS or bool(self._refused_for))
        if passed_ns < 0 or short or SLOW * passed_ns <= shown_ns <= FAST * passed_ns:
            return ""
        return "clock_fast" if shown_ns > passed_ns else "clock_slow"

    def _fault(self, reported_ns: int, age_ns: int, arrival_ns: int) -> str:
        """Why a capture time is not to be believed; "" where it is."""
        if not _YEAR_2000_NS <= reported_ns <= _YEAR_2100_NS:
            return "clock_bogus"
        if self._pace_fault:
            self._off_until_ns = arrival_ns + AGAIN_NS
            return self._pace_fault
        if self._off_until_ns is not None and arrival_ns < self._off_until_ns:
            return self._refused_for  # it was off pace lately
        most_ns = _AGE_MOST_NS if self._is_proved else _FIRST_AGE_MOST_NS
        return "" if -_FUTURE_MOST_NS <= age_ns <= most_ns else "clock_wrong"

    def _distance(self, before: int, after: int) -> int:
        return signed_distance(before, after, self._period)
