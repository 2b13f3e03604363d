"""When to play the next picture of a recording so that it looks live."""

from __future__ import annotations

from flow.clock import NS_PER_S

from .ticks import ticks_to_ns

_BEHIND_MOST_NS = NS_PER_S
_STEP_MOST_TICKS = 10 * 90_000


class Pacing:
    """Keeps to the recording's own times from its first picture on.

    Where those jump, or where playing has fallen more than a second behind (the machine slept), it begins
    anew instead of racing.
    """

    def __init__(self) -> None:
        self._offset_ns: int | None = None
        self._last_dts = 0

    def due_ns(self, dts: int, now_ns: int) -> int:
        """The Lagebild time at which the picture with decoding time `dts` (90 kHz) is to be played."""
        jumped = not 0 <= dts - self._last_dts <= _STEP_MOST_TICKS
        self._last_dts = dts
        if self._offset_ns is not None and not jumped:
            due_ns = ticks_to_ns(dts) + self._offset_ns
            if now_ns - due_ns <= _BEHIND_MOST_NS:
                return due_ns
        self._offset_ns = now_ns - ticks_to_ns(dts)
        return now_ns
