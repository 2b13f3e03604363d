"""A camera's own clock, told by its sender reports and trusted: GStreamer's RTSP server, by UDP and TCP."""

from __future__ import annotations

import subprocess
from contextlib import AsyncExitStack
from itertools import pairwise
from statistics import median

import pytest

from flow.clock import NS_PER_MS, SystemClock
from flow.units import AccessUnit, UtcOrigin
from ingest.settings import FeedSource

from .ingest_rig import FFMPEG, running
from .test_ingest_rtsp import CODECS, serving

PICTURES = 180
AGE_MS = (-5, 50)
"""How old a picture may say it is: the server's clock is ours, and it sends what it has at once."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Six seconds of each codec: the first reports come after one to three."""
    made = {}
    for codec, options in CODECS.items():
        made[codec] = str(tmp_path_factory.mktemp("clock") / f"{codec}.mp4")
        source = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=30:duration={PICTURES / 30}"]
        command = [FFMPEG, "-nostdin", "-loglevel", "error", *source, *options, "-pix_fmt", "yuv420p"]
        subprocess.run([*command, made[codec]], check=True, timeout=60)
    return made


async def test_capture_times_are_those_of_the_camera(clips: dict[str, str]) -> None:
    clock, seen = SystemClock(), dict[str, list[tuple[AccessUnit, int]]]()
    async with AsyncExitStack() as stack:
        sources = []
        for codec, clip in clips.items():
            for transport in ("udp", "tcp"):
                at = await stack.enter_async_context(serving(clip, codec))
                feed_id, url = f"{codec}-{transport}", f"rtsp://127.0.0.1:{at}/main"
                sources.append(FeedSource(feed_id, url, trust_clock=True, transport=transport))
                seen[feed_id] = []
        rig = await stack.enter_async_context(running(*sources))
        publish = rig._bus.publish

        def noted(message: object) -> None:
            if isinstance(message, AccessUnit):
                seen[message.feed_id].append((message, clock.now_ns()))
            publish(message)  # type: ignore[arg-type]

        rig._bus.publish = noted  # type: ignore[method-assign,assignment]
        for source in sources:
            await rig.until_pictures(source.feed_id, PICTURES - 5)
            assert "clock_refused" not in rig.state(source.feed_id).notes
    for feed_id, units in seen.items():
        trusted = [(unit, now_ns) for unit, now_ns in units if unit.utc_origin is UtcOrigin.SOURCE]
        assert len(trusted) >= PICTURES // 3, feed_id
        ages_ms = sorted((now_ns - unit.utc_ns) / NS_PER_MS for unit, now_ns in trusted)
        assert AGE_MS[0] <= ages_ms[0], (feed_id, ages_ms[:5])
        assert median(ages_ms) <= AGE_MS[1], (feed_id, ages_ms[-5:])
        steps_ms = [
            (after.utc_ns - before.utc_ns) / NS_PER_MS for (before, _), (after, _) in pairwise(trusted)
        ]
        assert 33 <= median(steps_ms) <= 34, (feed_id, steps_ms)
