"""Metadata of a feed on the real memory bus, and a clock moved by hand."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import ConfigError, MalformedError, SourceError
from flow.flights import Feed
from flow.memory_bus import MemoryBus
from flow.samples import LinkState, LinkStatus, Metadata, MetadataKind, TelemetrySample
from flow.units import UtcOrigin
from telemetry import tracks
from telemetry.link import Telemetry
from telemetry.protocol.follower import AHEAD_MOST_NS, WAITING_MOST, Follower
from telemetry.settings import AircraftLink, TelemetrySettings
from telemetry.tracks import WAITING_LIMIT_BYTES, Source
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.klv_sets import flight

URL = "feed:fritz-tag"


def unit(data: bytes, utc_ns: int = START_NS, *, feed_id: str = "fritz-tag") -> Metadata:
    return Metadata(feed_id, MetadataKind.KLV, utc_ns, data)


def follower() -> Follower:
    return Follower("fritz", URL, 3 * NS_PER_S)


# --- what a follower makes of it ----------------------------------------------------------------


def test_nothing_is_told_before_its_moment() -> None:
    follow = follower()
    follow.take(unit(flight(1), START_NS + 40 * NS_PER_MS), START_NS)
    follow.take(unit(flight(0), START_NS), START_NS)
    assert [item.utc_ns for item in follow.due(START_NS)] == [START_NS]
    assert follow.due_ns == START_NS + 40 * NS_PER_MS
    assert [item.utc_ns for item in follow.due(START_NS + NS_PER_S)] == [START_NS + 40 * NS_PER_MS]
    assert follow.due_ns is None


def test_what_lies_far_ahead_or_is_too_much_is_dropped() -> None:
    follow = follower()
    follow.take(unit(flight(0), START_NS + AHEAD_MOST_NS + 1), START_NS)
    assert follow.due_ns is None
    for n in range(WAITING_MOST + 5):
        follow.take(unit(flight(n), START_NS + n), START_NS - 1)
    assert len(follow._waiting) == WAITING_MOST


@pytest.mark.parametrize(("rate_hz", "shown"), [(5, 10), (30, 60), (60, 67), (200, 67)])
def test_samples_come_no_faster_than_anybody_sees(rate_hz: int, shown: int) -> None:
    follow, got = follower(), 0
    for n in range(2 * rate_hz):
        now_ns = START_NS + n * NS_PER_S // rate_hz
        follow.take(unit(flight(n), now_ns), now_ns)
        got += len(follow.due(now_ns))
    assert got == pytest.approx(shown, abs=3)


def test_a_time_that_has_stepped_back_is_gone_along_with() -> None:
    follow = follower()
    times = [START_NS, START_NS - 10 * NS_PER_MS, START_NS - 60 * NS_PER_S, START_NS - 59 * NS_PER_S]
    for n, utc_ns in enumerate(times):
        follow.take(unit(flight(n), utc_ns), START_NS)
        assert len(follow.due(START_NS)) == (utc_ns != START_NS - 10 * NS_PER_MS)


def test_the_state_says_what_is_wrong() -> None:
    follow = follower()
    waiting = follow.state(None, START_NS)
    assert (waiting.status, waiting.reason, waiting.link) == (LinkStatus.CONNECTING, "no_metadata", URL)
    bad = flight(0)[:-1] + b"\0"
    follow.take(unit(bad), START_NS)
    state = follow.state(waiting, START_NS)
    assert (state.status, state.reason, state.bad_bytes) == (LinkStatus.CONNECTING, "bad_checksum", len(bad))
    assert "checksum" in state.detail
    follow.take(unit(flight(0)), START_NS + 1)
    live = follow.state(state, START_NS + 1)
    assert (live.status, live.reason, live.messages, live.since_ns) == (LinkStatus.LIVE, "", 1, START_NS + 1)
    follow.take(unit(bad), START_NS + NS_PER_S)
    assert follow.state(live, START_NS + NS_PER_S).status is LinkStatus.LIVE  # one in between is only counted
    silent = follow.state(live, START_NS + 4 * NS_PER_S)
    assert (silent.status, silent.reason) == (LinkStatus.SILENT, "bad_checksum")
    assert live.clock is not None


def test_a_stream_that_ends_is_silent() -> None:
    follow = follower()
    follow.take(unit(flight(0)), START_NS)
    state = follow.state(None, START_NS + 4 * NS_PER_S)
    assert (state.status, state.reason) == (LinkStatus.SILENT, "no_metadata")


def test_a_kind_that_nobody_understands_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.protocol.follower.TRACKS", {})
    follow = follower()
    follow.take(unit(flight(0)), START_NS)
    assert follow.state(None, START_NS).reason == "unknown_set"


# --- the room --------------------------------------------------------------------------------------


class Running:
    """The telemetry room with tracks, and every sample it has published."""

    def __init__(self) -> None:
        self.bus, self.clock = MemoryBus(), FakeClock()
        self.samples = self.bus.lossless(TelemetrySample)

    def state(self, aircraft_id: str = "fritz") -> LinkState:
        state = self.bus.peek(LinkState, aircraft_id)
        assert state is not None
        return state

    async def until(self, what: Callable[[], object], step_ns: int = 5 * NS_PER_MS) -> None:
        async with asyncio.timeout(10):
            while not what():
                self.clock.advance(step_ns)
                await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running(*links: tuple[str, str], cameras: tuple[Feed, ...] = ()) -> AsyncIterator[Running]:
    run = Running()
    settings = TelemetrySettings((), tuple(AircraftLink(*link) for link in links), cameras)
    task = asyncio.ensure_future(Telemetry(run.bus, run.clock, settings).run())
    try:
        await run.until(lambda: all(run.bus.peek(LinkState, name) for name, _ in links))
        yield run
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await run.bus.aclose()


async def test_metadata_of_a_feed_become_samples_of_its_aircraft() -> None:
    async with running(("fritz", URL), ("ottmar", "feed:ottmar-tag")) as run:
        assert run.state().reason == "no_metadata"
        now_ns = run.clock.now_ns()
        run.bus.publish(unit(flight(0), now_ns))
        run.bus.publish(unit(flight(1), now_ns + 200 * NS_PER_MS))
        await run.until(lambda: run.state().status is LinkStatus.LIVE, 0)
        (first,) = run.samples.drain()
        assert (first.aircraft_id, first.utc_ns) == ("fritz", now_ns)
        assert run.state("ottmar").reason == "no_metadata"
        run.clock.advance(199 * NS_PER_MS)
        await asyncio.sleep(0)
        assert run.samples.drain() == []
        await run.until(lambda: run.bus.peek(TelemetrySample, "fritz") != first, NS_PER_MS)
        assert run.clock.now_ns() - now_ns < 220 * NS_PER_MS
        await run.until(lambda: run.state().status is LinkStatus.SILENT, 100 * NS_PER_MS)
        run.bus.publish(unit(flight(2), run.clock.now_ns()))
        await run.until(lambda: run.state().status is LinkStatus.LIVE, 0)


async def test_what_came_by_the_pictures_radio_link_is_as_old_as_they_are() -> None:
    cameras = (Feed("fritz-tag", "fritz", "Tageslicht", air_link_ms=150.0),)
    async with running(("fritz", URL), cameras=cameras) as run:
        now_ns = run.clock.now_ns()
        run.bus.publish(unit(flight(0), now_ns))
        run.bus.publish(replace(unit(flight(1), now_ns), utc_origin=UtcOrigin.SOURCE))
        await run.until(lambda: run.bus.peek(TelemetrySample, "fritz"), 0)
        assert [sample.utc_ns - now_ns for sample in run.samples.drain()] == [-150 * NS_PER_MS, 0]


async def test_two_aircraft_may_hang_on_one_feed() -> None:
    async with running(("fritz", URL), ("otto", URL)) as run:
        run.bus.publish(unit(flight(0), run.clock.now_ns()))
        await run.until(lambda: len({run.state(name).status for name in ("fritz", "otto")}) == 1, 0)
        await run.until(lambda: run.state("otto").status is LinkStatus.LIVE, 0)
        assert {sample.aircraft_id for sample in run.samples.drain()} == {"fritz", "otto"}


async def test_a_reader_that_was_too_slow_goes_on_and_says_so() -> None:
    async with running(("fritz", URL)) as run:
        big = flight(0) + bytes(50_000)
        for _ in range(WAITING_LIMIT_BYTES // 50_000 + 2):
            run.bus.publish(unit(big))
        await asyncio.sleep(0)
        await run.until(lambda: run.state().reason == "malformed", 100 * NS_PER_MS)
        run.bus.publish(unit(flight(0), run.clock.now_ns()))
        await run.until(lambda: run.state().status is LinkStatus.LIVE, NS_PER_MS)
        assert run.state().lost == 1


async def test_a_track_of_no_known_kind_is_the_operators_mistake() -> None:
    settings = TelemetrySettings((), (AircraftLink("fritz", "gopher:x"),))
    with pytest.raises(ConfigError, match="gopher:x"):
        Telemetry(MemoryBus(), FakeClock(), settings)


async def test_how_a_source_ends_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def played(rest: str, bus: Bus, clock: Clock) -> Source:
        yield unit(flight(0), clock.now_ns())

    async def missing(rest: str, bus: Bus, clock: Clock) -> Source:
        raise SourceError(f"{rest} does not exist", code="not_found")
        yield None

    async def buggy(rest: str, bus: Bus, clock: Clock) -> Source:
        raise RuntimeError("a fault of ours")
        yield None

    for name, source in {"played": played, "missing": missing, "buggy": buggy}.items():
        monkeypatch.setitem(tracks.SOURCES, name, source)
    async with running(("a", "played:x"), ("b", "missing:x.SRT"), ("c", "buggy:x")) as run:
        await run.until(lambda: run.state("c").reason == "internal", 0)
        told = {name: (run.state(name).status, run.state(name).reason) for name in "abc"}
        assert told == {
            "a": (LinkStatus.SILENT, "file_ended"),
            "b": (LinkStatus.FAILED, "not_found"),
            "c": (LinkStatus.FAILED, "internal"),
        }
        assert run.bus.peek(TelemetrySample, "a") is not None


async def test_a_source_that_failed_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []

    async def shaky(rest: str, bus: Bus, clock: Clock) -> Source:
        opened.append(clock.now_ns())
        if len(opened) == 1:
            raise RuntimeError("a fault of ours")
        yield unit(flight(0), clock.now_ns())
        await asyncio.Event().wait()

    monkeypatch.setitem(tracks.SOURCES, "shaky", shaky)
    async with running(("fritz", "shaky:x")) as run:
        await run.until(lambda: run.state().reason == "internal", 0)
        await run.until(lambda: run.state().status is LinkStatus.LIVE, 100 * NS_PER_MS)
        assert opened[1] - opened[0] == pytest.approx(tracks.RETRY_NS, abs=200 * NS_PER_MS)


async def test_one_bad_unit_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Picky:
        clock = None

        def __init__(self, aircraft_id: str) -> None:
            self.id = aircraft_id

        def take(self, metadata: Metadata) -> Sequence[TelemetrySample]:
            if metadata.data == b"bad":
                raise MalformedError("bad", code="malformed")
            return [TelemetrySample(self.id, metadata.utc_ns)]

    monkeypatch.setattr("telemetry.protocol.follower.TRACKS", {MetadataKind.DJI: Picky})
    async with running(("fritz", URL)) as run:
        for data in (b"bad", b"good", b"bad", b"good"):
            run.bus.publish(Metadata("fritz-tag", MetadataKind.DJI, run.clock.now_ns(), data))
        await run.until(lambda: run.state().messages == 2, 100 * NS_PER_MS)
        assert run.state().bad_bytes == 6
        assert len(run.samples.drain()) == 2
