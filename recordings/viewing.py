"""One viewer's stay at a feed: how soon it saw a picture, how old its pictures were, what was missing."""

from __future__ import annotations

import msgspec

AGE_EDGES_MS = (100, 200, 300, 500, 750, 1000, 2000, 5000, 10_000)
"""Upper edges of the age histogram's buckets; one more bucket is for what is older."""


class Viewing(msgspec.Struct, frozen=True):
    """`ages` counts seconds of watching by the age of the picture shown: len(AGE_EDGES_MS) + 1 buckets.

    `joined_ms` is from opening the page's connection to the first picture; None: there was never one.
    """

    id: str
    feed_id: str
    started_ns: int
    ended_ns: int
    joined_ms: float | None = None
    ages: tuple[float, ...] = (0.0,) * (len(AGE_EDGES_MS) + 1)
    interruptions: int = 0  # how often the picture froze or was lost
    interrupted_ms: float = 0.0
