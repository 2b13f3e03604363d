"""Raw RTP over UDP with H.264 or H.265, RTCP on the same port."""

from __future__ import annotations

from dataclasses import dataclass

from flow.clock import Clock
from ingest.protocol.rtp_stream import RtpStream

from . import Publish
from .udp import Endpoint, listen


@dataclass(frozen=True, slots=True)
class RtpSource:
    """Listens on one port."""

    endpoint: Endpoint
    clock: Clock

    async def run(self, publish: Publish) -> None:
        await listen(self.endpoint, RtpStream(), self.clock, publish)
