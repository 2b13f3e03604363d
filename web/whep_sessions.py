"""Whose WHEP sessions those are that the relay serves, and how they are ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flow.doors import Answer, RelayDoor
from flow.errors import NotFoundError

from .access import Caller, ForbiddenError
from .access.presence import Presence, Way


@dataclass(frozen=True, slots=True)
class _Session:
    feed_id: str
    caller: Caller

    def is_of(self, caller: Caller) -> bool:
        return (caller.kind, caller.id) == (self.caller.kind, self.caller.id)


class WhepSessions:
    """A session belongs to its feed and to its caller: to others it does not exist."""

    def __init__(self, relay: RelayDoor, presence: Presence) -> None:
        self._relay, self.presence = relay, presence
        self._open: dict[str, _Session] = {}

    async def open(self, caller: Caller, feed_id: str, offer: str, address: str) -> Answer:
        """Raises what RelayDoor.answer does, and ForbiddenError where he may no longer."""
        answer = await self._relay.answer(feed_id, offer, address)
        session_id = answer.session_id
        self._open[session_id] = _Session(feed_id, caller)
        left: list[Callable[[], None]] = []

        def over() -> None:
            self._open.pop(session_id, None)
            for leave in left:
                leave()

        try:
            self._relay.attend(session_id, over)
        except NotFoundError:  # it has ended by itself already
            over()
            return answer
        left.append(
            self.presence.enter(
                caller,
                Way.PICTURE,
                lambda: self._relay.end(session_id),
                feed_id=feed_id,
                address=address,
            )
        )
        if session_id not in self._open:
            raise ForbiddenError(f"you may watch feed '{feed_id}' no longer")
        return answer

    def check(self, caller: Caller, session_id: str, feed_id: str = "") -> None:
        """Raises NotFoundError where it is not his, or not of that feed."""
        session = self._open.get(session_id)
        if session is None or not session.is_of(caller) or feed_id not in ("", session.feed_id):
            raise NotFoundError(f"no session '{session_id[:6]}…'; it may have ended")
