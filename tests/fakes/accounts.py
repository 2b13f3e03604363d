"""Accounts, sessions and one-time links in a data folder, made as the command line would beside a service."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from flow.clock import SystemClock
from web.access.accounts import new_account
from web.access.book import Session
from web.access.invites import invite_account, invite_first
from web.access.passwords import Passwords
from web.access.permissions import Role
from web.access.recognise import SESSION_COOKIE, new_cookie
from web.access.sessions import NS_PER_DAY, begin_session
from web.access.store import AccessStore

PASSWORD = "vier kurze Worte reichen"


@contextlib.contextmanager
def _store(data_dir: Path) -> Iterator[AccessStore]:
    store = AccessStore(data_dir, SystemClock())
    try:
        yield store
    finally:
        store.close()


def make_account(data_dir: Path, login: str, *roles: Role, password: str = PASSWORD) -> str:
    """The account's id; without a password where that is ""."""
    passwords = Passwords()
    hashed = passwords.hash_now(password) if password else ""
    passwords.close()
    now_ns = SystemClock().now_ns()
    with _store(data_dir) as store:
        return store.change_now(
            lambda file: new_account(file, login, login.title(), roles, now_ns, password_hash=hashed)
        )


def make_session(data_dir: Path, account_id: str) -> dict[str, str]:
    """Cookies of a device on which this account has logged in."""
    now_ns = SystemClock().now_ns()
    with _store(data_dir) as store:
        store.open()
        cookie, session_id = new_cookie(store.book.house_key)
        session = Session(session_id, account_id, now_ns, now_ns + NS_PER_DAY)
        store.change_now(lambda file: begin_session(file, session))
    return {SESSION_COOKIE: cookie}


def make_invite(data_dir: Path, account_id: str = "") -> str:
    """The token of a one-time link; "": for the first administrator."""
    now_ns = SystemClock().now_ns()
    with _store(data_dir) as store:
        if account_id:
            return store.change_now(lambda file: invite_account(file, account_id, now_ns))[0]
        token = store.change_now(lambda file: invite_first(file, now_ns))
    assert token is not None, "there is an administrator already"
    return token
