"""The pilot's side of the interface: addresses, keys told once, and who may not ask for one."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import pytest

from flow.errors import RefusedError
from flow.flights import SourceState, Unsecured
from flow.samples import LinkState
from tests.fakes.aircraft import FakeAircraft
from web.publish_addresses import WayIn, addresses_of, way_of_telemetry, ways_into
from web.publish_keys import FILE, KEYS_PER_FEED, PublishKeys
from web.qr_codes import qr_of
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)
from web.unsecured import how_unsecured

PUSHED = FeedSettings("tag", "rtmp", "Tageslicht")
RAW = FeedSettings("waerme", "rtp://127.0.0.1:0", "Wärmebild")
CAMERA = FeedSettings("mast", "rtsp://admin:geheim@127.0.0.1:1/main?token=geheim", "Mast")
PASSPHRASE = "sehr-geheim_47"


def settings(data_dir: Path) -> Settings:
    aircraft = AircraftSettings("otto", "Otto", "udpin:127.0.0.1:0", 1, feed=(PUSHED, RAW, CAMERA))
    return Settings(
        server=ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        publish=PublishingSettings(rtmp_port=0, srt_passphrase=PASSPHRASE),
        recording=RecordingSettings(enabled=False),
        aircraft=(aircraft,),
    )


@asynccontextmanager
async def house(data_dir: Path) -> AsyncIterator[tuple[Running, aiohttp.ClientSession]]:
    async with running_service(settings(data_dir)) as service, aiohttp.ClientSession(service.url) as http:
        with service.bus.latest(SourceState, RAW.id) as states:
            async for state in states:
                if state.address:
                    break
        yield service, http


async def ask(http: aiohttp.ClientSession, method: str, path: str, **how: Any) -> tuple[int, Any]:
    async with http.request(method, path, **how) as reply:
        return reply.status, await reply.json()


KEYS = "/api/v1/feeds/tag/keys"


async def test_a_key_is_told_once_and_in_no_other_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with house(tmp_path) as (_, http):
        async with http.post(KEYS) as reply:
            assert (reply.status, reply.headers["Cache-Control"]) == (201, "no-store")
            made = await reply.json()
        key = made["key"]
        PublishKeys(tmp_path).check("tag", key)
        (scanned,) = made["ways"]
        assert scanned["way"] == {
            "protocol": "rtmp",
            "address": f"rtmp://127.0.0.1:0/live/tag?key={key}",
            "local": True,
            "pulled": False,
        }
        assert scanned["qr"].startswith("data:image/svg+xml")
        for path in ("/api/v1/pilot", "/api/v1/feeds", "/api/v1/feeds/tag", "/metrics"):
            async with http.get(path) as reply:
                assert key not in await reply.text()
    assert key not in caplog.text
    assert key not in (tmp_path / FILE).read_text()


async def test_withdrawn_keys_are_counted_and_open_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as (_, http):
        keys = [(await ask(http, "POST", KEYS))[1]["key"] for _ in range(2)]
        _, pilot = await ask(http, "GET", "/api/v1/pilot")
        assert [feed["keys"] for feed in pilot["aircraft"][0]["feeds"]] == [2, None, None]
        assert await ask(http, "DELETE", KEYS) == (200, {"withdrawn": 2})
        assert await ask(http, "DELETE", KEYS) == (200, {"withdrawn": 0})
        for key in keys:
            with pytest.raises(RefusedError):
                PublishKeys(tmp_path).check("tag", key)


async def test_keys_made_at_the_same_moment_are_all_valid(tmp_path: Path) -> None:
    async with house(tmp_path) as (_, http):
        made = await asyncio.gather(*(ask(http, "POST", KEYS) for _ in range(KEYS_PER_FEED)))
        assert [status for status, _ in made] == [201] * KEYS_PER_FEED
        for _, answer in made:
            PublishKeys(tmp_path).check("tag", answer["key"])
        status, refused = await ask(http, "POST", KEYS)
        assert (status, refused["error"]["code"]) == (409, "keys_full")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Origin": "http://evil.example"}, "evil.example"),
        ({"Origin": "null"}, "null"),
        ({"Sec-Fetch-Site": "cross-site"}, "other sites"),
        ({"Sec-Fetch-Site": "same-site"}, "other sites"),
        ({"Host": "evil.example:80"}, "not called"),
        ({"Host": "127.0.0.1:99999"}, "no port"),
    ],
)
async def test_pages_of_other_sites_get_no_key(
    tmp_path: Path, method: str, headers: dict[str, str], said: str
) -> None:
    kept = PublishKeys(tmp_path).make("tag")
    async with house(tmp_path) as (_, http):
        status, answer = await ask(http, method, KEYS, headers=headers)
        assert (status, said in answer["error"]["message"]) == (403, True), answer
    assert PublishKeys(tmp_path).count("tag") == 1
    PublishKeys(tmp_path).check("tag", kept)


async def test_the_page_itself_may_ask(tmp_path: Path) -> None:
    async with house(tmp_path) as (service, http):
        origin = service.url.rstrip("/")
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        assert (await ask(http, "POST", KEYS, headers=headers))[0] == 201


@pytest.mark.parametrize(
    ("feed", "status", "code"), [("nobody", 404, "not_found"), ("waerme", 409, "not_pushed")]
)
async def test_feeds_without_keys(tmp_path: Path, feed: str, status: int, code: str) -> None:
    async with house(tmp_path) as (_, http):
        for method in ("POST", "DELETE"):
            got, answer = await ask(http, method, f"/api/v1/feeds/{feed}/keys")
            assert (got, answer["error"]["code"]) == (status, code)


async def test_a_broken_key_file_is_named_in_the_log_alone_and_the_rest_is_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE).write_text("{")
    async with house(tmp_path) as (_, http):
        status, answer = await ask(http, "POST", KEYS)
        assert (status, answer["error"]["code"]) == (500, "keys_unusable")
        assert str(tmp_path) not in json.dumps(answer)
        assert str(tmp_path) in caplog.text
        status, pilot = await ask(http, "GET", "/api/v1/pilot")
        tag, waerme, _ = pilot["aircraft"][0]["feeds"]
        assert (status, tag["keys"], tag["keys_readable"]) == (200, 0, False)
        assert (waerme["keys"], waerme["keys_readable"]) == (None, True)


async def test_the_overview_says_how_each_feed_is_reached_and_no_secret(tmp_path: Path) -> None:
    async with house(tmp_path) as (service, http):
        async with http.get("/api/v1/pilot") as reply:
            text = await reply.text()
        assert "geheim" not in text
        pilot = json.loads(text)
        assert pilot["srt_encrypted"] is True
        (otto,) = pilot["aircraft"]
        tag, waerme, mast = otto["feeds"]
        assert tag["ways"][0]["way"]["address"] == "rtmp://127.0.0.1:0/live/tag?key=…"
        assert tag["ways"][0]["qr"] == ""
        assert [feed["feed"]["unsecured"] for feed in (tag, waerme, mast)] == [None, "local", None]
        address = service.bus.peek(SourceState, "waerme")
        assert address is not None
        assert waerme["ways"][0]["way"]["address"] == address.address
        assert urlsplit(address.address).port
        assert mast["ways"][0] == {
            "way": {"protocol": "rtsp", "address": "rtsp://127.0.0.1:1/main", "local": False, "pulled": True},
            "qr": "",
        }
        assert otto["telemetry"]["unsecured"] == "local"


async def test_unknown_aircraft_are_told(tmp_path: Path) -> None:
    async with house(tmp_path) as (service, http):
        with service.bus.latest(LinkState, "otto") as links:
            async for link in links:
                if link.address:
                    break
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(FakeAircraft(2).heartbeat(), ("127.0.0.1", int(link.address.rpartition(":")[2])))
        async with asyncio.timeout(10):
            told: list[int] = []
            while not told:
                _, pilot = await ask(http, "GET", "/api/v1/pilot")
                told = pilot["aircraft"][0]["telemetry"]["state"]["unassigned_system_ids"]
                await asyncio.sleep(0.05)
        assert told == [2]


async def test_the_interface_is_described_as_it_answers(tmp_path: Path) -> None:
    async with house(tmp_path) as (_, http):
        _, described = await ask(http, "GET", "/api/v1/openapi.json")
        schemas = described["components"]["schemas"]
        answers = {
            "PilotView": (await ask(http, "GET", "/api/v1/pilot"))[1],
            "NewKey": (await ask(http, "POST", KEYS))[1],
            "Withdrawn": (await ask(http, "DELETE", KEYS))[1],
        }
        for name, answer in answers.items():
            assert_like(answer, schemas[name], schemas)
        keys = described["paths"]["/api/v1/feeds/{feed}/keys"]
        assert {keys[method]["x-permission"] for method in ("post", "delete")} == {"connect"}
        assert set(keys["post"]["responses"]) == {"201", "400", "401", "403", "404", "409", "429", "500"}


def assert_like(value: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Every property of an object is described and every one that is required is there."""
    if "$ref" in schema:
        assert_like(value, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    elif "anyOf" in schema:
        (kind,) = [each for each in schema["anyOf"] if (each.get("type") == "null") == (value is None)]
        assert_like(value, kind, schemas)
    elif schema.get("type") == "array":
        for each in value:
            assert_like(each, schema["items"], schemas)
    elif "properties" in schema:
        assert value.keys() <= schema["properties"].keys()
        assert set(schema["required"]) <= value.keys()
        for name, each in value.items():
            assert_like(each, schema["properties"][name], schemas)


PUSH = FeedSettings("tag", "push")
EVERYWHERE = Settings(server=ServerSettings(host="0.0.0.0"))


def test_where_the_service_listens_everywhere_the_page_s_own_host_is_told() -> None:
    ways = addresses_of(PUSH, "k", EVERYWHERE, "http://192.0.2.7:9000")
    assert [way.address for way in ways] == [
        "srt://192.0.2.7:8890?streamid=publish:tag:k",
        "rtmp://192.0.2.7:1935/live/tag?key=k",
        "http://192.0.2.7:9000/live/tag/whip",
        "http://192.0.2.7:9000/camera/tag#key=k",
    ]
    assert not any(way.local for way in ways)
    assert ways == [replace(way, pulled=False) for way in ways]
    v6 = addresses_of(FeedSettings("tag", "rtmp"), "k", EVERYWHERE, "http://[2001:db8::1]:9000")
    assert v6[0].address == "rtmp://[2001:db8::1]:1935/live/tag?key=k"


def test_a_page_that_is_looked_at_on_the_server_tells_what_others_can_use() -> None:
    for called in ("http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"):
        (way,) = addresses_of(FeedSettings("tag", "rtmp"), "k", EVERYWHERE, called)
        assert not way.local
        assert "127.0.0.1" not in way.address


def test_the_passphrase_is_told_by_the_command_alone() -> None:
    secret = Settings(publish=PublishingSettings(srt_passphrase=PASSPHRASE))
    (told,) = addresses_of(FeedSettings("tag", "srt"), "k", secret, with_passphrase=True)
    assert unquote(told.address).endswith(f"&passphrase={PASSPHRASE}")
    (kept,) = addresses_of(FeedSettings("tag", "srt"), "k", secret)
    assert "passphrase" not in kept.address


@pytest.mark.parametrize(
    ("source", "opened", "way"),
    [
        ("rtp://0.0.0.0:5600", "", WayIn("rtp", "rtp://192.0.2.7:5600", False)),
        ("rtp://127.0.0.1:0", "rtp://127.0.0.1:4711", WayIn("rtp", "rtp://127.0.0.1:4711", True)),
        ("udp://192.0.2.9:5004", "", WayIn("mpegts", "udp://192.0.2.9:5004", False)),
        ("rtsp://u:p@192.0.2.9/x", "", WayIn("rtsp", "rtsp://192.0.2.9/x", False, pulled=True)),
        ("srt://192.0.2.9:9000?streamid=p", "", WayIn("srt", "srt://192.0.2.9:9000", False, pulled=True)),
        ("file:flug.h264", "", WayIn("file", "file:flug.h264", True, pulled=True)),
    ],
)
def test_ways_into_other_feeds(source: str, opened: str, way: WayIn) -> None:
    assert ways_into(FeedSettings("x", source), EVERYWHERE, "http://192.0.2.7:8080", opened) == [way]


def test_ways_of_telemetry() -> None:
    called = "http://192.0.2.7:8080"
    assert way_of_telemetry("udpin:0.0.0.0:14550", called, "").address == "udpin:192.0.2.7:14550"
    assert way_of_telemetry("udpin:127.0.0.1:0", called, "udpin:127.0.0.1:4711").address.endswith(":4711")
    assert way_of_telemetry("tcp:192.0.2.9:5760", called, "").pulled
    assert way_of_telemetry("tlog:flug.tlog", called, "").protocol == "file"


@pytest.mark.parametrize(
    ("address", "how"),
    [
        ("rtp://127.0.0.1:5600", Unsecured.LOCAL),
        ("RTP://[::1]:5600", Unsecured.LOCAL),
        ("udp://0.0.0.0:5004", Unsecured.NAMED),
        ("udpin:localhost:14550", Unsecured.LOCAL),
        ("udpin:0.0.0.0:14550", Unsecured.NAMED),
        ("tcpin:192.0.2.7:5760", Unsecured.NAMED),
        ("tcp:192.0.2.7:5760", None),
        ("rtsp://192.0.2.7/main", None),
        ("rtmp", None),
        ("push", None),
        ("file:flug.h264", None),
        ("", None),
    ],
)
def test_inputs_without_a_key_are_marked(address: str, how: Unsecured | None) -> None:
    assert how_unsecured(address) is how


def test_the_qr_code_is_a_drawing_that_scales() -> None:
    text = "srt://192.0.2.7:8890?streamid=publish:fritz-waerme:" + "k2" * 13
    drawing = unquote(qr_of(text).partition(",")[2])  # the browser test reads it with a program not ours
    assert "viewBox" in drawing
    assert text not in drawing
