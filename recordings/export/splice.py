"""Copied and newly encoded pictures joined to one film: docs/decisions/0034."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from av.video.frame import VideoFrame

from flow.codec.annexb import join_nal_units, split_nal_units
from flow.units import AccessUnit, Codec
from recordings.protocol.decoder_config import description_of, sequence_sets

from .cut import Run, runs, whole
from .movie_file import MovieFile
from .recoding import Decoded, Encoded, Encoder, decoded
from .reel import Reel

_END_OF_SEQUENCE = b"\x48\x01"  # H.265 7.3.1.2: nal_unit_type 36

Paint = Callable[[VideoFrame, AccessUnit], VideoFrame]
"""What is to be seen in place of a decoded picture."""


class Splicer:
    """Writes a span of a reel into a film, and counts. `told` hears how many pictures are done."""

    def __init__(self, reel: Reel, file: MovieFile, told: Callable[[int], None]) -> None:
        self._reel, self._file, self._told = reel, file, told
        self._sets: tuple[bytes, ...] = ()
        self.copied = self.encoded = 0

    def write(self, span_90k: tuple[int, int], paint: Paint | None) -> None:
        """Where nothing is copied it is H.264, which plays everywhere. With `paint` that is so, and where
        codecs change, for a track is of one."""
        reel, everything = self._reel, whole(self._reel.pts_90k, span_90k)
        codecs = reel.codecs_of(everything.first, everything.end)
        cut = [everything]
        if paint is None and len(codecs) == 1:
            keyframes = [int(number) for number in np.flatnonzero(reel.keyframe)]
            cut = runs(reel.pts_90k, keyframes, span_90k, reel.begins_anew)
        if any(run.copied for run in cut):
            self._write(cut, codecs.pop())
        else:
            self._encode(everything, Codec.H264, paint)

    def _write(self, cut: Sequence[Run], codec: Codec) -> None:
        self._announce(next(run.first for run in cut if run.copied))
        for number, run in enumerate(cut):
            self._sets = ()  # even where they are alike, those of pictures may not be
            if run.copied:
                self._copy(run)
            elif number == 0:
                self._encode(run, codec, None, self._delay_90k(cut[1].first), ends_sequence=True)
            else:
                self._encode(run, codec, None, self._rear_delay_90k(run))

    def _announce(self, number: int) -> None:
        """What is copied is announced before all else: by the first description programs prepare for pictures
        that are shown in another order than decoded, of which the edges have none."""
        unit = next(self._reel.units(number, number + 1), None)
        if unit is not None:
            self._file.describe(description_of(unit.codec, split_nal_units(unit.data)).track)

    def _delay_90k(self, number: int) -> int:
        """From a picture's decoding to its showing."""
        return int(self._reel.pts_90k[number] - self._reel.dts_90k[number])

    def _rear_delay_90k(self, run: Run) -> int:
        """As of the copy before, as far as decoding still goes on from there."""
        before_90k = int(self._reel.dts_90k[run.first - 1])
        return max(0, min(self._delay_90k(run.first), run.from_90k - before_90k - 1))

    def _copy(self, run: Run) -> None:
        for unit in self._reel.units(run.first, run.end):
            if run.from_90k <= unit.pts_90k <= run.to_90k:
                self._add(unit.codec, unit.data, unit.dts_90k, unit.pts_90k, keyframe=unit.keyframe)
                self.copied += 1

    def _encode(
        self, run: Run, codec: Codec, paint: Paint | None, delay_90k: int = 0, *, ends_sequence: bool = False
    ) -> None:
        """Each picture is decoded `delay_90k` before it is shown."""
        held: Encoded | None = None
        for each in _encoded(self._wanted(run), codec, paint):
            if held:
                self._add_encoded(codec, held, delay_90k)
            held = each
        if held and ends_sequence and codec is Codec.H265:
            # Only behind this a CRA picture begins anew (8.1.3). An IDR picture of H.264 does so by itself.
            held = held._replace(data=join_nal_units((*split_nal_units(held.data), _END_OF_SEQUENCE)))
        if held:
            self._add_encoded(codec, held, delay_90k)

    def _wanted(self, run: Run) -> Iterator[Decoded]:
        reel = self._reel
        first_90k = reel.dts_90k[run.first]
        for each in decoded(reel.units(reel.start_for(run.first, run.from_90k), run.end)):
            if run.from_90k <= each.unit.pts_90k <= run.to_90k and each.unit.dts_90k >= first_90k:
                yield each

    def _add_encoded(self, codec: Codec, each: Encoded, delay_90k: int) -> None:
        self._add(codec, each.data, each.pts_90k - delay_90k, each.pts_90k, keyframe=each.keyframe)
        self.encoded += 1

    def _add(self, codec: Codec, data: bytes, dts_90k: int, pts_90k: int, *, keyframe: bool) -> None:
        nals = split_nal_units(data)
        if keyframe and (sets := sequence_sets(codec, nals)) and sets != self._sets:
            self._file.describe(description_of(codec, nals).track)
            self._sets = sets
        self._file.add(nals, dts_90k, pts_90k, keyframe=keyframe)
        self._told(self._file.pictures)


def _encoded(pictures: Iterable[Decoded], codec: Codec, paint: Paint | None) -> Iterator[Encoded]:
    encoder = Encoder(codec)
    for frame, unit in pictures:
        yield from encoder.encode(paint(frame, unit) if paint else frame, unit.pts_90k)
    yield from encoder.flush()
