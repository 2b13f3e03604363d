"""What recording costs: ten feeds at once, switched on and off in turns, with viewers on one of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench import clip, procfs
from tests.bench.feeder import Address, feeding
from tests.bench.peers import BUILD, PeerError
from tests.bench.peers.lagebild import FEED, LagebildPeer
from tests.bench.peers.place import LOOPBACK
from tests.bench.relay_load import SERVER_CORE, VIEWER_CORE, Session
from tests.bench.viewers.client import viewers_process

FEEDS = 10
SETTLE_S = 0.5
RECORDS_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.1
_ONE_MORE = """
  [[aircraft.feed]]
  id = {id}
  source = {source}
  trust_clock = true
"""


class RecordingPeer(LagebildPeer):
    """The service with ten cameras on one aircraft, and a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LOOPBACK)
        self.folder = folder
        self._others = {f"{FEED}-{number}": LOOPBACK.free_port() for number in range(1, FEEDS)}

    def command(self) -> Sequence[str]:
        return "env", "LAGEBILD_RECORDING_ENABLED=true", *super().command()  # tests switch it off

    @property
    def targets(self) -> list[Address]:
        host = self.place.relay_address
        return [self.rtp_target, *((host, port) for port in self._others.values())]

    async def switch(self, on: bool) -> None:
        """Recording of the aircraft. Raises PeerError where the service does not do it in time."""
        base = f"http://{self.place.relay_address}:{self.http_port}/api/v1"
        async with aiohttp.ClientSession() as http, asyncio.timeout(RECORDS_WITHIN_S):
            async with http.put(f"{base}/aircraft/bench/recording", json={"on": on, "by": "bench"}) as reply:
                if reply.status >= 300:
                    raise PeerError(f"recording cannot be switched: {reply.status} {await reply.text()}")
            while await _records(http, base) != on:
                await asyncio.sleep(_LOOK_EVERY_S)

    def written_bytes(self) -> int:
        """What the service has handed to the file systems so far (proc(5), io: write_bytes)."""
        [pid] = self.pids
        text = Path(f"/proc/{pid}/io").read_text(encoding="ascii")
        return int(dict(line.split(": ") for line in text.splitlines())["write_bytes"])

    def _configuration(self) -> str:
        host = self.place.relay_address
        feeds = "".join(
            _ONE_MORE.format(id=json.dumps(name), source=json.dumps(f"rtp://{host}:{port}"))
            for name, port in self._others.items()
        )
        text = super()._configuration() + feeds
        return text.replace("[webrtc]", f"data_dir = {json.dumps(str(self.folder))}\n\n[webrtc]", 1)


async def _records(http: aiohttp.ClientSession, base: str) -> bool:
    async with http.get(f"{base}/feeds/{FEED}/recording") as reply:
        return reply.status == 200


@contextlib.asynccontextmanager
async def recording_house(viewers: int) -> AsyncIterator[tuple[RecordingPeer, Session]]:
    """The service, fed, with viewers on one feed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="recorder-", dir=BUILD) as folder:
        peer, times = RecordingPeer(Path(folder).resolve() / "data"), Path(folder) / "times"
        await peer.start(SERVER_CORE)
        try:
            async with (
                feeding(peer.targets, VIEWER_CORE, times=times, telemetry=peer.mavlink_target),
                viewers_process(LOOPBACK.viewer_address, VIEWER_CORE) as watching,
            ):
                session = Session(peer, watching, times)
                await session.grow(viewers)
                yield peer, session
        finally:
            await peer.stop()


async def load(turns: int, window_s: float, viewers: int) -> dict[str, Any]:
    """Off and on in turns; CPU and disk writes per feed and second, and the delay that viewers have."""
    rows: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    async with recording_house(viewers) as (peer, session):
        for turn in range(turns + 1):  # the first one warms up
            for on in (False, True) if turn % 2 == 0 else (True, False):
                await peer.switch(on)
                await asyncio.sleep(SETTLE_S)
                before = peer.written_bytes()
                found = await session.measure(window_s)
                row = {
                    "cpu_s_per_s": found.cpu_ms_per_viewer_s * viewers / 1000,
                    "written_bytes_per_s": (peer.written_bytes() - before) / window_s,
                    "delay_ms": found.delay_ms,
                    "loss": found.loss,
                }
                if turn:
                    rows[on].append(row)
        memory = procfs.memory(peer.pids)
    return _figures(rows, window_s, viewers) | {"rss_mb": memory.rss_mb}


def _figures(rows: dict[bool, list[dict[str, Any]]], window_s: float, viewers: int) -> dict[str, Any]:
    def middle(on: bool, name: str) -> float:
        return float(statistics.median(row[name] for row in rows[on]))

    def delay(on: bool, name: str) -> float | None:
        known = [row["delay_ms"][name] for row in rows[on] if row["delay_ms"].get(name) is not None]
        return round(statistics.median(known), 2) if known else None

    more = [on["cpu_s_per_s"] - off["cpu_s_per_s"] for off, on in zip(rows[False], rows[True], strict=True)]
    return {
        "feeds": FEEDS,
        "viewers": viewers,
        "turns": len(more),
        "window_s": window_s,
        "bitrate_bps": clip.BITRATE_BPS,
        "cpu_s_per_feed_s": round(statistics.median(more) / FEEDS, 5),
        "cpu_s_per_s_off": round(middle(False, "cpu_s_per_s"), 4),
        "cpu_s_per_s_on": round(middle(True, "cpu_s_per_s"), 4),
        "written_bytes_per_feed_s": round(middle(True, "written_bytes_per_s") / FEEDS),
        "written_per_video_byte": round(
            middle(True, "written_bytes_per_s") / (FEEDS * clip.BITRATE_BPS / 8), 3
        ),
        "delay_ms_off": {name: delay(False, name) for name in ("p50", "p99")},
        "delay_ms_on": {name: delay(True, name) for name in ("p50", "p99")},
        "loss_on": max(row["loss"] or 0.0 for row in rows[True]),
    }
