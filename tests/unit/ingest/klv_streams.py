"""MPEG-TS with pictures and KLV, made byte by byte, also as no multiplexer would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tests.unit.flow.transport import KLV, KLV_PID, VIDEO, VIDEO_PID, Muxer, pes
from tests.unit.ingest.material import coded

SYNCHRONOUS = (0x15, KLV_PID, b"\x26\x0b\x01\x00\xffKLVA\x00\x0f\x00\x00")  # 2.6.60, metadata_descriptor
FIRST_PTS = 90_000
STEP = 3000


def cells(*units: bytes) -> bytes:
    """Each in a cell of its own (ISO/IEC 13818-1 2.12.4)."""
    return b"".join(
        bytes((0, number % 256, 0xDF)) + len(unit).to_bytes(2, "big") + unit
        for number, unit in enumerate(units)
    )


def multiplex(
    beside: Mapping[int, Iterable[tuple[bytes, int | None]]],
    pictures: int = 10,
    stream: tuple[int, int, bytes] = KLV,
    first_pts: int = FIRST_PTS,
) -> Iterator[bytes]:
    """A datagram for the tables and one for each picture; before the n-th go the PES payloads `beside[n]`,
    each with its pts."""
    muxer = Muxer()
    yield muxer.tables(VIDEO, stream)
    for number, picture in enumerate(coded(pictures)):
        sent = b""
        for payload, pts in beside.get(number, ()):
            sent += muxer.pes(KLV_PID, pes(payload, pts, with_length=True))
        at = (first_pts + number * STEP) % (1 << 33)
        yield sent + muxer.pes(VIDEO_PID, pes(picture.data, at, with_length=True))
