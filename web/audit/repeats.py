"""What happens again and again is told once, or with a count. No I/O, no clock: any thread may hold the lock.

A player asks for hundreds of pieces of one flight, a download is resumed in hundreds of parts, a stranger
tries ten thousand passwords a minute: none of them may fill the disk, or hide what else happens.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from flow.clock import NS_PER_S
from web.access.audit import Action, Entry

ONCE_NS = 600 * NS_PER_S
"""Whoever opens a flight, or downloads a file, is told of once in this time."""

COUNTED_NS = 60 * NS_PER_S
FIRST = 5
"""So many failures of one address are told one by one; then a line a minute says how many more there were."""

KEYS_MOST = 2000
"""So much is kept apart; what more there is counts as one, from many addresses."""

ONCE = frozenset({Action.OPENED, Action.DOWNLOADED, Action.TOOK_STILL})
COUNTED = frozenset({Action.LOGIN_FAILED, Action.REFUSED})
MANY = "many addresses"


@dataclass(slots=True)
class _Count:
    entry: Entry
    until_ns: int
    told: int = 0
    more: int = 0


class Repeats:
    """Lets through what is to be written now."""

    def __init__(self) -> None:
        self._once: dict[Hashable, int] = {}
        self._counts: dict[Hashable, _Count] = {}

    def take(self, entry: Entry) -> Entry | None:
        """The entry, where it is to be written; None where it was told already, or is counted."""
        if entry.action in ONCE:
            return self._take_once(entry)
        if entry.action in COUNTED:
            return self._take_counted(entry)
        return entry

    def due(self, now_ns: int) -> list[Entry]:
        """What was counted in minutes that are over."""
        over = [key for key, count in self._counts.items() if count.until_ns <= now_ns]
        counts = [self._counts.pop(key) for key in over]
        return [_summed(count) for count in counts if count.more]

    def rest(self) -> list[Entry]:
        """What is counted and was not told yet: nobody counts any further."""
        counts, self._counts = self._counts, {}
        return [_summed(count) for count in counts.values() if count.more]

    @property
    def is_counting(self) -> bool:
        return bool(self._counts)

    def _take_once(self, entry: Entry) -> Entry | None:
        key = (entry.action, entry.caller.kind, entry.caller.id, entry.address, _thing(entry))
        if self._once.get(key, 0) > entry.utc_ns:
            return None
        if len(self._once) >= KEYS_MOST:
            self._once = {key: until for key, until in self._once.items() if until > entry.utc_ns}
        if len(self._once) < KEYS_MOST:  # else it is told more often than need be
            self._once[key] = entry.utc_ns + ONCE_NS
        return entry

    def _take_counted(self, entry: Entry) -> Entry | None:
        key: Hashable = (entry.action, entry.caller.kind, entry.caller.id, entry.address)
        if key not in self._counts and len(self._counts) >= KEYS_MOST:
            key, entry = entry.action, replace(entry, address=MANY)
        count = self._counts.setdefault(key, _Count(entry, entry.utc_ns + COUNTED_NS))
        if count.told < FIRST:
            count.told += 1
            return entry
        count.entry = replace(count.entry, utc_ns=entry.utc_ns)
        count.more += 1
        return None


def _thing(entry: Entry) -> Hashable:
    """A flight is one, whatever of it is asked for; an export too."""
    if entry.action is Action.OPENED and "flight" in entry.named:
        return entry.named["flight"]
    return (entry.about, *sorted(entry.named.items()))


def _summed(count: _Count) -> Entry:
    return replace(count.entry, named={}, detail={"more": count.more})
