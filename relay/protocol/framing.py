"""RFC 4571, as ICE-TCP uses it (RFC 6544 3): datagrams on a stream, each after its length in two bytes."""

from __future__ import annotations

from flow.errors import MalformedError

MAX_FRAME_BYTES = 2048
"""What travels here was made for a path of 1,500 bytes; a longer one is no viewer's."""


class Deframer:
    """Cuts a byte stream into datagrams; holds less than one frame between calls."""

    def __init__(self) -> None:
        self._rest = b""

    def push(self, data: bytes) -> list[bytes]:
        """The datagrams that `data` completes, in order; empty ones are left out (RFC 4571 2).

        Raises MalformedError at a frame above MAX_FRAME_BYTES; the stream cannot be used any further.
        """
        data = self._rest + data
        at, datagrams = 0, []
        while at + 2 <= len(data):
            length = int.from_bytes(data[at : at + 2], "big")
            if length > MAX_FRAME_BYTES:
                raise MalformedError(
                    f"a frame of {length} bytes is longer than {MAX_FRAME_BYTES} (RFC 4571 2)"
                )
            end = at + 2 + length
            if end > len(data):
                break
            if length:
                datagrams.append(data[at + 2 : end])
            at = end
        self._rest = data[at:]
        return datagrams


def framed(datagram: bytes | memoryview) -> bytes:
    """One datagram (up to 65,535 bytes) as it goes onto the stream."""
    return b"".join((len(datagram).to_bytes(2, "big"), datagram))


def framed_run(buffer: memoryview, segment: int) -> bytes:
    """Datagrams of `segment` bytes each, the last may be shorter, as they go onto the stream."""
    return b"".join(framed(buffer[at : at + segment]) for at in range(0, len(buffer), segment))
