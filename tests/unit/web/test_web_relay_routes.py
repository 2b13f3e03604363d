"""What the API and the metrics tell of the relay, and what whoever is refused is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from flow.clock import SystemClock
from flow.doors import FeedTraffic, ViewerReport
from flow.errors import BusyError, LagebildError, NotFoundError, TooManyError
from flow.flights import Aircraft, Feed
from flow.memory_bus import MemoryBus
from tests.fakes.access import open_door
from tests.fakes.clock import START_NS
from tests.fakes.relay_door import FakeRelay
from web.access.presence import Presence
from web.channel import FeedList
from web.errors import errors_to_http
from web.map_background import MapBackground
from web.routes.feeds import add_feed_routes
from web.routes.health import add_health_routes
from web.routes.live import add_live_routes
from web.settings import Settings
from web.views import ViewerList
from web.whep_sessions import WhepSessions

SDP = {"Content-Type": "application/sdp"}
FRITZ = Aircraft("fritz", "Fritz", (Feed("tag", "fritz", "Tag"), Feed("nacht", "fritz", "Nacht")))
KEY = "k3yThatEndsTheSession"

WATCHER = ViewerReport(
    KEY, "tag", "connected", 1234.5, 300, 4, 900_000, START_NS, "udp", 0.02, 31.5, 2.25, 6e6, 800, 16,
    catching_up=True, backlog_bytes=4000,
)  # fmt: skip
BEGINNER = ViewerReport("abcdefghijkl", "tag", "connecting", 3.0, 0, 0, 0, START_NS)


@asynccontextmanager
async def front_door(relay: FakeRelay) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[errors_to_http])
    bus, door = MemoryBus(), open_door(app)
    refused = {feed.id: Counter[str]() for feed in FRITZ.feeds}
    add_live_routes(door, relay, refused, WhepSessions(relay, Presence(SystemClock())))
    add_feed_routes(door, Settings(), FeedList(bus, (FRITZ,), {}), relay, MapBackground())
    add_health_routes(door, bus, (FRITZ,), relay, refused)
    async with TestClient(TestServer(app)) as client:
        yield client
    await bus.aclose()


async def metrics(client: TestClient[web.Request, web.Application]) -> set[str]:
    text = await (await client.get("/metrics")).text()
    return {line for line in text.splitlines() if not line.startswith("#")}


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (BusyError("the feed is full"), 503, "busy", "2"),
        (TooManyError("your address is full"), 429, "too_many", "10"),
        (TooManyError("others connect", code="address_connecting"), 429, "address_connecting", "2"),
        (NotFoundError("no feed"), 404, "not_found", None),
    ],
)
async def test_who_is_refused_is_told_why_and_when_to_ask_again_and_is_counted(
    error: LagebildError, status: int, code: str, retry_after: str | None
) -> None:
    async with front_door(FakeRelay(refuse=error)) as client:
        for _ in range(2):
            reply = await client.post("/live/tag/whep", data="v=0", headers=SDP)
        assert (reply.status, reply.headers.get("Retry-After")) == (status, retry_after)
        assert await reply.json() == {"error": {"code": code, "message": str(error)}}
        joins = f'lagebild_relay_refused_joins_total{{feed="tag",reason="{code}"}} 2.0'
        assert joins in await metrics(client)


async def test_feeds_that_do_not_exist_make_no_metric() -> None:
    async with front_door(FakeRelay(refuse=NotFoundError("no feed"))) as client:
        for n in range(3):
            await client.post(f"/live/none-{n}/whep", data="v=0", headers=SDP)
            await client.post(f"/live/none-{n}/whep", data="v=0")
        assert not [line for line in await metrics(client) if "refused_joins_" in line or "none" in line]


async def test_what_the_port_refuses_is_counted() -> None:
    async with front_door(FakeRelay()) as client:
        assert 'lagebild_relay_refused_datagrams_total{reason="integrity"} 3.0' in await metrics(client)


async def test_the_relay_is_told_who_asks() -> None:
    relay = FakeRelay()
    async with front_door(relay) as client:
        assert (await client.post("/live/tag/whep", data="v=0", headers=SDP)).status == 201
    assert relay.asked == [("tag", "127.0.0.1")]


async def test_a_viewer_is_told_of_as_described_and_without_its_key() -> None:
    async with front_door(FakeRelay([WATCHER, BEGINNER])) as client:
        text = await (await client.get("/api/v1/feeds/tag/viewers")).text()
        watcher, beginner = msgspec.json.decode(text, type=ViewerList).viewers
        assert KEY not in text
        assert KEY not in await (await client.get("/api/v1/feeds/tag")).text()
        assert (await (await client.get("/api/v1/feeds/nacht/viewers")).json()) == {"viewers": []}
        description = await (await client.get("/api/v1/openapi.json")).json()
    assert (watcher.id, watcher.state, watcher.path, watcher.since_ms) == (
        "k3yTha", "connected", "udp", START_NS / 1e6,
    )  # fmt: skip
    assert (watcher.loss, watcher.rtt_ms, watcher.jitter_ms, watcher.estimated_bps) == (0.02, 31.5, 2.25, 6e6)
    assert (watcher.sent_packets, watcher.resent_packets, watcher.pictures_dropped) == (800, 16, 4)
    assert (watcher.catching_up, watcher.backlog_bytes) == (True, 4000)
    assert (beginner.state, beginner.path, beginner.loss, beginner.rtt_ms) == ("connecting", "", None, None)

    answers = description["paths"]["/api/v1/feeds/{feed}/viewers"]["get"]["responses"]
    schema = answers["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ViewerList"}
    described: dict[str, Any] = description["components"]["schemas"]["ViewerView"]["properties"]
    assert set(described) == set(msgspec.to_builtins(watcher))
    assert described["loss"]["description"] == "Share of packets lost lately, 0 to 1"


async def test_metrics_sum_up_viewers_without_naming_one() -> None:
    others = [
        ViewerReport(f"other-{n}", "tag", "connected", 1.0, 1, 0, 1, START_NS, "tcp", loss, rtt_ms)
        for n, (loss, rtt_ms) in enumerate([(0.5, 250.0), (0.0, None)])
    ]
    totals = [FeedTraffic("nacht"), FeedTraffic("tag", 10_000, 20, 3, 4, 5, 6)]
    async with front_door(FakeRelay([WATCHER, BEGINNER, *others], totals)) as client:
        lines = await metrics(client)
    assert {
        'lagebild_viewers{feed="tag",path="udp",state="connected"} 1.0',
        'lagebild_viewers{feed="tag",path="tcp",state="connected"} 2.0',
        'lagebild_viewers{feed="tag",path="",state="connecting"} 1.0',
        'lagebild_viewers{feed="nacht",path="udp",state="connected"} 0.0',
        'lagebild_viewer_loss_ratio{feed="tag",of="max"} 0.5',
        'lagebild_viewer_loss_ratio{feed="tag",of="median"} 0.02',
        'lagebild_viewer_round_trip_seconds{feed="tag",of="max"} 0.25',
        'lagebild_viewer_round_trip_seconds{feed="tag",of="median"} 0.14075',
        'lagebild_relay_bytes_total{feed="tag"} 10000.0',
        'lagebild_relay_packets_total{feed="tag"} 20.0',
        'lagebild_relay_resent_packets_total{feed="tag"} 3.0',
        'lagebild_relay_dropped_pictures_total{feed="tag"} 4.0',
        'lagebild_relay_nacked_packets_total{feed="tag"} 5.0',
        'lagebild_relay_keyframe_requests_total{feed="tag"} 6.0',
        'lagebild_relay_packets_total{feed="nacht"} 0.0',
    } <= lines
    assert not [line for line in lines if 'feed="nacht",of=' in line]  # nobody has told
    assert not [line for line in lines for r in (WATCHER, *others) if r.session_id[:6] in line]
