"""Clips: every picture of the stretch, at its time, and as it was recorded wherever that can be."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.errors import LagebildError, NotFoundError
from flow.units import AccessUnit
from recordings.export.clip import make_clip
from recordings.export.order import Region
from tests.fakes.clock import START_NS

from .clips import (
    FEED,
    HEIGHT,
    PICTURE_NS,
    WIDTH,
    clip,
    complaints,
    length_prefixed,
    probed,
    samples_of,
    seen,
    source_of,
    stamped,
)
from .flown import flight, later

COUNT = 50
STREAMS = {
    "h264": ("libx264", "bframes=0"),
    "h264 B": ("libx264", "bframes=3:b-adapt=0"),
    "h264 open": ("libx264", "bframes=3:b-adapt=0:open-gop=1"),
    "h264 intra refresh": ("libx264", "bframes=0:intra-refresh=1"),
    "h265": ("libx265", "bframes=0"),
    "h265 B, open": ("libx265", "bframes=3:b-adapt=0"),
}
STRETCHES = [(0, 99), (10, 30), (13, 37), (13, 16), (-9, 21)]
COPIED = {
    "h264": [50, 20, 17, 0, 21],
    "h264 B": [50, 20, 10, 0, 21],
    "h264 open": [50, 0, 0, 0, 21],
    "h264 intra refresh": [50, 0, 0, 0, 21],
    "h265": [50, 20, 17, 0, 21],
    "h265 B, open": [50, 9, 9, 0, 21],
}
"""How many are copied: in open groups, what is shown before a keyframe refers to the group before."""


def shown(path: Path) -> list[tuple[float, int | None]]:
    """(time in the film in ms, time that is written in the picture in ms) of every picture."""
    return [(round(each.pts_s * 1000, 3), each.stamp_ms) for each in seen(path)]


def expected(first: int, end: int) -> list[tuple[float, int | None]]:
    numbers = range(max(0, first), min(end, COUNT))
    return [(40.0 * (n - numbers[0]), (START_NS + n * PICTURE_NS) // 1_000_000) for n in numbers]


@pytest.mark.parametrize("stream", STREAMS)
def test_every_picture_is_there_at_its_time(stream: str, tmp_path: Path) -> None:
    codec, more = STREAMS[stream]
    units = stamped(codec, more=more)
    folder, copied = flight(tmp_path, {FEED: units}), []
    recorded = {length_prefixed(unit) for unit in units}
    for number, (first, end) in enumerate(STRETCHES):
        path = tmp_path / f"{number}.mp4"
        made = clip(folder, path, first, end)
        assert shown(path) == expected(first, end)
        assert (made.pictures, made.copied + made.encoded) == (len(expected(first, end)),) * 2
        assert sum(sample in recorded for sample in samples_of(path)) == made.copied
        copied.append(made.copied)
    assert copied == COPIED[stream]
    assert complaints(tmp_path / "2.mp4") == ""  # with both edges


def test_what_it_tells_of_itself(tmp_path: Path) -> None:
    folder = flight(tmp_path, {FEED: stamped()})
    made = clip(folder, tmp_path / "a.mp4", 9.5, 30.5)  # a picture is in it if it was taken in the stretch
    assert (made.from_ns, made.to_ns) == (START_NS + 10 * PICTURE_NS, START_NS + 31 * PICTURE_NS)
    told = probed(tmp_path / "a.mp4")
    stream = told["streams"][0]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", WIDTH, HEIGHT)
    assert stream["tags"]["creation_time"].startswith("2026-11-22T06:46:40")
    assert float(told["format"]["duration"]) == pytest.approx(21 / 25, abs=1e-3)
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it is being fetched


def test_a_gap_is_as_long_as_it_was(tmp_path: Path) -> None:
    units = stamped()
    folder = flight(tmp_path, {FEED: [*units[:20], *later(units[20:], 3600 * NS_PER_S)]})
    made = clip(folder, tmp_path / "a.mp4", 15, 100_000)
    times = [at for at, _ in shown(tmp_path / "a.mp4")]
    gaps = [round(b - a) for a, b in pairwise(times)]
    assert gaps == [40] * 4 + [3_600_040] + [40] * 29
    assert (made.copied, made.encoded) == (30, 5)


def test_other_sizes_and_segments(tmp_path: Path) -> None:
    large = [replace(unit, epoch=1) for unit in later(stamped(width=640), 2 * NS_PER_S)]
    folder = flight(tmp_path, {FEED: [*stamped(), *large]})
    made = clip(folder, tmp_path / "a.mp4", 12, 90)
    sizes = [(each.frame.width, each.frame.height) for each in seen(tmp_path / "a.mp4")]
    assert sizes == [(320, 180)] * 38 + [(640, 360)] * 40
    assert made.copied == 70
    assert {frame["width"] for frame in probed(tmp_path / "a.mp4")["frames"]} == {640, 320}


def test_another_codec_in_mid_flight(tmp_path: Path) -> None:
    folder = flight(tmp_path, {FEED: [*stamped(), *later(stamped("libx265"), 2 * NS_PER_S)]})
    made = clip(folder, tmp_path / "a.mp4", 40, 60)
    assert (made.copied, made.encoded) == (0, 20)
    assert [at for at, _ in shown(tmp_path / "a.mp4")] == [40.0 * n for n in range(20)]
    assert complaints(tmp_path / "a.mp4") == ""


def test_one_keyframe_only(tmp_path: Path) -> None:
    folder = flight(tmp_path, {FEED: stamped(group=1000)})
    made = clip(folder, tmp_path / "a.mp4", 20, 40)
    assert (made.copied, made.encoded) == (0, 20)
    assert shown(tmp_path / "a.mp4") == expected(20, 40)


def test_no_picture_in_the_stretch(tmp_path: Path) -> None:
    units = stamped()
    folder = flight(tmp_path, {FEED: [*units[:10], *later(units[10:], 60 * NS_PER_S)], "fritz-ir": []})
    with pytest.raises(NotFoundError, match="no picture between these times") as told:
        clip(folder, tmp_path / "a.mp4", 100, 1000)
    assert told.value.code == "no_pictures"
    with pytest.raises(LagebildError):
        make_clip(source_of(folder, 0, 1 << 62), "fritz-ir", tmp_path / "a.mp4", lambda share: None)
    assert not (tmp_path / "a.mp4").exists()


def test_a_damaged_fragment_costs_its_pictures(tmp_path: Path) -> None:
    folder = flight(tmp_path, {FEED: stamped()})
    segment = folder / f"{FEED}.0001.mp4"
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    made = clip(folder, tmp_path / "a.mp4", 0, 50)
    assert 0 < made.pictures < COUNT
    assert set(shown(tmp_path / "a.mp4")) <= set(expected(0, 50))


def test_a_clock_that_was_set_back_while_nobody_served(tmp_path: Path) -> None:
    units = stamped()
    back = [replace(unit, utc_ns=unit.utc_ns - PICTURE_NS) for unit in later(units, NS_PER_S)]
    folder = flight(tmp_path, {FEED: units})
    second = flight(tmp_path / "other", {FEED: back})
    (second / f"{FEED}.0001.mp4").rename(folder / f"{FEED}.0002.mp4")
    clip(folder, tmp_path / "a.mp4", -10, 200)
    times = [at for at, _ in shown(tmp_path / "a.mp4")]
    assert len(times) == 2 * COUNT
    assert all(a < b for a, b in pairwise(times))


def test_progress_and_memory(tmp_path: Path) -> None:
    """Of a long clip no more is held than a fragment and the tables."""
    units: list[AccessUnit] = []
    padding = b"\0\0\0\1\x0c" + b"\xff" * 60_000  # filler data (H.264 7.3.2.7): pictures as large as in 4K
    for number in range(8):
        units += [replace(u, data=u.data + padding) for u in later(stamped(), number * COUNT * PICTURE_NS)]
    folder = flight(tmp_path, {FEED: units})
    told: list[float] = []
    tracemalloc.start()
    made = make_clip(source_of(folder, START_NS, 1 << 62), FEED, tmp_path / "a.mp4", told.append)
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.copied == 400
    assert (tmp_path / "a.mp4").stat().st_size > 24_000_000
    assert most_bytes < 6_000_000
    assert told == sorted(told)
    assert (told[-1], len(told) > 100) == (1.0, True)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    folder = flight(tmp_path, {FEED: stamped()})
    (tmp_path / "a.mp4").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        clip(folder, tmp_path / "a.mp4", 0, 50)
    assert not (tmp_path / "a.mp4").exists()


def test_regions_are_made_unrecognisable(tmp_path: Path) -> None:
    folder = flight(tmp_path, {FEED: stamped()})
    made = clip(folder, tmp_path / "a.mp4", 0, 20, regions=[Region(0.0, 0.9, 1.0, 0.1)])
    assert (made.copied, made.encoded) == (0, 20)
    assert [stamp for _, stamp in shown(tmp_path / "a.mp4")] == [None] * 20  # hidden in every picture
    clip(folder, tmp_path / "b.mp4", 0, 20, regions=[Region(0.0, 0.0, 0.3, 0.5)])
    assert shown(tmp_path / "b.mp4") == expected(0, 20)  # and all else is as it was
