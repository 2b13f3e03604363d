"""`make bench`: the live path as a commander sees it, on the demo aircraft, in headless Chromium.

The truth is the capture time burned into every picture (simulator/strip.py), read back from the browser's
canvas by tests/browser/probe.js, which knows nothing of the page's own reckoning. Browser, service and
simulator share one machine and so one clock. Without --quick it writes build/bench/live.json and
the table in docs/benchmarks.md. The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from tests.bench.figures import cpu_s, p50_p95, resident_mb, surroundings
from tests.bench.report import live_table, put_table
from tests.bench.truth import Truth, pose
from tests.browser.harness import RunningLagebild, Watched, chromium, lagebild, open_page

DAY, THERMAL = "fritz-tag", "fritz-waerme"
SETTLE_S = 2.0
HOUR_WRONG = """(() => {
  const shift = 3600e3, RealDate = Date, origin = performance.timeOrigin;
  window.Date = class extends RealDate {
    constructor(...a) { a.length ? super(...a) : super(RealDate.now() + shift); }
    static now() { return RealDate.now() + shift; }
  };
  Object.defineProperty(performance, "timeOrigin", { get: () => origin + shift });
})();"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each part takes."""

    watch_s: float
    joins: int
    cpu_s: float
    viewers: tuple[int, ...]


FULL = Plan(watch_s=30, joins=20, cpu_s=15, viewers=(0, 1, 5))
QUICK = Plan(watch_s=5, joins=5, cpu_s=3, viewers=(0, 5))


async def measure(plan: Plan) -> dict[str, Any]:
    figures: dict[str, Any] = {"date": time.strftime("%Y-%m-%d"), "surroundings": surroundings()}
    with tempfile.TemporaryDirectory() as folder:
        truth_file = Path(folder) / "truth.jsonl"
        async with lagebild("demo", "--", "--truth", str(truth_file)) as service:
            await until_live(service)
            url = service.url.partition("?")[0]
            figures["cpu"] = await measure_cpu(plan, service, url)
            async with chromium() as browser:
                one = f"{url}?feed={DAY}"
                frames, samples = await watch(browser, one, plan.watch_s)
                figures["age_ms"] = ages(frames)
                figures["badge_error_ms"] = badge_errors(frames)
                figures["pictures_per_s"] = round(
                    1000 * (len(frames) - 1) / (frames[-1]["t"] - frames[0]["t"]), 1
                )
                wrong, _ = await watch(browser, one, plan.watch_s / 2, HOUR_WRONG)
                figures["badge_error_hour_wrong_ms"] = badge_errors(wrong)
                figures["joins"] = await measure_joins(browser, url, plan.joins)
                truth = Truth(truth_file)
                figures["sync_ms"] = sync_errors(frames, samples, truth, "sample")
                figures["sync_first_drawn_ms"] = sync_errors(frames, samples, truth, "first_sample")
    return figures


async def until_live(service: RunningLagebild) -> None:
    """Until both feeds of the demo are there."""
    async with asyncio.timeout(30):
        while not any(f"feed {THERMAL}: live" in line for line in service.lines):
            await asyncio.sleep(0.1)


async def watch(
    browser: Browser, url: str, seconds: float, *scripts: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Frames as the probe saw them, and the page's own record of what it drew over them."""
    async with open_page(browser, url, scripts=scripts) as page:
        await page.until(f"window.lagebild?.feed('{DAY}')?.state === 'live'")
        await asyncio.sleep(SETTLE_S)
        await page.frames()
        drawn: dict[float, dict[str, Any]] = {}
        for _ in range(max(1, round(seconds / 2.5))):
            await asyncio.sleep(2.5)
            for record in await page.page.evaluate(f"() => window.lagebild.frames('{DAY}')"):
                drawn[record["rtp_timestamp"]] = record
        frames = [f for f in await page.frames() if f["feed"] == DAY and f["strip"]]
        return frames, list(drawn.values())


def ages(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """From the capture to the moment the browser says the picture is on the screen."""
    return p50_p95([f["shownMs"] - f["strip"]["captureMs"] for f in frames])


def badge_errors(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """The age that the badge counts against the true one, at the same moment: when the picture is shown."""
    believed = [f for f in frames if f["ageMs"] is not None]
    return p50_p95(
        [abs(f["ageMs"] - (max(f["nowMs"], f["shownMs"]) - f["strip"]["captureMs"])) for f in believed]
    )


def sync_errors(
    frames: list[dict[str, Any]], drawn: list[dict[str, Any]], truth: Truth, which: str
) -> dict[str, Any]:
    """How far in time the drawn telemetry is from the picture under it."""
    return p50_p95(sync_errors_of(frames, drawn, truth, which))


def sync_errors_of(
    frames: list[dict[str, Any]], drawn: list[dict[str, Any]], truth: Truth, which: str
) -> list[float]:
    """Each error in ms, one for a picture.

    `which` is `first_sample`, drawn with the picture, or `sample`, as corrected when the telemetry of that
    very instant came after it.

    Found from content, not from stamps: the moment at which the truth was where the head-up display said,
    against the capture time burned into that picture; while the aircraft moves.
    """
    captured = {f["rtp"]: f["strip"]["captureMs"] for f in frames}
    errors: list[float] = []
    for record in drawn:
        at, sample = captured.get(record["rtp_timestamp"]), record[which]
        if at is None or sample is None or not truth.moving(at):
            continue
        found = truth.when(pose(at, sample))
        if found is not None:
            errors.append(abs(found - at))
    return errors


async def measure_joins(browser: Browser, url: str, count: int) -> dict[str, Any]:
    """From the click on a feed to its first displayed picture, and to the first not older than 500 ms."""
    dice = random.Random(1)
    first: list[float] = []
    fresh: list[float] = []
    async with open_page(browser, f"{url}?feed={THERMAL}") as page:
        await page.until(f"window.lagebild?.feed('{THERMAL}')?.state === 'live'")
        feed = DAY
        for _ in range(count):
            await asyncio.sleep(dice.uniform(1.0, 3.0))  # any moment of a 2 s group
            joined = await _join(page, feed)
            first.append(joined[0])
            fresh.append(joined[1])
            feed = THERMAL if feed == DAY else DAY
    return {"first_picture_ms": p50_p95(first), "age_500_ms": p50_p95(fresh)}


async def _join(page: Watched, feed: str) -> tuple[float, float]:
    clicked: float = await page.page.evaluate(
        """(feed) => { window.__probe.take(); const t = window.__probe.nowMs();
           document.querySelector(`.picker [data-feed="${feed}"] button`).click(); return t; }""",
        feed,
    )
    first = fresh = 0.0
    async with asyncio.timeout(20):
        while not fresh:
            await asyncio.sleep(0.05)
            for frame in await page.frames():
                if frame["feed"] != feed or not frame["strip"]:
                    continue
                first = first or frame["shownMs"] - clicked
                if frame["shownMs"] - frame["strip"]["captureMs"] <= 500:
                    fresh = fresh or frame["shownMs"] - clicked
    return first, fresh


async def measure_cpu(plan: Plan, service: RunningLagebild, url: str) -> dict[str, Any]:
    """CPU seconds a second of the service's process with cheap viewers (tests/bench/receivers.py)."""
    figures: dict[str, Any] = {}
    for viewers in plan.viewers:
        receivers = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.receivers", url, DAY, str(viewers),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert receivers.stdout is not None
        assert receivers.stdin is not None
        if b"joined" not in await receivers.stdout.readline():
            raise RuntimeError("the bench's receivers did not join")
        await asyncio.sleep(1)
        before, began = cpu_s(service.pid), time.monotonic()
        await asyncio.sleep(plan.cpu_s)
        used = (cpu_s(service.pid) - before) / (time.monotonic() - began)
        figures[str(viewers)] = {"cpu_s_per_s": round(used, 4), "resident_mb": resident_mb(service.pid)}
        receivers.stdin.close()
        await receivers.wait()
    return figures


def summary(figures: dict[str, Any]) -> dict[str, Any]:
    """The one line for the record; null where nothing was measured."""
    cpu = figures["cpu"]
    return {
        "age_p95_ms": figures["age_ms"]["p95"],
        "badge_error_p95_ms": figures["badge_error_ms"]["p95"],
        "badge_error_hour_wrong_p95_ms": figures["badge_error_hour_wrong_ms"]["p95"],
        "first_frame_p95_ms": figures["joins"]["first_picture_ms"]["p95"],
        "age_500_p95_ms": figures["joins"]["age_500_ms"]["p95"],
        "sync_p95_ms": figures["sync_ms"]["p95"],
        "cpu_s_per_s_0": cpu.get("0", {}).get("cpu_s_per_s"),
        "cpu_s_per_s_1": cpu.get("1", {}).get("cpu_s_per_s"),
        "cpu_s_per_s_5": cpu.get("5", {}).get("cpu_s_per_s"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 50 s")
    plan = QUICK if parser.parse_args().quick else FULL
    figures = asyncio.run(measure(plan))
    if plan is FULL:
        Path("build/bench").mkdir(parents=True, exist_ok=True)
        Path("build/bench/live.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        put_table("live", live_table(figures))
    print(json.dumps(figures, indent=2), file=sys.stderr)
    print(json.dumps(summary(figures)))


if __name__ == "__main__":
    main()
