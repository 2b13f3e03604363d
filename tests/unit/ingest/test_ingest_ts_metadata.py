"""KLV in MPEG-TS, from datagrams to metadata on the feed's timeline."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.mpegts import PesPacket, StreamType
from flow.codec.rtp import RtpPacket
from flow.samples import Metadata, MetadataKind
from flow.units import AccessUnit, Codec, UtcOrigin
from ingest.protocol.events import ClockReport, Opened, SourceMetadata, SourcePicture
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.metadata_gate import MOST_PER_S, UNIT_LIMIT_BYTES, MetadataGate
from ingest.protocol.ts_metadata import TsMetadata
from ingest.protocol.ts_stream import TsStream
from tests.fakes.clock import START_NS
from tests.fakes.klv_sets import flight
from tests.unit.flow.transport import KLV

from .klv_streams import FIRST_PTS, STEP, SYNCHRONOUS, cells, multiplex
from .material import coded

STEP_NS = NS_PER_S // 30
SENDER = "127.0.0.1:40000"


class Ingested:
    """What a feed makes of datagrams that come a picture's interval apart."""

    def __init__(self, datagrams: Iterable[bytes], jitter_ns: int = 0) -> None:
        self.feed = Feed("fritz-tag", "udp://127.0.0.1:0", Patience(), START_NS)
        self.feed.handle(Opened("udp://127.0.0.1:1", 33), START_NS)
        self.units: list[AccessUnit] = []
        self.metadata: list[Metadata] = []
        stream = TsStream()
        for number, datagram in enumerate(datagrams):
            now_ns = START_NS + number * STEP_NS + (jitter_ns if number % 2 else 0)
            for event in stream.handle(datagram, SENDER, now_ns):
                if isinstance(event, SourceMetadata):
                    self.metadata += self.feed.place(event)
                else:
                    self.units += self.feed.handle(event, now_ns)


@pytest.mark.parametrize(
    ("stream", "wrap"), [(KLV, lambda unit: unit), (SYNCHRONOUS, cells), (SYNCHRONOUS, lambda unit: unit)]
)
@pytest.mark.parametrize("first_pts", [FIRST_PTS, (1 << 33) - 5 * STEP])
def test_a_set_is_of_the_picture_whose_time_it_has(stream, wrap, first_pts) -> None:  # type: ignore[no-untyped-def]
    """Asynchronous with a time, synchronous in cells, and synchronous without the cells it should have."""
    at = {n: [(wrap(flight(n)), (first_pts + n * STEP) % (1 << 33))] for n in range(2, 10, 2)}
    got = Ingested(multiplex(at, stream=stream, first_pts=first_pts), jitter_ns=5 * NS_PER_MS)
    assert [unit.data for unit in got.metadata] == [flight(n) for n in range(2, 10, 2)]
    assert {(unit.feed_id, unit.kind) for unit in got.metadata} == {("fritz-tag", MetadataKind.KLV)}
    assert [unit.pts_90k for unit in got.metadata] == [got.units[n].pts_90k for n in range(2, 10, 2)]
    off_ns = [
        unit.utc_ns - got.units[n].utc_ns for unit, n in zip(got.metadata, range(2, 10, 2), strict=True)
    ]
    assert max(map(abs, off_ns)) < NS_PER_MS


def test_of_a_trusted_clock_it_is_the_capture() -> None:
    feed = Feed("fritz-tag", "rtp://127.0.0.1:0", Patience(), START_NS, trust_clock=True)
    feed.handle(Opened("rtp://127.0.0.1:1", 33), START_NS)
    feed.handle(ClockReport(START_NS - 80 * NS_PER_MS, 0), START_NS)
    (unit,) = feed.handle(SourcePicture(Codec.H264, coded(1)[0].data, 0, None, START_NS), START_NS)
    (metadata,) = feed.place(SourceMetadata(MetadataKind.KLV, flight(0), STEP, START_NS))
    assert unit.utc_origin is metadata.utc_origin is UtcOrigin.SOURCE
    assert metadata.utc_ns - unit.utc_ns == pytest.approx(STEP_NS, abs=1)


def test_a_set_may_be_dated_before_or_behind_the_pictures_around_it() -> None:
    at = {5: [(flight(0), FIRST_PTS + 3 * STEP), (flight(1), FIRST_PTS + 8 * STEP)]}
    got = Ingested(multiplex(at))
    assert [unit.pts_90k for unit in got.metadata] == [got.units[3].pts_90k, got.units[8].pts_90k]
    assert [got.units[8].utc_ns - unit.utc_ns for unit in got.metadata] == pytest.approx(
        [5 * STEP_NS, 0], abs=1000
    )


def test_without_a_time_it_is_the_arrival() -> None:
    got = Ingested(multiplex({0: [(flight(0), None)], 4: [(flight(1), None)]}))
    assert [(unit.utc_ns, unit.pts_90k) for unit in got.metadata] == [
        (START_NS + STEP_NS, None),
        (START_NS + 5 * STEP_NS, None),
    ]


def test_a_time_that_is_not_of_the_pictures_clock_is_not_believed() -> None:
    got = Ingested(multiplex({4: [(flight(0), FIRST_PTS + 3600 * 90_000)]}))
    assert [(unit.utc_ns, unit.pts_90k) for unit in got.metadata] == [(START_NS + 5 * STEP_NS, None)]


def test_a_set_far_behind_its_picture_is_old_and_not_of_today() -> None:
    """A gateway that holds metadata back: what it brings now was half a minute ago."""
    first_pts = FIRST_PTS + 60 * 90_000
    at = {5: [(flight(0), first_pts + 3 * STEP - 30 * 90_000)]}
    got = Ingested(multiplex(at, first_pts=first_pts))
    assert [got.units[3].utc_ns - unit.utc_ns for unit in got.metadata] == pytest.approx(
        [30 * NS_PER_S], abs=1000
    )


def test_several_sets_in_one_packet_and_one_set_in_several() -> None:
    first, second, third = (flight(n) for n in range(3))
    pts = FIRST_PTS
    for stream, packets in (
        (KLV, [first + second, third[:40], third[40:]]),
        (KLV, [first[:9], first[9:] + second, third]),
        (SYNCHRONOUS, [cells(first, second), cells(third)]),
        (SYNCHRONOUS, [cells(first + second + third)]),
    ):
        got = Ingested(multiplex({1: [(packet, pts) for packet in packets]}, stream=stream))
        assert [unit.data for unit in got.metadata] == [first, second, third]


def test_cells_that_lie_about_themselves_cost_only_their_units() -> None:
    good, pts = flight(0), FIRST_PTS
    for bad in (
        b"\0\0\x1f" + len(good).to_bytes(2, "big") + good,  # a middle without a beginning
        b"\0\0\x9f" + len(good).to_bytes(2, "big") + good,  # a first one that is never finished
        b"\0\0\xdf\xff\xff" + good,
        b"\0\0\xdf\0",
    ):
        got = Ingested(multiplex({1: [(bad, pts)], 2: [(cells(good), pts)]}, stream=SYNCHRONOUS))
        assert [unit.data for unit in got.metadata] == [good]
        assert len(got.units) == 10


def test_lost_packets_cost_their_set_and_no_other() -> None:
    at = {n: [(flight(n), FIRST_PTS + n * STEP)] for n in range(10)}
    sent = list(multiplex(at))
    sent[4] = sent[4][188:]  # the first transport packet of the set before the picture with number 3
    got = Ingested(sent)
    assert flight(3) not in [unit.data for unit in got.metadata]
    assert len(got.metadata) == 9
    assert len(got.units) == 10


def test_the_same_in_rtp() -> None:
    sent = multiplex({3: [(flight(0), FIRST_PTS)]})
    wrapped = (RtpPacket(33, False, n, 0, 1, datagram).serialize() for n, datagram in enumerate(sent))
    assert [unit.data for unit in Ingested(wrapped).metadata] == [flight(0)]


def test_a_restart_begins_with_nothing_unfinished() -> None:
    stream, half = TsStream(), flight(0)[:50]
    for number, datagram in enumerate(multiplex({2: [(half, FIRST_PTS)]}, pictures=3)):
        stream.handle(datagram, SENDER, START_NS + number * STEP_NS)
    again = [
        event
        for number, datagram in enumerate(multiplex({2: [(flight(0)[50:] + flight(1), 0)]}, pictures=3))
        for event in stream.handle(datagram, "127.0.0.1:40001", START_NS + NS_PER_S + number * STEP_NS)
    ]
    assert [event.data for event in again if isinstance(event, SourceMetadata)] == [flight(1)]


def test_too_many_units_are_dropped_and_told_and_no_picture_waits() -> None:
    flood = [(flight(n), FIRST_PTS) for n in range(60)]
    got = Ingested(multiplex(dict.fromkeys(range(10), flood)))
    assert (len(got.units), len(got.metadata)) == (10, MOST_PER_S)
    assert "metadata_flood" in got.feed.state().notes
    for second in (2, 4):
        got.feed.tick(START_NS + second * NS_PER_S)
    assert "metadata_flood" not in got.feed.state().notes


def test_the_gate_counts_what_it_drops() -> None:
    gate = MetadataGate()
    assert [gate.admits(10, START_NS + n) for n in range(MOST_PER_S + 3)].count(True) == MOST_PER_S
    assert gate.dropped == 3
    assert gate.admits(10, START_NS + NS_PER_S)
    assert not gate.admits(UNIT_LIMIT_BYTES + 1, START_NS + NS_PER_S)
    assert [gate.admits(UNIT_LIMIT_BYTES, START_NS + 2 * NS_PER_S) for _ in range(20)].count(True) == 16


def test_a_packet_beyond_all_sets_is_not_looked_at() -> None:
    metadata = TsMetadata()

    def packet(data: bytes, pid: int = 7) -> PesPacket:
        return PesPacket(pid, StreamType.KLV_ASYNCHRONOUS, None, None, data)

    assert metadata.take(packet(flight(0) + bytes(UNIT_LIMIT_BYTES)), 0) == []
    assert len(metadata.take(packet(flight(0)), 0)) == 1
    for pid in range(100):
        metadata.take(packet(flight(0)[:60], pid), 0)
    assert len(metadata._streams) <= 8
