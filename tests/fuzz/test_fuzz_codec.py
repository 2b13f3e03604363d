"""Every parser of flow/codec under random and mutated input: only MalformedError, bounded memory and time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.codec import h264, h265
from flow.codec.annexb import (
    ACCESS_UNIT_LIMIT_BYTES,
    AccessUnitSplitter,
    AvcConfig,
    HevcConfig,
    avcc_to_annexb,
    join_nal_units,
    split_nal_units,
)
from flow.codec.mpegts import TsDemuxer
from flow.codec.parameter_sets import parse_h264_sps, parse_h265_sps, slice_type
from flow.codec.rtp import RtpPacket, SenderReport, Unwrapper, parse_rtp, parse_sender_reports
from flow.codec.tlog import is_tlog, read_tlog, write_record
from flow.errors import MalformedError
from flow.units import Codec
from tests.unit.flow.transport import KLV, VIDEO, VIDEO_PID, Muxer, pes

SEEDS = range(40)
QUICK = settings(derandomize=True, deadline=None, max_examples=150)

PARSERS: list[Callable[[bytes], object]] = [
    parse_rtp,
    parse_sender_reports,
    split_nal_units,
    lambda data: avcc_to_annexb(data, 4),
    lambda data: avcc_to_annexb(data, 1),
    AvcConfig.parse,
    HevcConfig.parse,
    parse_h264_sps,
    parse_h265_sps,
    slice_type,
    lambda data: h264.is_keyframe([data]),
    lambda data: h265.is_keyframe([data]),
    h264.packetize,
    h265.packetize,
    lambda data: list(read_tlog(data)),
    is_tlog,
]

# Seen in the wild or made by x264 and x265; the fuzzing starts from them.
H264_SPS = bytes.fromhex("67640028acd940780227e5c05a808080a0000003002000000781e3062340")
H265_SPS = bytes.fromhex("420101016000000300900000030000030078a003c08010e596566924caf01680800000030080000019")
RECORD = bytes.fromhex("01640028ffe1001e") + H264_SPS + bytes.fromhex("01000468ebe3cb")
REPORT = SenderReport(1, 1_795_322_940_500_000_000, 3, 4, 5).serialize()
RTP = bytes.fromhex("b1e0123400015f90cafebabe11111111bede000110aa00000102000003")
HEARTBEAT = bytes.fromhex("fe0900010100000000000203510403 1c7f")
LOG = b"".join(write_record(1_795_322_940_500_000 + i, HEARTBEAT) for i in range(20))
SAMPLES = [H264_SPS, H265_SPS, RECORD, REPORT, RTP, LOG, join_nal_units([H264_SPS, b"\x65\x88" * 50])]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Some bits flipped, a piece taken out, doubled or replaced, or the end cut off."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        end = min(len(out), at + chance.randint(1, 12))
        match chance.randrange(5):
            case 0 if at < len(out):
                out[at] ^= 1 << chance.randrange(8)
            case 1:
                del out[at:end]
            case 2:
                out[at:at] = out[at:end]
            case 3:
                out[at:end] = chance.choice([b"\x00\x00\x01", b"\xff\xff", b"\x00" * 5, chance.randbytes(3)])
            case _ if chance.random() < 0.2:
                del out[at:]
    return bytes(out)


@pytest.mark.parametrize("parser", PARSERS)
@QUICK
@given(data=st.binary(max_size=300))
def test_random_bytes(parser: Callable[[bytes], object], data: bytes) -> None:
    with suppress(MalformedError):
        parser(data)


@pytest.mark.parametrize("parser", PARSERS)
def test_mutated_samples(parser: Callable[[bytes], object]) -> None:
    for seed in SEEDS:
        chance = random.Random(seed)
        for sample in SAMPLES:
            for _ in range(5):
                with suppress(MalformedError):
                    parser(mutated(sample, chance))


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    "filling", [b"\x00", b"\xff", b"\x00\x00\x01", b"\x00\x00\x03", b"\x00\x00\x01\x67", b"\x06"]
)
def test_large_input_takes_no_long(parser: Callable[[bytes], object], filling: bytes) -> None:
    """A megabyte of the worst fillings; quadratic work would take minutes."""
    data = filling * (1_000_000 // len(filling))
    begun = time.process_time()
    with suppress(MalformedError):
        parser(data)
    assert time.process_time() - begun < 5


@QUICK
@given(
    unit=st.lists(st.binary(min_size=1, max_size=400), max_size=8),
    limit=st.integers(min_value=60, max_value=300),
)
def test_h264_packets_give_back_any_nal_units(unit: list[bytes], limit: int) -> None:
    """Whatever is in them: only the order and the bytes of NAL units with a real type matter."""
    nals = [bytes((0x61,)) + nal.replace(b"\x00", b"\x01") for nal in unit]
    depacketizer = h264.Depacketizer()
    payloads = h264.packetize(join_nal_units(nals), limit)
    assert all(len(payload) <= limit for payload in payloads)
    for sequence, payload in enumerate(payloads):
        assert depacketizer.push(RtpPacket(96, False, sequence, 0, 1, payload)) == []
    received = depacketizer.flush()
    assert [split_nal_units(picture.data) for picture in received] == ([nals] if nals else [])


@pytest.mark.parametrize("codec", [h264, h265])
@pytest.mark.parametrize("seed", SEEDS)
def test_depacketizers_take_anything(codec: object, seed: int) -> None:
    """Mutated and random payloads, sequence numbers, times and markers: counted, never raised."""
    chance = random.Random(seed)
    module = h264 if codec is h264 else h265
    depacketizer: h264.Depacketizer | h265.Depacketizer = module.Depacketizer()
    header = b"\x65" if codec is h264 else b"\x26\x01"
    payloads = module.packetize(join_nal_units([header + b"\x88" * 4000]), 500)
    pictures = 0
    for sequence in range(1500):
        payload = mutated(chance.choice(payloads), chance)
        number = sequence if chance.random() < 0.9 else chance.randrange(65_536)
        stamp = sequence // 10 * 3000 if chance.random() < 0.9 else chance.randrange(2**32)
        packet = RtpPacket(96, chance.random() < 0.1, number, stamp, chance.random() < 0.01, payload)
        pictures += len(depacketizer.push(packet))
        assert len(depacketizer._window._held) <= 32
        assert depacketizer._size <= ACCESS_UNIT_LIMIT_BYTES
    assert depacketizer.malformed_packets + pictures > 0


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("seed", SEEDS)
def test_splitter_takes_anything_and_loses_nothing(codec: Codec, seed: int) -> None:
    chance = random.Random(seed)
    pieces = [
        b"\x00\x00\x01\x67",
        b"\x00\x00\x00\x01\x65\x88",
        b"\x00\x00\x01\x41\x9a",
        b"\x00\x00\x01\x26\x01\xaf",
    ]
    stream = b"".join(
        chance.choice(pieces) if chance.random() < 0.3 else chance.randbytes(20) for _ in range(2000)
    )
    splitter = AccessUnitSplitter(codec)
    out = 0
    at = 0
    while at < len(stream):
        size = chance.randint(1, 3000)
        out += sum(map(len, splitter.push(stream[at : at + size])))
        at += size
    out += sum(map(len, splitter.flush()))
    assert out + splitter.discarded_bytes == len(stream)


@pytest.mark.parametrize("seed", SEEDS)
def test_demuxer_takes_anything(seed: int) -> None:
    chance = random.Random(seed)
    muxer, demuxer = Muxer(), TsDemuxer()
    for pts in range(60):
        with_length = chance.random() < 0.5
        packets = [muxer.tables(VIDEO, KLV)] if pts % 10 == 0 else []
        packets += muxer.pes_packets(VIDEO_PID, pes(chance.randbytes(700), pts, with_length=with_length))
        for packet in packets:
            demuxer.push(mutated(packet, chance) if chance.random() < 0.2 else packet)
            assert len(demuxer._rest) < 2 * 188
            assert len(demuxer._streams) <= 8
            assert len(demuxer._maps) <= 16
    demuxer.flush()
    clean = muxer.tables(VIDEO, KLV) * 2 + muxer.pes(VIDEO_PID, pes(b"after", 7)) * 2
    assert demuxer.push(clean)[-1].data == b"after", "a demuxer that has seen junk still works"


@QUICK
@given(data=st.lists(st.binary(max_size=600), max_size=10))
def test_demuxer_takes_random_bytes(data: list[bytes]) -> None:
    demuxer = TsDemuxer()
    for piece in data:
        assert demuxer.push(piece) == []


@QUICK
@given(bits=st.sampled_from([16, 32, 33]), steps=st.lists(st.integers(-(2**14), 2**14), max_size=60))
def test_unwrapper_follows_any_walk(bits: int, steps: list[int]) -> None:
    unwrapper = Unwrapper(bits)
    truth = [5]
    for step in steps:
        truth.append(truth[-1] + step)
    assert [unwrapper.unwrap(value % (1 << bits)) for value in truth] == truth
