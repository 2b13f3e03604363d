"""The service as it stands in a network: nobody is trusted for where he sits, publishers' ports are open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from flow.clock import SystemClock
from tests.bench.peers import PeerError
from tests.bench.peers.lagebild import FEED, LagebildPeer
from tests.bench.peers.place import LOOPBACK
from tests.policy.callers import API, Registry
from web.access.passwords import Passwords
from web.access.permissions import Role
from web.access.store import AccessStore

PUSHED = "bench-push"
READY_WITHIN_S = 15.0
LOGIN, PASSWORD = "kern", "Drehleiter-am-Ostbahnhof-1974"
_PUSHED = f"""
  [[aircraft.feed]]
  id = "{PUSHED}"
  source = "push"
"""
_MORE = """
[access]
this_machine = false

[publish]
rtmp_port = {rtmp}
srt_port = {srt}

[webrtc]"""


class AccessPeer(LagebildPeer):
    """Records, so that there are incidents. Viewers of ours show a machine's token."""

    def __init__(self, root: Path, token: str) -> None:
        super().__init__(LOOPBACK, everybody_may=False)
        self.root, self.base = root, f"http://{LOOPBACK.relay_address}:{self.http_port}"
        self.rtmp_port, self.srt_port = LOOPBACK.free_port(), LOOPBACK.free_port()
        self._token = token

    def command(self) -> Sequence[str]:
        return "env", "LAGEBILD_RECORDING_ENABLED=true", *super().command()

    async def start(self, core: int) -> None:
        await super().start(core)
        self._session.headers["Authorization"] = f"Bearer {self._token}"

    def _configuration(self) -> str:
        folder = f"data_dir = {json.dumps(str(self.root))}\n"
        more = folder + _MORE.format(rtmp=self.rtmp_port, srt=self.srt_port)
        return super()._configuration().replace("[webrtc]", more, 1) + _PUSHED


@dataclass(frozen=True, slots=True)
class AccessHouse:
    """It runs; `http` asks with the token of a machine that may share, and watch."""

    peer: AccessPeer
    http: aiohttp.ClientSession
    incident_id: str

    async def told(self, method: str, path: str, **how: Any) -> Any:
        """Raises PeerError for what is refused."""
        async with self.http.request(method, self.peer.base + path, **how) as reply:
            if reply.status >= 300:
                raise PeerError(f"{method} {path}: {reply.status} {(await reply.text())[:200]}")
            return await reply.json() if reply.content_type == "application/json" else None


@contextlib.asynccontextmanager
async def access_house(core: int) -> AsyncIterator[AccessHouse]:
    """With an account, a token and an incident that has the aircraft."""
    with tempfile.TemporaryDirectory(prefix="lagebild-access-") as folder:
        root = Path(folder)
        peer = AccessPeer(root, await _furnished(root))
        await peer.start(core)
        try:
            headers = {"Authorization": f"Bearer {peer._token}"}
            async with aiohttp.ClientSession(headers=headers) as http:
                house = AccessHouse(peer, http, "")
                new = {"kind": "uebung", "name": "Messung", "by": "bench", "aircraft_ids": [FEED]}
                incident = await _until_told(house, new)
                yield AccessHouse(peer, http, incident)
        finally:
            await peer.stop()


async def _until_told(house: AccessHouse, new: dict[str, Any]) -> str:
    """The archive opens beside the page."""
    async with asyncio.timeout(READY_WITHIN_S) as limit:
        while True:
            try:
                return str((await house.told("POST", "/api/v1/incidents", json=new))["id"])
            except PeerError:
                if limit.when() is not None and asyncio.get_running_loop().time() > (limit.when() or 0) - 1:
                    raise
            await asyncio.sleep(0.05)


async def _furnished(root: Path) -> str:
    """An account with a password, as `LOGIN`, and a token, which is returned."""
    store = AccessStore(root, SystemClock())
    store.open()
    try:
        registry = Registry(store, SystemClock().now_ns())
        await registry.prepare()
        person = await registry.account("D", Role.DISPATCHER)
        row = (LOGIN, Passwords().hash_now(PASSWORD), person.id)
        await store.change(
            lambda file: file.execute("UPDATE accounts SET login = ?, password_hash = ? WHERE id = ?", row)
        )
        token = await registry.token("t", API)
        return token.headers["Authorization"].partition(" ")[2]
    finally:
        store.close()
