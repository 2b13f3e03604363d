"""Pixel to ground through the whole house: the simulator as a process of its own, RTP and MAVLink by UDP."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from simulator import place
from simulator.camera import DAY_HFOV_DEG, THERMAL_HFOV_DEG, Lens, View
from telemetry.protocol.earth import Plane
from tests.bench.figures import percentile
from web.publishers import DEMO_AIRCRAFT, DEMO_HFOV_DEG, DEMO_THERMAL_HFOV_DEG, fly_demo
from web.service import running_service
from web.settings import RecordingSettings, ServerSettings, Settings, WebRtcSettings

LENS = Lens(320, 192, DAY_HFOV_DEG)
POINTS = ((0.5, 0.5), (0.1, 0.9), (0.8, 0.4))
PICTURES = 12


def test_the_demo_knows_its_lenses() -> None:
    assert (DEMO_HFOV_DEG, DEMO_THERMAL_HFOV_DEG) == (DAY_HFOV_DEG, THERMAL_HFOV_DEG)


async def test_a_click_finds_what_the_simulated_camera_sees(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(tmp_path)),
        webrtc=WebRtcSettings(port=0),
        recording=RecordingSettings(enabled=False),
        aircraft=(DEMO_AIRCRAFT,),
    )
    flight = ["--fps", "10", "--size", "320x192", "--truth", str(truth)]
    off_m: list[float] = []
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        flying = asyncio.create_task(fly_demo(service, flight))
        try:
            async with asyncio.timeout(60):
                for row in await pictures(truth):
                    for x, y in POINTS:
                        off_m.append(await distance_m(http, row, x, y))
        finally:
            flying.cancel()
            await asyncio.gather(flying, return_exceptions=True)
    # Without noise: what is left is how late the operating system woke whoever stamped the telemetry.
    assert (percentile(off_m, 0.5, 3) or 0.0) < 0.2
    assert (percentile(off_m, 0.95, 3) or 0.0) < 1.0


async def pictures(truth: Path) -> list[dict[str, Any]]:
    """What pictures of the daylight camera truly show, once there are enough; not the newest: their telemetry
    may still be on its way."""
    while True:
        text = truth.read_text(encoding="utf-8") if truth.exists() else ""
        rows = [json.loads(line) for line in text.splitlines()[:-1] if '"feed": "day"' in line]
        if len(rows) >= PICTURES + 15:
            return rows[-PICTURES - 5 : -5]
        await asyncio.sleep(0.2)


async def distance_m(http: aiohttp.ClientSession, row: dict[str, Any], x: float, y: float) -> float:
    position = row["x_m"], row["y_m"], row["height_m"] * place.SCALE
    view = View(LENS, position, row["gimbal_grid_bearing_deg"], row["gimbal_pitch_deg"])
    pixel = np.array([x * LENS.width_px - 0.5, y * LENS.height_px - 0.5, 1.0])
    east, north, scale = view.pixel_to_ground @ pixel
    there = place.to_fix(float(east / scale), float(north / scale))
    question = {"x": x, "y": y, "utc_ms": row["utc_ms"]}
    async with http.post("/api/v1/feeds/fritz-tag/ground", json=question) as reply:
        said = await reply.json()
        assert reply.status == 200, said
    return math.hypot(*Plane(there.lat_deg, there.lon_deg).offset(said["lat_deg"], said["lon_deg"]))
