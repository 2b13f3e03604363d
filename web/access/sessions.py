"""Sessions and the cookies of devices on which somebody has logged in. Edits for AccessStore.change."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3

from flow.clock import NS_PER_S

from .book import Session

NS_PER_DAY = 86_400 * NS_PER_S
SESSIONS_MOST = 30
"""Of one account; the oldest end."""

TOKENS_SHOWN_NS = 7 * NS_PER_DAY
"""So long an expired token is still shown, so that somebody sees why a machine fell silent."""

AGENT_MOST = 200
_SECRET_BYTES = 16


def begin_session(file: sqlite3.Connection, session: Session, replaces: str = "") -> None:
    """`replaces`: the session that this device had before."""
    file.execute("DELETE FROM sessions WHERE id = ?", (replaces,))
    file.execute(
        "DELETE FROM sessions WHERE account_id = ? AND id NOT IN"
        " (SELECT id FROM sessions WHERE account_id = ? ORDER BY created_ns DESC, id LIMIT ?)",
        (session.account_id, session.account_id, SESSIONS_MOST - 1),
    )
    file.execute(
        "INSERT INTO sessions (id, account_id, created_ns, expires_ns, address, agent)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            session.id,
            session.account_id,
            session.created_ns,
            session.expires_ns,
            session.address,
            session.agent[:AGENT_MOST],
        ),
    )


def prolong_session(file: sqlite3.Connection, session_id: str, expires_ns: int) -> None:
    file.execute("UPDATE sessions SET expires_ns = ? WHERE id = ?", (expires_ns, session_id))


def end_session(file: sqlite3.Connection, session_id: str) -> None:
    file.execute("DELETE FROM sessions WHERE id = ?", (session_id,))


def leave_as_guest(file: sqlite3.Connection, session: str, now_ns: int) -> None:
    file.execute(
        "UPDATE guests SET dismissed_ns = ? WHERE session = ? AND dismissed_ns IS NULL", (now_ns, session)
    )


def remove_expired(file: sqlite3.Connection, now_ns: int) -> int:
    """Sessions and invites whose time is over, and tokens whose time has long been over; how many."""
    ended = (
        file.execute("DELETE FROM sessions WHERE expires_ns <= ?", (now_ns,)),
        file.execute("DELETE FROM invites WHERE expires_ns <= ?", (now_ns,)),
        file.execute("DELETE FROM tokens WHERE expires_ns <= ?", (now_ns - TOKENS_SHOWN_NS,)),
    )
    return sum(each.rowcount for each in ended)


def device_cookie_name(account_id: str) -> str:
    """Each account's own: several people may log in on one tablet."""
    return f"lagebild_device_{hashlib.sha256(account_id.encode()).hexdigest()[:12]}"


def new_device(house_key: bytes, account_id: str) -> str:
    """What the cookie says of a device on which this account has logged in."""
    secret = secrets.token_hex(_SECRET_BYTES)
    return f"{secret}.{_device_signature(house_key, account_id, secret)}"


def is_known_device(house_key: bytes, account_id: str, value: str) -> bool:
    secret, _, signature = value.partition(".")
    made = _device_signature(house_key, account_id, secret)
    return bool(house_key) and hmac.compare_digest(signature.encode(), made.encode())


def _device_signature(house_key: bytes, account_id: str, secret: str) -> str:
    text = f"device {account_id} {secret}"
    return hmac.digest(house_key, text.encode("utf-8", "surrogateescape"), "sha256").hex()
