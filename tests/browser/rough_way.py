"""A feed whose pictures are told apart in the browser, and a bad network between browser and relay."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from playwright.async_api import Route

from simulator import strip
from tests.browser.flight import free_udp_port
from tests.browser.harness import RunningLagebild, Watched, lagebild
from tests.fakes.encoded import FPS, Picture
from tests.fakes.lossy_link import PERFECT, Conditions, LossyLink
from tests.fakes.lossy_proxy import LossyProxy
from tests.fakes.rtp_camera import RtpCamera

WIDTH, HEIGHT = 640, 360
LENGTH = 300
FEEDS = ("fritz-tag", "fritz-waerme")
AHEAD_MOST = 6
BLOCKED = Conditions(loss=1.0)
CONFIG = """
[[aircraft]]
id = "fritz"
"""
FEED_CONFIG = """
  [[aircraft.feed]]
  id = "{feed}"
  source = "rtp://127.0.0.1:{port}"
"""


@cache
def strip_clip(group: int, noise: int = 6) -> tuple[Picture, ...]:
    """LENGTH pictures that carry their number in the strip, with an IDR every `group`; 1 to 2 Mbit/s."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.options = {
        "preset": "ultrafast", "tune": "zerolatency", "x264-params": f"keyint={group}:scenecut=0:qp=30",
    }  # fmt: skip
    encoder.profile = "Baseline"
    dice = np.random.default_rng(1)
    ramp = (np.arange(WIDTH)[None, :] + np.arange(HEIGHT)[:, None]) % 256
    pictures = []
    for number in range(LENGTH):
        grain = dice.integers(-noise, noise + 1, size=(HEIGHT // 8, WIDTH // 8)).repeat(8, 0).repeat(8, 1)
        luma = np.clip((ramp + 5 * number) % 256 + grain, 0, 255).astype(np.uint8)
        strip.draw(luma, number, number)
        frame = av.VideoFrame.from_ndarray(
            np.vstack([luma, np.full((HEIGHT // 2, WIDTH), 128, np.uint8)]), format="yuv420p"
        )
        frame.pts = number
        pictures += [Picture(bytes(p), p.is_keyframe) for p in encoder.encode(frame)]
    assert len(pictures) == LENGTH
    return tuple(pictures)


@asynccontextmanager
async def filmed(
    folder: Path, pictures: Sequence[Picture], feeds: Sequence[str] = FEEDS[:1]
) -> AsyncIterator[RunningLagebild]:
    """The service, and a camera for each feed that shows the clip over and over."""
    ports = [free_udp_port() for _ in feeds]
    config = folder / "lagebild.toml"
    config.write_text(
        CONFIG + "".join(FEED_CONFIG.format(feed=f, port=p) for f, p in zip(feeds, ports, strict=True))
    )
    async with lagebild("serve", "--config", str(config)) as service:
        filming = [asyncio.ensure_future(_film(port, pictures)) for port in ports]
        try:
            yield service
        finally:
            for task in filming:
                task.cancel()
            await asyncio.gather(*filming, return_exceptions=True)


async def _film(port: int, pictures: Sequence[Picture]) -> None:
    camera = RtpCamera(f"rtp://127.0.0.1:{port}")
    loop = asyncio.get_running_loop()
    began = loop.time()
    with contextlib.closing(camera):
        for number, picture in enumerate(itertools.cycle(pictures)):
            await asyncio.sleep(max(0.0, began + number / FPS - loop.time()))
            camera.send(picture)


class FirstLost(LossyLink):
    """Loses the first `count` packets of video, and nothing else."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._left = count

    def send(self, datagram: bytes, now_ns: int) -> list[tuple[int, bytes]]:
        is_media = datagram[0] >= 128 and not 192 <= datagram[1] <= 223
        if is_media and self._left:
            self._left -= 1
            return []
        return super().send(datagram, now_ns)


class Way(LossyProxy):
    """A proxy between the page and the relay that rewrites offers and answers as they pass.

    `joins` counts them; with `tcp` the relay's TCP candidates stay in, which lead past the proxy.
    """

    def __init__(self, down: Conditions = PERFECT, up: Conditions = PERFECT, *, tcp: bool = False) -> None:
        super().__init__(down, up)
        self.joins = 0
        self._tcp = tcp

    async def pass_on(self, route: Route) -> None:
        """For `open_page(routes={"**/whep": …})`."""
        offer = route.request.post_data
        if route.request.method != "POST" or offer is None:
            await route.continue_()
            return
        self.joins += 1
        reply = await route.fetch(post_data=self.offer(offer))
        answer = await reply.text()
        headers = {name: value for name, value in reply.headers.items() if name != "content-length"}
        await route.fulfill(status=reply.status, headers=headers, body=self._led_through(answer))

    def _led_through(self, answer: str) -> str:
        tcp = re.findall(r"a=candidate:\S+ 1 tcp .*\r\n", answer) if self._tcp else []
        return self.answer(answer) + "".join(tcp)

    def move(self) -> None:
        """From now on the browser's datagrams come from other ports, as after a change of networks."""
        for client, old in list(self._backs.items()):
            self._loop.remove_reader(old)
            old.close()
            del self._backs[client]
            self._back_of(client)


def untrue(frames: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the shown frames whose strip is unreadable, or not the one that belongs to their timestamp.

    Chromium may have gone on by some pictures by the time the strip is read off the page: more of them the
    busier the machine is, and what is usual may be one of them.
    """
    known = [f for f in frames if f["rtp"] is not None]
    ahead = [(f["strip"]["counter"] - f["rtp"] // 3000) % LENGTH if f["strip"] else None for f in known]
    usual = max(ahead, key=ahead.count, default=None)
    fine = [] if usual is None else [(usual + late) % LENGTH for late in range(-AHEAD_MOST, AHEAD_MOST + 1)]
    return [f for f, a in zip(known, ahead, strict=True) if a not in fine]


def damaged(frames: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose strip cannot be read. The black that Chromium shows before its first picture is none."""
    return [f for f in itertools.dropwhile(lambda f: not f["strip"], frames) if not f["strip"]]


def longest_gap_ms(frames: Sequence[dict[str, Any]]) -> float:
    """The longest time between two frames."""
    return max((b["t"] - a["t"] for a, b in itertools.pairwise(frames)), default=float("inf"))


async def statistics(page: Watched) -> dict[str, Any]:
    """What Chromium says of the inbound video of its last connection, and the `protocol` that it came by."""
    found: dict[str, Any] = await page.page.evaluate(
        """async () => {
            const all = [...(await window.__peers.at(-1).getStats()).values()];
            const inbound = all.find((s) => s.type === "inbound-rtp" && s.kind === "video");
            const transport = all.find((s) => s.type === "transport");
            const pair = all.find((s) => s.id === transport?.selectedCandidatePairId);
            const remote = all.find((s) => s.id === pair?.remoteCandidateId);
            return { ...inbound, protocol: remote?.protocol };
        }"""
    )
    return found


KEEP_PEERS = """
    window.__peers = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) { super(...given); window.__peers.push(this); }
    };
"""
"""A script for `open_page`: the page's connections, for `statistics()`."""
