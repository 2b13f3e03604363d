"""Entries found, the newest first. Blocking: for a process of its own, or the command line.

There is no index to build or to lose: a page of the newest is read from the end of the newest file, and what
is rare is looked for as bytes, a mebibyte at a time, before any line is understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from .chain import Line, line_in, utc_text
from .reading import FOLDER, Month, chunks_back, lines_of, months_in, place_of

_UTC_AT, _UTC_BYTES = b'"utc":"', 30
_ASCII = re.compile(r"[ !#-\[\]-~]+")  # what JSON writes as it is


class Query(msgspec.Struct, frozen=True):
    """What to find. `who`: an id, or a part of a name or address, or a kind of caller; `text`: anywhere; both
    whatever the case. `before`: entries older than that one."""

    from_ns: int | None = None
    to_ns: int | None = None
    who: str = ""
    action: str = ""
    about: str = ""
    text: str = ""
    before: int | None = None
    limit: int | None = None


def search(root: Path, query: Query) -> list[Line]:
    """The newest first. Raises OSError."""
    found: list[Line] = []
    matches = matcher_of(query)
    for raw in _candidates(months_in(root / FOLDER), query):
        line = line_in(raw)
        if line is not None and matches(line):
            found.append(line)
            if len(found) == query.limit:
                break
    return found


def forwards(root: Path, query: Query) -> Iterator[bytes]:
    """The lines themselves, the oldest first, each with its newline. Raises OSError."""
    matches = matcher_of(query)
    months = months_in(root / FOLDER)
    for month in _in_time(months, query):
        for raw in lines_of(month):
            line = line_in(raw.removesuffix(b"\n"))
            if line is not None and matches(line):
                yield raw.removesuffix(b"\n") + b"\n"


def matcher_of(query: Query) -> Callable[[Line], bool]:
    since = None if query.from_ns is None else utc_text(query.from_ns)
    until = None if query.to_ns is None else utc_text(query.to_ns)
    who, text, about = query.who.lower(), query.text.lower(), query.about.lower()

    def matches(line: Line) -> bool:
        return (
            (since is None or line.utc >= since)
            and (until is None or line.utc < until)
            and (query.before is None or line.seq < query.before)
            and (not query.action or line.action == query.action)
            and (not who or _is_by(line, who))
            and (not about or _is_about(line, about))
            and (not text or any(text in each.lower() for each in _texts(line)))
        )

    return matches


def _is_by(line: Line, who: str) -> bool:
    return who in (line.kind, line.id.lower()) or who in line.name.lower() or who in line.address


def _is_about(line: Line, about: str) -> bool:
    """The path as it is registered, or one of its parameters: a feed, a flight, an incident."""
    return about in line.about.lower() or about in (value.lower() for value in line.named.values())


def _texts(line: Line) -> Iterator[str]:
    yield from (line.utc, line.kind, line.id, line.name, line.address, line.action, line.about)
    yield from line.named.values()
    yield from (str(value) for value in line.detail.values())


def _in_time(months: Sequence[Month], query: Query) -> list[Month]:
    """A file never has an entry of a later month than its name says; of an earlier one it may, where a clock
    was set back."""
    since = "" if query.from_ns is None else utc_text(query.from_ns)[:7]
    return [month for month in months if month.name >= since]


def _candidates(months: Sequence[Month], query: Query) -> Iterator[bytes]:
    """Lines in which all that is asked for might be, the newest first."""
    needles = _needles(query)
    since = b"" if query.from_ns is None else utc_text(query.from_ns).encode()
    until = b"~" if query.to_ns is None else utc_text(query.to_ns).encode()
    for month in reversed(_in_time(months, query)):
        size = month.size if query.before is None else place_of(month, query.before)
        for chunk in chunks_back(Month(month.path, size)):
            for raw in _within(chunk, needles):
                at = raw.find(_UTC_AT) + len(_UTC_AT)
                if since <= raw[at : at + _UTC_BYTES] < until:
                    yield raw


def _needles(query: Query) -> list[bytes]:
    """Bytes that stand in every line that matches; in small letters, the longest first."""
    needles = [f'"action":"{query.action}"'.encode()] if query.action else []
    for asked in (query.who, query.about, query.text):
        needles += [part.lower().encode() for part in _ASCII.findall(asked)]
    return sorted(needles, key=len, reverse=True)


def _within(chunk: bytes, needles: Sequence[bytes]) -> Iterator[bytes]:
    small = chunk.lower() if needles else b""
    if not all(needle in small for needle in needles):
        return
    end = len(chunk)
    while end > 0:
        at = small.rfind(needles[0], 0, end) if needles else end - 1
        if at < 0:
            return
        stop = chunk.find(b"\n", at, end)
        stop = end if stop < 0 else stop
        start = chunk.rfind(b"\n", 0, at) + 1
        if all(small.find(needle, start, stop) >= 0 for needle in needles[1:]):
            yield chunk[start:stop]
        end = start
