"""A folder that cannot be written when the server starts is taken as soon as it can be."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flow.memory_bus import MemoryBus
from recordings.owner import claim, owner_of
from recordings.room import Recordings
from recordings.settings import RecordingsSettings
from tests.fakes.clock import FakeClock
from tests.unit.web.recorded_house import recorded_settings
from web.data_folder import DataFolder
from web.service import running_service


async def test_it_is_claimed_later_with_the_pages_address(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"")  # no folder: nothing can be made in it
    root = tmp_path / "disk" / "data"
    folder = DataFolder(root)
    folder.take()
    folder.tell("http://here")
    await folder.run()
    (tmp_path / "disk").unlink()
    await folder.run()
    owner = owner_of(root)
    assert owner is not None
    assert (owner.address, folder.is_anothers) == ("http://here", False)
    folder.release()
    assert owner_of(root) is None


async def test_what_another_server_took_meanwhile_is_not_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "disk").write_bytes(b"")
    root = tmp_path / "disk" / "data"
    folder = DataFolder(root)
    settings = RecordingsSettings(root)
    recordings = Recordings(MemoryBus(), FakeClock(), settings, lambda: folder.is_anothers)
    folder.take()
    assert recordings.refusal() == ""  # it is tried, whatever the lock says
    (tmp_path / "disk").unlink()
    with claim(root, "the other"):
        await folder.run()
        await folder.run()
        assert recordings.refusal() == "disk_failed"
    assert sum("the other" in record.message for record in caplog.records) == 1
    await folder.run()
    assert recordings.refusal() == ""
    folder.release()


async def test_a_service_goes_on_trying(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"")
    async with running_service(recorded_settings(tmp_path / "disk" / "data")) as service:
        (tmp_path / "disk").unlink()
        async with asyncio.timeout(60):
            while (owner := owner_of(tmp_path / "disk" / "data")) is None:
                await asyncio.sleep(0.05)
        assert owner.address in ("", service.url)
