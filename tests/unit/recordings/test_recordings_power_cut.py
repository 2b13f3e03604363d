"""A power cut: what was synced is there; of what was not, sizes without data, or pages in any order."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from threading import RLock

import pytest

from flow.clock import NS_PER_S
from flow.codec.tlog import read_tlog
from flow.errors import MalformedError
from recordings.folders import TLOG_FILE
from recordings.mending import mend_segment
from recordings.segment_file import read_index
from recordings.start_up import put_in_order
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.unit.recordings.tower import (
    FRITZ,
    film,
    flights,
    merged,
    raw,
    recorded,
    recording,
    same_pictures,
    sample,
    watched_disks,
)

__all__ = ["watched_disks"]
pytestmark = pytest.mark.usefixtures("watched_disks")

PAGE = 4096
Unsynced = Callable[[bytes], bytes]


class Platter:
    """What fsync and fdatasync were asked for: names of folders, contents of files (POSIX)."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._root, self._lock = root, RLock()
        self._named = {root}
        self._content: dict[int, bytes] = {}  # by inode
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._sync)

    def _sync(self, descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if not path.is_relative_to(self._root):  # of a disk that another test has left
            return
        with self._lock:
            if path.is_dir():
                self._named.update(path.iterdir())
            else:
                self._content[os.fstat(descriptor).st_ino] = path.read_bytes()

    def copy(self, to: Path, unsynced: Unsynced) -> None:
        """The folder as the next start finds it."""
        with self._lock:
            for path in self._named:
                above = path.relative_to(self._root).parents
                if not path.is_file() or any(self._root / folder not in self._named for folder in above):
                    continue
                synced, now = self._content.get(path.stat().st_ino, b""), path.read_bytes()
                copied = to / path.relative_to(self._root)
                copied.parent.mkdir(parents=True, exist_ok=True)
                copied.write_bytes(synced + unsynced(now[len(synced) :]))


def dropped(data: bytes) -> bytes:
    return b""


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


def torn(data: bytes) -> bytes:
    """Pages reach the disk in any order."""
    pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
    chance = random.Random(len(data))
    return b"".join(page if chance.random() < 0.5 else bytes(len(page)) for page in pages)


@pytest.mark.parametrize("unsynced", [dropped, zeroed, torn])
async def test_at_most_the_last_second_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unsynced: Unsynced
) -> None:
    cut_ns = START_NS + round(3.37 * NS_PER_S)
    day, autopilot = film(seconds=4.0, size=(160, 128)), FakeAircraft()
    beats = [raw(n / 5, autopilot.heartbeat(armed=True)) for n in range(20)]
    samples = [sample(n / 10, armed=True) for n in range(40)]
    flown = [item for item in merged(day, beats, samples) if item.utc_ns <= cut_ns]
    platter = Platter(tmp_path, monkeypatch)
    async with recording(tmp_path / "data") as tower:
        await tower.fly(*flown)
        platter.copy(tmp_path / "after", unsynced)
    root = tmp_path / "after" / "data"
    found = put_in_order(root, cut_ns + NS_PER_S, (FRITZ,))
    (folder,) = flights(root)
    assert found.cuts["fritz"].flight.id == folder.name
    kept = recorded(folder, "fritz-tag")
    assert same_pictures(kept, day[: len(kept)])
    assert cut_ns - kept[-1].utc_ns < NS_PER_S
    assert read_index(folder / "fritz-tag.0001.mp4").closed
    with (folder / TLOG_FILE).open("rb") as file:
        assert cut_ns - list(read_tlog(file))[-1][0] * 1000 < NS_PER_S


def test_zeros_before_what_is_written_are_no_empty_file(tmp_path: Path) -> None:
    torn = tmp_path / "fritz-tag.0001.mp4"
    torn.write_bytes(bytes(256 * 1024) + b"here is something")
    with pytest.raises(MalformedError):
        mend_segment(torn)
    assert torn.exists()
    torn.write_bytes(bytes(256 * 1024))
    assert mend_segment(torn).cut_bytes == 256 * 1024
    assert not torn.exists()
