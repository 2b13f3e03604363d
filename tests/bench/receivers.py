"""Cheap viewers for measuring the server: real ICE and DTLS, then packets are counted and thrown away.

`python -m tests.bench.receivers URL FEED COUNT` joins, prints one line `{"joined": N}`, and leaves when its
standard input closes, printing how many packets came.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCDtlsTransport


class CountingViewer:
    """A stock aiortc peer whose media is dropped before SRTP, so that it costs almost nothing here."""

    def __init__(self) -> None:
        self.packets = 0
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        receiver = self._pc.addTransceiver("video", direction="recvonly").receiver
        transport: RTCDtlsTransport = receiver.transport

        async def drop(data: bytes, arrival_time_ms: int) -> None:
            self.packets += 1

        transport._handle_rtp_data = drop  # type: ignore[method-assign]

    async def join(self, session: aiohttp.ClientSession, url: str, feed: str) -> None:
        await self._pc.setLocalDescription(await self._pc.createOffer())
        headers = {"Content-Type": "application/sdp"}
        offer = self._pc.localDescription.sdp
        async with session.post(f"{url}live/{feed}/whep", data=offer, headers=headers) as reply:
            answer = await reply.text()
            if reply.status != 201:
                raise SystemExit(f"join refused: {reply.status} {answer}")
        await self._pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connected(self) -> None:
        async with asyncio.timeout(15):
            while not self.packets:
                await asyncio.sleep(0.05)

    async def leave(self) -> None:
        await self._pc.close()


async def main(url: str, feed: str, count: int) -> None:
    viewers = [CountingViewer() for _ in range(count)]
    async with aiohttp.ClientSession() as session:
        for viewer in viewers:
            await viewer.join(session, url, feed)
        await asyncio.gather(*(v.connected() for v in viewers))
        print(json.dumps({"joined": count}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for viewer in viewers:
            await viewer.leave()
    print(json.dumps({"packets": [v.packets for v in viewers]}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
