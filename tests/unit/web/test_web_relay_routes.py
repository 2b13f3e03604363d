"""What the API and the metrics tell of the relay, and what whoever is refused is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from flow.errors import BusyError, LagebildError, NotFoundError, TooManyError
from tests.fakes.relay_door import FakeRelay
from web.access import Door
from web.errors import errors_to_http
from web.routes.live import add_live_routes

SDP = {"Content-Type": "application/sdp"}


@asynccontextmanager
async def front_door(relay: FakeRelay) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[errors_to_http])
    add_live_routes(Door(app), relay)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (BusyError("the feed is full"), 503, "busy", "2"),
        (TooManyError("your address is full"), 429, "too_many", "10"),
        (NotFoundError("no feed"), 404, "not_found", None),
    ],
)
async def test_who_is_refused_is_told_why_and_when_to_ask_again(
    error: LagebildError, status: int, code: str, retry_after: str | None
) -> None:
    async with front_door(FakeRelay(refuse=error)) as client:
        reply = await client.post("/live/fritz-tag/whep", data="v=0", headers=SDP)
        assert (reply.status, reply.headers.get("Retry-After")) == (status, retry_after)
        assert await reply.json() == {"error": {"code": code, "message": str(error)}}


async def test_the_relay_is_told_who_asks() -> None:
    relay = FakeRelay()
    async with front_door(relay) as client:
        assert (await client.post("/live/fritz-tag/whep", data="v=0", headers=SDP)).status == 201
    assert relay.asked == [("fritz-tag", "127.0.0.1")]
