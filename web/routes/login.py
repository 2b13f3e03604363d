"""Who am I, log in and out, one-time links, change one's password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from flow.errors import MalformedError
from web.access import Caller, CallerKind, Door, Permission, Role, Route, Scope, caller_of, is_secure
from web.access.accounts import checked_login, checked_name
from web.access.audit import Action
from web.access.book import InviteKind
from web.access.logins import Device, LoggedIn, Logins
from web.access.recognise import GUEST_COOKIE, SESSION_COOKIE
from web.access.sessions import end_session, leave_as_guest
from web.access.store import AccessStore
from web.bodies import JSON, json_body, json_reply

NameOf = Callable[[str], Awaitable[str]]
"""What an incident is called now; "" where there is none."""

DEVICE_DAYS = 400
LOGIN_PATH = "/api/v1/login"
_BUSY = "many passwords are being checked, or the disk refuses; see Retry-After"
_TRIES = "too many wrong ones (login_throttled); see Retry-After"
_WEAK = "not what is asked for, or a password that would be guessed (password_weak)"
_GONE = "the link was used, has expired or was replaced (invite_gone), or the login is taken (login_taken)"

_Login = Annotated[str, Meta(min_length=1, max_length=200, examples=["wolf"])]
_Secret = Annotated[str, Meta(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class MyIncident:
    """What a guest, or a machine's token, is bound to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Ways:
    """How one can log in here."""

    password: Annotated[bool, Meta(description="There are accounts with a password")]
    oidc: Annotated[str | None, Meta(description="Name of the OpenID Connect provider, for the button")]
    first: Annotated[bool, Meta(description="There is no administrator yet: use the link shown at start")]


@dataclass(frozen=True, slots=True)
class Me:
    """Who calls, and what he may do."""

    kind: CallerKind
    id: str
    name: str
    login: Annotated[str, Meta(description='"": not a person with an account')]
    roles: list[Role]
    permissions: list[Permission]
    incident: Annotated[MyIncident | None, Meta(description="null: bound to none")]
    password: Annotated[bool, Meta(description="He can change his password here")]
    ways: Ways


class LoginWish(msgspec.Struct, forbid_unknown_fields=True):
    """With an account of this house."""

    login: _Login
    password: _Secret


class InviteLook(msgspec.Struct, forbid_unknown_fields=True):
    """The token stands after the # of the link."""

    token: _Secret


class InviteUse(msgspec.Struct, forbid_unknown_fields=True):
    """`login` and `name` are chosen by the first administrator; for others they are there already."""

    token: _Secret
    password: _Secret
    login: str = ""
    name: str = ""


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True):
    """One's own."""

    old: _Secret
    new: _Secret


@dataclass(frozen=True, slots=True)
class InviteShown:
    """What a one-time link is for."""

    kind: InviteKind
    login: Annotated[str, Meta(description='Whose password is set; "": the first administrator chooses')]
    name: str
    expires_ms: float


_ME = Route(
    "GET",
    "/api/v1/me",
    Permission.PUBLIC,
    "Who calls, what he may do, and how one can log in",
    {200: "also for strangers", 401: "the token is wrong"},
    schema=Me,
    headers=("Cache-Control",),
    scope=Scope.NOTHING,
)
_LOG_IN = Route(
    "POST",
    LOGIN_PATH,
    Permission.PUBLIC,
    "Log in with login and password",
    {
        204: "with a cookie",
        400: "no login or password",
        401: "wrong (login_wrong)",
        429: _TRIES,
        503: _BUSY,
    },
    body=JSON,
    body_schema=LoginWish,
    scope=Scope.NOTHING,
)
_LOG_OUT = Route(
    "POST",
    "/api/v1/logout",
    Permission.SELF,
    "Log out on this device, or leave as a guest",
    {204: "the cookies are gone", 401: "nobody is logged in", 503: "the disk refuses; see Retry-After"},
    media_type="",
    scope=Scope.NOTHING,
    action=Action.LOGGED_OUT,
)
_LOOK = Route(
    "POST",
    "/api/v1/invited/look",
    Permission.PUBLIC,
    "What a one-time link is for",
    {200: "it can be used", 400: "no token", 409: _GONE},
    body=JSON,
    body_schema=InviteLook,
    schema=InviteShown,
    scope=Scope.NOTHING,
)
_INVITED = Route(
    "POST",
    "/api/v1/invited",
    Permission.PUBLIC,
    "Use a one-time link: set a password and be logged in; the first administrator's account is made by it",
    {204: "with a cookie", 400: _WEAK, 409: _GONE, 503: _BUSY},
    body=JSON,
    body_schema=InviteUse,
    scope=Scope.NOTHING,
)
_PASSWORD = Route(
    "PUT",
    "/api/v1/me/password",
    Permission.SELF,
    "Change one's password; all other devices are logged out",
    {
        204: "changed",
        400: _WEAK,
        401: "nobody is logged in",
        403: "the old one is wrong (password_wrong), or one has none here (no_password)",
        429: _TRIES,
        503: _BUSY,
    },
    body=JSON,
    body_schema=PasswordChange,
    scope=Scope.NOTHING,
    action=Action.CHANGED,
)


def add_login_routes(
    door: Door, store: AccessStore, logins: Logins, incident_name: NameOf, oidc_name: str | None
) -> None:
    """`oidc_name`: of the button for OpenID Connect; None where there is no provider."""

    async def me(request: web.Request) -> web.Response:
        caller = caller_of(request)
        response = json_reply(await _me(caller))
        response.headers["Cache-Control"] = "no-store"
        if caller.kind is CallerKind.PERSON and await logins.prolong(caller):
            cookie = request.cookies[SESSION_COOKIE]
            _set_cookie(response, SESSION_COOKIE, cookie, logins.session_s, secure=is_secure(request))
        return response

    async def _me(caller: Caller) -> Me:
        book, incident_id = store.book, caller.incident_id
        account = book.accounts.get(caller.id) if caller.kind is CallerKind.PERSON else None
        has_passwords = any(each.password_hash and not each.disabled for each in book.accounts.values())
        return Me(
            caller.kind,
            caller.id,
            caller.name,
            account.login if account else "",
            sorted(account.roles) if account else [],
            sorted(caller.permissions),
            MyIncident(incident_id, await incident_name(incident_id)) if incident_id else None,
            bool(account and account.password_hash),
            Ways(has_passwords, oidc_name, not book.has_administrator),
        )

    async def log_in(request: web.Request) -> web.Response:
        wish = await json_body(request, LoginWish)
        return logged_in(request, await logins.log_in(wish.login, wish.password, device_of(request)))

    async def log_out(request: web.Request) -> web.Response:
        caller, now_ns = caller_of(request), door.guard.now_ns()
        if caller.kind is CallerKind.PERSON:
            await store.change(lambda file: end_session(file, caller.session_id))
        elif caller.kind is CallerKind.GUEST:
            await store.change(lambda file: leave_as_guest(file, caller.session_id, now_ns))
        response = web.Response(status=204)
        for name in (SESSION_COOKIE, GUEST_COOKIE):
            if name in request.cookies:
                response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=is_secure(request))
        return response

    async def look(request: web.Request) -> web.Response:
        invite = logins.invite_of((await json_body(request, InviteLook)).token)
        account = store.book.accounts.get(invite.account_id)
        login, name = (account.login, account.name) if account else ("", "")
        return json_reply(InviteShown(invite.kind, login, name, invite.expires_ns / 1e6))

    async def invited(request: web.Request) -> web.Response:
        wish = await json_body(request, InviteUse)
        login = name = ""
        if logins.invite_of(wish.token).kind is InviteKind.FIRST_ADMINISTRATOR:
            login = checked_login(wish.login)
            name = checked_name(wish.name or wish.login)
        elif wish.login or wish.name:
            raise MalformedError("this link belongs to an account: it has its login and name")
        device = device_of(request)
        return logged_in(request, await logins.accept(wish.token, wish.password, login, name, device))

    async def change_password(request: web.Request) -> web.Response:
        wish = await json_body(request, PasswordChange)
        await logins.change_password(caller_of(request), wish.old, wish.new, device_of(request))
        return web.Response(status=204)

    def device_of(request: web.Request) -> Device:
        caller = caller_of(request)
        session_id = caller.session_id if caller.kind is CallerKind.PERSON else ""
        agent = request.headers.get("User-Agent", "")
        return Device(door.guard.address(request), agent, request.cookies, session_id)

    def logged_in(request: web.Request, who: LoggedIn) -> web.Response:
        response = web.Response(status=204)
        set_login(request, response, who, logins.session_s)
        return response

    for route, handler in (
        (_ME, me),
        (_LOG_IN, log_in),
        (_LOG_OUT, log_out),
        (_LOOK, look),
        (_INVITED, invited),
        (_PASSWORD, change_password),
    ):
        door.route(route, handler)


def set_login(request: web.Request, response: web.StreamResponse, who: LoggedIn, session_s: int) -> None:
    """Have the caller's device keep what says that he is logged in."""
    secure, device_s = is_secure(request), DEVICE_DAYS * 86_400
    _set_cookie(response, SESSION_COOKIE, who.cookie, session_s, secure=secure)
    _set_cookie(response, who.device_name, who.device, device_s, secure=secure, path=LOGIN_PATH)


def _set_cookie(
    response: web.StreamResponse, name: str, value: str, lasts_s: int, *, secure: bool, path: str = "/"
) -> None:
    response.set_cookie(name, value, max_age=lasts_s, path=path, httponly=True, samesite="Lax", secure=secure)
