"""The audit log: searched, exported, checked. Reading it is an entry, too."""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import Any

from aiohttp import web

from flow.errors import LagebildError
from web.access import Door, Permission, Route, tell_audit
from web.access.audit import Action
from web.asked import TIME, asked_number, asked_text, asked_time_ns, whole_number
from web.audit.searching import Query
from web.audit.worker import Form
from web.audit_desk import AuditDesk
from web.audit_views import AuditPage, AuditReport
from web.bodies import json_reply
from web.errors import RequestError

LIMIT, LIMIT_MOST = 100, 1000
SEQ_MOST = 999_999_999
JSON_LINES, CSV = "application/jsonl", "text/csv"

_PATH = "/api/v1/audit"
_BUSY = {503: "the log cannot be read (audit_unread), or too many read it (audit_busy)"}
_WRONG = {400: "asked for with a time or a number that cannot be"}
_FILTERS: dict[str, dict[str, Any]] = {
    "from_ms": TIME,
    "to_ms": TIME,
    "who": {"type": "string", "description": "An id, a kind of caller, or part of a name or address"},
    "action": {"type": "string", "enum": sorted(Action), "description": "What was done"},
    "about": {"type": "string", "description": "Part of a path, or the id of a feed, flight, incident, …"},
    "text": {"type": "string", "description": "Anywhere in an entry"},
}
_SENT_HEADERS = ("Cache-Control", "Content-Disposition")

_SHOW = Route(
    "GET",
    _PATH,
    Permission.AUDIT,
    "Who saw, exported, changed, deleted, opened what and when, the newest first",
    {200: "the entries"} | _WRONG | _BUSY,
    schema=AuditPage,
    query=_FILTERS
    | {
        "limit": whole_number(1, LIMIT_MOST, LIMIT, "So many at most"),
        "before": {
            "type": "integer",
            "minimum": 1,
            "maximum": SEQ_MOST,
            "description": "Those older than this entry",
        },
    },
    action=Action.READ_AUDIT,
)
_CHECK = Route(
    "GET",
    f"{_PATH}/check",
    Permission.AUDIT,
    "Whether the log is as it was written, and all there",
    {200: "what was found"} | _BUSY,
    schema=AuditReport,
    action=Action.READ_AUDIT,
)


def _export(form: Form, media_type: str, summary: str) -> Route:
    return Route(
        "GET",
        f"{_PATH}.{form}",
        Permission.AUDIT,
        summary,
        {200: "the entries, the oldest first"} | _WRONG | _BUSY,
        media_type=media_type,
        headers=_SENT_HEADERS,
        query=_FILTERS,
        action=Action.READ_AUDIT,
    )


def add_audit_routes(door: Door, desk: AuditDesk) -> None:
    async def show(request: web.Request) -> web.Response:
        limit = asked_number(request, "limit", 1, LIMIT_MOST, LIMIT)
        before = asked_number(request, "before", 1, SEQ_MOST, SEQ_MOST)
        query = _query_of(request, before if "before" in request.query else None, limit)
        return json_reply(await desk.page(query))

    async def check(request: web.Request) -> web.Response:
        report = await desk.check()
        tell_audit(request, intact=report.intact, last_seq=report.last_seq)
        return json_reply(report)

    def sent(form: Form, media_type: str) -> None:
        async def send(request: web.Request) -> web.StreamResponse:
            name = f'attachment; filename="lagebild-audit.{form}"'
            headers = {"Content-Type": media_type, "Cache-Control": "no-store", "Content-Disposition": name}
            response = web.StreamResponse(headers=headers)
            try:
                async with aclosing(desk.sent(form, _query_of(request))) as pieces:
                    async for piece in pieces:
                        if not response.prepared:  # not before something can be read
                            await response.prepare(request)
                        await response.write(piece)
                await response.write_eof()
            except LagebildError:
                if not response.prepared:
                    raise
                if request.transport is not None:
                    request.transport.abort()  # what is short must not look whole
            return response

        summary = "The log as JSON lines, sealed: `lagebild audit check FILE` knows whether it was changed"
        door.route(_export(form, media_type, summary if form == "jsonl" else "The log as a table"), send)

    door.route(_SHOW, show)
    sent("jsonl", JSON_LINES)
    sent("csv", CSV)
    door.route(_CHECK, check)


_SECRETIVE = re.compile(r"\S{20,}")


def _query_of(request: web.Request, before: int | None = None, limit: int | None = None) -> Query:
    """Raises RequestError. What was looked for is told, unless it might be a secret that somebody seeks."""
    action = asked_text(request, "action")
    if action and action not in set(Action):
        raise RequestError(f"action is one of {', '.join(sorted(Action))}", code="malformed", status=400)
    texts = {name: asked_text(request, name) for name in ("who", "about", "text")}
    told = {name: _SECRETIVE.sub("…", text) for name, text in texts.items() if text}
    tell_audit(request, **told, **({"of": action} if action else {}))
    from_ns, to_ns = asked_time_ns(request, "from_ms"), asked_time_ns(request, "to_ms")
    return Query(from_ns, to_ns, texts["who"], action, texts["about"], texts["text"], before, limit)
