"""Every relay of the comparison really delivers: a stock aiortc client decodes the clip from it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack, suppress

import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from simulator import strip
from tests.bench import clip, procfs
from tests.bench.feeder import Fed, feeding
from tests.bench.peers import Joined, MissingPeerError, Peer
from tests.bench.peers.place import LOOPBACK, Place, namespace
from tests.bench.peers.roster import PEERS, present

PICTURES = 20
CORE = min(os.sched_getaffinity(0))


async def reachable_place(stack: AsyncExitStack) -> Place:
    """A network namespace where this machine allows one, else loopback."""
    try:
        return await stack.enter_async_context(namespace())
    except MissingPeerError:
        return LOOPBACK


class Client:
    """Offers, or answers an offer; keeps what it decoded."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.pc.on("track", self.track.set_result)

    async def join(self, peer: Peer) -> Joined:
        if peer.offers:
            return await peer.join_reversed(self.answer)
        self.pc.addTransceiver("video", direction="recvonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        joined = await peer.join(self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(joined.sdp, "answer"))
        return joined

    async def answer(self, offer: str) -> str:
        await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return str(self.pc.localDescription.sdp)

    async def frame(self) -> VideoFrame:
        track = await asyncio.wait_for(self.track, 5)
        frame = await asyncio.wait_for(track.recv(), 10)
        assert isinstance(frame, VideoFrame)
        return frame

    async def ended(self) -> None:
        """Wait until the relay has hung up."""
        async with asyncio.timeout(10):
            with suppress(MediaStreamError):
                while True:
                    await self.frame()


async def ages_of_a_run(client: Client, fed: Fed) -> list[float]:
    """Ages in ms of PICTURES decoded pictures that followed each other without a gap.

    What comes first may not decode: a relay need not begin with a keyframe, and Janus's buffered one does not
    belong to what it sends after it.
    """
    run: list[tuple[int, float]] = []
    async with asyncio.timeout(15):
        while len(run) < PICTURES:
            frame = await client.frame()
            now_ms = time.time() * 1000
            read = strip.read(frame.to_ndarray(format="gray"))
            if read is None or (run and read[1] != (run[-1][0] + 1) % clip.PICTURES):
                run.clear()
            if read is not None:
                run.append((read[1], now_ms - fed.captured_ms(read[0], now_ms)))
    return [age for _, age in run]


@pytest.mark.parametrize("name", PEERS)
async def test_a_relay_of_the_comparison_delivers(name: str) -> None:
    async with AsyncExitStack() as stack:
        peers, missing = present(await reachable_place(stack), [name])
        if name in missing:
            pytest.skip(missing[name])
        peer, client = peers[name], Client()
        await peer.start(core=CORE)
        try:
            async with feeding([peer.rtp_target], core=CORE) as fed:
                joined = await client.join(peer)
                ages = await ages_of_a_run(client, fed)
                await joined.leave()
                await client.ended()
            cpu, memory = procfs.cpu_s(peer.pids), procfs.memory(peer.pids)
        finally:
            await client.pc.close()
            await peer.stop()
    assert 0 <= ages[-1] < 1000
    assert cpu > 0
    assert memory.rss_mb > 1
    assert peer.pids == []
