"""`srt:FILE`: a film's subtitles without the film, from their opening on at their own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import chain
from pathlib import Path

from flow.bus import Bus
from flow.clock import NS_PER_MS, Clock
from flow.codec.subrip import cues, in_order
from flow.errors import SourceError
from flow.samples import Metadata, MetadataKind

FILE_LIMIT_BYTES = 64 * 1024 * 1024
"""Of a whole file; an hour of a film of 60 pictures a second has that."""


async def from_subtitles(name: str, bus: Bus, clock: Clock) -> AsyncIterator[Metadata | None]:
    """The file's cues, each at its time. Raises SourceError: not_found, not_telemetry."""
    lines = await asyncio.to_thread(_lines, Path(name))
    begin_ns = clock.now_ns()
    told = in_order(cues(lines))
    if (first := next(told, None)) is None:
        raise SourceError(f"telemetry file {name} holds no subtitles", code="not_telemetry")
    for cue in chain([first], told):
        at_ns = begin_ns + (cue.start_ms - first.start_ms) * NS_PER_MS
        await clock.sleep_until(at_ns)  # also where nothing is due later: others want to run
        yield Metadata("", MetadataKind.DJI, at_ns, cue.text.encode())


def _lines(path: Path) -> list[str]:
    try:
        if path.exists() and not path.is_file():  # opening a FIFO waits for a writer, perhaps for ever
            raise SourceError(f"telemetry file {path} is no regular file", code="not_telemetry")
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise SourceError(f"telemetry file {path} is too large for subtitles", code="not_telemetry")
        return path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    except OSError as error:
        text = f"telemetry file {path} cannot be read: {error.strerror}"
        raise SourceError(text, code="not_found") from None
