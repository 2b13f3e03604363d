"""Whatever arrives: ingest does not raise, keeps the promises of flow/units.py, and recovers at once."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec import h264
from flow.codec.rtp import RtpPacket, SenderReport
from flow.units import AccessUnit, Codec
from ingest import av_reader
from ingest.protocol.events import Opened, SourceEvent, SourcePicture
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.reader_pipe import Failure
from ingest.protocol.rtp_stream import RtpStream
from ingest.protocol.timeline import Timeline
from ingest.protocol.ts_stream import TsStream
from tests.fakes.clock import START_NS
from tests.unit.ingest.material import coded, written

PICTURES = 60


def rtp_datagrams() -> list[bytes]:
    made: list[bytes] = []
    sequence = 0
    for index, picture in enumerate(coded(PICTURES)):
        payloads = h264.packetize(picture.data, 400)
        for number, payload in enumerate(payloads, 1):
            packet = RtpPacket(96, number == len(payloads), sequence, index * 3000, 5, payload)
            made.append(packet.serialize())
            sequence += 1
        if index % 20 == 0:
            made.append(SenderReport(5, START_NS, index * 3000, 0, 0).serialize())
    return made


def ts_datagrams(folder: Path) -> list[bytes]:
    data = written(folder / "live.ts", coded(PICTURES), format="mpegts").read_bytes()
    return [data[start : start + 1316] for start in range(0, len(data), 1316)]


def mistreated(datagrams: list[bytes], chance: random.Random) -> list[bytes]:
    """Some flipped, cut, lost, doubled, swapped, and some that never were any."""
    out: list[bytes] = []
    for datagram in datagrams:
        match chance.randrange(12):
            case 0:
                broken = bytearray(datagram)
                for _ in range(chance.randrange(1, 8)):
                    broken[chance.randrange(len(broken))] = chance.randrange(256)
                out.append(bytes(broken))
            case 1:
                out.append(datagram[: chance.randrange(len(datagram))])
            case 2:
                pass
            case 3:
                out += [datagram, datagram]
            case 4:
                out += [datagram, chance.randbytes(chance.randrange(1500))]
            case 5:
                out.insert(max(0, len(out) - chance.randrange(5)), datagram)
            case _:
                out.append(datagram)
    return out


def run(
    handle: Callable[[bytes, str, int], list[SourceEvent]], datagrams: list[bytes], bits: int
) -> tuple[Feed, list[AccessUnit]]:
    feed, now_ns = Feed("fuzz", "udp://127.0.0.1:0", Patience(), START_NS, trust_clock=True), START_NS
    feed.handle(Opened("udp://127.0.0.1:1", bits), now_ns)
    units: list[AccessUnit] = []
    for datagram in datagrams:
        now_ns += 5 * NS_PER_MS
        for event in handle(datagram, "127.0.0.1:1", now_ns):
            units += feed.handle(event, now_ns)
        units += feed.tick(now_ns)
        feed.state()
    return feed, units


def check(units: list[AccessUnit]) -> None:
    for before, after in pairwise(units):
        assert after.dts_90k > before.dts_90k
        assert (after.epoch, after.seq) == (before.epoch, before.seq + 1) or (
            after.epoch > before.epoch and after.seq == 0
        )
    assert all(unit.pts_90k >= unit.dts_90k for unit in units)
    assert all(unit.keyframe for unit in units if unit.seq == 0)


@pytest.mark.parametrize("seed", range(20))
def test_mistreated_rtp(seed: int) -> None:
    clean = rtp_datagrams()
    stream = RtpStream()
    _, units = run(stream.handle, mistreated(clean, random.Random(seed)), 32)
    check(units)
    # A clean sender on the same stream is seen whole again.
    _, after = run(stream.handle, clean, 32)
    assert len(after) >= PICTURES - 10


@pytest.mark.parametrize("seed", range(20))
def test_mistreated_mpeg_ts(seed: int, tmp_path: Path) -> None:
    clean = ts_datagrams(tmp_path)
    stream = TsStream()
    _, units = run(stream.handle, mistreated(clean, random.Random(seed)), 33)
    check(units)
    _, after = run(stream.handle, clean, 33)
    assert len(after) >= PICTURES - 11  # the open group and the last picture may be lost, no more


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=30))
def test_any_datagrams_at_all(datagrams: list[bytes]) -> None:
    run(RtpStream().handle, datagrams, 32)
    run(TsStream().handle, datagrams, 33)


STEPS = st.tuples(
    st.integers(0, 2**33 - 1),
    st.one_of(st.none(), st.integers(0, 2**33 - 1)),
    st.integers(0, 30 * NS_PER_S),
    st.sampled_from(["picture", "picture", "picture", "restart", "report"]),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=60), st.booleans())
def test_any_timestamps_at_all(steps: list[tuple[int, int | None, int, str]], trust: bool) -> None:
    timeline = Timeline(trust)
    timeline.restart(33)
    now_ns, last_dts = START_NS, -1
    for pts, dts, gap_ns, kind in steps:
        now_ns += gap_ns
        if kind == "restart":
            timeline.restart()
        elif kind == "report":
            timeline.clock_report(now_ns - gap_ns, pts)
        else:
            stamp = timeline.place(pts, dts, now_ns)
            assert stamp.dts_90k > last_dts
            assert stamp.pts_90k >= stamp.dts_90k
            assert stamp.utc_ns <= now_ns
            last_dts = stamp.dts_90k


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=60), st.booleans(), st.sampled_from(Codec)), max_size=30))
def test_any_nal_units_at_all(pictures: list[tuple[bytes, bool, Codec]]) -> None:
    feed = Feed("fuzz", "file:x", Patience(), START_NS)
    feed.handle(Opened("file:x", 64), START_NS)
    for index, (nal, damaged, codec) in enumerate(pictures):
        data = b"\x00\x00\x01" + nal
        feed.handle(SourcePicture(codec, data, index * 3000, index * 3000, START_NS, damaged), START_NS)
    feed.state()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("suffix", ["mp4", "ts", "h264"])
def test_broken_files_end_with_one_line(seed: int, suffix: str, tmp_path: Path) -> None:
    whole = written(tmp_path / f"whole.{suffix}", coded(30)).read_bytes()
    chance = random.Random(seed)
    broken = bytearray(whole)
    for _ in range(chance.randrange(1, 200)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    path = tmp_path / f"broken.{suffix}"
    path.write_bytes(bytes(broken[: chance.randrange(len(broken) // 2, len(broken))]))
    out = io.BytesIO()
    av_reader.write_all(out, av_reader.messages(str(path), 30, loop=False))
    assert out.getvalue()
    for message in av_reader.messages(str(path), 30, loop=False):
        if isinstance(message, Failure):
            assert message.reason in {"not_video", "source_failed", "unsupported_codec"}
            assert "\n" not in message.detail
