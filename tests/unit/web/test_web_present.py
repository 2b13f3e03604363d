"""Who watches, and what is told of several things: made once for all pages that reach the same."""

from __future__ import annotations

import asyncio
from typing import Any

from flow.flights import Aircraft, Feed
from flow.memory_bus import MemoryBus
from flow.recording import StorageState, StorageStatus
from tests.fakes.clock import FakeClock
from tests.fakes.page_socket import PageSocket
from web.access.caller import Caller, CallerKind
from web.access.policy import GUEST
from web.access.presence import Presence, Way
from web.access.reach import EVERYTHING, NoIncidents, Within
from web.channel import FeedChannel
from web.present import PresentBoard
from web.settings import ViewerSettings

FEED, OTHER = Feed("tag", "otto", "Tag"), Feed("nacht", "fritz", "Nacht")
OTTO, FRITZ = Aircraft("otto", "Otto", (FEED,)), Aircraft("fritz", "Fritz", (OTHER,))


class Brand(NoIncidents):
    """Otto's alone."""

    def feeds(self, incident_id: str) -> frozenset[str]:
        return frozenset({"tag"})

    def aircraft(self, incident_id: str) -> frozenset[str]:
        return frozenset({"otto"})


def guest(number: int) -> Caller:
    return Caller(CallerKind.GUEST, f"g-{number}", f"ELW {number}", GUEST, "brand")


async def test_a_message_is_made_once_for_all_who_reach_the_same() -> None:
    bus, clock = MemoryBus(), FakeClock()
    channel = FeedChannel(bus, clock, OTTO, FEED, ViewerSettings())
    within, asked = Within(Brand(), "brand"), []
    joined = [channel.join("192.0.2.1", each) for each in (within, Within(within.reach, "brand"), EVERYTHING)]

    def content(each: Within) -> dict[str, Any] | None:
        asked.append(each)
        return {"for": "all"} if each.is_all else None

    async with PageSocket.open(joined[0]) as one, PageSocket.open(joined[2]) as office:
        one.heard(), office.heard()
        channel.tell_each("news", content)
        assert sorted(each.is_all for each in asked) == [False, True]
        assert one.heard() == []
        assert [told["for"] for told in office.heard()] == ["all"]
    await bus.aclose()


async def test_the_room_on_the_disk_is_the_house_s() -> None:
    bus, clock = MemoryBus(), FakeClock()
    channel = FeedChannel(bus, clock, OTTO, FEED, ViewerSettings())
    bus.publish(StorageState(StorageStatus.OK, clock.now_ns()))
    joined = [channel.join("192.0.2.1", each) for each in (Within(Brand(), "brand"), EVERYTHING)]
    running = asyncio.create_task(channel.run())
    async with PageSocket.open(joined[0]) as one, PageSocket.open(joined[1]) as office:
        bus.publish(StorageState(StorageStatus.LOW, clock.now_ns()))
        for _ in range(10):
            await asyncio.sleep(0)
        assert "storage" not in {told["type"] for told in one.heard()}
        assert "storage" in {told["type"] for told in office.heard()}
    running.cancel()
    await asyncio.wait([running])
    await bus.aclose()


def test_each_sees_who_watches_what_he_reaches_himself() -> None:
    clock = FakeClock()
    presence = Presence(clock)
    board = PresentBoard(presence, clock, {})
    person = Caller(CallerKind.PERSON, "a-1", "Kern", GUEST)
    presence.enter(guest(1), Way.PICTURE, lambda: None, feed_id="tag")
    clock.advance(1_000_000)
    presence.enter(guest(1), Way.TELEMETRY, lambda: None, feed_id="tag")
    presence.enter(person, Way.PICTURE, lambda: None, feed_id="nacht")
    leave = presence.enter(person, Way.TELEMETRY, lambda: None, aircraft_id="otto")
    seen = board.people(Within(Brand(), "brand")).people
    assert [(each.name, each.feeds) for each in seen] == [("ELW 1", ["tag"]), ("Kern", [])]
    leave()
    assert [each.name for each in board.people(Within(Brand(), "brand")).people] == ["ELW 1"]
    everybody = board.people().people
    assert [(each.name, each.feeds) for each in everybody] == [("ELW 1", ["tag"]), ("Kern", ["nacht"])]


async def test_pages_are_told_once_of_many_who_come_at_once_and_not_of_what_is_no_news() -> None:
    bus, clock = MemoryBus(), FakeClock()
    presence, channel = Presence(clock), FeedChannel(bus, clock, OTTO, FEED, ViewerSettings())
    board = PresentBoard(presence, clock, {"tag": channel})
    running = asyncio.create_task(board.run())
    async with PageSocket.open(channel.join("192.0.2.1")) as page:
        page.heard()
        for number in range(20):
            presence.enter(guest(number), Way.PICTURE, lambda: None, feed_id="tag")
        await _turn()
        (told,) = page.heard()
        assert (told["type"], len(told["people"])) == ("present", 20)
        presence.enter(guest(0), Way.TELEMETRY, lambda: None, feed_id="tag")
        clock.advance(1_000_000_000)
        await _turn()
        assert page.heard() == []
    running.cancel()
    await asyncio.wait([running])
    await bus.aclose()


async def _turn() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
