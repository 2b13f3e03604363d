"""Stretches of time in which something goes wrong: a link that breaks off, a receiver led astray."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


def stream(seed: int, of: str) -> Random:
    """Chance for one purpose: what is drawn for another one does not change it."""
    return Random(f"{seed} {of}")


@dataclass(frozen=True, slots=True)
class Habit:
    """About every `every_ns`, for about `for_ns`."""

    every_ns: int
    for_ns: int

    def __str__(self) -> str:
        return f"{self.every_ns / 1e9:g},{self.for_ns / 1e9:g}"


class Episodes:
    """When it happens: after half to one and a half times `every_ns`, for half to one and a half times
    `for_ns`, and so on. Asked in the order of time."""

    def __init__(self, habit: Habit, start_ns: int, random: Random) -> None:
        self._habit, self._random = habit, random
        self.number = 0  # of the episode that runs or comes next
        self.ended = 0  # how many are over
        self._from_ns = self._to_ns = start_ns
        self._draw()

    def runs_at(self, time_ns: int) -> bool:
        while time_ns >= self._to_ns:
            self.ended += 1
            self._draw()
        return time_ns >= self._from_ns

    def _draw(self) -> None:
        self.number += 1
        self._from_ns = self._to_ns + self._about(self._habit.every_ns)
        self._to_ns = self._from_ns + self._about(self._habit.for_ns)

    def _about(self, time_ns: int) -> int:
        return max(1, round(time_ns * self._random.uniform(0.5, 1.5)))
