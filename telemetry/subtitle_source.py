"""`srt:FILE`: a film's subtitles without the film, from their opening on at their own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from flow.bus import Bus
from flow.clock import NS_PER_MS, Clock
from flow.codec.subrip import Cue, cues, in_order
from flow.errors import SourceError
from flow.samples import Metadata, MetadataKind
from flow.subtitle_file import lines_of, open_subtitles


async def from_subtitles(name: str, bus: Bus, clock: Clock) -> AsyncIterator[Metadata | None]:
    """The file's cues, each at its time. Raises SourceError: not_found, not_telemetry."""
    told = await asyncio.to_thread(read_cues, Path(name))
    begin_ns = clock.now_ns()
    for cue in told:
        at_ns = begin_ns + (cue.start_ms - told[0].start_ms) * NS_PER_MS
        await clock.sleep_until(at_ns)  # also where nothing is due later: others want to run
        yield Metadata("", MetadataKind.DJI, at_ns, cue.text.encode())


def read_cues(path: Path) -> list[Cue]:
    """All of a file, which is nothing for the loop: a large one takes a second or two, and one of another
    kind is read to its end to find that out. Raises SourceError: not_found, not_telemetry."""
    with open_subtitles(path) as file:
        try:
            told = list(in_order(cues(lines_of(file))))
        except OSError as error:
            text = f"telemetry file {path} cannot be read: {error.strerror}"
            raise SourceError(text, code="not_found") from None
    if not told:
        raise SourceError(f"telemetry file {path} holds no subtitles", code="not_telemetry")
    return told
