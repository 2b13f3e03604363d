"""A publisher that encodes nothing but protects everything: real ICE, DTLS, SRTP and RTCP, when told to.

Its STUN is aioice's, its DTLS OpenSSL's and its SRTP pylibsrtp's.
"""

from __future__ import annotations

from flow.codec import h264
from flow.codec.rtp import RtpPacket
from relay.protocol import rtcp
from tests.bench.viewers.dtls import Dtls
from tests.bench.viewers.sdp import Own, offer

from .light_viewer import LightViewer, Wire, identity

SSRC = 0x50554253
PAYLOAD_TYPE = 102


class LightPublisher(LightViewer):
    """`offer()`, `accept()`, `connect()`; then `send()` pictures. `asked` is what it was told by RTCP.

    With `client=False` it is the DTLS server, as ffmpeg is.
    """

    def __init__(self, *, client: bool = True) -> None:
        super().__init__("cm80")
        self._client = client
        self._dtls = Dtls(identity("cm80"), client=client)
        self.asked: list[rtcp.Message] = []
        self.sequence = 65_530  # close to its wrap
        self.timestamp = 0

    def offer(self) -> str:
        own = Own(("127.0.0.1", 9), self._ufrag, self._password, identity("cm80").fingerprint)
        text = offer(own).replace("a=recvonly", "a=sendonly")
        return text if self._client else text.replace("a=setup:actpass", "a=setup:passive")

    async def shake_hands(self) -> None:
        if self._client:
            await super().shake_hands()
        else:
            self._dtls.begun = True
            await self.until(lambda: self._dtls.connected)

    def picture(self, annexb: bytes, step: int = 3000) -> list[bytes]:
        """The RTP packets of the next picture."""
        self.timestamp += step
        payloads = h264.packetize(annexb, 1100)
        packets = []
        for payload in payloads:
            self.sequence = (self.sequence + 1) % 0x10000
            marker = payload is payloads[-1]
            packet = RtpPacket(PAYLOAD_TYPE, marker, self.sequence, self.timestamp, SSRC, payload)
            packets.append(packet.serialize())
        return packets

    def protected(self, packet: bytes) -> bytes:
        """As SRTP; each packet once."""
        assert self._dtls._out is not None
        return bytes(self._dtls._out.protect(packet))

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.wire.send(self.protected(packet))

    def _take(self, datagram: bytes, wire: Wire) -> None:
        if datagram[0] >= 128 and 192 <= datagram[1] <= 223:
            plain = self._dtls.unprotect(datagram)
            assert plain is not None
            self.asked += rtcp.parse(plain)
        else:
            super()._take(datagram, wire)
