"""Files are read lazily, and what is wrong with one is said in one line."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy
import pytest

from flow.codec.annexb import split_nal_units
from flow.codec.nal import H264
from flow.codec.tlog import write_record
from flow.errors import ConfigError
from flow.units import Codec
from recordings.footage import open_telemetry, open_video
from recordings.protocol.timing import NS_PER_S
from tests.unit.recordings.flights import Aircraft, encode_film

FPS = Fraction(25)
Film = Callable[..., Path]


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """Makes a short film of the given name."""
    return lambda name, **how: encode_film(tmp_path / name, **how)


def kinds(data: bytes) -> list[int]:
    return [H264.type_of(nal) for nal in split_nal_units(data)]


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.h264"])
def test_pictures_of_each_container(film: Film, name: str) -> None:
    footage = open_video(film(name), FPS)
    pictures = list(footage.pictures())
    assert footage.codec is Codec.H264
    assert len(pictures) == 30
    assert list(footage.pictures()) == pictures
    for picture in pictures[::10]:
        assert [kind for kind in kinds(picture.data) if kind in (5, 7, 8)] == [7, 8, 5]
    steps = {b.dts_ns - a.dts_ns for a, b in pairwise(pictures)}
    assert all(step == pytest.approx(NS_PER_S / 25, abs=20_000) for step in steps)
    assert all(picture.duration_ns == pytest.approx(NS_PER_S / 25, abs=20_000) for picture in pictures)


def test_a_raw_stream_has_the_rate_that_it_is_given(film: Film) -> None:
    pictures = list(open_video(film("a.h264"), Fraction(30000, 1001)).pictures())
    assert pictures[-1].dts_ns == int(29 * 1001 * NS_PER_S / 30000)


def test_decode_order_and_display_times_of_b_frames(film: Film) -> None:
    pictures = list(open_video(film("a.mp4", b_frames=2), FPS).pictures())
    shown = [picture.pts_ns for picture in pictures]
    assert shown != sorted(shown)
    decoded = [picture.dts_ns for picture in pictures]
    assert decoded == sorted(decoded)


def test_a_container_that_breaks_off_ends_there(film: Film) -> None:
    path = film("a.ts")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1 < len(list(open_video(path, FPS).pictures())) < 30


def test_a_damaged_sample_is_a_picture_less(film: Film, caplog: pytest.LogCaptureFixture) -> None:
    path = film("a.mp4")
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    assert places[5] is not None
    content[places[5]] = 0x7F  # a NAL unit of 2 GB
    path.write_bytes(content)
    assert len(list(open_video(path, FPS).pictures())) == 29
    assert caplog.messages == [f"{path}: 1 damaged pictures left out"]


def test_what_is_wrong_with_a_video(film: Film, tmp_path: Path) -> None:
    def message(path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            open_video(path, FPS)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    text = tmp_path / "text.mp4"
    text.write_text("this is no video")
    empty = tmp_path / "empty.h264"
    empty.touch()
    assert "No such file" in message(tmp_path / "missing.mp4")
    assert "no video in it" in message(text)
    assert "no picture in it" in message(empty)
    assert "Is a directory" in message(tmp_path)
    assert "its video is mpeg4; only h264 and hevc" in message(film("a.mp4", codec="mpeg4"))


def test_a_file_with_sound_only_has_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(numpy.zeros((1, 800), numpy.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(ConfigError, match="no video in it"):
        open_video(path, FPS)


def test_a_tlog_is_told_from_a_raw_stream_by_what_is_in_it(tmp_path: Path) -> None:
    aircraft = Aircraft()
    first, second = aircraft.attitude(60_000), aircraft.attitude(60_100)
    tlog, raw = tmp_path / "a.bin", tmp_path / "b.bin"
    tlog.write_bytes(write_record(10**15, first) + write_record(10**15 + 5, second))
    raw.write_bytes(first + second)
    assert list(open_telemetry(tlog)()) == [(10**15, first), (10**15 + 5, second)]
    assert list(open_telemetry(raw)()) == [(60_000_000, first), (60_100_000, second)]


def test_a_tlog_may_begin_with_junk(tmp_path: Path) -> None:
    tlog = tmp_path / "a.tlog"
    message = Aircraft().attitude(60_000)
    tlog.write_bytes(b"cut off" + write_record(10**15, message))
    assert list(open_telemetry(tlog)()) == [(10**15, message)]


@pytest.mark.parametrize("content", [b"", b"GPS,1,2,3\n" * 100, bytes(5000)])
def test_what_is_no_telemetry(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.tlog"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="no telemetry in it"):
        open_telemetry(path)
    with pytest.raises(ConfigError, match="No such file"):
        open_telemetry(tmp_path / "missing.tlog")


@pytest.mark.parametrize(
    "content",
    [
        b"1\r\n00:00:00,000 --> 00:00:01,000\r\nGPS(7.7,49.4,15)\r\n",
        b"\0\0\0\x14ftypmp41\0\0\0\0mp41" + bytes(600),
    ],
)
def test_what_a_film_says_is_played_otherwise(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "DJI_0007.SRT"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match='telemetry = "feed:FEED"'):
        open_telemetry(path)
