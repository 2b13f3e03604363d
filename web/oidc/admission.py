"""The account of whoever the provider has sent: made at the first login, brought up to date at each."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from web.access import Role

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

    Raises OidcError "oidc_disabled".
    """
    row = file.execute("SELECT id, disabled FROM accounts WHERE subject = ?", (person.subject,)).fetchone()
    if row is not None and row["disabled"]:
        raise OidcError("the account is locked here, by an administrator", code="oidc_disabled")
    account_id = row["id"] if row is not None else secrets.token_hex(8)
    login, roles = _free_login(file, person.login, account_id), " ".join(sorted(person.roles))
    if row is None:
        file.execute(
            "INSERT INTO accounts (id, login, name, roles, created_ns, subject) VALUES (?, ?, ?, ?, ?, ?)",
            (account_id, login, person.name, roles, now_ns, person.subject),
        )
    else:
        file.execute(
            "UPDATE accounts SET login = ?, name = ?, roles = ? WHERE id = ?",
            (login, person.name, roles, account_id),
        )
    return str(account_id)


def dismiss(file: sqlite3.Connection, subject: str) -> None:
    """The provider gives him no role (any more): he has none here, and his devices are logged out."""
    file.execute("UPDATE accounts SET roles = '' WHERE subject = ?", (subject,))
    file.execute(
        "DELETE FROM sessions WHERE account_id IN (SELECT id FROM accounts WHERE subject = ?)", (subject,)
    )


def _free_login(file: sqlite3.Connection, login: str, account_id: str) -> str:
    taken = file.execute("SELECT 1 FROM accounts WHERE login = ? AND id != ?", (login, account_id)).fetchone()
    return f"{login}~{account_id[:6]}" if taken else login
