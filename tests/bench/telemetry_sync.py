"""How far the head-up display is from the shown picture while the clocks of camera and autopilot are wrong.

`watch_wrong_clocks` flies the demo with WRONG_CLOCKS into the service as users start it, and watches it in
headless Chromium. The truth is the capture time burned into every picture, and the poses that the simulator
logged.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.live import DAY, sync_errors_of, until_live, watch
from tests.bench.truth import Truth
from tests.browser.harness import chromium, lagebild

WRONG_CLOCKS = (
    "--camera-clock-offset-ms=37000",
    "--camera-clock-drift-ppm=80",
    "--autopilot-clock-offset-ms=-10800000",
    "--autopilot-clock-drift-ppm=-60",
)
"""The camera 37 s ahead of time, the autopilot three hours behind, drifting apart."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a page showed: frames as the probe saw them, what was drawn over them, and the truth."""

    frames: list[dict[str, Any]]
    drawn: list[dict[str, Any]]
    truth: Truth

    def sync_errors_ms(self) -> list[float]:
        """How far in time the drawn telemetry is from the picture under it, while the aircraft moves."""
        return sync_errors_of(self.frames, self.drawn, self.truth, "sample")

    def untold_ms(self) -> list[float]:
        """By how much each picture is older than the page says, at the moment of showing it."""
        return [
            max(frame["nowMs"], frame["shownMs"]) - frame["strip"]["captureMs"] - frame["ageMs"]
            for frame in self.frames
            if frame["ageMs"] is not None
        ]


async def watch_wrong_clocks(watch_s: float) -> Watched:
    """Fly the demo with WRONG_CLOCKS and watch its daylight picture for so long."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "truth.jsonl"
        async with lagebild("demo", "--", "--truth", str(file), *WRONG_CLOCKS) as service:
            await until_live(service)
            async with chromium() as browser:
                url = f"{service.url.partition('?')[0]}?feed={DAY}"
                frames, drawn = await watch(browser, url, watch_s)
        return Watched(frames, drawn, Truth(file))
