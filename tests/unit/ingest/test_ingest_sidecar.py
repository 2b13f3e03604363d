"""What lies beside a film and is no use: the film is played, and the reason is told."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flow.errors import SourceError
from flow.samples import MetadataKind
from flow.subtitle_file import FILE_LIMIT_BYTES
from flow.units import Codec
from ingest import av_reader
from ingest.protocol.data_track import BESIDE_MOST, Played, sparse
from ingest.protocol.reader_pipe import PREFIX, Begin, Beside, Message, Remark, Sample, decode, encode
from ingest.sources.file import play
from tests.fakes.clock import FakeClock

from .material import coded, written

CUE = "1\n00:00:00,000 --> 00:00:01,000\n[latitude: 49.44]\n\n"


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(32 * FILE_LIMIT_BYTES)  # 2 GB, none of them on the disk


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(huge, "too large"), (os.mkfifo, "no regular file"), (Path.mkdir, "no regular file")],
)
def test_subtitles_that_cannot_be_used_are_told_and_cost_no_picture(
    tmp_path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    film = tmp_path / "DJI_0001.mp4"
    written(film, coded(10))
    spoil(film.with_suffix(".SRT"))
    told = list(av_reader.messages(str(film), None, False))
    assert isinstance(told[0], Begin)
    (remark,) = [each for each in told if isinstance(each, Remark)]
    assert "DJI_0001.SRT" in remark.detail
    assert why in remark.detail
    assert len([each for each in told if isinstance(each, Sample)]) == 10


def test_it_is_told_once_however_often_the_film_is_played(tmp_path: Path) -> None:
    film = tmp_path / "DJI_0001.mp4"
    written(film, coded(10))
    film.with_suffix(".SRT").mkdir()
    endless = av_reader.messages(str(film), None, True)
    told = [next(endless) for _ in range(35)]
    assert len([each for each in told if isinstance(each, Remark)]) == 1


async def test_a_remark_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    remark = Remark("telemetry file DJI_0001.SRT cannot be read: Permission denied")
    data = encode(remark)
    told: list[Message] = [Begin(Codec.H264, b""), decode(data[: PREFIX.size], data[PREFIX.size :])]

    async def following() -> Message | None:
        return told.pop(0) if told else None

    with caplog.at_level(logging.WARNING, "lagebild.ingest"), pytest.raises(SourceError):
        await play(following, "file:x", FakeClock(), lambda event: None)
    assert caplog.messages == [remark.detail]


def test_a_flood_beside_the_pictures_ends_in_the_reader() -> None:
    pictures: list[Played] = [Sample(n, n, b"") for n in range(2)]
    flood: list[Played] = [Beside(MetadataKind.DJI, 0, b"")] * 100_000
    got = list(sparse(iter([*flood, pictures[0], *flood, pictures[1], *flood[:3]])))
    assert [each for each in got if isinstance(each, Sample)] == pictures
    assert len(got) == 2 * BESIDE_MOST + 2 + 3


def test_a_cue_for_every_picture_is_no_flood(tmp_path: Path) -> None:
    film = tmp_path / "DJI_0001.mp4"
    written(film, coded(10))
    cues = "".join(f"{n}\n00:00:00,{33 * n:03} --> 00:00:01,000\n[latitude: 49.{n}]\n\n" for n in range(10))
    film.with_suffix(".SRT").write_text(cues)
    told = list(av_reader.messages(str(film), None, False))
    assert len([each for each in told if isinstance(each, Beside)]) == 10
