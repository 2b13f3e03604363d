"""What flow/bus.py promises, held against both buses.

A bus may take its time to deliver. Where a test looks at what a slow reader has, it first waits for a
*witness*: another reader of the same kind that has got the last item, which all readers get together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import pytest

from flow.bus import EVENTS_KEPT, GROUP_LIMIT_BYTES, Bus, Event, Item, Reader
from flow.errors import OverflowedError
from flow.flights import (
    Armed,
    Disarmed,
    KeyframeWanted,
    Marker,
    PictureHealth,
    RenditionState,
    RenditionStatus,
    RenditionWanted,
    SourceState,
    SourceStatus,
)
from flow.samples import RawTelemetry, Severity, StatusText, TelemetrySample
from flow.units import AccessUnit, Rendition
from flow.wire import wire_size
from tests.fakes.clock import START_NS
from tests.fakes.pictures import Camera

T = TypeVar("T")

DEADLINE_S = 20.0
FEED = "fritz-tag"
MIB = 1024 * 1024


async def take(reader: Reader[T], count: int) -> list[T]:
    async with asyncio.timeout(DEADLINE_S):
        return [await anext(reader) for _ in range(count)]


async def rest(reader: Reader[T]) -> list[T]:
    """Everything up to the end of the reader."""
    async with asyncio.timeout(DEADLINE_S):
        return [item async for item in reader]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.002)


async def publish(bus: Bus, witness: Reader[T], items: Sequence[T]) -> None:
    """Publish `items` and wait until everybody has them; a few at a time, as a live source would."""
    for start in range(0, len(items), 8):
        some = items[start : start + 8]
        for item in some:
            bus.publish(item)  # type: ignore[arg-type]
        assert await take(witness, len(some)) == list(some)


def sample(number: int, aircraft_id: str = "fritz") -> TelemetrySample:
    return TelemetrySample(aircraft_id, START_NS + number, lat_deg=49.4 + number)


def armed(number: int) -> Armed:
    return Armed(f"armed-{number}", "fritz", START_NS + number)


def raw(number: int, aircraft_id: str = "fritz", size: int = 100) -> RawTelemetry:
    return RawTelemetry(aircraft_id, "udpin:127.0.0.1:14550", START_NS + number, bytes([number]) * size)


def assert_whole_groups(units: list[AccessUnit]) -> None:
    """Every run starts with a keyframe: what does not follow its predecessor is one."""
    assert units[0].keyframe
    for before, unit in pairwise(units):
        assert unit.dts_90k > before.dts_90k
        assert unit.keyframe or (unit.epoch, unit.seq) == (before.epoch, before.seq + 1)


class TestLatest:
    async def test_newest_wins_and_the_others_are_counted(self, bus: Bus) -> None:
        slow, witness = bus.latest(TelemetrySample), bus.lossless(TelemetrySample)
        await publish(bus, witness, [sample(1), sample(2), sample(3)])
        assert slow.drain() == [sample(3)]
        assert slow.dropped == 2
        assert slow.drain() == []

    async def test_a_new_reader_gets_the_newest_of_each_key_at_once(self, bus: Bus) -> None:
        with bus.lossless(TelemetrySample) as witness:
            await publish(bus, witness, [sample(1), sample(2), sample(3, "ottmar")])
        assert sorted(bus.latest(TelemetrySample).drain(), key=lambda s: s.utc_ns) == [
            sample(2),
            sample(3, "ottmar"),
        ]
        assert bus.latest(TelemetrySample, "ottmar").drain() == [sample(3, "ottmar")]

    async def test_a_reader_of_one_key_gets_no_other(self, bus: Bus) -> None:
        reader, witness = bus.latest(TelemetrySample, "ottmar"), bus.lossless(TelemetrySample)
        await publish(bus, witness, [sample(1), sample(2, "ottmar"), sample(3)])
        assert reader.drain() == [sample(2, "ottmar")]
        assert reader.dropped == 0

    async def test_a_busy_key_does_not_starve_a_quiet_one(self, bus: Bus) -> None:
        reader, witness = bus.latest(TelemetrySample), bus.lossless(TelemetrySample)
        await publish(bus, witness, [sample(1), sample(2, "ottmar"), sample(3)])
        assert await take(reader, 1) == [sample(3)]
        await publish(bus, witness, [sample(4)])
        assert await take(reader, 2) == [sample(2, "ottmar"), sample(4)]

    async def test_kinds_are_apart_and_filed_by_their_own_keys(self, bus: Bus) -> None:
        states: list[Item] = [
            SourceState(FEED, SourceStatus.STALLED, START_NS, notes=("b_frames",)),
            KeyframeWanted(FEED, START_NS),
            RenditionWanted(FEED, Rendition.WEB, START_NS),
            KeyframeWanted(FEED, START_NS, Rendition.LOW),
            RenditionState(FEED, Rendition.LOW, RenditionStatus.STARTING, START_NS, why=("scaled",)),
            PictureHealth(FEED, START_NS, ("frozen",), still_s=8.0),
        ]
        for state in states:
            bus.publish(state)
        assert await take(bus.latest(SourceState, FEED), 1) == states[:1]
        assert await take(bus.latest(KeyframeWanted, FEED), 1) == states[1:2]
        assert await take(bus.latest(RenditionWanted, f"{FEED}/web"), 1) == states[2:3]
        assert await take(bus.latest(KeyframeWanted, f"{FEED}/low"), 1) == states[3:4]
        assert await take(bus.latest(RenditionState, f"{FEED}/low"), 1) == states[4:5]
        assert await take(bus.latest(PictureHealth, FEED), 1) == states[5:]

    async def test_peek_is_the_newest_seen(self, bus: Bus) -> None:
        assert bus.peek(TelemetrySample, "fritz") is None
        with bus.lossless(TelemetrySample) as witness:
            await publish(bus, witness, [sample(1), sample(2)])
        assert bus.peek(TelemetrySample, "fritz") == sample(2)
        assert bus.peek(TelemetrySample, "ottmar") is None
        assert bus.peek(SourceState, "fritz") is None

    async def test_waiting_reader_wakes(self, bus: Bus) -> None:
        reader = bus.latest(TelemetrySample)
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(take(reader, 1))
            await asyncio.sleep(0)
            bus.publish(sample(7))
        assert waiting.result() == [sample(7)]


class TestFromKeyframe:
    async def test_starts_at_a_keyframe(self, bus: Bus) -> None:
        camera = Camera()
        reader = bus.from_keyframe(FEED)
        torn, whole = [camera.delta(), camera.delta()], camera.group(3)
        for unit in torn + whole:
            bus.publish(unit)
        assert await take(reader, 3) == whole
        assert reader.dropped == 0  # it was not slow, it came early

    @pytest.mark.parametrize("seen", [1, 2, 7, 8, 9, 15])
    async def test_a_late_joiner_gets_the_cached_group_then_live_without_gap(
        self, bus: Bus, seen: int
    ) -> None:
        units = list(Camera().groups(3, 8))
        with bus.lossless(AccessUnit) as witness:
            await publish(bus, witness, units[:seen])
        reader = bus.from_keyframe(FEED)
        for unit in units[seen:]:
            bus.publish(unit)
        start = (seen - 1) // 8 * 8  # of the group that was under way
        assert await take(reader, len(units) - start) == units[start:]
        assert reader.drain() == []

    async def test_joining_while_pictures_are_on_their_way(self, bus: Bus) -> None:
        units = list(Camera().groups(12, 10))
        readers: list[Reader[AccessUnit]] = []
        for number, unit in enumerate(units):
            bus.publish(unit)
            if number % 7 == 0:
                readers.append(bus.from_keyframe(FEED))
                await asyncio.sleep(0)
        for reader in readers:
            received = await take(reader, 1)
            while received[-1] != units[-1]:
                received += await take(reader, 1)
            assert received == units[units.index(received[0]) :]
            assert received[0].keyframe

    async def test_several_readers_get_the_same(self, bus: Bus) -> None:
        units = list(Camera().groups(2, 5))
        readers = [bus.from_keyframe(FEED) for _ in range(5)]
        for unit in units:
            bus.publish(unit)
        for reader in readers:
            assert await take(reader, len(units)) == units

    async def test_feeds_and_renditions_are_apart(self, bus: Bus) -> None:
        cameras = [Camera(FEED), Camera(FEED, Rendition.WEB), Camera("fritz-waerme")]
        readers = [bus.from_keyframe(camera.feed_id, camera.rendition) for camera in cameras]
        groups = [camera.group(4) for camera in cameras]
        for units in zip(*groups, strict=True):
            for unit in units:
                bus.publish(unit)
        for reader, group in zip(readers, groups, strict=True):
            assert await take(reader, 4) == group
            assert reader.drain() == []

    async def test_a_new_epoch_starts_a_new_group(self, bus: Bus) -> None:
        camera = Camera()
        early, witness = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
        first = camera.group(3)
        camera.restart()
        second = camera.group(2)
        await publish(bus, witness, first + second)
        assert await take(early, 5) == first + second
        assert await take(bus.from_keyframe(FEED), 2) == second

    async def test_a_new_epoch_without_a_keyframe_is_not_shown(self, bus: Bus) -> None:
        camera = Camera()
        reader, witness = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
        first = camera.group(2)
        camera.restart()
        torn = [camera.delta(), camera.delta()]
        await publish(bus, witness, first + torn)
        await until(lambda: not bus.has_cached_group(FEED))
        second = camera.group(2)
        late = bus.from_keyframe(FEED)
        await publish(bus, witness, second)
        assert await take(reader, 4) == first + second
        assert await take(late, 2) == second

    async def test_a_group_beyond_its_bytes_is_not_cached(self, bus: Bus) -> None:
        camera = Camera()
        assert not bus.has_cached_group(FEED)
        early, witness = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
        group = [camera.keyframe(MIB), *(camera.delta(MIB) for _ in range(7))]
        await publish(bus, witness, group)
        await until(lambda: bus.has_cached_group(FEED))
        beyond = camera.delta()
        assert sum(len(unit.data) for unit in group) == GROUP_LIMIT_BYTES
        await publish(bus, witness, [beyond])
        await until(lambda: not bus.has_cached_group(FEED))
        late = bus.from_keyframe(FEED)
        following = [camera.delta(), *camera.group(2)]
        await publish(bus, witness, following)
        assert await take(early, 12) == [*group, beyond, *following]  # whoever was there misses nothing
        assert await take(late, 2) == following[1:]
        await until(lambda: bus.has_cached_group(FEED))
        assert late.dropped == 0

    async def test_a_group_beyond_its_time_is_not_cached(self, bus: Bus) -> None:
        camera = Camera(fps=1)
        witness = bus.lossless(AccessUnit)
        group = camera.group(13)  # 12 s from the first to the last
        await publish(bus, witness, group)
        await until(lambda: bus.has_cached_group(FEED))
        assert await take(bus.from_keyframe(FEED), 13) == group
        await publish(bus, witness, [camera.delta()])
        await until(lambda: not bus.has_cached_group(FEED))
        late = bus.from_keyframe(FEED)
        following = [camera.delta(), camera.keyframe()]
        await publish(bus, witness, following)
        assert await take(late, 1) == following[1:]

    async def test_a_single_huge_keyframe_is_not_cached_but_delivered(self, bus: Bus) -> None:
        camera = Camera()
        reader, witness = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
        group = [camera.keyframe(GROUP_LIMIT_BYTES + 1), camera.delta()]
        await publish(bus, witness, group)
        assert await take(reader, 2) == group
        assert not bus.has_cached_group(FEED)

    async def test_a_slow_reader_loses_whole_groups(self, bus: Bus) -> None:
        camera = Camera()
        slow, witness = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
        units = [unit for _ in range(6) for unit in camera.group(8, size=MIB // 2)]
        await publish(bus, witness, units[:3])
        assert await take(slow, 3) == units[:3]
        await publish(bus, witness, units[3:])
        received = slow.drain()
        assert_whole_groups(received)
        assert received == units[-len(received) :]  # live again: to the newest, from a keyframe on
        assert 0 < slow.dropped == len(units) - 3 - len(received)

    async def test_a_slow_reader_waits_for_the_next_keyframe_where_one_group_is_too_much(
        self, bus: Bus
    ) -> None:
        camera = Camera()
        slow, witness = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
        endless = camera.group(36, size=MIB // 2)
        await publish(bus, witness, endless)
        assert slow.drain() == []
        assert slow.dropped == len(endless)
        group = camera.group(3)
        await publish(bus, witness, [camera.delta(), *group])
        assert slow.drain() == group
        assert slow.dropped == len(endless) + 1

    async def test_a_reader_of_small_pictures_is_bounded_by_time(self, bus: Bus) -> None:
        camera = Camera(fps=2)
        slow, witness = bus.from_keyframe(FEED), bus.lossless(AccessUnit)
        units = list(camera.groups(30, 4))  # 60 s, 2 s each
        await publish(bus, witness, units)
        received = slow.drain()
        assert_whole_groups(received)
        assert received[-1] == units[-1]
        assert received[-1].utc_ns - received[0].utc_ns <= 24_000_000_000
        assert slow.dropped == len(units) - len(received)

    async def test_a_slow_reader_does_not_disturb_another(self, bus: Bus) -> None:
        camera = Camera()
        slow, quick = bus.from_keyframe(FEED), bus.from_keyframe(FEED)
        for _ in range(6):
            group = camera.group(8, size=MIB // 2)
            for unit in group:
                bus.publish(unit)
            assert await take(quick, 8) == group
        assert quick.dropped == 0
        assert slow.dropped > 0


class TestLossless:
    async def test_everything_in_order(self, bus: Bus) -> None:
        cameras = [Camera(FEED), Camera("fritz-waerme")]
        readers = [bus.lossless(AccessUnit, f"{camera.feed_id}/source") for camera in cameras]
        everything = bus.lossless(AccessUnit)
        groups = [camera.group(40) for camera in cameras]
        for units in zip(*groups, strict=True):
            for unit in units:
                bus.publish(unit)
        for reader, group in zip(readers, groups, strict=True):
            assert await take(reader, 40) == group
        both = await take(everything, 80)
        for camera, group in zip(cameras, groups, strict=True):
            assert [unit for unit in both if unit.feed_id == camera.feed_id] == group

    async def test_it_starts_now_not_with_the_cached_group(self, bus: Bus) -> None:
        camera = Camera()
        with bus.lossless(AccessUnit) as witness:
            await publish(bus, witness, camera.group(3))
        reader = bus.lossless(AccessUnit, f"{FEED}/source")
        following = [camera.delta(), camera.keyframe()]
        for unit in following:
            bus.publish(unit)
        assert await take(reader, 2) == following

    async def test_raw_telemetry_of_all_and_of_one(self, bus: Bus) -> None:
        everything, ottmar = bus.lossless(RawTelemetry), bus.lossless(RawTelemetry, "ottmar")
        for number in range(20):
            bus.publish(raw(number, "ottmar" if number % 2 else "fritz"))
        assert await take(ottmar, 10) == [raw(number, "ottmar") for number in range(1, 20, 2)]
        both = await take(everything, 20)
        assert sorted(both, key=lambda item: item.utc_ns) == [
            raw(number, "ottmar" if number % 2 else "fritz") for number in range(20)
        ]

    async def test_states_and_events_too(self, bus: Bus) -> None:
        samples, events = bus.lossless(TelemetrySample, "fritz"), bus.lossless(Armed)
        for number in range(10):
            bus.publish(sample(number))
            bus.publish(armed(number))
            bus.publish(armed(number))
        assert await take(samples, 10) == [sample(number) for number in range(10)]
        assert await take(events, 10) == [armed(number) for number in range(10)]

    async def test_past_its_bound_it_says_so_once_and_goes_on(self, bus: Bus) -> None:
        items = [raw(number) for number in range(10)]
        slow = bus.lossless(RawTelemetry, limit_bytes=4 * wire_size(items[0]))
        witness = bus.lossless(RawTelemetry)
        await publish(bus, witness, items[:6])
        assert await take(slow, 3) == items[:3]
        await publish(bus, witness, [items[6]])  # there is room, but the gap is not told yet
        assert await take(slow, 1) == items[3:4]
        with pytest.raises(OverflowedError, match="3 items are missing"):
            await take(slow, 1)
        assert slow.dropped == 3
        await publish(bus, witness, items[7:])
        assert await take(slow, 3) == items[7:]

    async def test_its_bound_is_wire_size(self, bus: Bus) -> None:
        items = [raw(number, size=1000 + number) for number in range(3)]
        sizes = sum(wire_size(item) for item in items)
        enough = bus.lossless(RawTelemetry, limit_bytes=sizes)
        short = bus.lossless(RawTelemetry, limit_bytes=sizes - 1)
        await publish(bus, bus.lossless(RawTelemetry), items)
        assert await take(enough, 3) == items
        assert await take(short, 2) == items[:2]
        with pytest.raises(OverflowedError):
            await take(short, 1)

    async def test_drain_stops_at_the_gap_and_then_raises(self, bus: Bus) -> None:
        items = [raw(number) for number in range(4)]
        slow = bus.lossless(RawTelemetry, limit_bytes=2 * wire_size(items[0]))
        witness = bus.lossless(RawTelemetry)
        await publish(bus, witness, items[:3])
        assert slow.drain() == items[:2]
        with pytest.raises(OverflowedError):
            slow.drain()
        assert slow.drain() == []
        await publish(bus, witness, items[3:])
        assert slow.drain() == items[3:]

    async def test_each_overflow_is_told(self, bus: Bus) -> None:
        slow = bus.lossless(RawTelemetry, limit_bytes=wire_size(raw(0)))
        witness = bus.lossless(RawTelemetry)
        for number in range(0, 6, 2):
            await publish(bus, witness, [raw(number), raw(number + 1)])
            assert slow.drain() == [raw(number)]
            with pytest.raises(OverflowedError):
                slow.drain()
        assert slow.dropped == 3


class TestEvents:
    async def test_order_across_kinds(self, bus: Bus) -> None:
        events: list[Event] = [
            Armed("1", "fritz", START_NS),
            StatusText("2", "ottmar", START_NS, Severity.WARNING, "Akku fast leer"),
            Marker("3", "fritz", START_NS, 49.4, 7.5, "Person am Fenster", "Kamerapilot"),
            Disarmed("4", "fritz", START_NS),
        ]
        reader = bus.events()
        for event in events:
            bus.publish(event)
        assert await take(reader, 4) == events
        assert await take(bus.events(), 4) == events  # kept for those who come later

    async def test_only_the_kinds_named(self, bus: Bus) -> None:
        reader = bus.events(Disarmed, Marker)
        bus.publish(Armed("1", "fritz", START_NS))
        bus.publish(Disarmed("2", "fritz", START_NS))
        assert [event.id for event in await take(reader, 1)] == ["2"]
        assert await take(bus.events(Armed), 1) == [Armed("1", "fritz", START_NS)]

    async def test_an_id_is_delivered_once(self, bus: Bus) -> None:
        reader = bus.events()
        for number in (1, 1, 2, 1, 2, 3):
            bus.publish(armed(number))
        assert await take(reader, 3) == [armed(1), armed(2), armed(3)]
        assert bus.events().drain() == [armed(1), armed(2), armed(3)]

    async def test_a_reader_can_go_on_where_it_stopped(self, bus: Bus) -> None:
        with bus.events() as witness:
            await publish(bus, witness, [armed(number) for number in range(5)])
        assert bus.events(after_id="armed-2").drain() == [armed(3), armed(4)]
        assert bus.events(after_id="armed-4").drain() == []
        assert bus.events(Disarmed, after_id="armed-2").drain() == []
        # An id that is kept no longer, or never was: rather twice than not at all.
        assert len(bus.events(after_id="armed-99").drain()) == 5

    async def test_the_kept_ones_and_the_waiting_ones_are_bounded(self, bus: Bus) -> None:
        slow, witness = bus.events(), bus.events()
        events = [armed(number) for number in range(EVENTS_KEPT + 10)]
        await publish(bus, witness, events)
        assert bus.events().drain() == events[10:]
        assert slow.drain() == events[10:]
        assert slow.dropped == 10


class TestClosing:
    async def test_a_closed_reader_ends_and_others_go_on(self, bus: Bus) -> None:
        reader, witness = bus.lossless(RawTelemetry), bus.lossless(RawTelemetry)
        await publish(bus, witness, [raw(1)])
        reader.close()
        reader.close()
        assert await rest(reader) == []
        await publish(bus, witness, [raw(2)])
        assert reader.drain() == []

    async def test_closing_wakes_whoever_waits(self, bus: Bus) -> None:
        readers: list[Reader[Item]] = [
            bus.latest(TelemetrySample),  # type: ignore[list-item]
            bus.from_keyframe(FEED),  # type: ignore[list-item]
            bus.lossless(AccessUnit),
            bus.events(),  # type: ignore[list-item]
        ]
        async with asyncio.TaskGroup() as tasks:
            waiting = [tasks.create_task(rest(reader)) for reader in readers]
            await asyncio.sleep(0)
            for reader in readers[:2]:
                reader.close()
            await asyncio.wait(waiting[:2])
            assert not any(task.done() for task in waiting[2:])
            await bus.aclose()
        assert [task.result() for task in waiting] == [[], [], [], []]

    async def test_what_was_delivered_can_be_read_after_the_bus_closed(self, bus: Bus) -> None:
        reader, witness = bus.lossless(RawTelemetry), bus.lossless(RawTelemetry)
        await publish(bus, witness, [raw(1), raw(2)])
        await bus.aclose()
        assert await rest(reader) == [raw(1), raw(2)]

    async def test_a_closed_bus_takes_and_gives_nothing(self, bus: Bus) -> None:
        with bus.lossless(TelemetrySample) as witness:
            await publish(bus, witness, [sample(1)])
        await bus.aclose()
        await bus.aclose()
        bus.publish(sample(2))
        assert bus.peek(TelemetrySample, "fritz") is None
        assert await rest(bus.latest(TelemetrySample)) == []
        assert await rest(bus.from_keyframe(FEED)) == []
        assert await rest(bus.lossless(AccessUnit)) == []
        assert await rest(bus.events()) == []

    async def test_with_closes(self, bus: Bus) -> None:
        with bus.events() as reader:
            bus.publish(armed(1))
            assert await take(reader, 1) == [armed(1)]
        assert await rest(reader) == []

    async def test_two_tasks_cannot_wait_for_one_reader(self, bus: Bus) -> None:
        reader = bus.events()
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(take(reader, 1))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="two tasks"):
                await anext(reader)
            bus.publish(armed(1))
        assert waiting.result() == [armed(1)]

    async def test_a_cancelled_wait_loses_nothing(self, bus: Bus) -> None:
        reader = bus.events()
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(take(reader, 1))
            await asyncio.sleep(0)
            waiting.cancel()
        bus.publish(armed(1))
        assert await take(reader, 1) == [armed(1)]

    async def test_a_feed_can_be_read_again_after_everybody_left(self, bus: Bus) -> None:
        camera = Camera()
        for _ in range(3):
            with bus.from_keyframe(FEED) as reader:
                group = camera.group(3)
                for unit in group:
                    bus.publish(unit)
                received = await take(reader, 1)
                while received[-1] != group[-1]:
                    received += await take(reader, 1)
                assert received[-3:] == group
                assert_whole_groups(received)


@pytest.mark.parametrize("seed", range(6))
async def test_any_interleaving_keeps_the_promises(bus: Bus, seed: int) -> None:
    """Random joins, leaves, reads, restarts and pauses; every reader sees whole, contiguous runs."""
    rng = random.Random(seed)
    camera = Camera()
    published: list[AccessUnit] = []
    readers: list[tuple[Reader[AccessUnit], list[AccessUnit]]] = []
    recorder = bus.lossless(AccessUnit)

    def picture() -> None:
        unit = camera.keyframe() if rng.random() < 0.15 or camera.fresh else camera.delta()
        published.append(unit)
        bus.publish(unit)

    def join() -> None:
        readers.append((bus.from_keyframe(FEED), []))

    def read() -> None:
        for reader, received in readers:
            received.extend(reader.drain())

    actions = [picture] * 20 + [join, read, camera.restart, lambda: camera.pause(rng.random())]
    for _ in range(400):
        rng.choice(actions)()
        if rng.random() < 0.3:
            await asyncio.sleep(0)
    assert await take(recorder, len(published)) == published
    read()
    for reader, received in readers:
        assert reader.dropped == 0
        if received:
            assert received[0].keyframe
            assert received == published[published.index(received[0]) :]
