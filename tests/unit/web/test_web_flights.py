"""Recorded flights over HTTP: found, watched, held, deleted; and no id of a request is a path."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from flow.errors import ConfigError
from flow.flights import RecordingSwitch
from flow.recording import EVERYTHING, RecordingState, RecordKind
from recordings.folders import segment_name
from recordings.incidents import incident_path, read_incident
from recordings.recorder import Recorder
from recordings.segment_file import read_index
from recordings.start_up import Found
from tests.unit.web.recorded_house import (
    RUNNING_NS,
    START_MS,
    recorded_house,
    recorded_settings,
    samples,
)
from web.service import running_service
from web.settings import RecordingSettings
from web.views import sample_view

ME = {"by": "Meier, ELW 1"}
WHY = {"reason": "Auskunftsersuchen"} | ME


async def test_flights_are_found_and_told_in_full(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        newest, oldest = (await house.get("/api/v1/flights"))["flights"]
        assert [newest["id"], oldest["id"]] == [house.later.id, house.whole.id]
        one = await house.get(f"/api/v1/flights/{house.whole.id}")
        assert one == oldest
        assert (one["aircraft_name"], one["duration_ms"]) == ("Multikopter Fritz", 3000.0)
        assert (one["markers"], one["alarms"], one["damage"]) == (1, 1, "")
        assert one["delete_rule"] == "einsatz_days"
        (feed,) = one["feeds"]
        assert (feed["codec"], feed["pictures"], feed["segments"]) == ("h264", 90, 1)
        for query, found in (
            ("aircraft=fritz", [oldest["id"]]),
            ("aircraft=nobody", []),
            ("text=ottm", [newest["id"]]),
            ("limit=1", [newest["id"]]),
            (f"before={newest['id']}", [oldest["id"]]),
            (f"from_ms={START_MS + 1e6}", [newest["id"]]),
        ):
            told = await house.get(f"/api/v1/flights?{query}")
            assert [each["id"] for each in told["flights"]] == found, query
        for wrong in ("limit=0", "limit=x", "limit=1001", "from_ms=nan", "to_ms=1e99", f"text={'x' * 201}"):
            assert (await house.get(f"/api/v1/flights?{wrong}", 400))["error"]["code"] == "malformed"
        events = (await house.get(f"/api/v1/flights/{house.whole.id}/events"))["events"]
        assert [each["type"] for each in events] == ["marker", "alarm", "text"]
        assert (events[0]["label"], events[2]["text"]) == ("Glutnest", "Battery low")
        config = await house.get("/api/v1/config")
        assert config["recording"] is True


async def test_a_flight_is_held_let_go_of_and_deleted_and_that_is_documented(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        one, hold = f"/api/v1/flights/{house.whole.id}", f"/api/v1/flights/{house.whole.id}/hold"
        for wrong in ({}, ME, WHY | {"by": "  "}, WHY | {"reason": "\u202e"}, WHY | {"more": 1}):
            await house.ask("PUT", hold, 400, json=wrong)
            await house.ask("DELETE", one, 400, json=wrong)
        planned = (await house.get("/api/v1/retention"))["planned"]
        assert [each["flight_id"] for each in planned] == [house.whole.id, house.later.id]
        held = await house.ask("PUT", hold, json=WHY)
        assert (held["reason"], held["by"]) == ("Auskunftsersuchen", "Meier, ELW 1")
        assert (await house.get(one))["hold"] == held
        assert (await house.get("/api/v1/retention"))["planned"] == planned[1:]
        refused = await house.ask("DELETE", one, 409, json=WHY)
        assert refused["error"]["code"] == "on_hold"
        await house.ask("DELETE", hold, 204, json=ME)
        deleted = await house.ask("DELETE", one, json=WHY)
        assert (deleted["rule"], deleted["by"], deleted["reason"]) == ("person", ME["by"], WHY["reason"])
        assert (await house.get("/api/v1/deletions"))["deletions"] == [deleted]
        assert not house.whole.folder.exists()
        await house.get(one, 404)
        await house.ask("DELETE", one, 404, json=WHY)


async def test_incidents_are_opened_changed_and_closed(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        url = "/api/v1/incidents"
        wish = {"kind": "einsatz", "name": "Dachstuhlbrand", "aircraft_ids": ["otto"]} | ME
        for wrong in ({"kind": "fest"}, {"name": ""}, {"by": ""}, {"more": 1}):
            await house.ask("POST", url, 400, json=wish | wrong)
        await house.ask("POST", url, 404, json=wish | {"aircraft_ids": ["../otto"]})
        made = await house.ask("POST", url, 201, json=wish)
        at = f"{url}/{made['id']}"
        changed = await house.ask(
            "PATCH", at, json={"name": "Übung Süd", "kind": "uebung", "flight_ids": [house.whole.id]}
        )
        assert (changed["name"], changed["kind"], changed["closed_ms"]) == ("Übung Süd", "uebung", None)
        assert (await house.get(url))["incidents"] == [changed]
        assert [
            each["id"] for each in (await house.get(f"/api/v1/flights?incident={made['id']}"))["flights"]
        ] == [house.whole.id]
        assert (await house.get(f"/api/v1/flights/{house.whole.id}"))["delete_rule"] == "uebung_days"
        # Two people at once: neither undoes what the other has done.
        await asyncio.gather(
            house.ask("PATCH", at, json={"add_flight_ids": [house.later.id]}),
            house.ask("PATCH", at, json={"name": "Übung Süd 2"}),
            house.ask("PATCH", at, json={"remove_flight_ids": [house.whole.id]}),
        )
        (left,) = (await house.get(url))["incidents"]
        assert (left["name"], left["flight_ids"]) == ("Übung Süd 2", [house.later.id])
        for field in ("add_flight_ids", "remove_flight_ids"):
            await house.ask("PATCH", at, 400, json={field: ["../../etc"]})
        await house.ask("PATCH", at, 404, json={"add_flight_ids": ["20200101t000000z-otto"]})
        await house.ask("PATCH", at, 404, json={"aircraft_ids": ["nobody"]})
        await house.ask("PATCH", at, 400, json={"flight_ids": ["../../etc"]})
        await house.ask("PATCH", at, 400, json={"name": None})
        await house.ask("PATCH", f"{url}/nobody", 404, json={"closed": True})
        closed = await house.ask("PATCH", at, json={"closed": True, "aircraft_ids": []})
        assert closed["closed_ms"] is not None
        assert (await house.ask("PATCH", at, json={"closed": False}))["closed_ms"] is None


async def test_an_incident_says_what_of_its_flights_is_recorded(tmp_path: Path) -> None:
    """On the disk, and for the pages of everybody who watches."""
    async with recorded_house(tmp_path) as house:
        url = "/api/v1/incidents"
        wish = {"kind": "einsatz", "name": "Brand", "aircraft_ids": ["otto"], "record": ["telemetry"]} | ME
        made = await house.ask("POST", url, 201, json=wish)
        assert (made["record"], made["record_by"]) == (["telemetry"], ME["by"])
        bus, at = house.service.bus, f"{url}/{made['id']}"

        async def told(*kinds: RecordKind) -> None:
            async with asyncio.timeout(5):
                with bus.latest(RecordingState, "otto") as states:
                    async for state in states:
                        if state.records == kinds:
                            return

        await told(RecordKind.TELEMETRY)
        changed = await house.ask("PATCH", at, json={"record": [], "by": "Weber"})
        assert (changed["record"], changed["record_by"]) == ([], "Weber")
        await told()
        assert (await house.ask("PATCH", at, json={"name": "Hof"}))["record"] == []
        listed = await house.get(url)
        assert listed["incidents"][0]["record"] == []
        assert listed["record_defaults"]["einsatz"] == ["pictures", "telemetry"]
        file = read_incident(incident_path(house.whole.folder.parents[1], made["id"]))
        assert (file.record, file.record_by) == ((), "Weber")
        assert (await house.ask("PATCH", at, json={"record": None}))["record"] is None
        await told(*EVERYTHING)
        await house.ask("PATCH", at, 400, json={"record": ["audio"]})


async def test_a_flight_joins_or_leaves_an_incident_whatever_else_has_joined_it(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        first, second = house.whole.id, house.later.id
        wish = {"kind": "einsatz", "name": "Dachstuhlbrand"} | ME
        at = f"/api/v1/incidents/{(await house.ask('POST', '/api/v1/incidents', 201, json=wish))['id']}"
        await asyncio.gather(*(house.ask("PATCH", at, json={"add_flight_ids": [f]}) for f in (first, second)))
        told = await house.ask("PATCH", at, json={"remove_flight_ids": [first]})
        assert told["flight_ids"] == [second]
        for wrong, status in (("../x", 400), ("20261122t044900z-nobody", 404)):
            await house.ask("PATCH", at, status, json={"add_flight_ids": [wrong]})
        told = await house.ask("PATCH", at, json={"add_flight_ids": [first], "remove_flight_ids": [second]})
        assert told["flight_ids"] == [first]


async def test_pictures_are_read_by_range_while_they_grow(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        flight = house.running
        path = flight.folder / segment_name("tag", 1)
        with path.open("ab") as file:
            file.write(b"\0\0\1\0moof half a fragment")
        whole = path.read_bytes()[: read_index(path).whole_bytes]
        url = f"/api/v1/flights/{flight.id}/feeds/tag/segments/1.mp4"
        async with house.http.get(url) as reply:
            assert await reply.read() == whole
            first, headers = reply.headers["ETag"], reply.headers
        assert (headers["Accept-Ranges"], headers["Content-Type"]) == ("bytes", "video/mp4")
        assert headers["Cache-Control"] == "no-store"
        async with house.http.get(url, headers={"Range": "bytes=100-199"}) as reply:
            assert (reply.status, await reply.read()) == (206, whole[100:200])
            assert reply.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
        async with house.http.get(url, headers={"Range": f"bytes={len(whole)}-"}) as reply:
            assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")
            assert (await reply.json())["error"]["code"] == "range"
        async with house.http.head(url, headers={"Range": "bytes=0-1"}) as reply:
            assert (reply.status, reply.headers["Content-Length"]) == (200, str(len(whole)))
            assert (await reply.read(), reply.headers["ETag"]) == (b"", first)
        path.write_bytes(whole)
        flight.film("tag", 1)
        asked = {"Range": "bytes=5-9", "If-Range": first}
        async with house.http.get(url, headers=asked) as reply:
            assert (reply.status, await reply.read()) == (200, path.read_bytes())
            assert reply.headers["ETag"] != first
            asked["If-Range"] = reply.headers["ETag"]
        async with house.http.get(url, headers=asked) as reply:
            assert (reply.status, await reply.read()) == (206, whole[5:10])


async def test_the_index_leads_to_the_bytes_of_a_moment(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        running = "/api/v1/feeds/{}/recording"
        assert (await house.get(running.format("tag"), 404))["error"]["code"] == "no_flight"
        house.record()
        at_ms = RUNNING_NS / 1e6 + 1200
        view = await house.get(running.format("tag"), params={"from_ms": at_ms, "to_ms": at_ms + 100})
        assert view == await house.get(
            f"/api/v1/flights/{house.running.id}/feeds/tag", params={"from_ms": at_ms, "to_ms": at_ms + 100}
        )
        (segment,) = view["segments"]
        table = segment["fragments"]
        span = f"bytes={table['offset'][0]}-{table['offset'][-1] + table['size'][-1] - 1}"
        piece = await house.get(segment["url"], 206, headers={"Range": span})
        head = await house.get(segment["url"], 206, headers={"Range": f"bytes=0-{segment['init_bytes'] - 1}"})
        assert (head[4:8], len(piece)) == (b"ftyp", sum(table["size"]))
        assert b"moof" in piece
        assert (await house.get(running.format("push")))["reason"] == "no_segments"
        await house.get(running.format("nobody"), 404)
        await house.get(running.format("tag"), 400, params={"from_ms": "soon"})
        (house.whole.folder / "flight.json").write_bytes(b"{")
        damaged = await house.get(f"/api/v1/flights/{house.whole.id}/feeds/fritz-tag", 409)
        assert damaged["error"]["code"] == "recording_damaged"
        assert str(tmp_path) not in damaged["error"]["message"]
        wish = {"flight_id": house.whole.id, "by": "Kern"}
        damaged = await house.ask("POST", "/api/v1/training", 409, json=wish)
        assert damaged["error"]["code"] == "flight_damaged"
        assert str(tmp_path) not in damaged["error"]["message"]


async def test_a_flight_that_only_just_begins_is_not_there_yet_and_not_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with recorded_house(tmp_path) as house:
        house.record()
        (house.running.folder / "flight.json").unlink()
        told = await house.get("/api/v1/feeds/tag/recording", 404)
        assert told["error"]["code"] == "no_flight"
        await house.get(f"/api/v1/flights/{house.running.id}/feeds/tag", 404)
        await house.get(f"/api/v1/flights/{house.running.id}/telemetry.json", 404)
    assert not [each for each in caplog.records if "flight.json" in each.getMessage()]


async def test_telemetry_of_a_stretch_begins_with_what_was_known_then(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        url = f"/api/v1/flights/{house.whole.id}/telemetry"
        told = await house.get(f"{url}.json", params={"from_ms": START_MS + 150, "to_ms": START_MS + 400})
        assert told == {
            "samples": json.loads(json.dumps([sample_view(s) for s in samples(5)[1:]])),
            "cut": False,
        }
        assert len((await house.get(f"{url}.json"))["samples"]) == 30
        assert await house.get(f"/api/v1/flights/{house.running.id}/telemetry.json") == {
            "samples": [], "cut": False,
        }  # fmt: skip
        tlog = (house.whole.folder / "telemetry.tlog").read_bytes()
        assert await house.get(f"{url}.tlog") == tlog
        assert await house.get(f"{url}.tlog", 206, headers={"Range": "bytes=-9"}) == tlog[-9:]
        await house.get(f"/api/v1/flights/{house.running.id}/telemetry.tlog", 404)
        async with house.http.head(f"{url}.tlog") as reply:
            assert reply.headers["Content-Disposition"] == f'attachment; filename="{house.whole.id}.tlog"'


async def test_a_download_survives_the_deletion_of_its_flight(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        path = house.whole.folder / "telemetry.tlog"
        content = bytes(range(256)) * 128 * 1024  # 32 MiB: more than what waits on the way
        path.write_bytes(content)
        async with house.http.get(f"/api/v1/flights/{house.whole.id}/telemetry.tlog") as reply:
            first = await reply.content.readexactly(1000)
            await house.ask("DELETE", f"/api/v1/flights/{house.whole.id}", json=WHY)
            assert not path.exists()
            assert first + await reply.read() == content
        await house.get(f"/api/v1/flights/{house.whole.id}/telemetry.tlog", 404)


ROUTES = (
    "/api/v1/flights/{}",
    "/api/v1/flights/{}/events",
    "/api/v1/flights/{}/telemetry.json",
    "/api/v1/flights/{}/telemetry.tlog",
    "/api/v1/flights/{}/feeds/fritz-tag",
    "/api/v1/flights/{}/feeds/fritz-tag/segments/1.mp4",
    "/api/v1/flights/FLIGHT/feeds/{}",
    "/api/v1/flights/FLIGHT/feeds/{}/segments/1.mp4",
    "/api/v1/flights/FLIGHT/feeds/fritz-tag/segments/{}.mp4",
    "/api/v1/feeds/{}/recording",
)
TRICKS = (
    "..", ".", "../..", "....//", "%2e%2e", "..%2f..%2fsecret", "/etc/passwd", "secret", "../secret\0", "0",
    "-1", "1/../1", "00001", "٢", "1e0", " 1", "20261122t044900z-../x", "FLIGHT/../FLIGHT", "FLIGHT\n",
    "CON", "~", "fritz-tag.0001", "*", "\\..\\secret", "FLIGHT%00", "x" * 5000,
)  # fmt: skip
PIECES = (
    "..",
    "/",
    "\\",
    "%2e",
    "%2f",
    "\0",
    "~",
    ".",
    "1",
    "-",
    "secret",
    "flight.json",
    "fritz-tag",
    "é",
    "FLIGHT",
)


async def test_no_id_is_a_path(tmp_path: Path) -> None:
    chance = random.Random(7)
    made = ("".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(15))
    (tmp_path / "secret").write_bytes(b"SECRET")
    async with recorded_house(tmp_path) as house:
        (house.whole.folder / "secret").write_bytes(b"SECRET")
        tricks = [each.replace("FLIGHT", house.whole.id) for each in (*TRICKS, *made)]
        outcomes = set()
        for trick in (each for each in tricks if each not in (house.whole.id, "fritz-tag", "1")):
            for route in ROUTES:
                path = route.replace("FLIGHT", house.whole.id).format(quote(trick, safe=""))
                async with house.http.get(URL(house.service.url.rstrip("/") + path, encoded=True)) as reply:
                    body = await reply.read()
                    assert b"SECRET" not in body, path
                    assert str(tmp_path).encode() not in body, path
                    outcomes.add(reply.status)
        assert outcomes <= {400, 404, 414}, outcomes


async def test_recording_is_switched_by_a_named_person(tmp_path: Path) -> None:
    async with recorded_house(tmp_path) as house:
        url = "/api/v1/aircraft/otto/recording"
        with house.service.bus.events(RecordingSwitch) as switches:
            await house.ask("PUT", url, 400, json={"on": False, "by": " "})
            await house.ask("PUT", url, 400, json={"on": "no"} | ME)
            await house.ask("PUT", "/api/v1/aircraft/nobody/recording", 404, json={"on": False} | ME)
            await house.ask("PUT", url, 204, json={"on": False} | ME)
            switch = await anext(aiter(switches))
        assert isinstance(switch, RecordingSwitch)
        assert (switch.aircraft_id, switch.on, switch.by) == ("otto", False, "Meier, ELW 1")
        async with asyncio.timeout(5):
            while True:
                async with house.http.get("/api/v1/storage") as reply:
                    if reply.status == 200:
                        assert (await reply.json())["free_bytes"] >= 0
                        break
                await asyncio.sleep(0.02)


async def test_what_a_page_saw_is_kept_when_it_leaves(tmp_path: Path) -> None:
    report = {"type": "viewing", "joined_ms": 55.0, "ages": [0.0, 9.0] + [0.0] * 8, "interruptions": 1}
    async with recorded_house(tmp_path) as house:
        async with house.http.ws_connect("/api/v1/feeds/tag/telemetry") as page:
            await page.send_json(report | {"interrupted_ms": 300.0})
            await page.send_json(report | {"interrupted_ms": -1})
            await page.send_json({"type": "time", "t0": 1.0})
            while (await page.receive_json())["type"] != "time":
                pass
        async with asyncio.timeout(5):
            while not (told := await house.get("/api/v1/viewings"))["viewings"]:
                await asyncio.sleep(0.02)
        assert (told["viewings"][0]["feed_id"], told["viewings"][0]["joined_ms"]) == ("tag", 55.0)
        assert (told["summary"]["viewings"], told["summary"]["join_p50_ms"]) == (1, 55.0)
        assert "lagebild_viewings_refused_total 1.0" in (await house.get("/metrics")).decode()
        wish = {"kind": "einsatz", "name": "Brand"} | ME
        incident = await house.ask("POST", "/api/v1/incidents", 201, json=wish)
        await house.get("/api/v1/viewings?incident=nobody", 404)
        of_none = await house.get(f"/api/v1/viewings?incident={incident['id']}")
        assert of_none["summary"]["viewings"] == 0


async def test_a_second_server_on_the_folder_is_refused_before_it_listens(tmp_path: Path) -> None:
    async with running_service(recorded_settings(tmp_path)) as first:
        with pytest.raises(ConfigError, match=first.url):
            async with running_service(recorded_settings(tmp_path)):
                pass


async def test_without_recording_the_folder_is_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "data"
    quiet = recorded_settings(root)
    quiet = type(quiet)(
        **{n: getattr(quiet, n) for n in quiet.__slots__} | {"recording": RecordingSettings(False)}
    )
    async with running_service(quiet) as service, aiohttp.ClientSession(service.url) as http:
        async with http.get("/api/v1/flights") as reply:
            assert reply.status == 404
        async with http.get("/api/v1/config") as reply:
            assert (await reply.json())["recording"] is False
    assert {each.name for each in root.iterdir()} == {"audit", "signing-key.pem"}


async def test_a_defect_in_the_recordings_ends_neither_the_pages_nor_the_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Recorder.run
    runs: list[int] = []

    async def fails_once(self: Recorder, found: Found | None = None) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ZeroDivisionError
        await whole(self, found)

    monkeypatch.setattr(Recorder, "run", fails_once)
    async with recorded_house(tmp_path) as house:
        async with asyncio.timeout(20):
            while len(runs) < 2:
                await asyncio.sleep(0.02)
        assert (await house.get(f"/api/v1/flights/{house.whole.id}"))["id"] == house.whole.id
    assert "recordings failed: a defect of Lagebild" in caplog.text
