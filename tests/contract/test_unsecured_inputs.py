"""Inputs without a key: what the pages mark is what the doors guard, for every kind there is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from flow.bus import Bus
from flow.flights import SourceState, Unsecured
from flow.samples import LinkState, LinkStatus
from tests.fakes.aircraft import FakeAircraft
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)
from web.unsecured import how_unsecured

SOURCES, LINKS = ("rtp://{}:0", "udp://{}:0"), ("udpin:{}:0", "tcpin:{}:0")
DEADLINE_S = 10.0


def house(host: str, allow_from: tuple[str, ...]) -> Settings:
    """An aircraft for each kind of input."""
    feeds = tuple(
        FeedSettings(f"f{n}", url.format(host), allow_from=allow_from) for n, url in enumerate(SOURCES)
    )
    links = tuple(
        AircraftSettings(f"a{n}", mavlink=url.format(host), allow_from=allow_from)
        for n, url in enumerate(LINKS)
    )
    return Settings(
        ServerSettings(port=0),
        webrtc=WebRtcSettings(port=0),
        aircraft=(AircraftSettings("x", feed=feeds), *links),
        recording=RecordingSettings(enabled=False),
    )


def told(bus: Bus) -> list[SourceState | LinkState | None]:
    sources = [bus.peek(SourceState, f"f{n}") for n in range(len(SOURCES))]
    return [*sources, *(bus.peek(LinkState, f"a{n}") for n in range(len(LINKS)))]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.02)


async def test_open_to_the_network_they_need_to_know_their_senders() -> None:
    settings = house("0.0.0.0", ())
    marks = [each.unsecured for aircraft in settings.aircraft for each in aircraft.as_aircraft().feeds]
    assert marks == [Unsecured.NAMED] * len(SOURCES)
    assert [how_unsecured(a.mavlink) for a in settings.aircraft[1:]] == [Unsecured.NAMED] * len(LINKS)
    async with running_service(settings) as service:
        await until(lambda: all(state and state.reason == "address_refused" for state in told(service.bus)))
        for state in told(service.bus):
            assert state is not None
            assert "allow_from" in state.detail


@pytest.mark.parametrize("n", range(len(SOURCES)))
async def test_a_picture_from_somebody_else_is_refused(n: int) -> None:
    async with running_service(house("127.0.0.1", ("192.0.2.7",))) as service:
        await until(lambda: bool((state := service.bus.peek(SourceState, f"f{n}")) and state.address))
        opened = service.bus.peek(SourceState, f"f{n}")
        assert opened is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:

            def refused() -> bool:
                stranger.sendto(bytes(188), ("127.0.0.1", int(opened.address.rpartition(":")[2])))
                state = service.bus.peek(SourceState, f"f{n}")
                return state is not None and state.reason == "forbidden_sender"

            await until(refused)


async def test_telemetry_from_somebody_else_is_refused() -> None:
    async with running_service(house("127.0.0.1", ("192.0.2.7",))) as service:
        await until(lambda: bool((link := service.bus.peek(LinkState, "a0")) and link.address))
        opened = service.bus.peek(LinkState, "a0")
        assert opened is not None
        aircraft = FakeAircraft(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:

            def refused() -> bool:
                stranger.sendto(aircraft.heartbeat(), ("127.0.0.1", int(opened.address.rpartition(":")[2])))
                link = service.bus.peek(LinkState, "a0")
                return link is not None and link.reason == "forbidden_sender"

            await until(refused)
        link = service.bus.peek(LinkState, "a0")
        assert link is not None
        assert (link.status, link.messages) == (LinkStatus.CONNECTING, 0)
