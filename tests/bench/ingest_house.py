"""The service as it ships, tapped, with a feed for each way in and a sender for each feed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from tests.bench.ingest_heard import LIVE, Heard
from tests.bench.peers import BUILD
from tests.bench.peers.place import LOOPBACK
from tests.bench.peers.whep import WhepPeer
from tests.bench.senders import Target
from tests.bench.senders.srt import LATENCY_MS
from web.publish_keys import PublishKeys

WAYS = ("rtsp-udp", "rtsp-tcp", "rtp", "mpegts", "rtmp", "srt", "whip")
_LOOK_EVERY_S = 0.02
_HOST = "127.0.0.1"
_SERVICE = """\
[server]
host = {host}
port = {http_port}
log_level = "info"
data_dir = {data_dir}

[webrtc]
port = {webrtc_port}

[publish]
rtmp_port = {rtmp_port}
srt_port = {srt_port}
srt_latency_ms = {srt_latency_ms}

[viewers]
per_address = 400

[[aircraft]]
id = "bench"
"""
_FEED = """
  [[aircraft.feed]]
  id = {id}
  source = {source}
  transport = {transport}
"""


@cache
def cores() -> tuple[int, int]:
    """The service's and everybody else's, of those this process had at first; the same where it had one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


class IngestHouse(WhepPeer):
    """`heard` tells what came to the bus; `wanted` is a rendition that is needed all the time."""

    def __init__(self, folder: Path, ways: Sequence[str], wanted: str = "", codec: str = "h264") -> None:
        super().__init__(f"ingest-{wanted or 'service'}", LOOPBACK, "/live/")
        self._folder, self._wanted, self._codec = folder, wanted, codec
        self._ways = ways
        self._keys = PublishKeys(folder)
        self._webrtc_port, self._srt_port = LOOPBACK.free_port(), LOOPBACK.free_port()
        self._rtmp_port = _free_tcp_port()
        self.http_port = _free_tcp_port()
        self._whep = f"http://{_HOST}:{self.http_port}/live/{{}}/whep"
        self._ports = {way: _free_tcp_port() if "rtsp" in way else LOOPBACK.free_port() for way in ways}
        self.heard = Heard(folder / "tap")
        self.watch_page(ways[0])

    @property
    def pid(self) -> int:
        [pid] = self.pids
        return pid

    def command(self) -> Sequence[str]:
        file = self._folder / "lagebild.toml"
        file.write_text(self._configuration(), encoding="utf-8")
        script = "tests.bench.ingest_tap"
        serve = ("serve", "--config", str(file))
        return sys.executable, "-m", script, str(self._folder / "tap"), self._wanted, *serve

    def target(self, way: str) -> Target:
        """Where the sender of that way goes, with a key of its own."""
        key = self._keys.make(way) if way in ("rtmp", "srt", "whip") else ""
        common = {"rtmp": self._rtmp_port, "srt": self._srt_port, "whip": self.http_port}
        return Target(_HOST, common.get(way, self._ports[way]), way, key, self._codec)

    def watch_page(self, feed_id: str) -> str:
        """The feed's WHEP address; `join()` goes there from now on."""
        self.url = self._whep.format(feed_id)
        return self.url

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Whether it has become true, looking at what the tap heard."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    self.heard.read()
                    if condition():
                        return True
                    await asyncio.sleep(_LOOK_EVERY_S)
        return False

    async def until_live(self, feed_id: str, within_s: float) -> bool:
        return await self.until(lambda: self._is_live(feed_id), within_s)

    def why_not(self, feed_id: str) -> str:
        """The state of a feed that is not live, in a word or two."""
        state = self.heard.status(feed_id)
        return f"{state.status} {state.reason}".strip() if state else "no state"

    def _is_live(self, feed_id: str) -> bool:
        state = self.heard.status(feed_id)
        return state is not None and state.status == LIVE

    def _configuration(self) -> str:
        values = {
            "host": _HOST,
            "http_port": self.http_port,
            "data_dir": str(self._folder),
            "webrtc_port": self._webrtc_port,
            "rtmp_port": self._rtmp_port,
            "srt_port": self._srt_port,
            "srt_latency_ms": LATENCY_MS,
        }
        text = _SERVICE.format(**{name: json.dumps(value) for name, value in values.items()})
        return text + "".join(self._feed(way) for way in self._ways)

    def _feed(self, way: str) -> str:
        sources = {
            "rtp": f"rtp://{_HOST}:{self._ports[way]}",
            "mpegts": f"udp://{_HOST}:{self._ports[way]}",
            "rtsp-udp": f"rtsp://{_HOST}:{self._ports[way]}/main",
            "rtsp-tcp": f"rtsp://{_HOST}:{self._ports[way]}/main",
        }
        transport = way.partition("-")[2] or "auto"
        entry = {"id": way, "source": sources.get(way, way), "transport": transport}
        return _FEED.format(**{name: json.dumps(value) for name, value in entry.items()})


@contextlib.asynccontextmanager
async def ingest_house(
    ways: Iterable[str], wanted: str = "", codec: str = "h264"
) -> AsyncIterator[IngestHouse]:
    """A folder for the service that is not running yet: `start(core)` it. It is stopped at the end."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lagebild-bench-") as folder:
        house = IngestHouse(Path(folder), tuple(ways), wanted, codec)
        try:
            yield house
        finally:
            await house.stop()


def _free_tcp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
