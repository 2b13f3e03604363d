"""Files that bear the name of subtitles, whatever they are."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from flow.codec.subrip import cues
from flow.errors import SourceError
from flow.subtitle_file import FILE_LIMIT_BYTES, LINE_LIMIT_CHARACTERS, lines_of, open_subtitles

CUE = "1\n00:00:01,000 --> 00:00:02,000\n[latitude: 49.44]\n\n"


def test_lines_are_read_as_they_were_written() -> None:
    told = "1\r\n00:00\n\nno end"
    assert list(lines_of(io.StringIO(told, newline=""))) == ["1\r\n", "00:00\n", "\n", "no end"]


@pytest.mark.parametrize("more", [-1, 0, 1, LINE_LIMIT_CHARACTERS, 50_000])
def test_a_line_longer_than_any_subtitle_is_passed_over_whole(more: int) -> None:
    long = "x" * (LINE_LIMIT_CHARACTERS - 1 + more) + "\n"
    got = list(lines_of(io.StringIO("a\n" + long + "b\n", newline="")))
    assert got == ["a\n", *([long] if len(long) <= LINE_LIMIT_CHARACTERS else []), "b\n"]


def test_a_file_without_lines_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "zeros.SRT"
    with path.open("wb") as file:
        file.truncate(1_000_000)
    with open_subtitles(path) as opened:
        assert list(lines_of(opened)) == []


def test_what_is_no_file_of_subtitles_is_not_opened(tmp_path: Path) -> None:
    pipe, huge, folder = tmp_path / "pipe.SRT", tmp_path / "huge.SRT", tmp_path / "folder.SRT"
    os.mkfifo(pipe)
    folder.mkdir()
    with huge.open("wb") as file:
        file.truncate(FILE_LIMIT_BYTES + 1)
    for path, why in ((pipe, "no regular file"), (folder, "no regular file"), (huge, "too large")):
        with pytest.raises(SourceError, match=why) as caught:
            open_subtitles(path)
        assert caught.value.code == "not_telemetry"
    with pytest.raises(SourceError, match="No such file") as caught:
        open_subtitles(tmp_path / "missing.SRT")
    assert caught.value.code == "not_found"


def test_a_cue_without_an_end_is_cut_and_the_next_one_is_whole() -> None:
    flood = (f"{n}\n" for n in range(200_000))
    first, second = cues(["1\n", "00:00:00,000 --> 00:00:01,000\n", *flood, *CUE.splitlines(keepends=True)])
    assert len(first.text.splitlines()) < 100
    assert (second.start_ms, second.text) == (1000, "[latitude: 49.44]")
