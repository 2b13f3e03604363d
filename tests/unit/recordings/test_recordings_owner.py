"""One server for one data folder."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flow.errors import ConfigError
from recordings.folders import OWNER_FILE
from recordings.owner import FolderTakenError, claim, owner_of

HOLDER = """
import sys
from pathlib import Path
from recordings.owner import claim
held = claim(Path(sys.argv[1]), "lagebild serve")
held.tell("http://127.0.0.1:8080/")
print("held", flush=True)
sys.stdin.read()
"""


def holder(root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_server_is_turned_away_and_told_who_the_first_is(tmp_path: Path) -> None:
    root = tmp_path / "made" / "data"
    with holder(root) as first:
        try:
            with pytest.raises(FolderTakenError) as caught:
                claim(root, "lagebild serve")
            told = str(caught.value)
            assert isinstance(caught.value, ConfigError)
            assert f"{root}: another server has this folder: process {first.pid} (lagebild serve)" in told
            assert f"on {socket.gethostname()} since 20" in told
            assert "UTC, http://127.0.0.1:8080/; stop it, or set server.data_dir" in told
            owner = owner_of(root)
            assert owner is not None
            assert (owner.pid, owner.address) == (first.pid, "http://127.0.0.1:8080/")
            assert owner.is_of_this_host
        finally:
            first.kill()
    assert owner_of(root) is None
    with claim(root) as after:  # at once, though the first could not tidy up
        assert (owner_of(root) or pytest.fail("nobody")).pid == os.getpid()
        after.release()
        assert owner_of(root) is None


def test_a_folder_that_is_let_go_is_free(tmp_path: Path) -> None:
    with claim(tmp_path), pytest.raises(FolderTakenError, match=f"process {os.getpid()} on"):
        claim(tmp_path)
    with claim(tmp_path):
        pass


def test_an_address_may_grow_and_shrink(tmp_path: Path) -> None:
    with claim(tmp_path) as held:
        for address in ("http://[fe80::1]:65535/", "", "http://h/"):
            held.tell(address)
            assert json.loads((tmp_path / OWNER_FILE).read_bytes())["address"] == address


def test_somebody_who_only_asks_turns_no_server_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path).release()
    asking = os.open(tmp_path / OWNER_FILE, os.O_RDONLY)
    fcntl.flock(asking, fcntl.LOCK_SH)
    monkeypatch.setattr("recordings.owner.time.sleep", lambda _: os.close(asking))
    claim(tmp_path).release()


@pytest.mark.parametrize("text", [b"", b"{}", b'{"pid": "x"}', b"\xff" * 5000])
def test_what_was_left_there_is_replaced_and_a_nameless_owner_is_one(tmp_path: Path, text: bytes) -> None:
    (tmp_path / OWNER_FILE).write_bytes(text)
    assert owner_of(tmp_path) is None
    with claim(tmp_path):
        assert (owner_of(tmp_path) or pytest.fail("nobody")).pid == os.getpid()
        (tmp_path / OWNER_FILE).write_bytes(text)
        with pytest.raises(FolderTakenError, match="it does not say which"):
            claim(tmp_path)


def test_a_folder_that_cannot_be_written_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/data: recordings cannot be kept there: Not a directory"):
        claim(tmp_path / "file" / "data")
    for made in ("link", "folder", "pipe"):
        root = tmp_path / made
        root.mkdir()
        owner = root / OWNER_FILE
        {"link": lambda o: o.symlink_to(tmp_path / "file"), "folder": Path.mkdir, "pipe": os.mkfifo}[made](
            owner
        )
        with pytest.raises(ConfigError, match=r"cannot be kept there: .*; set server\.data_dir") as caught:
            claim(root)
        assert not isinstance(caught.value, FolderTakenError)
    assert (tmp_path / "file").read_text() == ""


def test_a_read_only_file_system_is_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("recordings.owner.os.open", refuse)
    with pytest.raises(ConfigError, match="Read-only file system"):
        claim(tmp_path)


def test_without_locks_it_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("recordings.owner.fcntl.flock", refuse)
    with caplog.at_level(logging.WARNING), claim(tmp_path):
        assert "knows no locks" in caplog.text
        assert owner_of(tmp_path) is None
