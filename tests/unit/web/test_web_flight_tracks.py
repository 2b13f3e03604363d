"""Telemetry files, the line to draw, and notes of a flight, over HTTP."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import aiohttp
import gpxpy
import pytest
from yarl import URL

from flow.clock import NS_PER_S
from recordings.samples_file import samples_within
from tests.fakes.clock import START_NS
from tests.unit.recordings.tracks_flown import north
from tests.unit.web.recorded_house import RUNNING_NS, START_MS, RecordedHouse, recorded_house
from web.views import ms

FORMATS = ("csv", "gpx", "kml", "geojson")
BY = {"by": "Meier, ELW 1"}


def one(house: RecordedHouse) -> str:
    return f"/api/v1/flights/{house.whole.id}"


async def test_telemetry_is_there_in_every_form(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        for form, kind in zip(
            FORMATS,
            (
                "text/csv",
                "application/gpx+xml",
                "application/vnd.google-earth.kml+xml",
                "application/geo+json",
            ),
            strict=True,
        ):
            async with house.http.get(f"{one(house)}/telemetry.{form}") as reply:
                assert (reply.status, reply.content_type) == (200, kind)
                name = f'attachment; filename="{house.whole.id}.{form}"'
                assert reply.headers["Content-Disposition"] == name
                assert reply.headers["Cache-Control"] == "no-store"
                assert b"Multikopter Fritz" in await reply.read() or form == "csv"
        gpx = gpxpy.parse((await house.get(f"{one(house)}/telemetry.gpx")).decode())
        assert gpx.get_points_no() == 30
        stretch = f"from_ms={START_MS + 1000}&to_ms={START_MS + 2000}"
        rows = (await house.get(f"{one(house)}/telemetry.csv?{stretch}")).decode().splitlines()
        assert len(list(csv.reader(rows))) == 1 + 10
        for outside in (f"to_ms={START_MS}", "from_ms=99999999999999", "to_ms=-99999999999999"):
            assert len((await house.get(f"{one(house)}/telemetry.csv?{outside}")).splitlines()) == 1
        for wrong in ("from_ms=nan", "to_ms=1e99", "from_ms=2&to_ms=1"):
            told = await house.get(f"{one(house)}/telemetry.csv?{wrong}", 400)
            assert told["error"]["code"] == "malformed"
        later = f"/api/v1/flights/{house.later.id}"  # has no samples
        assert len((await house.get(f"{later}/telemetry.csv")).splitlines()) == 1


async def test_a_long_flight_comes_in_pieces_and_whole(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        house.running.sample(*north(range(1500)))
        path = f"/api/v1/flights/{house.running.id}/telemetry.csv"
        async with house.http.get(path) as reply:
            assert reply.headers["Transfer-Encoding"] == "chunked"
            assert len((await reply.read()).splitlines()) == 1501
        gone = await house.http.get(path)  # a browser that leaves
        gone.close()
        together = await asyncio.gather(*(house.get(path) for _ in range(2)))
        assert len(set(together)) == 1


async def test_what_breaks_off_does_not_look_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(path: Path, from_ns: int, to_ns: int) -> object:
        yield from north(range(3000))
        raise OSError("the disk is gone")

    monkeypatch.setattr("web.routes.flight_tracks.samples_within", breaking)
    async with recorded_house(tmp_path) as house:
        with pytest.raises(aiohttp.ClientPayloadError):
            await house.get(f"{one(house)}/telemetry.csv")
        monkeypatch.setattr("web.routes.flight_tracks.samples_within", samples_within)
        assert len((await house.get(f"{one(house)}/telemetry.csv")).splitlines()) == 31


async def test_the_line_to_draw_is_kept_until_there_is_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recorded_house(tmp_path) as house:
        track = await house.get(f"{one(house)}/track.json")
        assert [point["utc_ms"] for point in track["points"]] == [START_MS + 100 * n for n in range(30)]
        assert (track["points"][0]["lat_deg"], track["points"][0]["battery_pct"]) == (49.4, None)
        assert track["cut_ms"] == []
        assert await house.get(f"/api/v1/flights/{house.later.id}/track.json") == {"points": [], "cut_ms": []}
        with monkeypatch.context() as patched:
            patched.delattr("web.routes.flight_tracks.flight_course")
            assert await house.get(f"{one(house)}/track.json") == track
        house.whole.sample(*north(range(600, 610)))
        grown = await house.get(f"{one(house)}/track.json")
        assert len(grown["points"]) == 40
        assert grown["cut_ms"] == [ms(START_NS + 60 * NS_PER_S)]


async def test_ids_that_are_paths_are_no_flights(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text('{"id":"n-1"}\n')
    async with recorded_house(tmp_path) as house:
        for flight in ("..", "%2e%2e", "..%2f..", "nobody", f"{house.whole.id}%2f..", "%00"):
            for what in ("track.json", "notes", *(f"telemetry.{form}" for form in FORMATS)):
                path = URL(f"/api/v1/flights/{flight}/{what}", encoded=True)
                async with house.http.get(path) as reply:
                    assert reply.status in (400, 404), path
        gone = house.whole.id.replace("fritz", "nobody")
        for what in ("track.json", "notes", "telemetry.csv"):
            await house.get(f"/api/v1/flights/{gone}/{what}", 404)
        (house.whole.folder / "flight.json").write_text("{")
        for what in ("track.json", "notes", "telemetry.csv"):
            told = await house.get(f"{one(house)}/{what}", 409)
            assert told["error"]["code"] == "recording_damaged"


async def test_notes_are_made_changed_and_taken_back(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        notes = f"{one(house)}/notes"
        assert await house.get(notes) == {"notes": []}
        wish = {"utc_ms": START_MS + 1500, "text": " Person auf dem Dach ", "feed_id": "fritz-tag"} | BY
        made = await house.ask("POST", notes, 201, json=wish)
        assert (made["text"], made["utc_ms"], made["feed_id"], made["changed_ms"]) == (
            "Person auf dem Dach", START_MS + 1500, "fritz-tag", None,
        )  # fmt: skip
        early = await house.ask("POST", notes, 201, json={"utc_ms": START_MS, "text": "Start"} | BY)
        assert [note["id"] for note in (await house.get(notes))["notes"]] == [early["id"], made["id"]]
        changed = await house.ask("PATCH", f"{notes}/{made['id']}", json={"text": "Zwei", "by": "Otto"})
        assert (changed["text"], changed["by"], changed["utc_ms"]) == ("Zwei", "Otto", START_MS + 1500)
        assert changed["changed_ms"] > changed["made_ms"] == made["made_ms"]
        await house.ask("DELETE", f"{notes}/{early['id']}", 204, json=BY)
        assert (await house.get(notes))["notes"] == [changed]
        for method in ("PATCH", "DELETE"):
            await house.ask(method, f"{notes}/{early['id']}", 404, json=BY)
            await house.ask(method, f"{notes}/%2e%2e", 404, json=BY)
        running = f"/api/v1/flights/{house.running.id}/notes"
        assert await house.ask("POST", running, 201, json={"utc_ms": ms(RUNNING_NS), "text": "jetzt"} | BY)
        await house.ask("DELETE", one(house), json={"reason": "Test"} | BY)
        await house.get(notes, 404)
        await house.ask("POST", notes, 404, json=wish)


async def test_what_is_no_note_is_refused(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        notes = f"{one(house)}/notes"
        good = {"utc_ms": START_MS, "text": "gut"} | BY
        made = await house.ask("POST", notes, 201, json=good)
        for wrong in (
            {"text": ""}, {"text": "   "}, {"text": "x" * 501}, {"text": "a\u202eb"}, {"text": "a\nb"},
            {"utc_ms": START_MS - 5000}, {"utc_ms": START_MS + 5000}, {"utc_ms": 1e300}, {"utc_ms": None},
            {"by": " "}, {"feed_id": "tag"}, {"feed_id": "../x"}, {"more": 1},
        ):  # fmt: skip
            told = await house.ask("POST", notes, 400, json=good | wrong)
            assert told["error"]["code"] == "malformed", wrong
            if "more" not in wrong:
                await house.ask("PATCH", f"{notes}/{made['id']}", 400, json=BY | wrong)
        await house.ask("DELETE", f"{notes}/{made['id']}", 400, json={})
        assert await house.get(notes) == {"notes": [made]}


async def test_an_address_makes_so_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.routes.flight_notes.CHANGES_AT_ONCE", 2)
    monkeypatch.setattr("web.routes.flight_notes.CHANGES_A_SECOND", 0.0)
    async with recorded_house(tmp_path) as house:
        notes, wish = f"{one(house)}/notes", {"utc_ms": START_MS, "text": "x"} | BY
        made = await house.ask("POST", notes, 201, json=wish)
        await house.ask("PATCH", f"{notes}/{made['id']}", 200, json=BY)
        for method, path, body in (("POST", notes, wish), ("DELETE", f"{notes}/{made['id']}", BY)):
            assert (await house.ask(method, path, 429, json=body))["error"]["code"] == "too_many"
        assert len((await house.get(notes))["notes"]) == 1
