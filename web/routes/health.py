"""Health, readiness, metrics (Prometheus) and the description of the interface (OpenAPI)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from flow.bus import Bus
from flow.doors import RelayDoor
from flow.flights import Aircraft, SourceState
from web.access import Door, Permission, Route, Scope
from web.metrics import BusCollector, Refused, RelayCollector
from web.openapi import describe
from web.schemas import Alive, Readiness

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def add_health_routes(
    door: Door,
    bus: Bus,
    aircraft: tuple[Aircraft, ...],
    relay: RelayDoor,
    refused: Refused,
    *,
    more: Iterable[Collector] = (),
) -> None:
    """`more`: whatever else has metrics."""
    registry = CollectorRegistry()
    for collector in (BusCollector(bus, aircraft), RelayCollector(relay, refused), *more):
        registry.register(collector)
    feed_ids = [f.id for a in aircraft for f in a.feeds if not f.training]

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(asdict(Alive()))

    async def readyz(_: web.Request) -> web.Response:
        missing = [f for f in feed_ids if bus.peek(SourceState, f) is None]
        told = Readiness("starting" if missing else "ready", missing)
        return web.json_response(asdict(told), status=503 if missing else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": METRICS_TYPE})

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(describe(door.routes))

    operate, public, nothing = Permission.OPERATE, Permission.PUBLIC, Scope.NOTHING
    alive = Route("GET", "/healthz", public, "Alive", {200: "alive"}, schema=Alive, scope=nothing)
    door.route(alive, healthz)
    door.route(
        Route(
            "GET",
            "/readyz",
            operate,
            "Ready: every feed's source has been opened once",
            {200: "ready", 503: "starting"},
            schema=Readiness,
            says_why_itself=True,
        ),
        readyz,
    )
    door.route(
        Route("GET", "/metrics", operate, "Prometheus metrics", {200: "metrics"}, media_type="text/plain"),
        metrics,
    )
    door.route(
        Route("GET", "/api/v1/openapi.json", operate, "This description (OpenAPI 3.1)", {200: "OpenAPI"}),
        openapi,
    )
