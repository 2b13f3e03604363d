"""Both buses under one name."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from flow.bus import Bus
from flow.clock import SystemClock
from flow.memory_bus import MemoryBus
from flow.redis_bus import RedisBus
from tests.fakes.redis_server import RedisServer

_numbers = itertools.count()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """A fresh bus of each kind; what other tests published is not on it."""
    if request.param == "memory":
        async with MemoryBus() as memory_bus:
            yield memory_bus
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    async with RedisBus(server.url, SystemClock(), prefix=f"test-{next(_numbers)}") as redis_bus:
        yield redis_bus
