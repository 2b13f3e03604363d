"""An exercise: a recorded flight is played into a running service, by HTTP, through the real ingest."""

from __future__ import annotations

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.bus import Reader
from flow.codec.annexb import split_nal_units
from flow.flights import Alarm, AlarmLevel
from flow.samples import RawTelemetry, TelemetrySample
from flow.units import AccessUnit
from tests.fakes.clock import START_NS
from tests.unit.recordings.flights import decode
from tests.unit.recordings.flown import filmed, filmed_in_h265, flight, said
from web.service import Running, running_service
from web.settings import CotSettings, RecordingSettings, ServerSettings, Settings, WebRtcSettings

DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def with_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a process of Python may take half a minute to start."""
    monkeypatch.setattr("web.training.BEGINS_WITHIN_S", DEADLINE_S)


class Page:
    """Asks the service, and reads the bus along."""

    def __init__(self, service: Running, session: aiohttp.ClientSession) -> None:
        self.service, self._session = service, session
        self.units: Reader[AccessUnit] = service.bus.lossless(AccessUnit)
        self.raw: Reader[RawTelemetry] = service.bus.lossless(RawTelemetry)

    async def ask(self, method: str, path: str = "training", body: Any = None) -> tuple[int, Any]:
        url = f"{self.service.url.rstrip('/')}/api/v1/{path}"
        async with self._session.request(method, url, json=body) as reply:
            return reply.status, await reply.json(content_type=None) if reply.status != 204 else None

    async def feeds(self) -> dict[str, dict[str, Any]]:
        _, told = await self.ask("GET", "feeds")
        return {feed["id"]: feed for feed in told["feeds"]}

    async def until(self, condition: Callable[[Any], bool], path: str = "training") -> Any:
        async with asyncio.timeout(DEADLINE_S):
            while not condition(told := (await self.ask("GET", path))[1]):
                await asyncio.sleep(0.02)
        return told


@asynccontextmanager
async def page(data_dir: Path, cot: CotSettings | None = None) -> AsyncIterator[Page]:
    settings = Settings(
        cot=cot or CotSettings(),
        server=ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        recording=RecordingSettings(reserve_mb=0),
    )
    async with running_service(settings) as service, aiohttp.ClientSession() as session:
        yield Page(service, session)


def nals(units: list[AccessUnit]) -> list[list[bytes]]:
    return [split_nal_units(unit.data) for unit in units]


async def test_a_flight_comes_back_onto_the_bus_as_it_was(tmp_path: Path) -> None:
    """Both codecs, picture for picture, in step with the telemetry; and nothing of it stays."""
    day, thermal = filmed("tag", 2.0), filmed_in_h265(tmp_path, "waerme")
    folder = flight(tmp_path, {"tag": day, "waerme": thermal}, said(2))
    wish = {"flight_id": folder.name, "by": "Kern", "seed": 3}
    async with page(tmp_path) as here:
        assert await here.ask("GET") == (200, {**(await here.ask("GET"))[1], "playing": False, "feeds": []})
        assert await here.feeds() == {}
        status, view = await here.ask("POST", body=wish)
        assert status == 201
        assert (view["flight_id"], view["by"], view["aircraft_name"]) == (
            folder.name,
            "Kern",
            "Multikopter Fritz",
        )
        assert view["duration_s"] == pytest.approx(2.0, abs=0.05)
        feeds = await here.feeds()
        assert {id: feed["name"] for id, feed in feeds.items()} == {
            "uebung-1": "ÜBUNG · Kamera tag",
            "uebung-2": "ÜBUNG · Kamera waerme",
        }
        assert all(feed["training"] and feed["aircraft_name"] == "ÜBUNG" for feed in feeds.values())
        assert (await here.ask("POST", body=wish))[1]["error"]["code"] == "training_runs"
        geojson = await here.until(lambda told: bool(told["features"]), "situation.geojson")
        assert geojson["features"][0]["properties"]["name"] == "ÜBUNG"
        await here.until(lambda told: not told["playing"])
        assert await here.feeds() == {}
        assert (await here.ask("GET", "situation.geojson"))[1]["features"] == []
        units = here.units.drain()
        messages = [decode(raw.data) for raw in here.raw.drain()]
    for feed_id, recorded in (("uebung-1", day), ("uebung-2", thermal)):
        shown = [unit for unit in units if unit.feed_id == feed_id]
        assert nals(shown) == nals(recorded)
        first, last = shown[0], shown[-1]
        assert last.utc_ns - first.utc_ns == pytest.approx(recorded[-1].utc_ns - recorded[0].utc_ns, abs=1e6)
    originals = [decode(data) for _, data in said(2)]
    assert Counter(m.get_type() for m in messages) == Counter(m.get_type() for m in originals)
    assert [m.roll for m in messages if m.get_type() == "ATTITUDE"] == [
        m.roll for m in originals if m.get_type() == "ATTITUDE"
    ]
    flights = {path.name for path in (tmp_path / "flights").iterdir()}
    assert flights == {folder.name}, "an exercise is not recorded"


async def test_it_goes_where_it_is_told_and_ends_when_it_is_told(tmp_path: Path) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 6.0)}, said(6))
    async with page(tmp_path) as here:
        wish = {"flight_id": folder.name, "from_s": 2.0, "loop": True}
        assert (await here.ask("POST", body=wish))[0] == 201
        await here.until(lambda told: told["position_s"] > 2.3)
        assert (await here.feeds()).keys() == {"uebung-1"}, "the flight has one camera"
        status, view = await here.ask("PATCH", body={"seek_s": 4.6, "paused": True})
        assert (status, view["paused"], view["position_s"]) == (200, True, 4.6)
        before = here.units.drain()[-1].epoch
        await here.ask("PATCH", body={"paused": False, "speed": 2.0})
        units: list[AccessUnit] = []
        async with asyncio.timeout(DEADLINE_S):
            while not (units := [unit for unit in here.units.drain() if unit.epoch > before]):
                await asyncio.sleep(0.02)
        assert split_nal_units(units[0].data) == split_nal_units(filmed("tag", 6.0)[135].data)
        assert units[0].epoch == before + 1
        assert (await here.until(lambda told: told["speed"] == 2.0))["loop"]
        assert (await here.ask("DELETE"))[0] == 204
        assert await here.feeds() == {}
        assert (await here.ask("DELETE"))[0] == 404
        assert (await here.ask("PATCH", body={"seek_s": 1}))[0] == 404


async def test_an_alarm_of_an_exercise_says_so_and_goes_with_it(tmp_path: Path) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 2.0)}, said(2))
    async with page(tmp_path) as here:
        await here.ask("POST", body={"flight_id": folder.name, "loop": True})
        here.service.bus.publish(Alarm("a-1", "uebung", 1, "no_fix", level=AlarmLevel.WARNING))
        told = await here.until(lambda told: bool(told["alarms"]), "alarms")
        assert (told["alarms"][0]["aircraft_name"], told["alarms"][0]["training"]) == ("ÜBUNG", True)
        mark = {"feed_id": "uebung-1", "lat_deg": 49.4, "lon_deg": 7.7, "label": "Übungspuppe"}
        assert (await here.ask("POST", "markers", mark))[0] == 201
        await here.ask("DELETE")
        assert (await here.ask("GET", "alarms"))[1] == {"alarms": []}
        assert (await here.ask("GET", "markers"))[1] == {"markers": []}


async def test_where_the_last_exercise_ended_is_not_where_the_next_begins(tmp_path: Path) -> None:
    """One without telemetry has no place, no track and no alarms of an aircraft."""
    flown = flight(tmp_path, {"tag": filmed("tag", 2.0)}, said(2))
    mute = flight(tmp_path, {"tag": filmed("tag", 2.0)}, start_ns=START_NS + 3600 * 10**9)
    async with page(tmp_path) as here:
        await here.ask("POST", body={"flight_id": flown.name, "loop": True})
        await here.until(lambda told: bool(told["features"]), "situation.geojson")
        await here.ask("DELETE")
        assert (await here.ask("POST", body={"flight_id": mute.name, "loop": True}))[0] == 201
        assert (await here.ask("GET", "situation.geojson"))[1]["features"] == []
        sample = here.service.bus.peek(TelemetrySample, "uebung")
        assert sample is not None
        assert sample.forgets


async def test_nothing_of_an_exercise_is_told_to_tak_or_without_its_mark(tmp_path: Path) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 2.0)}, said(2))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tak:
        tak.bind(("127.0.0.1", 0))
        tak.setblocking(False)
        to = f"udp://127.0.0.1:{tak.getsockname()[1]}"
        async with page(tmp_path, CotSettings(to=(to,), every_s=0.2)) as here:
            await here.ask("POST", body={"flight_id": folder.name, "loop": True})
            await here.until(lambda told: bool(told["features"]), "situation.geojson")
            place = {"lat_deg": 49.4, "lon_deg": 7.7}
            for who in ("", "uebung"):  # whatever it is said to be of
                mark = {**place, "feed_id": "uebung-1", "label": "Puppe", "aircraft_id": who}
                told = (await here.ask("POST", "markers", mark))[1]
                assert (told["aircraft_id"], told["label"]) == ("uebung", "ÜBUNG · Puppe")
            heard = b""
            for label in (
                "Sammelplatz",
                "Tor 2",
            ):  # behind the second, all that stood with the first has come
                await here.ask("POST", "markers", {**place, "label": label})
                async with asyncio.timeout(DEADLINE_S):
                    while label.encode() not in heard:
                        heard += await asyncio.get_running_loop().sock_recv(tak, 65536)
            assert not [word for word in ("uebung", "ÜBUNG", "Puppe") if word.encode() in heard]
            _, geojson = await here.ask("GET", "situation.geojson")
            names = [f["properties"].get("name", "ÜBUNG") for f in geojson["features"]]
            assert {n for n in names if not n.startswith("ÜBUNG")} == {"Sammelplatz", "Tor 2"}


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"flight_id": "20261122t044900z-nobody"}, 404, "not_found"),
        ({"flight_id": "../../etc"}, 404, "not_found"),
        ({"flight_id": "FLIGHT", "feeds": ["other"]}, 404, "not_found"),
        ({"flight_id": "FLIGHT", "speed": 50}, 400, "malformed"),
        ({"flight_id": "FLIGHT", "by": "a\nb"}, 400, "malformed"),
        ({"flight_id": "FLIGHT", "loss": 2}, 400, "malformed"),
        ({}, 400, "malformed"),
    ],
)
async def test_what_cannot_be_played(tmp_path: Path, wish: dict[str, Any], status: int, code: str) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 1.0)})
    wish = {key: folder.name if value == "FLIGHT" else value for key, value in wish.items()}
    async with page(tmp_path) as here:
        told = await here.ask("POST", body=wish)
        assert (told[0], told[1]["error"]["code"]) == (status, code)
        assert not (await here.ask("GET"))[1]["playing"]


async def test_a_flight_that_is_damaged_or_empty(tmp_path: Path) -> None:
    empty = flight(tmp_path, {"tag": []})
    async with page(tmp_path) as here:
        told = await here.ask("POST", body={"flight_id": empty.name})
        assert (told[0], told[1]["error"]["code"]) == (503, "replay_failed")
        (empty / "flight.json").write_text("{")
        told = await here.ask("POST", body={"flight_id": empty.name})
        assert (told[0], told[1]["error"]["code"]) == (409, "flight_damaged")
        assert not (await here.ask("GET"))[1]["playing"]


async def test_the_player_ends_with_the_service(tmp_path: Path) -> None:
    folder = flight(tmp_path, {"tag": filmed("tag", 2.0)})
    async with page(tmp_path) as here:
        await here.ask("POST", body={"flight_id": folder.name, "loop": True})
        assert _players(folder)
    assert not _players(folder)


def _players(folder: Path) -> list[str]:
    """Process ids of replays of this flight."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if re.search(rb"recordings\.replay.*" + re.escape(str(folder).encode()), command, re.S):
            found.append(process.name)
    return found
