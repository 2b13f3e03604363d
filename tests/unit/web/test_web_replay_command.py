"""`lagebild replay`: which flight or files, under which names, and what is handed on to the player."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.recordings.flights import encode_film
from tests.unit.recordings.flown import filmed, flight, said
from web.cli import _parser, main
from web.replay_command import ReplayOrder, order_of


def order(data_dir: Path, *arguments: str) -> ReplayOrder:
    return order_of(_parser().parse_args(["replay", *arguments]), data_dir)


@pytest.mark.parametrize("by", ["id", "folder"])
def test_a_flight_by_its_id_or_its_folder(tmp_path: Path, by: str) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 0.5), "waerme": filmed("waerme", 0.5)}, said(1))
    named = folder.name if by == "id" else str(folder)
    got = order(
        tmp_path if by == "id" else tmp_path / "elsewhere",
        named,
        "--speed",
        "2",
        "--loop",
        "--outage",
        "60,2.5",
    )
    assert [(feed.id, feed.name) for feed in got.aircraft.feed] == [
        ("replay", "Kamera tag"),
        ("replay-1", "Kamera waerme"),
    ]
    assert (got.aircraft.name, got.aircraft.mavlink) == ("Wiedergabe Multikopter Fritz", "udpin:127.0.0.1:0")
    assert got.sources == ("--feed=tag", "--feed=waerme")
    assert got.extra[0] == f"--flight={folder}"
    assert {"--speed=2.0", "--loop", "--outage=60,2.5"} <= set(got.extra)


def test_a_flight_without_telemetry_has_no_link(tmp_path: Path) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 0.5)})
    assert order(tmp_path, folder.name).aircraft.mavlink == ""


@pytest.mark.parametrize(
    ("arguments", "said_of_it"),
    [
        ([], "name a flight, or files by --video FILE"),
        (["20261122t044900z-fritz"], "no such flight in"),
        (["../../etc"], "neither a flight's id nor the folder of a flight"),
        (["20261122t044900z-fritz", "--video", "a.mp4"], "name a flight, or files"),
        (["20261122t044900z-fritz", "--telemetry", "a.tlog"], "a flight has its own telemetry"),
    ],
)
def test_what_cannot_be_played(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said_of_it: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["replay", "--port", "0", *arguments]) == 2
    assert re.match(rf"lagebild: replay: .*{re.escape(said_of_it)}", capsys.readouterr().err)


def test_a_dry_run_tells_the_hash_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    encode_film(Path("a.mp4"), count=5)
    assert main(["replay", "--video", "a.mp4", "--seed", "1", "--schedule", "a.txt"]) == 0
    told = capsys.readouterr().out
    assert main(["replay", "--video", "a.mp4", "--seed", "1", "--dry-run"]) == 0
    assert told == capsys.readouterr().out
    assert re.fullmatch(r"schedule [0-9a-f]{64}, seed 1\n", told)
    assert len(Path("a.txt").read_text().splitlines()) >= 5
