"""What the pilot page shows of what leaves the house: whether TAK and others get something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from flow.bus import Bus
from flow.samples import OutputState

from .settings import Settings


@dataclass(frozen=True, slots=True)
class PilotOutput:
    """One address that something is sent to."""

    kind: Annotated[Literal["cot", "ts"], Meta(description="cot: positions to TAK; ts: a feed as MPEG-TS")]
    feed: Annotated[str, Meta(description="The feed's name; '': of TAK")]
    to: str
    open: bool
    sent: Annotated[int, Meta(description="Events or datagrams; by UDP nobody says that they came")]
    dropped: int
    detail: Annotated[str, Meta(description="Why nothing gets there; '': nothing is known to be wrong")]


def outputs_of(settings: Settings, bus: Bus) -> list[PilotOutput]:
    """Those that are configured, and have said how they are."""
    found = ((kind, feed, bus.peek(OutputState, key)) for kind, feed, key in _configured(settings))
    return [
        PilotOutput(kind, feed, state.to, state.open, state.sent, state.dropped, state.detail)
        for kind, feed, state in found
        if state
    ]


def _configured(settings: Settings) -> Iterator[tuple[Literal["cot", "ts"], str, str]]:
    for number in range(len(settings.cot.to)):
        yield "cot", "", f"cot:{number}"
    for feed in (feed for aircraft in settings.aircraft for feed in aircraft.feed if feed.ts_out):
        yield "ts", feed.name or feed.id, f"ts:{feed.id}"
