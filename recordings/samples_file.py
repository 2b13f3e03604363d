"""samples.jsonl of a flight: a stretch of it, found without reading what comes before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, BinaryIO, Generic, Protocol, TypeVar

import msgspec

from flow.clock import NS_PER_S
from flow.samples import TelemetrySample

from .plain_files import open_plain, whole_lines
from .protocol.lines import LINE_LIMIT_BYTES

SPAN_MOST_NS = 5 * 60 * NS_PER_S
SAMPLES_MOST = 3000
_BYTES_MOST = 16 * 1024 * 1024
_NEAR_BYTES = 16 * 1024
"""So near to what is looked for it is read through."""
_NEVER_NS = (1 << 63) - 1


class Timed(Protocol):
    @property
    def utc_ns(self) -> int: ...


Told = TypeVar("Told", bound=Timed)


class _Time(msgspec.Struct):
    utc_ns: Annotated[int, msgspec.Meta(ge=0, le=_NEVER_NS)]


class _TimeLine(msgspec.Struct):
    item: _Time


class SampleLine(msgspec.Struct, Generic[Told]):
    """One line; `Told` is TelemetrySample, or what somebody needs of it."""

    type: str
    item: Told


_TIMES = msgspec.json.Decoder(_TimeLine)
_SAMPLES = msgspec.json.Decoder(SampleLine[TelemetrySample])


@dataclass(slots=True)
class SampleRun:
    """In order of time, beginning with the newest sample that is not later than the start. `cut`: there are
    more than one answer may hold; ask again from the last one on."""

    samples: list[TelemetrySample] = field(default_factory=list)
    cut: bool = False
    bad: int = 0  # lines that were passed over


def samples_between(path: Path, from_ns: int, to_ns: int, every_ns: int = 0) -> SampleRun:
    """Blocking. At most SAMPLES_MOST of them, over SPAN_MOST_NS; none where there is no such file. Of those
    less than `every_ns` after the one before, only the time is read: that is much quicker."""
    run = SampleRun(cut=to_ns - from_ns > SPAN_MOST_NS)
    try:
        file = open_plain(path)
    except FileNotFoundError:
        return run
    with file:
        file.seek(_start(file, os.fstat(file.fileno()).st_size, from_ns))
        _read(file, run, from_ns, min(to_ns, from_ns + SPAN_MOST_NS), every_ns)
    return run


def samples_within(path: Path, from_ns: int, to_ns: int) -> Iterator[TelemetrySample]:
    """Blocking. Every one of that time, the end's own not, one in memory at a time; none where there is no
    such file. Raises OSError."""
    return told_within(path, from_ns, to_ns, _SAMPLES)


def told_within(
    path: Path, from_ns: int, to_ns: int, decoder: msgspec.json.Decoder[SampleLine[Told]]
) -> Iterator[Told]:
    """As `samples_within`, of what `decoder` reads in them. Lines that are no sample are passed over."""
    try:
        with open_plain(path) as file:
            start = _start(file, os.fstat(file.fileno()).st_size, from_ns)
    except FileNotFoundError:
        return
    for line, _ in whole_lines(path, start, LINE_LIMIT_BYTES):
        sample = _sample(line, decoder)
        if sample is not None and sample.utc_ns >= to_ns:
            return
        if sample is not None and sample.utc_ns >= from_ns:
            yield sample


def times_of(path: Path) -> tuple[int, int] | None:
    """Blocking. When the first and the newest sample are of; None where there is none. Raises OSError."""
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            first_ns = _next_time(file, size)[1]
            file.seek(_start(file, size, _NEVER_NS))
            newest_ns = first_ns
            while (utc_ns := _next_time(file, size)[1]) is not None:
                newest_ns = utc_ns
    except FileNotFoundError:
        return None
    return None if first_ns is None or newest_ns is None else (first_ns, newest_ns)


def _read(file: BinaryIO, run: SampleRun, from_ns: int, to_ns: int, every_ns: int) -> None:
    left, due_ns = _BYTES_MOST, 0
    before: list[TelemetrySample] = []
    while line := file.readline(LINE_LIMIT_BYTES):
        left -= len(line)
        if every_ns and 0 < due_ns - (_time(line) or due_ns) <= every_ns:
            continue
        sample = _sample(line, _SAMPLES)
        due_ns = sample.utc_ns + every_ns if sample else due_ns
        if sample is None:
            run.bad += 1
        elif sample.utc_ns > to_ns:
            break
        elif sample.utc_ns <= from_ns:
            before = [sample]
        else:
            run.samples.append(sample)
        if left <= 0 or len(run.samples) == SAMPLES_MOST:
            run.cut = True
            break
    run.samples = before + run.samples


def _start(file: BinaryIO, size: int, from_ns: int) -> int:
    """Where to read from: the beginning of a line that is not later than `from_ns`, and near to it."""
    low, high = 0, size
    while high - low > _NEAR_BYTES:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline(LINE_LIMIT_BYTES)  # the rest of a line
        at, utc_ns = _next_time(file, high)
        if utc_ns is not None and utc_ns <= from_ns:
            low = at
        else:
            high = middle
    return low


def _next_time(file: BinaryIO, end: int) -> tuple[int, int | None]:
    """The first line from here that tells its time: its place, and that time; None before `end`."""
    while (at := file.tell()) < end and (line := file.readline(LINE_LIMIT_BYTES)):
        if (utc_ns := _time(line)) is not None:
            return at, utc_ns
    return end, None


def _time(line: bytes) -> int | None:
    try:
        return _TIMES.decode(line).item.utc_ns
    except (msgspec.MsgspecError, RecursionError):
        return None


def _sample(line: bytes, decoder: msgspec.json.Decoder[SampleLine[Told]]) -> Told | None:
    try:
        told = decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return told.item if told.type == TelemetrySample.__name__ else None
