"""What an encoder does with the next picture: decode it, encode it, make it a keyframe, or leave it out."""

from __future__ import annotations

from collections import deque
from statistics import median_low

from flow.units import CLOCK_RATE_HZ, AccessUnit

KEYFRAME_EVERY_90K = 2 * CLOCK_RATE_HZ
_ON_DEMAND_EVERY_90K = CLOCK_RATE_HZ // 2

_WAIT_MOST_BYTES = 32 * 1024 * 1024
_WAIT_MOST_90K = 20 * CLOCK_RATE_HZ  # a cached group of 12 s, and what comes while it is decoded
_SKIP_AFTER_90K = CLOCK_RATE_HZ // 2

_LATE_90K = 3 * CLOCK_RATE_HZ // 10
_IN_TIME_90K = CLOCK_RATE_HZ // 20
_AGAIN_90K = 5 * CLOCK_RATE_HZ
_CALM_FIRST_90K = CLOCK_RATE_HZ
_CALM_MOST_90K = 8 * CLOCK_RATE_HZ
_THINNEST = 6

_STEPS_KEPT = 61
_STEPS_AT_LEAST = 8
_FPS_UNKNOWN = 30.0
_FPS_MOST = 240.0  # two fields as pictures of their own may stand closer together


class Intake:
    """Pictures that wait to be decoded: bounded, and with the shortest way to the newest one.

    Half a second behind, everything before the newest keyframe is left out, for nothing needs it. Beyond the
    bound everything is, up to the next keyframe.
    """

    def __init__(self) -> None:
        self._waiting: deque[AccessUnit] = deque()
        self._bytes = 0
        self._newest_90k = 0
        self._broken = False
        self.skipped = 0

    def add(self, unit: AccessUnit) -> None:
        """The next picture in decoding order; one without data only says how far the source is already."""
        self._newest_90k = max(self._newest_90k, unit.dts_90k)
        if not unit.data:
            return
        if unit.keyframe:
            self._broken = False
            if self._waiting and unit.dts_90k - self._waiting[0].dts_90k > _SKIP_AFTER_90K:
                self._clear()
        if self._broken:
            self.skipped += 1
            return
        self._waiting.append(unit)
        self._bytes += len(unit.data)
        if self._bytes > _WAIT_MOST_BYTES or unit.dts_90k - self._waiting[0].dts_90k > _WAIT_MOST_90K:
            self._clear()
            self._broken = True

    def take(self) -> AccessUnit | None:
        """The next one to decode."""
        if not self._waiting:
            return None
        unit = self._waiting.popleft()
        self._bytes -= len(unit.data)
        return unit

    def lag_90k(self, unit: AccessUnit) -> int:
        """How far the newest picture that has come is ahead of `unit`."""
        return max(0, self._newest_90k - unit.dts_90k)

    def _clear(self) -> None:
        self.skipped += len(self._waiting)
        self._waiting.clear()
        self._bytes = 0


class Pace:
    """Which of the decoded pictures are encoded, so that none comes late.

    The first ones are a cached group: only its end is of the present. From then on, once pictures wait
    300 ms, they are left out until none waits. That may have been a hiccup, and all are encoded again. Only
    where pictures wait again within five seconds is the encoder too slow, and every second (third, ...) one
    is encoded: a lower rate looks better than a jump every second. After a second of calm the next higher
    rate is tried; a try that fails doubles the calm that the next one needs.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._begun = False
        self._late = True
        self._every = 1
        self._since_kept = 0
        self._calm_since_90k: int | None = None  # since when none waits at this rate, after some did
        self._needs_calm_90k = _CALM_FIRST_90K
        self._tries = False  # the present rate is one that was gone up to
        self._failed_every = 0  # the rate that was tried in vain last

    @property
    def slow(self) -> bool:
        """Whether encoding does not keep up with all pictures."""
        return self._begun and (self._late or self._every > 1)

    def takes(self, dts_90k: int, lag_90k: int) -> bool:
        """Whether to encode the picture of `dts_90k`, which is `lag_90k` behind the newest one."""
        calm_90k = None if self._calm_since_90k is None else dts_90k - self._calm_since_90k
        if self._late and lag_90k <= _IN_TIME_90K:
            self._late = False
            self._calm_since_90k = dts_90k if self._begun else None
        elif not self._late and lag_90k > _LATE_90K:
            self._late = True
            self._go_down(again=calm_90k is not None and calm_90k <= _AGAIN_90K)
        elif self._every > 1 and calm_90k is not None and not self._late and calm_90k > self._needs_calm_90k:
            self._go_up(dts_90k)
        self._since_kept += 1
        if self._late or self._since_kept < self._every:
            self.dropped += self._begun
            return False
        self._begun, self._since_kept = True, 0
        return True

    def _go_down(self, *, again: bool) -> None:
        if again and self._tries:
            self._needs_calm_90k = min(2 * self._needs_calm_90k, _CALM_MOST_90K)
            self._failed_every = self._every
        elif self._every == 1:
            self._needs_calm_90k = _CALM_FIRST_90K
        if again:
            self._every = min(self._every + 1, _THINNEST)
        self._tries = False

    def _go_up(self, dts_90k: int) -> None:
        if self._tries and self._every <= self._failed_every:  # what had failed has proven right
            self._needs_calm_90k = max(self._needs_calm_90k // 2, _CALM_FIRST_90K)
        self._every -= 1
        self._tries, self._calm_since_90k = True, dts_90k


class FrameRate:
    """Pictures per second of a stream: the median over the last ones, 30 until there are enough."""

    def __init__(self) -> None:
        self._steps_90k: deque[int] = deque(maxlen=_STEPS_KEPT)
        self._last_90k: int | None = None

    def add(self, dts_90k: int) -> None:
        """The next picture in decoding order."""
        if self._last_90k is not None and dts_90k > self._last_90k:
            self._steps_90k.append(dts_90k - self._last_90k)
        self._last_90k = dts_90k

    @property
    def fps(self) -> float:
        if len(self._steps_90k) < _STEPS_AT_LEAST:
            return _FPS_UNKNOWN
        return min(_FPS_MOST, CLOCK_RATE_HZ / median_low(self._steps_90k))


class Keyframes:
    """Which of the encoded pictures are IDR: one in two seconds, and one on demand twice a second at most."""

    def __init__(self) -> None:
        self._wanted = True
        self._last_90k: int | None = None
        self._previous_90k = 0
        self._epoch: int | None = None

    def want(self) -> None:
        """Somebody needs one soon."""
        self._wanted = True

    def takes(self, pts_90k: int, epoch: int, *, another: bool = False) -> bool:
        """Whether the picture of `pts_90k`, which rises, is to be one; `another` picture size begins so."""
        step, self._previous_90k = pts_90k - self._previous_90k, pts_90k
        since = None if self._last_90k is None else pts_90k - self._last_90k
        due = (
            since is None
            or another
            or epoch != self._epoch
            or since + step > KEYFRAME_EVERY_90K
            or (self._wanted and since >= _ON_DEMAND_EVERY_90K)
        )
        if due:
            self._last_90k, self._epoch, self._wanted = pts_90k, epoch, False
        return due
