"""Where packets are protected and leave: one buffer for all viewers, since one event loop sends to all."""

from __future__ import annotations

from typing import Any

from .port import Path
from .protocol.layout import MAX_RUN_BYTES, MAX_SEGMENTS, Run
from .srtp import SrtpOut, ffi

BUFFER_BYTES = MAX_RUN_BYTES + 2048


class Outlet:
    """Copies a run, protects each packet in place, and hands all of them to the kernel by one call."""

    def __init__(self) -> None:
        buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(buffer)
        self._base = ffi.from_buffer(buffer)
        self._pointers: dict[int, list[Any]] = {}  # by segment size, of which there are some hundreds
        lengths = ffi.new("int[]", MAX_SEGMENTS)
        self._lengths = ffi.buffer(lengths)
        self._length_pointers = [lengths + i for i in range(MAX_SEGMENTS)]

    def send(self, run: Run, srtp: SrtpOut, path: Path) -> bool:
        """Whether the packets are on their way; False where the network or libsrtp took none of them."""
        pointers, view = run.prepared or self._prepare(run)
        view[:] = run.data
        # libsrtp adds the tag to each length, so they are set anew for every viewer.
        self._lengths[0 : len(run.lengths)] = run.lengths
        return srtp.protect(pointers, self._length_pointers) and path.send_run(view, run.segment)

    def _prepare(self, run: Run) -> tuple[list[Any], memoryview]:
        pointers = self._pointers.get(run.segment) or self._pointers_every(run.segment)
        run.prepared = pointers[: run.count], self._view[: run.size_bytes]
        return run.prepared  # type: ignore[no-any-return]

    def _pointers_every(self, segment: int) -> list[Any]:
        starts = range(0, MAX_RUN_BYTES, segment)[:MAX_SEGMENTS]
        pointers = self._pointers[segment] = [self._base + at for at in starts]
        return pointers
