"""Guests' names go with their incident: its links are deleted, and with them who came by them.

Incidents themselves stay, as what was filmed stays documented. So "with the incident" means: when it is
closed, nobody can come by a link any more and no recording of it is left; and, whatever is kept longer,
when the days of its kind have passed since its last link ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from flow.clock import NS_PER_S, Clock
from flow.flights import Incident, IncidentKind

from .book import Link
from .links import Links
from .reach import IncidentReach

log = logging.getLogger("lagebild.web")

FORGOTTEN_EVERY_S = 600.0

DueNs = Callable[[IncidentKind, int], int]
"""When something of that kind, which ended then, is to be deleted (recordings' days)."""


class Forgetting:
    """Deletes what is due. `run()` until cancelled; `may` says whether the clock can be gone by."""

    def __init__(
        self,
        links: Links,
        reach: IncidentReach,
        due_ns: DueNs,
        clock: Clock,
        may: Callable[[], bool] = lambda: True,
    ) -> None:
        self._links, self._reach, self._due_ns = links, reach, due_ns
        self._clock, self._may = clock, may

    async def run(self) -> None:
        while True:
            await self.forget()
            await self._clock.sleep_until(self._clock.now_ns() + round(FORGOTTEN_EVERY_S * NS_PER_S))

    async def forget(self) -> None:
        """Once; nothing while the incidents are not known, or the clock has leapt."""
        if not self._reach.has_looked or not self._may():
            return
        by_incident: dict[str, list[Link]] = {}
        for link in self._links.book.links.values():
            by_incident.setdefault(link.incident_id, []).append(link)
        due = [each for each, links in by_incident.items() if self._is_due(each, links)]
        if due:
            count = await self._links.forget(due)
            log.info("incidents: %d links, and who came by them, are deleted with theirs", count)

    def _is_due(self, incident_id: str, links: Iterable[Link]) -> bool:
        now_ns = self._clock.now_ns()
        if any(link.is_valid(now_ns) for link in links):
            return False
        incident = self._reach.incident(incident_id)
        if incident is None or _is_over(incident):
            return True
        ended_ns = max(_ended_ns(link) for link in links)
        return now_ns >= self._due_ns(incident.kind, ended_ns)


def _is_over(incident: Incident) -> bool:
    """Closed, and nothing that was recorded of it is left."""
    return incident.closed_ns is not None and not incident.flight_ids


def _ended_ns(link: Link) -> int:
    return min(link.expires_ns, link.revoked_ns or link.expires_ns)
