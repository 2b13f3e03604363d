"""The seam to aiortc: the only file that touches it, its private names included.

aiortc does ICE, DTLS, SRTP and packetizing here, once per viewer. The pictures go through untouched: its
sender packs `av.Packet`s without decoding them.

Private names used (aiortc 1.16.0, pinned in pyproject.toml; `check_private_names` says which one is gone):
- `aiortc.rtcrtpsender.random32`: the sender draws its RTP timestamp origin from it. All viewers of a feed
  must share one RTP clock (flow.units.rtp_timestamp), so it answers 0 inside the task that sends.
- `aioice.ice.get_host_addresses`: leaves out loopback, and cannot be told which addresses to offer.
- `aiortc.codecs.HEADER_EXTENSIONS` and the sender's `__rtp_header_extensions_map`: neither knows
  playout-delay, without which Chromium plays the cached group at its own pace and stays seconds behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from fractions import Fraction
from typing import Any

import aioice.ice
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    codecs,
    rtcrtpsender,
    rtp,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from av import Packet

from flow.errors import LagebildError, OfferError
from flow.units import CLOCK_RATE_HZ, AccessUnit

PRIVATE_NAMES = (
    (rtcrtpsender, "random32"),
    (aioice.ice, "get_host_addresses"),
    (codecs, "HEADER_EXTENSIONS"),
    (rtp, "HeaderExtensionsMap"),
)
_SENDERS_MAP = "_RTCRtpSender__rtp_header_extensions_map"
_ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
_PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

NextPicture = Callable[[], Awaitable[AccessUnit | None]]
"""Waits for the next picture of a viewer; None when there will be no more."""

CLOSE_WITHIN_S = 5.0

_in_session: ContextVar[bool] = ContextVar("in_session", default=False)
_TIME_BASE = Fraction(1, CLOCK_RATE_HZ)


def check_private_names() -> None:
    """Raise LagebildError naming the private names that this aiortc no longer has."""
    gone = [f"{module.__name__}.{name}" for module, name in PRIVATE_NAMES if not hasattr(module, name)]
    if gone:
        raise LagebildError(f"this version of aiortc or aioice lacks {', '.join(gone)}; 1.16.0 has them")


check_private_names()
_random32: Callable[[], int] = getattr(rtcrtpsender, "random32")  # noqa: B009
_all_host_addresses = aioice.ice.get_host_addresses


def _random32_or_feed_clock() -> int:
    return 0 if _in_session.get() else _random32()


setattr(rtcrtpsender, "random32", _random32_or_feed_clock)  # noqa: B010


def offer_addresses(addresses: Sequence[str]) -> None:
    """Offer exactly these local addresses to every viewer from now on; none named means all, loopback too."""

    def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        chosen = list(addresses) or [*_all_host_addresses(use_ipv4=use_ipv4, use_ipv6=use_ipv6), "127.0.0.1"]
        return [a for a in chosen if (use_ipv6 if ":" in a else use_ipv4)]

    aioice.ice.get_host_addresses = host_addresses


codecs.HEADER_EXTENSIONS["video"] = [
    RTCRtpHeaderExtensionParameters(id=e.id, uri=_PLAYOUT_DELAY) if e.uri == _ABS_SEND_TIME else e
    for e in codecs.HEADER_EXTENSIONS["video"]
]


class _PlayoutDelay(rtp.HeaderExtensionsMap):
    """Sends playout-delay 0/0 ("show it as soon as it is there") where aiortc means to send abs-send-time.

    Both are three bytes; playout-delay holds the least and the most delay in 12 bits each.
    """

    def configure(self, parameters: RTCRtpParameters) -> None:
        extensions = [
            replace(e, uri=_ABS_SEND_TIME) if e.uri == _PLAYOUT_DELAY else e
            for e in parameters.headerExtensions
        ]
        super().configure(replace(parameters, headerExtensions=extensions))

    def set(self, values: rtp.HeaderExtensions) -> tuple[int, bytes]:
        values.abs_send_time = 0
        return super().set(values)


class _PictureTrack(MediaStreamTrack):
    kind = "video"

    def __init__(self, next_picture: NextPicture) -> None:
        super().__init__()
        self._next_picture = next_picture

    async def recv(self) -> Packet[Any]:
        unit = await self._next_picture()
        if unit is None:
            raise MediaStreamError
        packet = Packet(unit.data)
        packet.pts, packet.time_base = unit.rtp_timestamp, _TIME_BASE
        return packet


def _reason(error: Exception) -> str:
    if isinstance(error.__cause__, StopIteration):
        return "an 'a=fmtp' is of a format that no 'a=rtpmap' names (RFC 8866 6.15)"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class ViewerConnection:
    """One peer connection that sends one video track. `on_state` gets each RTCPeerConnectionState."""

    def __init__(self, next_picture: NextPicture, on_state: Callable[[str], None]) -> None:
        # No STUN or TURN server: the service's own addresses are all there is; nothing leaves the host.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._track = _PictureTrack(next_picture)
        self._pc.on("connectionstatechange", lambda: on_state(self._pc.connectionState))

    async def answer(self, offer_sdp: str) -> str:
        """Return the SDP answer, candidates included; raises OfferError for an offer aiortc cannot take."""
        # The track and its codec must be set before the offer, or H.264 goes out labelled VP8.
        transceiver = self._pc.addTransceiver(self._track, direction="sendonly")
        known = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([c for c in known if c.mimeType == "video/H264"])
        if not hasattr(transceiver.sender, _SENDERS_MAP):
            raise LagebildError(f"this version of aiortc lacks RTCRtpSender.{_SENDERS_MAP}; 1.16.0 has it")
        setattr(transceiver.sender, _SENDERS_MAP, _PlayoutDelay())
        try:
            await self._pc.setRemoteDescription(RTCSessionDescription(offer_sdp, "offer"))
            for other in self._pc.getTransceivers():
                if other is not transceiver:
                    other.direction = "inactive"  # audio is never relayed
            answer = await self._pc.createAnswer()
            _in_session.set(True)  # copied into the sending task, which setLocalDescription starts
            await self._pc.setLocalDescription(answer)
        except Exception as error:  # aiortc asserts, indexes and unpacks as it parses
            raise OfferError(f"the SDP offer cannot be answered: {_reason(error)}") from error
        finally:
            _in_session.set(False)
        return str(self._pc.localDescription.sdp)

    async def close(self) -> None:
        """Close and free everything, also when cancelled meanwhile: half-closed, aiortc leaks its tasks.

        Raises TimeoutError after CLOSE_WITHIN_S, and whatever aiortc stumbles over in a half-made connection.
        """
        self._track.stop()
        closing = asyncio.ensure_future(asyncio.wait_for(self._pc.close(), CLOSE_WITHIN_S))
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await asyncio.gather(closing, return_exceptions=True)
            raise
