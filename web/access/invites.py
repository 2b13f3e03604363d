"""One-time links: for the first administrator, and with which an account sets its password.

Their token stands after the # of the link, which browsers send to nobody. Edits for AccessStore.change.
"""

from __future__ import annotations

import secrets
import sqlite3

from flow.clock import NS_PER_S
from flow.errors import RefusedError

from .accounts import has_administrator, new_account, row_of, set_password
from .book import InviteKind
from .permissions import Role
from .recognise import digest_of

FIRST_HOURS = 24.0
PASSWORD_HOURS = 72.0
_TOKEN_BYTES = 32
_NS_PER_HOUR = 3600 * NS_PER_S


class InviteGoneError(RefusedError):
    """A link that was used, has expired, was replaced, or never was."""

    code = "invite_gone"

    def __init__(self) -> None:
        super().__init__("this link was used already, has expired or was replaced: ask for a new one")


def invite_first(file: sqlite3.Connection, now_ns: int) -> str | None:
    """The token of a new link for the first administrator, which replaces older ones; None: there is one."""
    file.execute("DELETE FROM invites WHERE kind = ?", (InviteKind.FIRST_ADMINISTRATOR,))
    if has_administrator(file):
        return None
    return _new(file, InviteKind.FIRST_ADMINISTRATOR, "", now_ns + round(FIRST_HOURS * _NS_PER_HOUR))


def invite_account(file: sqlite3.Connection, account_id: str, now_ns: int) -> tuple[str, int]:
    """(token, when it expires) with which this account sets its password; it replaces older ones.

    Raises NotFoundError, RefusedError where the account is disabled, or the provider's.
    """
    row = row_of(file, account_id)
    if row["disabled"]:
        raise RefusedError("this account is disabled: enable it first", code="account_disabled")
    if row["subject"]:  # a password would let him in here after the provider has locked him out
        raise RefusedError("it logs in by OpenID Connect: it has no password here", code="account_by_oidc")
    file.execute("DELETE FROM invites WHERE account_id = ?", (account_id,))
    expires_ns = now_ns + round(PASSWORD_HOURS * _NS_PER_HOUR)
    return _new(file, InviteKind.PASSWORD, account_id, expires_ns), expires_ns


def accept_first(
    file: sqlite3.Connection, token: str, login: str, name: str, *, password_hash: str, now_ns: int
) -> str:
    """The new administrator's id. Raises InviteGoneError, TakenError."""
    _use(file, token, InviteKind.FIRST_ADMINISTRATOR, now_ns)
    if has_administrator(file):
        raise InviteGoneError
    return new_account(file, login, name, [Role.ADMINISTRATOR], now_ns, password_hash=password_hash)


def accept_password(file: sqlite3.Connection, token: str, password_hash: str, now_ns: int) -> str:
    """The id of the account, which has this password now and is logged in nowhere. Raises InviteGoneError."""
    account_id = _use(file, token, InviteKind.PASSWORD, now_ns)
    set_password(file, account_id, password_hash)
    return account_id


def _new(file: sqlite3.Connection, kind: InviteKind, account_id: str, expires_ns: int) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    file.execute("INSERT INTO invites VALUES (?, ?, ?, ?)", (digest_of(token), kind, account_id, expires_ns))
    return token


def _use(file: sqlite3.Connection, token: str, kind: InviteKind, now_ns: int) -> str:
    """Whose it was. Once: whoever comes second finds nothing."""
    used = file.execute(
        "DELETE FROM invites WHERE digest = ? AND kind = ? AND expires_ns > ? RETURNING account_id",
        (digest_of(token), kind, now_ns),
    ).fetchall()
    if not used:
        raise InviteGoneError
    return str(used[0]["account_id"])
