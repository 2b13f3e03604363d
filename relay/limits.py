"""How many sessions there may be, of a feed and of an address."""

from __future__ import annotations

from collections.abc import Collection

from flow.errors import BusyError, TooManyError

from .peer import Peer
from .port import origin_of
from .settings import RelaySettings


class Limits:
    """`who` are the peers that are counted, "viewers" or "publishers"; whoever only makes offers is soon told
    to wait."""

    def __init__(self, settings: RelaySettings, who: str) -> None:
        self._settings = settings
        self._who = who

    def check_address(self, peers: Collection[Peer], client_address: str) -> None:
        """Raises TooManyError."""
        origin = origin_of(client_address)
        same = sum(p.state == "connecting" and p.client_origin == origin for p in peers)
        if origin and same >= self._settings.connecting_per_address:
            raise TooManyError(
                f"{same} {self._who} of {client_address} are still connecting; try again in a moment",
                code="address_connecting",
            )

    def check_feed(self, peers: Collection[Peer], feed_id: str) -> None:
        """Raises BusyError."""
        same = sum(p.state == "connecting" and p.feed_id == feed_id for p in peers)
        if same >= self._settings.connecting_per_feed:
            raise BusyError(
                f"feed '{feed_id}' has {same} {self._who} still connecting; try again in a moment",
                code="feed_connecting",
            )
