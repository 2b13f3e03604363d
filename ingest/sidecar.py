"""Subtitles that lie beside a film: FILM.SRT, as DJI's aircraft write what they know on their memory card."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from flow.codec.subrip import Cue, cues, in_order
from flow.errors import SourceError
from flow.samples import MetadataKind
from flow.subtitle_file import lines_of, open_subtitles

from .protocol.data_track import Played
from .protocol.reader_pipe import Beside

_SUFFIXES = (".SRT", ".srt")
_TICKS_PER_MS = 90


def sidecar_of(film: str) -> Path | None:
    """What lies where a film has its subtitles, if anything does."""
    found = (Path(film).with_suffix(suffix) for suffix in _SUFFIXES)
    return next((path for path in found if os.path.lexists(path)), None)


def why_unread(path: Path) -> str:
    """Why subtitles cannot be used, in one line; "" where they can be opened."""
    try:
        open_subtitles(path).close()
    except SourceError as error:
        return str(error)
    return ""


def with_cues(played: Iterator[Played], path: Path) -> Iterator[Played]:
    """The film with its cues, each just before the picture that is shown with it: a cue's time counts from
    the film's first picture. Subtitles that cannot be read (on) leave the film as it is."""
    try:
        file = open_subtitles(path)
    except SourceError:
        yield from played
        return
    with file:
        yield from interleaved(played, in_order(cues(_readable(lines_of(file)))))


def _readable(lines: Iterator[str]) -> Iterator[str]:
    """As far as the disk gives them."""
    try:
        yield from lines
    except OSError:
        return


def interleaved(played: Iterator[Played], told: Iterator[Cue]) -> Iterator[Played]:
    """See `with_cues`."""
    origin: int | None = None
    waiting = next(told, None)
    for each in played:
        if isinstance(each, Beside):
            yield each
            continue
        origin = each.pts if origin is None else origin
        while waiting is not None and origin + waiting.start_ms * _TICKS_PER_MS <= each.pts:
            at = origin + waiting.start_ms * _TICKS_PER_MS
            yield Beside(MetadataKind.DJI, at, waiting.text.encode())
            waiting = next(told, None)
        yield each
