"""Janus from Debian: its streaming plugin with one RTP mountpoint, and nothing else loaded.

Tuned as far as its own settings go: one event loop for all viewers (its default, a thread for each, loses
packets at 100), ICE-lite, no session time-outs, logging of errors only. It leaves loopback addresses out of
ICE, so it needs a namespace (place.py).
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from pathlib import Path
from typing import Any

import aiohttp

from . import BUILD, AnswerTo, Joined, MissingPeerError, PeerError
from .place import Place
from .process import RelayProcess

_STREAM = 1
_LIBRARIES = {"plugins": "libjanus_streaming.so", "transports": "libjanus_http.so"}
_JANUS = """\
general: {{
  configs_folder = "{folder}/configs"
  plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  debug_level = 2
  session_timeout = 0
  event_loops = 1
}}
media: {{
  ipv6 = false
}}
nat: {{
  ice_lite = true
  ice_enforce_list = "{interface}"
}}
"""
_HTTP = """\
general: {{
  json = "compact"
  http = true
  port = {port}
  ip = "{host}"
}}
"""
_STREAMING = """\
bench: {{
  type = "rtp"
  id = {stream}
  media = ({{
    type = "video"
    mid = "v"
    port = {port}
    pt = 96
    codec = "h264"
    fmtp = "profile-level-id=42e01f;packetization-mode=1"
    bufferkf = {buffered}
  }})
}}
"""


class JanusPeer:
    """`keyframe_buffered` sends a viewer that joins the latest keyframe at once (videobufferkf)."""

    offers = True

    def __init__(self, place: Place, *, keyframe_buffered: bool = False) -> None:
        if shutil.which("janus") is None:
            raise MissingPeerError("janus is not installed; run scripts/bench-relay-setup as root")
        if place.namespace is None:
            raise MissingPeerError("janus leaves loopback addresses out of ICE; it needs a namespace (root)")
        self.name = "janus-keyframe" if keyframe_buffered else "janus"
        self._buffered = keyframe_buffered
        self._place = place
        self._rtp_port, self._http_port = place.free_port(), place.free_port()
        self._url = f"http://{place.relay_address}:{self._http_port}/janus"
        self._process = RelayProcess(self.name)
        self._http: aiohttp.ClientSession | None = None

    @property
    def rtp_target(self) -> tuple[str, int]:
        return self._place.relay_address, self._rtp_port

    @property
    def pids(self) -> list[int]:
        return self._process.pids

    async def start(self, core: int) -> None:
        folder = self._configured()
        self._http = aiohttp.ClientSession()
        command = self._place.command(core, "janus", "--configs-folder", str(folder / "configs"))
        try:
            await self._process.start(command, self._answers)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()
        await self._process.stop()

    async def join(self, offer_sdp: str) -> Joined:
        raise PeerError("janus offers; join it with join_reversed")

    async def join_reversed(self, answer_to: AnswerTo) -> Joined:
        session = f"{self._url}/{(await self._ask(self._url, janus='create'))['data']['id']}"
        attached = await self._ask(session, janus="attach", plugin="janus.plugin.streaming")
        handle = f"{session}/{attached['data']['id']}"
        await self._ask(handle, janus="message", body={"request": "watch", "id": _STREAM})
        offer = (await self._event(session, "preparing"))["jsep"]["sdp"]
        answer = {"type": "answer", "sdp": await answer_to(offer)}
        await self._ask(handle, janus="message", body={"request": "start"}, jsep=answer)
        await self._event(session, "starting")

        async def leave() -> None:
            await self._ask(session, janus="destroy")

        return Joined(offer, leave)

    def _configured(self) -> Path:
        """A folder with the configuration and links to the two libraries that are to be loaded."""
        folder = (BUILD / self.name).resolve()
        for part in ("configs", "none", *_LIBRARIES):
            (folder / part).mkdir(parents=True, exist_ok=True)
        for part, library in _LIBRARIES.items():
            link = folder / part / library
            if not link.is_symlink():
                link.symlink_to(_installed(part, library))
        place, configs = self._place, folder / "configs"
        texts = {
            "janus.jcfg": _JANUS.format(folder=folder, interface=place.interface),
            "janus.transport.http.jcfg": _HTTP.format(host=place.relay_address, port=self._http_port),
            "janus.plugin.streaming.jcfg": _STREAMING.format(
                stream=_STREAM, port=self._rtp_port, buffered=str(self._buffered).lower()
            ),
        }
        for name, text in texts.items():
            (configs / name).write_text(text, encoding="utf-8")
        return folder

    async def _answers(self) -> bool:
        try:
            async with self._session.get(f"{self._url}/info") as reply:
                return reply.status == 200
        except aiohttp.ClientError:
            return False

    async def _ask(self, url: str, **request: Any) -> dict[str, Any]:
        body = {"transaction": secrets.token_hex(8), **request}
        async with self._session.post(url, json=body) as reply:
            said: dict[str, Any] = await reply.json(content_type=None)
        if said.get("janus") not in ("success", "ack"):
            raise PeerError(f"{self.name}: {request['janus']}: {said.get('error', said)}")
        return said

    async def _event(self, session: str, status: str) -> dict[str, Any]:
        """Wait for the plugin to say that it is `status`: preparing comes with the offer."""
        async with asyncio.timeout(10):
            while True:
                async with self._session.get(session) as reply:
                    said: dict[str, Any] = await reply.json(content_type=None)
                data = said.get("plugindata", {}).get("data", {})
                if "error" in data:
                    raise PeerError(f"{self.name}: {data['error']}")
                if data.get("result", {}).get("status") == status:
                    return said

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise PeerError(f"{self.name} is not running")
        return self._http


def _installed(part: str, library: str) -> Path:
    found = sorted(Path("/usr/lib").glob(f"*/janus/{part}/{library}"))
    if not found:
        raise MissingPeerError(f"janus is installed without {library}")
    return found[0]
