"""MPEG-TS multiplexing (ISO/IEC 13818-1), pure: the pictures of one feed with the KLV that belongs to them.

The metadata is of the synchronous kind of MISB ST 1402: stream_type 0x15, each set behind the header of a
metadata AU cell, with the time stamp of its picture. For readers that do not know it (GStreamer before 1.24)
there is the asynchronous kind: private data, registered as "KLVA", in which the time stamp means nothing to
most, but is there all the same.
"""

from __future__ import annotations

from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec

from .annexb import START_CODE
from .mpegts import PACKET_SIZE, StreamType
from .nal import RULES
from .psi import section

PMT_PID, VIDEO_PID, KLV_PID = 0x1000, 0x0100, 0x0101
DATAGRAM_PACKETS = 7
"""As many as go into an Ethernet frame, and what every reader of MPEG-TS over UDP expects at most."""
SET_LIMIT_BYTES = 0xFFFF - 64
"""Of one KLV set: a PES packet that is not of video tells its length in 16 bits."""

_TABLES_EVERY = CLOCK_RATE_HZ // 10
_HEAD_START = CLOCK_RATE_HZ // 10  # from a picture's arrival to its decoding, as the clock references tell it
_TIMES = 1 << 33
_PAYLOAD = PACKET_SIZE - 4
_PAT_PID, _PROGRAM = 0, 1
_PAT, _PMT = 0x00, 0x02  # table_id, table 2-31
_VIDEO_ID, _METADATA_ID, _PRIVATE_ID = 0xE0, 0xFC, 0xBD  # stream_id, table 2-22
_RANDOM_ACCESS, _HAS_CLOCK = 0x40, 0x10  # of an adaptation field, 2.4.3.5
_STREAM_TYPES = {Codec.H264: StreamType.H264, Codec.H265: StreamType.H265}
_DELIMITERS = {Codec.H264: (9, b"\x09\xf0"), Codec.H265: (35, b"\x46\x01\x50")}  # "any slice may follow"

# 2.6.60: of no particular application (0x0100), format "KLVA", metadata service 0, no decoder configuration.
_METADATA = b"\x26\x09\x01\x00\xffKLVA\x00\x0f"
# 2.6.62: leaks in at 1 Mbit/s (2500 x 400 bit/s) through a buffer of 64 KB; none out, for it is synchronous.
_METADATA_STD = b"\x27\x09\xc0\x09\xc4\xc0\x00\x40\xc0\x00\x00"
_REGISTERED = b"\x05\x04KLVA"  # 2.6.8


class TsWriter:
    """`write` pictures in decoding order; whole transport packets come out."""

    def __init__(self, *, synchronous: bool = True) -> None:
        self._synchronous = synchronous
        self._continuity: dict[int, int] = {}
        self._codec: Codec | None = None
        self._version = -1
        self._tables_dts: int | None = None
        self._cell = 0

    def write(self, unit: AccessUnit, klv: bytes = b"") -> bytes:
        """The picture with a set that belongs to it; tables before every keyframe and ten times a second.

        Raises ValueError for a set above SET_LIMIT_BYTES.
        """
        if len(klv) > SET_LIMIT_BYTES:
            raise ValueError(f"a KLV set of {len(klv)} bytes does not go into a PES packet")
        parts: list[bytes] = []
        if self._are_tables_due(unit):
            self._tables_dts = unit.dts_90k
            parts += self._tables(unit.codec)
        if klv:
            stream_id, data = (_METADATA_ID, self._in_cell(klv)) if self._synchronous else (_PRIVATE_ID, klv)
            parts += self._packets(KLV_PID, _pes(stream_id, data, unit.pts_90k, None))
        picture = _pes(_VIDEO_ID, _delimited(unit), unit.pts_90k, unit.dts_90k)
        parts += self._packets(VIDEO_PID, picture, _clock_field(unit.dts_90k - _HEAD_START, unit.keyframe))
        return b"".join(parts)

    def _are_tables_due(self, unit: AccessUnit) -> bool:
        if unit.keyframe or self._tables_dts is None or unit.codec is not self._codec:
            return True
        return not 0 <= unit.dts_90k - self._tables_dts < _TABLES_EVERY

    def _tables(self, codec: Codec) -> list[bytes]:
        if codec is not self._codec:
            self._codec, self._version = codec, (self._version + 1) % 32
        streams = _stream(_STREAM_TYPES[codec], VIDEO_PID, b"")
        if self._synchronous:
            streams += _stream(StreamType.KLV_SYNCHRONOUS, KLV_PID, _METADATA + _METADATA_STD)
        else:
            streams += _stream(StreamType.KLV_ASYNCHRONOUS, KLV_PID, _REGISTERED)
        # Reserved bits are ones (2.4.4.3, 2.4.4.8); the program has no descriptors of its own.
        programs = _PROGRAM.to_bytes(2, "big") + (0xE000 | PMT_PID).to_bytes(2, "big")
        program_map = (0xE000 | VIDEO_PID).to_bytes(2, "big") + b"\xf0\x00" + streams
        return [
            *self._packets(_PAT_PID, _pointed(section(_PAT, 1, 0, programs))),
            *self._packets(PMT_PID, _pointed(section(_PMT, _PROGRAM, self._version, program_map))),
        ]

    def _in_cell(self, klv: bytes) -> bytes:
        """2.12.4.2: metadata service 0, a whole set in one cell, which decoding may begin with."""
        number, self._cell = self._cell, (self._cell + 1) % 256
        return bytes((0, number, 0b1101_1111)) + len(klv).to_bytes(2, "big") + klv

    def _packets(self, pid: int, unit: bytes, field: bytes = b"") -> list[bytes]:
        """Transport packets of one PES packet or section, with an adaptation field in the first; the last is
        stuffed with one (2.4.3.5), for only that ends it exactly."""
        packets: list[bytes] = []
        at, start = 0, 0x4000
        while at < len(unit):
            room = _PAYLOAD - (1 + len(field) if field else 0)
            payload = unit[at : at + room]
            adaptation = _adaptation(field, room - len(payload))
            counter = self._continuity[pid] = (self._continuity.get(pid, -1) + 1) % 16
            control = 0x30 if adaptation else 0x10
            head = b"\x47" + (start | pid).to_bytes(2, "big") + bytes((control | counter,))
            packets.append(head + adaptation + payload)
            at, start, field = at + room, 0, b""
        return packets


def datagrams(packets: bytes) -> list[bytes]:
    """Transport packets as they are sent by UDP."""
    size = DATAGRAM_PACKETS * PACKET_SIZE
    return [packets[at : at + size] for at in range(0, len(packets), size)]


def _adaptation(field: bytes, missing: int) -> bytes:
    if not field and missing <= 1:
        return b"\x00" * missing  # adaptation_field_length 0 is how one byte is filled
    field = field or b"\x00"
    stuffing = missing if len(field) > 1 else missing - 2
    return bytes((len(field) + stuffing,)) + field + b"\xff" * stuffing


def _clock_field(ticks: int, keyframe: bool) -> bytes:
    """Flags and program_clock_reference, whose extension counts parts of a tick that nobody measured."""
    base = ticks % _TIMES
    flags = _HAS_CLOCK | (_RANDOM_ACCESS if keyframe else 0)
    return bytes((flags,)) + (base << 15 | 0x3F << 9).to_bytes(6, "big")


def _pointed(whole: bytes) -> bytes:
    """A section behind its pointer_field, filled up to a packet's end as 2.4.4 has it."""
    return (b"\x00" + whole).ljust(_PAYLOAD, b"\xff")


def _stream(stream_type: int, pid: int, descriptors: bytes) -> bytes:
    head = bytes((stream_type,)) + (0xE000 | pid).to_bytes(2, "big")
    return head + (0xF000 | len(descriptors)).to_bytes(2, "big") + descriptors


def _pes(stream_id: int, data: bytes, pts: int, dts: int | None) -> bytes:
    """2.4.3.6. The length is told wherever it fits, so that a reader need not wait for the next picture."""
    times = _time(2, pts) if dts is None or dts == pts else _time(3, pts) + _time(1, dts)
    length = 3 + len(times) + len(data)
    told = length if length <= 0xFFFF else 0
    flags = bytes((0x84, 0xC0 if len(times) > 5 else 0x80, len(times)))  # its data begins a picture, or a set
    return b"\x00\x00\x01" + bytes((stream_id,)) + told.to_bytes(2, "big") + flags + times + data


def _time(prefix: int, ticks: int) -> bytes:
    """33 bits in three parts, each followed by a marker bit."""
    ticks %= _TIMES
    parts = prefix << 36 | (ticks >> 30) << 33 | 1 << 32
    return (parts | (ticks >> 15 & 0x7FFF) << 17 | 1 << 16 | (ticks & 0x7FFF) << 1 | 1).to_bytes(5, "big")


def _delimited(unit: AccessUnit) -> bytes:
    """The picture behind an access unit delimiter, which MPEG-TS asks for (2.14.1, 2.17.1)."""
    kind, delimiter = _DELIMITERS[unit.codec]
    begin = unit.data.find(b"\x01", 0, 4) + 1
    first = unit.data[begin : begin + 1]
    return (
        unit.data
        if first and RULES[unit.codec].type_of(first) == kind
        else START_CODE + delimiter + unit.data
    )
