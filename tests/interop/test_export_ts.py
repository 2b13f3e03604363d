"""A stretch of a flight as MPEG-TS with KLV, read by programs that are not ours, and by our own reader."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flow.clock import NS_PER_S
from flow.codec.mpegts import TsDemuxer
from flow.codec.st0601 import decode_st0601
from flow.errors import MalformedError, NotFoundError
from flow.samples import TelemetrySample
from flow.units import CLOCK_RATE_HZ, AccessUnit, UtcOrigin
from recordings.export.order import Region
from recordings.export.ts import TsMade, make_ts
from recordings.folders import SAMPLES_FILE
from recordings.protocol.lines import line_of
from telemetry.protocol.earth import Plane
from tests.fakes.clock import START_NS
from tests.fakes.export_source import export_source
from tests.fakes.klv_sets import read_by_klvdata
from tests.fakes.past_flight import LAT, LON, SPEED_MS, flown
from tests.unit.recordings import segments
from tests.unit.recordings.flights import encode_film
from tests.unit.recordings.flown import filmed, filmed_in_h265, flight, later

from .test_ts_out import sets_of


def flight_of(root: Path, units: Sequence[AccessUnit], samples: Sequence[TelemetrySample]) -> Path:
    folder = flight(root, {"tag": units})
    (folder / SAMPLES_FILE).write_bytes(b"".join(map(line_of, samples)))
    return folder


def made(folder: Path, path: Path, from_s: float = 0.0, to_s: float = 3600.0) -> TsMade:
    told: list[float] = []
    result = make_ts(export_source(folder, from_s, to_s), "tag", path, told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    return result


def probed(path: Path) -> tuple[dict[str, Any], list[int], str]:
    """The video as ffprobe shows it, the pts of its pictures, and what ffmpeg says when it decodes all."""
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-show_streams", "-show_packets", "-of", "json", path],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    told = json.loads(shown.stdout)
    decoded = subprocess.run(
        ["ffmpeg", "-v", "warning", "-progress", "-", "-i", path, "-map", "0:v", "-f", "null", "-"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    video = told["streams"][0]
    frames = decoded.stdout.decode().rpartition("frame=")[2].split()[0]
    times = [packet["pts"] for packet in told["packets"] if packet["stream_index"] == video["index"]]
    assert int(frames) == len(times)
    return video, times, decoded.stderr.decode()


def video_times(stream: bytes) -> list[int]:
    demuxer = TsDemuxer()
    packets = demuxer.push(stream) + demuxer.flush()
    assert (demuxer.continuity_errors, demuxer.bad_pes, demuxer.discarded_bytes) == (0, 0, 0)
    return [p.pts_90k for p in packets if p.stream_type in (0x1B, 0x24) and p.pts_90k is not None]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_every_picture_is_there_with_the_set_of_its_instant(codec: str, tmp_path: Path) -> None:
    """Also across a gap of seven seconds, and over two segments."""
    of_one = filmed("tag", 2.0) if codec == "h264" else filmed_in_h265(tmp_path, "tag")
    units = [*of_one, *later(of_one, 9 * NS_PER_S)]
    folder = flight_of(tmp_path, units, flown(12.0))
    path = tmp_path / "tag.ts"
    told = made(folder, path)
    assert (told.pictures, told.sets) == (len(units), len(units))
    video, times, complaints = probed(path)
    assert (video["codec_name"], len(times)) == (codec, len(units))
    assert "corrupt" not in complaints
    zero = units[0].pts_90k
    assert times == [unit.pts_90k - zero + CLOCK_RATE_HZ for unit in units]
    stream = path.read_bytes()
    sets = sets_of(stream)
    assert [pts for pts, _ in sets] == video_times(stream) == times
    plane = Plane(LAT, LON)
    for unit, (_, each) in zip(units, sets, strict=True):
        assert each.utc_us == unit.utc_ns // 1000
        flown_m = SPEED_MS * (unit.utc_ns - START_NS) / NS_PER_S
        assert each.sensor_lat_deg == pytest.approx(plane.place(0.0, flown_m)[0], abs=2e-7)


def test_klvdata_reads_the_sets_of_an_export(tmp_path: Path) -> None:
    folder = flight_of(tmp_path, filmed("tag", 1.0), flown(2.0))
    path, data = tmp_path / "tag.ts", tmp_path / "tag.klv"
    made(folder, path)
    copied = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:d", "-c", "copy", "-f", "data", str(data)]
    subprocess.run(copied, check=True, timeout=60)
    read = read_by_klvdata([data.read_bytes()])
    assert len(read) == 30
    assert [each[3] for each in read] == ["Einsatz 4711"] * 30
    assert [each[13] for each in read] == pytest.approx(
        [Plane(LAT, LON).place(0.0, SPEED_MS * n / 30)[0] for n in range(30)], abs=2e-7
    )


def test_a_stretch_begins_with_a_keyframe_and_ends_where_it_should(tmp_path: Path) -> None:
    units = filmed("tag", 4.0)
    folder = flight_of(tmp_path, units, flown(5.0))
    told = made(folder, tmp_path / "tag.ts", 1.7, 2.9)
    inside = [unit for unit in units if 1.5 <= (unit.utc_ns - START_NS) / NS_PER_S < 2.9]
    assert (told.pictures, told.from_ns, told.to_ns) == (len(inside), inside[0].utc_ns, inside[-1].utc_ns)
    assert inside[0].keyframe
    assert len(probed(tmp_path / "tag.ts")[1]) == len(inside)


def test_among_b_frames_nothing_is_lost_that_others_are_coded_from(tmp_path: Path) -> None:
    film = encode_film(tmp_path / "film.mp4", b_frames=2, count=50)
    units = [replace(unit, utc_origin=UtcOrigin.SOURCE) for unit in segments.filmed(film, "tag")]
    assert any(a.pts_90k > b.pts_90k for a, b in pairwise(units))
    folder = flight_of(tmp_path, units, flown(5.0))
    told = made(folder, tmp_path / "tag.ts", 0.0, 1.1)
    shown = [unit for unit in units if unit.utc_ns < START_NS + round(1.1 * NS_PER_S)]
    assert told.pictures >= len(shown)
    _, times, complaints = probed(tmp_path / "tag.ts")
    assert complaints == ""
    zero = units[0].dts_90k - CLOCK_RATE_HZ
    assert {unit.pts_90k - zero for unit in shown} <= set(times)


def test_without_telemetry_there_are_pictures_and_no_sets(tmp_path: Path) -> None:
    folder = flight_of(tmp_path, filmed("tag", 1.0), [])
    told = made(folder, tmp_path / "tag.ts")
    assert (told.pictures, told.sets) == (30, 0)
    assert len(probed(tmp_path / "tag.ts")[1]) == 30


def test_telemetry_that_ends_is_not_gone_on_with(tmp_path: Path) -> None:
    folder = flight_of(tmp_path, filmed("tag", 6.0), flown(2.0))
    made(folder, tmp_path / "tag.ts")
    sets = sets_of((tmp_path / "tag.ts").read_bytes())
    last_us = max(each.utc_us or 0 for _, each in sets)
    assert last_us - START_NS // 1000 == pytest.approx(3_900_000, abs=40_000)  # two seconds after the last


def test_a_picture_that_came_over_the_air_is_of_the_moment_before(tmp_path: Path) -> None:
    folder = flight_of(tmp_path, filmed("tag", 1.0), flown(2.0, start_ns=START_NS - NS_PER_S))
    path = folder / "flight.json"
    path.write_bytes(path.read_bytes().replace(b'"air_link_ms": 0.0', b'"air_link_ms": 300.0'))
    made(folder, tmp_path / "tag.ts")
    sets = sets_of((tmp_path / "tag.ts").read_bytes())
    assert sets[0][1].utc_us == (START_NS - 300_000_000) // 1000


def test_nothing_of_the_stretch_and_what_must_not_be_seen(tmp_path: Path) -> None:
    folder = flight_of(tmp_path, filmed("tag", 1.0), flown(2.0))
    path = tmp_path / "tag.ts"
    with pytest.raises(NotFoundError) as refused:
        make_ts(export_source(folder, 100.0, 200.0), "tag", path, lambda share: None)
    assert refused.value.code == "no_pictures"
    hidden = export_source(folder, regions={"tag": (Region(0.1, 0.1, 0.2, 0.2),)})
    with pytest.raises(MalformedError, match="regions"):
        make_ts(hidden, "tag", path, lambda share: None)
    assert not path.exists()


@pytest.mark.parametrize(
    "film", ["derived/seashore_hevc_720p_nobf.ts", "derived/seashore_h264_720p30_live.mp4"]
)
def test_a_real_feed_goes_out_whole(film: str, feeds: Path, tmp_path: Path) -> None:
    units = segments.filmed(feeds / film, "tag")[:60]
    folder = flight_of(tmp_path, units, flown(10.0))
    told = made(folder, tmp_path / "tag.ts")
    assert told.pictures == told.sets == len(units)
    _, times, _ = probed(tmp_path / "tag.ts")
    assert sorted(times) == sorted(unit.pts_90k - units[0].dts_90k + CLOCK_RATE_HZ for unit in units)
    decode_st0601(export_source(folder).past.klv("tag", START_NS + NS_PER_S) or b"")
