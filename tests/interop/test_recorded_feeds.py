"""Recorded flights through the whole ingest and the recorder: what lies there is what was on the bus."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from flow.clock import SystemClock
from flow.flights import Aircraft, Feed
from ingest.settings import FeedSource
from recordings.folders import flights_folder, segments_in
from recordings.recorder import Recorder
from recordings.settings import RecordingsSettings
from tests.interop.ingest_rig import running
from tests.unit.recordings.tower import recorded, same_pictures

pytestmark = pytest.mark.feeds

CLIPS = {
    "live": "derived/seashore_h264_720p30_live.mp4",
    "karma": "video/aerial_karma_h264_480p_gpmf.mp4",
    "seashore": "video/aerial_seashore_h264_720p.ts",
    "skatepark": "video/aerial_skatepark_h264_portrait720x1280.ts",
    "fort": "video/fmv_aphill_h264_480i_klv0104.ts",
    "hevc": "derived/seashore_hevc_720p_nobf.ts",
    "street": "video/street_h265_1376x1840.mp4",
}
PICTURES = 45


def decoded(path: Path) -> int:
    """How many pictures ffmpeg decodes; it must find nothing to complain of."""
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg is not None, "ffmpeg is not installed; `make setup-test` does that"
    command = [ffmpeg, "-v", "error", "-i", str(path), "-f", "null", "-fps_mode", "passthrough"]
    done = subprocess.run(
        [*command, "-progress", "-", "-"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return int(done.stdout.rpartition("frame=")[2].split()[0])


async def test_real_feeds_are_recorded_as_they_were_on_the_bus(feeds: Path, tmp_path: Path) -> None:
    aircraft = Aircraft("fritz", "Fritz", tuple(Feed(feed_id, "fritz", feed_id) for feed_id in CLIPS))
    sources = [FeedSource(feed_id, f"file:{feeds / clip}") for feed_id, clip in CLIPS.items()]
    async with running(*sources) as rig:
        settings = RecordingsSettings(tmp_path, (aircraft,))
        recorder = Recorder(rig._bus, SystemClock(), settings, lambda: "", lambda flight: None)
        task = asyncio.ensure_future(recorder.run())
        for feed_id in CLIPS:
            await rig.until_pictures(feed_id, PICTURES)
    task.cancel()  # the bus is closed by now, and all that was on it is read
    await asyncio.wait([task])
    (folder,) = flights_folder(tmp_path).iterdir()
    for feed_id in CLIPS:
        published = rig.units(feed_id)
        assert len(published) >= PICTURES
        assert same_pictures(recorded(folder, feed_id), published), feed_id
    paths = [path for _, _, path in segments_in(folder)]
    assert len(paths) == len(CLIPS)
    counts = await asyncio.gather(*(asyncio.to_thread(decoded, path) for path in paths[:2]))
    assert min(counts) >= PICTURES - 2
