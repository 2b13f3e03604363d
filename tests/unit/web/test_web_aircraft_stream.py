"""Telemetry of an aircraft for other programs: server-sent events and WebSocket on one path."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from flow.clock import NS_PER_S
from flow.flights import Alarm, Marker
from flow.memory_bus import MemoryBus
from flow.samples import Group, LinkState, LinkStatus, Severity, StatusText, TelemetrySample
from tests.fakes.clock import FakeClock
from web import aircraft_stream
from web.aircraft_stream import AircraftStream
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    ViewerSettings,
    WebRtcSettings,
)

PATH = "api/v1/aircraft/fritz/telemetry"
EVENTS = {"Accept": "text/event-stream"}


def settings(viewers: ViewerSettings | None = None) -> Settings:
    return Settings(
        server=ServerSettings(port=0),
        webrtc=WebRtcSettings(port=0),
        viewers=viewers or ViewerSettings(),
        aircraft=(AircraftSettings("fritz", "Fritz", feed=(FeedSettings("tag", "rtp://127.0.0.1:0"),)),),
        recording=RecordingSettings(enabled=False),
    )


@asynccontextmanager
async def house(
    viewers: ViewerSettings | None = None,
) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    async with running_service(settings(viewers)) as service, aiohttp.ClientSession(service.url) as http:
        yield service, http


def sample(service: Running, lat: float = 49.4) -> TelemetrySample:
    now_ns = service.clock.now_ns()
    return TelemetrySample("fritz", now_ns, lat_deg=lat, lon_deg=7.6, received_ns={Group.POSITION: now_ns})


class Events:
    """Server-sent events as a browser reads them (WHATWG HTML 9.2.6), comments and all."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self._reply = reply

    async def block(self) -> dict[str, str]:
        """The fields up to the next empty line; a comment is the field "" ."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            while line := (await self._reply.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
        return fields

    async def next(self, kind: str) -> dict[str, Any]:
        while (block := await self.block()).get("event") != kind:
            pass
        told = json.loads(block["data"])
        assert told["type"] == kind
        return {"id": block["id"], **told}


async def test_events_of_everything() -> None:
    async with house() as (service, http), http.get(PATH, headers=EVENTS) as reply:
        assert (reply.status, reply.content_type) == (200, "text/event-stream")
        assert reply.headers["Cache-Control"] == "no-store"
        events, now_ns = Events(reply), service.clock.now_ns()
        assert await events.block() == {"retry": "2000"}
        first = sample(service)
        service.bus.publish(first)
        told = await events.next("telemetry")
        assert (told["lat_deg"], told["battery_pct"]) == (49.4, None)
        assert told["id"] == f"{first.utc_ns // 1000 / 1000:.3f}"
        service.bus.publish(LinkState("fritz", "udp", LinkStatus.SILENT, now_ns, reason="no_messages"))
        assert (await events.next("link"))["status"] == "silent"
        service.bus.publish(StatusText("t", "fritz", now_ns, Severity.ERROR, "Motor <1>\n"))
        assert (await events.next("text"))["text"] == "Motor <1>\n"
        service.bus.publish(Alarm("a", "fritz", now_ns, "battery_low", {"pct": "19"}))
        assert (await events.next("alarm"))["values"] == {"pct": "19"}
        service.bus.publish(Marker("m", "other", now_ns, 49.0, 7.0, "not of this one", "x"))
        service.bus.publish(Marker("n", "fritz", now_ns, 49.0, 7.0, "Glutnest", "x"))
        assert (await events.next("marker"))["label"] == "Glutnest"


async def test_old_messages_are_not_told_to_who_comes_now() -> None:
    async with house() as (service, http):
        now_ns = service.clock.now_ns()
        service.bus.publish(StatusText("o", "fritz", now_ns - 120 * NS_PER_S, Severity.INFO, "old"))
        service.bus.publish(StatusText("n", "fritz", now_ns - 20 * NS_PER_S, Severity.INFO, "new"))
        async with http.get(PATH, headers=EVENTS) as reply:
            assert (await Events(reply).next("text"))["text"] == "new"


async def test_websocket() -> None:
    async with house() as (service, http), http.ws_connect(PATH) as page:
        service.bus.publish(sample(service))
        while (told := await page.receive_json(timeout=10))["type"] != "telemetry":
            pass
        assert told["lon_deg"] == 7.6
        await page.send_str("?" * 100)  # heard by nobody
        service.bus.publish(sample(service, 49.5))
        assert (await page.receive_json(timeout=10))["lat_deg"] == 49.5


async def test_a_stop_of_the_service_ends_both_at_once() -> None:
    async with aiohttp.ClientSession() as http, contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(running_service(settings()))
        async with (
            http.ws_connect(service.url + PATH) as page,
            http.get(service.url + PATH, headers=EVENTS) as reply,
        ):
            await Events(reply).block()
            before = asyncio.get_running_loop().time()
            closed, _ = await asyncio.gather(page.receive(), stack.aclose())
            assert asyncio.get_running_loop().time() - before < 0.8  # not the 2 s of a handler that lasts
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 1001)
            assert await reply.content.read() == b""  # a whole answer, not one that was cut


async def test_no_more_a_second_than_asked_for_and_the_newest_at_last() -> None:
    async with house() as (service, http), http.get(PATH, headers=EVENTS, params={"hz": "5"}) as reply:
        events = Events(reply)
        await events.block()
        for number in range(60):
            service.bus.publish(sample(service, 49 + number / 100))
            await asyncio.sleep(0.01)
        told = [await events.next("telemetry")]
        while told[-1]["lat_deg"] != 49.59:
            told.append(await events.next("telemetry"))
        assert 3 <= len(told) <= 6  # 0.6 s of 5 a second


@pytest.mark.parametrize("hz", ["0", "-1", "nan", "1000", "x"])
async def test_a_rate_that_cannot_be(hz: str) -> None:
    async with house() as (_, http), http.get(PATH, headers=EVENTS, params={"hz": hz}) as reply:
        assert reply.status == 400
        assert "hz" in (await reply.json())["error"]["message"]


async def test_neither_is_asked_for() -> None:
    async with house() as (_, http):
        async with http.get(PATH) as reply:
            assert reply.status == 400
        async with http.get("api/v1/aircraft/nobody/telemetry", headers=EVENTS) as reply:
            assert reply.status == 404


async def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aircraft_stream, "HEARTBEAT_S", 0.1)
    async with house(ViewerSettings(per_feed=2, per_address=1)) as (_, http):
        replies = await asyncio.gather(*(http.get(PATH, headers=EVENTS) for _ in range(2)))  # at once
        assert sorted(reply.status for reply in replies) == [200, 429]
        for reply in replies:
            reply.close()
        async with asyncio.timeout(10):
            while True:  # the first has left once its next message cannot be told
                async with http.get(PATH, headers=EVENTS) as reply:
                    if reply.status == 200:
                        break
                await asyncio.sleep(0.02)


async def test_a_reader_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aircraft_stream, "TOLD_WITHIN_S", 0.2)
    async with house(ViewerSettings(per_address=1)) as (service, http):
        deaf = _deaf(service)
        try:
            assert b" 200 OK" in await asyncio.to_thread(deaf.recv, 300)
            async with http.get(PATH, headers=EVENTS) as reply:
                assert reply.status == 429  # its place is taken
            long = "x" * 60_000
            for number in range(200):
                service.bus.publish(Marker(f"t{number}", "fritz", 1, 49.4, 7.6, long, ""))
            async with asyncio.timeout(10):
                while True:
                    async with http.get(PATH, headers=EVENTS) as reply:
                        if reply.status == 200:
                            break
                    await asyncio.sleep(0.05)
        finally:
            deaf.close()


def _deaf(service: Running) -> socket.socket:
    address = urlsplit(service.url)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect((address.hostname, address.port))
    head = f"GET /{PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nAccept: text/event-stream\r\n\r\n"
    deaf.sendall(head.encode())
    return deaf


async def test_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aircraft_stream, "HEARTBEAT_S", 0.05)
    async with house() as (_, http), http.get(PATH, headers=EVENTS) as reply:
        events = Events(reply)
        await events.block()
        assert await events.block() == {"": "still here"}


async def test_events_of_a_feed_carry_its_rtp_timestamp() -> None:
    path = "api/v1/feeds/tag/telemetry"
    async with house() as (service, http), http.get(path, headers=EVENTS) as reply:
        service.bus.publish(sample(service))
        told = await Events(reply).next("telemetry")
        assert told["rtp_timestamp"] is None  # there is no picture


async def test_who_is_told_what_was_before_holds_up_nobody() -> None:
    """A thousand kept events cost 30 ms; a picture that comes meanwhile does not wait for them."""
    bus, told, turns = MemoryBus(), 0, 0

    class Counting:
        async def tell(self, kind: str, utc_ms: float, content: bytes) -> None:
            nonlocal told
            told += 1

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    for number in range(300):
        bus.publish(Marker(f"e{number}", "fritz", 1, 49.4, 7.6, "x", "y"))
    stream = AircraftStream(bus, FakeClock(), "fritz", ViewerSettings())

    async def never() -> None:
        await asyncio.Event().wait()

    serving = asyncio.ensure_future(stream.serve(Counting(), 10.0, never))
    other = asyncio.ensure_future(take_turns())
    async with asyncio.timeout(5):
        while told < 300:
            await asyncio.sleep(0)
    stream.close()
    await serving
    other.cancel()
    assert turns >= 300


async def test_what_is_counted_of_a_link_is_no_news() -> None:
    bus, told = MemoryBus(), []

    class Recording:
        async def tell(self, kind: str, utc_ms: float, content: bytes) -> None:
            told.append(json.loads(content)["status"])

    async def never() -> None:
        await asyncio.Event().wait()

    stream = AircraftStream(bus, FakeClock(), "fritz", ViewerSettings())
    serving = asyncio.ensure_future(stream.serve(Recording(), 10.0, never))
    live = LinkState("fritz", "udpin:127.0.0.1:0", LinkStatus.LIVE, 0)
    for state in (live, *(replace(live, implausible=n, messages=n) for n in range(5))):
        bus.publish(state)
        for _ in range(5):
            await asyncio.sleep(0)
    bus.publish(replace(live, status=LinkStatus.SILENT))
    async with asyncio.timeout(5):
        while len(told) < 2:
            await asyncio.sleep(0)
    stream.close()
    await serving
    assert told == ["live", "silent"]
