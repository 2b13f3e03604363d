"""Segments as a machine hands them out: when a fragment ends, what it says, and when another must begin."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from flow.codec.annexb import AvcConfig, HevcConfig, join_nal_units, split_nal_units
from flow.errors import MalformedError
from flow.units import AccessUnit
from recordings.protocol.fmp4 import children
from recordings.protocol.segment import FRAGMENT_BYTES, SEGMENT_90K, SegmentMachine
from recordings.segment_file import pictures, read_index
from tests.fakes.clips import Clips
from tests.fakes.encoded import as_units, h264_pictures
from tests.unit.recordings.segments import as_read_back, filmed, pieces, segment


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


def flown(count: int = 60, group: int = 30) -> list[AccessUnit]:
    return as_units(h264_pictures(count, 160, 120, group), "fritz-tag")


def moved(unit: AccessUnit, by_90k: int, epoch: int = 1) -> AccessUnit:
    dts_90k, pts_90k = unit.dts_90k + by_90k, unit.pts_90k + by_90k
    return dataclasses.replace(unit, dts_90k=dts_90k, pts_90k=pts_90k, epoch=epoch)


def inside(data: bytes, *path: bytes) -> bytes:
    """The content of the first box of each kind, one in the other."""
    for kind in path:
        data = next(content for name, content in children(data) if name == kind)
    return data


def durations(fragment: bytes) -> list[int]:
    run = inside(fragment, b"moof", b"traf", b"trun")[12:]
    return [int.from_bytes(run[at : at + 4], "big") for at in range(0, len(run), 16)]


def decode_times(parts: Sequence[bytes]) -> list[int]:
    found = []
    for part in parts:
        for kind, content in children(part):
            if kind == b"moof":
                found.append(int.from_bytes(inside(content, b"traf", b"tfdt")[4:], "big"))
    return found


@pytest.mark.parametrize(
    "encoder", ["h264 with B-frames", "h264 interlaced", "h264 4:4:4", "h265 with B-frames, slices"]
)
def test_the_very_pictures_come_back(clips: Clips, tmp_path: Path, encoder: str) -> None:
    units = filmed(clips.make(encoder, "mp4"))
    path = tmp_path / "fritz-tag.0001.mp4"
    path.write_bytes(segment(units))
    assert list(pictures(path, "fritz-tag")) == as_read_back(units)
    index = read_index(path)
    assert (index.feed_id, index.width_px, index.height_px) == ("fritz-tag", 322, 184)
    assert (index.closed, index.whole_bytes) == (True, path.stat().st_size)


@pytest.mark.parametrize(
    ("encoder", "codecs"),
    [
        ("h264 baseline", "avc1.42c00d"),
        ("h264 4:2:2 10 bit", "avc1.7a000d"),
        ("h265 with B-frames, slices", "hvc1.1.6.L60.90"),
    ],
)
def test_the_header_announces_the_video(clips: Clips, tmp_path: Path, encoder: str, codecs: str) -> None:
    units = filmed(clips.make(encoder, "mp4"))
    path = tmp_path / "a.mp4"
    path.write_bytes(data := segment(units))
    assert read_index(path).mime == f'video/mp4; codecs="{codecs}"'
    entry = inside(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")[8:]
    (_, content), *_ = children(entry)
    ((kind, record),) = children(content[78:])
    parsed = (AvcConfig if kind == b"avcC" else HevcConfig).parse(record)
    first = split_nal_units(units[0].data)
    assert parsed.length_size == 4
    assert parsed.parameter_sets == tuple(first[: len(parsed.parameter_sets)])
    if encoder == "h264 4:2:2 10 bit":
        assert record[-4:] == bytes((0xFC | 2, 0xF8 | 2, 0xF8 | 2, 0))


def test_a_fragment_ends_at_keyframes_and_after_half_a_second(tmp_path: Path) -> None:
    units = flown(100, group=40)
    path = tmp_path / "a.mp4"
    path.write_bytes(segment(units))
    fragments = read_index(path).fragments
    assert [f.pictures for f in fragments] == [15, 15, 10, 15, 15, 10, 15, 5]
    assert [f.keyframe for f in fragments] == [True, False, False, True, False, False, True, False]
    assert [f.dts_90k for f in fragments] == [units[n].dts_90k for n in (0, 15, 30, 40, 55, 70, 80, 95)]
    assert fragments[0].end_90k == fragments[1].dts_90k
    assert fragments[0].utc_ns == units[0].utc_ns


def test_what_is_held_back_is_half_a_second_and_a_picture() -> None:
    units, handed_out = flown(100, group=100), 0
    machine = SegmentMachine(units[0])
    for taken, unit in enumerate(units[1:], 2):
        if machine.take(unit):
            handed_out = taken - 1  # all but the newest
        assert taken - handed_out <= 16


def test_a_picture_is_as_long_as_to_the_next_and_a_gap_is_none() -> None:
    units = flown(6, group=6)
    uneven = [moved(unit, 700 * (number % 2)) for number, unit in enumerate(units)]
    assert durations(pieces(uneven)[0]) == [3700, 2300, 3700, 2300, 3700, 3700]
    gap = [*units[:3], *(moved(unit, 10 * 90_000) for unit in units[3:])]
    parts = pieces(gap)
    assert durations(parts[0]) == [3000] * 3
    assert decode_times(parts) == [0, 3 * 3000 + 10 * 90_000]
    begun_anew = [*units[:3], *(moved(unit, 6000, epoch=2) for unit in units[3:])]
    assert durations(pieces(begun_anew)[0]) == [3000, 3000, 3000, 3000, 3000, 3000]


def test_a_slow_camera_has_no_gaps() -> None:
    slow = [moved(unit, number * 180_000) for number, unit in enumerate(flown(5, group=5))]
    lengths = [length for part in pieces(slow)[:4] for length in durations(part)]
    assert lengths[1:] == [183_000] * 3


def test_flush_hands_out_the_newest_picture_and_goes_on() -> None:
    units = flown(4, group=4)
    machine = SegmentMachine(units[0])
    machine.take(units[1])
    assert durations(machine.flush()) == [3000, 3000]
    assert machine.flush() == b""
    assert machine.take(units[2]) == b""
    machine.take(units[3])
    end = machine.close()
    assert decode_times([end]) == [6000]
    assert b"mfra" in end


def test_large_pictures_end_a_fragment(tmp_path: Path) -> None:
    large = [
        dataclasses.replace(
            unit, data=unit.data + b"\0\0\0\1\x0c" + b"\x55" * (8 * 1024 * 1024 - len(unit.data) - 5)
        )
        for unit in flown(3, group=3)
    ]
    path = tmp_path / "a.mp4"
    path.write_bytes(segment(large))
    assert [f.pictures for f in read_index(path).fragments] == [1, 1, 1]
    assert read_index(path).fragments[0].size > FRAGMENT_BYTES
    assert [unit.data for unit in pictures(path, "a")] == [unit.data for unit in as_read_back(large)]


def test_what_does_not_fit() -> None:
    units = flown(31)
    machine = SegmentMachine(units[0])
    other = as_units(h264_pictures(1, 320, 240), "fritz-tag")[0]
    assert machine.fits(units[1])
    assert machine.fits(moved(units[30], SEGMENT_90K - 100_000, epoch=9))
    assert not machine.fits(moved(units[30], SEGMENT_90K))  # long enough
    assert machine.fits(moved(units[29], SEGMENT_90K))  # but another cannot begin without a keyframe
    assert not machine.fits(moved(other, 9000))  # another size
    assert not machine.fits(units[0])
    with pytest.raises(ValueError, match="does not come after"):
        machine.take(units[0])


def test_other_picture_parameters_fit(tmp_path: Path) -> None:
    """They are in the samples; an encoder that changes them ever again must not begin a segment each time."""
    units = flown(31)
    nals = split_nal_units(units[30].data)
    changed = dataclasses.replace(units[30], data=join_nal_units([*nals[:1], nals[1] + b"\x80", *nals[2:]]))
    path = tmp_path / "a.mp4"
    path.write_bytes(segment([*units[:30], changed]))
    assert list(pictures(path, "fritz-tag"))[-1].data == changed.data


def test_no_segment_begins_without_parameter_sets() -> None:
    units = flown(2)
    for nals in ([b"\x65\x88"], split_nal_units(units[0].data)[:1], [b"\x67\x64"], []):
        with pytest.raises(MalformedError):
            SegmentMachine(dataclasses.replace(units[0], data=join_nal_units(nals)))
