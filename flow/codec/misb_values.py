"""How MISB metadata writes a value: linear maps of integers (ST 0601 7.2), IMAPB (ST 1201), text, counts.

Each mapping has `decode(data) -> value or None` and `encode(value) -> bytes or None`; None is what the bytes
do not or cannot tell: another size than theirs, the indicator for an error, a value beyond their range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Unsigned:
    """The whole range of an unsigned integer stands for `low` to `high`."""

    size: int
    low: float
    high: float

    @property
    def _steps(self) -> int:
        return (1 << 8 * self.size) - 1

    def decode(self, data: bytes) -> float | None:
        if len(data) != self.size:
            return None
        return self.low + int.from_bytes(data, "big") * (self.high - self.low) / self._steps

    def encode(self, value: float) -> bytes | None:
        if not self.low <= value <= self.high:
            return None
        raw = round((value - self.low) * self._steps / (self.high - self.low))
        return raw.to_bytes(self.size, "big")


@dataclass(frozen=True, slots=True)
class Signed:
    """The range of a signed integer stands for `-high` to `high`, but for its least value: that is "out of
    range", or an error."""

    size: int
    high: float

    @property
    def _steps(self) -> int:
        return (1 << 8 * self.size - 1) - 1

    def decode(self, data: bytes) -> float | None:
        raw = int.from_bytes(data, "big", signed=True)
        if len(data) != self.size or raw < -self._steps:
            return None
        return raw * self.high / self._steps

    def encode(self, value: float) -> bytes | None:
        if not -self.high <= value <= self.high:
            return None
        return round(value * self._steps / self.high).to_bytes(self.size, "big", signed=True)


@dataclass(frozen=True, slots=True)
class Imapb:
    """MISB ST 1201 7.1.2: `low` to `high` in steps of a power of two, in as many bytes as the sender takes;
    we take `size`. What has the top bit set is no number, but for the range's upper end."""

    size: int
    low: float
    high: float

    def decode(self, data: bytes) -> float | None:
        if not 1 <= len(data) <= 8:
            return None
        raw, limit = int.from_bytes(data, "big"), 1 << 8 * len(data) - 1
        if raw > limit:
            return None
        scale = self._scale(len(data))
        value = (raw - self._offset(scale)) / scale + self.low
        return value if value <= self.high else None

    def encode(self, value: float) -> bytes | None:
        if not self.low <= value <= self.high:
            return None
        scale = self._scale(self.size)
        return math.trunc(scale * (value - self.low) + self._offset(scale)).to_bytes(self.size, "big")

    def _scale(self, size: int) -> float:
        span = math.ceil(math.log2(self.high - self.low))
        return float(2 ** (8 * size - 1 - span))

    def _offset(self, scale: float) -> float:
        """Lets zero be written exactly, where it lies within the range."""
        return scale * self.low - math.floor(scale * self.low) if self.low < 0 < self.high else 0.0


@dataclass(frozen=True, slots=True)
class Count:
    """An unsigned integer that stands for itself."""

    size: int

    def decode(self, data: bytes) -> int | None:
        return int.from_bytes(data, "big") if len(data) == self.size else None

    def encode(self, value: int) -> bytes | None:
        return value.to_bytes(self.size, "big") if 0 <= value < 1 << 8 * self.size else None


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8 of at most so many bytes (ST 0107 6.4)."""

    limit: int = 127

    def decode(self, data: bytes) -> str | None:
        if not 0 < len(data) <= self.limit:
            return None
        text = data.rstrip(b"\0").decode("utf-8", "replace")
        return text if text.isprintable() else None

    def encode(self, value: str) -> bytes | None:
        data = value.encode("utf-8", "replace")
        return data if 0 < len(data) <= self.limit else None


Mapping: TypeAlias = Unsigned | Signed | Imapb | Count | Text
