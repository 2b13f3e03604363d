"""The parsers of MAVLink, in the manner of parsers.py: from bytes to samples, with and without signatures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.codec.tlog import TlogSplitter, write_record
from flow.samples import RawTelemetry
from telemetry.protocol.assembly import READ_IDS
from telemetry.protocol.fleet import Fleet
from telemetry.protocol.quality import RADIO_IDS
from telemetry.protocol.signing import EPOCH_NS, UNIT_NS
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.fuzz.test_telemetry_fuzz import checked, framed

from .mutation import Mutator
from .parsers import MakeParser

STEP_NS = 5_000_000
KEY = bytes(range(32))
RENEWED_EVERY = 20_000
"""Inputs, after which everything is begun anew: else the clock would soon be refused for good."""


def flight(drone: FakeAircraft) -> Iterator[bytes]:
    """Messages of every kind that is read, without end."""
    boot_ms, radio = 1000, FakeAircraft(51, 68)
    while True:
        boot_ms += 100
        yield drone.heartbeat(armed=boot_ms // 1000 % 2 == 0)
        yield drone.attitude(boot_ms, yaw=boot_ms / 100 % 360)
        yield drone.position(boot_ms, 49.4, hdg=9000)
        yield drone.gps()
        yield drone.hud()
        yield drone.system_status()
        yield drone.battery(64, [4100, 4090])
        yield drone.home(49.4, 7.6, 200)
        yield drone.landed(2)
        yield drone.text("Low battery", 4, boot_ms // 100 % 7, boot_ms // 100 % 3)
        yield drone.gimbal([1.0, 0.0, -0.5, 0.0], 64)
        yield drone.send(dialect.MAVLink_mount_status_message(0, 0, -4500, 0, 0))
        yield drone.send(dialect.MAVLink_mount_orientation_message(boot_ms, 0, -45, 10, 20))
        yield drone.send(dialect.MAVLink_distance_sensor_message(boot_ms, 20, 1000, 500, 0, 0, 25, 0))
        yield radio.radio(150, 48)


class Link:
    """A stream of frames, of which some have gone wrong on the way."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        self._now_ns, self._fed = START_NS, 0
        self._begin()

    def _begin(self) -> None:
        self._fleet = Fleet("prove", [("fritz", 1), ("ottmar", None)])
        self._genuine = flight(FakeAircraft())
        self._recent: list[bytes] = []

    def one(self, mutator: Mutator) -> None:
        self._fed += 1
        if self._fed % RENEWED_EVERY == 0:
            self._begin()
        message = next(self._genuine)
        self._recent = [*self._recent[-20:], message]
        sender = mutator.dice.choice("aab")
        for data in (message, self._gone_wrong(mutator)):
            self._now_ns += STEP_NS
            before = self._fleet.heard("fritz", self._now_ns).bad_bytes
            out = self._fleet.receive(data, sender, self._now_ns, datagram=mutator.dice.random() < 0.5)
            out += self._fleet.poll(self._now_ns)
            checked(out)
            self.reached["taken"] += len(out)
            self.reached["refused"] += self._fleet.heard("fritz", self._now_ns).bad_bytes - before

    def _gone_wrong(self, mutator: Mutator) -> bytes:
        return mutator.next(self._recent)


class Contents(Link):
    """Frames with right checksums, whose contents have gone wrong."""

    def _gone_wrong(self, mutator: Mutator) -> bytes:
        number = mutator.dice.choice(sorted(READ_IDS | RADIO_IDS))
        payload = mutator.next([message[10:-2] for message in self._recent])[:255]
        source = mutator.dice.choice((1, 1, 2, 51, 255)), mutator.dice.choice((1, 1, 154))
        self.reached["refused"] += (
            1  # nothing of it is a right value but by chance; `checked` sees to the rest
        )
        return framed(number, payload, self._fed % 256, source)


class Signed:
    """Signed frames gone wrong or replayed: only what was sent may count, and only once."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        self._now_ns, self._fed = START_NS, 0
        self._begin()

    def _begin(self) -> None:
        drone = FakeAircraft(key=KEY)
        drone.set_signing(0, (self._now_ns - EPOCH_NS) // UNIT_NS)
        self._fleet = Fleet("prove", [("fritz", 1)], {"fritz": KEY})
        self._genuine = flight(drone)
        self._recent: list[bytes] = []
        self._counted: set[bytes] = set()

    def one(self, mutator: Mutator) -> None:
        self._fed += 1
        if self._fed % 1000 == 0:
            self._begin()
        message = next(self._genuine)
        self._recent = [*self._recent[-200:], message]
        for data in (mutator.next(self._recent), message, mutator.dice.choice(self._recent)):
            self._now_ns += STEP_NS
            out = self._fleet.receive(data, mutator.dice.choice("ab"), self._now_ns, datagram=True)
            checked(out)
            for item in (item for item in out if isinstance(item, RawTelemetry)):
                self._check(item.data)
        self.reached["refused"] += self._fleet.heard("fritz", self._now_ns).unsigned > 0

    def _check(self, data: bytes) -> None:
        self.reached["taken"] += 1
        if data in self._counted:
            raise AssertionError("a frame counted twice")
        if data not in self._recent:
            raise AssertionError("a frame counted that nobody sent")
        self._counted.add(data)


class Records:
    """A recorded log gone wrong, cut anywhere."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        self._splitter, self._fleet = TlogSplitter(), Fleet("prove", [("fritz", 1)])
        self._genuine, self._at_us = flight(FakeAircraft()), START_NS // 1000

    def one(self, mutator: Mutator) -> None:
        self._at_us += 5000
        record = write_record(self._at_us, next(self._genuine))
        for data in (record, mutator.next([record])):
            for utc_us, message in self._splitter.push(data):
                out = self._fleet.receive(message, "log", utc_us * 1000)
                checked(out)
                self.reached["taken"] += len(out)
        self.reached["refused"] = self._fleet.heard("fritz", 0).bad_bytes


MAVLINK_PARSERS: dict[str, tuple[int, MakeParser]] = {
    "MAVLink": (200_000, Link),
    "MAVLink, contents": (200_000, Contents),
    "MAVLink, signed": (100_000, Signed),
    "tlog": (100_000, Records),
}
"""By name: how many inputs of the long proof, and the parser."""
