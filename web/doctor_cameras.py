"""Calls each camera that Lagebild fetches pictures from, once, as the service would: what does it answer?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from flow.clock import NS_PER_S, SystemClock
from flow.errors import ConfigError, LagebildError
from flow.flights import SourceState
from ingest.addresses import shown
from ingest.open import open_source
from ingest.protocol.events import ForeignPicture, SourceEvent
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.settings import PUSHED, FeedSource
from ingest.sources import Source

from .doctor_report import Finding, fail, ok, warn
from .settings import FeedSettings, Settings

CALL_MOST_S = 5.0

_LISTENING = ("rtp", "udp")
_AWAY = {"unreachable", "no_answer", "connection_lost", "server_refused", "source_failed", "no_packets"}
"""Of a camera that may be switched off, or busy with us: nothing of the configuration need be wrong."""

_TODO = {
    "auth_refused": "correct user and password in `source`",
    "not_found": "compare what stands behind the host in `source` with what the camera shows",
    "not_rtsp": "compare the port in `source`: something else listens there",
    "redirected": "write the address that it leads to, if you know it",
    "transport_refused": 'set the feed\'s transport = "auto"',
    "passphrase_wrong": "compare the passphrase in `source` with the encoder's",
    "srt_refused": "compare the stream id in `source` with what the encoder expects",
    "no_fps": "give the feed's `fps`: such a file does not say",
    "no_video": "let the camera send a picture, not only sound",
    "unsupported_codec": "set the camera to H.264",
}
_LATE = {"waiting_for_keyframe", "no_keyframe"}
_TODO_LATE = "set the camera to a keyframe every 2 s: nobody sees anything before the first one"
_TODO_AWAY = (
    "switch it on and see that it can be reached; some serve one caller only, and that may be Lagebild"
)


def check_cameras(settings: Settings) -> list[Finding]:
    """What every camera that is called by us answers; all at once, and no longer than `CALL_MOST_S`."""
    feeds = [feed for aircraft in settings.aircraft for feed in aircraft.feed]
    return asyncio.run(_visited(feeds))


def as_source(feed: FeedSettings) -> FeedSource:
    """The feed as ingest opens it."""
    return FeedSource(feed.id, feed.source, fps=feed.fps, transport=feed.transport)


async def _visited(feeds: Iterable[FeedSettings]) -> list[Finding]:
    visits = [_visit(feed, source) for feed in feeds if (source := _called(feed)) is not None]
    return [finding for finding in await asyncio.gather(*visits) if finding is not None]


def _called(feed: FeedSettings) -> Source | None:
    """None where nobody is to be called, or where the configuration is at fault, as is told already."""
    scheme = feed.source.partition(":")[0].lower()
    path = Path(feed.source.removeprefix("file:").removeprefix("//"))
    is_file = scheme == "file" or "/" in scheme or ":" not in feed.source
    if feed.source in PUSHED or scheme in _LISTENING or (is_file and not path.is_file()):
        return None
    try:
        return open_source(as_source(feed), SystemClock())
    except ConfigError:
        return None


async def _visit(feed: FeedSettings, source: Source) -> Finding | None:
    name, visit = f"feed '{feed.id}'", _Visit(shown(feed.source))
    try:
        async with asyncio.timeout(CALL_MOST_S):
            await visit.until_a_picture_comes(source)
    except TimeoutError:
        state = visit.state()
        what = f"{name}: no picture within {CALL_MOST_S:g} s: {state.detail}"
        return warn("camera", what, _TODO_LATE if state.reason in _LATE else _TODO_AWAY)
    except LagebildError as error:
        if error.code == "srt_missing":
            return None  # a finding of its own
        if error.code in _AWAY:
            return warn("camera", f"{name}: {error}", _TODO_AWAY)
        return fail("camera", f"{name}: {error}", _TODO.get(error.code, "see docs/ingest.md"))
    return ok("camera", f"{name}: {shown(feed.source)} sends {visit.found}")


class _Visit:
    """What comes of one call. `found` says what the pictures are."""

    def __init__(self, where: str) -> None:
        self.found = ""
        self._clock = SystemClock()
        patience = Patience(stalled_after_ns=NS_PER_S)
        self._feed = Feed("doctor", where, patience, self._clock.now_ns())
        self._came = asyncio.Event()

    async def until_a_picture_comes(self, source: Source) -> None:
        """Raises LagebildError as the source does, also where it ends before that."""
        running, coming = (
            asyncio.ensure_future(source.run(self._take)),
            asyncio.ensure_future(self._came.wait()),
        )
        try:
            await asyncio.wait((running, coming), return_when=asyncio.FIRST_COMPLETED)
            if not self._came.is_set():
                await running
                raise LagebildError("it ends without a picture", code="no_video")
        finally:
            running.cancel()
            coming.cancel()
            await asyncio.gather(running, coming, return_exceptions=True)

    def state(self) -> SourceState:
        """Also why no picture has come (yet)."""
        self._feed.tick(self._clock.now_ns())
        return self._feed.state()

    def _take(self, event: SourceEvent) -> None:
        if isinstance(event, ForeignPicture):
            self.found = f"{event.info.codec}, which is transcoded"
        elif not self._feed.handle(event, self._clock.now_ns()):
            return
        elif config := self.state().config:
            codec = config.codec.upper().replace("H26", "H.26")
            self.found = f"{codec}, {config.width_px} x {config.height_px}"
        self._came.set()
