"""Which pictures and messages of an aircraft are wanted, as the rule in force says: at once when it forbids,
from the next keyframe when it allows."""

from __future__ import annotations

from flow.flights import Aircraft
from flow.recording import RecordKind
from flow.units import AccessUnit


class Wanted:
    """`records` is what really is recorded: thermal pictures only where there is such a camera."""

    def __init__(self, aircraft: Aircraft, records: tuple[RecordKind, ...]) -> None:
        self._aircraft = aircraft
        self._awaited: set[str] = set()  # feeds that are wanted from their next keyframe on
        self._feeds: frozenset[str] = frozenset()
        self.records: tuple[RecordKind, ...] = ()
        self._set(records)

    @property
    def telemetry(self) -> bool:
        return RecordKind.TELEMETRY in self.records

    @property
    def anything(self) -> bool:
        return bool(self.records)

    def feed(self, feed_id: str) -> bool:
        return feed_id in self._feeds

    def picture(self, unit: AccessUnit) -> bool:
        """Whether this one is written."""
        if unit.feed_id not in self._feeds:
            return False
        if unit.keyframe:
            self._awaited.discard(unit.feed_id)
        return unit.feed_id not in self._awaited

    def change(self, records: tuple[RecordKind, ...]) -> frozenset[str]:
        """Another rule is in force; the feeds that are wanted no more."""
        before = self._feeds
        self._set(records)
        self._awaited = (self._awaited | (self._feeds - before)) & self._feeds
        return before - self._feeds

    def _set(self, records: tuple[RecordKind, ...]) -> None:
        thermal = {feed.id for feed in self._aircraft.feeds if feed.thermal}
        if RecordKind.PICTURES in records:
            feeds = {feed.id for feed in self._aircraft.feeds}
        else:
            feeds = thermal if RecordKind.THERMAL in records else set()
        self._feeds = frozenset(feeds)
        self.records = tuple(kind for kind in records if kind is not RecordKind.THERMAL or thermal)
