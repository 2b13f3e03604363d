"""The sources of video, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from ingest.protocol.events import SourceEvent

Publish: TypeAlias = Callable[[SourceEvent], None]


class Source(Protocol):
    """One source of video.

    `run()` publishes `Opened` first and then whatever comes, until it fails: SourceError (the other side) and
    PortInUseError are worth another try, any other ConfigError is not. It returns where nothing more will
    ever come, as at the end of a file.
    """

    async def run(self, publish: Publish) -> None: ...
