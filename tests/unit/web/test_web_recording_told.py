"""What pages and Prometheus are told of recordings."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from prometheus_client import CollectorRegistry, generate_latest

from flow.flights import Alarm
from flow.memory_bus import MemoryBus
from flow.recording import RecordingState, RecordingStatus, StorageState, StorageStatus
from flow.samples import TelemetrySample
from tests.fakes.clock import START_NS, FakeClock
from tests.unit.web.test_web_channel import OTTO, Studio
from web.alarms import AlarmBoard
from web.recording_metrics import RecordingCollector
from web.viewings import ViewingDesk

RECORDING = RecordingState(
    "otto", RecordingStatus.RECORDING, START_NS, "20261122t044900z-otto", START_NS, pictures=30,
    written_bytes=1000, lost=2,
)  # fmt: skip
ROOM = StorageState(StorageStatus.LOW, START_NS, 10_000, 20_000, 3.5, "full in 3.5 h")


async def test_pages_are_told_of_their_recording_and_of_the_room_for_it() -> None:
    studio = Studio()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(studio.channel.run())
        async with studio.page() as page:
            await studio.publish()
            assert page.kinds() == ["hello", "feeds"]
            await studio.publish(RECORDING, ROOM)
            heard = page.heard()
            assert [m["type"] for m in heard] == ["recording", "storage"]
            assert heard[0]["started_ms"] == heard[0]["since_ms"] == START_NS // 1000 / 1000
            assert (heard[0]["status"], heard[0]["lost"], heard[1]["hours_left"]) == ("recording", 2, 3.5)
            await studio.publish(TelemetrySample("otto", START_NS))
            await studio.publish(replace(RECORDING, pictures=31), replace(ROOM, free_bytes=9000))
            assert page.kinds() == ["telemetry"]  # that it grows is no news
            await studio.publish(TelemetrySample("otto", START_NS + 1))
            assert page.kinds() == ["telemetry", "recording", "storage"]  # it rides with the next sample
            await studio.publish(replace(RECORDING, lost=3), replace(ROOM, status=StorageStatus.FULL))
            assert page.kinds() == ["recording", "storage"]
            await studio.publish(replace(RECORDING, aircraft_id="fritz"))
            assert page.kinds() == []
        async with studio.page() as late:
            assert late.kinds() == ["hello", "feeds", "recording", "storage", "telemetry"]
        running.cancel()


async def test_an_alarm_of_the_installation_is_told_to_every_page() -> None:
    studio = Studio()
    board = AlarmBoard(studio.bus, (OTTO,), {"otto-tag": studio.channel})
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(board.run())
        async with studio.page() as page:
            await studio.publish(Alarm("a-1", "", START_NS, "disk_full", {"hours": "0"}))
            told = [m for m in page.heard() if m["type"] == "alarm"]
        running.cancel()
    assert [(m["aircraft_id"], m["aircraft_name"], m["code"]) for m in told] == [("", "", "disk_full")]
    assert [each.code for each in board.standing().alarms] == ["disk_full"]


def test_prometheus_is_told_what_is_recorded_and_how_long_the_disk_lasts() -> None:
    bus, registry = MemoryBus(), CollectorRegistry()
    registry.register(RecordingCollector(bus, (OTTO,), ViewingDesk(FakeClock(), None)))
    before = generate_latest(registry).decode()
    assert "lagebild_storage" not in before
    bus.publish(RECORDING)
    bus.publish(ROOM)
    lines = set(generate_latest(registry).decode().splitlines())
    assert lines >= {
        'lagebild_recording{aircraft="otto"} 1.0',
        'lagebild_recording_failed{aircraft="otto"} 0.0',
        'lagebild_recording_bytes_total{aircraft="otto"} 1000.0',
        'lagebild_recording_lost_pictures_total{aircraft="otto"} 2.0',
        'lagebild_storage_status{status="low"} 1.0',
        'lagebild_storage_status{status="ok"} 0.0',
        "lagebild_storage_free_bytes 10000.0",
        "lagebild_storage_hours_left 3.5",
    }
