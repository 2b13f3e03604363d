"""The feeder with targets that change while it runs, so that relays that are all up can be fed in turn."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tests.bench import clip
from tests.bench.feeder import STARTS_WITHIN_S, Address, Fed, Feeder
from tests.fakes.rtp_camera import MavlinkAircraft

_STDIN = 0


class TurnFeeder(Feeder):
    """Reads the targets, a JSON list, from lines on standard input; ends when that closes."""

    def _send(self, number: int) -> None:
        if select.select([_STDIN], [], [], 0)[0]:
            lines = os.read(_STDIN, 65_536).splitlines()
            if not lines:
                raise SystemExit
            self._targets = [(host, port) for host, port in json.loads(lines[-1])]
        super()._send(number)


class Turns:
    """Whose turn it is; `about` is what the feeder said of its stream."""

    def __init__(self, process: asyncio.subprocess.Process, about: Fed) -> None:
        self._process = process
        self.about = about

    async def feed(self, targets: Sequence[Address]) -> None:
        """Feed these and nobody else from the next picture on."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(targets).encode() + b"\n")
        await self._process.stdin.drain()


@contextlib.asynccontextmanager
async def feeding_in_turn(core: int, times: Path, telemetry: Address | None = None) -> AsyncIterator[Turns]:
    """A feeder without a target, until told one."""
    host, port = telemetry or ("", 0)
    process = await asyncio.create_subprocess_exec(
        "taskset", "-c", str(core), sys.executable, "-m", "tests.bench.turns", str(times), host, str(port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    assert process.stdin
    try:
        line = await asyncio.wait_for(process.stdout.readline(), STARTS_WITHIN_S)
        if not line:
            raise RuntimeError(f"the feeder ended with {await process.wait()}")
        yield Turns(process, Fed(**json.loads(line)))
    finally:
        process.stdin.close()
        await process.wait()


def main(times: str, host: str, port: str) -> None:
    aircraft = MavlinkAircraft(f"udp:{host}:{port}") if host else None
    with Path(times).open("w", buffering=1) as log:
        TurnFeeder([], clip.GROUP_S, log, aircraft).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
