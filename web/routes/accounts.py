"""Accounts, as an administrator keeps them. Nobody types a password for others: they get a one-time link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from flow.errors import NotFoundError
from web.access import Door, Permission, Role, Route, origin_url, tell_audit
from web.access.accounts import (
    LOGIN_PATTERN,
    AccountChange,
    change_account,
    checked_login,
    checked_name,
    log_out_everywhere,
    new_account,
    remove_account,
)
from web.access.audit import Action
from web.access.book import Account, Book
from web.access.invites import invite_account
from web.access.store import AccessStore
from web.bodies import JSON, json_body, json_reply
from web.first_link import welcome_link

_ALL, _ONE = "/api/v1/accounts", "/api/v1/accounts/{account}"
_ADMIN = Permission.ADMINISTER
_DISK = {503: "the disk refuses; see Retry-After"}
_NONE = {404: "no such account"} | _DISK
_LAST = "it is the last administrator (last_administrator)"
_TAKEN = "another account has this login (login_taken)"

_Login = Annotated[str, Meta(description=f"Matches {LOGIN_PATTERN}; kept in lower case", examples=["wolf"])]
_Name = Annotated[str, Meta(min_length=1, description="As others see it", examples=["Petra Wolf"])]
_Roles = Annotated[list[Role], Meta(min_length=1, max_length=len(Role))]


@dataclass(frozen=True, slots=True)
class AccountView:
    """A person who can log in."""

    id: str
    login: str
    name: str
    roles: list[Role]
    created_ms: float
    disabled: bool
    password: Annotated[bool, Meta(description="He has set one")]
    oidc: Annotated[bool, Meta(description="He comes by OpenID Connect")]
    sessions: Annotated[int, Meta(description="On how many devices he is logged in")]
    invited_until_ms: Annotated[float | None, Meta(description="A one-time link is open until then")]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Everybody who can log in, by login."""

    accounts: list[AccountView]


@dataclass(frozen=True, slots=True)
class InviteMade:
    """A one-time link, shown only now."""

    url: str
    expires_ms: float


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """A person who is to log in; a one-time link lets him set his password."""

    login: _Login
    name: _Name
    roles: _Roles


class AccountEdit(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be different."""

    login: _Login | UnsetType = UNSET
    name: _Name | UnsetType = UNSET
    roles: _Roles | UnsetType = UNSET
    disabled: Annotated[bool, Meta(description="true logs him out everywhere, at once")] | UnsetType = UNSET


_LIST = Route("GET", _ALL, _ADMIN, "Every account", {200: "accounts"}, schema=Accounts)
_ADD = Route(
    "POST",
    _ALL,
    _ADMIN,
    "Make an account",
    {201: "the account", 400: "no login, name or role", 409: f"{_TAKEN}, or there are too many"} | _DISK,
    body=JSON,
    body_schema=NewAccount,
    schema=AccountView,
    action=Action.MADE,
)
_CHANGE = Route(
    "PATCH",
    _ONE,
    _ADMIN,
    "Rename an account, change its roles, disable or enable it",
    {200: "the account as it is now", 400: "no login, name or role", 409: f"{_LAST}; {_TAKEN}"} | _NONE,
    body=JSON,
    body_schema=AccountEdit,
    schema=AccountView,
    action=Action.CHANGED,
)
_REMOVE = Route(
    "DELETE",
    _ONE,
    _ADMIN,
    "Remove an account",
    {204: "gone, and logged out everywhere", 409: _LAST} | _NONE,
    media_type="",
    action=Action.DELETED,
)
_INVITE = Route(
    "POST",
    f"{_ONE}/invite",
    _ADMIN,
    "A one-time link by which the account sets its password; older ones are void",
    {200: "the link, shown only now", 409: "the account is disabled (account_disabled)"} | _NONE,
    schema=InviteMade,
    headers=("Cache-Control",),
    action=Action.MADE,
)
_LOG_OUT = Route(
    "DELETE",
    f"{_ONE}/sessions",
    _ADMIN,
    "Log an account out on every device",
    {204: "logged out"} | _NONE,
    media_type="",
    action=Action.REVOKED,
)


def add_account_routes(door: Door, store: AccessStore) -> None:
    def shown(account_id: str, status: int = 200) -> web.Response:
        account = store.book.accounts.get(account_id)
        if account is None:
            raise NotFoundError("this account has just been removed")
        return json_reply(account_view(store.book, account), status)

    def named(request: web.Request) -> str:
        """The path's account, which the audit log hears of by its login, too."""
        account_id = request.match_info["account"]
        account = store.book.accounts.get(account_id)
        if account is None:
            raise NotFoundError("there is no such account")
        tell_audit(request, login=account.login)
        return account_id

    async def every(_: web.Request) -> web.Response:
        book = store.book
        accounts = sorted(book.accounts.values(), key=lambda each: each.login)
        return json_reply(Accounts([account_view(book, each) for each in accounts]))

    async def add(request: web.Request) -> web.Response:
        wish = await json_body(request, NewAccount)
        login, name, now_ns = checked_login(wish.login), checked_name(wish.name), door.guard.now_ns()
        account_id = await store.change(lambda file: new_account(file, login, name, wish.roles, now_ns))
        tell_audit(request, account=account_id, login=login, roles=" ".join(sorted(set(wish.roles))))
        return shown(account_id, 201)

    async def change(request: web.Request) -> web.Response:
        wish, account_id = await json_body(request, AccountEdit), named(request)
        edit = AccountChange(
            None if wish.login is UNSET else checked_login(wish.login),
            None if wish.name is UNSET else checked_name(wish.name),
            None if wish.roles is UNSET else frozenset(wish.roles),
            None if wish.disabled is UNSET else wish.disabled,
        )
        await store.change(lambda file: change_account(file, account_id, edit))
        tell_audit(request, **changes_of(edit))
        return shown(account_id)

    async def remove(request: web.Request) -> web.Response:
        account_id = named(request)
        await store.change(lambda file: remove_account(file, account_id))
        return web.Response(status=204)

    async def invite(request: web.Request) -> web.Response:
        account_id, now_ns = named(request), door.guard.now_ns()
        token, expires_ns = await store.change(lambda file: invite_account(file, account_id, now_ns))
        url = welcome_link(origin_url(request), token)
        response = json_reply(InviteMade(url, expires_ns / 1e6))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def log_out(request: web.Request) -> web.Response:
        account_id = named(request)
        await store.change(lambda file: log_out_everywhere(file, account_id))
        return web.Response(status=204)

    for route, handler in (
        (_LIST, every),
        (_ADD, add),
        (_CHANGE, change),
        (_REMOVE, remove),
        (_INVITE, invite),
        (_LOG_OUT, log_out),
    ):
        door.route(route, handler)


def account_view(book: Book, account: Account) -> AccountView:
    invited = (each.expires_ns for each in book.invites.values() if each.account_id == account.id)
    invited_ns = next(invited, None)
    return AccountView(
        account.id,
        account.login,
        account.name,
        sorted(account.roles),
        account.created_ns / 1e6,
        account.disabled,
        bool(account.password_hash),
        bool(account.subject),
        sum(session.account_id == account.id for session in book.sessions.values()),
        invited_ns / 1e6 if invited_ns is not None else None,
    )


def changes_of(edit: AccountChange) -> dict[str, str]:
    """As the audit log tells it."""
    told = {
        "to_login": edit.login,
        "to_name": edit.name,
        "to_roles": None if edit.roles is None else " ".join(sorted(edit.roles)),
        "disabled": None if edit.disabled is None else str(edit.disabled).lower(),
    }
    return {name: value for name, value in told.items() if value is not None}
