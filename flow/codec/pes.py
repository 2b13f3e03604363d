"""Packetized elementary streams of MPEG-TS (ISO/IEC 13818-1 2.4.3.6), ended as early as can be known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .annexb import ACCESS_UNIT_LIMIT_BYTES

_START = b"\x00\x00\x01"
_FIXED = 6  # start code, stream_id, PES_packet_length
_LIMIT_BYTES = ACCESS_UNIT_LIMIT_BYTES
_WITHOUT_HEADER = frozenset({0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF})  # 2.4.3.6


@dataclass(frozen=True, slots=True)
class PesPacket:
    """One PES packet's payload: for video mostly, but not surely, one access unit.

    Times wrap at 33 bits (`Unwrapper(33)`); `dts_90k` is None where it equals `pts_90k` or is not told.
    damaged: transport packets inside it are missing. gap_before: some directly before it are.
    """

    pid: int
    stream_type: int
    pts_90k: int | None
    dts_90k: int | None
    data: bytes
    damaged: bool = False
    gap_before: bool = False


class PesAssembler:
    """Transport payloads of one PID in, PES packets out.

    A packet ends when its length is reached; without a length (video may leave it 0) at the transport
    packet that had to be stuffed, for only the last one is shorter; else at the next start. A sender that
    stuffs in the middle is found out by what follows, and only starts end its packets from then on.
    """

    def __init__(self, pid: int, stream_type: int) -> None:
        self.stream_type = stream_type
        self.bad_packets = 0
        self._pid = pid
        self._chunks: list[bytes] = []
        self._size = 0
        self._expected = 0  # bytes of the whole packet; 0: not told, or not yet known
        self._damaged = False
        self._gap = False
        self._ended_by_stuffing = False
        self._trusts_stuffing = True

    def push(self, payload: bytes, *, unit_start: bool, stuffed: bool) -> list[PesPacket]:
        """Take the payload of the next transport packet."""
        done: list[PesPacket] = []
        if unit_start:
            done = self.flush()
        elif not self._chunks:
            self._judge_orphan()
            return done
        self._ended_by_stuffing = False
        self._chunks.append(payload)
        self._size += len(payload)
        self._learn_length()
        if self._expected and self._size >= self._expected:
            done += self.flush()
        elif not self._expected and stuffed and self._trusts_stuffing and self._size > _FIXED:
            done += self.flush()
            self._ended_by_stuffing = True
        elif self._size > _LIMIT_BYTES:
            self._drop()
        return done

    def extend(self, payload: bytes) -> bool:
        """Take a payload that lies within the open packet. False, and nothing is done, where there is none,
        its length is not known yet, or this may be its end: `push` judges then."""
        size = self._size + len(payload)
        if self._size < _FIXED or size >= (self._expected or _LIMIT_BYTES):
            return False
        self._chunks.append(payload)
        self._size = size
        return True

    def interrupt(self) -> None:
        """Transport packets are missing here."""
        self._ended_by_stuffing = False
        if self._chunks:
            self._damaged = True
        else:
            self._gap = True

    def flush(self) -> list[PesPacket]:
        """End the open packet, if there is one."""
        if not self._chunks:
            return []
        packet, short = b"".join(self._chunks), self._size < self._expected
        damaged, gap = self._damaged or short, self._gap
        size = self._expected or self._size
        self._clear()
        # The end of a damaged packet may be missing, and the beginning of the next one with it.
        self._gap = damaged
        return list(self._parse(packet[:size], damaged, gap))

    def _judge_orphan(self) -> None:
        if self._ended_by_stuffing:
            self._trusts_stuffing = False
            self._gap = True

    def _learn_length(self) -> None:
        if self._expected or self._size < _FIXED:
            return
        if len(self._chunks[0]) < _FIXED:
            self._chunks = [b"".join(self._chunks)]
        length = int.from_bytes(self._chunks[0][4:6], "big")
        self._expected = _FIXED + length if length else 0

    def _drop(self) -> None:
        self.bad_packets += 1
        self._clear()
        self._gap = True

    def _clear(self) -> None:
        self._chunks, self._size, self._expected = [], 0, 0
        self._damaged = self._gap = False

    def _parse(self, packet: bytes, damaged: bool, gap: bool) -> Iterator[PesPacket]:
        if len(packet) < 9 or packet[:3] != _START or packet[3] in _WITHOUT_HEADER:
            self.bad_packets += 1
            return
        begin = 9 + packet[8]
        if packet[6] & 0xC0 != 0x80 or packet[6] & 0x30 or begin > len(packet):  # not a header, or scrambled
            self.bad_packets += 1
            return
        times = packet[7] >> 6
        pts = _time(packet[9:14]) if times & 2 and packet[8] >= 5 else None
        dts = _time(packet[14:19]) if times == 3 and packet[8] >= 10 else None
        yield PesPacket(self._pid, self.stream_type, pts, dts, packet[begin:], damaged, gap)


def _time(field: bytes) -> int:
    """2.4.3.7: 33 bits in three parts, each followed by a marker bit."""
    return (field[0] >> 1 & 7) << 30 | (field[1] << 7 | field[2] >> 1) << 15 | field[3] << 7 | field[4] >> 1
