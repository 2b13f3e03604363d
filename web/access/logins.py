"""Logging in and out: attempts, sessions, one-time links. What is refused is refused before any hash."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from flow.clock import Clock
from flow.errors import BusyError, NotFoundError, UnavailableError

from .accounts import row_of, set_password
from .attempts import Attempt, Attempts
from .audit import Action, Detail, Entry
from .book import Account, Book, Invite, InviteKind, Session
from .caller import NOBODY, Caller
from .door import ForbiddenError, Guard, UnauthenticatedError
from .invites import InviteGoneError, accept_first, accept_password, invite_first
from .passwords import Passwords, check_password
from .recognise import digest_of, new_cookie
from .sessions import (
    NS_PER_DAY,
    TOKENS_SHOWN_NS,
    begin_session,
    device_cookie_name,
    new_device,
    prolong_session,
    remove_expired,
)
from .store import AccessStore
from .throttle import ThrottledError

SWEEP_EVERY_S = 600.0


class LoginWrongError(UnauthenticatedError):
    """No such login, or another password; nobody is told which."""

    code = "login_wrong"


class PasswordWrongError(ForbiddenError):
    """The old password, where it is asked for once more."""

    code = "password_wrong"


@dataclass(frozen=True, slots=True)
class Device:
    """What calls, and from where. `cookies` are those it sent; `session_id` what it was logged in with."""

    address: str
    agent: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Somebody has a session now: what his device is to keep."""

    caller: Caller
    cookie: str = field(repr=False)
    device_name: str
    device: str = field(repr=False)


class Logins:
    """Lets people in and records it. `run` removes what has expired."""

    def __init__(
        self, store: AccessStore, guard: Guard, passwords: Passwords, clock: Clock, session_days: float
    ) -> None:
        self._store, self._guard, self._passwords, self._clock = store, guard, passwords, clock
        self._lasts_ns = round(session_days * NS_PER_DAY)
        self._attempts = Attempts(store)

    @property
    def session_s(self) -> int:
        return self._lasts_ns // 1_000_000_000

    async def log_in(self, login: str, password: str, device: Device) -> LoggedIn:
        """Raises ThrottledError, LoginWrongError, BusyError."""
        account = self._store.book.account_named(login.strip())
        attempt = self._attempts.of_login(login, account, device.address, device.cookies)
        await self._try(attempt, account, password, device)
        if account is None or not account.password_hash:
            raise LoginWrongError("login or password is wrong")  # never: nobody's password is right
        return await self.let_in(account.id, device, "password", proved_by=account.password_hash)

    async def let_in(self, account_id: str, device: Device, how: str, *, proved_by: str = "") -> LoggedIn:
        """Begin a session. `how` is what the audit log says: "password", "link", "oidc".

        `proved_by` is the password's hash that was checked. Raises LoginWrongError where the account is
        gone or disabled, or has another password by now.
        """
        now_ns, house_key = self._guard.now_ns(), self._store.book.house_key
        cookie, session_id = new_cookie(house_key)
        session = Session(
            session_id, account_id, now_ns, now_ns + self._lasts_ns, device.address, device.agent
        )

        def begin(file: sqlite3.Connection) -> None:
            try:
                row = row_of(file, account_id)
            except NotFoundError:
                raise LoginWrongError("this account has just been removed") from None
            if row["disabled"] or (proved_by and row["password_hash"] != proved_by):
                raise LoginWrongError("login or password is wrong")
            begin_session(file, session, device.session_id)

        await self._store.change(begin)
        caller = self._store.book.person(session_id, now_ns)
        if caller is None:
            raise LoginWrongError("this account has just been removed")
        self._tell(Action.LOGGED_IN, caller, device, caller.id, {"how": how, "name": caller.name})
        return LoggedIn(caller, cookie, device_cookie_name(account_id), new_device(house_key, account_id))

    def invite_of(self, token: str) -> Invite:
        """What a one-time link is for. Raises InviteGoneError."""
        book = self._store.book
        invite = book.invites.get(digest_of(token))
        gone = invite is None or self._guard.now_ns() >= invite.expires_ns
        if invite is None or gone or not _is_open(book, invite):
            raise InviteGoneError
        return invite

    async def accept(self, token: str, password: str, login: str, name: str, device: Device) -> LoggedIn:
        """Use a one-time link: set this password and be logged in. `login` and `name` are the first
        administrator's. Raises InviteGoneError, WeakPasswordError, TakenError, BusyError."""
        invite, now_ns = self.invite_of(token), self._guard.now_ns()
        account = self._store.book.accounts.get(invite.account_id)
        check_password(password, (account.login, account.name) if account else (login, name))
        hashed = await self._passwords.hash(password)

        def use(file: sqlite3.Connection) -> str:
            if invite.kind is InviteKind.FIRST_ADMINISTRATOR:
                return accept_first(file, token, login, name, password_hash=hashed, now_ns=now_ns)
            return accept_password(file, token, hashed, now_ns)

        account_id = await self._store.change(use)
        if account is not None:
            self._attempts.pardon(account.login)
        return await self.let_in(account_id, device, f"link:{invite.kind}")

    async def change_password(self, caller: Caller, old: str, new: str, device: Device) -> None:
        """Of one's own account; all its other sessions end.

        Raises ForbiddenError for whoever has no password here, PasswordWrongError, WeakPasswordError,
        ThrottledError, BusyError.
        """
        account = self._store.book.accounts.get(caller.id)
        if account is None or not account.password_hash:
            raise ForbiddenError("you have no password here", code="no_password")
        check_password(new, (account.login, account.name))
        attempt = self._attempts.of_session(caller.session_id)
        try:
            await self._try(attempt, account, old, device)
        except LoginWrongError:
            raise PasswordWrongError("the old password is wrong") from None
        hashed = await self._passwords.hash(new)
        await self._store.change(lambda file: set_password(file, account.id, hashed, caller.session_id))

    async def prolong(self, caller: Caller) -> bool:
        """Whether a session that is in use goes on for longer: once half of its time is over. Not of whom the
        provider lets in: it is asked again, for it may have taken a role from him since."""
        session, now_ns = self._store.book.sessions.get(caller.session_id), self._guard.now_ns()
        account = self._store.book.accounts.get(caller.id)
        if session is None or session.expires_ns - now_ns > self._lasts_ns // 2:
            return False
        if account is None or account.subject:
            return False
        expires_ns = now_ns + self._lasts_ns
        with suppress(UnavailableError):  # another time: nobody is logged out for it
            await self._store.change(lambda file: prolong_session(file, session.id, expires_ns))
            return True
        return False

    async def first_link(self) -> str | None:
        """The token of a new link for the first administrator; None: there is one."""
        if self._store.book.has_administrator:
            return None
        now_ns = self._guard.now_ns()
        return await self._store.change(lambda file: invite_first(file, now_ns))

    async def run(self) -> None:
        """Remove what has expired, until cancelled."""
        while True:
            now_ns = self._guard.now_ns()
            if _has_expired(self._store.book, now_ns):
                await self._store.change(lambda file: remove_expired(file, self._guard.now_ns()))
            await self._clock.sleep_until(now_ns + round(SWEEP_EVERY_S * 1e9))

    async def _try(self, attempt: Attempt, account: Account | None, password: str, device: Device) -> None:
        """Raises LoginWrongError, and what `log_in` raises."""
        try:
            refused = attempt.begin(self._guard.now_ns())
        except ThrottledError as error:
            if error.is_first:  # the others are counted: nobody fills the log with them
                self._tell_failure(account, device, {"why": "throttled"})
            raise
        usable = account.password_hash if account and not account.disabled else ""
        try:
            is_right = await self._passwords.is_right(usable, password)
        except BusyError:
            attempt.take_back()
            raise
        if not is_right:
            self._tell_failure(account, device, {"why": "wrong", "refused_before": refused})
            raise LoginWrongError("login or password is wrong")
        attempt.succeed()

    def _tell_failure(self, account: Account | None, device: Device, detail: dict[str, Detail]) -> None:
        """What was typed is told only where it is an account's: people type passwords there."""
        self._tell(Action.LOGIN_FAILED, NOBODY, device, account.id if account else "", detail)

    def _tell(
        self, action: Action, caller: Caller, device: Device, account_id: str, detail: dict[str, Detail]
    ) -> None:
        account = self._store.book.accounts.get(account_id)
        named = {"account": account.id, "login": account.login} if account else {}
        self._guard.audit.record(
            Entry(self._guard.now_ns(), caller, device.address, action, "login", named, detail)
        )


def _has_expired(book: Book, now_ns: int) -> bool:
    ends = [each.expires_ns for each in book.sessions.values()]
    ends += [each.expires_ns for each in book.invites.values()]
    ends += [each.expires_ns + TOKENS_SHOWN_NS for each in book.tokens.values() if each.expires_ns]
    return min(ends, default=now_ns + 1) <= now_ns


def _is_open(book: Book, invite: Invite) -> bool:
    if invite.kind is InviteKind.FIRST_ADMINISTRATOR:
        return not book.has_administrator
    account = book.accounts.get(invite.account_id)
    return account is not None and not account.disabled
