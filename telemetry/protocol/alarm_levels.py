"""Levels of an alarm that do not flutter: patience before a change, and a margin before it goes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from flow.flights import AlarmLevel

Level: TypeAlias = AlarmLevel | None
"""None: there is nothing to tell."""

SMOOTH_NS = 10_000_000_000
_RANK: dict[Level, int] = {None: 0, AlarmLevel.WARNING: 1, AlarmLevel.ALARM: 2}


@dataclass(slots=True)
class Standing:
    """What stands of one code, and what is waiting to stand instead."""

    level: Level = None
    _next: Level = None
    _since_ns: int | None = None

    def settle(self, wanted: Level, now_ns: int, rise_ns: int, fall_ns: int) -> bool:
        """Whether another level stands from now on. Of what was wanted meanwhile, the least change counts."""
        step = _RANK[wanted] - _RANK[self.level]
        if step == 0:
            self._since_ns = None
            return False
        before = _RANK[self._next] - _RANK[self.level]
        if self._since_ns is None or before * step < 0:
            self._next, self._since_ns = wanted, now_ns
        elif abs(step) < abs(before):
            self._next = wanted
        if now_ns - self._since_ns < (rise_ns if step > 0 else fall_ns):
            return False
        self.level, self._since_ns = self._next, None
        return True


@dataclass(slots=True)
class Pack:
    """The voltage of a pack that tells no percentage, beside what it was at its best in this flight."""

    smooth_v: float | None = None
    best_v: float = 0.0
    at_ns: int = 0

    def take(self, volts: float, now_ns: int) -> None:
        since_ns, self.at_ns = now_ns - self.at_ns, now_ns
        before = volts if self.smooth_v is None else self.smooth_v
        self.smooth_v = before + (volts - before) * since_ns / (since_ns + SMOOTH_NS)
        self.best_v = max(self.best_v, self.smooth_v)

    @property
    def share(self) -> float | None:
        return None if self.smooth_v is None else self.smooth_v / self.best_v


def below(value: float | None, warning: float, alarm: float, margin: float, stands: Level) -> Level:
    """The level of a value that is bad when it is low; unknown, what stands."""
    if value is None:
        return stands
    if value < alarm + (margin if stands is AlarmLevel.ALARM else 0):
        return AlarmLevel.ALARM
    return AlarmLevel.WARNING if value < warning + (margin if stands else 0) else None
