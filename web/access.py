"""Every HTTP route goes through `Door.route`, which names its permission and describes it for OpenAPI."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

from flow.errors import LagebildError

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})  # "none": the person's own doing, by no page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Permission(StrEnum):
    """What a caller must be allowed to do. Everybody may do everything until accounts exist."""

    WATCH = "watch"  # pictures, telemetry, states of the feeds
    MARK = "mark"  # set, change and remove markers, and notes on flights
    REVIEW = "review"  # what was recorded, also of a flight that goes on; who watched, in figures
    EXPORT = "export"  # take recordings out of the house: order and download exports
    KEEP = "keep"  # hold flights, switch recording, open and change incidents
    DELETE = "delete"  # delete recordings
    CONNECT = "connect"  # how pictures are brought in: addresses, and keys made and withdrawn
    OPERATE = "operate"  # health and metrics
    TRAIN = "train"  # play recordings for an exercise
    PUBLISH = "publish"  # bring pictures to a feed; who may is known by the key
    PAGE = "page"  # the page's own files; they hold no data of an incident


@dataclass(frozen=True, slots=True)
class Route:
    """One registered route, as OpenAPI describes it. `answers` maps a status to what it means.

    `schema` is the type of what a 2xx answers, where that is JSON, and `body_schema` of what is asked;
    without `media_type` it answers no body. `headers` are those of openapi.HEADERS that every 2xx carries.
    """

    method: str
    path: str
    permission: Permission
    summary: str
    answers: dict[int, str]
    media_type: str = "application/json"
    body: str = ""  # media type of the request body, if there is one
    schema: type | None = None
    body_schema: type | None = None
    headers: tuple[str, ...] = ()
    query: dict[str, dict[str, Any]] = field(default_factory=dict)  # what may be asked: its JSON Schema
    keyed: bool = False  # a publisher's key is asked for
    says_why_itself: bool = False  # from 400 on, too, it answers `schema`


class ForbiddenError(LagebildError):
    """The caller may not do this."""

    code = "forbidden"


@dataclass(slots=True)
class Door:
    """Registers routes on an application, with the check of their permission in front.

    `names` are the host names that this service may be called by, beside IP addresses and localhost.
    """

    app: web.Application
    names: frozenset[str] = frozenset()
    routes: list[Route] = field(default_factory=list)

    def route(self, route: Route, handler: Handler) -> None:
        async def guarded(request: web.Request) -> web.StreamResponse:
            check(request, route.permission, self.names)
            return await handler(request)

        self.routes.append(route)
        self.app.router.add_route(route.method, route.path, guarded)


def check(request: web.Request, permission: Permission, names: frozenset[str]) -> None:
    """Raise ForbiddenError unless the caller may. Pages of other origins never may (RFC 6454).

    Nor may a page whose own name was made to point here (DNS rebinding): its requests carry that name.
    """
    name, _, port = request.host.rpartition(":")
    host = name if port.isdigit() else request.host
    if port.isdigit() and int(port) > 65535:
        raise ForbiddenError(f"there is no port {port[:8]}")
    if not _is_address(host) and host.lower() not in names | {"localhost"}:
        raise ForbiddenError(f"this service is not called '{host}'; if it is, add it to server.names")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise ForbiddenError(f"requests from {origin} are refused: it is not the origin of this service")
    # Fetch Metadata: browsers say it also where they leave Origin out; other programs say neither.
    if request.method not in _READING and request.headers.get("Sec-Fetch-Site", "same-origin") not in _OWN:
        raise ForbiddenError("requests from other sites are refused: they change nothing here")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
