"""What ties a segment file to the pictures on the bus: boxes of our own in the MP4, checked by CRC-32.

One at the end of the moov says whose video it is; one before every fragment says of each of its pictures what
MP4 has no place for. Both are of type uuid, which other readers pass over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Self
from zlib import crc32

import msgspec

from flow.clock import NS_PER_S
from flow.errors import MalformedError
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec, Rendition, UtcOrigin

from .decoder_config import VideoDescription
from .fmp4 import children, movie, random_access, uuid_box

VERSION = 1
HEADER_NAME = b"lagebild-segment"
INDEX_NAME = b"lagebild-picture"
PICTURES_MOST = 256
"""In one fragment."""

_CRC = Struct(">I")
_HEAD = Struct(">B3xIIqI")  # version; of moof and mdat size and CRC; end; number of pictures
_ENTRY = Struct(">qqqQQIB")
_BEFORE_HEAD = 8 + 16 + _CRC.size  # box, its name, the CRC of what follows
INDEX_LIMIT_BYTES = _BEFORE_HEAD + _HEAD.size + PICTURES_MOST * _ENTRY.size
_KEYFRAME, _FROM_SOURCE = 1, 2


class SegmentHeader(msgspec.Struct, frozen=True):
    """Whose video it is, and how it is announced."""

    feed_id: str
    rendition: Rendition
    codec: Codec
    mime: str
    width_px: int
    height_px: int
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class Fragment:
    """A run of pictures in a segment file that is read and appended as one.

    It begins at `offset` with its picture index. Times are those of its first picture, absolute (90 kHz
    since 1970)."""

    offset: int
    size: int
    media_size: int  # of moof and mdat, which end the fragment
    dts_90k: int
    pts_90k: int
    end_90k: int
    utc_ns: int
    keyframe: bool  # its first picture is one
    pictures: int

    @property
    def end_ns(self) -> int:
        """When its last picture ends."""
        return self.utc_ns + (self.end_90k - self.dts_90k) * NS_PER_S // CLOCK_RATE_HZ


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """A segment file, as far as it is whole: `init_bytes` of header, then fragments, then the seek index
    if it is `closed`; all that comes to `whole_bytes`."""

    feed_id: str
    rendition: Rendition
    codec: Codec
    mime: str  # video/mp4; codecs="avc1.42c01f"
    width_px: int
    height_px: int
    init_bytes: int
    fragments: tuple[Fragment, ...]
    whole_bytes: int
    closed: bool


@dataclass(frozen=True, slots=True)
class IndexedPicture:
    """An AccessUnit without its feed and its bytes, of which there are `size` in the mdat."""

    dts_90k: int
    pts_90k: int
    utc_ns: int
    utc_origin: UtcOrigin
    epoch: int
    seq: int
    keyframe: bool
    size: int

    @classmethod
    def of(cls, unit: AccessUnit, size: int) -> Self:
        return cls(
            unit.dts_90k,
            unit.pts_90k,
            unit.utc_ns,
            unit.utc_origin,
            unit.epoch,
            unit.seq,
            unit.keyframe,
            size,
        )

    def packed(self) -> bytes:
        flags = self.keyframe * _KEYFRAME | (self.utc_origin is UtcOrigin.SOURCE) * _FROM_SOURCE
        times = self.dts_90k, self.pts_90k, self.utc_ns
        return _ENTRY.pack(*times, self.epoch, self.seq, self.size, flags)

    @classmethod
    def unpacked(cls, data: bytes, at: int) -> Self:
        dts_90k, pts_90k, utc_ns, epoch, seq, size, flags = _ENTRY.unpack_from(data, at)
        origin = UtcOrigin.SOURCE if flags & _FROM_SOURCE else UtcOrigin.ARRIVAL
        return cls(dts_90k, pts_90k, utc_ns, origin, epoch, seq, bool(flags & _KEYFRAME), size)


def header_bytes(feed_id: str, rendition: Rendition, video: VideoDescription, delay_90k: int) -> bytes:
    """All that comes before the first fragment, whose first picture is shown `delay_90k` after its decoding.

    Its last four bytes are the CRC-32 of those before.
    """
    size_px = video.track.width_px, video.track.height_px
    header = SegmentHeader(feed_id, rendition, video.codec, video.mime, *size_px)
    init = movie(video.track, delay_90k, uuid_box(HEADER_NAME, msgspec.json.encode(header), bytes(4)))
    return init[:-4] + _CRC.pack(crc32(init[:-4]))


def parse_header(init: bytes) -> SegmentHeader:
    """Of a whole ftyp and moov. Raises MalformedError for what is no header of ours."""
    if len(init) < 4 or _CRC.unpack(init[-4:])[0] != crc32(init[:-4]):
        raise MalformedError("no segment of ours: the header's check sum does not fit")
    own = [
        content[16:-4]
        for kind, moov in children(init)
        if kind == b"moov"
        for inner, content in children(moov)
        if inner == b"uuid" and content[:16] == HEADER_NAME
    ]
    try:
        header = msgspec.json.decode(own[0], type=SegmentHeader) if own else None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedError(f"a segment's header: {error}") from None
    if header is None or header.version != VERSION:
        raise MalformedError("no segment of ours, or of another version")
    return header


@dataclass(frozen=True, slots=True)
class PictureIndex:
    """The box before a fragment: what its `media_size` bytes of moof and mdat hold."""

    media_size: int
    media_crc: int
    end_90k: int  # dts of the last picture, and its duration
    count: int
    entries: bytes  # packed, for most readers need the first only

    @classmethod
    def of(cls, pictures: Sequence[IndexedPicture], end_90k: int, media: bytes) -> Self:
        entries = b"".join(picture.packed() for picture in pictures)
        return cls(len(media), crc32(media), end_90k, len(pictures), entries)

    @classmethod
    def parse(cls, box: bytes) -> Self:
        """Of a whole box. Raises MalformedError for any that `packed` did not write."""
        if len(box) < _BEFORE_HEAD + _HEAD.size or box[8:24] != INDEX_NAME:
            raise MalformedError("no picture index")
        if _CRC.unpack_from(box, _BEFORE_HEAD - _CRC.size)[0] != crc32(box[_BEFORE_HEAD:]):
            raise MalformedError("a picture index whose check sum does not fit")
        version, media_size, media_crc, end_90k, count = _HEAD.unpack_from(box, _BEFORE_HEAD)
        entries = box[_BEFORE_HEAD + _HEAD.size :]
        if version != VERSION or not count or len(entries) != count * _ENTRY.size:
            raise MalformedError("a picture index of another version, or with too few pictures")
        return cls(media_size, media_crc, end_90k, count, entries)

    def packed(self) -> bytes:
        head = _HEAD.pack(VERSION, self.media_size, self.media_crc, self.end_90k, self.count)
        body = head + self.entries
        return uuid_box(INDEX_NAME, _CRC.pack(crc32(body)), body)

    def fragment(self, offset: int, index_size: int) -> Fragment:
        """What is known of the fragment whose index of so many bytes lies at `offset` of the file."""
        first = IndexedPicture.unpacked(self.entries, 0)
        return Fragment(
            offset=offset,
            size=index_size + self.media_size,
            media_size=self.media_size,
            dts_90k=first.dts_90k,
            pts_90k=first.pts_90k,
            end_90k=self.end_90k,
            utc_ns=first.utc_ns,
            keyframe=first.keyframe,
            pictures=self.count,
        )

    def pictures(self) -> list[IndexedPicture]:
        return [IndexedPicture.unpacked(self.entries, at) for at in range(0, len(self.entries), _ENTRY.size)]


def needed(fragments: Sequence[Fragment], from_ns: int, to_ns: int) -> Sequence[Fragment]:
    """Those that hold pictures of that time, and those from the keyframe before on."""
    inside = [n for n, each in enumerate(fragments) if each.utc_ns < to_ns and each.end_ns > from_ns]
    if not inside:
        return ()
    first = inside[0]
    while first > 0 and not fragments[first].keyframe:
        first -= 1
    return fragments[first : inside[-1] + 1]


def seek_index(fragments: Sequence[Fragment]) -> bytes:
    """The mfra that closes a segment: where its keyframes are, on the timeline that players see."""
    # A source may claim a first pts that is later than all that follow: those are found at the beginning.
    return random_access(
        (max(0, f.pts_90k - fragments[0].pts_90k), f.offset + f.size - f.media_size)
        for f in fragments
        if f.keyframe
    )
