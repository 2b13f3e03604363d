"""The parsers of KLV, each with genuine input and a way to be fed one that has gone wrong; see parsers.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle

from flow.clock import NS_PER_MS
from flow.codec.klv import SET_LIMIT_BYTES, KlvSplitter, write_length
from flow.codec.metadata_au import MetadataUnits
from flow.codec.st0601 import ST0601_KEY, decode_st0601, encode_st0601
from flow.errors import LagebildError
from flow.samples import Metadata, MetadataKind, TelemetrySample
from ingest.protocol.events import Opened, PacketsLost, SourceMetadata, Unusable
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.ts_stream import TsStream
from telemetry.protocol.follower import Follower
from tests.fakes.klv_sets import flight, universal
from tests.unit.flow.test_flow_st0601 import sealed
from tests.unit.ingest.klv_streams import FIRST_PTS, STEP, SYNCHRONOUS, cells, multiplex

from .mutation import Mutator
from .parsers import MakeParser

PICTURES = 40
UNIVERSAL = universal(
    {
        "0702010101050000": 1_221_515_219_356_000,
        "0701020102040200": 38.25,
        "0701020102060200": -77.37,
        "0701100102000000": 124.5,
        "0701100103000000": -37.5,
    }
)


class Sets:
    """Sets behind their key, through to samples. Half of the spoiled ones get a right checksum, or nearly
    none would come further than that."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        self._genuine = [flight(n) for n in range(20)] + [UNIVERSAL]
        self._now_ns = self._fed = 0

    def one(self, mutator: Mutator) -> None:
        if self._fed % 5000 == 0:
            self._follower = Follower("prove", "feed:prove", 3 * 10**9)
        self._fed += 1
        self._now_ns += 5 * NS_PER_MS
        data = mutator.next(self._genuine)
        if mutator.dice.random() < 0.5:
            data = sealed(mutator.next([each[18:-4] for each in self._genuine])[:1200])
        before = self._follower.state(None, self._now_ns)
        for each in (flight(0), data):
            at_ns = self._now_ns + mutator.dice.choice((0, 0, 10**9, -(10**9), 10**15))
            self._follower.take(Metadata("prove", MetadataKind.KLV, at_ns, each), self._now_ns)
        for sample in self._follower.due(self._now_ns):
            assert isinstance(sample, TelemetrySample)
            check_sample(sample)
        after = self._follower.state(before, self._now_ns)
        self.reached["taken"] += after.messages - before.messages
        self.reached["refused"] += after.bad_bytes > before.bad_bytes


class Roundtrips:
    """What is read of a spoiled set can be written, and is then read as the same."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        self._genuine = [flight(n)[18:-4] for n in range(20)]

    def one(self, mutator: Mutator) -> None:
        try:
            first = decode_st0601(sealed(mutator.next(self._genuine)))
            second = decode_st0601(encode_st0601(first))
        except (LagebildError, ValueError):
            self.reached["refused"] += 1
            return
        self.reached["taken"] += 1
        if decode_st0601(encode_st0601(second)) != second:
            raise AssertionError("a set that was read and written is another one")


class Streams:
    """A byte stream, or the PES payloads of a synchronous one, cut anywhere."""

    def __init__(self, make: Callable[[], KlvSplitter | MetadataUnits], genuine: Sequence[bytes]) -> None:
        self.reached: Counter[str] = Counter()
        self._make, self._genuine, self._next = make, genuine, cycle(genuine)
        self._fed = 0

    def one(self, mutator: Mutator) -> None:
        if self._fed % 2000 == 0:
            self._stream = self._make()
        self._fed += 1
        got = [*self._stream.push(mutator.next(self._genuine)), *self._stream.push(next(self._next))]
        self.reached["taken"] += len(got)
        if isinstance(self._stream, KlvSplitter):
            self.reached["refused"] = self.reached["refused"] or self._stream.bad_sets
        else:
            self.reached["refused"] = self.reached["refused"] or self._stream.bad_cells
        if any(len(each) > 2 * SET_LIMIT_BYTES for each in got):
            raise AssertionError("a unit beyond its bound")


class Multiplexes:
    """MPEG-TS with KLV, through to metadata on a feed's timeline."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        at = {
            n: [(cells(flight(n), flight(n + 1)), FIRST_PTS + n * STEP), (flight(n)[:100], None)]
            for n in range(0, PICTURES, 2)
        }
        self._genuine = list(multiplex(at, PICTURES, SYNCHRONOUS))
        self._next = cycle(self._genuine)
        self._now_ns = self._fed = 0

    def one(self, mutator: Mutator) -> None:
        if self._fed % 5000 == 0:
            self._stream, self._feed = TsStream(), Feed("prove", "udp://x", Patience(), self._now_ns)
            self._feed.handle(Opened("udp://127.0.0.1:1", 33), self._now_ns)
        self._fed += 1
        for datagram in (next(self._next), mutator.next(self._genuine)):
            self._now_ns += 5 * NS_PER_MS
            for event in self._stream.handle(datagram, "127.0.0.1:1", self._now_ns):
                if not isinstance(event, SourceMetadata):
                    self.reached["refused"] += isinstance(event, PacketsLost | Unusable)
                    self._feed.handle(event, self._now_ns)
                    continue
                placed = self._feed.place(event)
                self.reached["taken"] += len(placed)
                self.reached["refused"] += not placed
                self.reached["told"] += sum(unit.pts_90k is not None for unit in placed)
        self._feed.tick(self._now_ns)


def check_sample(sample: TelemetrySample) -> None:
    """What every reader of a sample relies on."""
    for name, least, most in (
        ("lat_deg", -90, 90),
        ("lon_deg", -180, 180),
        ("yaw_deg", 0, 360),
        ("gimbal_yaw_deg", 0, 360),
        ("gimbal_pitch_deg", -90, 90),
        ("hfov_deg", 0, 180),
        ("alt_msl_m", -900, 40_000),
    ):
        value = getattr(sample, name)
        if value is not None and not least <= value <= most:
            raise AssertionError(f"{name} is {value}")
    if sample.received_ns and max(sample.received_ns.values()) != sample.utc_ns:
        raise AssertionError("a sample that is not of its newest group")


def _lengths() -> list[bytes]:
    """Genuine sets, and some whose length promises too much."""
    promises = [ST0601_KEY + write_length(size) + bytes(50) for size in (200, 60_000, 70_000, 10_000_000)]
    return [*(flight(n) for n in range(10)), UNIVERSAL, *promises]


def _cells() -> list[bytes]:
    return [cells(flight(n), b"", flight(n + 1)) for n in range(5)]


KLV_PARSERS: dict[str, tuple[int, MakeParser]] = {
    "KLV sets": (150_000, Sets),
    "KLV sets, written again": (100_000, Roundtrips),
    "KLV streams": (150_000, lambda: Streams(KlvSplitter, _lengths())),
    "KLV cells": (100_000, lambda: Streams(MetadataUnits, _cells())),
    "KLV in MPEG-TS": (100_000, Multiplexes),
}
"""By name: how many inputs, and the parser."""
