"""One aircraft that says its attitude 500 times a second, beside ten others: nobody else notices."""

from __future__ import annotations

from typing import Any

import pytest

from flow.flights import Armed, Disarmed
from flow.samples import RawTelemetry, StatusText, TelemetrySample
from telemetry.protocol.fleet import CREDIT_NS, SPACING_NS, Fleet
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS

MS = 1_000_000
SECONDS = 4
OTHERS = 10


class Flood:
    """Ten aircraft at 10 Hz and one at 500 Hz on one link, which a loop polls every millisecond."""

    def __init__(self) -> None:
        self.others = {f"a{number}": FakeAircraft(number) for number in range(1, OTHERS + 1)}
        self.loud = FakeAircraft(99)
        self.sent: dict[str, int] = dict.fromkeys((*self.others, "laut"), 0)
        self.samples: dict[str, list[tuple[int, TelemetrySample]]] = {name: [] for name in self.sent}
        self.out: list[Any] = []
        numbers = [(name, number) for number, name in enumerate(self.others, 1)]
        self.fleet = Fleet("udpin:x", [*numbers, ("laut", 99)])

    def send(self, name: str, message: bytes, now_ns: int) -> None:
        self.sent[name] += 1
        self._took(self.fleet.receive(message, f"udp:{name}", now_ns, datagram=True), now_ns)

    def _took(self, items: list[Any], now_ns: int) -> None:
        self.out += items
        for item in items:
            if isinstance(item, TelemetrySample):
                self.samples[item.aircraft_id].append((now_ns, item))

    def fly(self) -> None:
        for at_ms in range(SECONDS * 1000):
            now_ns = START_NS + at_ms * MS
            if at_ms % 2 == 0:
                self.send("laut", self.loud.attitude(5000 + at_ms, yaw=at_ms / 20 % 360), now_ns)
            if at_ms % 100 == 10:
                self.say(at_ms, now_ns)
            self._took(self.fleet.poll(now_ns), now_ns)

    def say(self, at_ms: int, now_ns: int) -> None:
        """A tenth of a second of all eleven; in the third second they are armed and warn."""
        for name, drone in (*self.others.items(), ("laut", self.loud)):
            armed = 2000 < at_ms < 3000
            self.send(name, drone.position(7000 + at_ms, 49.0), now_ns)
            self.send(name, drone.heartbeat(armed=armed), now_ns)
            if at_ms in (2510, 2610):
                self.send(name, drone.text(f"{name}: low battery {at_ms}", severity=2), now_ns)


@pytest.fixture(scope="module")
def flood() -> Flood:
    flood = Flood()
    flood.fly()
    return flood


def test_no_message_is_lost(flood: Flood) -> None:
    now_ns = START_NS + SECONDS * 1000 * MS
    for name, sent in flood.sent.items():
        heard = flood.fleet.heard(name, now_ns)
        assert (heard.messages, heard.lost, heard.duplicates) == (sent, 0, 0)
    assert sum(isinstance(item, RawTelemetry) for item in flood.out) == sum(flood.sent.values())


def test_what_counts_comes_through(flood: Flood) -> None:
    for kind, each in ((Armed, 1), (Disarmed, 1), (StatusText, 2)):
        events = [item.aircraft_id for item in flood.out if isinstance(item, kind)]
        assert sorted(events) == sorted([*flood.sent] * each)


def test_the_samples_of_the_loud_one_are_bounded(flood: Flood) -> None:
    count = len(flood.samples["laut"])
    most = (SECONDS * 1000 * MS + CREDIT_NS) / SPACING_NS + 1
    assert 0.8 * most < count <= most


def test_the_others_are_shown_as_often_as_ever(flood: Flood) -> None:
    for name in flood.others:
        times_ns = [at_ns for at_ns, _ in flood.samples[name]]
        assert len(times_ns) >= SECONDS * 10
        assert all(sample.aircraft_id == name for _, sample in flood.samples[name])
        # Each settles 4 ms after the position that it shows.
        assert {(at_ns - START_NS) // MS % 100 for at_ns in times_ns} <= {14}
