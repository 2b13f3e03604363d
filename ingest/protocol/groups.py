"""How far apart a stream's keyframes are."""

from __future__ import annotations

from flow.bus import GROUP_LIMIT_BYTES, GROUP_LIMIT_NS

_LONG_BYTES = GROUP_LIMIT_BYTES * 7 // 8
_LONG_NS = GROUP_LIMIT_NS * 7 // 8
"""Short of what the bus keeps, so that there is time to read its group for who comes later."""


class Groups:
    """Measures the groups that begin at keyframes, by arrival."""

    def __init__(self) -> None:
        self.interval_ns: int | None = None
        """Length of the last whole group; None until there was one."""
        self._last_too_long = False
        self._begin_ns: int | None = None
        self._age_ns = 0
        self._bytes = 0

    def add(self, keyframe: bool, size: int, arrival_ns: int) -> None:
        """Count a picture; the first one is a keyframe."""
        if keyframe:
            if self._begin_ns is not None:
                self.interval_ns = arrival_ns - self._begin_ns
                self._last_too_long = self._is_too_long()
            self._begin_ns, self._bytes = arrival_ns, 0
        self._age_ns = arrival_ns - (arrival_ns if self._begin_ns is None else self._begin_ns)
        self._bytes += size

    @property
    def too_long(self) -> bool:
        """Whether the bus cannot keep such groups, or hardly: late joiners wait for the next keyframe."""
        return self._last_too_long or self._is_too_long()

    def _is_too_long(self) -> bool:
        return self._age_ns > _LONG_NS or self._bytes > _LONG_BYTES
