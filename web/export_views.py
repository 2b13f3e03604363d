"""Exports as JSON of the API, and what is asked with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from flow.clock import NS_PER_MS
from flow.flights import ID_PATTERN
from recordings.export.jobs import Job, JobStatus
from recordings.export.order import REGIONS_MOST, ExportOrder, Logbook, Part, Region

from .export_talk import Progress
from .flight_views import FlightId, Time
from .markers import checked_text
from .views import ms

PARTS = (Part.CLIP, Part.TLOG, Part.CSV, Part.GPX, Part.KML, Part.GEOJSON, Part.REPORT)
"""What an export has in it where nobody says what."""
REMARKS_MOST = 2000

_FeedId = Annotated[str, Meta(pattern=f"^{ID_PATTERN.pattern}$", examples=["fritz-tag"])]
_Text = Annotated[str, Meta(max_length=200)]
_Regions = Annotated[
    dict[_FeedId, Annotated[list[Region], Meta(max_length=REGIONS_MOST)]],
    Meta(description="By camera: made unrecognisable in every picture of it; such a camera goes into no TS"),
]


class NewLogbook(msgspec.Struct, forbid_unknown_fields=True):
    """What a Flugbuch asks for and no machine knows."""

    number: _Text = ""
    pilot: _Text = ""
    place: _Text = ""
    remarks: Annotated[str, Meta(max_length=REMARKS_MOST)] = ""

    def checked(self) -> Logbook:
        """Raises MalformedError."""
        texts = {name: getattr(self, name) for name in ("number", "pilot", "place")}
        checked = {name: checked_text(text, name, 200) for name, text in texts.items()}
        lines = [checked_text(line, "remarks", REMARKS_MOST) for line in self.remarks.splitlines()]
        return Logbook(**checked, remarks="\n".join(lines).strip())


class NewExport(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody wants of a flight. Without times all of it, without feeds all cameras."""

    by: Annotated[str, Meta(min_length=1, description="Who takes it", examples=["Meier, Leitstelle"])]
    from_ms: Time | None = None
    to_ms: Time | None = None
    feeds: Annotated[list[_FeedId], Meta(max_length=100)] = []
    parts: Annotated[tuple[Part, ...], Meta(max_length=len(Part))] = PARTS
    regions: _Regions = {}
    logbook: NewLogbook = msgspec.field(default_factory=NewLogbook)
    language: Literal["de", "en"] = "de"

    def as_order(self, flight_id: str, by: str) -> ExportOrder:
        """Not yet held against the flight (order.order_of). Raises MalformedError."""
        return ExportOrder(
            flight_id,
            _ns(self.from_ms, -(1 << 62)),
            _ns(self.to_ms, 1 << 62),
            tuple(self.feeds),
            self.parts,
            by,
            {feed_id: tuple(regions) for feed_id, regions in self.regions.items() if regions},
            self.logbook.checked(),
            self.language,
        )


@dataclass(frozen=True, slots=True)
class LeftOutView:
    """A part that is not in it."""

    part: Part
    feed_id: Annotated[str, Meta(description="Empty: of no camera in particular")]
    reason: Annotated[str, Meta(examples=["nothing_recorded", "regions"])]


@dataclass(frozen=True, slots=True)
class ExportView:
    """An export: what was ordered, and how far it is."""

    id: Annotated[str, Meta(examples=["3f9a0c5d7e1b2a48"])]
    flight_id: FlightId
    status: JobStatus
    progress: Annotated[float, Meta(description="From 0 to 1")]
    step: Annotated[str, Meta(description="The part that is being made; empty: none")]
    reason: Annotated[str, Meta(description="A code: why it failed; empty: it has not")]
    size_bytes: Annotated[int, Meta(description="Of export.zip; 0: it is not there (yet)")]
    url: Annotated[str | None, Meta(description="Of export.zip; null: it is not there (yet)")]
    made_ms: Annotated[Time, Meta(description="When it was ordered, in milliseconds since the Unix epoch")]
    ended_ms: Annotated[Time | None, Meta(description="When it was done, or given up")]
    by: str
    parts: list[Part]
    feeds: list[str]
    from_ms: Time
    to_ms: Time
    left_out: Annotated[list[LeftOutView], Meta(description="What could not be made, and why")]


@dataclass(frozen=True, slots=True)
class Exports:
    """Every export, the newest first."""

    exports: list[ExportView]


def export_view(job: Job, progress: Progress) -> ExportView:
    order, done = job.order, job.status is JobStatus.DONE
    return ExportView(
        id=job.id,
        flight_id=order.flight_id,
        status=job.status,
        progress=round(progress.share, 4),
        step=progress.step,
        reason=job.reason,
        size_bytes=job.size_bytes,
        url=f"/api/v1/exports/{job.id}/export.zip" if done else None,
        made_ms=ms(job.made_ns),
        ended_ms=None if job.ended_ns is None else ms(job.ended_ns),
        by=order.by,
        parts=list(order.parts),
        feeds=list(order.feed_ids),
        from_ms=ms(order.from_ns),
        to_ms=ms(order.to_ns),
        left_out=[LeftOutView(each.part, each.feed_id, each.reason) for each in job.left_out],
    )


def _ns(asked_ms: float | None, otherwise: int) -> int:
    if asked_ms is None:
        return otherwise
    return round(max(-1e14, min(asked_ms, 1e14)) * NS_PER_MS)
