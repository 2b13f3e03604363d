"""`lagebild flights …` beside a server that has the folder: it asks that server."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from flow.clock import NS_PER_S, SystemClock
from flow.errors import ConfigError
from flow.flights import Alarm
from flow.recording import StorageState, StorageStatus
from recordings.deletions import read_deletions
from recordings.flight_file import FlightFile, encoded
from recordings.folders import flight_folder, flight_id
from web.access.store import AccessStore
from web.cli import main
from web.service import running_service
from web.settings import AccessSettings, RecordingSettings, ServerSettings, Settings, WebRtcSettings

DAY_NS = 86_400 * NS_PER_S


def write_flight(root: Path, days_ago: float) -> str:
    ended_ns = time.time_ns() - round(days_ago * DAY_NS)
    flight = flight_id(ended_ns - 60 * NS_PER_S, "fritz")
    folder = flight_folder(root, flight)
    folder.mkdir(parents=True)
    file = FlightFile(flight, "fritz", "Fritz", (), ended_ns - 60 * NS_PER_S, ended_ns)
    (folder / "flight.json").write_bytes(encoded(file))
    return flight


@pytest.mark.parametrize("this_machine", [True, False], ids=["trusted", "known by its token"])
async def test_the_server_that_has_the_folder_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], this_machine: bool
) -> None:
    root = tmp_path / "data"
    old, young = write_flight(root, 20), write_flight(root, 10)
    config = tmp_path / "lagebild.toml"
    config.write_text("[server]\ndata_dir = 'data'\n")
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(root)),
        webrtc=WebRtcSettings(port=0),
        recording=RecordingSettings(reserve_mb=0),
        access=AccessSettings(this_machine=this_machine),
    )

    async def run(*arguments: str) -> tuple[int, str, str]:
        code = await asyncio.to_thread(main, ["flights", *arguments, "--config", str(config)])
        told = capsys.readouterr()
        return code, told.out, told.err

    async def listed() -> list[str]:
        code, told, _ = await run("list", "--json")
        return [flight["id"] for flight in json.loads(told)["flights"]] if code == 0 else []

    async with running_service(settings) as server:
        async with asyncio.timeout(30):  # it reads the folder after it listens
            while await listed() != [young, old]:
                pass
        assert await run("hold", old, "--reason", "Gericht", "--by", "Wolf") == (
            0,
            f"lagebild: {old} is kept until it is released\n",
            "",
        )
        code, _, told = await run("delete", old, "--reason", "weg", "--by", "Adam")
        assert (code, told) == (2, f"lagebild: flight {old} is held; release it first\n")
        assert (await run("release", old, "--by", "Wolf"))[0] == 0
        code, told, _ = await run("delete", old, "--reason", "doppelt", "--by", "Adam")
        assert (code, told) == (0, f"lagebild: {old} is deleted (person): 2 files, 0.0 MB\n")
        assert await listed() == [young]
        code, told, _ = await run("retention", "--dry-run")
        assert (code, told.split()[0], told.split()[-1]) == (0, young, "einsatz_days")
        code, _, told = await run("retention")
        assert (code, f"{server.url} has this folder, and deletes what is due every hour" in told) == (
            2,
            True,
        )
        code, _, told = await run("rebuild")
        assert (code, "another server has this folder: process" in told) == (2, True)
        with pytest.raises(ConfigError, match="another server has this folder"):
            async with running_service(settings):
                pass
        tokens = AccessStore(root, SystemClock())
        tokens.open()
        assert not tokens.book.tokens  # no command leaves one behind
        tokens.close()
    (deletion,) = read_deletions(root)
    assert (deletion.flight_id, deletion.by, deletion.reason) == (old, "Adam", "doppelt")
    assert await listed() == [young]  # now from the folder itself


async def test_pictures_are_shown_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(tmp_path / "file" / "data")),
        webrtc=WebRtcSettings(port=0),
    )
    async with running_service(settings) as server, asyncio.timeout(20):
        with server.bus.events(Alarm) as alarms:
            alarm = await alarms.__anext__()
        assert isinstance(alarm, Alarm)
        assert (alarm.code, alarm.active) == ("disk_failed", True)
        state = server.bus.peek(StorageState, "")
        assert state is not None
        assert state.status is StorageStatus.FAILED
