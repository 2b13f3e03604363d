"""Whatever is given as an id, the archive says that there is none, and nothing outside its root changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow.errors import LagebildError
from recordings.archive import Archive
from recordings.entries import FlightQuery, Rule
from recordings.protocol.retention import Days
from tests.fakes.clock import FakeClock
from tests.fakes.recorded_flights import FlightMaker

FLIGHT = "20261122t064640z-fritz"
PATH_PIECES = ["..", "/", "\\", ".", "~", "%2e%2e", "flights", "incidents", ".trash", "victim", FLIGHT]
STRANGE = ["\x00", "\n", "-", "a", "ä", "\ud800", "\u0662\u0660\u0662\u0666", "\u202e", "x" * 300]
PIECES = st.sampled_from([*PATH_PIECES, *STRANGE])
IDS = st.one_of(
    st.text(max_size=80),
    st.lists(PIECES, max_size=6).map("".join),
    st.lists(PIECES, max_size=3).map(lambda parts: FLIGHT + "".join(parts)),
)


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if "catalogue.sqlite" not in path.name
    }


async def attack(archive: Archive, wrong: str) -> None:
    for asked in (
        archive.refresh(wrong),
        archive.flight(wrong),
        archive.events(wrong),
        archive.hold(wrong, "why", "Max"),
        archive.release(wrong, "Max"),
        archive.delete(wrong, Rule.PERSON, "Max"),
        archive.change_incident(wrong, name="x", closed=True),
    ):
        with pytest.raises(LagebildError) as caught:
            await asked
        assert caught.value.code == "not_found"
    await archive.flights(FlightQuery(wrong, wrong, text=wrong, before_id=wrong))
    await archive.viewings(0, 1, (wrong,))


def test_no_id_leads_out_of_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "flight.json").write_text("{}")
    flight = FlightMaker(root)
    flight.end()
    runner = asyncio.Runner()
    archive = Archive(root, FakeClock(), Days())
    runner.run(archive.open())
    before = snapshot(tmp_path)

    @given(IDS.filter(lambda each: each != FLIGHT))
    @settings(max_examples=80, derandomize=True, deadline=None, database=None,
              suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
    def each(wrong: str) -> None:
        runner.run(attack(archive, wrong))

    each()
    runner.run(archive.aclose())
    runner.close()
    assert snapshot(tmp_path) == before
