"""Joins as a commander's browser makes them: headless Chromium, from the POST to the picture that is live.

A small page (relay_page.html) speaks to this module, which hands offers and answers on to the relays: so all
are joined from one origin. Each picture says when it was captured (simulator/strip.py), and thumbnails are
compared with the decoded clip.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, Error, Page

from tests.bench import clip
from tests.bench.feeder import Fed
from tests.bench.figures import p50_p95, percentile
from tests.bench.film import Film
from tests.bench.peers import Joined, Peer
from tests.browser.harness import open_page

PATIENCE_S = 12.0
STEADY_AFTER_S = 1.0
"""Seconds after the first picture, or half of the time watched where that is longer."""
LIVE_WITHIN_MS = 50.0
FREEZE_MS = 183.0
"""Between two pictures shown; what Chromium calls a freeze at 30 pictures a second (their time + 150 ms)."""
WRONG_ABOVE = 5.0
"""Mean difference of a thumbnail's cells from the truth, of 255; a right picture stays below 3."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One displayed picture: when, in ms since the epoch, and how old; None: its strip is illegible."""

    at_ms: float
    lag_ms: float | None


@dataclass(frozen=True, slots=True)
class Join:
    """One join. `wrong` of `compared` pictures are not what was filmed; `first_right` is of the first.

    `called_ms` is when the callback began in which the first picture was drawn and compared; `at_ms` of a
    picture is after it was read, which takes 20 to 30 ms of the page's time.
    """

    relay: str
    posted_ms: float
    shown: tuple[Shown, ...]
    first_right: bool
    compared: int
    wrong: int
    freezes: int
    called_ms: float | None = None

    @property
    def first_ms(self) -> float | None:
        if not self.shown:
            return None
        return (self.shown[0].at_ms if self.called_ms is None else self.called_ms) - self.posted_ms

    def steady_lags(self) -> list[float]:
        if not self.shown:
            return []
        first_ms, last_ms = self.shown[0].at_ms, self.shown[-1].at_ms
        since = first_ms + max(1000 * STEADY_AFTER_S, (last_ms - first_ms) / 2)
        return [s.lag_ms for s in self.shown if s.lag_ms is not None and s.at_ms > since]

    def live_ms(self, steady_ms: float) -> float | None:
        """From the POST until the lag is that of steady watching."""
        live = (s for s in self.shown if s.lag_ms is not None and s.lag_ms <= steady_ms + LIVE_WITHIN_MS)
        found = next(live, None)
        return found.at_ms - self.posted_ms if found else None

    @property
    def frozen(self) -> bool:
        gaps = [b.at_ms - a.at_ms for a, b in itertools.pairwise(self.shown)]
        return self.freezes > 0 or max(gaps, default=PATIENCE_S * 1000) > FREEZE_MS


def figures(joins: Sequence[Join]) -> dict[str, Any]:
    """What the joins of one relay come to."""
    lags = [lag for join in joins for lag in join.steady_lags()]
    steady_ms = statistics.median(lags) if lags else 0.0
    live = [join.live_ms(steady_ms) for join in joins] if lags else []
    return {
        "joins": len(joins),
        "without_picture": sum(not join.shown for join in joins),
        "first_ms": p50_p95([ms for join in joins if (ms := join.first_ms) is not None]),
        "first_wrong": sum(not join.first_right for join in joins if join.shown),
        "wrong_share": percentile([join.wrong / max(1, join.compared) for join in joins], 0.95),
        "live_ms": p50_p95([ms for ms in live if ms is not None]),
        "frozen": sum(join.frozen for join in joins if join.shown),
        "lag_ms": p50_p95(lags),
    }


class JoinPage:
    """The page in its browser, with the relays it can join."""

    def __init__(self, page: Page, relays: Mapping[str, Peer], film: Film) -> None:
        self._page, self._relays, self._film = page, relays, film

    async def join(self, relay: str, fed: Fed, watch_s: float) -> Join:
        """Join, watch for `watch_s` after the first picture, leave. What fails is a join without picture."""
        arguments = [relay, self._relays[relay].offers, 1000 * watch_s, 1000 * PATIENCE_S]
        try:
            seen = await self._page.evaluate("(a) => window.watch(...a)", arguments)
        except Error as failure:
            print(f"bench: {relay}: {failure.message.splitlines()[0]}", file=sys.stderr)
            return Join(relay, 0.0, (), first_right=False, compared=0, wrong=0, freezes=0)
        frames = seen["frames"]
        numbers = {f["rtp"]: _number(f["strip"]) for f in frames if f["strip"]}
        right = [self._is_right(t, numbers) for t in seen["thumbnails"]]
        return Join(
            relay=relay,
            posted_ms=seen["postedMs"],
            shown=tuple(Shown(f["nowMs"], _lag(f, fed)) for f in frames),
            first_right=bool(right) and right[0],
            compared=len(right),
            wrong=right.count(False),
            freezes=seen["freezes"],
            called_ms=seen["calledMs"],
        )

    def _is_right(self, thumbnail: Mapping[str, Any], numbers: Mapping[int, int]) -> bool:
        """Whether it shows what the clip does there, by its strip or the nearest legible one."""
        if not numbers:
            return False
        nearest = min(numbers, key=lambda rtp: abs(rtp - thumbnail["rtp"]))
        return self._film.difference(numbers[nearest], thumbnail["cells"]) < WRONG_ABOVE


@contextlib.asynccontextmanager
async def join_page(browser: Browser, relays: Mapping[str, Peer], group_s: int) -> AsyncIterator[JoinPage]:
    """Serve the page and open it."""
    runner = web.AppRunner(_application(relays), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with open_page(browser, f"http://127.0.0.1:{port}/") as watched:
            yield JoinPage(watched.page, relays, Film(group_s))
    finally:
        await runner.cleanup()


def _application(relays: Mapping[str, Peer]) -> web.Application:
    """The page's own WHEP, and the reversed order for relays that offer."""
    numbers = itertools.count()
    joined: dict[str, asyncio.Task[Joined]] = {}
    answers: dict[str, asyncio.Future[str]] = {}

    async def page(_: web.Request) -> web.FileResponse:
        return web.FileResponse(Path(__file__).with_name("relay_page.html"))

    async def offer(request: web.Request) -> web.Response:
        session, relay = str(next(numbers)), relays[request.match_info["relay"]]
        joining = joined[session] = asyncio.ensure_future(relay.join(await request.text()))
        return web.json_response({"session": session, "sdp": (await joining).sdp})

    async def watch(request: web.Request) -> web.Response:
        session, relay = str(next(numbers)), relays[request.match_info["relay"]]
        loop = asyncio.get_running_loop()
        offered: asyncio.Future[str] = loop.create_future()
        answers[session] = loop.create_future()

        async def answer_to(offer_sdp: str) -> str:
            offered.set_result(offer_sdp)
            return await answers[session]

        joined[session] = asyncio.ensure_future(relay.join_reversed(answer_to))
        return web.json_response({"session": session, "sdp": await offered})

    async def answer(request: web.Request) -> web.Response:
        session = request.match_info["session"]
        answers.pop(session).set_result(await request.text())
        await joined[session]
        return web.json_response({})

    async def leave(request: web.Request) -> web.Response:
        await (await joined.pop(request.match_info["session"])).leave()
        return web.json_response({})

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/offer/{relay}", offer), web.post("/watch/{relay}", watch)])
    app.add_routes([web.post("/answer/{session}", answer), web.post("/leave/{session}", leave)])
    return app


def _number(strip: Mapping[str, float]) -> int:
    return round(strip["captureMs"] * clip.FPS / 1000)


def _lag(frame: Mapping[str, Any], fed: Fed) -> float | None:
    """From the picture leaving the feeder to the callback that says it is displayed, ms."""
    if not frame["strip"]:
        return None
    now_ms: float = frame["nowMs"]
    return now_ms - fed.captured_ms(frame["strip"]["captureMs"], now_ms)
