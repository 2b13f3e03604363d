"""What the audit log is told. The log itself: web/audit/ (append-only, hash-chained)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from .caller import Caller

Detail: TypeAlias = str | int | float | bool | None


class Action(StrEnum):
    """What somebody did."""

    LOGGED_IN = "logged_in"
    LOGIN_FAILED = "login_failed"
    LOGGED_OUT = "logged_out"
    ENTERED = "entered"  # a guest, by an incident link
    WATCHED = "watched"  # began to watch a feed
    LEFT = "left"  # watches it no more
    TOOK_STILL = "took_still"
    OPENED = "opened"  # a flight, or what was recorded of it
    DOWNLOADED = "downloaded"  # tracks, films, exports
    EXPORTED = "exported"  # ordered an export
    MADE = "made"  # incidents, markers, notes, accounts, tokens, links, keys
    CHANGED = "changed"
    DELETED = "deleted"
    REVOKED = "revoked"  # links, tokens, keys, sessions
    READ_AUDIT = "read_audit"
    REFUSED = "refused"  # somebody who is known wanted what he may not
    PUBLISHED = "published"  # began to bring pictures to a feed
    STARTED = "started"  # the service
    STOPPED = "stopped"
    MENDED = "mended"  # the log itself: what it found torn or missing, and what it could not write


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. Never with a secret in it: `about` is the path as it is registered, or a word for what it is
    about; `named` are its parameters (ids, no tokens), `detail` what else belongs to it.

    Of guests the log keeps the id alone: their names lie beside it and go with their incident.
    """

    utc_ns: int
    caller: Caller
    address: str
    action: Action
    about: str
    named: Mapping[str, str] = field(default_factory=dict)
    detail: Mapping[str, Detail] = field(default_factory=dict)


_TOLD = frozenset(
    {
        "feed",
        "aircraft",
        "flight",
        "incident",
        "marker",
        "note",
        "export",
        "number",
        "piece",
        "account",
        "link",
    }
    | {"guest", "token"}
)
_ID = re.compile(r"[a-z0-9-]{1,60}")
_LIKE_A_KEY = re.compile(r"[a-z0-9]{24,}")
_TOKENS = "/api/v1/tokens/"
"""Its {token} is an id; anywhere else one is what lets somebody in."""


def told_of(path: str, named: Mapping[str, str]) -> dict[str, str]:
    """What may be written down of a path's parameters: ids. Somebody may have typed a key in place of one."""
    return {
        name: value if _ID.fullmatch(value) and not _is_like_a_key(value) else "?"
        for name, value in named.items()
        if name in _TOLD and (name != "token" or path.startswith(_TOKENS))
    }


def _is_like_a_key(value: str) -> bool:
    return len(value) not in _ID_LENGTHS and _LIKE_A_KEY.fullmatch(value) is not None


_ID_LENGTHS = frozenset({32})
"""Of random ids in hexadecimal digits."""


class Audit(Protocol):
    """Where the log is told of it."""

    def record(self, entry: Entry) -> None:
        """Never waits and never raises: entries are written in their order, soon after."""
        ...
