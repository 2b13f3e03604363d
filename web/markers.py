"""The markers that people set: kept in memory, told to every page of every feed."""

from __future__ import annotations

import secrets
import unicodedata
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import replace

from flow.bus import EVENTS_KEPT, Bus
from flow.clock import Clock
from flow.errors import LagebildError, MalformedError, NotFoundError
from flow.flights import Marker

from .access.reach import EVERYTHING, Within
from .channel import FeedChannel
from .ground_views import marker_json
from .training_aircraft import MARK
from .views import Json

MOST_MARKERS = 500
MOST_CHARACTERS = 80

_MARKED = f"{MARK} · "
_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control characters, half characters, line breaks
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # text shown backwards


class MarkerBoard:
    """What is marked now. Changes travel as events, so that everybody who hears them knows the same."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        channels: Mapping[str, FeedChannel],
        training: Collection[str] = (),
    ) -> None:
        self._training = training
        self._bus, self._clock, self._channels = bus, clock, channels
        self._markers: dict[str, Marker] = {}  # by marker id, the one changed last at the end
        self._views: dict[str, Json] = {}  # the same, as every page that comes is told
        self._known: deque[str] = deque(maxlen=EVENTS_KEPT)  # events come at least once
        self._changes = 0
        self._events = bus.events(Marker)
        for channel in channels.values():
            channel.markers = self.view

    async def run(self) -> None:
        async for event in self._events:
            if isinstance(event, Marker):
                self._take(event)

    def all(self, within: Within = EVERYTHING) -> list[Marker]:
        self._catch_up()
        return [marker for marker in self._markers.values() if within.has_marker(marker)]

    def view(self, within: Within = EVERYTHING) -> list[Json]:
        return [self._views[marker.marker_id] for marker in self.all(within)]

    def tell(self) -> None:
        """All of them, to every page: somebody reaches others than before."""
        for channel in self._channels.values():
            channel.tell_each("markers", lambda within: {"markers": self.view(within)})

    def newest(self, aircraft_id: str) -> Marker | None:
        """The one changed last of those for that aircraft, or for none in particular."""
        return next((m for m in reversed(self.all()) if m.aircraft_id in ("", aircraft_id)), None)

    def get(self, marker_id: str, within: Within = EVERYTHING) -> Marker:
        """Raises NotFoundError."""
        self._catch_up()
        marker = self._markers.get(marker_id)
        if marker is None or not within.has_marker(marker):
            raise NotFoundError("there is no such marker (any more)")
        return marker

    def find(self, marker_id: str) -> Marker | None:
        self._catch_up()
        return self._markers.get(marker_id)

    def set(self, marker: Marker) -> Marker:
        """Set a new one, or change it; its event id is given here, and a marker id where it has none.

        Raises MalformedError for texts that cannot be shown, LagebildError("markers_full").
        """
        self._catch_up()
        if marker.marker_id not in self._markers and len(self._markers) >= MOST_MARKERS:
            told = f"{MOST_MARKERS} markers are set: remove some first"
            raise LagebildError(told, code="markers_full")
        self._changes += 1
        marker = replace(
            marker,
            id=f"marker-{self._clock.now_ns()}-{self._changes}",
            marker_id=marker.marker_id or f"m-{secrets.token_hex(6)}",
            label=self._label(marker),
            by=checked_text(marker.by, "by"),
        )
        self._bus.publish(marker)
        self._catch_up()
        return marker

    def _label(self, marker: Marker) -> str:
        """Those of an exercise are told to every page, too, and to other programs: each says what it is."""
        if marker.aircraft_id not in self._training:
            return checked_text(marker.label, "label")
        told = "" if marker.label == MARK else marker.label.removeprefix(_MARKED)
        label = checked_text(told, "label")
        return f"{_MARKED}{label}" if label else MARK

    def remove(self, marker_id: str) -> None:
        """Raises NotFoundError."""
        self.set(replace(self.get(marker_id), removed=True))

    def remove_all(self, aircraft_id: str) -> None:
        """Those of an aircraft that is no more."""
        for marker in self.all():
            if marker.aircraft_id == aircraft_id:
                self.remove(marker.marker_id)

    def _catch_up(self) -> None:
        for event in self._events.drain():
            if isinstance(event, Marker):
                self._take(event)

    def _take(self, marker: Marker) -> None:
        if marker.id in self._known:
            return
        self._known.append(marker.id)
        marker = replace(marker, marker_id=marker.marker_id or marker.id)
        self._markers.pop(marker.marker_id, None)
        self._views.pop(marker.marker_id, None)
        view = marker_json(marker)
        if not marker.removed:
            self._markers[marker.marker_id], self._views[marker.marker_id] = marker, view
        for channel in self._channels.values():
            channel.tell_each(
                "marker", lambda within: {"marker": view} if within.has_marker(marker) else None
            )


def checked_text(text: str, name: str, most: int = MOST_CHARACTERS) -> str:
    """What somebody typed, without space around it. Raises MalformedError."""
    text = text.strip()
    if len(text) > most:
        raise MalformedError(f"{name} has {len(text)} characters; {most} are the limit")
    if any(unicodedata.category(each) in _FORBIDDEN or each in _TURNING for each in text):
        raise MalformedError(f"{name} holds control characters")
    return text
