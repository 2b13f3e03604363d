"""Bookmarks and notes of those who review a flight."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from flow.clock import NS_PER_MS, NS_PER_S, Clock
from recordings.folders import flight_folder
from recordings.notes import NOTES_MOST, Note, NoteBook, read_notes
from web.access import Door, Permission, Route, tell_audit
from web.access.audit import Action
from web.archive_calls import DiskReads
from web.bodies import JSON, json_body, json_reply
from web.errors import RequestError
from web.flight_index import flight_in
from web.pace import Pace
from web.routes.flights import GONE, ONE, By, Who, by_whom, named
from web.routes.ground import UtcMs
from web.track_views import NoteList, NoteView, note_view

TEXT_MOST = 500
_BODY_MOST_BYTES = 8192
CHANGES_AT_ONCE, CHANGES_A_SECOND = 30, 2.0
_SLACK_NS = NS_PER_S
"""A player's last picture may end a little after the flight."""

Text = Annotated[str, Meta(min_length=1, description=f"One line of at most {TEXT_MOST} characters")]
FeedOf = Annotated[str, Meta(description="The camera it is about; empty: none in particular")]


class NewNote(msgspec.Struct, forbid_unknown_fields=True):
    """At a moment of a flight."""

    utc_ms: UtcMs
    text: Text
    by: By
    feed_id: FeedOf = ""


class NoteChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different, and who says so."""

    by: By
    utc_ms: UtcMs | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    feed_id: FeedOf | UnsetType = UNSET


_ALL, _ONE = f"{ONE}/notes", f"{ONE}/notes/{{note}}"
_TOO_FAST = {429: "this address makes too many changes"}
_NO_NOTE = {404: "no such flight or note (no_note) (any more)"}
_WRONG = {400: "nothing said, nobody who says it, a moment outside of the flight, or no camera of it"}
_DAMAGED = {409: "the flight cannot be read (recording_damaged)"}
_FULL = {409: f"{NOTES_MOST} notes are on it, or they were changed too often (notes_full); {_DAMAGED[409]}"}

_LIST = Route(
    "GET",
    _ALL,
    Permission.REVIEW,
    "What was noted of a flight",
    {200: "the notes"} | _DAMAGED | GONE,
    schema=NoteList,
    action=Action.OPENED,
)
_ADD = Route(
    "POST",
    _ALL,
    Permission.MARK,
    "Note something of a moment of a flight, also of one that goes on",
    {201: "the note"} | _WRONG | _FULL | _TOO_FAST | GONE,
    body=JSON,
    body_schema=NewNote,
    schema=NoteView,
    action=Action.MADE,
)
_CHANGE = Route(
    "PATCH",
    _ONE,
    Permission.MARK,
    "Change a note; what it was before stays in the flight's folder",
    {200: "the note as it is now"} | _WRONG | _FULL | _TOO_FAST | GONE | _NO_NOTE,
    body=JSON,
    body_schema=NoteChange,
    schema=NoteView,
    action=Action.CHANGED,
)
_REMOVE = Route(
    "DELETE",
    _ONE,
    Permission.MARK,
    "Take a note back; that it was there stays in the flight's folder",
    {204: "it is shown no more", 400: "nobody who says so"} | _DAMAGED | _TOO_FAST | GONE | _NO_NOTE,
    body=JSON,
    body_schema=Who,
    media_type="",
    action=Action.DELETED,
)


class FlightNotes:
    """What is asked of notes; files are read and written in a thread."""

    def __init__(self, root: Path, clock: Clock, reads: DiskReads) -> None:
        self._root, self._clock, self._reads = root, clock, reads
        self._book = NoteBook(clock)
        self._pace = Pace(clock, CHANGES_AT_ONCE, CHANGES_A_SECOND)

    async def every(self, request: web.Request) -> web.Response:
        notes = await self._reads.call(_notes_of, self._folder(request))
        return json_reply(NoteList([note_view(note) for note in notes]))

    async def add(self, request: web.Request) -> web.Response:
        folder = self._changing(request)
        wish = await json_body(request, NewNote, _BODY_MOST_BYTES)
        text, by = named(wish.text, "text", TEXT_MOST), by_whom(request, wish.by)
        note = await self._reads.call(
            self._add, folder, round(wish.utc_ms * NS_PER_MS), text, by, wish.feed_id
        )
        tell_audit(request, note=note.id)
        return json_reply(note_view(note), status=201)

    async def change(self, request: web.Request) -> web.Response:
        folder = self._changing(request)
        wish = await json_body(request, NoteChange, _BODY_MOST_BYTES)
        by, changed = by_whom(request, wish.by), _changes(wish)
        note = await self._reads.call(self._change, folder, request.match_info["note"], by, changed)
        return json_reply(note_view(note))

    async def remove(self, request: web.Request) -> web.Response:
        folder = self._changing(request)
        by = by_whom(request, (await json_body(request, Who)).by)
        await self._reads.call(self._remove, folder, request.match_info["note"], by)
        return web.Response(status=204)

    def _folder(self, request: web.Request) -> Path:
        return flight_folder(self._root, request.match_info["flight"])

    def _changing(self, request: web.Request) -> Path:
        """Raises TooManyError."""
        self._pace.take(request.remote or "")
        return self._folder(request)

    def _add(self, folder: Path, utc_ns: int, text: str, by: str, feed_id: str) -> Note:
        self._check(folder, utc_ns, feed_id)
        return self._book.add(folder, utc_ns, text, by, feed_id)

    def _change(self, folder: Path, note_id: str, by: str, changed: dict[str, Any]) -> Note:
        self._check(folder, changed.get("utc_ns"), changed.get("feed_id", ""))
        return self._book.change(folder, note_id, by, **changed)

    def _remove(self, folder: Path, note_id: str, by: str) -> None:
        flight_in(folder)
        self._book.remove(folder, note_id, by)

    def _check(self, folder: Path, utc_ns: int | None, feed_id: str) -> None:
        """Raises NotFoundError where there is no such flight, RequestError for what is not of it."""
        flight = flight_in(folder)
        end_ns = self._clock.now_ns() if flight.ended_ns is None else flight.ended_ns
        if utc_ns is not None and not flight.started_ns - _SLACK_NS <= utc_ns <= end_ns + _SLACK_NS:
            raise RequestError("utc_ms is no moment of this flight", code="malformed", status=400)
        if feed_id and feed_id not in {feed.id for feed in flight.feeds}:
            raise RequestError("feed_id is no camera of this flight", code="malformed", status=400)


def _changes(wish: NoteChange) -> dict[str, Any]:
    """By the names of Note's fields. Raises MalformedError."""
    told = {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not UNSET}
    del told["by"]
    if "text" in told:
        told["text"] = named(told["text"], "text", TEXT_MOST)
    if "utc_ms" in told:
        told["utc_ns"] = round(told.pop("utc_ms") * NS_PER_MS)
    return told


def _notes_of(folder: Path) -> list[Note]:
    """Blocking. In the order of their moments. Raises NotFoundError."""
    flight_in(folder)
    return sorted(read_notes(folder).values(), key=lambda note: (note.utc_ns, note.made_ns))


def add_flight_note_routes(door: Door, notes: FlightNotes) -> None:
    door.route(_LIST, notes.every)
    door.route(_ADD, notes.add)
    door.route(_CHANGE, notes.change)
    door.route(_REMOVE, notes.remove)
