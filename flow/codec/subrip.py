"""SubRip subtitles (.srt): cues with times, read however the file was written or broken off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CUE_LIMIT_CHARACTERS = 4096
"""Of one cue's text; DJI's have 300. What is longer is cut."""
_LINES_MOST = 64

_CLOCK = r"(\d{1,3}):(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}\s*")


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: from when to when of the film it is shown, and its lines."""

    start_ms: int
    end_ms: int
    text: str


def cues(lines: Iterable[str]) -> Iterator[Cue]:
    """The cues of a file's lines (with their ends, as reading a file gives them), in their order.

    A cue begins with its times and goes on to the next one's, whatever blank lines there are or are not; the
    number before it is nobody's. A last line without an end was broken off and is left out, for half a number
    is another number. Lines before the first times are none of a cue.
    """
    times: tuple[int, int] | None = None
    text: list[str] = []
    for line in lines:
        found = _TIMES.fullmatch(line.rstrip("\r\n"))
        if found:
            if times is not None:
                yield _cue(times, text[:-1] if text and text[-1].strip().isdecimal() else text)
            times, text = _milliseconds(found), []
        elif times is not None and line.endswith(("\n", "\r")) and line.strip():
            text[_LINES_MOST - 1 :] = [line]  # the last one of many may be the next cue's number
    if times is not None:
        yield _cue(times, text)


def in_order(told: Iterable[Cue]) -> Iterator[Cue]:
    """The cues without those that begin later than the next one: their times are broken, and whoever waited
    for them would miss all that follow."""
    before: Cue | None = None
    for cue in told:
        if before is not None and before.start_ms <= cue.start_ms:
            yield before
        before = cue
    if before is not None:
        yield before


def _milliseconds(found: re.Match[str]) -> tuple[int, int]:
    start, end = found.groups()[:4], found.groups()[4:]
    return _moment_ms(*start), _moment_ms(*end)


def _moment_ms(hours: str, minutes: str, seconds: str, fraction: str) -> int:
    return (int(hours) * 60 + int(minutes)) * 60_000 + int(seconds) * 1000 + int(fraction.ljust(3, "0"))


def _cue(times: tuple[int, int], lines: list[str]) -> Cue:
    text = "\n".join(line.strip() for line in lines)
    return Cue(*times, text[:CUE_LIMIT_CHARACTERS])
