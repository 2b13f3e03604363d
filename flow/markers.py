"""The markers that stand, out of the events that set, move and remove them."""

from __future__ import annotations

from .flights import Marker

MARKERS_MOST = 500


class Markers:
    """Newest of each; beyond the bound the oldest is forgotten."""

    def __init__(self) -> None:
        self._standing: dict[str, Marker] = {}

    def take(self, marker: Marker) -> None:
        marker_id = id_of(marker)
        self._standing.pop(marker_id, None)
        if not marker.removed:
            self._standing[marker_id] = marker
        if len(self._standing) > MARKERS_MOST:
            del self._standing[next(iter(self._standing))]

    def standing(self) -> list[Marker]:
        return list(self._standing.values())


def id_of(marker: Marker) -> str:
    """What tells it from other markers, through all its events."""
    return marker.marker_id or marker.id
