"""A picture in MPEG-TS that is of a million NAL units is not cut apart."""

from __future__ import annotations

import time

from flow.codec.annexb import NAL_UNITS_MOST
from flow.codec.pes import PesPacket
from flow.units import Codec
from ingest.protocol.events import SourcePicture
from ingest.protocol.ts_stream import _CODECS, TsStream


def test_it_counts_as_damaged_and_costs_nothing() -> None:
    kind = next(kind for kind, codec in _CODECS.items() if codec is Codec.H264)
    for units, damaged in ((NAL_UNITS_MOST + 1, True), (1_000_000, True), (1, False)):
        packet = PesPacket(
            256, kind, 0, 0, b"\x00\x00\x01\x61\xe0\x11\x22" * units, damaged=False, gap_before=False
        )
        began = time.process_time()
        (event,) = TsStream()._pictures(packet, 0)
        assert time.process_time() - began < 0.2
        assert isinstance(event, SourcePicture)
        assert event.damaged is damaged
