"""What was noted of a flight stays in its folder, with all that was changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from flow.clock import NS_PER_S
from flow.errors import LagebildError, NotFoundError
from recordings import notes
from recordings.notes import NoteBook, read_notes
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.recorded_flights import FlightMaker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return FlightMaker(tmp_path).folder


def test_a_note_is_changed_and_taken_back_by_further_lines(folder: Path) -> None:
    clock = FakeClock()
    book = NoteBook(clock)
    first = book.add(folder, START_NS + 5, "Person auf dem Dach", "Meier", "fritz-tag")
    second = book.add(folder, START_NS + 9, "Glutnest", "Otto", "")
    assert read_notes(folder) == {first.id: first, second.id: second}
    clock.advance(NS_PER_S)
    changed = book.change(folder, first.id, "Otto", text="Zwei Personen")
    assert changed == msgspec.structs.replace(
        first, text="Zwei Personen", by="Otto", told_ns=START_NS + NS_PER_S
    )
    book.remove(folder, second.id, "Meier")
    assert read_notes(folder) == {first.id: changed}
    with pytest.raises(NotFoundError):
        book.change(folder, second.id, "Otto", text="doch")
    lines = (folder / "notes.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line)["text"] for line in lines] == [
        "Person auf dem Dach", "Glutnest", "Zwei Personen", "Glutnest",
    ]  # fmt: skip
    assert msgspec.json.decode(lines[-1])["by"] == "Meier"


def test_a_power_cut_costs_half_a_line_at_most(folder: Path) -> None:
    book = NoteBook(FakeClock())
    first = book.add(folder, START_NS, "vorher", "Meier", "")
    with (folder / "notes.jsonl").open("ab") as file:
        file.write(b'{"id":"n-1","utc_ns":5,"te')
    second = book.add(folder, START_NS, "nachher", "Meier", "")
    assert read_notes(folder) == {first.id: first, second.id: second}
    (folder / "notes.jsonl").write_bytes(b"\xff\x00\n[]\n" + b"x" * 200_000 + b"\n{}\n")
    assert read_notes(folder) == {}


def test_there_are_only_so_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "NOTES_MOST", 2)
    book = NoteBook(FakeClock())
    first, _ = (book.add(folder, START_NS, "eins", "Meier", "") for _ in range(2))
    with pytest.raises(LagebildError) as full:
        book.add(folder, START_NS, "drei", "Meier", "")
    assert full.value.code == "notes_full"
    monkeypatch.setattr(notes, "FILE_MOST_BYTES", 100)
    with pytest.raises(LagebildError) as long:
        book.change(folder, first.id, "Meier", text="anders")
    assert long.value.code == "notes_full"
    book.remove(folder, first.id, "Meier")
    assert len(read_notes(folder)) == 1


def test_those_who_write_at_once_do_so_one_after_the_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "NOTES_MOST", 4)
    book = NoteBook(FakeClock())

    def add(number: int) -> bool:
        try:
            book.add(folder, START_NS, f"Nummer {number}", "Meier", "")
        except LagebildError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(add, range(16))) == 4
    assert len(read_notes(folder)) == 4


def test_where_a_flight_is_gone_nothing_is_made(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        NoteBook(FakeClock()).add(tmp_path / "gone", START_NS, "x", "Meier", "")
    (folder / "notes.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        NoteBook(FakeClock()).add(folder, START_NS, "x", "Meier", "")
    assert not (tmp_path / "elsewhere").exists()
