"""A small MPEG-TS writer (ISO/IEC 13818-1), byte by byte, for tests that need streams no muxer makes."""

from __future__ import annotations

from collections.abc import Iterator

PMT_PID, VIDEO_PID, KLV_PID, AUDIO_PID = 0x1000, 0x100, 0x101, 0x102
VIDEO, KLV, AUDIO = (0x1B, VIDEO_PID, b""), (0x06, KLV_PID, b"\x05\x04KLVA"), (0x0F, AUDIO_PID, b"")


def crc32(section: bytes) -> bytes:
    """Annex A, bit by bit: polynomial 0x04C11DB7 from all ones."""
    register = 0xFFFF_FFFF
    for byte in section:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C1_1DB7 if register & 0x8000_0000 else 0)) & 0xFFFF_FFFF
    return register.to_bytes(4, "big")


def section(table: int, extension: int, body: bytes) -> bytes:
    head = bytes((table, 0xB0, 5 + len(body) + 4)) + extension.to_bytes(2, "big") + b"\xc1\x00\x00"
    return head + body + crc32(head + body)


def pat(pmt_pid: int = PMT_PID) -> bytes:
    return section(0, 1, b"\x00\x01" + (0xE000 | pmt_pid).to_bytes(2, "big"))


def pmt(*streams: tuple[int, int, bytes]) -> bytes:
    body = b"\xe1\x00\xf0\x00"
    for stream_type, pid, descriptors in streams:
        body += bytes((stream_type,)) + (0xE000 | pid).to_bytes(2, "big")
        body += (0xF000 | len(descriptors)).to_bytes(2, "big") + descriptors
    return section(2, 1, body)


def time_field(prefix: int, ticks: int) -> bytes:
    return bytes(
        (
            prefix << 4 | ticks >> 29 & 0x0E | 1,
            ticks >> 22 & 0xFF,
            ticks >> 14 & 0xFE | 1,
            ticks >> 7 & 0xFF,
            ticks << 1 & 0xFE | 1,
        )
    )


def pes(data: bytes, pts: int | None = 0, dts: int | None = None, *, with_length: bool = False) -> bytes:
    times = b""
    if pts is not None:
        times = time_field(2 if dts is None else 3, pts) + (b"" if dts is None else time_field(1, dts))
    flags = (0x80 if pts is not None else 0) | (0x40 if dts is not None else 0)
    length = 3 + len(times) + len(data) if with_length else 0
    return b"\x00\x00\x01\xe0" + length.to_bytes(2, "big") + bytes((0x80, flags, len(times))) + times + data


class Muxer:
    """Cuts sections and PES packets into transport packets, with a continuity counter per PID."""

    def __init__(self) -> None:
        self._continuity: dict[int, int] = {}

    def packet(self, pid: int, payload: bytes, *, start: bool = False, field: bytes | None = None) -> bytes:
        """One transport packet; what is short of 184 bytes is stuffed in its adaptation field."""
        room = 184 - len(payload)
        adaptation = b"" if field is None else bytes((len(field),)) + field
        if room > len(adaptation):
            field = (field or b"\x00").ljust(room - 1, b"\xff")[: room - 1]
            adaptation = bytes((room - 1,)) + field
        control = 0x30 if adaptation else 0x10
        continuity = self._continuity[pid] = (self._continuity.get(pid, -1) + 1) % 16
        head = (0x4000 * start | pid).to_bytes(2, "big")
        packet = b"\x47" + head + bytes((control | continuity,)) + adaptation + payload
        assert len(packet) == 188
        return packet

    def tables(self, *streams: tuple[int, int, bytes]) -> bytes:
        return self.section(0, pat()) + self.section(PMT_PID, pmt(*streams))

    def section(self, pid: int, whole: bytes) -> bytes:
        return self.packet(pid, (b"\x00" + whole).ljust(184, b"\xff"), start=True)

    def pes_packets(self, pid: int, whole: bytes) -> Iterator[bytes]:
        for at in range(0, len(whole), 184):
            yield self.packet(pid, whole[at : at + 184], start=at == 0)

    def pes(self, pid: int, whole: bytes) -> bytes:
        return b"".join(self.pes_packets(pid, whole))
