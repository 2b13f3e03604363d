"""Recorded flights in the browser, as a tester replays them: real feeds, and made ones for a bare clone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from pymavlink import mavutil

from flow.codec.tlog import write_record
from tests.browser.harness import Watched, lagebild, open_page
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clips import Clips

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(180)]

ROUNDING_DEG = 0.501e-6
LIVE = "window.lagebild?.feed('replay')?.state === 'live'"


@asynccontextmanager
async def replayed(browser: Browser, *arguments: str | Path) -> AsyncIterator[Watched]:
    async with lagebild("replay", *map(str, arguments), "--loop") as service:
        async with open_page(browser, service.url) as page:
            yield page


def positions(tlog: Path) -> set[tuple[float, float]]:
    """Every position of the log, as an independent reader tells them.

    The receiver's own (GPS_RAW_INT) are shown until the autopilot's first (GLOBAL_POSITION_INT) has come.
    """
    log: Any = mavutil.mavlink_connection(str(tlog))
    found: set[tuple[float, float]] = set()
    while (message := log.recv_match(type=["GLOBAL_POSITION_INT", "GPS_RAW_INT"])) is not None:
        found.add((message.lat / 1e7, message.lon / 1e7))
    log.close()
    return found


async def shown_position(page: Watched) -> tuple[float, float]:
    field = page.page.locator('[data-position="degrees"]')
    await expect(field).not_to_have_value("--", timeout=30_000)
    lat, lon = (await field.input_value()).split(",")
    return float(lat), float(lon)


def is_among(shown: tuple[float, float], logged: set[tuple[float, float]]) -> bool:
    """Whether one of the logged places is the shown one, within the rounding to six decimals."""
    return any(
        abs(lat - shown[0]) < ROUNDING_DEG and abs(lon - shown[1]) < ROUNDING_DEG for lat, lon in logged
    )


def made_tlog(path: Path) -> Path:
    """A minute of straight flight, ten positions a second."""
    aircraft = FakeAircraft()
    records = []
    for tenth in range(600):
        boot_ms = 5000 + 100 * tenth
        lat = 49.4 + tenth * 1e-5
        messages = [aircraft.attitude(boot_ms), aircraft.position(boot_ms, lat, 7.7)]
        messages += [aircraft.heartbeat(armed=True), aircraft.gps(fix=3)] if tenth % 10 == 0 else []
        records += [write_record(1_700_000_000_000_000 + 100_000 * tenth, m) for m in messages]
    path.write_bytes(b"".join(records))
    return path


async def test_a_made_flight_shows_its_pictures_and_its_positions(browser: Browser, tmp_path: Path) -> None:
    video, tlog = Clips(tmp_path).make("h264 baseline", "mp4"), made_tlog(tmp_path / "made.tlog")
    async with replayed(browser, "--video", video, "--telemetry", tlog) as page:
        await page.until(LIVE, 30)
        assert is_among(await shown_position(page), positions(tlog))
        assert page.complaints == []


@pytest.mark.feeds
@pytest.mark.parametrize(
    ("video", "telemetry", "offset_ms"),
    [
        # The copter's log begins with a minute and more without a fix.
        ("derived/seashore_h264_720p30_live.mp4", "copter_real_cmac_2015.tlog", "-600000"),
        ("video/aerial_karma_h264_480p_gpmf.mp4", "plane_real_cuav_2016_multilink.tlog", "0"),
    ],
)
async def test_a_real_flight_is_where_its_log_says(
    browser: Browser, feeds: Path, video: str, telemetry: str, offset_ms: str
) -> None:
    tlog = feeds / "telemetry" / telemetry
    arguments = ("--video", feeds / video, "--telemetry", tlog, "--telemetry-offset", offset_ms)
    async with replayed(browser, *arguments) as page:
        await page.until(LIVE, 30)
        assert is_among(await shown_position(page), positions(tlog))
        await page.until("window.lagebild.feed('replay').sample?.roll_deg != null")
        assert page.complaints == []
        assert page.strangers == []


@pytest.mark.feeds
async def test_a_raw_stream_and_raw_mavlink_fly_too(browser: Browser, feeds: Path) -> None:
    video = feeds / "video/tello_indoor_h264_960x720.h264"
    telemetry = feeds / "telemetry/plane_real_cuav_2018_notimestamps.mavlink"
    # The log has a gap of 27 s after its first seconds.
    async with replayed(
        browser, "--video", video, "--telemetry", telemetry, "--telemetry-offset", "-31000"
    ) as page:
        await page.until(LIVE, 30)
        lat, lon = await shown_position(page)
        assert -35.3646 < lat < -35.3615
        assert 149.1628 < lon < 149.1658


@pytest.mark.feeds
async def test_a_boat_without_a_fix_is_nowhere_on_the_map(browser: Browser, feeds: Path) -> None:
    video = feeds / "derived/seashore_h264_720p30_live.mp4"
    telemetry = feeds / "telemetry/sub_real_bluerov_2024_nogps.tlog"
    async with replayed(browser, "--video", video, "--telemetry", telemetry) as page:
        await page.until(LIVE, 30)
        await page.until("window.lagebild.feed('replay').sample?.yaw_deg != null", 30)
        await expect(page.page.locator("body")).to_contain_text("kein GPS-Fix", timeout=15_000)
        assert await page.page.locator('[data-position="utmref"]').input_value() == "--"
