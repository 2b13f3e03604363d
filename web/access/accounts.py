"""Accounts: made, changed, removed. Each function is an edit for AccessStore.change (or change_now).

There is an administrator for ever after the first one: the last cannot be removed, disabled or made less.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from flow.errors import MalformedError, NotFoundError, RefusedError

from .permissions import Role

LOGIN_PATTERN = r"^[a-z0-9][a-z0-9._@+-]{1,63}$"
NAME_MOST = 80
ACCOUNTS_MOST = 2000


class TakenError(RefusedError):
    """Another account has this login."""

    code = "login_taken"


class LastAdministratorError(RefusedError):
    """Somebody must be able to let others in."""

    code = "last_administrator"

    def __init__(self) -> None:
        super().__init__("this is the last administrator; make another one first")


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What is to be different; None: as it is."""

    login: str | None = None
    name: str | None = None
    roles: frozenset[Role] | None = None
    disabled: bool | None = None


def checked_login(text: str) -> str:
    """As it is kept. Raises MalformedError."""
    login = text.strip().lower()
    if not re.fullmatch(LOGIN_PATTERN, login):
        raise MalformedError(
            "a login has 2 to 64 letters a to z, digits and . _ @ + -, a letter or digit first"
        )
    return login


def checked_name(text: str) -> str:
    """As others see it. Raises MalformedError."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_MOST or not name.isprintable():
        raise MalformedError(f"a name has 1 to {NAME_MOST} printable characters")
    return name


def new_account(
    file: sqlite3.Connection,
    login: str,
    name: str,
    roles: Iterable[Role],
    now_ns: int,
    *,
    password_hash: str = "",
    subject: str = "",
) -> str:
    """The account's id. Raises TakenError, RefusedError (no room)."""
    if file.execute("SELECT count(*) FROM accounts").fetchone()[0] >= ACCOUNTS_MOST:
        raise RefusedError(f"there are {ACCOUNTS_MOST} accounts: remove some first", code="accounts_full")
    account_id = f"a-{secrets.token_hex(6)}"
    _check_free(file, login)
    file.execute(
        "INSERT INTO accounts (id, login, name, roles, created_ns, password_hash, subject)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (account_id, login, name, _words(roles), now_ns, password_hash, subject),
    )
    return account_id


def change_account(file: sqlite3.Connection, account_id: str, change: AccountChange) -> None:
    """Whoever is disabled is logged out everywhere. Raises NotFoundError, TakenError,
    LastAdministratorError."""
    before = row_of(file, account_id)
    if change.login is not None and change.login != before["login"]:
        _check_free(file, change.login)
    file.execute(
        "UPDATE accounts SET login = ?, name = ?, roles = ?, disabled = ? WHERE id = ?",
        (
            before["login"] if change.login is None else change.login,
            before["name"] if change.name is None else change.name,
            before["roles"] if change.roles is None else _words(change.roles),
            before["disabled"] if change.disabled is None else int(change.disabled),
            account_id,
        ),
    )
    if _administers(before):
        _check_administered(file, before)
    if change.disabled:
        log_out_everywhere(file, account_id)
        file.execute("DELETE FROM invites WHERE account_id = ?", (account_id,))


def remove_account(file: sqlite3.Connection, account_id: str) -> None:
    """With its sessions and invites. Raises NotFoundError, LastAdministratorError."""
    before = row_of(file, account_id)
    file.execute("DELETE FROM invites WHERE account_id = ?", (account_id,))
    file.execute("DELETE FROM accounts WHERE id = ?", (account_id,))
    if _administers(before):
        _check_administered(file, before)


def set_password(file: sqlite3.Connection, account_id: str, password_hash: str, keep: str = "") -> None:
    """Logged out everywhere but in session `keep`; older invites are void. Raises NotFoundError."""
    row_of(file, account_id)
    file.execute("UPDATE accounts SET password_hash = ? WHERE id = ?", (password_hash, account_id))
    file.execute("DELETE FROM invites WHERE account_id = ?", (account_id,))
    log_out_everywhere(file, account_id, keep)


def log_out_everywhere(file: sqlite3.Connection, account_id: str, keep: str = "") -> int:
    """But in session `keep`; of how many sessions."""
    ended = file.execute("DELETE FROM sessions WHERE account_id = ? AND id != ?", (account_id, keep))
    return ended.rowcount


def has_administrator(file: sqlite3.Connection) -> bool:
    return bool(_administrators(file))


def row_of(file: sqlite3.Connection, account_id: str) -> sqlite3.Row:
    """Raises NotFoundError."""
    row = file.execute("SELECT * FROM accounts WHERE id = ?", (account_id,)).fetchone()
    if not isinstance(row, sqlite3.Row):
        raise NotFoundError("there is no such account")
    return row


def _administers(row: sqlite3.Row) -> bool:
    return Role.ADMINISTRATOR in row["roles"].split() and not row["disabled"]


def _administrators(file: sqlite3.Connection) -> list[sqlite3.Row]:
    return [row for row in file.execute("SELECT * FROM accounts").fetchall() if _administers(row)]


def _can_log_in(row: sqlite3.Row) -> bool:
    """Not who has an invite only: nobody knows whether he ever uses it."""
    return bool(row["password_hash"] or row["subject"])


def _check_administered(file: sqlite3.Connection, before: sqlite3.Row) -> None:
    """Where one goes who can log in, another who can must remain."""
    remaining = _administrators(file)
    if _can_log_in(before):
        remaining = [row for row in remaining if _can_log_in(row)]
    if not remaining:
        raise LastAdministratorError


def _check_free(file: sqlite3.Connection, login: str) -> None:
    if file.execute("SELECT 1 FROM accounts WHERE login = ?", (login,)).fetchone():
        raise TakenError(f"there is an account with the login '{login}' already")


def _words(roles: Iterable[Role]) -> str:
    return " ".join(sorted(set(roles)))
