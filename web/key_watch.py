"""Which publishers came with which keys, and the end of those whose key was withdrawn beside the service."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from flow.clock import NS_PER_MS, Clock
from flow.errors import ConfigError

from .publish_keys import KeyStanding, PublishKeys

log = logging.getLogger("lagebild.web")

LOOK_EVERY_NS = 500 * NS_PER_MS


class Publishing(Protocol):
    """Where publishers are (ingest)."""

    def key_in_use(self, feed_id: str) -> str:
        """Secret; "": nobody sends."""
        ...

    def dismiss(self, feed_id: str) -> None: ...


class KeyWatch:
    """`run()` until cancelled: `lagebild key FEED --withdraw` ends a stream, as the pilot page does."""

    def __init__(
        self, keys: PublishKeys, publishing: Publishing, feed_ids: Iterable[str], clock: Clock
    ) -> None:
        self._keys, self._publishing, self._clock = keys, publishing, clock
        self._feed_ids = tuple(feed_ids)
        self._is_told = False

    def of_publisher(self, feed_id: str) -> KeyStanding | None:
        """What became of the key with which whoever sends has come; None: nobody does. Raises ConfigError."""
        key = self._publishing.key_in_use(feed_id)
        return self._keys.standing(feed_id, key) if key else None

    async def run(self) -> None:
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + LOOK_EVERY_NS)
            self.look()

    def look(self) -> None:
        """Cut off whoever sends with a key that was withdrawn. Keys that cannot be read were not."""
        for feed_id in self._feed_ids:
            try:
                standing = self.of_publisher(feed_id) if self._keys.is_there else None
            except ConfigError as error:
                if not self._is_told:
                    log.error("whether keys were withdrawn is not known: %s", error)
                self._is_told = True
                return
            if standing is KeyStanding.WITHDRAWN:
                self._publishing.dismiss(feed_id)
        self._is_told = False
