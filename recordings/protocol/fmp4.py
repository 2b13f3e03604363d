"""Fragmented MP4 by hand (ISO/IEC 14496-12): the boxes of one video track, and what a box begins with.

Pure and exact: the same pictures give the same bytes. docs/decisions/0026 says why no library does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct

from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ

LONGEST_HEAD = 16  # size, type, and a size of 64 bits
TRACK = 1

_BRANDS = b"iso6" + b"\0\0\0\1" + b"iso6mp41"  # iso6: fragments that tell their decode time (tfdt)
MATRIX = Struct(">9i").pack(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)  # 8.2.2: as it is
_SYNC = 0x0200_0000  # 8.8.3.1: depends on no other
_NON_SYNC = 0x0101_0000  # depends on others, and is no sync sample
_DEFAULT_BASE_IS_MOOF = 0x02_0000
_RUN_FLAGS = 0x0F01  # 8.8.8: data offset; of each sample duration, size, flags, composition offset
_RUN = Struct(">IIIi")
_MOOF_SIZE = 8 + 16 + 8 + 16 + 20 + 20  # moof, mfhd, traf, tfhd, tfdt, trun without its samples
_RANDOM_ACCESS = Struct(">QQBBB")


@dataclass(frozen=True, slots=True)
class Track:
    """What the header says of the video: `entry` is its sample entry, e.g. avc1 with avcC in it."""

    width_px: int
    height_px: int
    entry: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a fragment. `composition_90k`: from its decoding to its showing, may be negative."""

    duration_90k: int
    size: int
    sync: bool
    composition_90k: int


@dataclass(frozen=True, slots=True)
class BoxHead:
    """How a box begins (4.2). `size` is that of the whole box, `head_size` that of its beginning."""

    kind: bytes
    size: int
    head_size: int


def box(kind: bytes, *parts: bytes) -> bytes:
    """Raises OverflowError for 4 GiB and more."""
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def uuid_box(name: bytes, *parts: bytes) -> bytes:
    """A box of our own (4.2, extended type), which every other reader passes over."""
    return box(b"uuid", name, *parts)


def head_of(data: bytes) -> BoxHead | None:
    """How the box at the beginning of `data` begins; None where that is cut off.

    Raises MalformedError for a size that no box has, and for the endless box (size 0), which only the last
    of a file may be and nobody wrote into ours.
    """
    if len(data) < 8:
        return None
    size, kind, head_size = int.from_bytes(data[:4], "big"), data[4:8], 8
    if size == 1:
        if len(data) < LONGEST_HEAD:
            return None
        size, head_size = int.from_bytes(data[8:16], "big"), LONGEST_HEAD
    if size < head_size:
        raise MalformedError(f"box of {size} bytes (ISO/IEC 14496-12 4.2)")
    return BoxHead(kind, size, head_size)


def children(data: bytes) -> Iterable[tuple[bytes, bytes]]:
    """(type, content) of the boxes in `data`, one after the other. Raises MalformedError."""
    at = 0
    while at < len(data):
        head = head_of(data[at : at + LONGEST_HEAD])
        if head is None or at + head.size > len(data):
            raise MalformedError("box exceeds what it lies in (ISO/IEC 14496-12 4.2)")
        yield head.kind, data[at + head.head_size : at + head.size]
        at += head.size


def movie(track: Track, delay_90k: int, more: bytes) -> bytes:
    """ftyp and moov, with `more` as the last box in it: all that comes before the first fragment.

    Players begin at `delay_90k` of the samples' times.
    """
    extends = box(b"mvex", full_box(b"trex", 0, 0, Struct(">5I").pack(TRACK, 1, 0, 0, 0)))
    return box(b"ftyp", _BRANDS) + box(b"moov", _movie_header(), _track(track, delay_90k), extends, more)


def _movie_header() -> bytes:
    """8.2.2: created at an unknown time, of unknown duration, played at its own speed."""
    start = Struct(">IIIIIHxxxxxxxxxx").pack(0, 0, CLOCK_RATE_HZ, 0, 0x10000, 0x100)
    return full_box(b"mvhd", 0, 0, start, MATRIX, bytes(24), (TRACK + 1).to_bytes(4, "big"))


def _track(track: Track, delay_90k: int) -> bytes:
    size = Struct(">II").pack(track.width_px << 16, track.height_px << 16)
    header = full_box(b"tkhd", 0, 3, Struct(">IIIII16x").pack(0, 0, TRACK, 0, 0), MATRIX, size)
    edits = _edit_list(delay_90k) if delay_90k else b""
    return box(
        b"trak", header, edits, box(b"mdia", _media_header(), handler(), _media_information(track.entry))
    )


def _edit_list(delay_90k: int) -> bytes:
    """8.6.6: one edit without end, from the first picture that is shown."""
    edit = Struct(">IQqI").pack(1, 0, delay_90k, 0x10000)
    return box(b"edts", full_box(b"elst", 1, 0, edit))


def _media_header() -> bytes:
    undetermined = 0x55C4  # "und", 8.4.2
    return full_box(b"mdhd", 0, 0, Struct(">IIIIHxx").pack(0, 0, CLOCK_RATE_HZ, 0, undetermined))


def handler() -> bytes:
    """8.4.3: the track is video."""
    return full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"\0")


def _media_information(entry: bytes) -> bytes:
    return media_information(
        full_box(b"stsd", 0, 0, b"\0\0\0\1", entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )


def media_information(*tables: bytes) -> bytes:
    """8.4.4: video whose data are in this file; `tables` are of its samples."""
    in_this_file = full_box(b"url ", 0, 1)
    references = full_box(b"dref", 0, 0, b"\0\0\0\1", in_this_file)
    return box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), box(b"dinf", references), box(b"stbl", *tables))


def visual_sample_entry(kind: bytes, width_px: int, height_px: int, record: bytes) -> bytes:
    """12.1.3: 72 dots per inch, one picture a sample, no compressor's name, 24 bits deep; one data source."""
    fields = Struct(">6xH16xHHIIIH32xHh").pack(1, width_px, height_px, 0x48_0000, 0x48_0000, 0, 1, 0x18, -1)
    return box(kind, fields, record)


def fragment(sequence: int, decode_90k: int, samples: Sequence[Sample], data: Iterable[bytes]) -> bytes:
    """moof and mdat. `decode_90k` is the first sample's, counted from the segment's first."""
    size = _MOOF_SIZE + _RUN.size * len(samples)
    run = b"".join(
        _RUN.pack(s.duration_90k, s.size, _SYNC if s.sync else _NON_SYNC, s.composition_90k) for s in samples
    )
    head = Struct(">II").pack(len(samples), size + 8)  # their data: from the moof's beginning
    moof = box(
        b"moof",
        full_box(b"mfhd", 0, 0, sequence.to_bytes(4, "big")),
        box(
            b"traf",
            full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, TRACK.to_bytes(4, "big")),
            full_box(b"tfdt", 1, 0, decode_90k.to_bytes(8, "big")),
            full_box(b"trun", 1, _RUN_FLAGS, head, run),  # version 1: offsets are signed
        ),
    )
    return moof + box(b"mdat", *data)


def random_access(keyframes: Iterable[tuple[int, int]]) -> bytes:
    """8.8.9: mfra, the seek index at the end. `keyframes`: (time of showing in 90 kHz, place of the moof)."""
    entries = [_RANDOM_ACCESS.pack(time_90k, place, 1, 1, 1) for time_90k, place in keyframes]
    head = Struct(">III").pack(TRACK, 0, len(entries))
    table = full_box(b"tfra", 1, 0, head, *entries)
    size = 8 + len(table) + 16
    return box(b"mfra", table, full_box(b"mfro", 0, 0, size.to_bytes(4, "big")))
