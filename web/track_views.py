"""Where an aircraft was in a flight, and what was noted of its moments, as JSON of the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from recordings.flight_course import Course
from recordings.notes import Note
from recordings.protocol.thinning import POINTS_MOST, CoursePoint

from .flight_views import By, Time
from .views import ms

_SHOWN = CoursePoint.__struct_fields__[1:]


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """What was known at a moment. null: nothing that was not old already."""

    utc_ms: Time
    lat_deg: float | None
    lon_deg: float | None
    alt_home_m: float | None
    alt_msl_m: float | None
    ground_speed_ms: float | None
    climb_ms: float | None
    battery_pct: float | None
    battery_v: float | None
    yaw_deg: float | None


@dataclass(frozen=True, slots=True)
class TrackView:
    """A whole flight, for a map and plots: its least and greatest heights, speeds and charges are in it."""

    points: Annotated[list[TrackPoint], Meta(description=f"At most {POINTS_MOST}, in order")]
    cut_ms: Annotated[list[Time], Meta(description="Points of these times come after a gap: draw no line")]


@dataclass(frozen=True, slots=True)
class NoteView:
    """What somebody noted of a moment of a flight."""

    id: str
    utc_ms: Annotated[Time, Meta(description="The moment it is about")]
    text: Annotated[str, Meta(examples=["Person auf dem Dach"])]
    by: By
    feed_id: Annotated[str, Meta(description="The camera it is about; empty: none in particular")]
    made_ms: Annotated[Time, Meta(description="When it was written")]
    changed_ms: Annotated[Time | None, Meta(description="When it was changed; null: it was not")]


@dataclass(frozen=True, slots=True)
class NoteList:
    """What was noted of a flight, in the order of its moments."""

    notes: list[NoteView]


def track_json(course: Course) -> bytes:
    points = [_point_view(point) for point in course.points]
    return msgspec.json.encode(TrackView(points, [ms(cut_ns) for cut_ns in course.cuts_ns]))


def _point_view(point: CoursePoint) -> TrackPoint:
    return TrackPoint(ms(point.utc_ns), **{name: getattr(point, name) for name in _SHOWN})


def note_view(note: Note) -> NoteView:
    changed_ms = None if note.told_ns == note.made_ns else ms(note.told_ns)
    return NoteView(note.id, ms(note.utc_ns), note.text, note.by, note.feed_id, ms(note.made_ns), changed_ms)
