"""The way to a viewer's own rendition: asking, pinning, and being told over the feed's WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, web
from aiohttp.test_utils import TestClient, TestServer

from flow.doors import RenditionChosen
from flow.flights import Aircraft, Feed
from flow.memory_bus import MemoryBus
from flow.units import Rendition
from tests.fakes.access import open_door
from tests.fakes.clock import FakeClock
from tests.fakes.relay_door import SESSION, WHOLE, FakeRelay
from web.access import Door
from web.access.presence import Presence
from web.access.recognise import LOCAL
from web.aircraft_stream import Streams
from web.channel import FeedChannel
from web.errors import errors_to_http
from web.openapi import describe
from web.routes.live import add_live_routes
from web.routes.telemetry import add_telemetry_routes
from web.settings import ViewerSettings
from web.viewings import ViewingDesk
from web.whep_sessions import WhepSessions

FEED = Feed("tag", "fritz", "Tag")
FRITZ = Aircraft("fritz", "Fritz", (FEED,))
RESOURCE = f"/live/tag/whep/{SESSION}/rendition"
LOW = RenditionChosen(Rendition.LOW, Rendition.LOW, None, WHOLE.choices)


class Front:
    """A client of the routes, and the relay behind them."""

    def __init__(
        self, client: TestClient[web.Request, web.Application], relay: FakeRelay, door: Door
    ) -> None:
        self.client, self.relay, self.door = client, relay, door

    @asynccontextmanager
    async def page(self, session: str | None = SESSION) -> AsyncIterator[Page]:
        """A page's WebSocket, which has said by which session it watches."""
        async with self.client.ws_connect("/api/v1/feeds/tag/telemetry") as socket:
            page = Page(socket)
            await page.hear("hello")
            if session is not None:
                await page.watches(session)
            yield page


class Page:
    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def watches(self, session: str) -> None:
        await self.socket.send_json({"type": "session", "id": session})

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that type."""
        async with asyncio.timeout(5):
            while True:
                message: dict[str, Any] = await self.socket.receive_json()
                if message.pop("type") == kind:
                    return message

    async def hears_nothing_of(self, kind: str) -> None:
        """Up to the answer to a question that is put now."""
        await self.socket.send_json({"type": "time", "t0": 1.5})
        async with asyncio.timeout(5):
            while (message := await self.socket.receive_json())["type"] != "time":
                assert message["type"] != kind


@asynccontextmanager
async def front() -> AsyncIterator[Front]:
    app, bus, clock, relay = (
        web.Application(middlewares=[errors_to_http]),
        MemoryBus(),
        FakeClock(),
        FakeRelay(),
    )
    channel, door = FeedChannel(bus, clock, FRITZ, FEED, ViewerSettings()), open_door(app)
    sessions = WhepSessions(relay, Presence(clock))
    add_live_routes(door, relay, {"tag": Counter()}, sessions)
    await sessions.open(LOCAL, "tag", "", "")
    streams = Streams(bus, clock, (FRITZ,), {"tag": channel}, ViewerSettings())
    add_telemetry_routes(
        door,
        bus,
        clock,
        (FRITZ,),
        {"tag": channel},
        streams=streams,
        relay=relay,
        sessions=sessions,
        viewings=ViewingDesk(clock, None),
    )
    running = asyncio.create_task(channel.run())
    async with TestClient(TestServer(app)) as client:
        yield Front(client, relay, door)
        channel.close()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    await bus.aclose()


async def test_a_viewer_asks_what_it_is_sent_and_pins_it() -> None:
    async with front() as scene:
        reply = await scene.client.get(RESOURCE)
        whole = {"rendition": "source", "target": "source", "pinned": None, "choices": ["source", "low"]}
        assert (reply.status, await reply.json()) == (200, whole)
        reply = await scene.client.put(RESOURCE, json={"rendition": "low"})
        assert (reply.status, await reply.json()) == (200, whole | {"target": "low", "pinned": "low"})
        reply = await scene.client.put(RESOURCE, json={"rendition": None})
        assert (reply.status, await reply.json()) == (200, whole)


@pytest.mark.parametrize(
    ("body", "media_type", "status", "code"),
    [
        ('{"rendition": "web"}', "application/json", 409, "not_a_choice"),
        ('{"rendition": "huge"}', "application/json", 400, "malformed"),
        ('{"rendition": 3}', "application/json", 400, "malformed"),
        ('{"other": "low"}', "application/json", 400, "malformed"),
        ("{}", "application/json", 400, "malformed"),
        ("[", "application/json", 400, "malformed"),
        ("\xff", "application/json", 400, "malformed"),
        ('{"rendition": "low"}', "text/plain", 400, "malformed"),
        (" " * 2000 + '{"rendition": "low"}', "application/json", 400, "malformed"),
    ],
)
async def test_a_wish_that_is_none_is_refused(body: str, media_type: str, status: int, code: str) -> None:
    async with front() as scene:
        headers = {"Content-Type": media_type}
        reply = await scene.client.put(RESOURCE, data=body.encode("latin-1"), headers=headers)
        assert (reply.status, (await reply.json())["error"]["code"]) == (status, code)
        assert scene.relay.chosen == WHOLE


async def test_a_session_that_has_ended_has_no_rendition() -> None:
    async with front() as scene:
        gone = "/live/tag/whep/another/rendition"
        for reply in (await scene.client.get(gone), await scene.client.put(gone, json={"rendition": None})):
            assert (reply.status, (await reply.json())["error"]["code"]) == (404, "not_found")


async def test_the_description_has_both_and_what_they_answer() -> None:
    async with front() as scene:
        tree = describe(scene.door.routes)
    path = tree["paths"]["/live/{feed}/whep/{session}/rendition"]
    assert set(path) == {"get", "put"}
    schema = path["put"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/RenditionView"}
    assert set(tree["components"]["schemas"]["RenditionView"]["properties"]) == {
        "rendition", "target", "pinned", "choices",
    }  # fmt: skip


async def test_a_page_is_told_at_once_and_at_every_change_and_no_other_page_is() -> None:
    async with front() as scene, scene.page() as page, scene.page(None) as other:
        assert (await page.hear("rendition"))["rendition"] == "source"
        scene.relay.tell(LOW)
        told = await page.hear("rendition")
        assert told == {"rendition": "low", "target": "low", "pinned": None, "choices": ["source", "low"]}
        await other.hears_nothing_of("rendition")


async def test_a_page_follows_the_session_it_named_last() -> None:
    async with front() as scene, scene.page() as page:
        await page.hear("rendition")
        await page.watches("")
        await page.hears_nothing_of("rendition")
        assert scene.relay.followers == []
        await page.watches(SESSION)
        await page.hear("rendition")
        await page.watches(SESSION)
        await page.hear("rendition")
        assert len(scene.relay.followers) == 1


@pytest.mark.parametrize("said", ['{"type": "session"}', '{"type": "session", "id": 7}', '{"type": "other"}'])
async def test_what_a_page_says_wrongly_is_not_heard(said: str) -> None:
    async with front() as scene, scene.page(None) as page:
        await page.socket.send_str(said)
        await page.hears_nothing_of("rendition")
        assert scene.relay.followers == []


async def test_a_page_that_leaves_is_told_nothing_more() -> None:
    async with front() as scene:
        async with scene.page() as page:
            await page.hear("rendition")
        async with asyncio.timeout(5):
            while scene.relay.followers:
                await asyncio.sleep(0)
        scene.relay.tell(replace(LOW, pinned=Rendition.LOW))
