"""Which feeds, aircraft and flights belong to which incident now."""

from __future__ import annotations

_NONE: frozenset[str] = frozenset()


class NoIncidents:
    """Where nothing is recorded there are none: nobody who is bound to one reaches anything."""

    def feeds(self, incident_id: str) -> frozenset[str]:
        return _NONE

    def aircraft(self, incident_id: str) -> frozenset[str]:
        return _NONE

    def flights(self, incident_id: str) -> frozenset[str]:
        return _NONE

    def running(self) -> frozenset[str]:
        return _NONE
