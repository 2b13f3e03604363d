"""The command line of the replay: what is wrong with it, or with what it names, is said in one line."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from flow.errors import ConfigError
from recordings.replay import run
from tests.unit.recordings.flights import decode, encode_film
from tests.unit.recordings.flown import flight, said

NO_TELEMETRY = "no telemetry in it (neither a .tlog nor a MAVLink byte stream)"
OF_A_FILM = (
    "what a film says of its aircraft is no MAVLink; play it in step with its pictures instead: "
    'source = "file:FILM" of a feed, telemetry = "feed:FEED" of its aircraft'
)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--video missing.mp4", "missing.mp4: No such file or directory"),
        ("--video text.mp4", "text.mp4: no video in it (not a file format that is known here)"),
        ("--video a.mp4 --telemetry missing.tlog", "missing.tlog: No such file or directory"),
        ("--video a.mp4 --telemetry text.mp4", f"text.mp4: {NO_TELEMETRY}"),
        ("--video a.mp4 --telemetry a.mp4", f"a.mp4: {OF_A_FILM}"),
        ("--video a.mp4 --rtp 5600", "5600: must be HOST:PORT"),
        ("--video a.mp4 --mavlink nowhere", "nowhere: must be HOST:PORT"),
        ("--video a.mp4 --video b.mp4", "2 videos need as many --rtp HOST:PORT, not 1"),
        ("--video a.mp4 --speed 0", "--speed 0: must be from 0.1 to 20"),
        ("--video a.mp4 --video-fps 0", "--video-fps 0: must be from 1 to 1000"),
        ("--video a.mp4 --loss 5", "--loss 5: must be from 0 to 1"),
        ("--video a.mp4 --jitter=-1", "--jitter -1: must be from 0 to 10000 ms"),
        ("--video a.mp4 --drift=-1e6", "--drift -1e+06: must be from -100000 to 100000 ppm"),
    ],
)  # fmt: skip
def test_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    encode_film(Path("a.mp4"), count=2)
    Path("text.mp4").write_text("this is no video")
    with pytest.raises(ConfigError) as caught:
        run(arguments.split())
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "wrong", ["--speed=fast", "--jitter=nan", "--telemetry-offset=inf", "--video-fps=1/0"]
)
def test_what_is_no_number(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(["--video", "a.mp4", wrong])
    assert caught.value.code == 2
    assert wrong.partition("=")[0] in capsys.readouterr().err.splitlines()[-1]


def test_a_flight_of_telemetry_alone_needs_no_port_for_pictures(tmp_path: Path) -> None:
    folder = flight(tmp_path, {}, said(2))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
        station.bind(("127.0.0.1", 0))
        to = f"127.0.0.1:{station.getsockname()[1]}"
        run([f"--flight={folder}", f"--mavlink={to}", "--speed=20"])
        station.setblocking(False)
        assert decode(station.recv(300)).get_type() == "HEARTBEAT"


def test_it_ends_with_its_parent_however_early_that_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before there was anybody to hear the signal of it, or where there is no such signal."""
    folder = flight(tmp_path, {}, said(2))
    ours, parents = os.pipe()
    os.close(parents)
    with os.fdopen(ours) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        run([f"--flight={folder}", "--mavlink=127.0.0.1:9", "--loop", "--with-parent"])
