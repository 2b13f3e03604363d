"""KLV streams of MPEG-TS: PES packets in, whole KLV sets with their times out (MISB ST 1402)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from flow.codec.klv import LABEL, SET_LIMIT_BYTES, KlvSplitter
from flow.codec.metadata_au import MetadataUnits
from flow.codec.mpegts import PesPacket, StreamType
from flow.samples import MetadataKind

from .events import SourceMetadata

CARRIED = frozenset({StreamType.KLV_SYNCHRONOUS, StreamType.KLV_ASYNCHRONOUS})
"""The stream types that are taken here."""
_STREAMS_KEPT = 8


@dataclass(slots=True)
class _Stream:
    """One PID."""

    cells: MetadataUnits = field(default_factory=MetadataUnits)
    sets: KlvSplitter = field(default_factory=KlvSplitter)


class TsMetadata:
    """All KLV streams of one multiplex; as a rule there is one."""

    def __init__(self) -> None:
        self._streams: OrderedDict[int, _Stream] = OrderedDict()  # by PID, the newest last

    def take(self, packet: PesPacket, now_ns: int) -> list[SourceMetadata]:
        """The sets that a packet completes, with its time; [] where nothing in it can be used."""
        stream = self._stream(packet.pid)
        if packet.damaged or packet.gap_before:
            stream.cells.interrupt()
            stream.sets.restart()
        if packet.damaged or len(packet.data) > SET_LIMIT_BYTES:
            return []
        return [
            SourceMetadata(MetadataKind.KLV, data, packet.pts_90k, now_ns)
            for unit in _units(stream, packet)
            for data in _sets(stream, unit)
        ]

    def _stream(self, pid: int) -> _Stream:
        stream = self._streams.setdefault(pid, _Stream())
        if len(self._streams) > _STREAMS_KEPT:  # there are never so many at a time
            self._streams.popitem(last=False)
        return stream


def _units(stream: _Stream, packet: PesPacket) -> list[bytes]:
    """What a packet holds behind cell headers. Some senders call a stream synchronous and leave them out."""
    if packet.stream_type == StreamType.KLV_ASYNCHRONOUS or packet.data.startswith(LABEL):
        return [packet.data]
    return stream.cells.push(packet.data)


def _sets(stream: _Stream, unit: bytes) -> list[bytes]:
    """A set may go on in the next packet, though hardly any does; none goes on in one that begins another."""
    if unit.startswith(LABEL):
        stream.sets.restart()
    return stream.sets.push(unit)
