"""What files carry beside their pictures."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.container import InputContainer

from flow.errors import SourceError
from flow.samples import MetadataKind
from flow.units import Codec
from ingest import av_reader
from ingest.protocol.data_track import AHEAD_TICKS, DataTrack, Played, SubtitleTrack, in_time
from ingest.protocol.events import SourceEvent, SourceMetadata, SourcePicture
from ingest.protocol.reader_pipe import PREFIX, Begin, Beside, Message, Sample, decode, encode
from ingest.sources.file import play
from tests.fakes.clock import FakeClock
from tests.fakes.klv_sets import flight

from .klv_streams import FIRST_PTS, STEP, SYNCHRONOUS, cells, multiplex
from .material import coded, written


def read(path: Path, *, loop: bool = False) -> list[Message]:
    return list(av_reader.messages(str(path), None, loop))


def beside(told: list[Message]) -> list[Beside]:
    return [message for message in told if isinstance(message, Beside)]


def test_a_track_is_known_by_what_its_packets_begin_with() -> None:
    gpmf, klv, other = DataTrack(), DataTrack(), DataTrack()
    assert list(gpmf.take(5, b"DEVC\0\1")) == [Beside(MetadataKind.GPMF, 5, b"DEVC\0\1")]
    assert [unit.data for unit in klv.take(5, cells(flight(0)))] == [flight(0)]
    assert [unit.pts for unit in klv.take(7, flight(1) + flight(2))] == [7, 7]
    assert list(other.take(0, b"\0\x20\x0c\x14")) == []  # a time code
    assert list(other.take(1, b"DEVC\0\1")) == []
    assert list(DataTrack().take(0, b"DEVC" + bytes(70_000))) == []


def test_subtitles_are_their_text() -> None:
    counted, plain = SubtitleTrack(counted=True), SubtitleTrack(counted=False)
    assert [unit.data for unit in counted.take(1, b"\0\5Hallo\0\0\0\x0cstyl")] == [b"Hallo"]
    assert list(counted.take(1, b"\0\0")) == []
    assert list(plain.take(1, b"Hallo")) == [Beside(MetadataKind.DJI, 1, b"Hallo")]
    assert list(plain.take(1, b"")) == []


def test_what_belongs_to_a_picture_comes_just_before_it() -> None:
    pictures = [Sample(n * 3000, n * 3000, b"") for n in range(90)]
    late = [Beside(MetadataKind.GPMF, n * 90_000, b"") for n in range(3)]
    got = list(in_time(iter([*pictures[:30], late[0], *pictures[30:60], late[1], *pictures[60:], late[2]])))
    assert [each for each in got if isinstance(each, Sample)] == pictures
    for index, each in enumerate(got):
        if isinstance(each, Beside) and each.pts:
            after = got[index + 1]
            assert isinstance(after, Sample)
            assert 0 <= after.dts - each.pts <= 3000
    timeless = Beside(MetadataKind.KLV, None, b"")
    assert list(in_time(iter([*pictures[:3], timeless, *pictures[3:]])))[3] == timeless


def test_pictures_keep_their_order_whatever_their_times_do() -> None:
    order = (5, 3, 9, 1, 400_000, 2, 800_000, 4)
    pictures: list[Played] = [Sample(n, n, bytes([k])) for k, n in enumerate(order)]
    assert list(in_time(iter(pictures))) == pictures


def test_a_file_that_breaks_is_played_as_far_as_it_goes() -> None:
    pictures = [Sample(n * 3000, n * 3000, b"") for n in range(9)]

    def broken() -> Iterator[Played]:
        yield from pictures
        raise SourceError("broken")

    got: list[Played] = []
    with pytest.raises(SourceError, match="broken"):
        got.extend(in_time(broken()))
    assert got == pictures


def test_little_is_held_back() -> None:
    held = iter(in_time(Sample(n * 3000, n * 3000, bytes(4_000_000)) for n in range(10**6)))
    assert next(held) == Sample(0, 0, bytes(4_000_000))
    endless = in_time(Sample(n * 3000, n * 3000, b"") for n in range(10**6))
    assert next(endless).pts == 0
    assert AHEAD_TICKS == 180_000


def test_messages_of_units_are_read_as_they_were_written() -> None:
    for message in (
        Beside(MetadataKind.KLV, 90_000, flight(0)),
        Beside(MetadataKind.GPMF, -5, b""),
        Beside(MetadataKind.DJI, None, "Höhe".encode()),
    ):
        data = encode(message)
        assert decode(data[: PREFIX.size], data[PREFIX.size :]) == message


@pytest.mark.parametrize("stream", [SYNCHRONOUS, (0x06, SYNCHRONOUS[1], b"\x05\x04KLVA")])
def test_klv_of_a_ts_file_comes_with_its_times(tmp_path: Path, stream: tuple[int, int, bytes]) -> None:
    sets = [flight(n) for n in range(5)]
    wrapped = [cells(each) if stream == SYNCHRONOUS else each for each in sets]
    at = {2 * n: [(data, FIRST_PTS + 2 * n * STEP)] for n, data in enumerate(wrapped)}
    path = tmp_path / "klv.ts"
    path.write_bytes(b"".join(multiplex(at, stream=stream)))
    told = read(path)
    assert [unit.data for unit in beside(told)] == sets
    first = next(message.pts for message in told if isinstance(message, Sample))
    assert [(unit.pts or 0) - first for unit in beside(told)] == [2 * n * STEP for n in range(5)]


def test_a_looped_file_tells_its_metadata_again_and_later(tmp_path: Path) -> None:
    path = tmp_path / "klv.ts"
    path.write_bytes(b"".join(multiplex({4: [(flight(0), FIRST_PTS + 4 * STEP)]})))
    told = av_reader.messages(str(path), None, loop=True)
    units: list[Beside] = []
    while len(units) < 3:
        units += beside([next(told)])
    assert [unit.data for unit in units] == [flight(0)] * 3
    assert units[1].pts == (units[0].pts or 0) + 10 * STEP


def test_subtitles_of_an_mp4_are_carried(tmp_path: Path) -> None:
    video, srt, out = written(tmp_path / "v.mp4", coded(60)), tmp_path / "t.srt", tmp_path / "both.mp4"
    srt.write_text(
        "1\n00:00:00,000 --> 00:00:01,000\n[latitude: 49.44]\n\n"
        "2\n00:00:01,000 --> 00:00:02,000\n[latitude: 49.45] Höhe\n\n",
        encoding="utf-8",
    )
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", video, "-i", srt, "-c", "copy", "-c:s", "mov_text", out], check=True
    )
    units = beside(read(out))
    assert [(unit.kind, unit.data.decode()) for unit in units] == [
        (MetadataKind.DJI, "[latitude: 49.44]"),
        (MetadataKind.DJI, "[latitude: 49.45] Höhe"),
    ]
    assert [unit.pts for unit in units] == [0, 90_000]


def test_what_libav_writes_as_data_is_read(tmp_path: Path) -> None:
    """An independent multiplexer, and KLV in a stream of its own."""
    raw, out = tmp_path / "sets.klv", tmp_path / "muxed.ts"
    raw.write_bytes(b"".join(flight(n) for n in range(3)))
    video = written(tmp_path / "v.mp4", coded(10))
    with av.open(video) as source, av.open(out, "w", format="mpegts") as target:
        assert isinstance(source, InputContainer)
        pictures = target.add_stream_from_template(source.streams.video[0])
        data = target.add_data_stream("klv")
        data.time_base = Fraction(1, 90_000)
        for n in range(3):
            packet = av.Packet(flight(n))
            packet.stream, packet.pts, packet.dts = data, n * STEP, n * STEP
            packet.time_base = Fraction(1, 90_000)
            target.mux(packet)
        for picture in source.demux(video=0):
            if picture.size:
                picture.stream = pictures
                target.mux(picture)
    assert [unit.data for unit in beside(read(out))] == [flight(n) for n in range(3)]


async def test_units_are_published_between_the_pictures() -> None:
    told: list[Message | None] = [
        Begin(Codec.H264, b""),
        Beside(MetadataKind.KLV, 0, flight(0)),
        Sample(0, 0, b"p"),
        Beside(MetadataKind.DJI, None, b"t"),
    ]
    got: list[SourceEvent] = []
    clock = FakeClock()

    async def following() -> Message | None:
        return told.pop(0) if told else None

    with pytest.raises(SourceError, match="middle"):
        await play(following, "file:x", clock, got.append)
    assert got[2:] == [
        SourceMetadata(MetadataKind.KLV, flight(0), 0, clock.now_ns()),
        SourcePicture(Codec.H264, b"p", 0, 0, clock.now_ns()),
        SourceMetadata(MetadataKind.DJI, b"t", None, clock.now_ns()),
    ]
