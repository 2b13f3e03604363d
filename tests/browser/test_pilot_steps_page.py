"""The pilot page's steps, plots, and what comes of the aircraft, in headless Chromium."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from flow.clock import NS_PER_S, Clock
from flow.flights import Alarm, AlarmLevel, Marker, SourceState
from flow.samples import ForwardState
from tests.browser.flight import free_udp_port, report
from tests.browser.harness import Watched, open_page
from tests.fakes.encoded import FPS, h264_pictures
from tests.fakes.rtp_camera import RtpCamera
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

TAG, PUSH = '[data-feed="otto-tag"]', '[data-feed="otto-push"]'


def settings(folder: Path, mavlink: int) -> Settings:
    feeds = (
        FeedSettings("otto-tag", "rtp://127.0.0.1:0", "Tageslicht", air_link_ms=120.0),
        FeedSettings("otto-push", "rtmp", "Wärmebild"),
    )
    return Settings(
        server=ServerSettings(port=0, data_dir=str(folder)),
        webrtc=WebRtcSettings(port=0),
        publish=PublishingSettings(rtmp_port=0),
        aircraft=(AircraftSettings("otto", "Ottmar", f"udpin:127.0.0.1:{mavlink}", 1, feed=feeds),),
        recording=RecordingSettings(enabled=False),
    )


@contextlib.asynccontextmanager
async def house(folder: Path) -> AsyncIterator[Running]:
    """A service with an aircraft in the air, a feed of it that arrives, and one that nobody sends to."""
    mavlink, switched_on = free_udp_port(), asyncio.Event()
    switched_on.set()
    async with running_service(settings(folder, mavlink)) as service, asyncio.TaskGroup() as tasks:
        with service.bus.latest(SourceState, "otto-tag") as states:
            address = await anext(state.address async for state in states if state.address)
        sending = [
            tasks.create_task(film(address, service.clock)),
            tasks.create_task(report(mavlink, switched_on)),
        ]
        try:
            yield service
        finally:
            for task in sending:
                task.cancel()


async def film(address: str, clock: Clock) -> None:
    camera, began_ns = RtpCamera(address), clock.now_ns()
    try:
        for count, picture in enumerate(itertools.cycle(h264_pictures(60))):
            camera.send(picture)  # in time with its timestamps: else it would come later and later
            await clock.sleep_until(began_ns + (count + 1) * NS_PER_S // FPS)
    finally:
        camera.close()


def tell_of_the_aircraft(service: Running) -> None:
    """Somebody points at a place, an alarm stands, and a ground station has sent a command."""
    now_ns, bus = service.clock.now_ns(), service.bus
    bus.publish(Marker("m1", "otto", now_ns - 20 * NS_PER_S, 49.441779, 7.771262, "Person", "Einsatzleiter"))
    bus.publish(Alarm("a1", "otto", now_ns, "made_up", level=AlarmLevel.WARNING))
    station = "192.0.2.7:14550"
    bus.publish(
        ForwardState("otto", stations=(station,), commands=1, last_command=f"COMMAND_LONG from {station}")
    )


async def test_steps_and_pointing_now_and_plots_of_before(browser: Browser, tmp_path: Path) -> None:
    """One service for all of it: what takes the time is to start one."""
    async with house(tmp_path) as service:
        async with open_page(browser, f"{service.url}pilot", size=(390, 844)) as page:
            await green_is_small_and_red_is_open(page)
            await the_pilot_sees_where_somebody_points(service, page)
            assert await page.page.evaluate("() => document.documentElement.scrollWidth") == 390
            assert page.complaints == []
            assert page.strangers == []
        async with open_page(browser, f"{service.url}pilot") as page:
            await a_page_just_opened_shows_the_past(page)


async def green_is_small_and_red_is_open(page: Watched) -> None:
    green, red = page.page.locator(TAG), page.page.locator(PUSH)
    await expect(green.locator(".verdict-word")).to_have_text("KOMMT AN", timeout=15_000)
    await expect(green.locator(".steps.compact")).to_be_visible(timeout=15_000)
    for step in ("reachable", "picture", "codec", "keyframes", "telemetry"):
        await expect(green.locator(f'[data-step="{step}"]')).to_have_attribute("data-state", "ok")
    await expect(green.locator('[data-step="key"]')).to_have_attribute("data-state", "none")
    await expect(green.locator(".way-address")).to_be_hidden()
    await green.get_by_role("button", name="Einzelheiten").click()
    await expect(green.locator(".way-address")).to_be_visible()
    await green.get_by_role("button", name="Weniger").click()
    await expect(green.locator(".way-address")).to_be_hidden()

    await expect(red.locator('[data-step="key"]')).to_have_attribute("data-state", "bad")
    await expect(red.locator('[data-step="key"] .step-text')).to_have_text("Noch kein Schlüssel")
    await expect(red.locator('[data-step="picture"]')).to_have_attribute("data-state", "waiting")
    await expect(red.locator(".next")).to_contain_text("Schlüssel erzeugen")
    await expect(red.locator(".way-address")).to_be_visible()


async def the_pilot_sees_where_somebody_points(service: Running, page: Watched) -> None:
    at = page.page.locator
    await expect(at(".pointed")).to_be_hidden()
    tell_of_the_aircraft(service)
    await expect(at(".point-head")).to_have_text("Einsatzleiter zeigt: „Person“")
    await expect(at(".point-where")).to_contain_text("214°, 180 m, 124° rechts, vor ")
    await expect(at(".point-arrow")).to_have_attribute("style", re.compile(r"rotate\(12[34]deg\)"))
    await expect(at(".point-place")).to_contain_text("32U MV")
    await expect(at(".aircraft .alarms li")).to_contain_text("made_up")
    await expect(at(".forward:not(.outputs)")).to_contain_text(
        "sie wurden verworfen (1, zuletzt COMMAND_LONG"
    )
    service.bus.publish(Alarm("a2", "otto", service.clock.now_ns(), "made_up", active=False))
    service.bus.publish(Marker("m2", "otto", 0, 0.0, 0.0, "", "", marker_id="m1", removed=True))
    await expect(at(".aircraft .alarms")).to_be_hidden()
    await expect(at(".pointed")).to_be_hidden()


async def a_page_just_opened_shows_the_past(page: Watched) -> None:
    plots = page.page.locator(f"{TAG} .plot")
    await expect(plots.nth(0).locator(".plot-now")).to_contain_text("Mbit/s")
    seconds = "document.querySelector('.plot-line').getAttribute('d').match(/[ML]/g)?.length"
    await page.until(f"{seconds} >= 3", within_s=2.0)  # sooner than they would come one by one
    await expect(plots.nth(2).locator(".plot-now")).to_contain_text("≥ ")  # it counts from arrival
