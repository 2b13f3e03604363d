"""A page behind a link that carries 8, then 1, then 8 Mbit/s: what Chromium shows of a 4 Mbit/s feed.

Once its way decides which rendition it is sent, once it is pinned to the source as if there were no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from playwright.async_api import Page

from tests.bench import clip
from tests.bench.ingest_house import IngestHouse, cores, ingest_house
from tests.bench.ingest_series import LIVE_WITHIN_S, Rows, say
from tests.bench.senders import sending
from tests.browser.harness import chromium
from tests.fakes.lossy_link import Conditions
from tests.fakes.lossy_proxy import LossyProxy

WAY = "rtp"
WIDE = Conditions(delay_ms=15, rate_bps=8_000_000)
NARROW = Conditions(delay_ms=15, rate_bps=1_000_000)
SETTLED_S, SETTLES_WITHIN_S = 5.0, 60.0
NARROW_S, WIDE_S = 30.0, 60.0
FROZEN_MS = 500
_SDP = {"Content-Type": "application/sdp"}

_PAGE = """<!doctype html><video muted autoplay playsinline></video><script>
const shown = [], video = document.querySelector("video"), peer = new RTCPeerConnection();
const { receiver } = peer.addTransceiver("video", { direction: "recvonly" });
receiver.jitterBufferTarget = 0;
peer.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); };
const note = (now, { width }) => { shown.push([now, width]); video.requestVideoFrameCallback(note); };
video.requestVideoFrameCallback(note);
(async () => {
  await peer.setLocalDescription();
  const reply = await fetch("/whep", { method: "POST", body: peer.localDescription.sdp });
  await peer.setRemoteDescription({ type: "answer", sdp: await reply.text() });
})();
</script>"""

Shown = Sequence[tuple[float, int]]
"""(page's clock in ms, width in pixels) of each displayed picture."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Seconds; None where it never came to that.

    `left_s` is from the narrowing to the first smaller picture, `regained_s` from the widening to the first
    full picture that no smaller one and no freeze follows for 5 s. `frozen_s` sums up all times without a new
    picture for more than half a second since, `longest_s` is the longest. `changes` counts those of size.
    """

    left_s: float | None
    regained_s: float | None
    frozen_s: float
    longest_s: float
    changes: int


def narrowing(shown: Shown, narrowed_ms: float, widened_ms: float, ended_ms: float, full: int) -> Narrowing:
    """What a page showed between the two changes of its link, and after."""
    left = next((at for at, width in shown if at >= narrowed_ms and width < full), None)
    regained = _regained(shown, widened_ms, full)
    times = [narrowed_ms, *(at for at, _ in shown if narrowed_ms <= at < ended_ms), ended_ms]
    gaps = [b - a for a, b in pairwise(times)]
    widths = [width for at, width in shown if at >= narrowed_ms]
    return Narrowing(
        left_s=None if left is None else round((left - narrowed_ms) / 1000, 2),
        regained_s=None if regained is None else round((regained - widened_ms) / 1000, 2),
        frozen_s=round(sum(gap for gap in gaps if gap > FROZEN_MS) / 1000, 2),
        longest_s=round(max(gaps) / 1000, 2),
        changes=sum(a != b for a, b in pairwise(widths)),
    )


def _regained(shown: Shown, widened_ms: float, full: int) -> float | None:
    since: float | None = None
    last = widened_ms
    for at, width in shown:
        if at < widened_ms:
            continue
        if width < full:
            since = None
        elif since is None or at - last > FROZEN_MS:
            since = at
        elif at - since >= 1000 * SETTLED_S:
            return since
        last = at
    return None


async def narrow_links(folder: Path) -> Rows:
    """With renditions and without."""
    rows: Rows = {}
    for name, pinned in (("with", False), ("without", True)):
        async with (
            ingest_house((WAY,)) as house,
            sending(WAY, house.target(WAY), folder / f"narrow-{name}.times", cores()[1]) as sender,
        ):
            await sender.ready()
            await house.start(cores()[0])
            await sender.begin()
            if await house.until_live(WAY, LIVE_WITHIN_S):
                rows[name] = await _narrow_link(house, pinned=pinned)
            else:
                rows[name] = {"why_not": house.why_not(WAY)}
        say(f"narrow link {name} renditions: {rows[name]}")
    return rows


async def _narrow_link(house: IngestHouse, *, pinned: bool) -> dict[str, Any]:
    async with (
        LossyProxy(WIDE, WIDE) as proxy,
        _served(house, proxy, pinned=pinned) as url,
        chromium() as browser,
    ):
        page = await browser.new_page()
        await page.goto(url)
        if not await _settled(page):
            seen = _runs(await _shown(page))
            return {"why_not": f"not {SETTLED_S:g} s of full quality in a row at 8 Mbit/s: {seen}"}
        narrowed_ms = await _change(page, proxy, NARROW)
        await asyncio.sleep(NARROW_S)
        widened_ms = await _change(page, proxy, WIDE)
        await asyncio.sleep(WIDE_S)
        ended_ms, shown = await _now_ms(page), await _shown(page)
    found = narrowing(shown, narrowed_ms, widened_ms, ended_ms, clip.WIDTH)
    say(
        f"shown since the narrowing: {_runs([(at - narrowed_ms, w) for at, w in shown if at >= narrowed_ms])}"
    )
    none_smaller = "" if pinned or found.left_s is not None else "no smaller picture was shown"
    return {**asdict(found), "why_not": none_smaller}


async def _settled(page: Page) -> bool:
    """Wait until the full picture has been shown for a while without a freeze."""
    began_ms = now_ms = await _now_ms(page)
    while now_ms - began_ms < 1000 * SETTLES_WITHIN_S:
        await asyncio.sleep(0.5)
        now_ms = await _now_ms(page)
        if _is_steady(await _shown(page), max(began_ms, now_ms - 1000 * SETTLED_S), now_ms):
            return True
    return False


def _is_steady(shown: Shown, from_ms: float, to_ms: float) -> bool:
    """Whether that is long enough, and all pictures in it were full ones, without a freeze."""
    late = [(at, width) for at, width in shown if from_ms <= at < to_ms]
    times = [from_ms, *(at for at, _ in late), to_ms]
    unfrozen = max(b - a for a, b in pairwise(times)) <= FROZEN_MS
    return unfrozen and to_ms - from_ms >= 1000 * SETTLED_S and all(width == clip.WIDTH for _, width in late)


def _runs(shown: Shown) -> str:
    """How wide the pictures were, and from when to when, for whoever wonders."""
    grouped = ((width, [at for at, _ in run]) for width, run in groupby(shown, key=itemgetter(1)))
    return ", ".join(
        f"{width} from {times[0] / 1000:.1f} to {times[-1] / 1000:.1f} s" for width, times in grouped
    )


async def _shown(page: Page) -> list[tuple[float, int]]:
    return [(at, width) for at, width in await page.evaluate("() => shown")]


async def _now_ms(page: Page) -> float:
    return float(await page.evaluate("() => performance.now()"))


async def _change(page: Page, proxy: LossyProxy, link: Conditions) -> float:
    """From now on the way to the page is like this; its clock now."""
    proxy.down.conditions = link
    return await _now_ms(page)


@asynccontextmanager
async def _served(house: IngestHouse, proxy: LossyProxy, *, pinned: bool) -> AsyncIterator[str]:
    """A page that watches the feed by way of `proxy`."""
    address = house.watch_page(WAY)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    async def whep(request: web.Request) -> web.Response:
        offer = proxy.offer(await request.text())
        async with aiohttp.ClientSession(raise_for_status=True) as http:
            async with http.post(address, data=offer, headers=_SDP) as reply:
                answer, session = await reply.text(), urljoin(address, reply.headers["Location"])
            if pinned:
                await _pin(http, session)
        return web.Response(status=201, text=proxy.answer(answer), content_type="application/sdp")

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/whep", whep)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def _pin(http: aiohttp.ClientSession, session: str) -> None:
    """To the source, for good. A service without renditions knows no such address and needs none."""
    async with http.put(
        f"{session}/rendition", json={"rendition": "source"}, raise_for_status=False
    ) as reply:
        if reply.status not in (200, 404):
            raise RuntimeError(f"the viewer cannot be pinned: {reply.status} {await reply.text()}")
