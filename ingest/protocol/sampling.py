"""What of a feed has to be decoded to look at it now and then. No I/O, no clock."""

from __future__ import annotations

from flow.flights import SourceState
from flow.units import CLOCK_RATE_HZ, AccessUnit

LONG_GROUP_90K = 3 * CLOCK_RATE_HZ
"""Keyframes that come at least this often are enough. Else pictures between them have to be looked at, and
those need everything since the keyframe."""

_SHORT_GROUPS = 3  # in a row, before a feed whose groups were long is believed to have changed
_EVERY_90K = 9 * CLOCK_RATE_HZ // 10
_USUAL_FPS = 30.0

FULL_LIMIT_PX_S = 1920 * 1080 * 309 // 10  # 1080p30, whose measured rate goes a little beyond
"""Larger feeds are never decoded whole just to look at them, however long their groups."""

WARM_LIMIT_PX_S = 3840 * 2160 * 309 // 10  # 2160p30, which takes about a core
"""Larger feeds are not decoded whole for stills either: no decoder would keep up, and a keyframe is newer
than what a late one has."""


class Sampling:
    """Follows the keyframes of one feed."""

    def __init__(self) -> None:
        self.long_groups = False
        self._keyframe_90k: int | None = None
        self._shown_90k: int | None = None
        self._short = 0

    def picture(self, unit: AccessUnit) -> None:
        """The feed's next picture."""
        is_long = self._keyframe_90k is not None and unit.dts_90k - self._keyframe_90k > LONG_GROUP_90K
        if is_long:
            self.long_groups, self._short = True, 0
        elif unit.keyframe and self._keyframe_90k is not None:
            self._short += 1
            self.long_groups = self.long_groups and self._short < _SHORT_GROUPS
        if unit.keyframe:
            self._keyframe_90k = unit.dts_90k

    def wants(self, unit: AccessUnit) -> bool:
        """Whether this keyframe is to be looked at: at most one a second, for streams of nothing else."""
        if self._shown_90k is not None and 0 <= unit.dts_90k - self._shown_90k < _EVERY_90K:
            return False
        self._shown_90k = unit.dts_90k
        return True


def affordable(state: SourceState | None) -> bool:
    """Whether a feed may be decoded whole just to look at it; not while nobody knows how large it is."""
    rate = _px_per_s(state)
    return rate is not None and rate <= FULL_LIMIT_PX_S


def followable(state: SourceState | None) -> bool:
    """Whether a feed can be decoded whole at all, as it comes."""
    rate = _px_per_s(state)
    return rate is None or rate <= WARM_LIMIT_PX_S


def _px_per_s(state: SourceState | None) -> float | None:
    if state is None or state.config is None:
        return None
    return state.config.width_px * state.config.height_px * (state.fps or _USUAL_FPS)
