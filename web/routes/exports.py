"""Exports: ordered, followed, cancelled, downloaded."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from recordings.export.jobs import OPEN, Job
from recordings.folders import flight_folder
from web.access import Door, Permission, Route, tell_audit
from web.access.audit import Action
from web.archive_calls import DiskReads
from web.asked import asked_text
from web.bodies import JSON, encoded_reply, json_body, json_list, json_reply
from web.byte_ranges import send_file
from web.export_views import Exports, ExportView, NewExport, export_view
from web.exports import ExportDesk
from web.routes.flights import BUSY, ONE, by_whom

ZIP = "application/zip"
BODY_MOST_BYTES = 64 * 1024

_ALL = "/api/v1/exports"
_EXPORT = f"{_ALL}/{{export}}"
_GONE = {404: "no such export (any more)", 503: BUSY}

_ORDER = Route(
    "POST",
    f"{ONE}/exports",
    Permission.EXPORT,
    "Order an export of a flight, or of a part of it; one is made at a time",
    {
        202: "the export: ask for it again to follow it",
        400: "nothing of the flight is in it, or what cannot be",
        404: "no such flight",
        409: "the flight cannot be read (recording_damaged)",
        429: "too many wait already",
        503: BUSY,
    },
    body=JSON,
    body_schema=NewExport,
    schema=ExportView,
    headers=("Location",),
    action=Action.EXPORTED,
)
_LIST = Route(
    "GET",
    _ALL,
    Permission.EXPORT,
    "Every export, the newest first",
    {200: "the exports", 400: "no text", 503: BUSY},
    schema=Exports,
    query={"flight": {"type": "string", "description": "Of this flight"}},
)
_SHOW = Route(
    "GET", _EXPORT, Permission.EXPORT, "How far an export is", {200: "the export"} | _GONE, schema=ExportView
)
_DELETE = Route(
    "DELETE",
    _EXPORT,
    Permission.EXPORT,
    "Cancel an export that is not ready yet; remove one that is, or has failed",
    {200: "it was cancelled, unless it was ready in that moment", 204: "it is removed"} | _GONE,
    schema=ExportView,
    action=Action.DELETED,
)
_NEWEST = Route(
    "GET",
    f"{ONE}/export.zip",
    Permission.EXPORT,
    "The newest export of a flight that is ready",
    {303: "where it is", 404: "no such flight, or no export of it is ready (no_export)", 503: BUSY},
    media_type="",
    headers=("Location",),
)


def _download(method: str) -> Route:
    parts = {206: "the part that Range asks for", 416: "there is no such part"} if method == "GET" else {}
    return Route(
        method,
        f"{_EXPORT}/export.zip",
        Permission.EXPORT,
        "Download an export; Range and If-Range are understood, so that it can be resumed"
        if method == "GET"
        else "What GET of an export would answer",
        {200: "all of it"} | parts | _GONE,
        media_type=ZIP if method == "GET" else "",
        headers=("Cache-Control", "ETag", "Last-Modified", "Content-Disposition"),
        action=Action.DOWNLOADED if method == "GET" else None,
    )


def add_export_routes(door: Door, desk: ExportDesk, reads: DiskReads) -> None:
    def view(job: Job) -> ExportView:
        return export_view(job, desk.progress(job))

    async def order(request: web.Request) -> web.Response:
        flight_id = request.match_info["flight"]
        flight_folder(desk.root, flight_id)
        wish = await json_body(request, NewExport, BODY_MOST_BYTES)
        job = await desk.order(wish.as_order(flight_id, by_whom(request, wish.by)))
        tell_audit(request, export=job.id)
        reply = json_reply(view(job), status=202)
        reply.headers["Location"] = f"{_ALL}/{job.id}"
        return reply

    async def listed(request: web.Request) -> web.Response:
        jobs = await desk.jobs(asked_text(request, "flight"))
        return encoded_reply(await reads.call(json_list, "exports", jobs, view))

    async def shown(request: web.Request) -> web.Response:
        return json_reply(view(await desk.job(request.match_info["export"])))

    async def delete(request: web.Request) -> web.Response:
        job = await desk.job(request.match_info["export"])
        tell_audit(request, flight=job.order.flight_id)
        if job.status in OPEN:
            return json_reply(view(await desk.cancel(job)))
        await desk.remove(job)
        return web.Response(status=204)

    async def download(request: web.Request) -> web.StreamResponse:
        job = await desk.job(request.match_info["export"])
        tell_audit(request, flight=job.order.flight_id)
        name = f"{job.order.flight_id}-{job.id[:8]}.zip"
        headers = {"Content-Type": ZIP, "Content-Disposition": f'attachment; filename="{name}"'}
        return await send_file(request, reads, partial(desk.opened, job), headers)

    async def newest(request: web.Request) -> web.Response:
        job = await desk.newest_done(request.match_info["flight"])
        return web.Response(status=303, headers={"Location": f"{_ALL}/{job.id}/export.zip"})

    door.route(_ORDER, order)
    door.route(_LIST, listed)
    door.route(_SHOW, shown)
    door.route(_DELETE, delete)
    door.route(_NEWEST, newest)
    for method in ("GET", "HEAD"):
        door.route(_download(method), download)
