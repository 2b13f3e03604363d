"""WHIP (RFC 9725) by stock aiortc: its ICE, its DTLS, its SRTP; the clip as it is, not encoded again."""

from __future__ import annotations

import asyncio
import threading
import time
from fractions import Fraction
from typing import Any

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcrtpparameters import RTCRtpCodecCapability

from flow.units import CLOCK_RATE_HZ

from . import Target

WITHIN_S = 5.0
_H264 = RTCRtpCodecCapability(
    mimeType="video/H264",
    clockRate=CLOCK_RATE_HZ,
    parameters={"level-asymmetry-allowed": "1", "packetization-mode": "1", "profile-level-id": "42e01f"},
)


class _Clip(MediaStreamTrack):
    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self.pictures: asyncio.Queue[av.Packet[Any]] = asyncio.Queue()

    async def recv(self) -> Any:
        return await self.pictures.get()


class WhipSender:
    """See Sender. Its time is before aiortc protects a picture's last packet and sends it."""

    def __init__(self, target: Target) -> None:
        self._url = f"http://{target.host}:{target.port}/live/{target.feed_id}/whip"
        self._key = target.key
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._peer: RTCPeerConnection | None = None
        self._track = _Clip()
        self._written: asyncio.Queue[int] = asyncio.Queue()

    def connect(self) -> None:
        self._wait(self._connect())

    def send(self, picture: bytes, pts_90k: int) -> int:
        packet = av.Packet(picture)
        packet.time_base, packet.pts, packet.dts = Fraction(1, CLOCK_RATE_HZ), pts_90k, pts_90k
        return int(self._wait(self._send(packet)))

    def close(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None:
            self._wait(peer.close())

    def _wait(self, work: Any) -> Any:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise OSError(f"WHIP: {error or 'too slow'}") from error

    async def _send(self, packet: av.Packet[Any]) -> int:
        if self._peer is None or self._peer.connectionState != "connected":
            raise ConnectionResetError("WHIP: the session has ended")
        while not self._written.empty():  # of a packet that was sent again
            self._written.get_nowait()
        await self._track.pictures.put(packet)
        return await self._written.get()

    async def _connect(self) -> None:
        self._peer = peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._track, self._written = _Clip(), asyncio.Queue()
        transceiver = peer.addTransceiver(self._track, direction="sendonly")
        transceiver.setCodecPreferences([_H264])
        self._listen_in(transceiver.sender.transport)
        connected = asyncio.Event()

        def changed() -> None:
            if peer.connectionState == "connected":
                connected.set()

        peer.on("connectionstatechange", changed)
        await peer.setLocalDescription(await peer.createOffer())
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self._key}"}
        offer = peer.localDescription.sdp
        async with (
            aiohttp.ClientSession() as http,
            http.post(self._url, data=offer, headers=headers) as reply,
        ):
            answer = await reply.text()
            if reply.status != 201:
                raise ConnectionRefusedError(f"WHIP is refused: {reply.status} {answer.strip()[:200]}")
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await connected.wait()

    def _listen_in(self, transport: Any) -> None:
        """Note the time of each last packet: the one with the marker."""
        send_on = transport._send_rtp

        async def send(data: bytes) -> None:
            at_ns = time.monotonic_ns()
            await send_on(data)
            if data[1] & 0x80 and not 192 <= data[1] <= 223:
                self._written.put_nowait(at_ns)

        transport._send_rtp = send
