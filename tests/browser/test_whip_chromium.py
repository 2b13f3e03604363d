"""Chromium as a camera (WHIP): its fake device, encoded by itself, to pictures on the bus."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route

from flow.flights import KeyframeWanted, SourceState, SourceStatus
from tests.fakes.lossy_link import Conditions
from tests.fakes.whip_way import whip_way
from tests.interop.ingest_rig import check_invariants, decoded_count
from tests.interop.whip_rig import House, whip_house

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

FEED = "handy"
PAGE = """<!doctype html><title>camera</title><script>
let pc, session;
async function start(url, width, height) {
  const video = { width, height, frameRate: 30 };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
  pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const direction = "sendonly";
  for (const track of stream.getTracks()) pc.addTransceiver(track, { direction, streams: [stream] });
  await pc.setLocalDescription();
  const headers = { "Content-Type": "application/sdp" };
  const reply = await fetch(url, { method: "POST", headers, body: pc.localDescription.sdp });
  if (reply.status !== 201) throw new Error(await reply.text());
  session = { url: reply.headers.get("Location"), etag: reply.headers.get("ETag") };
  await pc.setRemoteDescription({ type: "answer", sdp: await reply.text() });
}
async function trickled() {
  const lines = pc.localDescription.sdp.split("\\r\\n");
  const wanted = ["a=ice-ufrag", "a=ice-pwd", "m=video", "a=mid:1"];
  const body = lines.filter((l) => wanted.some((w) => l.startsWith(w))).join("\\r\\n") + "\\r\\n";
  const headers = { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": session.etag };
  return (await fetch(session.url, { method: "PATCH", headers, body })).status;
}
async function stats() {
  const all = {};
  for (const s of (await pc.getStats()).values()) {
    if (s.type === "outbound-rtp" && s.kind === "video") Object.assign(all, s);
    if (s.type === "candidate-pair" && s.nominated) all.available = s.availableOutgoingBitrate;
    if (s.type === "codec" && s.mimeType.startsWith("video")) all.codec = s.mimeType;
  }
  return all;
}
async function shrink(by) {
  const sender = pc.getSenders().find((s) => s.track.kind === "video");
  const parameters = sender.getParameters();
  parameters.encodings[0].scaleResolutionDownBy = by;
  await sender.setParameters(parameters);
}
async function stop() {
  pc.getSenders().forEach((s) => s.track.stop());
  let before, now = await stats();
  do {
    before = now;
    await new Promise((done) => setTimeout(done, 600));
    now = await stats();
  } while (now.packetsSent !== before.packetsSent);
  return now;
}
async function leave() {
  const reply = await fetch(session.url, { method: "DELETE" });
  pc.close();
  return reply.status;
}
</script>"""


async def camera(browser: Browser, origin: str) -> Page:
    """A page of that origin, from which it may publish."""

    async def served(route: Route) -> None:
        await route.fulfill(body=PAGE, content_type="text/html")

    page = await browser.new_page()
    await page.route("**/camera.html", served)
    await page.goto(f"{origin}/camera.html")
    return page


async def publish(page: Page, house: House, size: tuple[int, int]) -> None:
    url = f"/live/{FEED}/whip?key={house.keys[FEED]}"
    await page.evaluate("([url, w, h]) => start(url, w, h)", [url, *size])


def width_of(house: House) -> int:
    state = house.bus.peek(SourceState, FEED)
    return state.config.width_px if state and state.config else 0


def keyframes(house: House) -> int:
    return sum(unit.keyframe for unit in house.rig.units(FEED))


async def test_every_picture_arrives_whatever_size_the_encoder_chooses(
    camera_browser: Browser, tmp_path: Path
) -> None:
    async with whip_house(tmp_path, FEED) as house:
        page = await camera(camera_browser, house.url)
        await publish(page, house, (640, 480))
        await house.rig.until_pictures(FEED, 30)
        assert await page.evaluate("() => trickled()") == 204
        await house.rig.until(lambda: width_of(house) == 640, "640 pixels")
        await page.evaluate("() => shrink(2)")
        await house.rig.until(lambda: width_of(house) == 320, "320 pixels")

        before = keyframes(house)
        house.bus.publish(KeyframeWanted(FEED, house.rig.units(FEED)[-1].utc_ns))
        await house.rig.until(lambda: keyframes(house) > before, "the keyframe wished for")
        sent: dict[str, Any] = await page.evaluate("() => stop()")
        assert sent["codec"] == "video/H264"
        assert sent["pliCount"] >= 1
        await house.rig.until_pictures(FEED, sent["framesSent"])
        units, state = house.rig.units(FEED), house.rig.state(FEED)
        check_invariants(units)
        assert len(units) == sent["framesSent"] == decoded_count(units)
        assert (state.damaged, state.lost_packets) == (0, 0)
        assert await page.evaluate("() => leave()") == 200
        await house.rig.until_status(FEED, SourceStatus.LOST, "publisher_left")


async def test_what_a_bad_network_loses_is_sent_again(camera_browser: Browser, tmp_path: Path) -> None:
    lossy = Conditions(loss=0.05, delay_ms=15)
    async with whip_house(tmp_path, FEED) as house, whip_way(house.url) as way:
        page = await camera(camera_browser, way.url)
        await publish(page, house, (640, 480))
        await house.rig.until_pictures(FEED, 10)
        way.proxy.up.conditions = way.proxy.down.conditions = lossy
        await house.rig.until_pictures(FEED, 150)
        way.proxy.up.conditions = way.proxy.down.conditions = Conditions()
        sent: dict[str, Any] = await page.evaluate("() => stop()")
        await house.rig.until_pictures(FEED, sent["framesSent"])
        units, state = house.rig.units(FEED), house.rig.state(FEED)
        assert way.proxy.up.counts["lost"] > 10
        assert sent["retransmittedPacketsSent"] >= way.proxy.up.counts["lost"] // 2
        assert len(units) == sent["framesSent"] == decoded_count(units)
        assert (state.damaged, state.lost_packets) == (0, 0)


async def test_the_encoder_is_soon_at_full_rate_and_size(camera_browser: Browser, tmp_path: Path) -> None:
    async with whip_house(tmp_path, FEED) as house:
        page = await camera(camera_browser, house.url)
        await publish(page, house, (1280, 720))
        async with asyncio.timeout(10):
            while (await page.evaluate("() => stats()")).get("available", 0) < 2_000_000:
                await asyncio.sleep(0.1)
        await house.rig.until(lambda: width_of(house) == 1280, "1280 pixels")
