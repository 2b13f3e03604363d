"""Stills as their callers get them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email.utils import parsedate_to_datetime

import aiohttp

from flow.clock import NS_PER_S
from flow.flights import PictureHealth
from tests.fakes.encoded import h264_pictures
from tests.fakes.exif import read_exif

from .test_web_service import heard, house

STILL = "/api/v1/feeds/fritz-tag/still.jpg"


async def test_a_still_is_a_jpeg_that_says_when_it_was_taken() -> None:
    async with house() as h:
        for picture in h264_pictures(2):
            h.camera.send(picture)
        reply, body = await first_still(h.http)
        assert reply.status == 200
        assert reply.content_type == "image/jpeg"
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Lagebild-Picture"] in {"keyframe", "newest"}
        assert reply.headers["X-Lagebild-Time-Origin"] == "arrival"
        age_ms = float(reply.headers["X-Lagebild-Age-Ms"])
        taken_s = parsedate_to_datetime(reply.headers["Last-Modified"]).timestamp()
        assert abs(h.service.clock.now_ns() / NS_PER_S - taken_s) < age_ms / 1000 + 10
        assert 'filename="lagebild-fritz-tag-2' in reply.headers["Content-Disposition"]
        tags = read_exif(body)
        assert f"{age_ms:.0f} ms old" in tags["ImageDescription"]


async def first_still(http: aiohttp.ClientSession) -> tuple[aiohttp.ClientResponse, bytes]:
    """The answer once the pictures have arrived, which takes a moment."""
    async with asyncio.timeout(20):
        while True:
            async with http.get(STILL) as reply:
                if reply.status != 503:
                    return reply, await reply.read()
            await asyncio.sleep(0.05)


async def test_refusals_are_clear() -> None:
    async with house() as h:
        status, said = await h.get("/api/v1/feeds/otto/still.jpg")
        assert (status, said["error"]["code"]) == (404, "not_found")
        async with h.http.get(STILL) as reply:
            assert reply.status == 503
            assert reply.headers["Retry-After"] == "2"
            assert (await reply.json())["error"]["code"] == "no_picture"


async def test_it_is_described() -> None:
    async with house() as h:
        _, description = await h.get("/api/v1/openapi.json")
        operation = description["paths"]["/api/v1/feeds/{feed}/still.jpg"]["get"]
        assert operation["x-permission"] == "watch"
        assert set(operation["responses"]) == {"200", "401", "403", "404", "429", "503"}
        assert "image/jpeg" in operation["responses"]["200"]["content"]


HEALTH = PictureHealth("fritz-tag", 1_795_330_000_000_000_000, ("blurred",), luma=90.0, sharpness=0.01)


async def test_the_health_of_the_picture_is_told_to_pages_and_programs() -> None:
    async with house() as h:
        async with h.http.ws_connect("/api/v1/feeds/fritz-tag/telemetry") as socket:
            assert (await heard(socket, "hello"))["feed"]["health"] is None
            h.service.bus.publish(HEALTH)
            told = await heard(socket, "health")
            assert (told["feed_id"], told["findings"], told["since_ms"]) == (
                "fritz-tag",
                ["blurred"],
                1_795_330_000_000.0,
            )
            h.service.bus.publish(replace(HEALTH, sharpness=0.02))  # a figure is no news
            h.service.bus.publish(replace(HEALTH, findings=()))
            assert (await heard(socket, "health"))["findings"] == []
        h.service.bus.publish(HEALTH)
        async with h.http.ws_connect("/api/v1/feeds/fritz-tag/telemetry") as socket:
            assert (await heard(socket, "hello"))["feed"]["health"]["findings"] == ["blurred"]
        _, feeds = await h.get("/api/v1/feeds")
        assert feeds["feeds"][0]["health"]["sharpness"] == 0.01
        _, metrics = await h.get("/metrics")
        assert 'lagebild_feed_finding{feed="fritz-tag",finding="blurred"} 1.0' in metrics
        assert 'lagebild_feed_finding{feed="fritz-tag",finding="black"} 0.0' in metrics
