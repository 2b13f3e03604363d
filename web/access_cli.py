"""`lagebild account …` and `lagebild token …`: beside a running service, or without it."""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from flow.clock import SystemClock
from flow.errors import LagebildError, NotFoundError
from recordings.owner import owner_of

from .access.accounts import (
    AccountChange,
    change_account,
    checked_login,
    checked_name,
    new_account,
    remove_account,
)
from .access.audit import Action, Detail
from .access.book import Account
from .access.invites import PASSWORD_HOURS, invite_account
from .access.permissions import Permission, Role
from .access.sessions import NS_PER_DAY
from .access.store import AccessStore
from .access.tokens import TokenKind, TokenWish, checked_grants, make_token, withdraw_token
from .command_log import record_command
from .data_folder import become_its_user
from .first_link import address_for_people, welcome_link
from .flights_cli import plain, table
from .publish_keys import make_folder
from .routes.accounts import account_view, changes_of
from .routes.tokens import token_view
from .settings import Settings
from .unsecured import is_loopback

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every command needs."""

    store: AccessStore
    settings: Settings
    now_ns: int

    def change(self, edit: Callable[[sqlite3.Connection], T]) -> T:
        return self.store.change_now(edit)

    def tell(self, action: Action, what: str, named: Mapping[str, str], **detail: Detail) -> None:
        """Tell the audit log what was done."""
        record_command(self.settings, action, f"lagebild {what}", named, detail)

    def account(self, login: str) -> Account:
        account = self.store.book.account_named(login.strip())
        if account is None:
            known = ", ".join(sorted(each.login for each in self.store.book.accounts.values())) or "none"
            raise NotFoundError(f"there is no account '{login}'; there are: {known}")
        return account

    def invite(self, account_id: str, login: str) -> str:
        """What to tell of a new one-time link."""
        token, _ = self.change(lambda file: invite_account(file, account_id, self.now_ns))
        self.tell(Action.MADE, "account invite", {"account": account_id}, login=login)
        link = welcome_link(_base(self.settings), token)
        good = f"good once, for {PASSWORD_HOURS:g} hours"
        return f"With this link '{login}' sets a password; it is {good}:\n  {link}"


_Does = Callable[[_Desk, argparse.Namespace], str]


async def run_access(options: argparse.Namespace, settings: Settings) -> int:
    """What `add_account_command` and `add_token_command` parsed; returns the exit code."""
    root, clock = Path(settings.server.data_dir), SystemClock()
    if options.changes:
        make_folder(root)
    if root.exists():
        become_its_user(root)  # or the service could not change what root has made
    with closing(AccessStore(root, clock)) as store:
        store.open()
        told = options.does(_Desk(store, settings, clock.now_ns()), options)
    print(told)
    return 0


def _list_accounts(desk: _Desk, options: argparse.Namespace) -> str:
    book = desk.store.book
    views = [account_view(book, each) for each in sorted(book.accounts.values(), key=lambda a: a.login)]
    if options.json:
        return json.dumps({"accounts": msgspec.to_builtins(views)}, indent=1, ensure_ascii=False)
    rows = []
    for each in views:
        state = "disabled" if each.disabled else "" if each.password or each.oidc else "no password yet"
        rows.append((each.login, plain(each.name), " ".join(each.roles), str(each.sessions), state))
    return table([("LOGIN", "NAME", "ROLES", "DEVICES", ""), *rows]) if rows else "lagebild: no accounts"


def _add_account(desk: _Desk, options: argparse.Namespace) -> str:
    login = checked_login(options.login)
    name, roles = checked_name(options.name or options.login), frozenset(options.role)
    account_id = desk.change(lambda file: new_account(file, login, name, roles, desk.now_ns))
    told = " ".join(sorted(roles))
    desk.tell(Action.MADE, "account add", {"account": account_id}, login=login, roles=told)
    return f"lagebild: account '{login}' is made. {desk.invite(account_id, login)}"


def _change_account(desk: _Desk, login: str, edit: AccountChange) -> None:
    account = desk.account(login)
    desk.change(lambda file: change_account(file, account.id, edit))
    told = changes_of(edit)
    desk.tell(Action.CHANGED, "account", {"account": account.id}, login=account.login, **told)


def _set_roles(desk: _Desk, options: argparse.Namespace) -> str:
    _change_account(desk, options.login, AccountChange(roles=frozenset(options.role)))
    return f"lagebild: '{options.login}' is {', '.join(sorted(set(options.role)))} now"


def _disable(desk: _Desk, options: argparse.Namespace) -> str:
    _change_account(desk, options.login, AccountChange(disabled=True))
    return f"lagebild: '{options.login}' is disabled, and logged out everywhere"


def _enable(desk: _Desk, options: argparse.Namespace) -> str:
    _change_account(desk, options.login, AccountChange(disabled=False))
    return f"lagebild: '{options.login}' may log in again"


def _invite(desk: _Desk, options: argparse.Namespace) -> str:
    account = desk.account(options.login)
    return desk.invite(account.id, account.login)


def _remove_account(desk: _Desk, options: argparse.Namespace) -> str:
    account = desk.account(options.login)
    desk.change(lambda file: remove_account(file, account.id))
    desk.tell(Action.DELETED, "account remove", {"account": account.id}, login=account.login)
    return f"lagebild: account '{account.login}' is removed"


def _list_tokens(desk: _Desk, options: argparse.Namespace) -> str:
    book = desk.store.book
    tokens = sorted(book.tokens.values(), key=lambda each: (each.name, each.created_ns))
    views = [token_view(book, each, desk.now_ns) for each in tokens]
    if options.json:
        return json.dumps({"tokens": msgspec.to_builtins(views)}, indent=1, ensure_ascii=False)
    rows = []
    for each in views:
        until = "never" if each.expires_ms is None else _day(each.expires_ms)
        bound = f"incident {each.incident_id}" if each.incident_id else ""
        expired = "expired" if each.expired else bound
        rows.append((each.id, plain(each.name), each.kind, " ".join(each.grants), until, expired))
    head = ("TOKEN", "NAME", "KIND", "GRANTS", "EXPIRES", "")
    return table([head, *rows]) if rows else "lagebild: no tokens"


def _add_token(desk: _Desk, options: argparse.Namespace) -> str:
    grants = checked_grants(options.kind, options.grant or None)
    expires_ns = None if options.days is None else desk.now_ns + round(options.days * NS_PER_DAY)
    wish = TokenWish(checked_name(options.name), grants, "command line", expires_ns, options.incident)
    token_id, token = desk.change(lambda file: make_token(file, wish, desk.now_ns))
    told = " ".join(sorted(grants))
    desk.tell(Action.MADE, "token add", {"token": token_id}, name=wish.name, grants=told)
    return f"Token '{wish.name}' ({token_id}), shown only now: {token}\n  Authorization: Bearer {token}"


def _withdraw_token(desk: _Desk, options: argparse.Namespace) -> str:
    token_id = options.token
    name = desk.change(lambda file: withdraw_token(file, token_id))
    desk.tell(Action.REVOKED, "token withdraw", {"token": token_id}, name=name)
    return f"lagebild: token '{plain(name)}' ({token_id}) opens nothing any more"


def add_account_command(account: argparse.ArgumentParser, every: argparse.ArgumentParser) -> None:
    """The actions of `lagebild account`; `every` brings the options of every command."""
    actions = account.add_subparsers(required=True, metavar="ACTION")

    def add(
        name: str, does: Callable[[_Desk, argparse.Namespace], str], what: str
    ) -> argparse.ArgumentParser:
        parser = actions.add_parser(name, parents=[every], help=what, description=what)
        parser.set_defaults(does=does, changes=name != "list")
        if name != "list":
            parser.add_argument("login", metavar="LOGIN", help="what the person types to log in")
        return parser

    listing = add("list", _list_accounts, "everybody who can log in")
    listing.add_argument("--json", action="store_true", help="for programs: as /api/v1/accounts")
    new = add("add", _add_account, "make an account and show the one-time link that sets its password")
    new.add_argument("--name", help="as others see it (default: the login)")
    new.add_argument("--role", required=True, action="append", type=_role, metavar="ROLE", help=_ROLES)
    roles = add("roles", _set_roles, "give an account these roles, and no others")
    roles.add_argument("role", nargs="+", type=_role, metavar="ROLE", help=_ROLES)
    add("disable", _disable, "log somebody out everywhere, and let him in no more")
    add("enable", _enable, "let somebody in again who was disabled")
    add("invite", _invite, "show a new one-time link that sets a password")
    add("remove", _remove_account, "remove an account")


def add_token_command(token: argparse.ArgumentParser, every: argparse.ArgumentParser) -> None:
    """The actions of `lagebild token`."""
    actions = token.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", parents=[every], help="every machine's token")
    listing.add_argument("--json", action="store_true", help="for programs: as /api/v1/tokens")
    listing.set_defaults(does=_list_tokens, changes=False)
    new = actions.add_parser("add", parents=[every], help="make a token for a machine; it is shown once")
    new.add_argument("name", metavar="NAME", help="which machine")
    new.add_argument("--kind", required=True, type=TokenKind, choices=list(TokenKind), help="what it is for")
    new.add_argument("--grant", action="append", type=Permission, metavar="PERMISSION",
                     help="only these of the kind's (may be given more than once)")  # fmt: skip
    new.add_argument("--days", type=_days, metavar="N", help="good for so long (default: until withdrawn)")
    new.add_argument("--incident", metavar="ID", help="reaches only what belongs to this incident")
    new.set_defaults(does=_add_token, changes=True)
    withdraw = actions.add_parser("withdraw", parents=[every], help="a token opens nothing any more")
    withdraw.add_argument("token", metavar="TOKEN", help="its id, as `lagebild token list` shows it")
    withdraw.set_defaults(does=_withdraw_token, changes=True)


_ROLES = ", ".join(Role)


def _role(text: str) -> Role:
    try:
        return Role(text.lower())
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no role; there are: {_ROLES}") from None


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= 36_500:
        raise argparse.ArgumentTypeError("0 to 36500 days")
    return days


def _base(settings: Settings) -> str:
    """How people call the service: as it says itself where it runs."""
    server = settings.server
    try:
        owner = owner_of(Path(server.data_dir))
    except LagebildError:
        owner = None
    scheme = "http" if is_loopback(server.host) and not settings.tls.certificate else "https"
    listening = owner.address if owner and owner.address else f"{scheme}://{server.host}:{server.port}/"
    return address_for_people(server, listening)


def _day(utc_ms: float) -> str:
    return f"{datetime.fromtimestamp(utc_ms / 1000).astimezone():%Y-%m-%d %H:%M}"
