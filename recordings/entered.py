"""What people type in: names, reasons. It stands in files, in lists and on pages for years."""

from __future__ import annotations

import unicodedata

from flow.errors import RemoteError

NAME_LIMIT = 200
REASON_LIMIT = 1000


def entered(value: str, what: str, *, limit: int = NAME_LIMIT, needed: bool = True) -> str:
    """`value` without spaces around it. Raises RemoteError ("bad_name") that says what is wrong with it."""
    text = value.strip()
    if needed and not text:
        raise RemoteError(f"{what} is missing", code="bad_name")
    if len(text) > limit:
        raise RemoteError(f"{what} has {len(text)} characters, {limit} at most are kept", code="bad_name")
    # Cc: control characters. Cs: halves of a character, which no file can hold. Bidirectional controls could
    # make a list read otherwise than it was written.
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in _REORDERING for c in text):
        raise RemoteError(f"{what} has a control character in it", code="bad_name")
    return text


_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
