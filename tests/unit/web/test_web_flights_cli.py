"""`lagebild flights …`, on a folder that nobody has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import pytest

from flow.clock import NS_PER_S
from recordings.deletions import read_deletions
from recordings.entries import Rule
from recordings.flight_file import FlightFile, RecordedFeed, encoded
from recordings.folders import CATALOGUE_FILE, flight_folder, flight_id
from recordings.owner import claim
from web.cli import main
from web.flights_cli import as_table

ROOT = Path(__file__).parents[3]
DAY_NS = 86_400 * NS_PER_S


class Folder:
    """A data folder and a configuration that names it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "data"
        self.config = folder / "lagebild.toml"
        self.config.write_text("[server]\ndata_dir = 'data'\n[recording]\nreserve_mb = 0\n")

    def flight(self, days_ago: float, *, has_ended: bool = True) -> str:
        ended_ns = time.time_ns() - round(days_ago * DAY_NS)
        started_ns = ended_ns - 754 * NS_PER_S
        flight = flight_id(started_ns, "fritz")
        folder = flight_folder(self.root, flight)
        folder.mkdir(parents=True)
        file = FlightFile(flight, "fritz", "Fritz", (RecordedFeed("tag", "Tag"),), started_ns, ended_ns)
        (folder / "flight.json").write_bytes(
            encoded(file if has_ended else msgspec.structs.replace(file, ended_ns=None))
        )
        return flight

    def run(self, *arguments: str) -> int:
        return main(["flights", *arguments, "--config", str(self.config)])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_flights_are_listed_held_released_and_deleted(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    old, young = folder.flight(10), folder.flight(1)
    assert folder.run("list") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["FLIGHT", "START", "LENGTH", "SIZE", "INCIDENT"]
    assert [row.split()[0] for row in rows] == [young, old]
    assert "  12:34 min  0.0 MB  -         kept until 20" in rows[0]

    assert folder.run("hold", old, "--reason", "Gericht \u202e", "--by", "Wolf") == 2
    assert "control character" in capsys.readouterr().err
    assert folder.run("hold", old, "--reason", "Gericht", "--by", "Wolf") == 0
    assert folder.run("delete", old, "--reason", "weg", "--by", "Adam") == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == (
        f"lagebild: {old} is kept until it is released\n",
        f"lagebild: flight {old} is held; release it first\n",
    )
    assert folder.run("list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["flights"]
    assert [(each["id"], each["hold"] and each["hold"]["by"]) for each in listed] == [
        (young, None),
        (old, "Wolf"),
    ]
    assert folder.run("release", old, "--by", "Wolf") == 0
    assert folder.run("delete", old, "--reason", "doppelt", "--by", "Adam") == 0
    assert f"{old} is deleted (person): 2 files" in capsys.readouterr().out
    (deletion,) = read_deletions(folder.root)
    assert (deletion.flight_id, deletion.rule, deletion.by, deletion.reason) == (
        old,
        Rule.PERSON,
        "Adam",
        "doppelt",
    )
    assert folder.run("list", "--aircraft", "ottmar") == 0
    assert capsys.readouterr().out == "lagebild: no flights\n"


def test_what_people_typed_does_nothing_to_the_terminal() -> None:
    view = {
        "id": "20261122t044900z-fritz",
        "started_ms": 0.0,
        "ended_ms": 1.0,
        "duration_ms": 3_600_000.0,
        "size_bytes": 12_340_000_000,
        "incident": {"name": "Brand\x1b[2J", "kind": "uebung"},
        "damage": "flight.json: \x07",
        "hold": {"reason": "Gericht\n", "by": "Wolf"},
    }
    _, row = as_table([view]).splitlines()
    assert row.endswith(
        "  60:00 min  12.3 GB  Brand\ufffd[2J (Übung)  damaged: flight.json: \ufffd; "
        "held by Wolf: Gericht\ufffd"
    )


def test_retention_is_shown_and_carried_out(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    due, young = folder.flight(61), folder.flight(1)
    assert folder.run("retention", "--dry-run") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (first.split()[0], first.split()[-1], second.split()[0]) == (due, "einsatz_days", young)
    assert flight_folder(folder.root, due).exists()
    assert folder.run("retention") == 0
    assert f"{due} is deleted (einsatz_days)" in capsys.readouterr().out
    assert not flight_folder(folder.root, due).exists()
    assert folder.run("retention") == 0
    assert capsys.readouterr().out == "lagebild: no flight is due\n"
    assert [each.by for each in read_deletions(folder.root)] == ["lagebild"]


def test_retention_refuses_where_the_clock_has_leapt(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    due = folder.flight(400)
    assert folder.run("retention") != 0
    assert "the clock is 400 days ahead" in capsys.readouterr().err
    assert flight_folder(folder.root, due).exists()


def test_the_catalogue_is_made_anew(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    flight = folder.flight(1)
    (folder.root / CATALOGUE_FILE).write_bytes(b"no database")
    (folder.root / f"{CATALOGUE_FILE}-wal").write_bytes(b"nor this")
    assert folder.run("rebuild") == 0
    assert capsys.readouterr().out == "lagebild: the catalogue is made anew: 1 flights\n"
    shutil.rmtree(flight_folder(folder.root, flight))
    with claim(folder.root):
        assert folder.run("rebuild") == 2
    assert "another server has this folder" in capsys.readouterr().err


@pytest.mark.parametrize("flight", ["../../etc", "20261122t044900z-fritz/..", "x", "20261122t044900z-fritz"])
def test_a_flight_that_is_none(folder: Folder, flight: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder.flight(1)
    assert folder.run("delete", flight, "--reason", "weg", "--by", "Adam") == 2
    assert "no such flight" in capsys.readouterr().err


def test_a_flight_that_goes_on_is_not_deleted(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    flight = folder.flight(0.01, has_ended=False)
    assert folder.run("delete", flight, "--reason", "weg", "--by", "Adam") == 2
    assert "is being recorded" in capsys.readouterr().err
    assert folder.run("list") == 0
    assert "not ended" in capsys.readouterr().out


def test_no_folder_is_made_where_there_is_none(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.run("list") == 2
    assert "data: there are no recordings; server.data_dir says where they are" in capsys.readouterr().err
    assert not folder.root.exists()


def test_a_server_that_does_not_listen_or_answer_is_named(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.flight(1)
    with claim(folder.root, "lagebild serve") as held:
        assert folder.run("list") == 2
        assert "(lagebild serve)" in (told := capsys.readouterr().err)
        assert "does not listen yet: try again" in told
        held.tell("http://127.0.0.1:9/")
        assert folder.run("list") == 2
        assert "http://127.0.0.1:9/ has this folder and does not answer: " in capsys.readouterr().err
        owner = folder.root / ".owner"
        owner.write_bytes(owner.read_bytes().replace(b'"host":"', b'"host":"elw-'))
        assert folder.run("list") == 2
        assert "has this folder: give the command there" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_leaves_nothing_that_the_server_could_not_change() -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # pytest's own folders are root's alone
        folder = Folder(Path(name))
        flight = folder.flight(1)
        for parent, folders, files in os.walk(folder.root):
            for each in (".", *folders, *files):
                os.chown(Path(parent, each), nobody, nobody)
        arguments = ("hold", flight, "--reason", "Gericht", "--by", "Wolf", "--config", str(folder.config))
        subprocess.run([sys.executable, "-m", "web", "flights", *arguments], check=True, cwd=ROOT)
        assert {each.stat().st_uid for each in folder.root.rglob("*")} == {nobody}
        assert (flight_folder(folder.root, flight) / "hold.json").exists()
