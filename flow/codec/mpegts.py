"""MPEG-TS demultiplexing (ISO/IEC 13818-1), pure and without delay: video and KLV metadata, never audio."""

from __future__ import annotations

from enum import IntEnum
from itertools import islice
from typing import NamedTuple

from flow.errors import MalformedError

from .pes import PesAssembler, PesPacket
from .psi import ElementaryStream, SectionAssembler, parse_pat, parse_pmt

__all__ = ["PesPacket", "StreamType", "TsDemuxer"]

PACKET_SIZE = 188
_SYNC = 0x47
_SYNC_TWICE = bytes((_SYNC, _SYNC))
_NO_MIDDLE = 0xC0  # of the second byte: marked erroneous, or the start of a unit
_PAYLOAD_ALONE = 0x10  # the upper half of the fourth: not scrambled, no adaptation field
_PAT_PID = 0
_PROGRAM_LIMIT = 16
_ENTRY_LIMIT = 64  # named by one program map
_STREAM_LIMIT = 8  # handed out
_KLVA = b"KLVA"


class StreamType(IntEnum):
    """stream_type, table 2-34 and MISB ST 1402: what is handed out."""

    MPEG1_VIDEO = 0x01
    MPEG2_VIDEO = 0x02
    KLV_ASYNCHRONOUS = 0x06  # private data; KLV where it is registered as "KLVA"
    MPEG4_VIDEO = 0x10
    KLV_SYNCHRONOUS = 0x15  # metadata in PES packets, each behind a metadata AU header
    H264 = 0x1B
    H265 = 0x24


class _Packet(NamedTuple):
    """The parts of one transport packet that matter (2.4.3.2)."""

    pid: int
    unit_start: bool
    continuity: int
    payload: bytes
    stuffed: bool
    discontinuity: bool


class _Pid:
    """Continuity of one PID (2.4.3.3): counts up by one with every packet that has a payload."""

    __slots__ = ("due", "payload")

    def __init__(self) -> None:
        self.due: int | None = None
        """What the counter of the next packet will be; None before the first."""
        self.payload = b""
        """The newest packet's."""

    def is_duplicate(self, packet: _Packet) -> bool:
        """A packet may be sent twice in a row; its continuity counter then stays."""
        return (packet.continuity + 1) % 16 == self.due and packet.payload == self.payload

    def follows(self, packet: _Packet) -> bool:
        """Whether nothing is missing before this packet."""
        due, self.due, self.payload = self.due, (packet.continuity + 1) % 16, packet.payload
        return due is None or packet.discontinuity or packet.continuity == due


class TsDemuxer:
    """A transport stream in pieces of any size in, PES packets of its video and KLV streams out.

    Never raises on what a sender sends: `continuity_errors`, `dropped_packets` (marked erroneous,
    scrambled, or contradicting themselves), `bad_sections`, `bad_pes` and `discarded_bytes` (no transport
    packets) count it. Memory is bounded: eight streams, one PES packet of at most 8 MiB each.
    """

    def __init__(self) -> None:
        self.continuity_errors = 0
        self.dropped_packets = 0
        self.discarded_bytes = 0
        self._rest = b""
        self._synchronous = True
        self._pids: dict[int, _Pid] = {}
        self._pat = SectionAssembler()
        self._maps: dict[int, SectionAssembler] = {}
        self._programs: dict[int, list[ElementaryStream]] = {}
        self._streams: dict[int, PesAssembler] = {}
        self._bad_before = 0  # of assemblers that are gone
        self._bad_maps = 0

    @property
    def synchronous(self) -> bool:
        """Whether what was pushed last is, as far as there is a whole packet, the stream and no junk."""
        return self._synchronous

    @property
    def streams(self) -> dict[int, int]:
        """stream_type by PID of everything the program maps name, audio and the unknown included."""
        return {entry.pid: entry.stream_type for entries in self._programs.values() for entry in entries}

    def beside(self, pid: int) -> dict[int, int]:
        """stream_type by PID of the program that `pid` is of, itself included."""
        programs = self._programs.values()
        named = next((each for each in programs if any(entry.pid == pid for entry in each)), [])
        return {entry.pid: entry.stream_type for entry in named}

    @property
    def bad_sections(self) -> int:
        """Program tables with a wrong CRC or wrong lengths."""
        return self._bad_maps + sum(table.bad_sections for table in (self._pat, *self._maps.values()))

    @property
    def bad_pes(self) -> int:
        """PES packets that were none, or too large."""
        return self._bad_before + sum(stream.bad_packets for stream in self._streams.values())

    def push(self, data: bytes) -> list[PesPacket]:
        """Take more of the stream; return the PES packets that it completes."""
        data = self._rest + data
        done: list[PesPacket] = []
        at = self._next_packet(data, 0)
        while at + PACKET_SIZE + (not self._synchronous) <= len(data):
            done += self._take(data[at : at + PACKET_SIZE])
            self._synchronous = True
            at = self._next_packet(data, at + PACKET_SIZE)
        self._rest = data[at:]
        return done

    def flush(self) -> list[PesPacket]:
        """The stream has ended: return what is left."""
        self.discarded_bytes += len(self._rest)
        self._rest = b""
        return [done for stream in self._streams.values() for done in stream.flush()]

    def _next_packet(self, data: bytes, start: int) -> int:
        """The next sync byte with another one a packet later, as far as there is data; else its end.

        After junk a packet is believed only once that other one is there.
        """
        if data[start : start + PACKET_SIZE + 1 : PACKET_SIZE] == _SYNC_TWICE:
            return start
        at = data.find(_SYNC, start)
        while 0 <= at < len(data) - PACKET_SIZE and data[at + PACKET_SIZE] != _SYNC:
            at = data.find(_SYNC, at + 1)
        if at < 0:
            at = len(data)
        if at > start:
            self._synchronous = False
            self.discarded_bytes += at - start
        return at

    def _take(self, raw: bytes) -> list[PesPacket]:
        pid = (raw[1] & 0x1F) << 8 | raw[2]
        stream, table = self._streams.get(pid), self._maps.get(pid)
        if stream is None and table is None and pid != _PAT_PID:
            return []
        if stream is not None and self._is_middle(raw, pid, stream):
            return []
        packet = self._read(raw, pid)
        if packet is None or not packet.payload:
            return []
        continuity = self._pids.get(pid) or self._pids.setdefault(pid, _Pid())
        if continuity.is_duplicate(packet):
            return []
        missing = not continuity.follows(packet)
        self.continuity_errors += missing
        if stream is not None:
            if missing:
                stream.interrupt()
            return stream.push(packet.payload, unit_start=packet.unit_start, stuffed=packet.stuffed)
        self._take_table(table or self._pat, packet, missing)
        return []

    def _is_middle(self, raw: bytes, pid: int, stream: PesAssembler) -> bool:
        """Take a packet of nothing but the next payload of an open PES packet, as nearly all of a video are:
        the short way to what the long one comes to. False for all others, and then nothing is done."""
        if raw[1] & _NO_MIDDLE or raw[3] & 0xF0 != _PAYLOAD_ALONE:
            return False
        counter, continuity = raw[3] & 0x0F, self._pids.get(pid)
        if continuity is None or continuity.due != counter or not stream.extend(payload := raw[4:]):
            return False
        continuity.due, continuity.payload = (counter + 1) % 16, payload
        return True

    def _read(self, raw: bytes, pid: int) -> _Packet | None:
        """2.4.3.2 and 2.4.3.4; None for a packet that must not be used."""
        control = raw[3] >> 4 & 3
        start = 5 + raw[4] if control & 2 else 4
        broken = raw[1] & 0x80 or raw[3] & 0xC0 or control == 0 or start > PACKET_SIZE
        if broken:
            self.dropped_packets += 1
            return None
        field = raw[5:start]
        return _Packet(
            pid=pid,
            unit_start=raw[1] & 0x40 != 0,
            continuity=raw[3] & 0x0F,
            payload=raw[start:] if control & 1 else b"",
            stuffed=bool(control & 2) and _is_stuffed(field),
            discontinuity=bool(field) and field[0] & 0x80 != 0,
        )

    def _take_table(self, table: SectionAssembler, packet: _Packet, missing: bool) -> None:
        if missing:
            table.interrupt()
        for section in table.push(packet.payload, unit_start=packet.unit_start):
            if packet.pid == _PAT_PID:
                self._take_pat(section)
            else:
                self._take_pmt(packet.pid, section)

    def _take_pat(self, section: bytes) -> None:
        pids = parse_pat(section)
        if pids is None:
            return
        kept = dict.fromkeys(pids[:_PROGRAM_LIMIT])
        self._maps = {pid: self._maps.get(pid) or SectionAssembler() for pid in kept}
        self._programs = {pid: entries for pid, entries in self._programs.items() if pid in kept}
        self._open_streams()

    def _take_pmt(self, pid: int, section: bytes) -> None:
        try:
            entries = parse_pmt(section)
        except MalformedError:
            self._bad_maps += 1
            return
        if entries is not None:
            self._programs[pid] = entries[:_ENTRY_LIMIT]
            self._open_streams()

    def _open_streams(self) -> None:
        """Follow the program maps: a stream that stays keeps what it has, one that goes is forgotten."""
        before, self._streams = self._streams, {}
        named = (entry for entries in self._programs.values() for entry in entries)
        carried = (entry for entry in named if _is_carried(entry) and entry.pid not in self._maps)
        for entry in islice(carried, _STREAM_LIMIT):
            known = before.get(entry.pid)
            if known is not None and known.stream_type == entry.stream_type:
                self._streams[entry.pid] = before.pop(entry.pid)
            else:
                self._streams[entry.pid] = PesAssembler(entry.pid, entry.stream_type)
        self._bad_before += sum(stream.bad_packets for stream in before.values())
        used = {_PAT_PID, *self._maps, *self._streams}
        self._pids = {pid: continuity for pid, continuity in self._pids.items() if pid in used}


def _is_carried(entry: ElementaryStream) -> bool:
    if entry.stream_type == StreamType.KLV_ASYNCHRONOUS:
        return entry.format_id == _KLVA
    return entry.stream_type in set(StreamType)


def _is_stuffed(field: bytes) -> bool:
    """Whether an adaptation field (without its length byte) is longer than its flags ask for (2.4.3.4)."""
    if not field or not field[0]:
        return True  # its length byte, and its flags that say nothing, are the stuffing themselves
    flags = field[0]
    used = 1 + 6 * (flags >> 4 & 1) + 6 * (flags >> 3 & 1) + (flags >> 2 & 1)  # PCR, OPCR, splice countdown
    for has_part in (flags & 2, flags & 1):  # private data and extension tell their own length
        if has_part:
            used += 1 + (field[used] if used < len(field) else 0)
    return used < len(field)
