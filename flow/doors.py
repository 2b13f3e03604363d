"""Doors: request and reply between rooms. `web` wires them; rooms call them and never each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """An accepted WHEP session: its unguessable id, the SDP answer, and the entity tag for PATCH."""

    session_id: str
    sdp: str
    etag: str


@dataclass(frozen=True, slots=True)
class ViewerReport:
    """What the relay knows of one viewer."""

    session_id: str
    feed_id: str
    state: str  # "connecting" | "connected"
    connected_ms: float
    pictures_sent: int
    pictures_dropped: int
    bytes_sent: int


class RelayDoor(Protocol):
    """What `web` asks of the relay (draft-ietf-wish-whep)."""

    async def answer(self, feed_id: str, offer_sdp: str) -> Answer:
        """Open a viewer session. Raises NotFoundError for an unknown feed, OfferError for a bad offer."""
        ...

    async def trickle(self, session_id: str, fragment: str) -> None:
        """Add the candidates of an SDP fragment (RFC 8840). Raises NotFoundError, OfferError."""
        ...

    async def close(self, session_id: str) -> None:
        """End a session and free all it holds. Raises NotFoundError."""
        ...

    def viewers(self) -> list[ViewerReport]:
        """Every open session."""
        ...
