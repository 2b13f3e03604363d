"""Alarms reach every page as they rise and fall, and whoever comes later hears what stands."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from flow.flights import Alarm, AlarmLevel
from tests.fakes.clock import START_NS
from tests.unit.web.test_web_channel import OTTO, Studio
from web.alarms import AlarmBoard
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)


def alarm(n: int, code: str, *, active: bool = True, aircraft: str = "otto", **more: Any) -> Alarm:
    return Alarm(f"a-{n}", aircraft, START_NS + n, code, active=active, **more)


async def test_pages_hear_what_rises_and_falls_and_late_ones_what_stands() -> None:
    studio = Studio()
    board = AlarmBoard(studio.bus, (OTTO,), {"otto-tag": studio.channel})
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(studio.channel.run()), tasks.create_task(board.run())]
        async with studio.page() as page:
            await studio.publish()
            first = page.heard()
            await studio.publish(
                alarm(1, "battery_percent", level=AlarmLevel.WARNING, values={"limit": "30"}),
                alarm(2, "no_fix"),
                alarm(3, "battery_percent", values={"limit": "20"}),
                alarm(4, "no_fix", active=False),
                alarm(5, "fence", active=False),  # it never stood
                alarm(6, "no_fix", aircraft="stranger"),
                alarm(7, "picture_black", values={"feed": "otto-tag"}),  # told by its PictureHealth
            )
            told = [(m["code"], m["level"], m["active"]) for m in page.heard() if m["type"] == "alarm"]
        async with studio.page() as late:
            snapshot = next(m for m in late.heard() if m["type"] == "alarms")
        of_otto = [each.id for each in board.of("otto")]
        for task in running:
            task.cancel()
    assert (of_otto, board.of("fritz")) == (["a-3"], [])
    assert next(m for m in first if m["type"] == "alarms")["alarms"] == []
    assert told == [
        ("battery_percent", "warning", True),
        ("no_fix", "alarm", True),
        ("battery_percent", "alarm", True),
        ("no_fix", "alarm", False),
    ]
    assert snapshot["alarms"] == [
        {
            "aircraft_id": "otto",
            "aircraft_name": "Ottmar",
            "code": "battery_percent",
            "level": "alarm",
            "active": True,
            "utc_ms": (START_NS + 3) // 1000 / 1000,
            "values": {"limit": "20"},
            "training": False,
        }
    ]


async def test_the_api_tells_what_stands() -> None:
    settings = Settings(
        server=ServerSettings(port=0),
        webrtc=WebRtcSettings(port=0),
        aircraft=(AircraftSettings("otto", "Ottmar", feed=(FeedSettings("otto-tag", "rtp://127.0.0.1:0"),)),),
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        service.bus.publish(Alarm("a-1", "otto", service.clock.now_ns(), "no_fix"))
        async with asyncio.timeout(5):
            while not (standing := await _alarms(http)):
                await asyncio.sleep(0.01)
    assert [(one["aircraft_name"], one["code"]) for one in standing] == [("Ottmar", "no_fix")]


async def _alarms(http: aiohttp.ClientSession) -> list[dict[str, Any]]:
    async with http.get("/api/v1/alarms") as reply:
        assert reply.status == 200
        listed: list[dict[str, Any]] = (await reply.json())["alarms"]
        return listed
