"""A whole MP4 of one video track (ISO/IEC 14496-12): the moov that says where each picture lies, and when.

Not fragmented, unlike segments: some programs that people cut and mail films with know no fragments. The
moov comes first, so that a film plays while it is being fetched; `room_for` says how much to leave for it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import groupby
from struct import Struct

from flow.units import CLOCK_RATE_HZ

from .fmp4 import MATRIX, TRACK, Track, box, full_box, handler, media_information

FILE_TYPE = box(b"ftyp", b"isom", b"\0\0\2\0", b"isomiso2avc1mp41")
MEDIA_HEAD_BYTES = 16  # of an mdat whose size has 64 bits

_1904_S = 2_082_844_800  # from 1904-01-01, where MP4 begins to count (8.2.2.3), to 1970-01-01
_CHUNK_PICTURES = 32
_PICTURE_BYTES = 8 + 8 + 4 + 4  # in stts, ctts, stss, stsz, where no two are alike
_CHUNK_BYTES = 12 + 8  # in stsc, co64
_OTHER_BYTES = 16 * 1024  # what does not grow, some sample entries, and what changes of them take
FREE_LEAST = 8
_UNDETERMINED = 0x55C4  # "und", 8.4.2
_PAIR, _TRIPLE = Struct(">II"), Struct(">III")


def room_for(pictures: int) -> int:
    """Bytes that ftyp and moov of so many pictures do not exceed, unless they are described very often."""
    chunks = pictures // _CHUNK_PICTURES + 1
    return len(FILE_TYPE) + _OTHER_BYTES + pictures * _PICTURE_BYTES + chunks * _CHUNK_BYTES


def media_head(data_bytes: int) -> bytes:
    """How an mdat of so much data begins (4.2)."""
    return b"\0\0\0\1mdat" + (MEDIA_HEAD_BYTES + data_bytes).to_bytes(8, "big")


def free(size: int) -> bytes:
    """A box of that size with nothing in it (8.1.2); FREE_LEAST at least."""
    return box(b"free", bytes(size - 8))


class MovieTables:
    """What is known of a film's pictures, which lie one after the other in the order of decoding.

    16 bytes of memory, or some more, are kept for each.
    """

    def __init__(self, last_90k: int) -> None:
        """`last_90k`: how long the last picture is shown; any other stays until the next one."""
        self._last_90k = last_90k
        self._dts, self._offsets, self._sizes = array("q"), array("q"), array("I")
        self._keyframes = array("I")
        self._tracks: list[Track] = []
        self._entry_of: list[tuple[int, int]] = []  # (first picture, number of its sample entry from 1)
        self.first_shown_90k: int | None = None
        self.end_90k = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def describe(self, track: Track) -> None:
        """How the pictures that come now are announced."""
        if track not in self._tracks:
            self._tracks.append(track)
        number = self._tracks.index(track) + 1
        if not self._entry_of or self._entry_of[-1][1] != number:
            self._entry_of.append((len(self), number))

    def add(self, dts_90k: int, pts_90k: int, size: int, *, keyframe: bool) -> None:
        """The next picture; `dts_90k` rises."""
        if keyframe:
            self._keyframes.append(len(self) + 1)
        self._dts.append(dts_90k)
        self._offsets.append(pts_90k - dts_90k)
        self._sizes.append(size)
        shown = self.first_shown_90k
        self.first_shown_90k = pts_90k if shown is None else min(shown, pts_90k)
        self.end_90k = max(self.end_90k, pts_90k + self._last_90k)

    def moov(self, media_at: int, created_utc_s: int) -> bytes:
        """The box, for pictures whose first byte is at `media_at` of the file. One picture at least."""
        assert self.first_shown_90k is not None
        length = self.end_90k - self.first_shown_90k
        created = created_utc_s + _1904_S
        widest = max(self._tracks, key=lambda track: track.width_px * track.height_px)
        size = _PAIR.pack(widest.width_px << 16, widest.height_px << 16)
        head = Struct(">QQIIQ8x8x").pack(created, created, TRACK, 0, length)
        track = box(
            b"trak",
            full_box(b"tkhd", 1, 3, head, MATRIX, size),
            _edit(length, self.first_shown_90k - self._dts[0]),
            self._media(media_at, created),
        )
        return box(b"moov", _movie_header(created, length), track)

    def _media(self, media_at: int, created: int) -> bytes:
        length = self.end_90k - self._dts[0]
        times = Struct(">QQIQHxx").pack(created, created, CLOCK_RATE_HZ, length, _UNDETERMINED)
        entries = b"".join(track.entry for track in self._tracks)
        chunks = self._chunks()
        tables = (
            full_box(b"stsd", 0, 0, len(self._tracks).to_bytes(4, "big"), entries),
            _runs_table(b"stts", 0, self._durations()),
            *([_runs_table(b"ctts", 1, self._offsets)] if any(self._offsets) else []),
            _table(b"stss", [number.to_bytes(4, "big") for number in self._keyframes]),
            _chunk_table(chunks),
            full_box(b"stsz", 0, 0, bytes(4), len(self).to_bytes(4, "big"), _big_endian(self._sizes)),
            _table(b"co64", [at.to_bytes(8, "big") for at in self._places(chunks, media_at)]),
        )
        return box(b"mdia", full_box(b"mdhd", 1, 0, times), handler(), media_information(*tables))

    def _durations(self) -> Iterable[int]:
        for this, following in zip(self._dts, self._dts[1:], strict=False):
            yield following - this
        yield self._last_90k

    def _chunks(self) -> list[tuple[int, int]]:
        """(pictures, sample entry) of each chunk."""
        ends = [first for first, _ in self._entry_of[1:]] + [len(self)]
        return [
            (min(_CHUNK_PICTURES, end - at), entry)
            for (first, entry), end in zip(self._entry_of, ends, strict=True)
            for at in range(first, end, _CHUNK_PICTURES)
        ]

    def _places(self, chunks: Sequence[tuple[int, int]], at: int) -> Iterable[int]:
        first = 0
        for pictures, _ in chunks:
            yield at
            at += sum(self._sizes[first : first + pictures])
            first += pictures


def _movie_header(created: int, length_90k: int) -> bytes:
    start = Struct(">QQIQIHxxxxxxxxxx").pack(created, created, CLOCK_RATE_HZ, length_90k, 0x10000, 0x100)
    return full_box(b"mvhd", 1, 0, start, MATRIX, bytes(24), (TRACK + 1).to_bytes(4, "big"))


def _edit(length_90k: int, delay_90k: int) -> bytes:
    """8.6.6: from the first picture that is shown."""
    edit = Struct(">IQqI").pack(1, length_90k, delay_90k, 0x10000)
    return box(b"edts", full_box(b"elst", 1, 0, edit))


def _table(kind: bytes, rows: Sequence[bytes]) -> bytes:
    return full_box(kind, 0, 0, len(rows).to_bytes(4, "big"), *rows)


def _runs_table(kind: bytes, version: int, values: Iterable[int]) -> bytes:
    """8.6.1.2, 8.6.1.3: how many pictures have the same value, one after the other."""
    rows = [
        _PAIR.pack(sum(1 for _ in same), value & 0xFFFF_FFFF)  # signed in ctts of version 1
        for value, same in groupby(values)
    ]
    return full_box(kind, version, 0, len(rows).to_bytes(4, "big"), *rows)


def _chunk_table(chunks: Sequence[tuple[int, int]]) -> bytes:
    """8.7.4: where chunks begin to be of another length or sample entry."""
    rows = [
        _TRIPLE.pack(number, *chunk)
        for number, chunk in enumerate(chunks, 1)
        if number == 1 or chunk != chunks[number - 2]
    ]
    return _table(b"stsc", rows)


def _big_endian(numbers: array[int]) -> bytes:
    swapped = array(numbers.typecode, numbers)
    swapped.byteswap()
    return swapped.tobytes()
