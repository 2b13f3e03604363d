"""Health, readiness, metrics (Prometheus) and the description of the interface (OpenAPI)."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flow.bus import Bus
from flow.doors import RelayDoor
from flow.flights import Aircraft, SourceState, SourceStatus
from flow.samples import LinkState
from web.access import Door, Permission, Route
from web.openapi import describe

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def add_health_routes(door: Door, bus: Bus, aircraft: tuple[Aircraft, ...], relay: RelayDoor) -> None:
    registry = CollectorRegistry()
    registry.register(LiveCollector(bus, aircraft, relay))
    feed_ids = [f.id for a in aircraft for f in a.feeds]

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        missing = [f for f in feed_ids if bus.peek(SourceState, f) is None]
        body = {"status": "starting" if missing else "ready", "waiting_for": missing}
        return web.json_response(body, status=503 if missing else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": METRICS_TYPE})

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(describe(door.routes))

    operate = Permission.OPERATE
    door.route(Route("GET", "/healthz", operate, "Alive", {200: "alive"}), healthz)
    door.route(
        Route(
            "GET",
            "/readyz",
            operate,
            "Ready: every feed's source has been opened once",
            {200: "ready", 503: "starting"},
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


class LiveCollector(Collector):
    """Reads the bus and the relay when Prometheus asks; nothing is counted twice."""

    def __init__(self, bus: Bus, aircraft: tuple[Aircraft, ...], relay: RelayDoor) -> None:
        self._bus, self._aircraft, self._relay = bus, aircraft, relay

    def collect(self) -> Iterable[Metric]:
        yield from self._sources()
        yield from self._links()
        yield self._viewers()

    def _sources(self) -> Iterable[Metric]:
        live = GaugeMetricFamily("lagebild_feed_live", "1 while pictures arrive", labels=["feed"])
        counters = {
            name: CounterMetricFamily(f"lagebild_feed_{name}", text, labels=["feed"])
            for name, text in (
                ("pictures", "Pictures put on the bus"),
                ("lost_packets", "Packets that never arrived"),
                ("damaged", "Pictures that were not whole"),
                ("restarts", "Restarts of the source"),
            )
        }
        for feed_id in (f.id for a in self._aircraft for f in a.feeds):
            if state := self._bus.peek(SourceState, feed_id):
                live.add_metric([feed_id], float(state.status is SourceStatus.LIVE))
                for name, family in counters.items():
                    family.add_metric([feed_id], getattr(state, name))
        yield live
        yield from counters.values()

    def _links(self) -> Iterable[Metric]:
        messages = CounterMetricFamily("lagebild_telemetry_messages", "MAVLink messages", labels=["aircraft"])
        bad = CounterMetricFamily("lagebild_telemetry_bad_bytes", "Undecodable bytes", labels=["aircraft"])
        for aircraft in self._aircraft:
            if link := self._bus.peek(LinkState, aircraft.id):
                messages.add_metric([aircraft.id], link.messages)
                bad.add_metric([aircraft.id], link.bad_bytes)
        yield messages
        yield bad

    def _viewers(self) -> Metric:
        family = GaugeMetricFamily("lagebild_viewers", "Open viewer sessions", labels=["feed"])
        reports = self._relay.viewers()
        for feed_id in (f.id for a in self._aircraft for f in a.feeds):
            family.add_metric([feed_id], sum(1 for r in reports if r.feed_id == feed_id))
        return family
