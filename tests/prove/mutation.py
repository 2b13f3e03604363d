"""Datagrams gone wrong: seeded variations on genuine ones, and some made up."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

MAX_BYTES = 1500
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)


class Mutator:
    """`next(genuine)` gives one datagram; the same seed and the same calls give the same ones."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._as_it_was, self._flipped, self._cut, self._lengthened, self._overwritten, self._repeated,
            self._other_length,
        )  # fmt: skip

    def next(self, genuine: Sequence[bytes]) -> bytes:
        """A variation on one of them, in one to three steps; without any, or now and then, pure noise."""
        if not genuine or self.dice.random() < 0.05:
            return self.noise()
        datagram = self.dice.choice(genuine)
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            datagram = self.dice.choice(self._ways)(datagram)
        return datagram[:MAX_BYTES]

    def noise(self) -> bytes:
        """Random bytes that begin as STUN, DTLS, RTP, RTCP or nothing known (RFC 7983)."""
        first = self.dice.choice((0, 1, 2, 20, 21, 22, 23, 64, 128, 129, 144, 200, 255))
        size = self.dice.choice((0, 1, 2, 8, 12, 20, 28, 60, 200, 1200))
        return bytes((first,)) + self.dice.randbytes(size)

    def _as_it_was(self, datagram: bytes) -> bytes:
        return datagram

    def _flipped(self, datagram: bytes) -> bytes:
        return self._with(datagram, lambda old: old ^ 1 << self.dice.randrange(8))

    def _overwritten(self, datagram: bytes) -> bytes:
        return self._with(datagram, lambda old: self.dice.choice(INTERESTING))

    def _with(self, datagram: bytes, change: Callable[[int], int]) -> bytes:
        if not datagram:
            return datagram
        # Headers are at the front, and that is where parsers err.
        at = min(int(self.dice.expovariate(1 / 24)), len(datagram) - 1)
        return datagram[:at] + bytes((change(datagram[at]) & 0xFF,)) + datagram[at + 1 :]

    def _cut(self, datagram: bytes) -> bytes:
        return datagram[: self.dice.randrange(len(datagram) + 1)]

    def _lengthened(self, datagram: bytes) -> bytes:
        return datagram + self.dice.randbytes(self.dice.randrange(1, 64))

    def _repeated(self, datagram: bytes) -> bytes:
        return datagram + datagram

    def _other_length(self, datagram: bytes) -> bytes:
        """Where STUN, RTCP (bytes 2 and 3) and DTLS records (11 and 12) have their lengths."""
        at = self.dice.choice((2, 11))
        length = self.dice.choice((0, 1, 3, len(datagram), 0xFFFF, self.dice.randrange(65536)))
        return datagram[:at] + length.to_bytes(2, "big") + datagram[at + 2 :]
