"""Machines' tokens: made, shown once, withdrawn. Edits for AccessStore.change."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flow.errors import MalformedError, NotFoundError, RefusedError

from .permissions import Permission
from .policy import TOKEN_GRANTS
from .recognise import digest_of, new_token

TOKENS_MOST = 500


class TokenKind(StrEnum):
    """What a token is usually for."""

    METRICS = "metrics"  # health and metrics, for Prometheus
    API = "api"  # feeds, recordings and incidents, for the control room's programs


GRANTS_OF_KIND = {
    TokenKind.METRICS: frozenset({Permission.OPERATE}),
    TokenKind.API: TOKEN_GRANTS - {Permission.OPERATE},
}


@dataclass(frozen=True, slots=True)
class TokenWish:
    """What a token is to be. `by` is the account that makes it."""

    name: str
    grants: frozenset[Permission]
    by: str
    expires_ns: int | None = None
    incident_id: str | None = None


def kind_of(grants: frozenset[Permission]) -> TokenKind:
    return TokenKind.METRICS if grants == GRANTS_OF_KIND[TokenKind.METRICS] else TokenKind.API


def checked_grants(kind: TokenKind, asked: Iterable[Permission] | None) -> frozenset[Permission]:
    """Those of its kind, or fewer where they are named. Raises MalformedError."""
    usual = GRANTS_OF_KIND[kind]
    grants = usual if asked is None else frozenset(asked)
    if not grants or not grants <= usual:
        raise MalformedError(f"a token of kind '{kind}' may be given: {', '.join(sorted(usual))}")
    return grants


def make_token(file: sqlite3.Connection, wish: TokenWish, now_ns: int) -> tuple[str, str]:
    """(id, token): the token is nowhere kept, only its digest. Raises RefusedError (no room)."""
    if wish.expires_ns is not None and wish.expires_ns <= now_ns:
        raise MalformedError("the token would have expired already")
    if file.execute("SELECT count(*) FROM tokens").fetchone()[0] >= TOKENS_MOST:
        raise RefusedError(f"there are {TOKENS_MOST} tokens: withdraw some first", code="tokens_full")
    token_id, token = f"t-{secrets.token_hex(6)}", new_token()
    file.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            token_id,
            digest_of(token),
            wish.name,
            " ".join(sorted(wish.grants)),
            now_ns,
            wish.by,
            wish.expires_ns,
            wish.incident_id,
        ),
    )
    return token_id, token


def withdraw_token(file: sqlite3.Connection, token_id: str) -> str:
    """The token's name. Raises NotFoundError."""
    gone = file.execute("DELETE FROM tokens WHERE id = ? RETURNING name", (token_id,)).fetchall()
    if not gone:
        raise NotFoundError("there is no such token")
    return str(gone[0]["name"])
