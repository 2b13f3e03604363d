"""What the two ends of RedisBus share: how things are called in Redis, and the connection to it.

    PREFIX:{FEED}:units:RENDITION   stream of one rendition's pictures
    PREFIX:{AIRCRAFT}:raw           stream of an aircraft's raw telemetry
    PREFIX:{all}:states             stream of all states
    PREFIX:{all}:latest             hash of the newest state by "Kind/key", for those who come later
    PREFIX:{all}:events             stream of the kept events

The braces are hash tags: in a cluster, what belongs to one feed lies on one node. The fields of an entry are
`s` the stamp (flow/outbox.py), `m` the message (flow/wire.py), for states `f` the field of the hash, and `r`
where it was sent before to a Redis that has lost it.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from .bus import Item
from .clock import NS_PER_MS, Clock
from .samples import RawTelemetry
from .units import AccessUnit

log = logging.getLogger(__name__)

RETRY_FIRST_MS = 50
RETRY_MOST_MS = 2000

BEGINNING = b"0-0"

GROUP = "group/"  # fields of the states for the bus itself: whether the group of this key is cached,
STREAM = "stream/"  # and that there is a stream of this kind and key
STREAM_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (AccessUnit, RawTelemetry)}
"""Kinds with a stream for each key; all states share one, all events another."""

Fields: TypeAlias = dict[bytes, bytes]

_RUN_ID = re.compile(rb"run_id:(\w+)")


@dataclass(slots=True)
class Counts:
    """What happened on the way to and from Redis, since the start."""

    sent: int = 0
    errors: int = 0  # connections lost or refused, one per try
    rejected: int = 0  # entries that Redis refused (out of memory, wrong type)
    malformed: int = 0  # entries that are no message of ours
    gaps: int = 0  # places where entries were, or may be, missing


@dataclass(frozen=True, slots=True)
class Names:
    """See the module's text."""

    prefix: str

    @property
    def states(self) -> str:
        return f"{self.prefix}:{{all}}:states"

    @property
    def latest(self) -> str:
        return f"{self.prefix}:{{all}}:latest"

    @property
    def events(self) -> str:
        return f"{self.prefix}:{{all}}:events"

    def stream(self, kind: type[Item], key: str) -> str:
        """The stream of a kind in STREAM_KINDS."""
        if kind is RawTelemetry:
            return f"{self.prefix}:{{{key}}}:raw"
        feed_id, _, rendition = key.partition("/")
        return f"{self.prefix}:{{{feed_id}}}:units:{rendition}"


class Link:
    """The client, which Redis it is connected to, and the patience to do things until they are done.

    `connect` makes the client, given what to await on each new connection; `failures` are what it raises,
    `lost` those among them that mean the connection.
    redis-py's hints mix its synchronous and its asynchronous client: `Any` says so honestly.
    """

    def __init__(
        self,
        clock: Clock,
        connect: Callable[[Callable[[Any], Awaitable[None]]], Any],
        failures: tuple[type[Exception], ...],
        lost: type[Exception],
    ) -> None:
        self.counts = Counts()
        self.run_id = b""  # another one than before: what was there may be gone
        self.on_new_redis: Callable[[], None] = lambda: None
        self._clock = clock
        self._failures = failures
        self._lost = lost
        self._failing = False
        self.client = connect(self._greet)

    async def persist(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Try until Redis has done it."""
        delay_ms = RETRY_FIRST_MS
        while True:
            try:
                await attempt()
                break
            except self._failures as error:
                self._note(error)
            await self._clock.sleep_until(self._clock.now_ns() + delay_ms * NS_PER_MS)
            delay_ms = min(2 * delay_ms, RETRY_MOST_MS)
        _raise_if_cancelled()

    def raise_if_lost(self, replies: list[Any]) -> None:
        """Where a command of a pipeline failed because of the connection (Redis is loading, say), all do."""
        for reply in replies:
            if isinstance(reply, self._lost):
                raise reply

    def _note(self, error: Exception) -> None:
        self.counts.errors += 1
        if not self._failing:
            log.warning("bus: no Redis, trying again until there is: %s", error)
        self._failing = True

    async def _greet(self, connection: Any) -> None:
        """Ask on every new connection which Redis this is, so that no restart is overlooked."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        found = _RUN_ID.search(await connection.read_response())
        run_id = found[1] if found else b""
        if run_id != self.run_id:
            self.run_id = run_id
            self.on_new_redis()
        if self._failing:
            log.warning("bus: Redis is there again")
        self._failing = False


def _raise_if_cancelled() -> None:
    """redis-py writes under asyncio.wait_for, which before 3.12 may swallow a cancellation (gh-86296)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
