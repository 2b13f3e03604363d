"""MPEG-TS over UDP, bare or in RTP."""

from __future__ import annotations

from dataclasses import dataclass

from flow.clock import Clock
from ingest.protocol.ts_stream import TsStream

from . import Publish
from .udp import Endpoint, listen


@dataclass(frozen=True, slots=True)
class MpegTsSource:
    """Listens on one port."""

    endpoint: Endpoint
    clock: Clock

    async def run(self, publish: Publish) -> None:
        await listen(self.endpoint, TsStream(), self.clock, publish)
