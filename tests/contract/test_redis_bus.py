"""What only RedisBus can do wrong: other processes, restarts of Redis, junk in its streams."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from flow.bus import EVENTS_KEPT
from flow.clock import SystemClock
from flow.errors import ConfigError, OverflowedError
from flow.flights import KeyframeWanted
from flow.redis_bus import RedisBus
from flow.samples import RawTelemetry, TelemetrySample
from flow.units import AccessUnit
from flow.wire import encode
from tests.fakes.clock import START_NS
from tests.fakes.pictures import Camera
from tests.fakes.redis_server import RedisServer

from .test_bus_contract import FEED, MIB, armed, assert_whole_groups, publish, raw, sample, take, until


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that this test may stop and start."""
    with RedisServer() as own:
        yield own


def bus_at(server: RedisServer) -> RedisBus:
    return RedisBus(server.url, SystemClock())


async def subscribed(bus: RedisBus) -> None:
    """Return when the readers opened on `bus` also hold against other processes: a later item is back."""
    bus.publish(KeyframeWanted("nobody", START_NS))
    await until(lambda: bus.peek(KeyframeWanted, "nobody"))


class TestSeveralProcesses:
    async def test_items_of_all_kinds_reach_the_other_side(self, server: RedisServer) -> None:
        async with bus_at(server) as here, bus_at(server) as there:
            here.publish(sample(1))
            assert await take(there.latest(TelemetrySample), 1) == [sample(1)]
            here.publish(armed(1))
            assert await take(there.events(), 1) == [armed(1)]
            unit = Camera().keyframe()
            here.publish(unit)
            assert await take(there.from_keyframe(FEED), 1) == [unit]
            assert await take(here.from_keyframe(FEED), 1) == [unit]
            await until(lambda: there.has_cached_group(FEED))

    async def test_who_comes_late_finds_states_events_and_group(self, server: RedisServer) -> None:
        group = Camera().group(150)  # more than one read backwards
        async with bus_at(server) as here:
            for number in range(3):
                here.publish(sample(number))
                here.publish(armed(number))
            for unit in group:
                here.publish(unit)
        async with bus_at(server) as there:  # when the publisher has gone already
            await until(lambda: there.has_cached_group(FEED))
            assert there.peek(TelemetrySample, "fritz") == sample(2)
            assert await take(there.events(), 3) == [armed(number) for number in range(3)]
            assert await take(there.from_keyframe(FEED), 150) == group

    async def test_a_joiner_elsewhere_gets_the_group_then_live(self, server: RedisServer) -> None:
        units = list(Camera().groups(10, 10))
        async with bus_at(server) as here, AsyncExitStack() as stack:
            readers = []
            for number, unit in enumerate(units):
                here.publish(unit)
                if number % 15 == 0:
                    there = await stack.enter_async_context(bus_at(server))
                    readers.append(there.from_keyframe(FEED))
                await asyncio.sleep(0)
            for reader in readers:
                received = await take(reader, 1)
                while received[-1] != units[-1]:
                    received += await take(reader, 1)
                assert received == units[units.index(received[0]) :]
                assert_whole_groups(received)

    async def test_a_reader_of_all_keys_learns_of_new_ones(self, server: RedisServer) -> None:
        async with bus_at(server) as here, bus_at(server) as there:
            everything = there.lossless(RawTelemetry)
            await subscribed(there)
            for number in range(5):
                here.publish(raw(number, f"aircraft-{number}"))
            received = await take(everything, 5)
            assert sorted(item.aircraft_id for item in received) == [f"aircraft-{n}" for n in range(5)]

    async def test_an_event_published_by_two_is_delivered_once(self, server: RedisServer) -> None:
        async with bus_at(server) as here, bus_at(server) as there, bus_at(server) as reading:
            events = reading.events()
            here.publish(armed(1))
            assert await take(events, 1) == [armed(1)]
            there.publish(armed(1))
            there.publish(armed(2))
            assert await take(events, 1) == [armed(2)]


class TestRestart:
    async def test_pictures_go_on_from_a_keyframe(self, server: RedisServer) -> None:
        camera = Camera()
        async with bus_at(server) as here, bus_at(server) as there:
            reader = there.from_keyframe(FEED)
            await subscribed(there)
            before = camera.group(5)
            for unit in before:
                here.publish(unit)
            assert await take(reader, 5) == before
            server.stop()
            for unit in [camera.delta(), *camera.group(3)]:
                here.publish(unit)
            await until(lambda: here.counts.errors > 0)
            server.start()
            last = camera.group(4)
            for unit in last:
                here.publish(unit)
            received = await take(reader, 4)
            while received[-1] != last[-1]:
                received += await take(reader, 1)
            assert_whole_groups(before + received)

    async def test_lossless_readers_are_told_and_lose_nothing_that_waited(self, server: RedisServer) -> None:
        async with bus_at(server) as here, bus_at(server) as there:
            reader = there.lossless(RawTelemetry)
            await subscribed(there)
            await publish(here, reader, [raw(1), raw(2)])
            server.stop()
            here.publish(raw(3))
            here.publish(raw(4))
            await until(lambda: here.counts.errors > 0)
            server.start()
            here.publish(raw(5))
            with pytest.raises(OverflowedError, match="interrupted"):
                await take(reader, 1)
            assert await take(reader, 3) == [raw(3), raw(4), raw(5)]

    async def test_an_idle_bus_notices_too(self, server: RedisServer) -> None:
        """Nobody publishes after the restart; states and events are told again all the same."""
        async with bus_at(server) as here:
            here.publish(sample(1))
            here.publish(armed(1))
            assert await take(here.events(), 1) == [armed(1)]
            await until(lambda: here.peek(TelemetrySample, "fritz"))
            server.stop()
            server.start()
            async with bus_at(server) as late:
                assert await take(late.latest(TelemetrySample), 1) == [sample(1)]
                assert await take(late.events(), 1) == [armed(1)]

    async def test_who_knows_the_states_is_not_told_again(self, server: RedisServer) -> None:
        async with bus_at(server) as here:
            samples, events = here.lossless(TelemetrySample), here.events()
            await publish(here, samples, [sample(1)])
            here.publish(armed(1))
            assert await take(events, 1) == [armed(1)]
            server.stop()
            server.start()
            with pytest.raises(OverflowedError):
                await take(samples, 1)
            here.publish(sample(2))
            here.publish(armed(2))
            assert await take(samples, 1) == [sample(2)]
            assert await take(events, 1) == [armed(2)]

    async def test_redis_may_come_after_us(self, server: RedisServer) -> None:
        server.stop()
        camera = Camera()
        async with bus_at(server) as bus:
            reader, recorder = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
            group = camera.group(5)
            for unit in group:
                bus.publish(unit)
            await until(lambda: bus.counts.errors > 0)
            server.start()
            assert await take(reader, 5) == group
            assert await take(recorder, 5) == group

    async def test_closing_without_redis_ends(self, server: RedisServer) -> None:
        server.stop()
        bus = bus_at(server)
        await bus.start()
        waiting = bus.events()
        bus.publish(armed(1))
        await bus.aclose()
        assert [event async for event in waiting] == []


class TestBounds:
    async def test_what_waits_for_redis_is_bounded_and_the_loss_is_told(self, server: RedisServer) -> None:
        camera = Camera()
        async with bus_at(server) as here, bus_at(server) as there:
            recorder, viewer = there.lossless(AccessUnit), there.from_keyframe(FEED)
            await subscribed(there)
            first = camera.group(2)
            await publish(here, recorder, first)
            server.stop()
            for unit in camera.group(20, size=MIB):
                here.publish(unit)
            assert 0 < here.dropped <= 5
            server.start()
            last = camera.group(3)
            for unit in last:
                here.publish(unit)
            with pytest.raises(OverflowedError):
                await take(recorder, 1)
            assert await take(viewer, 5) == first + last  # the torn group is left out

    async def test_streams_are_trimmed(self, server: RedisServer) -> None:
        camera = Camera()
        async with bus_at(server) as bus, Redis.from_url(server.url) as client:
            recorder, events = bus.lossless(AccessUnit), bus.events()
            for _ in range(5):
                await publish(bus, recorder, camera.group(10, size=MIB // 2))
            await publish(bus, events, [armed(number) for number in range(EVENTS_KEPT + 50)])
            assert await client.xlen(f"lagebild:{{{FEED}}}:units:source") <= 33
            assert await client.xlen("lagebild:{all}:events") == EVENTS_KEPT

    async def test_a_stream_trimmed_under_a_reader_is_a_gap(self, server: RedisServer) -> None:
        """What comes next says by its stamp that something before it is missing."""
        async with bus_at(server) as bus, Redis.from_url(server.url) as client:
            reader = bus.lossless(RawTelemetry, "fritz")
            await subscribed(bus)
            for number in (0, 1, 3):
                fields: dict[Any, Any] = {"s": f"publisher:{number}", "m": encode(raw(number))}
                await client.xadd("lagebild:{fritz}:raw", fields)
            assert await take(reader, 2) == [raw(0), raw(1)]
            with pytest.raises(OverflowedError):
                await take(reader, 1)
            assert await take(reader, 1) == [raw(3)]
            assert bus.counts.gaps == 1

    async def test_a_batch_sent_twice_is_delivered_once(self, server: RedisServer) -> None:
        """Redis executed it, but the reply was lost with the connection."""
        async with bus_at(server) as bus, Redis.from_url(server.url) as client:
            reader = bus.lossless(RawTelemetry, "fritz")
            await subscribed(bus)
            for number in (0, 1, 2, 1, 2, 3):
                fields: dict[Any, Any] = {"s": f"publisher:{number}", "m": encode(raw(number))}
                await client.xadd("lagebild:{fritz}:raw", fields)
            assert await take(reader, 4) == [raw(number) for number in range(4)]
            assert bus.counts.gaps == 0


class TestJunk:
    @pytest.mark.parametrize(
        "fields",
        [
            {b"x": b"y"},
            {b"s": b"no stamp", b"m": b""},
            {b"s": b"a:1", b"m": b"junk"},
            {b"s": b"a:1", b"m": b"LB\x01\x02{}"},
            {b"s": b"\xff:1", b"m": b""},
            {b"s": b"a:1", b"m": b"", b"f": b"stream/Nonsense/x"},
        ],
    )
    async def test_junk_is_counted_told_and_skipped(
        self, server: RedisServer, fields: dict[Any, Any]
    ) -> None:
        async with bus_at(server) as bus, Redis.from_url(server.url) as client:
            reader = bus.lossless(TelemetrySample)
            await publish(bus, reader, [sample(1)])
            await client.xadd("lagebild:{all}:states", fields)
            with pytest.raises(OverflowedError):
                await take(reader, 1)
            assert bus.counts.malformed == 1
            await publish(bus, reader, [sample(2)])

    async def test_a_key_of_another_type_is_counted_and_hurts_nobody_else(self, server: RedisServer) -> None:
        async with Redis.from_url(server.url) as client:
            await client.set("lagebild:{fritz}:raw", "somebody else's")
        async with bus_at(server) as bus:
            bus.publish(raw(1))
            bus.publish(armed(1))
            assert await take(bus.events(), 1) == [armed(1)]
            await until(lambda: bus.counts.rejected == 1)


def test_a_wrong_address_is_the_operators_fault() -> None:
    with pytest.raises(ConfigError, match="Redis address"):
        RedisBus("htp://127.0.0.1", SystemClock())


async def test_readers_need_a_started_bus(server: RedisServer) -> None:
    bus = bus_at(server)
    with pytest.raises(RuntimeError, match="start"):
        bus.from_keyframe(FEED)
    await bus.aclose()
