"""An independent player: a stock aiortc client that decodes what the relay sends.

aiortc counts a decoded frame's `pts` from its first packet; `rtp_timestamps` are the real ones, as received.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.rtp import RtpPacket
from av import VideoFrame


class Player:
    """Makes an offer, takes the answer, decodes."""

    def __init__(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.rtp_timestamps: list[int] = []
        self._record(self.pc.addTransceiver("video", direction="recvonly").receiver)
        self._track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.pc.on("track", self._track.set_result)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.pc.close()

    async def offer(self) -> str:
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    async def play(self, answer_sdp: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(answer_sdp, "answer"))

    def _record(self, receiver: RTCRtpReceiver) -> None:
        handle = receiver._handle_rtp_packet

        async def recorded(packet: RtpPacket, arrival_time_ms: int) -> None:
            if packet.timestamp not in self.rtp_timestamps:
                self.rtp_timestamps.append(packet.timestamp)
            await handle(packet, arrival_time_ms)

        receiver._handle_rtp_packet = recorded  # type: ignore[method-assign]

    async def frame(self) -> VideoFrame:
        """The next decoded picture; its `pts` counts from the first packet."""
        track = await self._track
        frame = await asyncio.wait_for(track.recv(), 10)
        assert isinstance(frame, VideoFrame)
        return frame
