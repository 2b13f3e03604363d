"""What the recorder writes, opened by the programs that people open it with."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from recordings.folders import TLOG_FILE, segments_in
from tests.fakes.aircraft import FakeAircraft
from tests.interop.ground_station import MAVPROXY
from tests.unit.recordings.tower import film, flights, merged, raw, recording

MAVLOGDUMP = MAVPROXY.with_name("mavlogdump.py")  # of the pymavlink that MAVProxy came with
LAT_DEG, LON_DEG = 49.4431207, 7.7726542


async def flown(root: Path) -> Path:
    """The folder of a recorded flight: four seconds of pictures and telemetry."""
    autopilot = FakeAircraft()
    beats = [raw(n * 0.5, autopilot.heartbeat(armed=True)) for n in range(8)]
    places = [
        raw(n / 10, autopilot.position(10_000 + n * 100, LAT_DEG, LON_DEG, home=84.0)) for n in range(40)
    ]
    async with recording(root) as tower:
        await tower.fly(*merged(beats, places, film(seconds=4.0)))
    [folder] = flights(root)
    return folder


async def output_of(*command: str) -> bytes:
    """What it prints; it must end well and complain of nothing."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    told, complaint = await process.communicate()
    assert (process.returncode, complaint) == (0, b"")
    return told


async def test_the_log_tools_beside_mavproxy_open_the_tlog(tmp_path: Path) -> None:
    """MAVProxy's own prompt plays no .tlog, whoever wrote it: it looks for the port of what is a file."""
    if not MAVLOGDUMP.exists():
        pytest.skip("MAVProxy is not set up: scripts/setup test")
    log = await flown(tmp_path) / TLOG_FILE
    told = await output_of(str(MAVLOGDUMP), "--types", "GLOBAL_POSITION_INT", "--format", "json", str(log))
    places = [json.loads(line)["data"] for line in told.splitlines()]
    assert len(places) == 40
    assert {(p["lat"], p["lon"]) for p in places} == {(round(LAT_DEG * 1e7), round(LON_DEG * 1e7))}


async def test_ffprobe_counts_every_picture_of_the_mp4(tmp_path: Path) -> None:
    folder = await flown(tmp_path)
    [(_, _, path)] = [each for each in segments_in(folder) if each[0] == "fritz-tag"]
    told = await output_of(
        "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0",
        "-show_entries", "stream=codec_name,nb_read_frames", "-of", "json", str(path),
    )  # fmt: skip
    [stream] = json.loads(told)["streams"]
    assert (stream["codec_name"], stream["nb_read_frames"]) == ("h264", "120")
