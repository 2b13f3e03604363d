"""A feed whose pictures are brought to us by a publisher."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ingest.publications import Publications

from . import Publish


@dataclass(frozen=True, slots=True)
class PushedSource:
    """Waits for whoever comes; the servers (RTMP, SRT) and the relay's WHIP bring them to `publications`."""

    feed_id: str
    publications: Publications

    async def run(self, publish: Publish) -> None:
        place = self.publications.place(self.feed_id)
        place.attach(publish)
        try:
            await asyncio.Event().wait()
        finally:
            place.detach()
