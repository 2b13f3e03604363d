"""One Chromium page behind a link that can become narrow; relay, feed and `low` are in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from aiohttp import web
from playwright.async_api import Page

from flow.units import Rendition
from tests.fakes.encoded import h264_pictures
from tests.fakes.lossy_link import Conditions
from tests.fakes.lossy_proxy import LossyProxy
from tests.fakes.rendition_maker import RenditionMaker, padded
from tests.prove.clip import numbered_clip
from tests.prove.house import FEED, House, open_house

SMALL_WIDTH, SMALL_HEIGHT, SMALL_BYTES = 320, 180, 2000

PAGE = """<!doctype html><video muted autoplay playsinline></video><script>
window.frames_ = [];
const video = document.querySelector("video");
const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
const { receiver } = peer.addTransceiver("video", { direction: "recvonly" });
receiver.jitterBufferTarget = 0;
peer.ontrack = ({ streams }) => { video.srcObject = streams[0]; };
const note = (now, { rtpTimestamp, width }) => {
  frames_.push([now, rtpTimestamp ?? null, width]);
  video.requestVideoFrameCallback(note);
};
video.requestVideoFrameCallback(note);
(async () => {
  await peer.setLocalDescription();
  const reply = await fetch("/whep", { method: "POST", body: peer.localDescription.sdp });
  await peer.setRemoteDescription({ type: "answer", sdp: await reply.text() });
})();
</script>"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on the page: when (its clock, ms), its RTP timestamp, its width."""

    at_ms: float
    rtp_timestamp: int | None
    width: int


@dataclass
class NarrowWay:
    """`proxy` is the link; `shown` fills as `look` is called."""

    house: House
    proxy: LossyProxy
    url: str
    shown: list[Shown] = field(default_factory=list)

    async def look(self, page: Page) -> float:
        """Take over what has been shown; the page's clock now."""
        now_ms, frames = await page.evaluate("() => [performance.now(), frames_.splice(0)]")
        self.shown += [Shown(*frame) for frame in frames]
        return float(now_ms)

    async def until_width(self, page: Page, width: int, within_s: float) -> float:
        """Wait for a picture of that width; seconds it took, by the page's clock."""
        began_ms = await self.look(page)
        async with asyncio.timeout(within_s):
            while True:
                await self.look(page)
                for shown in self.shown:
                    if shown.at_ms > began_ms and shown.width == width:
                        return (shown.at_ms - began_ms) / 1000
                await asyncio.sleep(0.05)

    def longest_gap_s(self, from_ms: float, to_ms: float) -> float:
        times = [from_ms, *(s.at_ms for s in self.shown if from_ms <= s.at_ms <= to_ms), to_ms]
        return max(b - a for a, b in pairwise(times)) / 1000


@asynccontextmanager
async def narrow_way(link: Conditions, *, with_low: bool = True) -> AsyncIterator[NarrowWay]:
    pictures = numbered_clip().pictures
    small = padded(h264_pictures(60, SMALL_WIDTH, SMALL_HEIGHT), SMALL_BYTES)
    async with open_house(pictures) as house, LossyProxy(link, link) as proxy:
        house.feed()
        if with_low:
            maker = RenditionMaker(house.bus, house.clock, FEED, Rendition.LOW, small)
            house.tasks.append(asyncio.get_running_loop().create_task(maker.run()))
        runner = await _serve(house, proxy)
        try:
            port = runner.addresses[0][1]
            yield NarrowWay(house, proxy, f"http://127.0.0.1:{port}/")
        finally:
            await runner.cleanup()


async def _serve(house: House, proxy: LossyProxy) -> web.AppRunner:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def whep(request: web.Request) -> web.Response:
        answer = await house.relay.answer(FEED, proxy.offer(await request.text()))
        return web.Response(status=201, text=proxy.answer(answer.sdp), content_type="application/sdp")

    app: Any = web.Application()
    app.add_routes([web.get("/", page), web.post("/whep", whep)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner
