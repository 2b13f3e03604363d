"""Metrics of telemetry, as Prometheus reads them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from flow.flights import Aircraft
from flow.memory_bus import MemoryBus
from flow.samples import ForwardState, LinkState, LinkStatus
from web.metrics import BusCollector


def test_links_and_those_who_read_along_are_counted() -> None:
    bus, registry = MemoryBus(), CollectorRegistry()
    registry.register(BusCollector(bus, (Aircraft("fritz", "Fritz"), Aircraft("ottmar", "Ottmar"))))
    bus.publish(
        LinkState("fritz", "udpin:1", LinkStatus.LIVE, 0, messages=7, bad_bytes=3, lost=2, unsigned=5)
    )
    bus.publish(ForwardState("fritz", commands=4))
    told = generate_latest(registry).decode()
    for line in (
        'lagebild_telemetry_live{aircraft="fritz"} 1.0',
        'lagebild_telemetry_messages_total{aircraft="fritz"} 7.0',
        'lagebild_telemetry_bad_bytes_total{aircraft="fritz"} 3.0',
        'lagebild_telemetry_lost_total{aircraft="fritz"} 2.0',
        'lagebild_telemetry_unsigned_total{aircraft="fritz"} 5.0',
        'lagebild_forward_commands_total{aircraft="fritz"} 4.0',
    ):
        assert line in told
    assert "ottmar" not in told  # nothing is known of it
