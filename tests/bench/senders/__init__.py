"""Publishers for measuring: one process each, which tells when it wrote every picture's last byte.

    async with sending("rtmp", target, times) as sender:
        await sender.begin()
        ...                     # `times` grows: a line a picture, its number and the monotonic clock in ns

Each speaks its protocol with code that is not Lagebild's own wherever there is some (libav, libsrt, aiortc).
All send the same clip at its pace; each picture carries its number (tests/bench/ingest_marks.py), by which it
is found again on the bus. A sender that is refused or cut off tries again four times a second and begins with
a keyframe.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

STARTS_WITHIN_S = 120.0
"""The clip may have to be encoded first."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: a port of the service, except for RTSP, where it is the sender's own."""

    host: str
    port: int
    feed_id: str = ""
    key: str = ""
    codec: str = "h264"


class Sender(Protocol):
    """One way of sending. Both methods raise OSError where the other side is not there or has gone."""

    def connect(self) -> None:
        """Return as soon as pictures may be sent; the next one is a keyframe."""
        ...

    def send(self, picture: bytes, pts_90k: int) -> int:
        """Send an access unit (Annex B); the monotonic clock in ns as the write of its last byte began."""
        ...

    def close(self) -> None:
        """Hang up; `connect()` may follow."""
        ...


def complaint_file(times: Path) -> Path:
    """Where the sender that logs to `times` writes why it was last refused or cut off."""
    return times.with_suffix(".complaint")


class SenderProcess:
    """Made by `sending()`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ready(self) -> None:
        """Return when it has loaded all it needs. Raises RuntimeError where it ended instead."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), STARTS_WITHIN_S)
        if not line:
            raise RuntimeError(f"a sender ended with {await self._process.wait()}")

    async def begin(self) -> None:
        """Connect and send from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()

    async def kill(self) -> None:
        """It says goodbye to nobody."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


@contextlib.asynccontextmanager
async def sending(way: str, target: Target, times: Path, core: int) -> AsyncIterator[SenderProcess]:
    """A sender on one core, which does nothing before `begin()`; it is killed at the end.

    `way` is a name of __main__.py.
    """
    process = await asyncio.create_subprocess_exec(
        "setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(core),
        sys.executable, "-m", "tests.bench.senders", way, json.dumps(asdict(target)), str(times),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    sender = SenderProcess(process)
    try:
        yield sender
    finally:
        await sender.kill()
