"""One piece of a recorded feed made into H.264 that every browser plays: the work of a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import av
import msgspec
from av.video.frame import VideoFrame

from flow.errors import MalformedError, NotFoundError, UnavailableError
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec, Rendition
from ingest.picture_run import PictureRun, Shown
from ingest.recoding import Encoder, Shaper
from recordings import segment_file
from recordings.folders import FLIGHT_FILE, segment_name
from recordings.plain_files import replace_file
from recordings.protocol.segment import SegmentMachine
from recordings.protocol.segment_index import SegmentIndex

from .flight_index import flight_in
from .web_pieces import span_of

_ENCODER, _PRESET = "libx264", "superfast"
_ATTEMPTS = 4
"""Keyframes that are tried, the nearest first: right after one, pictures may need what was before it (open
groups, intra refresh)."""
_LATE_90K = CLOCK_RATE_HZ // 10
_TICK = Fraction(1, CLOCK_RATE_HZ)


class PieceQuestion(msgspec.Struct, frozen=True):
    """Which piece, and the file that it becomes."""

    folder: str
    feed_id: str
    number: int
    piece: int
    path: str


def answer_piece(question: PieceQuestion) -> bytes:
    """Blocking. Raises NotFoundError, UnavailableError ("decoder_failed"), OSError."""
    folder, path = Path(question.folder), Path(question.path)
    data = piece_of(folder, question.feed_id, question.number, question.piece)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, data)
    if not (folder / FLIGHT_FILE).exists():  # deleted meanwhile: nothing of it may be left
        path.unlink(missing_ok=True)
        raise NotFoundError("there is no such flight (any more)")
    return b""


def piece_of(folder: Path, feed_id: str, number: int, piece: int) -> bytes:
    """The piece as a file: a segment like those that are recorded, which begins at its own time 0 and tells
    when each of its pictures was taken."""
    index = segment_file.read_index(folder / segment_name(feed_id, number))
    grows = not index.closed and flight_in(folder).ended_ns is None
    span_90k = span_of(index, piece, grows=grows)
    if span_90k is None:
        raise NotFoundError("there is no such piece, or its end is not recorded yet")
    starts = _starts(folder, feed_id, number, index, span_90k[0])
    for start in starts:
        pictures = _pictures(start, feed_id, span_90k)
        first = next(pictures, None)
        if first and (first.unit.pts_90k <= span_90k[0] + _LATE_90K or start is starts[-1]):
            return _written(chain([first], pictures), span_90k[1], _fps(index))
    raise UnavailableError("no picture of it can be decoded", code="decoder_failed")


def _fps(index: SegmentIndex) -> float:
    shown_90k = sum(each.end_90k - each.dts_90k for each in index.fragments)
    return sum(each.pictures for each in index.fragments) * CLOCK_RATE_HZ / max(1, shown_90k)


class _Start(NamedTuple):
    """Decoding begins in the first of these files, at that time."""

    paths: Sequence[Path]
    from_90k: int


def _starts(folder: Path, feed_id: str, number: int, index: SegmentIndex, shown_90k: int) -> list[_Start]:
    """Keyframes before that time, the nearest first; those of the segment before, too."""
    own, before = folder / segment_name(feed_id, number), folder / segment_name(feed_id, number - 1)
    starts = [_Start([own], at) for at in _keyframes(index) if at <= shown_90k][-_ATTEMPTS:]
    if len(starts) < _ATTEMPTS:
        with contextlib.suppress(MalformedError, OSError):
            earlier = _keyframes(segment_file.read_index(before))[len(starts) - _ATTEMPTS :]
            starts = [*(_Start([before, own], at) for at in earlier), *starts]
    return starts[::-1]


def _keyframes(index: SegmentIndex) -> list[int]:
    return [each.dts_90k for each in index.fragments if each.keyframe]


def _pictures(start: _Start, feed_id: str, span_90k: tuple[int, int]) -> Iterator[Shown]:
    """Those of the span, in the order of showing and fit for browsers; behind them the one that follows."""
    units = chain.from_iterable(
        segment_file.pictures(path, feed_id, None if number else start.from_90k)
        for number, path in enumerate(start.paths)
    )
    shaper, held = Shaper(Rendition.WEB), dict[int, AccessUnit]()
    for frame, unit in _decoded(units):
        held[unit.pts_90k] = unit
        frame.time_base = _TICK
        for shaped in shaper.push(frame):  # deinterlacing holds one back
            shown = None if shaped.pts is None else held.pop(shaped.pts, None)
            if shown is not None and shown.pts_90k >= span_90k[0]:
                yield Shown(shaped, shown)
                if shown.pts_90k >= span_90k[1]:
                    return


def _decoded(units: Iterable[AccessUnit]) -> Iterator[tuple[VideoFrame, AccessUnit]]:
    run: PictureRun | None = None
    for unit in units:
        if run is None or run.origin != (unit.codec, unit.epoch):
            run = PictureRun(unit)
        with contextlib.suppress(av.FFmpegError, ValueError):
            yield from ((each.frame, each.unit) for each in run.decode(unit))
    if run is not None:
        with contextlib.suppress(av.FFmpegError):
            yield from ((each.frame, each.unit) for each in run.flush())


def _written(pictures: Iterable[Shown], to_90k: int, fps: float) -> bytes:
    """What follows is not in it, but tells how long the last picture is shown."""
    encoder = Encoder(_ENCODER, _PRESET, Rendition.WEB)
    machine: SegmentMachine | None = None
    data, newest_90k = b"", -1
    for frame, unit in ((each.frame, each.unit) for each in pictures):
        if unit.pts_90k >= to_90k:
            return data + machine.take(_made(unit, unit.data, keyframe=True)) if machine else data
        if unit.pts_90k <= newest_90k:
            continue
        newest_90k = unit.pts_90k
        encoded = encoder.encode(frame, unit.pts_90k, fps, keyframe=machine is None)
        made = _made(unit, encoded, keyframe=machine is None)
        if machine is None:
            machine = SegmentMachine(made)
        else:
            data += machine.take(made)
    return data + machine.flush() if machine else data


def _made(unit: AccessUnit, data: bytes, *, keyframe: bool) -> AccessUnit:
    return replace(
        unit,
        rendition=Rendition.WEB,
        codec=Codec.H264,
        dts_90k=unit.pts_90k,
        keyframe=keyframe,
        data=data,
    )
