"""A real encoder with a key of the pilot page: let in, cut off as the key is withdrawn, and told why."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

from .ingest_rig import DEADLINE_S, FFMPEG
from .test_ingest_publishers import make_clip

KEYS = "/api/v1/feeds/tag/keys"


def free_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[aiohttp.ClientSession]:
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(folder)),
        webrtc=WebRtcSettings(port=0),
        publish=PublishingSettings(rtmp_port=free_tcp_port()),
        aircraft=(AircraftSettings("otto", feed=(FeedSettings("tag", "rtmp"),)),),
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        yield http


async def state(http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.get("/api/v1/pilot") as reply:
        told: dict[str, Any] = (await reply.json())["aircraft"][0]["feeds"][0]["feed"]["state"] or {}
        return told


async def until(http: aiohttp.ClientSession, name: str, wanted: str) -> dict[str, Any]:
    """The feed's state, once `name` in it begins so."""
    async with asyncio.timeout(DEADLINE_S):
        while not (told := await state(http)).get(name, "").startswith(wanted):
            await asyncio.sleep(0.05)
    return told


async def told_to_encoder(*arguments: str) -> tuple[int | None, bytes]:
    process = await asyncio.create_subprocess_exec(
        FFMPEG, "-nostdin", "-loglevel", "error", *arguments, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said


async def test_a_key_lets_an_encoder_in_until_it_is_withdrawn(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "live.mp4", "-tune", "zerolatency", "-g", "30")
    film = ("-re", "-stream_loop", "-1", "-i", clip, "-map", "0:v", "-c", "copy", "-f", "flv")
    async with desk(tmp_path / "data") as http:
        await until(http, "detail", "waiting for a publisher on rtmp://")
        async with http.post(KEYS) as reply:
            address = (await reply.json())["ways"][0]["way"]["address"]
        async with asyncio.TaskGroup() as tasks:
            encoder = tasks.create_task(told_to_encoder(*film, address))
            await until(http, "status", "live")
            async with http.delete(KEYS) as reply:
                assert await reply.json() == {"withdrawn": 1}
            code, _ = await encoder  # it would film for ever
        assert code != 0
        await until(http, "reason", "key_withdrawn")
        code, said = await told_to_encoder(*film, address)
        assert (code != 0, b"wrong or was withdrawn" in said) == (True, True)
        refused = await until(http, "reason", "key_wrong")
        assert address.partition("key=")[2] not in str(refused)
