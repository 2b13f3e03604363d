"""Reading the bit-level syntax of parameter sets and slice headers (H.264 7.2 and 9.1, H.265 7.2 and 9.2)."""

from __future__ import annotations

from flow.errors import MalformedError


class BitReader:
    """Reads numbers from an RBSP, most significant bit first; raises MalformedError at its end."""

    def __init__(self, rbsp: bytes) -> None:
        self._rbsp = rbsp
        self._at = 0

    def u(self, bits: int) -> int:
        """u(n): an unsigned number of so many bits."""
        end = self._at + bits
        if end > 8 * len(self._rbsp):
            raise MalformedError("parameter set or slice header ends too early (H.264 7.3)")
        window = int.from_bytes(self._rbsp[self._at // 8 : (end + 7) // 8], "big")
        self._at = end
        return window >> (-end % 8) & ((1 << bits) - 1)

    def flag(self) -> bool:
        """u(1)."""
        return self.u(1) == 1

    def skip(self, bits: int) -> None:
        """Pass over so many bits."""
        self._at += bits

    def ue(self) -> int:
        """ue(v): as many zeros as value bits follow the first one (H.264 9.1); below 2^32."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > 31:
                raise MalformedError("Exp-Golomb number above 32 bits (H.264 9.1)")
        return (1 << zeros | self.u(zeros)) - 1

    def se(self) -> int:
        """se(v): 0, 1, -1, 2, -2, … (H.264 9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -code // 2
