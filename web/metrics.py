"""Metrics for Prometheus, read when it asks; nothing is counted twice. No label names a single viewer."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flow.bus import Bus, unit_key
from flow.doors import RelayDoor, ViewerReport
from flow.flights import (
    Aircraft,
    PictureHealth,
    RenditionState,
    RenditionStatus,
    SourceState,
    SourceStatus,
)
from flow.samples import ForwardState, LinkState, LinkStatus
from ingest.protocol.health import FINDINGS

from .views import MADE

Refused: TypeAlias = dict[str, Counter[str]]
"""How many offers each feed refused, by error code. It has the configured feeds, whatever is asked for."""


class BusCollector(Collector):
    """Sources and telemetry links, as their states on the bus say."""

    def __init__(self, bus: Bus, aircraft: tuple[Aircraft, ...]) -> None:
        self._bus = bus
        # Of an exercise nobody need be told that its cameras are silent.
        self._aircraft = tuple(one for one in aircraft if not one.training)

    def collect(self) -> Iterable[Metric]:
        yield from self._sources()
        yield self._findings()
        yield from self._renditions()
        yield from self._links()

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

    def _findings(self) -> Metric:
        family = GaugeMetricFamily(
            "lagebild_feed_finding",
            "1 while pictures show this fault of the camera",
            labels=["feed", "finding"],
        )
        for feed_id in (f.id for a in self._aircraft for f in a.feeds):
            if health := self._bus.peek(PictureHealth, feed_id):
                for finding in FINDINGS:
                    family.add_metric([feed_id, finding], float(finding in health.findings))
        return family

    def _renditions(self) -> Iterable[Metric]:
        families = {
            name: kind(f"lagebild_rendition_{name}", text, labels=["feed", "rendition"])
            for name, (kind, text, _) in _OF_RENDITION.items()
        }
        for feed_id in (f.id for a in self._aircraft for f in a.feeds):
            for rendition in MADE:
                if state := self._bus.peek(RenditionState, unit_key(feed_id, rendition)):
                    for name, (_, _, figure) in _OF_RENDITION.items():
                        if (value := figure(state)) is not None:
                            families[name].add_metric([feed_id, rendition], value)
        yield from families.values()

    def _links(self) -> Iterable[Metric]:
        families = {
            figure: CounterMetricFamily(f"lagebild_telemetry_{figure}", text, labels=["aircraft"])
            for figure, text in _OF_LINK.items()
        }
        live = GaugeMetricFamily("lagebild_telemetry_live", "1 while messages come", labels=["aircraft"])
        commands = CounterMetricFamily(
            "lagebild_forward_commands",
            "Commands of ground stations that read along; all were dropped",
            labels=["aircraft"],
        )
        for aircraft in self._aircraft:
            if link := self._bus.peek(LinkState, aircraft.id):
                live.add_metric([aircraft.id], float(link.status is LinkStatus.LIVE))
                for figure, family in families.items():
                    family.add_metric([aircraft.id], getattr(link, figure))
            if shared := self._bus.peek(ForwardState, aircraft.id):
                commands.add_metric([aircraft.id], shared.commands)
        yield live
        yield from families.values()
        yield commands


_OF_LINK = {
    "messages": "Messages, or sets of metadata",
    "bad_bytes": "Undecodable bytes",
    "lost": "Messages that never arrived, by their sequence numbers",
    "unsigned": "Messages refused for their signature",
}

_RUNNING = (RenditionStatus.STARTING, RenditionStatus.LIVE)

_OF_RENDITION: dict[
    str, tuple[type[GaugeMetricFamily | CounterMetricFamily], str, Callable[[RenditionState], float | None]]
] = {
    "running": (GaugeMetricFamily, "1 while its encoder runs", lambda s: float(s.status in _RUNNING)),
    "failed": (
        GaugeMetricFamily,
        "1 while somebody needs it and it cannot be made",
        lambda s: float(s.status is RenditionStatus.FAILED),
    ),
    "slow": (
        GaugeMetricFamily,
        "1 while pictures are left out to stay on time",
        lambda s: float(s.reason == "encoder_slow"),
    ),
    "cpu_cores": (
        GaugeMetricFamily,
        "What its encoder takes of the processor, 1: a core",
        lambda s: s.cpu_share,
    ),
    "delay_seconds": (
        GaugeMetricFamily,
        "What making it adds to the age of a picture (median)",
        lambda s: None if s.delay_ms is None else s.delay_ms / 1000,
    ),
    "pictures": (CounterMetricFamily, "Pictures made since somebody needs it", lambda s: s.pictures),
    "dropped": (CounterMetricFamily, "Pictures left out since somebody needs it", lambda s: s.dropped),
    "restarts": (CounterMetricFamily, "Encoders that failed and were started again", lambda s: s.restarts),
}
"""Name, kind, meaning and figure of each metric of a rendition; None: not known just now."""


_TRAFFIC = {
    "bytes_sent": ("bytes", "Bytes sent to viewers"),
    "sent_packets": ("packets", "Packets sent to viewers, resent ones not counted"),
    "resent_packets": ("resent_packets", "Packets sent again"),
    "nacked_packets": ("nacked_packets", "Packets that viewers asked for again (NACK)"),
    "keyframe_requests": ("keyframe_requests", "Keyframes that viewers asked for (PLI, FIR)"),
    "pictures_dropped": ("dropped_pictures", "Pictures that viewers were not sent, being too slow"),
}
"""Field of flow.doors.FeedTraffic: name and meaning of its metric."""

_USUAL = (("connecting", ""), *((s, p) for s in ("connecting", "connected") for p in ("udp", "tcp")))
"""States and paths that are shown as 0 while no viewer has them."""


class RelayCollector(Collector):
    """Viewers and what they were sent."""

    def __init__(self, relay: RelayDoor, refused: Refused) -> None:
        self._relay, self._refused = relay, refused

    def collect(self) -> Iterable[Metric]:
        reports = self._relay.viewers()
        yield self._viewers(reports)
        yield self._told("loss_ratio", "Share of packets lost, 0 to 1", reports, lambda r: r.loss)
        yield self._told("round_trip_seconds", "Round trip to viewers", reports, _round_trip_s)
        yield from self._traffic()
        yield self._refused_joins()
        yield self._refused_datagrams()

    def _viewers(self, reports: Sequence[ViewerReport]) -> Metric:
        family = GaugeMetricFamily("lagebild_viewers", "Open sessions", labels=["feed", "state", "path"])
        counts = Counter({(feed_id, *usual): 0 for feed_id in self._refused for usual in _USUAL})
        counts.update((r.feed_id, r.state, r.path) for r in reports)
        for labels, count in counts.items():
            family.add_metric(labels, count)
        return family

    def _told(
        self,
        name: str,
        text: str,
        reports: Sequence[ViewerReport],
        figure: Callable[[ViewerReport], float | None],
    ) -> Metric:
        """What the viewers' receivers tell of themselves: the worst and the median of each feed."""
        family = GaugeMetricFamily(f"lagebild_viewer_{name}", text, labels=["feed", "of"])
        for feed_id in self._refused:
            told = [f for r in reports if r.feed_id == feed_id and (f := figure(r)) is not None]
            if told:
                family.add_metric([feed_id, "max"], max(told))
                family.add_metric([feed_id, "median"], statistics.median(told))
        return family

    def _traffic(self) -> Iterable[Metric]:
        totals = self._relay.traffic()
        for field, (name, text) in _TRAFFIC.items():
            family = CounterMetricFamily(f"lagebild_relay_{name}", text, labels=["feed"])
            for total in totals:
                family.add_metric([total.feed_id], getattr(total, field))
            yield family

    def _refused_joins(self) -> Metric:
        family = CounterMetricFamily(
            "lagebild_relay_refused_joins", "Offers that were refused", labels=["feed", "reason"]
        )
        for feed_id, reasons in self._refused.items():
            for reason, count in reasons.items():
                family.add_metric([feed_id, reason], count)
        return family

    def _refused_datagrams(self) -> Metric:
        family = CounterMetricFamily(
            "lagebild_relay_refused_datagrams", "What did not pass the relay's port", labels=["reason"]
        )
        for reason, count in self._relay.refused().items():
            family.add_metric([reason.replace(" ", "_")], count)
        return family


def _round_trip_s(report: ViewerReport) -> float | None:
    return None if report.rtt_ms is None else report.rtt_ms / 1000
