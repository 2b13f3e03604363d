"""Whether there is room for recordings, and whose the data folder is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from flow.errors import ConfigError
from recordings.disk_space import StatVfs, space_of
from recordings.owner import owner_of
from recordings.protocol.storage import FEED_BYTES_S

from .doctor_report import Finding, fail, ok, warn
from .settings import Settings


def check_recordings(settings: Settings, statvfs: StatVfs = os.statvfs) -> Iterator[Finding]:
    """Takes and changes nothing."""
    root = Path(settings.server.data_dir).absolute()
    try:
        owner = owner_of(root)
    except ConfigError as error:
        yield fail("disk", str(error), "run the doctor as the user who runs the service")
    else:
        if owner is not None:
            todo = "stop it before you start another with this folder"
            yield warn("disk", f"a server has {root}: {owner}", todo)
    if not settings.recording.enabled:
        yield warn("disk", "flights are not recorded", "set [recording] enabled = true, if they should be")
        return
    feeds = sum(len(aircraft.feed) for aircraft in settings.aircraft)
    if feeds:
        yield from _check_room(settings, root, feeds, statvfs)


def _check_room(settings: Settings, root: Path, feeds: int, statvfs: StatVfs) -> Iterator[Finding]:
    reserve_bytes = settings.recording.reserve_mb * 1024**2
    folder = next(each for each in (root, *root.parents) if each.exists())
    try:
        room_bytes = max(0, space_of(folder, statvfs).free_bytes - reserve_bytes)
    except OSError as error:
        yield fail("disk", f"{folder} cannot be asked for its room: {error.strerror}", "check the disk")
        return
    hours = room_bytes / (feeds * FEED_BYTES_S) / 3600
    text = (
        f"room for {hours:.0f} h of recording ({feeds} feeds of 4 Mbit/s), above the reserve of "
        f"{settings.recording.reserve_mb} MB"
    )
    if hours < settings.recording.warn_hours:
        yield warn("disk", text, "make room: flights will be deleted before their days are over")
    else:
        yield ok("disk", text)
