"""The report in words: facts in, a document out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from flow.bus import Event
from flow.flights import (
    Alarm,
    AlarmLevel,
    Armed,
    Disarmed,
    FlightEnded,
    FlightStarted,
    IncidentKind,
    Marker,
    RecordingSwitch,
)
from flow.markers import Markers, id_of
from flow.samples import Place, StatusText

from .document import Block, Document, Heading, MapFigure, Pairs, Paragraph, Still, Stills, Table
from .flown import By
from .report_facts import CameraFacts, Facts, StillFacts
from .report_form import UNKNOWN, Form
from .report_words import alarm_sentence
from .track_map import Ink, Mark, track_map

ROWS_MOST = 1000
_GAPS_MOST = 40


def document_of(facts: Facts, form: Form, made_ns: int | None) -> Document:
    """`made_ns`: when it was exported, where that is to be said."""
    order, incident = facts.source.order, facts.source.incident
    is_exercise = incident is not None and incident.kind is IncidentKind.UEBUNG
    return Document(
        order.language,
        form.word("title"),
        f"{facts.source.flight.aircraft_name} · {form.moment(order.from_ns)}",
        form.word("exercise") if is_exercise else "",
        f"{form.word('title')} · {order.flight_id}",
        tuple(_blocks(facts, form, made_ns)),
    )


def _blocks(facts: Facts, form: Form, made_ns: int | None) -> Iterator[Block]:
    numbers = _numbered(facts.source.events)
    yield _head(facts, form, made_ns)
    yield from _logbook(facts, form)
    yield from _figures(facts, form)
    yield from _map(facts, form, numbers)
    yield from _cameras(facts, form)
    yield from _condition(facts, form)
    yield from _stills(facts, form)
    yield from _events(facts, form, numbers)
    yield from _notes(facts, form)
    yield Heading(form.word("hints"))
    for hint in ("hint_times", "hint_places", "hint_logbook", "hint_proof"):
        yield Paragraph(form.word(hint))


def _head(facts: Facts, form: Form, made_ns: int | None) -> Pairs:
    source = facts.source
    order, flight, incident = source.order, source.flight, source.incident
    kind = "incident_uebung" if incident and incident.kind is IncidentKind.UEBUNG else "incident"
    rows = [
        (form.word(kind), incident.name if incident else form.word("no_incident")),
        (form.word("aircraft"), f"{flight.aircraft_name} ({flight.aircraft_id})"),
        (form.word("flight"), order.flight_id),
        (form.word("stretch"), _period(order.from_ns, order.to_ns, form)),
        (form.word("ordered_by"), order.by or UNKNOWN),
    ]
    if made_ns is not None:
        rows.append((form.word("made"), form.moment(made_ns)))
    return Pairs(tuple(rows))


def _period(from_ns: int, to_ns: int, form: Form) -> str:
    ends = f"{form.moment(from_ns)}\n{form.word('to')} {form.moment(to_ns)}"
    return f"{ends}\n{form.duration(to_ns - from_ns)}"


def _logbook(facts: Facts, form: Form) -> Iterator[Block]:
    entered, flown, flight = facts.source.order.logbook, facts.flown, facts.source.flight
    unfilled, unknown = form.word("unfilled"), form.word("unknown")
    times = flown.takeoff_ns, flown.landing_ns
    lasted = times[1] - times[0] if times[0] is not None and times[1] is not None else None
    yield Heading(form.word("logbook"))
    yield Pairs(
        (
            (form.word("number"), entered.number or unfilled),
            (form.word("pilot"), entered.pilot or unfilled),
            (form.word("date"), form.date(flight.started_ns if times[0] is None else times[0])),
            (form.word("place"), entered.place or unfilled),
            (form.word("takeoff"), unknown if times[0] is None else form.moment(times[0])),
            (form.word("landing"), unknown if times[1] is None else form.moment(times[1])),
            (form.word("duration"), unknown if lasted is None else form.duration(lasted)),
            (form.word("takeoff_place"), form.place(flown.takeoff)),
            (form.word("landing_place"), form.place(flown.landing)),
            (form.word("remarks"), entered.remarks or UNKNOWN),
        )
    )
    ended = form.word("unknown") if flight.ended_ns is None else form.moment(flight.ended_ns)
    said = {By.LANDED: "by_landed", By.ARMED: "by_armed", By.NOTHING: "by_nothing"}[flown.by]
    yield Paragraph(form.word(said, from_=form.moment(flight.started_ns), to=ended))


def _figures(facts: Facts, form: Form) -> Iterator[Block]:
    known = facts.figures
    battery = f"{form.number(known.battery_first_pct)} / {form.number(known.battery_last_pct)} %"
    yield Heading(form.word("figures"))
    yield Pairs(
        (
            (form.word("height"), form.number(known.height_home_m, "m")),
            (form.word("height_sea"), form.number(known.height_msl_m, "m")),
            (form.word("distance"), form.number(known.distance_m, "m")),
            (form.word("speed"), form.number(known.speed_ms, "m/s", 1)),
            (form.word("battery"), battery if known.battery_first_pct is not None else UNKNOWN),
            (form.word("positions"), str(known.positions)),
        )
    )


def _map(facts: Facts, form: Form, numbers: dict[str, int]) -> Iterator[Block]:
    drawn = track_map(facts.track, _marks(facts, numbers))
    yield Heading(form.word("map"))
    if drawn is None:
        yield Paragraph(form.word("no_map"))
        return
    step = f"{drawn.step_m} m" if drawn.step_m < 1000 else f"{drawn.step_m // 1000} km"
    yield MapFigure(drawn, form.word("map_caption", square=drawn.square or drawn.zone, step=step))


def _marks(facts: Facts, numbers: dict[str, int]) -> Iterator[Mark]:
    """Take-off and landing are drawn where they are of this stretch."""
    order, flown = facts.source.order, facts.flown
    for label, at_ns, place, ink in (
        ("S", flown.takeoff_ns, flown.takeoff, Ink.TAKEOFF),
        ("L", flown.landing_ns, flown.landing, Ink.LANDING),
    ):
        if place and at_ns is not None and order.from_ns <= at_ns <= order.to_ns:
            yield Mark(place, label, ink)
    for marker in _standing(facts.source.events):
        place = Place(marker.lat_deg, marker.lon_deg)
        yield Mark(place, f"M{numbers[id_of(marker)]}", Ink.MARKER)
    for number, still in enumerate(facts.stills, 1):
        if (where := _where(facts, still)[0]) is not None:
            yield Mark(where, f"B{number}", Ink.STILL)


def _standing(events: Sequence[Event]) -> list[Marker]:
    """The markers that there are at the end."""
    markers = Markers()
    for event in events:
        if isinstance(event, Marker):
            markers.take(event)
    return markers.standing()


def _where(facts: Facts, still: StillFacts) -> tuple[Place | None, float | None]:
    """The aircraft's place at the moment of a picture, and its height above take-off."""
    sample = facts.source.past.sample(still.utc_ns) if still.utc_ns is not None else None
    if sample is None or sample.lat_deg is None or sample.lon_deg is None:
        return None, sample.alt_home_m if sample else None
    return Place(sample.lat_deg, sample.lon_deg), sample.alt_home_m


def _cameras(facts: Facts, form: Form) -> Iterator[Block]:
    regions = facts.source.order.regions
    rows = []
    for camera in facts.cameras:
        hidden = f"\n{form.word('made_unrecognisable')}" if regions.get(camera.feed.id) else ""
        rows.append((f"{camera.feed.name} ({camera.feed.id}){hidden}", *_pictures(camera, form)))
    yield Heading(form.word("cameras"))
    yield Table((form.word("camera"), form.word("pictures"), form.word("gaps")), tuple(rows), (0.4, 0.3, 0.3))


def _condition(facts: Facts, form: Form) -> Iterator[Block]:
    """What must be known of the recording itself."""
    flight = facts.source.flight
    if flight.repaired_ns is not None:
        at = form.moment(flight.repaired_ns)
        yield Paragraph(form.word("repaired", at=at, bytes=flight.lost_bytes))
    if flight.ended_ns is None:
        yield Paragraph(form.word("goes_on"))


def _pictures(camera: CameraFacts, form: Form) -> tuple[str, str]:
    if not camera.readable:
        return form.word("unreadable"), UNKNOWN
    if camera.pictures is None:
        return form.word("no_pictures"), UNKNOWN
    gaps = [f"{form.clock(start)} – {form.clock(end)}" for start, end in camera.gaps[:_GAPS_MOST]]
    if len(camera.gaps) > _GAPS_MOST:
        gaps.append(form.word("more", count=len(camera.gaps) - _GAPS_MOST))
    start, end = camera.pictures
    return f"{form.clock(start)} – {form.clock(end)}", "\n".join(gaps) or form.word("no_gaps")


def _stills(facts: Facts, form: Form) -> Iterator[Block]:
    if not facts.stills:
        return
    yield Heading(form.word("stills"))
    yield Stills(
        tuple(Still(s.path, f"B{n} · {_caption(facts, s, form)}") for n, s in enumerate(facts.stills, 1))
    )


def _caption(facts: Facts, still: StillFacts, form: Form) -> str:
    names = {feed.id: feed.name for feed in facts.source.flight.feeds}
    place, height_m = _where(facts, still)
    at = form.word("unknown") if still.utc_ns is None else form.exact(still.utc_ns)
    taken = " · ".join(part for part in (names.get(still.feed_id, still.feed_id), at) if part)
    height = "" if height_m is None else f", {form.number(height_m)} {form.word('over_start')}"
    return f"{taken}\n{form.word('aircraft_at')}: {form.place(place)}{height}"


def _events(facts: Facts, form: Form, numbers: dict[str, int]) -> Iterator[Block]:
    events = sorted(facts.source.events, key=lambda event: event.utc_ns)
    yield Heading(form.word("events"))
    if not events:
        yield Paragraph(form.word("no_events"))
        return
    rows = [
        (*_times(e.utc_ns, facts, form), _said(e, form, numbers)) for e in _with_limits(events[:ROWS_MOST])
    ]
    yield _timed(rows, len(events), form)


def _times(utc_ns: int, facts: Facts, form: Form) -> tuple[str, str]:
    """With the day, where it is another than that of the beginning."""
    day = form.date(utc_ns)
    day = "" if day == form.date(facts.source.order.from_ns) else f"{day}\n"
    return f"{day}{form.clock(utc_ns)}", form.local(utc_ns)


def _with_limits(events: Iterable[Event]) -> Iterator[Event]:
    """An alarm that is over says no more what was passed: it is said again as when it began."""
    begun: dict[tuple[str, str], dict[str, str]] = {}
    for event in events:
        if isinstance(event, Alarm):
            values = begun.setdefault((event.aircraft_id, event.code), {})
            values.update(event.values)
            yield replace(event, values=dict(values))
        else:
            yield event


def _timed(rows: Sequence[tuple[str, str, str]], count: int, form: Form) -> Table:
    more = [("", "", form.word("more", count=count - ROWS_MOST))] if count > ROWS_MOST else []
    return Table((form.word("utc"), form.word("local"), form.word("what")), (*rows, *more), (0.12, 0.2, 0.68))


def _said(event: Event, form: Form, numbers: dict[str, int]) -> str:
    match event:
        case Marker():
            return _of_marker(event, form, numbers)
        case Alarm():
            what = alarm_sentence(event.code, form.language, event.values)
            serious = "alarm" if event.level is AlarmLevel.ALARM else "warning"
            return form.word(serious if event.active else "over", what=what)
        case StatusText():
            return form.word("said", text=event.text)
        case RecordingSwitch():
            return form.word("recording_on" if event.on else "recording_off", by=event.by or UNKNOWN)
        case Armed():
            return form.word("armed")
        case Disarmed():
            return form.word("disarmed")
        case FlightStarted():
            return form.word("flight_started")
        case FlightEnded():
            return form.word("flight_ended")


def _of_marker(marker: Marker, form: Form, numbers: dict[str, int]) -> str:
    values = {"number": f"M{numbers[id_of(marker)]}", "label": form.quoted(marker.label)}
    if marker.removed:
        told = form.word("marker_removed", **values)
    else:
        told = form.word("marker", **values, place=form.place(Place(marker.lat_deg, marker.lon_deg)))
    told = " ".join(told.split())
    return f"{told}, {form.word('set_by', by=marker.by)}" if marker.by else told


def _numbered(events: Sequence[Event]) -> dict[str, int]:
    """Markers count from 1, as they were set."""
    ids = dict.fromkeys(id_of(event) for event in events if isinstance(event, Marker))
    return {marker_id: number for number, marker_id in enumerate(ids, 1)}


def _notes(facts: Facts, form: Form) -> Iterator[Block]:
    yield Heading(form.word("notes"))
    if not facts.notes:
        yield Paragraph(form.word("no_notes"))
        return
    rows = [
        (*_times(n.utc_ns, facts, form), f"{n.text}\n{form.word('noted_by', by=n.by or UNKNOWN)}")
        for n in facts.notes[:ROWS_MOST]
    ]
    yield _timed(rows, len(facts.notes), form)
