"""The service under load, to be killed: six cameras of two aircraft that never stop sending."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import clip
from tests.bench.feeder import feeding

FEEDS = ("a-1", "a-2", "a-3", "b-1", "b-2", "b-3")
GROUP_S = 1
"""Seconds between keyframes: more of a short run is recorded."""

_HOST = "127.0.0.1"
RECORDING = dict(os.environ) | {"LAGEBILD_RECORDING_ENABLED": "true"}  # tests switch it off
_CONFIGURATION = """\
[server]
port = 0
log_level = "info"
data_dir = {data_dir}

[webrtc]
port = 0

[recording]
reserve_mb = {reserve_mb}
"""
_AIRCRAFT = """
[[aircraft]]
id = {id}
mavlink = {mavlink}
system_id = 1
"""
_FEED = """
  [[aircraft.feed]]
  id = {id}
  source = {source}
"""


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Load:
    """Where the cameras and the aircraft of `a` send; `b` tells no telemetry."""

    ports: dict[str, int]
    mavlink: int

    def configuration(self, data_dir: Path, reserve_mb: int) -> str:
        text = _CONFIGURATION.format(data_dir=json.dumps(str(data_dir)), reserve_mb=reserve_mb)
        for aircraft in ("a", "b"):
            link = f"udpin:{_HOST}:{self.mavlink}" if aircraft == "a" else ""
            text += _AIRCRAFT.format(id=json.dumps(aircraft), mavlink=json.dumps(link))
            for feed, port in self.ports.items():
                if feed.startswith(aircraft):
                    text += _FEED.format(id=json.dumps(feed), source=json.dumps(f"rtp://{_HOST}:{port}"))
        return text


@contextlib.asynccontextmanager
async def flying(clip_s: int = clip.SECONDS) -> AsyncIterator[Load]:
    """All cameras send, whoever listens; a short clip is encoded sooner."""
    load = Load({feed: free_udp_port() for feed in FEEDS}, free_udp_port())
    targets = [(_HOST, port) for port in load.ports.values()]
    core = max(os.sched_getaffinity(0))
    async with feeding(targets, core, group_s=GROUP_S, clip_s=clip_s, telemetry=(_HOST, load.mavlink)):
        yield load


class Service:
    """`lagebild serve` on one data folder, started again and again."""

    def __init__(
        self, load: Load, folder: Path, *, data_dir: Path | None = None, reserve_mb: int = 64
    ) -> None:
        self.data_dir = (data_dir or folder / "data").resolve()
        self.log = folder / "lagebild.log"
        self._config = folder / "lagebild.toml"
        self._config.write_text(load.configuration(self.data_dir, reserve_mb), encoding="utf-8")
        self._process: asyncio.subprocess.Process | None = None
        self.began_ns = 0

    async def start(self) -> None:
        self.began_ns = time.time_ns()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "web",
                "serve", "--config", str(self._config),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=RECORDING,
            )  # fmt: skip

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def kill(self) -> int:
        """As a power cut ends it, but for the page cache; returns when, Unix ns."""
        assert self._process is not None
        killed_ns = time.time_ns()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        return killed_ns

    async def stop(self) -> None:
        """As Ctrl+C ends it."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), 15)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError(f"the service did not end within 15 s; see {self.log}") from None

    def tail(self) -> str:
        return " | ".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-6:])
