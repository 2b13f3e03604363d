"""A relay that is all report: what it answers, knows and refuses is what the test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from flow.doors import Answer, FeedTraffic, RenditionChosen, ViewerReport, entity_tag
from flow.errors import LagebildError, NotFoundError
from flow.units import Rendition

SESSION = "0123456789"
WHOLE = RenditionChosen(Rendition.SOURCE, Rendition.SOURCE, None, (Rendition.SOURCE, Rendition.LOW))


@dataclass(slots=True)
class FakeRelay:
    """A flow.doors.RelayDoor.

    `asked` holds (feed, client address) of every viewer's offer, `published` (feed, key, client address) of
    every publisher's. Its one session is SESSION; `chosen` is what that one is sent.
    """

    reports: list[ViewerReport] = field(default_factory=list)
    totals: list[FeedTraffic] = field(default_factory=list)
    refuse: LagebildError | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    chosen: RenditionChosen = WHOLE
    followers: list[Callable[[RenditionChosen], None]] = field(default_factory=list)
    published: list[tuple[str, str, str]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    over: dict[str, list[Callable[[], None]]] = field(default_factory=dict)

    async def answer(self, feed_id: str, offer_sdp: str, client_address: str = "") -> Answer:
        self.asked.append((feed_id, client_address))
        if self.refuse:
            raise self.refuse
        return Answer(SESSION, "v=0\r\n", '"1"')

    async def publish(self, feed_id: str, key: str, offer_sdp: str, client_address: str = "") -> Answer:
        self.published.append((feed_id, key, client_address))
        if self.refuse:
            raise self.refuse
        return Answer("0123456789", "v=0\r\n", entity_tag("0123456789"))

    async def trickle(self, session_id: str, fragment: str) -> None:
        """Nothing to add to."""

    async def close(self, session_id: str) -> None:
        self.end(session_id)

    def end(self, session_id: str) -> None:
        self.ended.append(session_id)
        for over in self.over.pop(session_id, []):
            over()

    def attend(self, session_id: str, over: Callable[[], None]) -> None:
        self.over.setdefault(session_id, []).append(over)

    def check_publisher(self, session_id: str, feed_id: str) -> None:
        if session_id != SESSION:
            raise NotFoundError("no such session")

    def rendition(self, session_id: str) -> RenditionChosen:
        if session_id != SESSION:
            raise NotFoundError("no such session")
        return self.chosen

    def choose(self, session_id: str, rendition: Rendition | None) -> RenditionChosen:
        if rendition is Rendition.WEB:
            raise LagebildError("not here", code="not_a_choice")
        self.tell(replace(self.rendition(session_id), target=rendition or Rendition.SOURCE, pinned=rendition))
        return self.chosen

    def follow(self, session_id: str, told: Callable[[RenditionChosen], None]) -> Callable[[], None]:
        told(self.rendition(session_id))
        self.followers.append(told)
        return lambda: self.followers.remove(told)

    def tell(self, chosen: RenditionChosen) -> None:
        """From now on this is so."""
        self.chosen = chosen
        for told in self.followers:
            told(chosen)

    def viewers(self) -> list[ViewerReport]:
        return self.reports

    def refused(self) -> dict[str, int]:
        return {"integrity": 3}

    def traffic(self) -> list[FeedTraffic]:
        return self.totals
