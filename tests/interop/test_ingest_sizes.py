"""The least and the largest picture, not only said by parameter sets: decoded, scaled, encoded, seen."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from flow.clock import NS_PER_S, SystemClock
from flow.codec.annexb import split_nal_units
from flow.codec.parameter_sets import config_of
from flow.doors import Still
from flow.errors import UnavailableError
from flow.flights import Feed, PictureHealth, RenditionState, RenditionStatus, RenditionWanted, SourceState
from flow.memory_bus import MemoryBus
from flow.units import AccessUnit, Rendition
from ingest import decoding
from ingest.settings import EncodeSettings, FeedSource, IngestSettings
from ingest.supervisor import Ingest
from tests.unit.ingest.renditions import decoded_frames

from .ingest_rig import FFMPEG

DEADLINE_S = 60.0
FEED = "fritz-tag"
MADE = (Rendition.WEB, Rendition.LOW)
MEMORY_MOST_BYTES = 900 * 1024**2
"""Of each process. A decoded picture of 8K in 4:2:2 has 66 MB, and a decoder keeps several."""


def clip(path: Path, size: tuple[int, int]) -> Path:
    """Two pictures in 4:2:2, which browsers do not show, in a second."""
    source = f"testsrc2=size={size[0]}x{size[1]}:rate=2"
    made = ["-frames:v", "2", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p", "-g", "1"]
    command = [FFMPEG, "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, *made, str(path)]
    subprocess.run(command, check=True, timeout=60)
    return path


class House:
    """One feed in the real ingest, on the real clock."""

    def __init__(self, path: Path) -> None:
        self.bus, self.clock = MemoryBus(), SystemClock()
        self.units = self.bus.lossless(AccessUnit)
        self.made: dict[Rendition, list[AccessUnit]] = {rendition: [] for rendition in MADE}
        self.largest_bytes: dict[str, int] = {}
        settings = IngestSettings(
            (FeedSource(FEED, f"file:{path}", loop=True),),
            encode=EncodeSettings(preset="ultrafast"),
            cameras=(Feed(FEED, "fritz", "Tageslicht"),),
            health=True,
        )
        self.ingest = Ingest(self.bus, self.clock, settings)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while not condition():
            assert loop.time() < deadline, f"not within {DEADLINE_S} s: {what}"
            self._look()
            await asyncio.sleep(0.05)

    def _look(self) -> None:
        for rendition in MADE:
            self.bus.publish(RenditionWanted(FEED, rendition, self.clock.now_ns() + 4 * NS_PER_S))
        for unit in self.units.drain():
            if unit.rendition in self.made:
                self.made[unit.rendition].append(unit)
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                self._measure(pid)

    def _measure(self, pid: str) -> None:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
        if peak:
            self.largest_bytes[pid] = 1024 * int(peak[0])

    async def still(self) -> Still:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    return await self.ingest.still(FEED)
                except UnavailableError:  # no picture yet, or a machine that is busy with all this
                    self._look()
                    await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("size", "web", "low"),
    [((16, 16), (16, 16), (16, 16)), ((7680, 4320), (1920, 1080), (640, 360))],
    ids=["16x16", "8K"],
)
async def test_it_is_made_into_everything_with_bounded_memory(
    size: tuple[int, int],
    web: tuple[int, int],
    low: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "SETTLED_NS", 0)
    house = House(clip(tmp_path / "clip.mp4", size))
    running = asyncio.ensure_future(house.ingest.run())
    try:
        await house.until(lambda: all(len(house.made[each]) >= 2 for each in MADE), "both renditions")
        still = await house.still()
        await house.until(lambda: house.bus.peek(PictureHealth, FEED), "health")
        state, health = house.bus.peek(SourceState, FEED), house.bus.peek(PictureHealth, FEED)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await house.bus.aclose()
    assert state is not None
    assert state.config is not None
    assert (state.config.width_px, state.config.height_px) == size
    assert [size_of(house.made[each]) for each in MADE] == [web, low]
    assert (still.width_px, still.height_px) == size
    seen = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    assert seen is not None
    assert seen.shape == (size[1] // 8, size[0] // 8)
    assert health is not None
    assert health.luma == pytest.approx(seen.mean(), abs=25)
    assert len(house.largest_bytes) >= 3
    assert max(house.largest_bytes.values()) < MEMORY_MOST_BYTES, house.largest_bytes


def size_of(units: list[AccessUnit]) -> tuple[int, int]:
    """As said and as decoded."""
    config = config_of(units[0].codec, split_nal_units(units[0].data))
    assert config is not None
    assert config.plays_in_browsers
    (size,) = {(frame.width, frame.height) for frame in decoded_frames(units)}
    assert (config.width_px, config.height_px) == size
    return size


async def test_what_is_larger_than_8k_is_refused_in_words(tmp_path: Path) -> None:
    """The source itself goes on: who can decode it gets it."""
    house = House(clip(tmp_path / "clip.mp4", (8448, 4608)))
    running = asyncio.ensure_future(house.ingest.run())

    def web() -> RenditionState | None:
        return house.bus.peek(RenditionState, f"{FEED}/{Rendition.WEB}")

    try:
        await house.until(lambda: (state := web()) and state.reason == "undecodable", "the refusal")
        state = web()
        assert state is not None
        assert state.status is RenditionStatus.STARTING
        assert "8448x4608" in state.detail
        with pytest.raises(UnavailableError, match="8448x4608"):
            await house.ingest.still(FEED)
    finally:
        running.cancel()
        await asyncio.wait([running])
        await house.bus.aclose()
    assert house.made == {rendition: [] for rendition in MADE}
