"""MPEG-TS datagrams: the video stream's PES packets become pictures, and KLV goes beside them."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.annexb import AccessUnitSplitter, is_splintered, split_nal_units
from flow.codec.eg0104 import EG0104_KEY
from flow.codec.mpegts import PesPacket, StreamType, TsDemuxer
from flow.codec.nal import RULES
from flow.codec.rtp import is_rtcp, parse_rtp, signed_distance
from flow.codec.st0601 import ST0601_KEY
from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ, Codec

from .events import (
    ForeignPicture,
    Heard,
    PacketsLost,
    Restarted,
    SourceEvent,
    SourcePicture,
    StreamInfo,
    Unusable,
)
from .ts_metadata import CARRIED, TsMetadata

_SYNC = 0x47
_PACKET_BYTES = 188
_CERTAIN = 3  # sync bytes a packet apart that are no chance: among random bytes one datagram in 90,000
_CODECS: dict[int, Codec] = {StreamType.H264: Codec.H264, StreamType.H265: Codec.H265}
_FOREIGN: dict[int, StreamInfo] = {
    StreamType.MPEG1_VIDEO: StreamInfo("mpeg1video"),
    StreamType.MPEG2_VIDEO: StreamInfo("mpeg2video"),
    StreamType.MPEG4_VIDEO: StreamInfo("mpeg4"),
}
_OTHER_VIDEO = {0x21: "JPEG 2000", 0x33: "H.266", 0x42: "AVS", 0xD1: "Dirac", 0xEA: "VC-1"}
_SILENT_NS = NS_PER_S
"""A stream this long silent makes place for another one of the same multiplex."""

_BESIDE_SILENT_NS = 5 * NS_PER_S  # metadata come less often
_POSES = ST0601_KEY, EG0104_KEY

_TAKEOVER_NS = 200 * NS_PER_MS
"""A sender this long silent may be followed by another one."""

_NO_PACKETS = "no MPEG-TS packets (ISO/IEC 13818-1 2.4.3)"
_STEP_BACK_MOST = CLOCK_RATE_HZ  # a multiplexer may mend its clock; further back begins another run


class TsStream:
    """One port, one sender: another one takes over once the first is silent, and counts as a restart. Of
    several video streams the first one that carries pictures is followed.

    Datagrams need not hold whole transport packets (plain `ffmpeg -f mpegts udp://` cuts at 1472 bytes):
    once a sender is known by its sync bytes, all that it sends is one byte stream.
    """

    SCHEME: ClassVar = "udp"
    TIMESTAMP_BITS: ClassVar = 33

    def __init__(self) -> None:
        self._demuxer = TsDemuxer()
        self._metadata = TsMetadata()
        self._sender = ""
        self._sent_ns = 0  # when the sender was last heard
        self._in_rtp = False
        self._pid: int | None = None
        self._heard_ns = 0  # when the video stream was
        self._beside_pid: int | None = None  # of the metadata stream
        self._beside_ns = 0  # when that was heard
        self._lost = 0
        self._last_pts = 0
        self._last_dts: int | None = None
        self._step = 0  # between the last two pictures

    def handle(self, datagram: bytes, sender: str, now_ns: int) -> list[SourceEvent]:
        """Take one datagram from `sender` ("address:port"): transport packets, bare or in RTP (RFC 2250)."""
        if sender == self._sender and not self._in_rtp:
            return self._take(datagram, now_ns)
        try:
            data, in_rtp = _transport(datagram)
        except MalformedError as error:
            return [Unusable("not_video", f"a datagram of {len(datagram)} bytes from {sender}: {error}")]
        if not data:
            return []
        if sender == self._sender:
            self._in_rtp = in_rtp
            return self._take(data, now_ns)
        if self._sender and now_ns - self._sent_ns < _TAKEOVER_NS:
            return [Unusable("not_video", f"a second sender, {sender}, beside {self._sender} on one port")]
        return self._follow(sender, in_rtp) + self._take(data, now_ns)

    def _follow(self, sender: str, in_rtp: bool) -> list[SourceEvent]:
        events: list[SourceEvent] = [Restarted()] if self._sender else []
        self._demuxer, self._lost, self._pid, self._last_dts = TsDemuxer(), 0, None, None
        self._metadata, self._beside_pid = TsMetadata(), None
        self._sender, self._in_rtp = sender, in_rtp
        return events

    def _take(self, data: bytes, now_ns: int) -> list[SourceEvent]:
        packets = self._demuxer.push(data)
        others = self._named_others(self._sender)
        events: list[SourceEvent] = [] if others else [Heard()]  # what cannot be shown explains the silence
        if data and self._demuxer.synchronous:
            self._sent_ns = now_ns
        else:
            what = f"a datagram of {len(data)} bytes from {self._sender}: {_NO_PACKETS}"
            events = [Unusable("not_video", what)]
        events += [*self._new_losses(), *others]
        for packet in packets:
            if packet.stream_type in _CODECS and self._follows(packet.pid, now_ns):
                events += self._pictures(packet, now_ns)
            elif packet.stream_type in _FOREIGN and self._follows(packet.pid, now_ns):
                events += self._foreign(packet, now_ns)
            elif packet.stream_type in CARRIED:
                events += self._beside(packet, now_ns)
        return events

    def _new_losses(self) -> list[SourceEvent]:
        told, self._lost = self._lost, self._demuxer.continuity_errors
        return [PacketsLost(self._lost - told)] if self._lost > told else []

    def _named_others(self, sender: str) -> list[SourceEvent]:
        kinds = self._demuxer.streams.values()
        if any(kind in _CODECS or kind in _FOREIGN for kind in kinds):
            return []
        named = [_OTHER_VIDEO[kind] for kind in kinds if kind in _OTHER_VIDEO]
        return [
            Unusable("unsupported_codec", f"{name} from {sender}; it cannot be shown") for name in named[:1]
        ]

    def _follows(self, pid: int, now_ns: int) -> bool:
        if pid != self._pid and self._pid is not None and now_ns - self._heard_ns < _SILENT_NS:
            return False
        self._pid, self._heard_ns = pid, now_ns
        return True

    def _beside(self, packet: PesPacket, now_ns: int) -> list[SourceEvent]:
        """The sets of a metadata stream. Of several that tell where a camera is and looks the first is
        followed, as of pictures: two of them would tell of two cameras by turns."""
        return [
            each
            for each in self._metadata.take(packet, now_ns)
            if not each.data.startswith(_POSES) or self._follows_beside(packet.pid, now_ns)
        ]

    def _follows_beside(self, pid: int, now_ns: int) -> bool:
        if self._is_of_others(pid):
            return False
        kept, is_silent = self._beside_pid, now_ns - self._beside_ns >= _BESIDE_SILENT_NS
        if kept is not None and kept != pid and not is_silent and self._is_named(kept):
            return False
        self._beside_pid, self._beside_ns = pid, now_ns
        return True

    def _is_named(self, pid: int) -> bool:
        """Whether the program maps still name a metadata stream that may be followed."""
        return pid in self._demuxer.streams and not self._is_of_others(pid)

    def _is_of_others(self, pid: int) -> bool:
        """Whether a stream belongs to other pictures than those that are followed."""
        if self._pid is None:
            return False
        beside = self._demuxer.beside(pid)
        return self._pid not in beside and any(
            kind in _CODECS or kind in _FOREIGN for kind in beside.values()
        )

    def _pictures(self, packet: PesPacket, now_ns: int) -> list[SourceEvent]:
        codec = _CODECS[packet.stream_type]
        if packet.damaged or is_splintered(packet.data):
            return [SourcePicture(codec, packet.data, 0, 0, now_ns, damaged=True)]
        splitter = AccessUnitSplitter(codec)
        events: list[SourceEvent] = [Restarted()] if self._begins_anew(packet) else []
        for index, unit in enumerate(splitter.push(packet.data) + splitter.flush()):
            pts, dts = self._times(packet if index == 0 else None)
            # What is missing before a keyframe does not matter to it, and between pictures is one of them.
            damaged = index == 0 and packet.gap_before and not is_keyframe(codec, unit)
            events.append(SourcePicture(codec, unit, pts, dts, now_ns, damaged))
        return events

    def _foreign(self, packet: PesPacket, now_ns: int) -> list[SourceEvent]:
        """One PES packet is taken for one picture, as every multiplexer of a camera makes it."""
        if packet.damaged:
            return []  # PacketsLost tells; the decoder goes on from what it has
        events: list[SourceEvent] = [Restarted()] if self._begins_anew(packet) else []
        pts, dts = self._times(packet)
        return [*events, ForeignPicture(_FOREIGN[packet.stream_type], packet.data, pts, dts, now_ns)]

    def _begins_anew(self, packet: PesPacket) -> bool:
        """Whether its time lies before that of the last picture, beyond what a wrap or B-frames explain."""
        dts = packet.pts_90k if packet.dts_90k is None else packet.dts_90k
        if dts is None or self._last_dts is None:
            return False
        return signed_distance(self._last_dts, dts, 1 << self.TIMESTAMP_BITS) < -_STEP_BACK_MOST

    def _times(self, packet: PesPacket | None) -> tuple[int, int]:
        """Of a picture that begins a PES packet; one that has no times of its own follows the one before."""
        if packet is None or packet.pts_90k is None:
            pts, dts = self._last_pts + self._step, (self._last_dts or 0) + self._step
        else:
            pts = packet.pts_90k
            dts = pts if packet.dts_90k is None else packet.dts_90k
            self._step = 0 if self._last_dts is None else max(0, dts - self._last_dts)
        self._last_pts, self._last_dts = pts, dts
        return pts, dts


def is_keyframe(codec: Codec, unit: bytes) -> bool:
    """Whether decoding can begin at this access unit."""
    return RULES[codec].is_keyframe(split_nal_units(unit))


def _transport(datagram: bytes) -> tuple[bytes, bool]:
    """What a datagram holds of a transport stream, b"" for RTCP, and whether it was in RTP.

    Raises MalformedError if it is nothing of one.
    """
    if _is_aligned(datagram):
        return datagram, False
    if is_rtcp(datagram):
        return b"", True
    with suppress(MalformedError):
        payload = parse_rtp(datagram).payload
        if _is_aligned(payload):
            return payload, True
    if _is_cut_anywhere(datagram):
        return datagram, False
    raise MalformedError(_NO_PACKETS)


def _is_aligned(data: bytes) -> bool:
    """Whether this begins with a whole transport packet, and another one behind it if there is more."""
    begins = len(data) >= _PACKET_BYTES and data[0] == _SYNC
    return begins and (len(data) == _PACKET_BYTES or data[_PACKET_BYTES] == _SYNC)


def _is_cut_anywhere(data: bytes) -> bool:
    """Whether sync bytes a packet apart go through all of this."""
    runs = (data[start::_PACKET_BYTES] for start in range(_PACKET_BYTES))
    return any(len(run) >= _CERTAIN and not run.strip(bytes((_SYNC,))) for run in runs)
