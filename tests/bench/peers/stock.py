"""Stock aiortc as a relay: `python -m tests.bench.peers.stock ADDRESS RTP_PORT HTTP_PORT [ALLOWED_SENDER]`.

Unmodified aiortc packs, protects and sends every viewer's copy; pictures come from our own ingest and are not
decoded. A viewer gets what comes after it joined, as from any track without a cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from fractions import Fraction
from typing import Any

from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import Packet

from flow.bus import Reader
from flow.clock import SystemClock
from flow.memory_bus import MemoryBus
from flow.units import CLOCK_RATE_HZ, AccessUnit
from ingest.settings import FeedSource, IngestSettings
from ingest.supervisor import Ingest

FEED = "bench"
_TIME_BASE = Fraction(1, CLOCK_RATE_HZ)


class PictureTrack(MediaStreamTrack):
    """The pictures that a reader gets, as encoded packets."""

    kind = "video"

    def __init__(self, reader: Reader[AccessUnit]) -> None:
        super().__init__()
        self._reader = reader
        reader.drain()  # the cached group

    async def recv(self) -> Packet[Any]:
        async for unit in self._reader:
            packet = Packet(unit.data)
            packet.pts, packet.time_base = unit.pts_90k, _TIME_BASE
            return packet
        raise MediaStreamError

    def stop(self) -> None:
        self._reader.close()
        super().stop()


class StockRelay:
    """WHEP for one feed."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self._numbers = itertools.count(1)
        self._sessions: dict[str, RTCPeerConnection] = {}
        self._gone: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Close the sessions whose viewers went, until cancelled."""
        while True:
            await self._end(await self._gone.get())

    async def offer(self, request: web.Request) -> web.Response:
        session = str(next(self._numbers))
        viewer = self._sessions[session] = RTCPeerConnection(RTCConfiguration(iceServers=[]))

        def changed() -> None:
            if viewer.connectionState in ("failed", "closed"):
                self._gone.put_nowait(session)

        viewer.on("connectionstatechange", changed)
        # Before the offer is set, or H.264 goes out labelled VP8.
        track = PictureTrack(self._bus.from_keyframe(FEED))
        transceiver = viewer.addTransceiver(track, direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([c for c in known if c.mimeType == "video/H264"])
        await viewer.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await viewer.setLocalDescription(await viewer.createAnswer())
        return web.Response(
            status=201,
            text=viewer.localDescription.sdp,
            content_type="application/sdp",
            headers={"Location": f"/whep/{session}"},
        )

    async def leave(self, request: web.Request) -> web.Response:
        await self._end(request.match_info["session"])
        return web.Response()

    async def _end(self, session: str) -> None:
        viewer = self._sessions.pop(session, None)
        if viewer is not None:
            for sender in viewer.getSenders():
                if sender.track is not None:  # the viewer has closed, and aiortc taken it away
                    sender.track.stop()
            await viewer.close()


async def main(address: str, rtp_port: int, http_port: int, allowed: tuple[str, ...]) -> None:
    """Serve until cancelled."""
    bus = MemoryBus()
    relay = StockRelay(bus)
    app = web.Application()
    app.add_routes([web.post("/whep", relay.offer), web.delete("/whep/{session}", relay.leave)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, address, http_port).start()
    source = FeedSource(FEED, f"rtp://{address}:{rtp_port}", trust_clock=True, allow_from=allowed)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Ingest(bus, SystemClock(), IngestSettings((source,))).run())
            tasks.create_task(relay.run())
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), tuple(sys.argv[4:])))
