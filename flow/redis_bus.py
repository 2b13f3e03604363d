"""The bus between processes: Redis Streams outside, a MemoryBus as the local end.

What is published goes out through one task in batches and comes back through one task per stream, also to
readers in this process, so that all see one order. docs/decisions/0003-the-bus.md has the reasons.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from .bus import LOSSLESS_LIMIT_BYTES, Event, Item, State, key_of, unit_key
from .clock import Clock
from .errors import ConfigError, UnavailableError
from .memory_bus import MemoryBus
from .readers import EventReader, KeyframeReader, LatestReader, LosslessReader
from .redis_receiver import Receiver
from .redis_sender import Sender
from .redis_streams import STREAM_KINDS, Counts, Link, Names
from .units import AccessUnit, Rendition

log = logging.getLogger(__name__)

S = TypeVar("S", bound=State)
I = TypeVar("I", bound=Item)  # noqa: E741

FLUSH_S = 1.0
TIMEOUT_S = 5.0  # longer than any command blocks: a reply that late means a dead connection


class RedisBus:
    """flow.bus.Bus over Redis Streams: `async with RedisBus(...)`, or `start` and `aclose`.

    Readers can be opened once it is started. Redis may come, go and come back empty: what is published
    meanwhile waits in a bounded queue, and LOSSLESS readers get an OverflowedError wherever something may be
    missing. `counts` and `dropped` say what was lost.
    """

    def __init__(self, url: str, clock: Clock, prefix: str = "lagebild") -> None:
        names = Names(prefix)
        self._link = Link(
            clock, lambda greet: _client(url, greet), (RedisError, OSError), RedisConnectionError
        )
        self._local = MemoryBus()
        self._sender = Sender(self._link, names)
        self._receiver = Receiver(self._link, names, self._sender, self._local)
        self._runner: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def counts(self) -> Counts:
        return self._link.counts

    @property
    def dropped(self) -> int:
        """How many published items were lost because Redis was away too long."""
        return self._sender.outbox.dropped

    async def start(self) -> None:
        """Begin to send and to read. Returns at once, also where Redis is not there yet."""
        started = asyncio.Event()
        self._runner = asyncio.create_task(self._run(started), name="redis bus")
        await started.wait()

    async def aclose(self) -> None:
        """Send what waits (for FLUSH_S at most), end every reader and all tasks."""
        self._closed = True
        if self._runner is not None:
            await self._stop(self._runner)
            self._runner = None
        await self._local.aclose()
        await self._link.client.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    def publish(self, item: Item) -> None:
        if not self._closed and self._sender.post(item):
            self._receiver.discover(type(item), key_of(item), from_now=False)

    def latest(self, kind: type[S], key: str | None = None) -> LatestReader[S]:
        return self._local.latest(kind, key)

    def peek(self, kind: type[S], key: str) -> S | None:
        return self._local.peek(kind, key)

    def from_keyframe(self, feed_id: str, rendition: Rendition = Rendition.SOURCE) -> KeyframeReader:
        reader = self._local.from_keyframe(feed_id, rendition)
        self._want(AccessUnit, unit_key(feed_id, rendition))
        return reader

    def lossless(
        self, kind: type[I], key: str | None = None, limit_bytes: int = LOSSLESS_LIMIT_BYTES
    ) -> LosslessReader[I]:
        reader = self._local.lossless(kind, key, limit_bytes)
        self._want(kind, key)
        return reader

    def events(self, *kinds: type[Event], after_id: str | None = None) -> EventReader:
        return self._local.events(*kinds, after_id=after_id)

    def has_cached_group(self, feed_id: str, rendition: Rendition = Rendition.SOURCE) -> bool:
        return self._receiver.cached.get(unit_key(feed_id, rendition), False)

    def _want(self, kind: type[Any], key: str | None) -> None:
        if kind.__name__ in STREAM_KINDS and not self._closed:
            self._receiver.want(kind, key)

    async def _run(self, started: asyncio.Event) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sender.run())
                self._receiver.start(tasks)
                started.set()
        except Exception:
            log.exception("bus: a fault of ours ended the tasks of the Redis bus")
            raise

    async def _stop(self, runner: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(FLUSH_S):
                await self._sender.flush()
        except TimeoutError:
            log.warning("bus: %d items were never sent, there is no Redis", len(self._sender.outbox))
        runner.cancel()
        await asyncio.wait([runner])
        if not runner.cancelled():
            runner.result()  # raises what ended it before


def _client(url: str, greet: Callable[[Any], Awaitable[None]]) -> Any:
    """redis-py with its own retries off: the bus tries again itself, and counts."""
    try:
        return Redis.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            redis_connect_func=greet,
        )
    except ValueError as error:
        raise ConfigError(f"bus: the Redis address is wrong: {error}") from None


async def version_of(url: str) -> str:
    """The version of the Redis at `url`, such as "7.0.15".

    Raises ConfigError where `url` is no address of a Redis, and UnavailableError with the reason where none
    answers there, or refuses.
    """

    async def greet(connection: Any) -> None:
        await connection.on_connect()

    try:
        async with _client(url, greet) as client:
            return str((await client.info("server"))["redis_version"])
    except (RedisError, OSError) as error:
        raise UnavailableError(str(error) or type(error).__name__) from None
