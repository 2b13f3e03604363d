"""Pictures in, the bytes of a fragmented MP4 out: a machine that knows no file and no clock.

The timeline of a segment begins at its first picture: fragments count from its dts, and an edit list lets
players begin with its pts, so that it is shown at 0 also where pictures are sent in another order than shown.
"""

from __future__ import annotations

from flow.codec.annexb import split_nal_units
from flow.units import CLOCK_RATE_HZ, AccessUnit

from .decoder_config import description_of, sequence_sets
from .fmp4 import Sample, fragment
from .segment_index import PICTURES_MOST, Fragment, IndexedPicture, PictureIndex, header_bytes, seek_index

SEGMENT_90K = 10 * 60 * CLOCK_RATE_HZ
FRAGMENT_90K = CLOCK_RATE_HZ // 2
FRAGMENT_BYTES = 4 * 1024 * 1024
"""A fragment that has come to so much is ended, so that the machine holds little more than a picture."""

_USUAL_90K = CLOCK_RATE_HZ // 30  # how long the only picture of a segment is shown
_GAP_90K = CLOCK_RATE_HZ
_OFFSET_MOST = (1 << 31) - 1


class SegmentMachine:
    """One segment of one feed. `first`, a keyframe, is its first picture and is taken already: go on with
    `take` for the next one. Raises MalformedError where `first` has no parameter sets that can be read.

    The newest picture is held back until the next one tells how long it is shown, so what has not been
    handed out is at most half a second and one picture; after that long without a picture, `flush`.
    """

    def __init__(self, first: AccessUnit) -> None:
        nals = split_nal_units(first.data)
        self._sets = sequence_sets(first.codec, nals)
        self._header = header_bytes(
            first.feed_id,
            first.rendition,
            description_of(first.codec, nals),
            max(0, first.pts_90k - first.dts_90k),
        )
        self._first = first
        self._held: AccessUnit | None = first
        self._last = first
        self._interval_90k = _USUAL_90K
        self._units: list[AccessUnit] = []
        self._samples: list[bytes] = []
        self._durations: list[int] = []
        self._fragments: list[Fragment] = []
        self._written = 0

    def fits(self, unit: AccessUnit) -> bool:
        """Whether `unit` may be taken. If not, close, and begin a new segment with the next keyframe."""
        if unit.codec is not self._first.codec or unit.dts_90k <= self._last.dts_90k:
            return False
        if not unit.keyframe:
            return True
        if unit.dts_90k - self._first.dts_90k >= SEGMENT_90K:
            return False
        sets = sequence_sets(unit.codec, split_nal_units(unit.data))
        return not sets or sets == self._sets

    def take(self, unit: AccessUnit) -> bytes:
        """What is to be appended to the file now: a whole fragment, behind the header if it is the first,
        or nothing. Raises ValueError where `dts_90k` does not rise."""
        if unit.dts_90k <= self._last.dts_90k:
            raise ValueError(f"dts {unit.dts_90k} does not come after {self._last.dts_90k}")
        self._settle(self._shown_for(unit))
        self._held = self._last = unit
        return self._fragment() if self._is_complete(unit) else b""

    def flush(self) -> bytes:
        """The pictures that have not been handed out yet, the newest too; nothing if there are none."""
        self._settle(self._interval_90k)
        return self._fragment() if self._units else b""

    def close(self) -> bytes:
        """What is left, and the seek index. The machine is done."""
        return self.flush() + seek_index(self._fragments)

    def _shown_for(self, following: AccessUnit) -> int:
        """The distance to the next picture; across a gap, as long as the picture before was shown.

        A camera that sends a picture every two seconds has no gaps, hence three intervals.
        """
        usual, distance = self._interval_90k, following.dts_90k - self._last.dts_90k
        if following.epoch != self._last.epoch:
            return min(usual, distance)
        self._interval_90k = distance
        return usual if distance > max(_GAP_90K, 3 * usual) else distance

    def _settle(self, duration_90k: int) -> None:
        if self._held is None:
            return
        self._units.append(self._held)
        self._samples.append(_length_prefixed(self._held.data))
        self._durations.append(duration_90k)
        self._held = None

    def _is_complete(self, following: AccessUnit) -> bool:
        return bool(self._units) and (
            following.keyframe
            or following.dts_90k - self._units[0].dts_90k >= FRAGMENT_90K
            or len(self._units) >= PICTURES_MOST
            or sum(map(len, self._samples)) >= FRAGMENT_BYTES
        )

    def _fragment(self) -> bytes:
        units, data, durations = self._units, self._samples, self._durations
        self._units, self._samples, self._durations = [], [], []
        samples = [
            Sample(duration, len(sample), unit.keyframe, _bounded(unit.pts_90k - unit.dts_90k))
            for unit, sample, duration in zip(units, data, durations, strict=True)
        ]
        number = len(self._fragments) + 1
        media = fragment(number, units[0].dts_90k - self._first.dts_90k, samples, data)
        pictures = [IndexedPicture.of(unit, len(sample)) for unit, sample in zip(units, data, strict=True)]
        index = PictureIndex.of(pictures, units[-1].dts_90k + durations[-1], media)
        return self._placed(index, media)

    def _placed(self, index: PictureIndex, media: bytes) -> bytes:
        header = b"" if self._fragments else self._header
        box = index.packed()
        self._fragments.append(index.fragment(self._written + len(header), len(box)))
        self._written += len(header) + len(box) + len(media)
        return header + box + media


def _length_prefixed(data: bytes) -> bytes:
    """Annex B as a sample: every NAL unit behind its length, four bytes (14496-15 5.3.4.2)."""
    return b"".join(part for nal in split_nal_units(data) for part in (len(nal).to_bytes(4, "big"), nal))


def _bounded(offset_90k: int) -> int:
    """A source may claim any pts; the index keeps it, the player's field has 32 bits."""
    return max(-_OFFSET_MOST, min(offset_90k, _OFFSET_MOST))
