"""The way to the city's OpenID Connect provider and back: two addresses that browsers are sent to."""

from __future__ import annotations

import logging
from urllib.parse import urlencode

from aiohttp import web

from flow.clock import NS_PER_S
from web.access import CallerKind, Door, Permission, Route, Scope, caller_of
from web.access.audit import Action, Entry
from web.access.caller import NOBODY
from web.access.door import Guard
from web.access.logins import Device, LoggedIn, Logins, LoginWrongError
from web.oidc.attempt import COOKIE, GOOD_FOR_S, own_path
from web.oidc.errors import OidcError
from web.oidc.flow import Came, OidcLogin
from web.routes.login import set_login

log = logging.getLogger("lagebild.web")

GO, BACK = "/login/oidc", "/login/oidc/back"
_LINE_EVERY_NS = 10 * NS_PER_S


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


def add_oidc_routes(door: Door, login: OidcLogin, logins: Logins) -> None:
    told = _Told()

    async def go(request: web.Request) -> web.Response:
        next_path = request.query.get("next", "/")
        try:
            begun = await login.begin(next_path, _redirect_uri(request))
        except OidcError as error:
            told.add(error, door.guard.now_ns())
            return _elsewhere(_login_page(error, next_path))
        reply = _elsewhere(begun.url)
        reply.set_cookie(
            COOKIE, begun.cookie, max_age=GOOD_FOR_S, path=GO, httponly=True, samesite="Lax",
            secure=request.secure,
        )  # fmt: skip
        return reply

    async def _let_in(account_id: str, request: web.Request) -> LoggedIn:
        caller = caller_of(request)
        session_id = caller.session_id if caller.kind is CallerKind.PERSON else ""
        agent = request.headers.get("User-Agent", "")
        device = Device(door.guard.address(request), agent, request.cookies, session_id)
        try:
            return await logins.let_in(account_id, device, "oidc")
        except LoginWrongError as error:  # locked or removed in this moment
            raise OidcError(str(error), code="oidc_disabled") from None

    async def back(request: web.Request) -> web.Response:
        came = Came(request.query, request.cookies.get(COOKIE, ""), _redirect_uri(request))
        next_path = "/"
        try:
            attempt = login.attempt(came)
            next_path = attempt.next_path
            who = await _let_in(await login.finish(attempt, came), request)
        except OidcError as error:
            told.add(error, door.guard.now_ns())
            _tell_failure(door.guard, request, error.code)
            reply = _elsewhere(_login_page(error, next_path))
        else:
            reply = _elsewhere(next_path)
            set_login(request, reply, who, logins.session_s)
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


def _tell_failure(guard: Guard, request: web.Request, code: str) -> None:
    detail = {"how": "oidc", "why": code}
    address = guard.address(request)
    guard.audit.record(Entry(guard.now_ns(), NOBODY, address, Action.LOGIN_FAILED, "login", detail=detail))


class _Told:
    """A line now and then for the logins that fail, with a count of those it leaves out."""

    def __init__(self) -> None:
        self._left_out = 0
        self._due_ns = 0

    def add(self, error: OidcError, now_ns: int) -> None:
        if now_ns < self._due_ns:
            self._left_out += 1
            return
        more = f" (and {self._left_out} more since the last such line)" if self._left_out else ""
        self._left_out, self._due_ns = 0, now_ns + _LINE_EVERY_NS
        log.warning("a login by OpenID Connect failed (%s): %s%s", error.code, error, more)
