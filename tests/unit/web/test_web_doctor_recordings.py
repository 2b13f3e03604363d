"""`lagebild doctor` on the data folder: hours of room, and whose it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from recordings.disk_space import StatVfs
from recordings.owner import claim
from tests.fakes.disk import FakeDisk
from web.doctor_recordings import check_recordings
from web.doctor_report import Finding, Level
from web.settings import AircraftSettings, FeedSettings, RecordingSettings, ServerSettings, Settings

FEEDS = AircraftSettings(id="fritz", feed=(FeedSettings("tag", "rtmp"), FeedSettings("waerme", "rtmp")))


def check(
    root: Path, recording: RecordingSettings | None = None, statvfs: StatVfs = os.statvfs
) -> list[Finding]:
    settings = Settings(
        server=ServerSettings(data_dir=str(root)),
        recording=recording or RecordingSettings(reserve_mb=0, warn_hours=0.0),
        aircraft=(FEEDS,),
    )
    return list(check_recordings(settings, statvfs))


def test_room_is_told_in_hours_of_all_feeds(tmp_path: Path) -> None:
    disk = FakeDisk(10**12, 72 * 10**9 + 1024**3)
    recording = RecordingSettings(reserve_mb=1024, warn_hours=12.0)
    (finding,) = check(tmp_path / "not" / "made" / "yet", recording, disk.statvfs)
    assert finding.level is Level.OK
    assert finding.what == ("room for 20 h of recording (2 feeds of 4 Mbit/s), above the reserve of 1024 MB")
    (finding,) = check(tmp_path, replace(recording, warn_hours=21.0), disk.statvfs)
    assert finding.level is Level.WARN
    disk.free_bytes = 0
    (finding,) = check(tmp_path, recording, disk.statvfs)
    assert (finding.level, finding.what[:12]) == (Level.WARN, "room for 0 h")
    disk.trouble = OSError(5, "Input/output error")
    (finding,) = check(tmp_path, recording, disk.statvfs)
    assert (finding.level, "Input/output error" in finding.what) == (Level.FAIL, True)


def test_whoever_has_the_folder_is_named(tmp_path: Path) -> None:
    assert len(check(tmp_path)) == 1
    with claim(tmp_path, "lagebild serve") as held:
        held.tell("http://127.0.0.1:8080/")
        finding, _ = check(tmp_path)
    assert finding.level is Level.WARN
    assert f"a server has {tmp_path}: process {os.getpid()} (lagebild serve)" in finding.what
    assert finding.what.endswith("http://127.0.0.1:8080/")
    assert len(check(tmp_path)) == 1


def test_recording_that_is_off_and_a_folder_that_is_none(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, RecordingSettings(enabled=False))
    assert "not recorded" in finding.what
    (tmp_path / "file").touch()
    finding, *_ = check(tmp_path / "file")
    assert (finding.level, "Not a directory" in finding.what) == (Level.FAIL, True)
