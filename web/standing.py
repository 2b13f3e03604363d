"""What stands now of what is told as events: alarms that are not over, places that somebody points at."""

from __future__ import annotations

from typing import TypeVar

from flow.bus import Bus
from flow.flights import Alarm, Marker

K = TypeVar("K")
V = TypeVar("V")

MARKERS_KEPT = 256
ALARMS_KEPT = 256


class Standing:
    """Follows the events of every aircraft. `run()` until cancelled."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._alarms: dict[tuple[str, str], Alarm] = {}
        self._markers: dict[str, Marker] = {}

    async def run(self) -> None:
        with self._bus.events(Alarm, Marker) as events:
            async for event in events:
                self.take(event)

    def take(self, event: object) -> None:
        match event:
            case Alarm(values={"feed": _}):
                pass  # of one camera's pictures: its PictureHealth tells it, and when it is over
            case Alarm():
                _put(
                    self._alarms,
                    (event.aircraft_id, event.code),
                    event if event.active else None,
                    ALARMS_KEPT,
                )
            case Marker():
                marker_id = event.marker_id or event.id
                _put(self._markers, marker_id, None if event.removed else event, MARKERS_KEPT)

    def alarms(self, aircraft_id: str) -> list[Alarm]:
        """Those of an aircraft that are not over, the newest first."""
        return sorted((a for a in self._alarms.values() if a.aircraft_id == aircraft_id), key=_newest_first)

    def pointed_at(self, aircraft_id: str) -> Marker | None:
        """The place that was marked last for that aircraft, or for none in particular; None: there is none."""
        theirs = (m for m in reversed(self._markers.values()) if m.aircraft_id in (aircraft_id, ""))
        return next(theirs, None)


def _newest_first(alarm: Alarm) -> int:
    return -alarm.utc_ns


def _put(kept: dict[K, V], key: K, value: V | None, most: int) -> None:
    """Put it last, or (None) take it out; beyond `most` the first goes."""
    kept.pop(key, None)
    if value is not None:
        kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]
