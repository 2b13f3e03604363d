"""A KeyDoor whose keys need no file: "k-FEED" is the key of each feed."""

from __future__ import annotations

from flow.errors import RefusedError


class DerivedKeys:
    """See flow/doors.py KeyDoor."""

    def check(self, feed_id: str, key: str) -> None:
        if not key:
            raise RefusedError(f"feed '{feed_id}': the key is missing from the address", code="key_missing")
        if key != f"k-{feed_id}":
            raise RefusedError(f"feed '{feed_id}': this key is wrong or was withdrawn", code="key_wrong")
