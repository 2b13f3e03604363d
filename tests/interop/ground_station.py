"""MAVProxy as people use it: a real ground station at a share, told what to do at its prompt."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAVPROXY = ROOT / ".venv-stations" / "bin" / "mavproxy.py"


class GroundStation:
    """A running MAVProxy; `said` is all it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""
        self._news = asyncio.Event()

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def says(self, text: str, after: int = 0, within_s: float = 25.0) -> None:
        """Wait until it has printed `text`, from `said[after:]` on."""
        try:
            async with asyncio.timeout(within_s):
                while text not in self.said[after:]:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"MAVProxy has not said '{text}', but: {self.said[-2000:]}")

    async def status(self, kind: str) -> dict[str, int]:
        """The fields of the newest message of that kind: "1: GPS_RAW_INT {lat : -353632, …}"."""
        head = f"{kind} {{"
        async with asyncio.timeout(20):
            while head not in self.said:
                self.type(f"status {kind}")  # until it has heard one
                await asyncio.sleep(0.3)
        await self.says("}", self.said.index(head))
        inside = self.said.partition(head)[2].partition("}")[0]
        pairs = (field.split(" : ") for field in inside.split(", "))
        return {name: int(value) for name, value in pairs}

    async def read(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(4096):
            self.said += data.decode(errors="replace")
            self._news.set()


@contextlib.asynccontextmanager
async def mavproxy(master: str, home: Path) -> AsyncIterator[GroundStation]:
    """MAVProxy at `master` ("tcp:HOST:PORT"), with a home folder of its own."""
    if not MAVPROXY.exists():
        pytest.skip("MAVProxy is not set up: scripts/setup test")
    process = await asyncio.create_subprocess_exec(
        str(MAVPROXY),
        f"--master={master}",
        f"--state-basedir={home}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=home,
        env=os.environ | {"HOME": str(home), "PYTHONUNBUFFERED": "1"},
    )
    station = GroundStation(process)
    reading = asyncio.ensure_future(station.read())
    try:
        yield station
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading
