"""The situation as GeoJSON and KML: what is old is told as old, what is unknown is not told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from flow.clock import NS_PER_S
from flow.doors import CameraLook, GroundPoint
from flow.errors import NotFoundError
from flow.flights import Aircraft, Ellipse, Feed, Marker
from flow.memory_bus import MemoryBus
from flow.samples import Group, Place, TelemetrySample
from tests.fakes.clock import START_NS, FakeClock
from web import geojson, kml
from web.service import running_service
from web.settings import AircraftSettings, RecordingSettings, ServerSettings, Settings, WebRtcSettings
from web.situation import STALE_NS, Situation

KML = "{http://www.opengis.net/kml/2.2}"
FEEDS = (Feed("tag", "fritz", "Tag & Nacht"), Feed("push", "fritz", "Handy"))
FLEET = (Aircraft("fritz", "Fritz", FEEDS), Aircraft("otto", "Otto"))
CORNERS = (Place(49.42, 7.60), Place(49.42, 7.62), Place(49.41, 7.61), Place(49.41, 7.605))
CENTRE = GroundPoint("tag", START_NS, Place(49.415, 7.61, 240.0), 118.0, Ellipse(5, 3, 40), True)


class Looks:
    """A TelemetryDoor that knows one camera."""

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        if feed_id != "tag":
            raise NotFoundError(feed_id)
        return CameraLook("tag", utc_ns, bearing_deg=30.0, corners=CORNERS, centre=CENTRE)

    def ground(self, feed_id: str, x: float, y: float, utc_ns: int) -> GroundPoint:
        raise NotImplementedError


class House:
    def __init__(self) -> None:
        self.bus, self.clock = MemoryBus(), FakeClock()
        self.situation = Situation(self.bus, self.clock, FLEET, Looks())

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[House]:
        running = asyncio.ensure_future(self.situation.run())
        await self.settle()
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.wait([running])
            await self.bus.aclose()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def fly(self, lat: float = 49.4, **more: Any) -> None:
        now_ns = self.clock.now_ns()
        sample = TelemetrySample(
            "fritz", now_ns, lat_deg=lat, lon_deg=7.6, alt_msl_m=420.0, alt_home_m=84.0, yaw_deg=271.0,
            ground_speed_ms=5.0, battery_pct=71.0, mode="LOITER", home=Place(49.39, 7.59, 336.0),
            received_ns=dict.fromkeys(Group, now_ns),
        )  # fmt: skip
        self.bus.publish(replace(sample, **more))
        await self.settle()

    def features(self) -> dict[str, Any]:
        told = geojson.collection(self.situation.everybody(), self.situation.markers())
        assert told["type"] == "FeatureCollection"
        json.dumps(told, allow_nan=False)
        return {feature["id"]: feature for feature in told["features"]}

    def kml(self) -> ET.Element:
        return ET.fromstring(kml.situation(self.situation.everybody(), self.situation.markers()))


async def test_everything_there_is() -> None:
    async with House().open() as house:
        for second in range(3):
            await house.fly(49.4 + second / 1000)
            house.clock.advance(NS_PER_S)
        await house.fly(49.404)
        marker = Marker("e", "fritz", START_NS, 49.41, 7.61, "Glutnest", "EL", "m", error=Ellipse(4, 2, 9))
        house.bus.publish(marker)
        await house.settle()
        told = house.features()
        assert set(told) == {"fritz", "fritz/home", "fritz/track", "tag/footprint", "tag/look", "marker/m"}
        fritz = told["fritz"]
        assert fritz["geometry"] == {"type": "Point", "coordinates": [7.6, 49.404]}  # longitude first
        about = fritz["properties"]
        assert (about["kind"], about["name"], about["stale"], about["age_ms"]) == (
            "aircraft",
            "Fritz",
            False,
            0,
        )
        assert (about["alt_msl_m"], about["alt_home_m"], about["alt_agl_m"]) == (420.0, 84.0, None)
        assert (about["heading_deg"], about["battery_pct"], about["mode"]) == (271.0, 71.0, "LOITER")
        track = told["fritz/track"]["geometry"]["coordinates"]
        assert [lat for _, lat in track][:3] == [49.4, 49.401, 49.402]
        assert told["tag/look"]["properties"]["slant_range_m"] == 118.0
        assert told["marker/m"]["properties"]["name"] == "Glutnest"
        house.bus.publish(replace(marker, id="f", removed=True))
        await house.settle()
        assert "marker/m" not in house.features()


async def test_a_footprint_is_a_closed_ring_counterclockwise() -> None:
    """RFC 7946 3.1.6, for a camera that stands on its head as well."""
    for corners in (CORNERS, CORNERS[::-1]):
        ring = geojson.ring(corners)
        assert (ring[0], len(ring)) == (ring[-1], 5)
        assert sum((x1 - x0) * (y1 + y0) for (x0, y0), (x1, y1) in pairwise(ring)) < 0


async def test_what_is_old_is_told_as_old() -> None:
    async with House().open() as house:
        await house.fly()
        house.clock.advance(STALE_NS + NS_PER_S)
        told = house.features()
        about = told["fritz"]["properties"]
        assert (about["stale"], about["age_ms"], about["utc_ms"]) == (True, 4000, START_NS / 1e6)
        values = ("alt_msl_m", "alt_home_m", "heading_deg", "ground_speed_ms", "battery_pct", "mode")
        assert [about[name] for name in values] == [None] * len(values)
        assert "tag/footprint" not in told  # where it looked then is nobody's business now
        root = house.kml()
        placemark = root.find(f".//{KML}Placemark[@id='fritz']")
        assert placemark is not None
        name = placemark.findtext(f"{KML}name") or ""
        assert name.startswith("Fritz (veraltet seit ")
        description = placemark.findtext(f"{KML}description") or ""
        assert "4 s alt" in description
        assert "84 m" not in description
        assert placemark.find(f".//{KML}heading") is None


async def test_one_group_that_is_old_is_unknown() -> None:
    async with House().open() as house:
        await house.fly()
        before = house.clock.now_ns()
        house.clock.advance(STALE_NS + 1)
        now_ns = house.clock.now_ns()
        known = dict.fromkeys(Group, now_ns) | {Group.BATTERY: before}
        await house.fly(received_ns=known)
        about = house.features()["fritz"]["properties"]
        assert (about["stale"], about["battery_pct"], about["heading_deg"]) == (False, None, 271.0)


async def test_who_has_no_position_is_absent() -> None:
    async with House().open() as house:
        assert house.features() == {}
        await house.fly(lat_deg=None)
        assert house.features() == {}
        assert house.situation.one("otto") is None
        with pytest.raises(NotFoundError):
            house.situation.one("nobody")
        assert geojson.nowhere("otto")["geometry"] is None  # RFC 7946 3.2
        assert house.kml().find(f".//{KML}Placemark") is None


async def test_a_track_is_bounded_and_forgets() -> None:
    async with House().open() as house:
        for _ in range(400):
            await house.fly()
            house.clock.advance(NS_PER_S)
        assert len(house.features()["fritz/track"]["geometry"]["coordinates"]) <= 301
        house.clock.advance(600 * NS_PER_S)
        assert "fritz/track" not in house.features()


ORDER = ("name", "description", "LookAt", "styleUrl", "Style", "Point", "LineString", "Polygon")
"""OGC 07-147r2: the elements of a feature are a sequence."""


async def test_kml_is_in_order_and_fetches_nothing() -> None:
    async with House().open() as house:
        for _ in range(3):
            await house.fly()
            house.clock.advance(NS_PER_S)
        await house.fly()
        house.bus.publish(Marker("e", "fritz", START_NS, 49.41, 7.61, "Glutnest", "EL", "m"))
        await house.settle()
        root = house.kml()
        placemarks = {each.get("id"): each for each in root.iter(f"{KML}Placemark")}
        assert set(placemarks) == {"fritz", "fritz-nose", "fritz-track", "tag-footprint", "marker-m"}
        for placemark in placemarks.values():
            order = [ORDER.index(each.tag.removeprefix(KML)) for each in placemark]
            assert order == sorted(order)
        fritz = placemarks["fritz"]
        assert fritz.findtext(f"{KML}Style/{KML}IconStyle/{KML}heading") == "271"
        assert fritz.findtext(f"{KML}Point/{KML}altitudeMode") == "absolute"
        assert fritz.findtext(f"{KML}Point/{KML}coordinates") == "7.6000000,49.4000000,420.0"
        assert "84 m über Start" in (fritz.findtext(f"{KML}description") or "")
        ring = placemarks["tag-footprint"].findtext(f".//{KML}coordinates") or ""
        points = ring.split(" ")
        assert (len(points), points[0]) == (5, points[-1])
        assert root.find(f"{KML}Document/{KML}LookAt/{KML}range") is not None
        assert root.find(f".//{KML}href") is None


async def test_the_nose_points_where_the_aircraft_is_headed() -> None:
    for yaw_deg, ahead in ((0.0, (0, 1)), (90.0, (1, 0)), (225.0, (-1, -1))):
        nose = kml._arrow(Place(49.4, 7.6), yaw_deg)[0]
        east, north = (nose.lon_deg - 7.6) * 72_400, (nose.lat_deg - 49.4) * 111_200  # metres
        length = (ahead[0] ** 2 + ahead[1] ** 2) ** 0.5
        assert (east, north) == pytest.approx([14 * each / length for each in ahead], abs=0.1)


HOSTILE = "<b>&\"']]>\x00\x08\ud800"


async def test_hostile_names() -> None:
    """Well formed; and no markup where Google Earth would read a balloon as HTML."""
    async with House().open() as house:
        await house.fly(mode=HOSTILE)
        house.bus.publish(Marker("e", "fritz", START_NS, 49.41, 7.61, HOSTILE, HOSTILE, HOSTILE))
        await house.settle()
        root = house.kml()
        ids = {each.get("id", ""): each for each in root.iter(f"{KML}Placemark")}
        marker = ids["marker-<b>&\"']]>"]
        assert marker.findtext(f"{KML}name") == "<b>&\"']]>"
        for description in root.iter(f"{KML}description"):
            assert "<b>" not in (description.text or "")


async def test_over_http() -> None:
    settings = Settings(
        server=ServerSettings(port=0),
        webrtc=WebRtcSettings(port=0),
        aircraft=(AircraftSettings("fritz", 'Fritz "<1>"'),),
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        latest = "api/v1/aircraft/fritz/telemetry/latest.geojson"
        async with http.get(latest) as reply:
            assert reply.content_type == "application/geo+json"
            assert (await reply.json(content_type=None))["geometry"] is None
        now_ns = service.clock.now_ns()
        service.bus.publish(
            TelemetrySample("fritz", now_ns, lat_deg=49.4, lon_deg=7.6, received_ns={Group.POSITION: now_ns})
        )
        service.bus.publish(Marker("e", "fritz", now_ns, 49.4, 7.6, "x\ud800", "y"))
        async with http.get(latest) as reply:
            told = await reply.json(content_type=None)
            assert told["geometry"]["coordinates"] == [7.6, 49.4]
        await asyncio.sleep(0)
        async with http.get("api/v1/situation.geojson") as reply:
            told = await reply.json(content_type=None)
            assert {each["properties"]["kind"] for each in told["features"]} >= {"aircraft", "marker"}
        async with http.get("api/v1/lagebild.kml") as reply:
            link = ET.fromstring(await reply.read())
            href = link.findtext(f".//{KML}Link/{KML}href") or ""
            assert href == f"{service.url}api/v1/situation.kml"
            assert link.findtext(f".//{KML}Link/{KML}refreshInterval") == "1"
        async with http.get(href) as reply:
            assert reply.content_type == "application/vnd.google-earth.kml+xml"
            assert reply.headers["Cache-Control"] == "no-store"
            assert 'Fritz "<1>"' in [
                each.text for each in ET.fromstring(await reply.read()).iter(f"{KML}name")
            ]
        async with http.get("api/v1/lagebild.kml", headers={"Host": "evil.example"}) as reply:
            assert reply.status == 403


async def test_markers_are_drawn_once_and_read_by_everybody() -> None:
    """500 of them cost 27 ms each time they were drawn: twenty readers a second, half of the processor."""
    marker = Marker("once", "fritz", START_NS, 49.41, 7.61, "Glutnest", "EL & Co", "once")
    before = kml._marker.cache_info()
    drawn = [kml.situation([], [marker, replace(marker, id="n", marker_id="n")]) for _ in range(3)]
    after = kml._marker.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (2, 4)
    assert drawn[0] == drawn[1] == drawn[2]
    told = [
        each.findtext(f"{KML}description") or "" for each in ET.fromstring(drawn[0]).iter(f"{KML}Placemark")
    ]
    assert [text.endswith("EL &amp; Co") for text in told] == [True, True]
    moved = ET.fromstring(kml.situation([], [replace(marker, lat_deg=50.0)]))
    assert (moved.findtext(f".//{KML}coordinates") or "").startswith("7.6100000,50.0000000")
