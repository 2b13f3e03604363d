"""A disk that fills up under six cameras: a small tmpfs, with the reserve and without any."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.prove.recorder_house import Service, flying
from tests.prove.recorder_reading import decoded, last_of_each_feed

SIZE_MB = 80
FULL_WITHIN_S = 90.0
STAYS_FULL_S = 4.0
_LOOK_EVERY_S = 0.25
_MIB = 1024 * 1024


@contextlib.asynccontextmanager
async def small_disk(parent: Path, size_mb: int = SIZE_MB) -> AsyncIterator[Path]:
    """A tmpfs of its own. Raises PermissionError where this machine does not allow it."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        raise PermissionError("mounting a tmpfs needs root")
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="small-disk-", dir=parent))
    try:
        complaint = await _run("mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder))
        if complaint is not None:
            raise PermissionError(f"a tmpfs cannot be mounted here: {complaint}")
        try:
            yield folder
        finally:
            await _run("umount", "-l", str(folder))
    finally:
        folder.rmdir()


async def _run(*command: str) -> str | None:
    """What it complains of, None where it has done it."""
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, complaint = await process.communicate()
    return complaint.decode(errors="replace").strip() if process.returncode else None


async def fill(parent: Path, reserve_mb: int) -> dict[str, Any]:
    """Record until nothing is added any more; what is there must play, then and after a kill -9."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="full-", dir=parent) as folder:
        async with small_disk(parent) as disk, flying() as load:
            service = Service(load, Path(folder), data_dir=disk / "data", reserve_mb=reserve_mb)
            await service.start()
            try:
                least_free, full = await _until_full(disk)
                stopped = last_of_each_feed(service.data_dir)
                faults = [] if full else ["it never stopped recording"]
                faults += [] if service.runs else [f"it ended by itself: {service.tail()}"]
                faults += await _unplayable(service.data_dir)
            finally:
                if service.runs:
                    await service.kill()
            await service.start()
            try:
                await asyncio.sleep(STAYS_FULL_S)
                faults += [] if service.runs else [f"it does not start on a full disk: {service.tail()}"]
                if service.runs:
                    await service.stop()
            finally:
                if service.runs:
                    await service.kill()
            faults += await _unplayable(service.data_dir)
            after = last_of_each_feed(service.data_dir)
            faults += [f"{feed}: shorter after the repair" for feed, one in stopped.items()
                       if feed not in after or after[feed].end_ns < one.end_ns]  # fmt: skip
            kept = least_free >= reserve_mb * _MIB
            faults += [] if kept else [f"{least_free / _MIB:.1f} MB were left of a reserve of {reserve_mb}"]
            return {
                "disk_mb": SIZE_MB,
                "reserve_mb": reserve_mb,
                "least_free_mb": round(least_free / _MIB, 1),
                "reserve_kept": kept,
                "faults": faults,
            }


async def _until_full(disk: Path) -> tuple[int, bool]:
    """(least free bytes seen, whether nothing has been written for a while though cameras send)."""
    least, seen, since = 1 << 62, -1, time.monotonic()
    until = since + FULL_WITHIN_S
    while time.monotonic() < until:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        least = min(least, free)
        if abs(free - seen) > 64 * 1024:
            seen, since = free, time.monotonic()
        elif least < SIZE_MB * _MIB // 2 and time.monotonic() - since > STAYS_FULL_S:
            return least, True
        await asyncio.sleep(_LOOK_EVERY_S)
    return least, False


async def _unplayable(root: Path) -> list[str]:
    faults: list[str] = []
    for known in last_of_each_feed(root).values():
        pictures, complaint = await decoded(known.path)
        if abs(pictures - known.pictures) > 1:
            faults.append(f"{known.path.name}: {pictures} of {known.pictures}: {complaint[:200]}")
    return faults
