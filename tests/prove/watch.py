"""`python -m tests.prove.watch`: a stock aiortc viewer that decodes. Speaks as tests/fakes/gst_player.py."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import aioice.ice
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from .clip import luma_checksum
from .lines import lines_of_stdin


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def show(track: MediaStreamTrack) -> None:
    while True:
        try:
            frame = await track.recv()
        except MediaStreamError:
            return
        assert isinstance(frame, VideoFrame)
        say(luma=luma_checksum(frame), at_ns=time.monotonic_ns(), height=frame.height)


async def main() -> None:
    addresses = sys.argv[1:] or ["127.0.0.1"]
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: addresses
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTransceiver("video", direction="recvonly")
    pc.on("connectionstatechange", lambda: say(state=pc.connectionState))
    shown: list[asyncio.Task[None]] = []
    pc.on("track", lambda track: shown.append(asyncio.ensure_future(show(track))))
    await pc.setLocalDescription(await pc.createOffer())
    say(offer=pc.localDescription.sdp)
    async for line in lines_of_stdin():
        await pc.setRemoteDescription(RTCSessionDescription(line["answer"], "answer"))
    await pc.close()
    await asyncio.gather(*shown)


if __name__ == "__main__":
    asyncio.run(main())
