"""MPEG-TS datagrams: finds the video stream and turns its PES packets into pictures."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from flow.clock import NS_PER_S
from flow.codec.annexb import AccessUnitSplitter, split_nal_units
from flow.codec.mpegts import PesPacket, StreamType, TsDemuxer
from flow.codec.nal import RULES
from flow.codec.rtp import is_rtcp, parse_rtp
from flow.errors import MalformedError
from flow.units import Codec

from .events import Heard, PacketsLost, SourceEvent, SourcePicture, Unusable

_SYNC = b"\x47"
_PACKET_BYTES = 188
_CODECS: dict[int, Codec] = {StreamType.H264: Codec.H264, StreamType.H265: Codec.H265}
_OTHER_VIDEO = {0x01: "MPEG-1 video", 0x02: "MPEG-2 video", 0x10: "MPEG-4 video", 0x33: "H.266"}
_SILENT_NS = NS_PER_S
"""A stream this long silent makes place for another one of the same multiplex."""


class TsStream:
    """One port. Of several video streams the first one that carries pictures is followed."""

    SCHEME: ClassVar = "udp"
    TIMESTAMP_BITS: ClassVar = 33

    def __init__(self) -> None:
        self._demuxer = TsDemuxer()
        self._pid: int | None = None
        self._heard_ns = 0
        self._lost = 0
        self._last_pts = 0
        self._last_dts = 0
        self._step = 0  # between the last two pictures

    def handle(self, datagram: bytes, sender: str, now_ns: int) -> list[SourceEvent]:
        """Take one datagram from `sender` ("address:port"): transport packets, bare or in RTP (RFC 2250)."""
        try:
            data = _without_rtp(datagram)
        except MalformedError as error:
            return [Unusable("not_video", f"a datagram of {len(datagram)} bytes from {sender}: {error}")]
        if not data:
            return []
        packets = self._demuxer.push(data)
        events = [Heard(), *self._new_losses(), *self._named_others(sender)]
        for packet in packets:
            if packet.stream_type in _CODECS and self._follows(packet.pid, now_ns):
                events += self._pictures(packet, now_ns)
        return events

    def _new_losses(self) -> list[SourceEvent]:
        told, self._lost = self._lost, self._demuxer.continuity_errors
        return [PacketsLost(self._lost - told)] if self._lost > told else []

    def _named_others(self, sender: str) -> list[SourceEvent]:
        kinds = self._demuxer.streams.values()
        if any(kind in _CODECS for kind in kinds):
            return []
        named = [_OTHER_VIDEO[kind] for kind in kinds if kind in _OTHER_VIDEO]
        return [
            Unusable("unsupported_codec", f"{name} from {sender}; only H.264 and H.265 can be shown")
            for name in named[:1]
        ]

    def _follows(self, pid: int, now_ns: int) -> bool:
        if pid != self._pid and self._pid is not None and now_ns - self._heard_ns < _SILENT_NS:
            return False
        self._pid, self._heard_ns = pid, now_ns
        return True

    def _pictures(self, packet: PesPacket, now_ns: int) -> list[SourceEvent]:
        codec = _CODECS[packet.stream_type]
        if packet.damaged:
            return [SourcePicture(codec, packet.data, 0, 0, now_ns, damaged=True)]
        splitter = AccessUnitSplitter(codec)
        events: list[SourceEvent] = []
        for index, unit in enumerate(splitter.push(packet.data) + splitter.flush()):
            pts, dts = self._times(packet if index == 0 else None)
            # What is missing before a keyframe does not matter to it, and between pictures is one of them.
            damaged = index == 0 and packet.gap_before and not is_keyframe(codec, unit)
            events.append(SourcePicture(codec, unit, pts, dts, now_ns, damaged))
        return events

    def _times(self, packet: PesPacket | None) -> tuple[int, int]:
        """Of a picture that begins a PES packet; one that has no times of its own follows the one before."""
        if packet is None or packet.pts_90k is None:
            pts, dts = self._last_pts + self._step, self._last_dts + self._step
        else:
            pts = packet.pts_90k
            dts = pts if packet.dts_90k is None else packet.dts_90k
            self._step = max(0, dts - self._last_dts)
        self._last_pts, self._last_dts = pts, dts
        return pts, dts


def is_keyframe(codec: Codec, unit: bytes) -> bool:
    """Whether decoding can begin at this access unit."""
    return RULES[codec].is_keyframe(split_nal_units(unit))


def _without_rtp(datagram: bytes) -> bytes:
    """The transport packets of a datagram, b"" for RTCP. Raises MalformedError if there are none in it."""
    if _is_transport(datagram):
        return datagram
    if is_rtcp(datagram):
        return b""
    with suppress(MalformedError):
        payload = parse_rtp(datagram).payload
        if _is_transport(payload):
            return payload
    raise MalformedError("no MPEG-TS packets (ISO/IEC 13818-1 2.4.3)")


def _is_transport(data: bytes) -> bool:
    """Whether this begins with a whole transport packet, and another one behind it if there is more."""
    begins = data[:1] == _SYNC and len(data) >= _PACKET_BYTES
    return begins and data[_PACKET_BYTES : _PACKET_BYTES + 1] in (b"", _SYNC)
