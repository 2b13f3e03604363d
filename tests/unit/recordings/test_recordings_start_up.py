"""What the last server left in the middle of a flight: put in order, ended or gone on with."""

from __future__ import annotations

import logging
import os
import random
import shutil
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.codec.tlog import read_tlog
from flow.units import AccessUnit
from recordings.flight_file import FlightFile, encoded, read_flight
from recordings.folders import EVENTS_FILE, FLIGHT_FILE, SAMPLES_FILE, TLOG_FILE, flights_folder, segments_in
from recordings.mending import TAIL_LIMIT_BYTES, Mended, mend_lines, mend_tlog
from recordings.segment_file import read_index
from recordings.start_up import Found, put_in_order
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.clock import START_NS
from tests.unit.recordings.tower import (
    FRITZ,
    OTTMAR,
    film,
    flights,
    lines,
    merged,
    raw,
    recorded,
    recording,
    same_pictures,
    sample,
    so_far,
    watched_disks,
)

__all__ = ["watched_disks"]
pytestmark = pytest.mark.usefixtures("watched_disks")

FLIGHT = "20261122t064640z-fritz"


def at(second: float) -> int:
    return START_NS + round(second * NS_PER_S)


async def cut_flight(root: Path, copy: Path, second: float, length_s: float = 6.0) -> list[AccessUnit]:
    """A flight as it lies there when the server is killed at `second`; returns its pictures until then."""
    day, autopilot = film(seconds=length_s), FakeAircraft()
    messages = [raw(n / 5, autopilot.heartbeat(armed=True)) for n in range(int(length_s * 5))]
    samples = [sample(n / 10, armed=True) for n in range(int(length_s * 10))]
    items = merged(day, messages, samples)
    async with recording(root) as tower:
        await tower.fly(*(item for item in items if item.utc_ns <= at(second)))
        folder = flights_folder(root) / FLIGHT
        whole = sum(unit.utc_ns <= at(second - 1) for unit in day)
        await tower.until(lambda: len(so_far(folder, "fritz-tag")) >= whole, "what is older than a second")
        shutil.copytree(root, copy)
    return [unit for unit in day if unit.utc_ns <= at(second)]


@pytest.mark.parametrize("seed", range(4))
async def test_a_flight_that_was_cut_off_goes_on_in_its_folder(tmp_path: Path, seed: int) -> None:
    """Files end anywhere within their last bytes, as a power cut leaves them; the gap keeps its length."""
    chance = random.Random(seed)
    killed_s = chance.uniform(2.0, 5.0)
    root = tmp_path / "after"
    before = await cut_flight(tmp_path / "before", root, killed_s)
    folder = flights_folder(root) / FLIGHT
    for path in folder.iterdir():
        if path.name != FLIGHT_FILE and chance.random() < 0.7:
            torn = chance.randrange(300 if path.suffix == ".mp4" else 25)
            os.truncate(path, max(0, path.stat().st_size - torn))
    found = put_in_order(root, at(killed_s + 7), (FRITZ,))
    assert found.cuts["fritz"].flight.id == FLIGHT
    after = film(seconds=2.0, start_s=killed_s + 8)
    async with recording(root, start_ns=at(killed_s + 7), found=found) as tower:
        assert tower.state().flight_id == FLIGHT
        await tower.fly(*after)
    assert flights(root) == [folder]
    units = recorded(folder, "fritz-tag")
    kept = len(units) - len(after)
    assert same_pictures(units, before[:kept] + after)
    assert at(killed_s) - before[kept - 1].utc_ns < 1.6 * NS_PER_S  # half a second of it was truncated
    assert all(read_index(path).closed for _, _, path in segments_in(folder))
    with (folder / TLOG_FILE).open("rb") as file:
        assert len(list(read_tlog(file))) >= 5
    assert len(lines(folder / SAMPLES_FILE)) >= 5
    flight = read_flight(folder)
    assert (flight.ended_ns, flight.repaired_ns) == (None, at(killed_s + 7))
    assert flight.lost_bytes >= 0


async def test_later_than_two_minutes_it_is_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "after"
    before = await cut_flight(tmp_path / "before", root, 4.0)
    folder = flights_folder(root) / FLIGHT
    (_, _, segment), *_ = segments_in(folder)
    size = segment.stat().st_size
    os.truncate(segment, size - 10)
    with (folder / EVENTS_FILE).open("ab") as file:
        file.write(b'{"type":"Marker","it')
    found = put_in_order(root, at(200), (FRITZ,))
    assert (found.changed, found.taken) == ((FLIGHT,), frozenset({FLIGHT}))
    assert not found.cuts
    flight = read_flight(folder)
    assert flight.repaired_ns == at(200)
    assert flight.ended_ns is not None
    assert at(2.5) < flight.ended_ns <= at(4.1)
    units = recorded(folder, "fritz-tag")
    assert same_pictures(units, before[: len(units)])
    assert flight.lost_bytes == size - 10 - read_index(segment).fragments[-1].offset - read_index(
        segment
    ).fragments[-1].size + len('{"type":"Marker","it')
    assert f"flight {FLIGHT} was not ended: {flight.lost_bytes} bytes cut off, about " in caplog.text
    assert put_in_order(root, at(300), (FRITZ,)).changed == ()


async def test_a_server_that_was_ended_in_flight_goes_on(tmp_path: Path) -> None:
    before, after = film(seconds=2.0), film(seconds=2.0, start_s=60.0)
    async with recording(tmp_path) as tower:
        await tower.fly(*before)
    found = put_in_order(tmp_path, at(55), (FRITZ,))
    size = sum(path.stat().st_size for path in flights(tmp_path)[0].iterdir())
    async with recording(tmp_path, start_ns=at(55), found=found) as tower:
        await tower.fly(*after)
        await tower.pass_time(1.25)
        assert tower.state().pictures == len(before) + len(after)
        assert tower.state().written_bytes > size
        await tower.pass_time(121.0)
        await tower.until(lambda: read_flight(flights(tmp_path)[0]).ended_ns is not None, "the end")
    (folder,) = flights(tmp_path)
    assert same_pictures(recorded(folder, "fritz-tag"), before + after)
    assert read_flight(folder).ended_ns == after[-1].utc_ns


async def test_a_flight_that_does_not_come_back_ends_with_its_last_picture(tmp_path: Path) -> None:
    async with recording(tmp_path) as tower:
        await tower.fly(*film(seconds=2.0))
    found = put_in_order(tmp_path, at(55), (FRITZ,))
    async with recording(tmp_path, start_ns=at(55), found=found) as tower:
        await tower.pass_time(70.0)
        await tower.until(lambda: read_flight(flights(tmp_path)[0]).ended_ns is not None, "the end")
    assert read_flight(flights(tmp_path)[0]).ended_ns == at(2)


async def test_a_clock_that_was_set_back_begins_a_new_flight(tmp_path: Path) -> None:
    async with recording(tmp_path) as tower:
        await tower.fly(*film(seconds=2.0))
    found = put_in_order(tmp_path, at(-30), (FRITZ,))
    assert found.cuts == {}
    async with recording(tmp_path, start_ns=at(-30), found=found) as tower:
        again = film(seconds=1.0, start_s=-0.5)
        await tower.fly(*again)
    first, second = flights(tmp_path)
    assert (first.name, second.name) == ("20261122t064639z-fritz", FLIGHT)
    assert same_pictures(recorded(first, "fritz-tag"), again)
    assert read_flight(second).ended_ns == at(2)


async def test_a_name_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    (flights_folder(tmp_path) / FLIGHT).mkdir(parents=True)
    found = put_in_order(tmp_path, at(0), (FRITZ,))
    async with recording(tmp_path, found=found) as tower:
        await tower.fly(*film(seconds=1.0))
    assert [folder.name for folder in flights(tmp_path)] == [FLIGHT, "20261122t064641z-fritz"]
    assert list((flights_folder(tmp_path) / FLIGHT).iterdir()) == []


def begun(root: Path, name: str, aircraft_id: str = "fritz", written_as: str = "") -> Path:
    folder = flights_folder(root) / name
    folder.mkdir(parents=True)
    aircraft = {"fritz": FRITZ, "ottmar": OTTMAR}[aircraft_id]
    (folder / FLIGHT_FILE).write_bytes(encoded(FlightFile.begun(written_as or name, aircraft, START_NS)))
    return folder


def everything(root: Path) -> dict[str, bytes | str | None]:
    """What lies there, links and pipes too."""

    def content(path: Path) -> bytes | str | None:
        if path.is_symlink():
            return os.readlink(path)
        return path.read_bytes() if path.is_file() and path.stat().st_size < 1 << 20 else None

    return {str(path.relative_to(root)): content(path) for path in sorted(root.rglob("*"))}


def test_what_is_not_ours_is_left_alone_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outside = begun(tmp_path / "elsewhere", FLIGHT)
    root = tmp_path / "data"
    begun(root, "20261122t064650z-fritz", written_as="20261122t064651z-fritz")
    (flights_folder(root) / FLIGHT).symlink_to(outside)
    (flights_folder(root) / "Urlaubsbilder").mkdir()
    (flights_folder(root) / "20261122t064652z-fritz").write_text("a file")
    os.mkfifo(flights_folder(root) / "20261122t064653z-fritz")
    piped = flights_folder(root) / "20261122t064654z-fritz"
    piped.mkdir()
    os.mkfifo(piped / FLIGHT_FILE)
    before = everything(tmp_path)
    with caplog.at_level(logging.WARNING):
        found = put_in_order(root, at(5), (FRITZ,))
    assert (found.cuts, found.changed) == ({}, ())
    assert len(found.taken) == 6
    assert everything(tmp_path) == before
    assert [record.getMessage().count("left alone") for record in caplog.records] == [1]
    assert "and 1 more" in caplog.text


def test_strange_files_in_a_flight_are_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = begun(tmp_path, FLIGHT)
    precious = tmp_path / "precious"
    precious.write_bytes(b"no end of line")
    (folder / EVENTS_FILE).symlink_to(precious)
    os.mkfifo(folder / SAMPLES_FILE)
    with (folder / TLOG_FILE).open("wb") as file:  # 2 GB of nothing: sparse, but as long to whoever reads it
        file.truncate(2 << 30)
    (folder / "fritz-tag.0001.mp4").write_bytes(b"GIF89a" * 1000)
    os.mkfifo(folder / "fritz-tag.0002.mp4")
    before = everything(tmp_path)
    found = put_in_order(tmp_path, at(600), (FRITZ,))
    assert found.changed == (FLIGHT,)
    assert read_flight(folder).ended_ns == START_NS
    del before[f"flights/{FLIGHT}/{FLIGHT_FILE}"]
    after = everything(tmp_path)
    del after[f"flights/{FLIGHT}/{FLIGHT_FILE}"]
    assert after == before
    assert caplog.text.count("left alone") == 1


def test_only_the_newest_flight_of_an_aircraft_that_is_still_there_goes_on(tmp_path: Path) -> None:
    for name in ("20261122t064640z-fritz", "20261122t064645z-fritz"):
        begun(tmp_path, name)
    begun(tmp_path, "20261122t064640z-ottmar", "ottmar")
    found = put_in_order(tmp_path, at(8), (FRITZ,))
    assert {cut.flight.id for cut in found.cuts.values()} == {"20261122t064645z-fritz"}
    assert read_flight(flights_folder(tmp_path) / "20261122t064640z-fritz").ended_ns == START_NS
    assert read_flight(flights_folder(tmp_path) / "20261122t064640z-ottmar").ended_ns == START_NS


def test_nothing_there_yet(tmp_path: Path) -> None:
    assert put_in_order(tmp_path / "data", at(0), (FRITZ,)) == Found()


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"", b""),
        (b"{}\n{}\n", b"{}\n{}\n"),
        (b"{}\n{}", b"{}\n"),
        (b"{", b""),
        (b"{}\n" + bytes(900), b"{}\n"),
    ],
)
def test_torn_lines(tmp_path: Path, content: bytes, left: bytes) -> None:
    path = tmp_path / EVENTS_FILE
    path.write_bytes(content)
    assert mend_lines(path) == Mended(len(content) - len(left))
    assert path.read_bytes() == left


def test_a_long_file_of_lines_is_cut_at_its_end_only(tmp_path: Path) -> None:
    path = tmp_path / SAMPLES_FILE
    path.write_bytes(b"{}\n" * TAIL_LIMIT_BYTES + b'{"')
    assert mend_lines(path).cut_bytes == 2
    assert path.stat().st_size == 3 * TAIL_LIMIT_BYTES


def test_a_torn_record(tmp_path: Path) -> None:
    path, beat = tmp_path / TLOG_FILE, FakeAircraft().heartbeat()
    record = (at(3) // 1000).to_bytes(8, "big") + beat
    path.write_bytes(record * 3 + record[:-1])
    assert mend_tlog(path) == Mended(len(record) - 1, 0, at(3))
    assert path.read_bytes() == record * 3
    path.write_bytes(record[:9])
    assert mend_tlog(path) == Mended(9)
    assert path.read_bytes() == b""


@pytest.mark.parametrize("size", [0, 50_000])
def test_a_segment_without_data_is_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    """Some file systems know after a power cut how long a file was, and nothing of what was in it."""
    folder = begun(tmp_path, FLIGHT)
    (folder / "fritz-tag.0003.mp4").write_bytes(bytes(size))
    found = put_in_order(tmp_path, at(8), (FRITZ,))
    assert found.cuts["fritz"].segments == {"fritz-tag": 3}
    assert [path.name for path in folder.iterdir()] == [FLIGHT_FILE]
    assert "left alone" not in caplog.text
