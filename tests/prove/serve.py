"""`python -m tests.prove.serve lagebild|stock [ADDRESS …]`: a relay and its feed in a process of their own.

Speaks JSON lines: {"offer": sdp} is answered by {"answer": sdp, "feed_began_ns": monotonic}.
"""

from __future__ import annotations

import asyncio
import json
import sys

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from flow.bus import Bus
from relay.settings import RelaySettings
from tests.bench.peers.stock import PictureTrack

from .clip import numbered_clip
from .house import FEED, open_house
from .lines import lines_of_stdin


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def stock_answer(bus: Bus, offer_sdp: str) -> str:
    """Stock aiortc for one viewer, as in the benchmark; it lives as long as the process."""
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    # The track and its codec come before the offer, or H.264 goes out labelled VP8.
    transceiver = pc.addTransceiver(PictureTrack(bus.from_keyframe(FEED)), direction="sendonly")
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([c for c in known if c.mimeType == "video/H264"])
    await pc.setRemoteDescription(RTCSessionDescription(offer_sdp, "offer"))
    await pc.setLocalDescription(await pc.createAnswer())
    return str(pc.localDescription.sdp)


async def serve(kind: str, addresses: list[str]) -> None:
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: addresses
    settings = RelaySettings(addresses=tuple(addresses))
    async with open_house(numbered_clip().pictures, settings) as house:
        house.feed()
        async for line in lines_of_stdin():
            if kind == "stock":
                sdp = await stock_answer(house.bus, line["offer"])
            else:
                sdp = (await house.relay.answer(FEED, line["offer"])).sdp
            say(answer=sdp, feed_began_ns=house.feeder.began_ns)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2:] or ["127.0.0.1"]))
