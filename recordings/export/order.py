"""What somebody wants of a flight: a stretch, cameras, and in which forms."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from flow.errors import MalformedError
from recordings.flight_file import FlightFile

REGIONS_MOST = 16


class Part(StrEnum):
    """One form of what is exported."""

    CLIP = "clip"  # MP4 of each camera: as recorded, but for the edges
    BURNED = "burned"  # MP4 of each camera with the head-up display in the picture
    TS = "ts"  # MPEG-TS of each camera with MISB ST 0601 KLV
    TLOG = "tlog"
    CSV = "csv"
    GPX = "gpx"
    KML = "kml"
    GEOJSON = "geojson"
    REPORT = "report"  # HTML and PDF: map, stills, events, Flugbuch


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rectangle of the picture that is made unrecognisable; all from 0 to 1, from the left and the top."""

    x: float
    y: float
    width: float
    height: float


class Logbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a Flugbuch asks for and no machine knows."""

    number: str = ""
    pilot: str = ""
    place: str = ""
    remarks: str = ""


class ExportOrder(msgspec.Struct, frozen=True):
    """Times are Lagebild time. No feeds: all of the flight. `regions` are by feed, and of CLIP and BURNED
    alike; a feed with regions has none of its pictures copied, and goes into no TS."""

    flight_id: str
    from_ns: int
    to_ns: int
    feed_ids: tuple[str, ...]
    parts: tuple[Part, ...]
    by: str
    regions: dict[str, tuple[Region, ...]] = msgspec.field(default_factory=dict)
    logbook: Logbook = Logbook()
    language: str = "de"  # of report and head-up display


def order_of(
    flight: FlightFile,
    end_ns: int,
    wished: ExportOrder,
) -> ExportOrder:
    """`wished`, with its stretch cut to what the flight has, and its feeds named.

    `end_ns`: up to when there is something of the flight, now. Raises MalformedError: nothing of the flight
    is within the stretch, a feed is none of the flight's, no part is wanted, a region is none.
    """
    from_ns, to_ns = max(wished.from_ns, flight.started_ns), min(wished.to_ns, end_ns)
    if to_ns <= from_ns:
        raise MalformedError("nothing of the flight is between these times")
    known = [feed.id for feed in flight.feeds]
    for feed_id in (*wished.feed_ids, *wished.regions):
        if feed_id not in known:
            raise MalformedError(f"'{feed_id}' is no camera of this flight; it has {', '.join(known)}")
    if not wished.parts:
        raise MalformedError("nothing is wanted: name one part at least")
    for regions in wished.regions.values():
        _check(regions)
    return msgspec.structs.replace(
        wished,
        from_ns=from_ns,
        to_ns=to_ns,
        feed_ids=tuple(f for f in known if f in wished.feed_ids) or tuple(known),
        parts=tuple(part for part in Part if part in wished.parts),
    )


def _check(regions: tuple[Region, ...]) -> None:
    if len(regions) > REGIONS_MOST:
        raise MalformedError(f"{len(regions)} regions of a picture; {REGIONS_MOST} at most")
    for each in regions:
        inside = 0 <= each.x < 1 and 0 <= each.y < 1 and 0 < each.width <= 1 and 0 < each.height <= 1
        if not inside:
            raise MalformedError(
                "a region's x and y are from 0 to 1, its width and height above 0, 1 at most"
            )
