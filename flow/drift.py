"""How fast a source's clock runs beside ours, by the least delayed of its times."""

from __future__ import annotations

from collections import deque
from statistics import linear_regression

from .clock import NS_PER_MS, NS_PER_S

SLOT_NS = 4 * NS_PER_S
SLOTS_LEAST, SLOTS_MOST = 5, 64
STEP_NS = 100 * NS_PER_MS
"""From one slot to the next no clock drifts so far: it stood, was set, or what it times waited in a queue."""


class Drift:
    """`add` times of a clock with their arrivals; `ppm` is how much faster than ours it runs.

    Delays only add, so of every slot of 4 s the least delayed time counts; a line is laid through the slots
    of the last four minutes. With a millisecond of jitter it is right to 10 ppm after half a minute.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.ppm: float | None = None
        """None until 20 s are known."""
        self._slot: int | None = None
        self._least = (0, 0)  # arrival and offset of the present slot's least delayed time
        self._slots: deque[tuple[int, int]] = deque(maxlen=SLOTS_MOST)

    def add(self, source_ns: int, arrival_ns: int) -> None:
        """Take a time that arrived at `arrival_ns` (rising)."""
        slot, offset_ns = arrival_ns // SLOT_NS, arrival_ns - source_ns
        if slot == self._slot:
            if offset_ns < self._least[1]:
                self._least = arrival_ns, offset_ns
            return
        if self._slot is not None:
            self._close()
        self._slot, self._least = slot, (arrival_ns, offset_ns)

    def _close(self) -> None:
        if self._slots and abs(self._least[1] - self._slots[-1][1]) > STEP_NS:
            self._slots.clear()
        self._slots.append(self._least)
        if len(self._slots) >= SLOTS_LEAST:
            began_ns, first_ns = self._slots[0]
            x = [(at - began_ns) / NS_PER_S for at, _ in self._slots]
            y = [(offset - first_ns) / NS_PER_S for _, offset in self._slots]
            self.ppm = -linear_regression(x, y).slope * 1e6
