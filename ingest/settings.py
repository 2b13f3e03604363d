"""What ingest must be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeedSource:
    """Where one feed's pictures come from; see `open.py` for the URLs.

    `fps` is needed where a file has no timestamps. `trust_clock` believes the capture times of the source's
    sender reports. `allow_from` names the senders (addresses or networks) that may reach a port which is
    open to the network.
    """

    feed_id: str
    url: str
    fps: float | None = None
    loop: bool = False
    trust_clock: bool = False
    allow_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """All feeds, and how patient ingest is with them."""

    sources: tuple[FeedSource, ...]
    stalled_after_s: float = 1.0
    lost_after_s: float = 10.0
    retry_first_s: float = 0.5
    retry_most_s: float = 10.0
