"""Every HTTP route goes through `Door.route`, which names its permission and describes it for OpenAPI.

In front of each handler: is it a page of ours that asks, who calls, does the policy let him, and what does
the audit log hear of it.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

from aiohttp import web

from flow.errors import LagebildError, NotFoundError

from .audit import Action, Audit, Detail, Entry, told_of
from .caller import Caller, CallerKind
from .forwarded import origin_url
from .permissions import Permission, Scope, scope_of
from .policy import Reach, Verdict, decide
from .presence import Presence
from .reach import Within, within

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_BUSINESS = frozenset({Permission.PUBLIC, Permission.PAGE, Permission.SELF})
_OWN = frozenset({"same-origin", "none"})  # "none": the person's own doing, by no page

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


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
    is_page: bool = False  # of the pages' own files: not of the interface that OpenAPI describes
    scope: Scope | None = None  # None: what the path's parameters say, and HOUSE where there are none
    action: Action | None = (
        None  # what the audit log is told where it succeeds; None: nothing, or by the handler
    )

    enters: bool = False  # the handler tells Presence itself who stays; else the door does while it answers

    @property
    def about(self) -> Scope:
        return self.scope or scope_of(self.path)


class ForbiddenError(LagebildError):
    """The caller may not do this."""

    code = "forbidden"


class UnauthenticatedError(LagebildError):
    """Nobody knows who calls: no cookie or token, or one that is not valid (any more)."""

    code = "login_needed"


class Guard(Protocol):
    """Who stands at the door: recognises callers, knows what belongs to which incident, keeps the log."""

    reach: Reach
    audit: Audit

    def caller(self, request: web.Request) -> Caller:
        """Raises UnauthenticatedError("token_wrong") for a token that is nobody's."""
        ...

    def address(self, request: web.Request) -> str:
        """The caller's IP address, behind a trusted proxy as that tells it."""
        ...

    def now_ns(self) -> int: ...


CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)
_TOLD: web.RequestKey[dict[str, Detail]] = web.RequestKey("what else the audit log is told", dict)


@dataclass(frozen=True, slots=True)
class _Pending:
    """What the audit log is told once the answer begins, with its status."""

    tell: Callable[[int], None]


_PENDING: web.RequestKey[_Pending] = web.RequestKey("pending", _Pending)


def caller_of(request: web.Request) -> Caller:
    """Who calls, as the door has recognised him."""
    return request[CALLER]


def tell_audit(request: web.Request, **detail: Detail) -> None:
    """What else the audit log is told: what was made, and why; no secrets."""
    request.setdefault(_TOLD, {}).update(detail)


def said_by(request: web.Request, name: str) -> str:
    """Who says so: the name of the account, where somebody has one; else the name that is given."""
    caller = request.get(CALLER)
    return caller.name if caller is not None and caller.kind is CallerKind.PERSON else name


@dataclass(slots=True)
class Door:
    """Registers routes on an application, with the checks in front.

    `names` are the host names that this service may be called by, beside IP addresses and localhost.
    Whoever may see something no longer while he is answered is cut off, as `presence` is told of him.
    """

    app: web.Application
    guard: Guard
    names: frozenset[str] = frozenset()
    presence: Presence | None = None
    routes: list[Route] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.app.on_response_prepare.append(_begun)

    def route(self, route: Route, handler: Handler) -> None:
        async def guarded(request: web.Request) -> web.StreamResponse:
            check_origin(request, self.names)
            caller = request[CALLER] = self.guard.caller(request)
            self._admit(request, caller, route)
            if route.action is not None:
                request[_PENDING] = _Pending(partial(self._record, request, caller, route.action))
            with self._answering(request, caller, route):
                response = await handler(request)
            _tell_once(request, response.status)
            return response

        self.routes.append(route)
        self.app.router.add_route(route.method, route.path, guarded)

    def _admit(self, request: web.Request, caller: Caller, route: Route) -> None:
        """Return where the policy lets him in."""
        verdict = decide(caller, route.permission, route.about, request.match_info, self.guard.reach)
        if verdict is Verdict.LOGIN and route.permission is Permission.PAGE:
            raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs, safe='')}")
        if verdict is Verdict.LOGIN:
            raise UnauthenticatedError("nobody is logged in here: log in, or send a token")
        if verdict is Verdict.FORBIDDEN:
            self.guard.audit.record(self._entry(request, caller, Action.REFUSED, 403))
            raise ForbiddenError(f"this needs the permission '{route.permission}', which you do not have")
        if verdict is Verdict.HIDDEN:
            self.guard.audit.record(self._entry(request, caller, Action.REFUSED, 404))
            raise NotFoundError("there is no such thing in your incident")

    def within(self, request: web.Request) -> Within:
        """What its caller reaches: for what is told of several things."""
        return within(caller_of(request), self.guard.reach)

    @contextlib.contextmanager
    def _answering(self, request: web.Request, caller: Caller, route: Route) -> Iterator[None]:
        """Who only asks; what changes something is done, whoever may be gone by then."""
        if self.presence is None or route.enters or route.method not in ("GET", "HEAD"):
            yield
            return
        if route.permission in _OWN_BUSINESS:
            yield
            return

        def end() -> None:
            if request.transport is not None:
                request.transport.abort()

        leave = self.presence.download(caller, end, route.permission, route.about, request.match_info)
        try:
            yield
        finally:
            leave()

    def _record(self, request: web.Request, caller: Caller, action: Action, status: int) -> None:
        self.guard.audit.record(self._entry(request, caller, action, status))

    def _entry(self, request: web.Request, caller: Caller, action: Action, status: int) -> Entry:
        return Entry(
            self.guard.now_ns(),
            caller,
            self.guard.address(request),
            action,
            route_of(request),
            told_of(route_of(request), request.match_info),
            {"method": request.method, "status": status} | request.get(_TOLD, {}),
        )


async def _begun(request: web.Request, response: web.StreamResponse) -> None:
    """What is sent counts from its first byte: whoever breaks a download off has most of it."""
    _tell_once(request, response.status)


def _tell_once(request: web.Request, status: int) -> None:
    pending = request.pop(_PENDING, None)
    if pending is not None and status < 400:
        pending.tell(status)


def route_of(request: web.Request) -> str:
    """The path as it is registered: what is asked for may hold a key, whoever mistypes it."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "a path that there is not"


def check_origin(request: web.Request, names: frozenset[str]) -> None:
    """Raise ForbiddenError for what pages of other origins have asked for (RFC 6454).

    Nor may a page whose own name was made to point here (DNS rebinding): its requests carry that name.
    """
    name, _, port = request.host.rpartition(":")
    host = name if port.isdigit() else request.host
    if port.isdigit() and int(port) > 65535:
        raise ForbiddenError(f"there is no port {port[:8]}")
    if not _is_address(host) and host.lower() not in names | {"localhost"}:
        raise ForbiddenError(f"this service is not called '{host}'; if it is, add it to server.names")
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() != origin_url(request).lower():
        raise ForbiddenError(
            f"requests from {origin} are refused: the origin of this service is {origin_url(request)} "
            "(of a reverse proxy it is believed where server.proxies names it)"
        )
    # Fetch Metadata: browsers say it also where they leave Origin out; other programs say neither.
    if request.method not in _READING and request.headers.get("Sec-Fetch-Site", "same-origin") not in _OWN:
        raise ForbiddenError("requests from other sites are refused: they change nothing here")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
