"""Segment files that were cut off, damaged, made up, or are still being written."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow.errors import MalformedError
from flow.units import AccessUnit
from recordings.protocol.segment_index import SegmentIndex
from recordings.segment_file import pictures, read_index, repair
from tests.fakes.clips import Clips
from tests.fakes.encoded import as_units, h264_pictures
from tests.unit.recordings.segments import as_read_back, filmed, pieces, segment

UNITS = as_units(h264_pictures(60, 160, 120, 20), "fritz-tag")
PIECES = pieces(UNITS)
WHOLE = b"".join(PIECES)
REAL = [
    "derived/seashore_h264_720p30_live.mp4",
    "derived/seashore_hevc_720p_nobf.ts",
    "video/aerial_karma_h264_480p_gpmf.mp4",
    "video/aerial_seashore_h264_720p.ts",
    "video/aerial_skatepark_h264_portrait720x1280.ts",
    "video/fmv_aphill_h264_480i_klv0104.ts",
    "video/kwiver_h264_yuv444_klv0601.ts",
    "video/kwiver_h264_noklv.ts",
    "video/kwiver_h265_gbrp_klv0601.ts",
    "video/street_h265_1376x1840.mp4",
    "video/tello_indoor_h264_960x720.h264",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fritz-tag.0001.mp4"


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _seen() -> SegmentIndex:
    with TemporaryDirectory() as folder:
        return read_index(written(Path(folder) / "a.mp4", WHOLE))


SEEN = _seen()
ENDS = [fragment.offset + fragment.size for fragment in SEEN.fragments]


def shown(path: Path) -> list[float]:
    """The times of the pictures that libav decodes."""
    with av.open(str(path)) as container:
        return [frame.time or 0.0 for frame in container.decode(video=0)]


@pytest.mark.feeds
@pytest.mark.parametrize("name", REAL)
def test_real_pictures_come_back_and_libav_reads_their_times(feeds: Path, path: Path, name: str) -> None:
    units = filmed(feeds / name, fps=30)
    written(path, segment(units))
    same = [a == b for a, b in zip(pictures(path, "fritz-tag"), as_read_back(units), strict=True)]
    assert all(same)
    with av.open(str(path)) as container:
        times = sorted(packet.pts or 0 for packet in container.demux(video=0) if packet.size)
    assert times == sorted(unit.pts_90k - units[0].pts_90k for unit in units)
    assert repair(path) == 0


@pytest.mark.parametrize("encoder", ["h264 with B-frames", "h264 intra refresh", "h264 interlaced"])
def test_ffmpeg_decodes_every_picture(tmp_path: Path, path: Path, encoder: str) -> None:
    written(path, segment(filmed(Clips(tmp_path).make(encoder, "mp4"))))
    times = shown(path)
    assert times == pytest.approx([number / 25 for number in range(50)], abs=1e-4)
    complaints = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "warning", "-i", str(path), "-f", "null", "-"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert complaints.stderr == b""


@settings(
    derandomize=True,
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cut=st.integers(0, len(WHOLE) - 1))
def test_cut_off_anywhere_whole_fragments_survive(path: Path, cut: int) -> None:
    path.unlink(missing_ok=True)
    written(path, WHOLE[:cut])
    survivors = sum(end <= cut for end in ENDS)
    if cut < SEEN.init_bytes:
        with pytest.raises(MalformedError):
            repair(path)
        return
    kept = UNITS[: sum(f.pictures for f in SEEN.fragments[:survivors])]
    assert list(pictures(path, "fritz-tag")) == as_read_back(kept)
    assert repair(path) == cut - (ENDS[survivors - 1] if survivors else SEEN.init_bytes)
    index = read_index(path)
    assert index.closed
    assert index.fragments == SEEN.fragments[:survivors]
    assert index.whole_bytes == path.stat().st_size
    assert repair(path) == 0
    if survivors:
        assert len(shown(path)) == len(kept)


def test_a_repaired_segment_is_the_one_that_would_have_been_closed(path: Path) -> None:
    written(path, WHOLE[: ENDS[-1] + 5])
    assert repair(path) == 5
    assert path.read_bytes() == WHOLE


def test_zeros_and_flipped_bits_at_the_end_are_cut(path: Path) -> None:
    last = SEEN.fragments[-1]
    zeros = bytearray(WHOLE[: ENDS[-1]])
    zeros[-100:] = bytes(100)
    written(path, bytes(zeros))
    assert repair(path) == last.size
    random = Random(1)
    for _ in range(12):
        flipped = bytearray(WHOLE[: ENDS[-1]])
        flipped[random.randrange(last.offset, len(flipped))] ^= 1 << random.randrange(8)
        written(path, bytes(flipped))
        assert repair(path) == last.size
        assert read_index(path).fragments == SEEN.fragments[:-1]


def test_a_damaged_fragment_in_the_middle_is_left_out(path: Path) -> None:
    damaged = bytearray(WHOLE)
    damaged[ENDS[1] - 1] ^= 1
    seqs = [unit.seq for unit in pictures(written(path, bytes(damaged)), "fritz-tag")]
    lost = range(SEEN.fragments[0].pictures, SEEN.fragments[0].pictures + SEEN.fragments[1].pictures)
    assert seqs == [unit.seq for unit in UNITS if unit.seq not in lost]


def test_a_growing_file_is_read_on_from_what_is_known(path: Path) -> None:
    known, at = read_index(written(path, PIECES[0])), len(PIECES[0])
    assert (len(known.fragments), known.closed) == (1, False)
    for number, piece in enumerate(PIECES[1:-1], 2):
        for part in (piece[:50], piece[50:]):
            with path.open("ab") as file:
                file.write(part)
            known = read_index(path, known)
        at += len(piece)
        assert (len(known.fragments), known.whole_bytes) == (number, at)
    with path.open("ab") as file:
        file.write(PIECES[-1])
    assert read_index(path, known) == SEEN
    assert read_index(written(path, PIECES[0]), SEEN).fragments == SEEN.fragments[:1]  # shrunk meanwhile


def test_pictures_from_the_keyframe_before(path: Path) -> None:
    written(path, WHOLE)
    for wanted, first in ((0, 0), (19, 0), (20, 20), (39, 20), (59, 40)):
        assert next(pictures(path, "other", UNITS[wanted].dts_90k)).seq == first
    assert next(pictures(path, "other", 0)).seq == 0
    assert next(pictures(path, "other")).feed_id == "other"


def test_libav_seeks_by_the_seek_index(path: Path) -> None:
    with av.open(str(written(path, WHOLE))) as container:
        for second, keyframe in ((1.9, 40), (0.1, 0), (1.0, 20)):
            container.seek(round(second * av.time_base))
            frame = next(container.decode(video=0))
            assert frame.time == pytest.approx(keyframe / 30, abs=1e-4)


def hostile() -> dict[str, bytes]:
    init, first = WHOLE[: SEEN.init_bytes], PIECES[0][SEEN.init_bytes :]
    endless = b"\0\0\0\0" + first[4:]
    tiny = b"\0\0\0\1" + first[4:8] + (1).to_bytes(8, "big") + first[8:]
    huge = b"\0\0\0\1" + first[4:8] + (1 << 63).to_bytes(8, "big") + first[8:]
    return {"endless": init + endless, "tiny": init + tiny, "huge": init + huge}


def test_boxes_of_impossible_sizes_end_a_segment(path: Path) -> None:
    for data in hostile().values():
        index = read_index(written(path, data))
        assert (index.fragments, index.whole_bytes) == ((), SEEN.init_bytes)
        assert list(pictures(path, "fritz-tag")) == []


def test_what_is_no_segment_is_told(tmp_path: Path, path: Path) -> None:
    film = Clips(tmp_path).make("h264 baseline", "mp4")
    nested = b"\0\0\0\x08moov" * 1000
    flipped = bytearray(WHOLE)
    flipped[SEEN.init_bytes // 2] ^= 1
    foreign = [
        film.read_bytes(),
        b"",
        bytes(5000),
        b"\0\0\0\x08ftyp" + nested,
        b"\0\0\0\0ftyp",
        bytes(flipped),
    ]
    foreign += [b"\0\0\0\x01ftyp" + b"\xff" * 8, Random(2).randbytes(5000), WHOLE[: SEEN.init_bytes - 1]]
    for data in foreign:
        written(path, data)
        with pytest.raises(MalformedError):
            read_index(path)
        with pytest.raises(MalformedError):
            repair(path)
        assert path.read_bytes() == data


def test_links_and_pipes_are_not_read(tmp_path: Path, path: Path) -> None:
    path.symlink_to(written(tmp_path / "other", WHOLE))
    with pytest.raises(OSError, match="symbolic"):
        read_index(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((MalformedError, OSError)):
        read_index(tmp_path / "pipe")


def test_garbled_files_never_harm(path: Path) -> None:
    random = Random(3)
    for _ in range(60):
        data = bytearray(WHOLE)
        for _ in range(random.randrange(1, 6)):
            at = random.randrange(len(data))
            data[at : at + random.randrange(1, 8)] = random.randbytes(random.randrange(8))
        written(path, bytes(data))
        try:
            units: list[AccessUnit] = list(pictures(path, "fritz-tag"))
            repair(path)
        except MalformedError:
            continue
        assert {unit.seq: unit for unit in as_read_back(UNITS)}.items() >= {u.seq: u for u in units}.items()


def test_a_source_that_claims_a_first_picture_later_than_all_others(path: Path) -> None:
    units = UNITS
    first = dataclasses.replace(units[0], pts_90k=units[0].pts_90k + 900_000)
    data = segment([first, *units[1:]])
    index = read_index(written(path, data))
    assert index.closed
    assert repair(written(path, data[: index.fragments[-1].offset + 10])) == 10
