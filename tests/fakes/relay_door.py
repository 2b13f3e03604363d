"""A relay that is all report: what it answers, knows and refuses is what the test says."""

from __future__ import annotations

from dataclasses import dataclass, field

from flow.doors import Answer, FeedTraffic, ViewerReport, entity_tag
from flow.errors import LagebildError


@dataclass(slots=True)
class FakeRelay:
    """A flow.doors.RelayDoor.

    `asked` holds (feed, client address) of every viewer's offer, `published` (feed, key, client address) of
    every publisher's.
    """

    reports: list[ViewerReport] = field(default_factory=list)
    totals: list[FeedTraffic] = field(default_factory=list)
    refuse: LagebildError | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    published: list[tuple[str, str, str]] = field(default_factory=list)

    async def answer(self, feed_id: str, offer_sdp: str, client_address: str = "") -> Answer:
        self.asked.append((feed_id, client_address))
        if self.refuse:
            raise self.refuse
        return Answer("0123456789", "v=0\r\n", '"1"')

    async def publish(self, feed_id: str, key: str, offer_sdp: str, client_address: str = "") -> Answer:
        self.published.append((feed_id, key, client_address))
        if self.refuse:
            raise self.refuse
        return Answer("0123456789", "v=0\r\n", entity_tag("0123456789"))

    async def trickle(self, session_id: str, fragment: str) -> None:
        """Nothing to add to."""

    async def close(self, session_id: str) -> None:
        """Nothing to end."""

    def viewers(self) -> list[ViewerReport]:
        return self.reports

    def refused(self) -> dict[str, int]:
        return {"integrity": 3}

    def traffic(self) -> list[FeedTraffic]:
        return self.totals
