"""Metrics of recordings for Prometheus, as their states on the bus say."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flow.bus import Bus
from flow.flights import Aircraft
from flow.recording import RecordingState, RecordingStatus, StorageState, StorageStatus

from .viewings import ViewingDesk


class RecordingCollector(Collector):
    """What is recorded of each aircraft, and the room there is for it."""

    def __init__(self, bus: Bus, aircraft: tuple[Aircraft, ...], viewings: ViewingDesk) -> None:
        self._bus, self._aircraft, self._viewings = bus, aircraft, viewings

    def collect(self) -> Iterable[Metric]:
        yield from self._recordings()
        yield from self._storage()
        yield CounterMetricFamily(
            "lagebild_viewings_refused",
            "Reports of pages on what they saw that cannot be",
            value=self._viewings.refused,
        )

    def _recordings(self) -> Iterable[Metric]:
        recording = GaugeMetricFamily(
            "lagebild_recording", "1 while the aircraft is recorded", labels=["aircraft"]
        )
        failed = GaugeMetricFamily(
            "lagebild_recording_failed",
            "1 while there is a flight and nothing of it can be written",
            labels=["aircraft"],
        )
        counters = {
            name: CounterMetricFamily(f"lagebild_recording_{told}", text, labels=["aircraft"])
            for name, told, text in (
                ("written_bytes", "bytes", "Bytes written of the present flight"),
                ("pictures", "pictures", "Pictures written of the present flight"),
                ("lost", "lost_pictures", "Pictures of the present flight that could not be written"),
            )
        }
        for aircraft in self._aircraft:
            if state := self._bus.peek(RecordingState, aircraft.id):
                recording.add_metric([aircraft.id], float(state.status is RecordingStatus.RECORDING))
                failed.add_metric([aircraft.id], float(state.status is RecordingStatus.FAILED))
                for name, family in counters.items():
                    family.add_metric([aircraft.id], getattr(state, name))
        yield recording
        yield failed
        yield from counters.values()

    def _storage(self) -> Iterable[Metric]:
        state = self._bus.peek(StorageState, "")
        if state is None:
            return
        status = GaugeMetricFamily(
            "lagebild_storage_status", "1 for the state that it is in", labels=["status"]
        )
        for each in StorageStatus:
            status.add_metric([each], float(each is state.status))
        yield status
        yield GaugeMetricFamily(
            "lagebild_storage_free_bytes", "What recordings may still fill", value=state.free_bytes
        )
        yield GaugeMetricFamily("lagebild_storage_used_bytes", "What recordings fill", value=state.used_bytes)
        if state.hours_left is not None:
            yield GaugeMetricFamily(
                "lagebild_storage_hours_left", "Until it is full, at the present rate", value=state.hours_left
            )
