"""Which bytes a Range header asks for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from web.byte_ranges import OpenFile, Part, part_of

ALL = Part(0, 100, whole=True)


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (None, ALL),
        ("bytes=0-0", Part(0, 1)),
        ("bytes=10-19", Part(10, 20)),
        ("bytes=90-", Part(90, 100)),
        ("bytes=90-5000", Part(90, 100)),
        ("bytes=-7", Part(93, 100)),
        ("bytes=-5000", Part(0, 100)),
        ("bytes=100-", None),
        ("bytes=-0", None),
        # What is not understood is as if it were not there (RFC 9110 14.2).
        ("bytes=20-10", ALL),
        ("bytes=-", ALL),
        ("bytes=0-1,5-6", ALL),
        ("bytes=0x1-2", ALL),
        ("bytes=١-٢", ALL),
        ("bytes=" + "9" * 400 + "-", ALL),
        ("seconds=0-1", ALL),
        ("", ALL),
    ],
)
def test_a_part_is_what_is_asked_for(asked: str | None, part: Part | None) -> None:
    assert part_of(asked, 100) == part


def test_nothing_can_be_asked_of_an_empty_file() -> None:
    assert part_of("bytes=0-", 0) is None
    assert part_of("bytes=-1", 0) is None
    assert part_of(None, 0) == Part(0, 0, whole=True)


def test_a_file_stays_readable_when_it_is_deleted_and_is_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"0123456789")
    file = OpenFile(path, 6)
    descriptor = file._descriptor
    path.unlink()
    assert (file.size, file.read(2, 3)) == (6, b"234")
    del file
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_another_length_has_another_tag(tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(b"0123456789")
    assert len({OpenFile(path, size).etag for size in (6, 7, 10, 11, None)}) == 3


@pytest.mark.parametrize("what", ["nothing", "folder", "link", "pipe"])
def test_what_is_no_file_is_not_there(tmp_path: Path, what: str) -> None:
    path = tmp_path / "segment"
    (tmp_path / "secret").write_bytes(b"secret")
    if what == "folder":
        path.mkdir()
    elif what == "link":
        path.symlink_to(tmp_path / "secret")
    elif what == "pipe":
        os.mkfifo(path)
    with pytest.raises(FileNotFoundError):
        OpenFile(path)
