"""What is left of a recording: by our own reader, by ffmpeg, by Chromium, and in the catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from playwright.async_api import Page

from flow.codec.tlog import read_tlog
from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ
from recordings.folders import CATALOGUE_FILE, TLOG_FILE, flights_folder, segments_in
from recordings.segment_file import read_index
from tests.browser.harness import chromium

PLAYS_WITHIN_S = 20.0
_NS_PER_TICK = 1e9 / CLOCK_RATE_HZ
_PLAY = """async ([url, mime]) => {
  const source = new MediaSource(), video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(source);
  document.body.replaceChildren(video);
  await new Promise((open) => source.addEventListener('sourceopen', open, { once: true }));
  const buffer = source.addSourceBuffer(mime);
  const bytes = await (await fetch(url)).arrayBuffer();
  await new Promise((done, fail) => {
    buffer.addEventListener('updateend', done, { once: true });
    buffer.addEventListener('error', () => fail(new Error('refused')), { once: true });
    buffer.appendBuffer(bytes);
  });
  source.endOfStream();
  const end = buffer.buffered.end(buffer.buffered.length - 1);
  const wanted = Math.max(0, end - 0.2);
  const shown = new Promise((seen) => {
    const look = (_, { mediaTime }) =>
      mediaTime >= wanted - 0.3 ? seen(mediaTime) : video.requestVideoFrameCallback(look);
    video.requestVideoFrameCallback(look);
  });
  video.currentTime = wanted;
  return { end, shown: await shown, error: video.error && video.error.message };
}"""


@dataclass(frozen=True, slots=True)
class Last:
    """The newest segment of a feed, and where it ends: Lagebild time, and seconds from its own start."""

    feed_id: str
    path: Path
    mime: str
    began_ns: int
    end_ns: int
    length_s: float
    pictures: int


def last_of_each_feed(root: Path) -> dict[str, Last]:
    """Of every feed of every flight the segment that ends last; empty ones are left out."""
    newest: dict[str, Last] = {}
    for flight in _flights(root):
        for feed, _, path in segments_in(flight):
            with contextlib.suppress(MalformedError):
                last = _last(feed, path)
                if last and (feed not in newest or newest[feed].end_ns < last.end_ns):
                    newest[feed] = last
    return newest


def _last(feed: str, path: Path) -> Last | None:
    index = read_index(path)
    if not index.fragments:
        return None
    first, last = index.fragments[0], index.fragments[-1]
    return Last(
        feed,
        path,
        index.mime,
        first.utc_ns,
        last.utc_ns + round((last.end_90k - last.dts_90k) * _NS_PER_TICK),
        (last.end_90k - first.dts_90k) / CLOCK_RATE_HZ,
        sum(fragment.pictures for fragment in index.fragments),
    )


def last_message_ns(root: Path) -> int | None:
    """When the newest telemetry message in any .tlog came."""
    times: list[int] = []
    for flight in _flights(root):
        with contextlib.suppress(OSError), (flight / TLOG_FILE).open("rb") as file:
            times += [utc_us for utc_us, _ in read_tlog(file)][-1:]
    return max(times) * 1000 if times else None


def _flights(root: Path) -> Iterator[Path]:
    folder = flights_folder(root)
    return iter(sorted(path for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else iter(())


async def decoded(path: Path) -> tuple[int, str]:
    """(pictures that ffmpeg decodes, what it complains of)."""
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-threads", "1", "-i", str(path),
        "-fps_mode", "passthrough", "-f", "framemd5", "-",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, complaint = await process.communicate()
    pictures = sum(not line.startswith(b"#") for line in told.splitlines())
    return pictures, complaint.decode(errors="replace").strip()


@contextlib.asynccontextmanager
async def players(root: Path) -> AsyncIterator[Page]:
    """A Chromium that can fetch whatever lies below `root`."""
    app = web.Application()
    app.router.add_static("/data", root, follow_symlinks=False)
    app.router.add_get("/", lambda _: _empty())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with chromium() as browser:
            page = await browser.new_page()
            [(host, port, *_)] = [address[:2] for address in runner.addresses]
            await page.goto(f"http://{host}:{port}/")
            yield page
    finally:
        await runner.cleanup()


async def _empty() -> web.Response:
    return web.Response(text="<!doctype html><body></body>", content_type="text/html")


async def played(page: Page, root: Path, last: Last) -> float:
    """Seconds that Chromium can play of a segment, to a picture that it has shown. Raises AssertionError."""
    url = f"/data/{last.path.relative_to(root)}"
    async with asyncio.timeout(PLAYS_WITHIN_S):
        found = await page.evaluate(_PLAY, [url, last.mime])
    assert found["error"] is None, found
    assert found["shown"] >= found["end"] - 0.5, found
    return float(found["end"])


def catalogue_faults(root: Path) -> list[str]:
    """What the catalogue says that the folders do not, and the other way round."""
    database = sqlite3.connect(f"file:{root / CATALOGUE_FILE}?mode=ro", uri=True)
    with contextlib.closing(database):
        [(verdict,)] = database.execute("PRAGMA integrity_check").fetchall()
        listed = {flight for (flight,) in database.execute("SELECT id FROM flights")}
    there = {path.name for path in _flights(root)}
    faults = [] if verdict == "ok" else [f"integrity_check: {verdict}"]
    faults += [f"not in the catalogue: {name}" for name in sorted(there - listed)]
    return faults + [f"only in the catalogue: {name}" for name in sorted(listed - there)]
