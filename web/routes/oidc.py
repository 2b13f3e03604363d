"""The way to the city's OpenID Connect provider and back: two addresses that browsers are sent to."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from flow.clock import NS_PER_S, Clock
from web.access import Door, Permission, Route, Scope
from web.access.audit import Action, Entry
from web.access.caller import NOBODY, Caller
from web.access.door import Guard
from web.access.recognise import SESSION_COOKIE, new_cookie
from web.access.store import AccessStore
from web.oidc.attempt import COOKIE, GOOD_FOR_S, own_path
from web.oidc.errors import OidcError
from web.oidc.flow import Came, OidcLogin

log = logging.getLogger("lagebild.web")

GO, BACK = "/login/oidc", "/login/oidc/back"
_LINE_EVERY_NS = 10 * NS_PER_S
_AGENT_MOST = 200


def _way(path: str, summary: str, answers: dict[int, str]) -> Route:
    return Route(
        "GET",
        path,
        Permission.PUBLIC,
        summary,
        answers,
        media_type="",
        is_page=True,
        scope=Scope.NOTHING,
    )


_GO = _way(GO, "To the provider's login", {303: "the provider, or /login?error=CODE"})
_BACK = _way(BACK, "Back from the provider", {303: "`next`, or /login?error=CODE"})


@dataclass(frozen=True, slots=True)
class Sessions:
    """Where devices that stay logged in are kept, and for how long."""

    store: AccessStore
    clock: Clock
    days: float


def add_oidc_routes(door: Door, login: OidcLogin, sessions: Sessions) -> None:
    told = _Told(sessions.clock)

    async def go(request: web.Request) -> web.Response:
        next_path = request.query.get("next", "/")
        try:
            begun = await login.begin(next_path, _redirect_uri(request))
        except OidcError as error:
            told.add(error)
            return _elsewhere(_login_page(error, next_path))
        reply = _elsewhere(begun.url)
        reply.set_cookie(
            COOKIE, begun.cookie, max_age=GOOD_FOR_S, path=GO, httponly=True, samesite="Lax",
            secure=request.secure,
        )  # fmt: skip
        return reply

    async def back(request: web.Request) -> web.Response:
        came = Came(request.query, request.cookies.get(COOKIE, ""), _redirect_uri(request))
        next_path = "/"
        try:
            attempt = login.attempt(came)
            next_path = attempt.next_path
            account_id = await login.finish(attempt, came)
        except OidcError as error:
            told.add(error)
            _record(door.guard, request, Action.LOGIN_FAILED, code=error.code)
            reply = _elsewhere(_login_page(error, next_path))
        else:
            reply = _elsewhere(next_path)
            caller = await _log_in(sessions, request, reply, account_id)
            _record(door.guard, request, Action.LOGGED_IN, caller)
        reply.del_cookie(COOKIE, path=GO)
        return reply

    door.route(_GO, go)
    door.route(_BACK, back)


def _redirect_uri(request: web.Request) -> str:
    """Where the provider sends the browser back to: as the browser calls us. The provider knows which are
    registered, and refuses all others."""
    return f"{request.scheme}://{request.host}{BACK}"


def _login_page(error: OidcError, next_path: str) -> str:
    wanted = own_path(next_path)
    return f"/login?{urlencode({'error': error.code} | ({'next': wanted} if wanted != '/' else {}))}"


def _elsewhere(url: str) -> web.Response:
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


async def _log_in(sessions: Sessions, request: web.Request, reply: web.Response, account_id: str) -> Caller:
    """Whoever has that account is logged in on this device."""
    store, now_ns = sessions.store, sessions.clock.now_ns()
    value, session_id = new_cookie(store.book.house_key)
    lasts_s = sessions.days * 86_400
    row = (
        session_id,
        account_id,
        now_ns,
        now_ns + round(lasts_s * NS_PER_S),
        request.remote or "",
        request.headers.get("User-Agent", "")[:_AGENT_MOST],
    )
    await store.change(lambda file: file.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)", row))
    reply.set_cookie(
        SESSION_COOKIE, value, max_age=round(lasts_s), path="/", httponly=True, samesite="Lax",
        secure=request.secure,
    )  # fmt: skip
    return store.book.person(session_id, now_ns) or NOBODY


def _record(
    guard: Guard, request: web.Request, action: Action, caller: Caller = NOBODY, code: str = ""
) -> None:
    detail = {"way": "oidc"} | ({"code": code} if code else {})
    guard.audit.record(Entry(guard.now_ns(), caller, guard.address(request), action, BACK, detail=detail))


class _Told:
    """A line now and then for the logins that fail, with a count of those it leaves out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left_out = 0
        self._due_ns = 0

    def add(self, error: OidcError) -> None:
        now_ns = self._clock.now_ns()
        if now_ns < self._due_ns:
            self._left_out += 1
            return
        more = f" (and {self._left_out} more since the last such line)" if self._left_out else ""
        self._left_out, self._due_ns = 0, now_ns + _LINE_EVERY_NS
        log.warning("a login by OpenID Connect failed (%s): %s%s", error.code, error, more)
