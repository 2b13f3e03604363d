"""How much metadata a source may bring."""

from __future__ import annotations

from flow.clock import NS_PER_S
from flow.codec.klv import SET_LIMIT_BYTES

UNIT_LIMIT_BYTES = SET_LIMIT_BYTES
MOST_PER_S = 200
"""Units; two for every picture of a fast camera are 120."""
MOST_BYTES_PER_S = 1024 * 1024


class MetadataGate:
    """Lets through what is of a reasonable size and number, counted anew each second."""

    def __init__(self) -> None:
        self.dropped = 0
        self.is_flooded = False
        """Whether something was dropped in this second or in the one before."""
        self._since_ns = 0
        self._units = self._bytes = 0
        self._dropped_now = False

    def admits(self, size: int, now_ns: int) -> bool:
        """Whether a unit of `size` bytes may pass."""
        self.tick(now_ns)
        self._units += 1
        self._bytes += size
        fits = self._units <= MOST_PER_S and self._bytes <= MOST_BYTES_PER_S and size <= UNIT_LIMIT_BYTES
        if not fits:
            self.dropped += 1
            self._dropped_now = self.is_flooded = True
        return fits

    def tick(self, now_ns: int) -> None:
        """Time has passed."""
        if now_ns - self._since_ns >= NS_PER_S:
            self._since_ns, self._units, self._bytes = now_ns, 0, 0
            self.is_flooded, self._dropped_now = self._dropped_now, False
