"""The service over the data folder that is reviewed, with one live feed and those who watch it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from flow.clock import NS_PER_MS
from recordings.folders import exports_folder, flight_id, renditions_folder
from tests.bench.feeder import feeding
from tests.bench.peers import BUILD, PeerError
from tests.bench.peers.lagebild import LagebildPeer
from tests.bench.peers.place import LOOPBACK
from tests.bench.relay_load import SERVER_CORE, VIEWER_CORE, Session
from tests.bench.review_folder import SMALL_FLIGHTS, ReviewFolder, small_aircraft, small_started_ms
from tests.bench.viewers.client import viewers_process

KNOWS_ALL_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.05
_RECORDING = "[recording]\neinsatz_days = 36500\nuebung_days = 36500\n\n[webrtc]"
Query = Mapping[str, str | int | float]


class ReviewPeer(LagebildPeer):
    """The service over a data folder of its own, nothing of which it deletes."""

    def __init__(self, root: Path) -> None:
        super().__init__(LOOPBACK)
        self.root = root
        self.base = f"http://{LOOPBACK.relay_address}:{self.http_port}"

    def command(self) -> Sequence[str]:
        return "env", "LAGEBILD_RECORDING_ENABLED=true", *super().command()

    def _configuration(self) -> str:
        folder = f"data_dir = {json.dumps(str(self.root))}\n\n{_RECORDING}"
        return super()._configuration().replace("[webrtc]", folder, 1)


@dataclass(frozen=True, slots=True)
class ReviewHouse:
    """A running service that knows every flight of the folder."""

    folder: ReviewFolder
    peer: ReviewPeer
    http: aiohttp.ClientSession
    known_after_s: float

    @property
    def base(self) -> str:
        return self.peer.base

    async def get(self, path: str, query: Query | None = None) -> Any:
        """The JSON of an answer. Raises PeerError for any but 200."""
        async with self.http.get(self.base + path, params=query) as reply:
            if reply.status != 200:
                raise PeerError(f"{path}: {reply.status} {(await reply.text())[:200]}")
            return await reply.json()

    @contextlib.asynccontextmanager
    async def live(self, viewers: int) -> AsyncIterator[Session]:
        """The feed comes, and so many watch it."""
        times = BUILD / "review-times"
        async with (
            feeding(
                [self.peer.rtp_target],
                VIEWER_CORE,
                clip_s=self.folder.clip_ms // 1000,
                times=times,
                telemetry=self.peer.mavlink_target,
            ),
            viewers_process(LOOPBACK.viewer_address, VIEWER_CORE) as watching,
        ):
            session = Session(self.peer, watching, times)
            await session.grow(viewers)
            yield session


@contextlib.asynccontextmanager
async def review_house(folder: ReviewFolder) -> AsyncIterator[ReviewHouse]:
    """The live feed is relayed and not recorded: the folder stays as it was made."""
    peer = ReviewPeer(folder.root)
    for left in (exports_folder, renditions_folder):  # one broken off would go on; all are to be made anew
        shutil.rmtree(left(folder.root), ignore_errors=True)
    began_s = time.monotonic()
    await peer.start(SERVER_CORE)
    try:
        async with aiohttp.ClientSession() as http:
            await _known(http, peer, folder)
            off = {"on": False, "by": "bench"}
            async with http.put(f"{peer.base}/api/v1/aircraft/bench/recording", json=off) as reply:
                if reply.status >= 300:
                    raise PeerError(f"recording cannot be switched off: {reply.status}")
            yield ReviewHouse(folder, peer, http, time.monotonic() - began_s)
    finally:
        await peer.stop()


async def _known(http: aiohttp.ClientSession, peer: ReviewPeer, folder: ReviewFolder) -> None:
    """Wait until the catalogue has all flights: the oldest is read last."""
    oldest = SMALL_FLIGHTS - 1
    names = [film.id for film in folder.films]
    names += [
        flight_id(small_started_ms(folder, n) * NS_PER_MS, small_aircraft(n).id) for n in (0, 1, oldest)
    ]
    async with asyncio.timeout(KNOWS_ALL_WITHIN_S):
        for name in names:
            while True:
                async with http.get(f"{peer.base}/api/v1/flights/{name}") as reply:
                    if reply.status == 200:
                        break
                await asyncio.sleep(_LOOK_EVERY_S)
