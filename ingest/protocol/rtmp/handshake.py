"""The handshake that opens every RTMP connection (RTMP 1.0, 5.2)."""

from __future__ import annotations

from flow.errors import MalformedError

VERSION = 3
NONCE_BYTES = 1528
_BLOCK_BYTES = 8 + NONCE_BYTES  # C1, S1, C2 and S2: two times of four bytes, and what tells it from others


class Handshake:
    """Our side: C0, C1 and C2 in, S0, S1 and S2 out.

    The second number of S1 is zero, as the specification has it, so clients that could prove themselves by
    digests ("complex handshake") do not ask the same of us; what they put into C1 comes back untouched.
    """

    def __init__(self, nonce: bytes) -> None:
        """`nonce`: NONCE_BYTES of chance."""
        self._nonce = nonce
        self._buffer = bytearray()
        self._answered = False
        self._output = b""

    def receive(self, data: bytes) -> bytes | None:
        """Take what came; None until the handshake is done, then the bytes behind it.

        Raises MalformedError at the first byte of another protocol.
        """
        self._buffer += data
        if self._buffer and self._buffer[0] != VERSION:
            raise MalformedError(f"the first byte is {self._buffer[0]}, not 3: this is not RTMP (RTMP 5.2.2)")
        if not self._answered and len(self._buffer) > _BLOCK_BYTES:
            self._answered = True
            self._output = b"".join(
                (bytes((VERSION,)), bytes(8), self._nonce, self._buffer[1 : 1 + _BLOCK_BYTES])
            )
        if len(self._buffer) < 1 + 2 * _BLOCK_BYTES:
            return None
        return bytes(self._buffer[1 + 2 * _BLOCK_BYTES :])

    def data_to_send(self) -> bytes:
        """What is to be sent now, once."""
        output, self._output = self._output, b""
        return output
