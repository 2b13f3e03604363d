"""The thread that writes: in order, whole or not at all, bounded, and told when it fails."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from flow.errors import OverflowedError
from recordings.disk import Disk

SOON_S = 5.0


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    disk = Disk("test", limit_bytes=1000)
    yield disk
    await disk.aclose(SOON_S)


@pytest.fixture
def nearly_full() -> Iterator[int]:
    """No file of this process may grow beyond so many bytes: write(2) is cut short, then fails."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250, limits[1]))
    yield 250
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, before)


class Stall:
    """A disk that does not answer until it is let go; notes what is asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.reached, self._let_go = Event(), Event()
        for name in ("write", "fdatasync", "fsync"):
            monkeypatch.setattr(os, name, self._slow(name, getattr(os, name)))

    def _slow(self, name: str, original: Any) -> Any:
        def call(*arguments: Any) -> Any:
            self.asked.append(name)
            self.reached.set()
            self._let_go.wait(SOON_S)
            return original(*arguments)

        return call

    def let_go(self) -> None:
        self._let_go.set()


async def test_carries_out_in_order(disk: Disk, tmp_path: Path) -> None:
    folder = tmp_path / "flights" / "one"
    disk.make_folder(folder)
    disk.append(folder / "a", b"first ")
    disk.append(folder / "b", b"x")
    disk.append(folder / "a", b"second")
    disk.replace(folder / "flight.json", b"{}")
    disk.close(folder / "a")
    disk.append(folder / "a", b", and on")
    assert await disk.settled(SOON_S)
    assert (folder / "a").read_bytes() == b"first second, and on"
    assert (folder / "b").read_bytes() == b"x"
    assert (folder / "flight.json").read_bytes() == b"{}"
    assert disk.waiting_bytes == 0
    assert disk.trouble is None


async def test_appends_are_synced_together_and_before_what_tells_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = Stall(monkeypatch)
    disk = Disk("test")
    disk.append(tmp_path / "a", b"0")
    assert stall.reached.wait(SOON_S)
    for data in (b"1", b"2", b"3"):
        disk.append(tmp_path / "a", data)
    disk.replace(tmp_path / "flight.json", b"{}")
    stall.let_go()
    assert await disk.settled(SOON_S)
    assert await disk.aclose(SOON_S)
    assert (tmp_path / "a").read_bytes() == b"0123"
    first_sync = stall.asked.index("fdatasync")
    asked = [name for name in stall.asked[first_sync + 1 :] if name != "fsync"]
    assert asked[:4] == ["write", "write", "write", "fdatasync"]
    assert stall.asked[first_sync + 5] == "fsync"  # then the other file, by replace_file


async def test_a_stalled_disk_reaches_its_bound_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = Stall(monkeypatch)
    disk = Disk("test", limit_bytes=1000)
    disk.append(tmp_path / "a", bytes(600))
    assert stall.reached.wait(SOON_S)
    disk.append(tmp_path / "a", bytes(400))
    with pytest.raises(OverflowedError):
        disk.append(tmp_path / "a", b"1")
    assert disk.waiting_bytes == 1000
    assert not await disk.settled(0.01)
    stall.let_go()
    assert await disk.settled(SOON_S)
    disk.append(tmp_path / "a", bytes(10))
    assert await disk.aclose(SOON_S)
    assert (tmp_path / "a").stat().st_size == 1010


async def test_a_full_disk_keeps_whole_appends_only(disk: Disk, tmp_path: Path, nearly_full: int) -> None:
    path = tmp_path / "a"
    disk.append(path, b"a" * 200)
    assert await disk.settled(SOON_S)
    disk.append(path, b"b" * 200)  # of which 50 fit
    disk.append(path, b"c" * 10)  # would fit, and would leave a hole
    assert not await disk.settled(SOON_S)
    assert disk.trouble is not None
    assert disk.trouble.errno == errno.EFBIG
    assert path.read_bytes() == b"a" * 200
    disk.append(path, b"d")
    assert not await disk.settled(SOON_S)
    assert disk.waiting_bytes == 0
    disk.recovered()
    disk.append(path, b"e" * 10)
    assert await disk.settled(SOON_S)
    assert path.read_bytes() == b"a" * 200 + b"e" * 10


async def test_a_folder_that_is_removed_is_told(disk: Disk, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    disk.make_folder(folder)
    disk.append(folder / "a", b"1")
    assert await disk.settled(SOON_S)
    (folder / "a").unlink()
    folder.rmdir()
    disk.append(folder / "a", b"2")
    assert not await disk.settled(SOON_S)
    assert isinstance(disk.trouble, FileNotFoundError)
    disk.recovered()
    disk.make_folder(folder)
    disk.append(folder / "a", b"3")
    assert await disk.settled(SOON_S)
    assert (folder / "a").read_bytes() == b"3"


async def test_a_place_that_cannot_be_written_is_told(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "no folder").write_bytes(b"")
    disk.append(tmp_path / "no folder" / "a", b"1")
    assert not await disk.settled(SOON_S)
    assert isinstance(disk.trouble, NotADirectoryError)


async def test_links_are_not_followed(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"kept")
    (tmp_path / "a").symlink_to(tmp_path / "other")
    disk.append(tmp_path / "a", b"1")
    assert not await disk.settled(SOON_S)
    assert (tmp_path / "other").read_bytes() == b"kept"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_read_only_folder_is_told(disk: Disk, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    disk.append(tmp_path / "a", b"1")
    assert not await disk.settled(SOON_S)
    assert isinstance(disk.trouble, PermissionError)
    tmp_path.chmod(0o700)


async def test_every_folder_that_is_made_is_told_by_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("recordings.disk.sync_folder", synced.append)
    disk = Disk("test")
    disk.make_folder(tmp_path / "data" / "flights" / "one")
    disk.make_folder(tmp_path / "data" / "flights" / "two")
    assert await disk.aclose(SOON_S)
    data = tmp_path / "data"
    assert sorted(synced) == [tmp_path, data, data / "flights", data / "flights"]


async def test_at_the_end_all_is_written_before_more_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow disk there may be time for one sync only; what was written outlives the process."""
    stall = Stall(monkeypatch)
    disk = Disk("test")
    disk.append(tmp_path / "a", b"1")
    assert stall.reached.wait(SOON_S)
    for name in "bcd":
        disk.append(tmp_path / name, b"2")
        disk.close(tmp_path / name)
    ending = asyncio.create_task(disk.aclose(SOON_S))
    await asyncio.sleep(0)
    stall.let_go()
    assert await ending
    asked = [name for name in stall.asked if name != "fsync"]
    assert asked[:8] == ["write", *["write"] * 3, *["fdatasync"] * 4]


async def test_a_disk_that_hangs_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where what hangs carries no data."""
    stall = Stall(monkeypatch)
    disk = Disk("test")
    disk.make_folder(tmp_path / "one")
    assert stall.reached.wait(SOON_S)
    waits: list[float | None] = []
    monkeypatch.setattr(disk._thread, "join", waits.append)
    assert not await disk.aclose(0.01)
    assert waits == []
    stall.let_go()


async def test_a_slow_disk_is_seen_to_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two files of one batch, when nothing of it counts as written yet."""
    disk, sync = Disk("test"), os.fdatasync
    seen: list[tuple[int, int]] = []

    def watched(descriptor: int) -> None:
        seen.append((disk.steps, disk.written_bytes))
        sync(descriptor)

    stall = Stall(monkeypatch)
    disk.append(tmp_path / "a", b"1")
    assert stall.reached.wait(SOON_S)
    monkeypatch.setattr(os, "fdatasync", watched)
    disk.append(tmp_path / "b", b"2")
    disk.append(tmp_path / "c", b"3")
    stall.let_go()
    assert await disk.settled(SOON_S)
    assert seen == [(1, 0), (4, 1), (5, 1)]
    assert await disk.aclose(SOON_S)
