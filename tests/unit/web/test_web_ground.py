"""Points of pictures and markers, as pages ask for them: through the whole service."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.clock import NS_PER_MS
from flow.flights import Marker
from flow.memory_bus import MemoryBus
from flow.samples import Place, TelemetrySample
from flow.units import UtcOrigin
from flow.utmref import utmref
from telemetry.protocol.earth import Plane
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.encoded import as_units, h264_pictures
from web.markers import MOST_MARKERS, MarkerBoard
from web.picture_time import capture_of, timestamp_of
from web.routes.markers import CHANGES_AT_ONCE
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

LAT, LON = 49.4401883, 7.7704245
GROUND = "/api/v1/feeds/tag/ground"
MARKERS = "/api/v1/markers"
UNIT = as_units(h264_pictures(1), "tag")[0]


@dataclass
class House:
    """A service, and somebody who asks."""

    service: Running
    http: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, path, json=body) as reply:
            return reply.status, await reply.json() if reply.content_type == "application/json" else None

    async def refused(self, method: str, path: str, body: Any) -> tuple[int, str]:
        status, said = await self.ask(method, path, body)
        return status, said["error"]["code"]

    async def fly(self, at_ns: int | None = None, **told: Any) -> int:
        """One sample of Otto, 100 m up and looking north 45 degrees down; returns its time."""
        now_ns = self.service.clock.now_ns() if at_ns is None else at_ns
        known: dict[str, Any] = {
            "lat_deg": LAT,
            "lon_deg": LON,
            "alt_home_m": 100.0,
            "gimbal_pitch_deg": -45.0,
            "gimbal_yaw_deg": 0.0,
            "hfov_deg": 70.0,
            "vfov_deg": 43.0,
            "home": Place(LAT, LON, 251.4),
        }
        self.service.bus.publish(TelemetrySample("otto", now_ns, **known | told))
        for _ in range(3):
            await asyncio.sleep(0)
        return now_ns


@asynccontextmanager
async def house(data_dir: Path) -> AsyncIterator[House]:
    feeds = FeedSettings("tag", "whip", "Tag", air_link_ms=200.0), FeedSettings("wbk", "whip")
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        aircraft=(
            AircraftSettings("otto", "Otto", feed=feeds),
            AircraftSettings("fritz", "Fritz", feed=(FeedSettings("fritz-tag", "whip"),)),
        ),
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        yield House(service, http)


def bearing_deg(point: Any) -> float:
    east, north = Plane(LAT, LON).offset(point["lat_deg"], point["lon_deg"], 250.0)
    return math.degrees(math.atan2(east, north)) % 360


# --- points -------------------------------------------------------------------------------------------------


async def test_a_point_of_the_picture_is_told_as_people_read_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        now_ns = await h.fly()
        status, point = await h.ask("POST", GROUND, {"x": 0.5, "y": 0.5})
    assert status == 200
    east, north = Plane(LAT, LON).offset(point["lat_deg"], point["lon_deg"], 251.4)
    assert (east, north) == pytest.approx((0.0, 100.0), abs=0.02)
    assert point["utmref"] == utmref(point["lat_deg"], point["lon_deg"])
    assert (point["feed_id"], point["alt_msl_m"], point["terrain"]) == ("tag", 251.4, False)
    assert point["slant_range_m"] == pytest.approx(141.4, abs=0.05)
    assert 1.0 < point["error"]["semi_minor_m"] < point["error"]["semi_major_m"] < 20.0
    assert abs(point["utc_ms"] - now_ns / NS_PER_MS) < 1000


async def test_the_telemetry_is_that_of_the_picture_that_is_meant(tmp_path: Path) -> None:
    """The radio link takes 200 ms: a picture that came at 300 ms shows what was so at 100 ms."""
    async with house(tmp_path) as h:
        base_ns = h.service.clock.now_ns()
        unit = replace(UNIT, utc_ns=base_ns + 300 * NS_PER_MS, utc_origin=UtcOrigin.ARRIVAL)
        h.service.bus.publish(unit)
        for step in range(5):
            await h.fly(base_ns + 100 * step * NS_PER_MS, gimbal_yaw_deg=10.0 * step)
        by_stamp = {"x": 0.5, "y": 0.5, "rtp_timestamp": unit.rtp_timestamp}
        _, point = await h.ask("POST", GROUND, by_stamp)
        assert bearing_deg(point) == pytest.approx(10.0, abs=0.05)
        assert point["utc_ms"] == pytest.approx((base_ns + 100 * NS_PER_MS) / NS_PER_MS, abs=0.01)
        later = (unit.rtp_timestamp + 100 * 90) % (1 << 32)
        _, point = await h.ask("POST", GROUND, by_stamp | {"rtp_timestamp": later})
        assert bearing_deg(point) == pytest.approx(20.0, abs=0.05)
        _, point = await h.ask("POST", GROUND, {"x": 0.5, "y": 0.5, "utc_ms": base_ns / NS_PER_MS + 400})
        assert bearing_deg(point) == pytest.approx(40.0, abs=0.05)
        long_ago = (unit.rtp_timestamp - 60 * 90_000) % (1 << 32)
        assert await h.refused("POST", GROUND, by_stamp | {"rtp_timestamp": long_ago}) == (409, "pose_stale")


@pytest.mark.parametrize("origin", list(UtcOrigin))
@pytest.mark.parametrize("pts_90k", [UNIT.pts_90k, 5, 0xFFFF_FFFF])
def test_picture_time_leads_there_and_back(origin: UtcOrigin, pts_90k: int) -> None:
    anchor = replace(UNIT, pts_90k=pts_90k, utc_origin=origin)
    for since_ms in (-8_000, -33, 0, 21, 9_000):
        utc_ns = START_NS + since_ms * NS_PER_MS
        stamp = timestamp_of(anchor, 150.0, utc_ns)
        assert 0 <= stamp < 1 << 32
        assert abs(capture_of(anchor, 150.0, stamp) - utc_ns) < 12_000  # one tick of 90 kHz


async def test_refusals_say_why(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        middle = {"x": 0.5, "y": 0.5}
        assert await h.refused("POST", GROUND, middle) == (409, "no_position")
        assert await h.refused("POST", GROUND, middle | {"rtp_timestamp": 1}) == (409, "pose_stale")
        await h.fly(gimbal_pitch_deg=5.0)
        assert await h.refused("POST", GROUND, middle) == (409, "above_horizon")
        await h.fly(hfov_deg=None)
        assert await h.refused("POST", GROUND, middle) == (409, "no_lens")
        other = GROUND.replace("tag", "nobody")
        assert await h.refused("POST", other, middle) == (404, "not_found")


@pytest.mark.parametrize(
    "body",
    [{}, [], {"x": 0.5}, {"x": 1.1, "y": 0}, {"x": -0.1, "y": 0}, {"x": "0.5", "y": 0.5}, {"x": 0, "y": None}]
    + [{"x": 0.5, "y": 0.5, "rtp_timestamp": stamp} for stamp in (-1, 1 << 32, 1.5)]
    + [{"x": 0.5, "y": 0.5, "utc_ms": 1e300}, {"x": 0.5, "y": 0.5, "z": 1}],
)
async def test_what_is_no_point_is_refused(body: Any, shared: House) -> None:
    assert await shared.refused("POST", GROUND, body) == (400, "malformed")


async def test_a_form_of_another_page_is_no_question(shared: House) -> None:
    for data in ("x=0.5&y=0.5", '{"x": 0.5, "y": 0.5}'):
        async with shared.http.post(GROUND, data=data) as reply:
            assert reply.status == 400
    async with shared.http.post(
        MARKERS, data="x" * 5000, headers={"Content-Type": "application/json"}
    ) as reply:
        assert reply.status == 400


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as h:
        yield h


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ((49.4401883, 7.7704245), "32U MV 1086 7711"),
        ((51.5, -0.12), "30U XC 9988 0936"),
        ((-33.86, 151.21), "56H LH 3441 5192"),
        ((85.0, 10.0), ""),
        ((-85.0, 10.0), ""),
    ],
)
def test_utmref_is_grouped_as_brigades_read_it(place: tuple[float, float], told: str) -> None:
    assert utmref(*place) == told


# --- markers ------------------------------------------------------------------------------------------------


async def listen(h: House, feed: str) -> aiohttp.ClientWebSocketResponse:
    return await h.http.ws_connect(f"/api/v1/feeds/{feed}/telemetry")


async def heard(socket: aiohttp.ClientWebSocketResponse, kind: str) -> Any:
    async with asyncio.timeout(5):
        while True:
            message = await socket.receive_json()
            if message["type"] == kind:
                return message[kind]


async def test_a_marker_in_the_picture_is_seen_on_every_feed_and_by_the_pilot(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        pages = [await listen(h, feed) for feed in ("tag", "wbk", "fritz-tag")]
        assert [await heard(page, "markers") for page in pages] == [[], [], []]
        await h.fly()
        body = {"feed_id": "tag", "x": 0.5, "y": 0.5, "label": " Person am Fenster ", "by": "Müller"}
        began_ns = h.service.clock.now_ns()
        status, marker = await h.ask("POST", MARKERS, body)
        assert status == 201
        assert [await heard(page, "marker") for page in pages] == [marker] * 3
        assert h.service.clock.now_ns() - began_ns < 1_000_000_000
        assert (marker["label"], marker["by"], marker["removed"]) == ("Person am Fenster", "Müller", False)
        assert (marker["aircraft_id"], marker["feed_id"], marker["alt_msl_m"]) == ("otto", "tag", 251.4)
        assert marker["error"]["semi_major_m"] > 1.0
        assert marker["utmref"] == utmref(marker["lat_deg"], marker["lon_deg"])
        late = await listen(h, "wbk")
        assert await heard(late, "markers") == [marker]
        assert await h.ask("GET", MARKERS) == (200, {"markers": [marker]})
        for page in (*pages, late):
            await page.close()


async def test_a_place_that_was_told_is_set_as_it_was_told(tmp_path: Path) -> None:
    """Whoever types for a minute marks what they saw: by then the pose of that picture is forgotten."""
    async with house(tmp_path) as h:
        long_ago_ns = await h.fly()
        _, point = await h.ask("POST", GROUND, {"x": 0.5, "y": 0.5, "utc_ms": long_ago_ns / NS_PER_MS})
        await h.fly(long_ago_ns + 60_000 * NS_PER_MS)
        again = {"feed_id": "tag", "x": 0.5, "y": 0.5, "utc_ms": point["utc_ms"]}
        assert await h.refused("POST", MARKERS, again) == (409, "pose_stale")
        place = {
            name: point[name] for name in ("feed_id", "utc_ms", "lat_deg", "lon_deg", "alt_msl_m", "error")
        }
        status, marker = await h.ask("POST", MARKERS, place | {"label": "Person"})
        assert status == 201
        assert marker["utc_ms"] == pytest.approx(place["utc_ms"], abs=0.01)
        assert {name: marker[name] for name in place} == place | {"utc_ms": marker["utc_ms"]}
        assert (marker["aircraft_id"], marker["utmref"]) == ("otto", point["utmref"])
        assert await h.refused("POST", MARKERS, place | {"feed_id": "nobody"}) == (404, "not_found")
        wrong = place | {"error": point["error"] | {"semi_major_m": -1.0}}
        assert await h.refused("POST", MARKERS, wrong) == (400, "malformed")


async def test_a_marker_is_renamed_moved_and_removed(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        _, marker = await h.ask("POST", MARKERS, {"lat_deg": 49.5, "lon_deg": 7.5, "label": "A"})
        assert (marker["aircraft_id"], marker["feed_id"], marker["error"]) == ("", "", None)
        page = await listen(h, "fritz-tag")
        assert await heard(page, "markers") == [marker]
        at = f"{MARKERS}/{marker['id']}"
        assert await h.ask("PATCH", at, {"label": "B"}) == (200, marker | {"label": "B"})
        assert (await heard(page, "marker"))["label"] == "B"
        status, moved = await h.ask("PATCH", at, {"lat_deg": 49.6, "lon_deg": 7.6, "by": "C"})
        assert (status, moved["lat_deg"], moved["label"], moved["by"]) == (200, 49.6, "B", "C")
        assert moved["utmref"] == utmref(49.6, 7.6)
        assert await heard(page, "marker") == moved
        assert await h.ask("DELETE", at) == (204, None)
        assert await heard(page, "marker") == moved | {"removed": True}
        assert await h.ask("GET", MARKERS) == (200, {"markers": []})
        for method, body in (("DELETE", None), ("PATCH", {"label": "D"})):
            assert await h.refused(method, at, body) == (404, "not_found")
        await page.close()


async def test_the_newest_marker_of_an_aircraft_is_its_own_or_for_all() -> None:
    """What the pilot is shown: a move makes it new again, another aircraft's is not shown."""
    bus = MemoryBus()
    board = MarkerBoard(bus, FakeClock(), {})
    assert board.newest("otto") is None
    first, second, other = (
        board.set(Marker("", aircraft_id, START_NS, 49.5, 7.5, label, ""))
        for aircraft_id, label in (("otto", "A"), ("", "B"), ("fritz", "C"))
    )
    assert board.newest("otto") == second
    moved = board.set(replace(first, lat_deg=49.6))
    assert (board.newest("otto"), board.newest("fritz"), board.newest("x")) == (moved, other, second)
    board.remove(second.marker_id)
    assert board.newest("x") is None
    await bus.aclose()


async def test_markers_of_an_exercise_say_so() -> None:
    """They are told to the pages of every camera, and to other programs: renamed and moved, too."""
    bus = MemoryBus()
    board = MarkerBoard(bus, FakeClock(), {}, ["uebung"])
    first = board.set(Marker("", "uebung", START_NS, 49.5, 7.5, "Übungspuppe", ""))
    assert first.label == "ÜBUNG · Übungspuppe"
    assert board.set(replace(first, lat_deg=49.6)).label == "ÜBUNG · Übungspuppe"
    assert board.set(replace(first, label="P" * 80)).label == "ÜBUNG · " + "P" * 80
    unnamed = board.set(Marker("", "uebung", START_NS, 49.5, 7.5, "", ""))
    assert (unnamed.label, board.set(unnamed).label) == ("ÜBUNG", "ÜBUNG")
    assert board.set(Marker("", "fritz", START_NS, 49.5, 7.5, "Person", "")).label == "Person"
    await bus.aclose()


async def test_asked_twice_it_is_set_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        body = {"id": "m-tablet-7", "lat_deg": 49.5, "lon_deg": 7.5, "label": "A"}
        first = await h.ask("POST", MARKERS, body)
        assert first == await h.ask("POST", MARKERS, body)
        assert len((await h.ask("GET", MARKERS))[1]["markers"]) == 1


async def test_markers_that_came_by_the_bus_are_the_same(tmp_path: Path) -> None:
    """Another node's: heard more than once, told once, and removed for good."""
    async with house(tmp_path) as h:
        page = await listen(h, "tag")
        await heard(page, "markers")
        marker = Marker("e1", "otto", START_NS, 49.5, 7.5, "A", "B")
        gone = replace(marker, id="e2", marker_id="e1", removed=True)
        for event in (marker, marker, gone, marker, gone):
            h.service.bus.publish(event)
        assert [(await heard(page, "marker"))["removed"] for _ in range(2)] == [False, True]
        assert await h.ask("GET", MARKERS) == (200, {"markers": []})
        await page.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "x" * 81},
        {"label": "a\nb"},
        {"label": "\x07"},
        {"by": "\u202eabc"},
        {"by": "\x7f"},
        {"lat_deg": 91.0},
        {"lon_deg": -180.5},
        {"lat_deg": None},
        {"id": "Nicht so"},
        {"x": 0.5},
        {"colour": "red"},
    ],
)
async def test_what_cannot_be_a_marker_is_refused(wrong: dict[str, Any], shared: House) -> None:
    body = {"lat_deg": 49.5, "lon_deg": 7.5, "label": "gut 👍🏽", "by": "ß"}
    assert await shared.refused("POST", MARKERS, body | wrong) == (400, "malformed")
    status, marker = await shared.ask("POST", MARKERS, body)
    assert (status, marker["label"]) == (201, "gut 👍🏽")
    at = f"{MARKERS}/{marker['id']}"
    for half in ({"lat_deg": 49.0}, {"label": "x" * 81}, {"id": "other"}):
        assert await shared.refused("PATCH", at, half) == (400, "malformed")
    assert await shared.ask("GET", MARKERS) == (200, {"markers": [marker]})


async def test_markers_of_what_does_not_exist_are_refused(shared: House) -> None:
    here = {"lat_deg": 49.5, "lon_deg": 7.5}
    assert await shared.refused("POST", MARKERS, here | {"aircraft_id": "nobody"}) == (404, "not_found")
    point = {"feed_id": "nobody", "x": 0.5, "y": 0.5}
    assert await shared.refused("POST", MARKERS, point) == (404, "not_found")
    assert await shared.refused("POST", MARKERS, point | {"feed_id": "tag"}) == (409, "no_position")


async def test_there_is_an_end_to_markers(shared: House) -> None:
    for n in range(MOST_MARKERS):
        shared.service.bus.publish(Marker(f"m-{n}", "otto", START_NS, 49.5, 7.5, str(n), ""))
    here = {"lat_deg": 49.5, "lon_deg": 7.5}
    assert await shared.refused("POST", MARKERS, here) == (409, "markers_full")
    assert (await shared.ask("PATCH", f"{MARKERS}/m-7", {"label": "x"}))[0] == 200
    assert (await shared.ask("DELETE", f"{MARKERS}/m-8"))[0] == 204
    assert (await shared.ask("POST", MARKERS, here))[0] == 201


async def test_a_page_that_floods_is_held_back(shared: House) -> None:
    """Every page of every feed is told of each change."""
    here = {"lat_deg": 49.5, "lon_deg": 7.5}
    statuses = [(await shared.ask("POST", MARKERS, here))[0] for _ in range(2 * CHANGES_AT_ONCE)]
    assert set(statuses) == {201, 429}
    assert statuses[:CHANGES_AT_ONCE] == [201] * CHANGES_AT_ONCE
    async with shared.http.delete(f"{MARKERS}/m-7") as reply:
        assert (reply.status, "Retry-After" in reply.headers) == (429, True)
    assert (await shared.ask("GET", MARKERS))[0] == 200


async def test_a_page_of_another_site_sets_no_marker(shared: House) -> None:
    async with shared.http.post(
        MARKERS, json={"lat_deg": 49.5, "lon_deg": 7.5}, headers={"Origin": "http://evil.example"}
    ) as reply:
        assert reply.status == 403
    assert await shared.ask("GET", MARKERS) == (200, {"markers": []})
