"""The account of whoever the provider has sent: made at the first login, brought up to date at each."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass

from flow.errors import RefusedError
from web.access import Role
from web.access.accounts import log_out_everywhere, new_account

from .errors import OidcError


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider has sent. `subject` is "ISSUER SUB", the one thing about him that never changes."""

    subject: str
    login: str
    name: str
    roles: frozenset[Role]


def admit(file: sqlite3.Connection, person: Person, now_ns: int) -> str:
    """The id of his account, as the provider now says it is. Never that of a local account of his name.

    Raises OidcError "oidc_disabled", or "accounts_full".
    """
    row = _row_of(file, person.subject)
    login = _free_login(file, person)
    if row is None:
        try:
            return new_account(file, login, person.name, person.roles, now_ns, subject=person.subject)
        except RefusedError as error:
            raise OidcError(str(error), code=error.code) from None
    if row["disabled"]:
        raise OidcError("the account is locked here, by an administrator", code="oidc_disabled")
    file.execute(
        "UPDATE accounts SET login = ?, name = ?, roles = ? WHERE id = ?",
        (login, person.name, " ".join(sorted(person.roles)), row["id"]),
    )
    return str(row["id"])


def dismiss(file: sqlite3.Connection, subject: str) -> None:
    """The provider gives him no role (any more): he has none here, and his devices are logged out."""
    row = _row_of(file, subject)
    if row is not None:
        file.execute("UPDATE accounts SET roles = '' WHERE id = ?", (row["id"],))
        log_out_everywhere(file, row["id"])


def _row_of(file: sqlite3.Connection, subject: str) -> sqlite3.Row | None:
    row = file.execute("SELECT id, disabled FROM accounts WHERE subject = ?", (subject,)).fetchone()
    return row if isinstance(row, sqlite3.Row) else None


def _free_login(file: sqlite3.Connection, person: Person) -> str:
    asked = "SELECT 1 FROM accounts WHERE login = ? AND subject != ?"
    if file.execute(asked, (person.login, person.subject)).fetchone() is None:
        return person.login
    return f"{person.login}~{hashlib.sha256(person.subject.encode()).hexdigest()[:6]}"
