"""Start codes, MP4 lengths and access unit boundaries."""

from __future__ import annotations

import pytest

from flow.codec.annexb import (
    ACCESS_UNIT_LIMIT_BYTES,
    AccessUnitSplitter,
    AvcConfig,
    HevcConfig,
    avcc_to_annexb,
    join_nal_units,
    split_nal_units,
)
from flow.errors import MalformedError
from flow.units import Codec

SPS, PPS, SEI, AUD = b"\x67sps", b"\x68pps", b"\x06\x05\x01\xaa\x80", b"\x09\xf0"
IDR, IDR_REST = b"\x65\x88first", b"\x65\x30rest"  # first_mb_in_slice: 1... is 0, 0011... is 5
P, P_REST = b"\x41\x9afirst", b"\x41\x30rest"
LONG, SHORT = b"\x00\x00\x00\x01", b"\x00\x00\x01"


def test_split_takes_both_start_codes_and_drops_padding() -> None:
    data = b"junk" + LONG + SPS + SHORT + PPS + b"\x00\x00\x00" + SHORT + SHORT + IDR + b"\x00\x00"
    assert split_nal_units(data) == [SPS, PPS, IDR]
    assert split_nal_units(b"") == split_nal_units(b"no start code") == []


def test_join_then_split_is_the_identity() -> None:
    assert split_nal_units(join_nal_units([SPS, PPS, IDR])) == [SPS, PPS, IDR]


@pytest.mark.parametrize("length_size", [1, 2, 4])
def test_avcc_lengths_become_start_codes(length_size: int) -> None:
    sample = b"".join(len(nal).to_bytes(length_size, "big") + nal for nal in (SEI, IDR))
    assert avcc_to_annexb(sample, length_size) == LONG + SEI + LONG + IDR
    with pytest.raises(MalformedError, match="14496-15"):
        avcc_to_annexb(sample[:-1], length_size)


def test_avcc_record() -> None:
    # ISO/IEC 14496-15 5.3.3.1: version 1, High 4.0, lengths of four bytes, one SPS, one PPS.
    record = b"\x01\x64\x00\x28\xff\xe1" + b"\x00\x04" + SPS + b"\x01\x00\x04" + PPS
    assert AvcConfig.parse(record) == AvcConfig(4, (SPS, PPS))
    for cut in range(len(record)):
        with pytest.raises(MalformedError, match="14496-15"):
            AvcConfig.parse(record[:cut])


def test_hvcc_record() -> None:
    # ISO/IEC 14496-15 8.3.3.1: 22 fixed bytes, then arrays of (type, count, sets).
    vps, sps = b"\x40\x01vps", b"\x42\x01sps"
    record = b"\x01" + bytes(20) + b"\x0f" + b"\x02"
    record += b"\xa0\x00\x01\x00\x05" + vps + b"\xa1\x00\x01\x00\x05" + sps
    assert HevcConfig.parse(record) == HevcConfig(4, (vps, sps))
    for cut in range(len(record)):
        with pytest.raises(MalformedError, match="14496-15"):
            HevcConfig.parse(record[:cut])


UNITS = [
    LONG + AUD + LONG + SPS + LONG + PPS + SHORT + SEI + SHORT + IDR + SHORT + IDR_REST,
    LONG + AUD + SHORT + P + SHORT + P_REST,
    SHORT + P,  # only first_mb_in_slice tells
    LONG + SEI + SHORT + P + SHORT + P_REST,
    LONG + SPS + LONG + PPS + SHORT + IDR,
]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_splitter_finds_the_same_units_however_the_stream_is_cut(step: int) -> None:
    stream = b"".join(UNITS)
    splitter = AccessUnitSplitter(Codec.H264)
    units = [
        unit for at in range(0, len(stream), step) for unit in splitter.push(stream[at : at + step])
    ] + splitter.flush()
    assert units == UNITS
    assert splitter.discarded_bytes == 0


def test_splitter_hands_a_unit_out_as_soon_as_the_next_one_shows() -> None:
    splitter = AccessUnitSplitter(Codec.H264)
    assert splitter.push(UNITS[0] + LONG + b"\x09") == []
    assert splitter.push(b"\xf0") == [UNITS[0]]
    splitter = AccessUnitSplitter(Codec.H264)
    assert splitter.push(UNITS[0] + SHORT + P[:2]) == [UNITS[0]]


def test_splitter_cuts_h265() -> None:
    vps, sps, pps = b"\x40\x01v", b"\x42\x01s", b"\x44\x01p"
    idr, idr_rest, trail = b"\x26\x01\xafa", b"\x26\x01\x2fb", b"\x02\x01\xd0c"
    suffix_sei = b"\x50\x01\x84x"
    units = [
        b"".join(LONG + nal for nal in (vps, sps, pps, idr, idr_rest, suffix_sei)),
        LONG + trail,
        LONG + b"\x46\x01\x50" + LONG + trail,
    ]
    splitter = AccessUnitSplitter(Codec.H265)
    assert splitter.push(b"".join(units)) + splitter.flush() == units


def test_splitter_drops_what_comes_before_the_first_start_code() -> None:
    splitter = AccessUnitSplitter(Codec.H264)
    assert splitter.push(b"junk" + UNITS[0]) + splitter.flush() == [UNITS[0]]
    assert splitter.discarded_bytes == 4


def test_splitter_stays_bounded_and_recovers() -> None:
    splitter = AccessUnitSplitter(Codec.H264)
    block = b"\xaa" * 1_000_000
    for _ in range(30):
        assert splitter.push(block) == []
        assert len(splitter._buffer) <= ACCESS_UNIT_LIMIT_BYTES
    assert splitter.push(UNITS[0]) + splitter.flush() == [UNITS[0]]
    assert splitter.discarded_bytes == 30_000_000


def test_splitter_drops_a_unit_that_never_ends() -> None:
    splitter = AccessUnitSplitter(Codec.H264)
    splitter.push(LONG + IDR)
    for _ in range(20):
        splitter.push(b"\xaa" * 500_000)
    assert splitter.push(UNITS[1]) + splitter.flush() == [UNITS[1]]


def test_flush_of_a_stream_without_picture_is_empty() -> None:
    splitter = AccessUnitSplitter(Codec.H264)
    splitter.push(LONG + SPS + LONG + PPS)
    assert splitter.flush() == []
