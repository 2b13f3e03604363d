"""What the service answers is what its OpenAPI description says: status, content type, headers, JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.bus import Bus
from flow.flights import PictureHealth, RenditionState, RenditionStatus, SourceState, SourceStatus
from flow.recording import RecordingState, RecordingStatus
from flow.samples import Group, LinkState, Place, TelemetrySample
from flow.units import Rendition
from tests.fakes.accounts import PASSWORD, make_invite
from tests.fakes.clock import START_NS
from tests.fakes.encoded import h264_pictures
from tests.fakes.export_maker import FINISHES, STICKS
from tests.fakes.json_schema import complaints
from tests.fakes.offers import PUBLISHED, RECORDED, recorded
from tests.fakes.rtp_camera import RtpCamera
from tests.unit.web.export_desk import MAKER
from tests.unit.web.recorded_house import START_MS, make_flights
from web.access import Permission, Route
from web.exports import ExportRules
from web.openapi import HEADERS, describe
from web.service import Running, running_service
from web.settings import AircraftSettings, FeedSettings, ServerSettings, Settings, WebRtcSettings

FEEDS = (FeedSettings("tag", "rtp://127.0.0.1:0", "Tag"), FeedSettings("push", "whip", "Handy"))
STREAMS = {("get", "/api/v1/feeds/{feed}/telemetry"), ("get", "/api/v1/aircraft/{aircraft}/telemetry")}
"""WebSockets and server-sent events: their answers do not end."""
WHOLE, LATER = "20261122t064640z-fritz", "20261122t074640z-otto"
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
PATH_NAMES = (
    "feed",
    "session",
    "aircraft",
    "marker",
    "flight",
    "number",
    "piece",
    "incident",
    "export",
    "note",
    "account",
    "token",
    "link",
    "guest",
)
NOW_NS = 1_795_330_000_123_456_789


class Client:
    """Asks, and holds every answer against the description."""

    def __init__(self, http: aiohttp.ClientSession, description: dict[str, Any]) -> None:
        self.http, self._description = http, description
        self.asked: set[tuple[str, str]] = set()

    async def ask(self, method: str, path: str, expected: int, **how: Any) -> tuple[Any, Mapping[str, str]]:
        """`path` as the description has it, with {names} filled in by `how`; the answer and its headers."""
        names = {name: how.pop(name) for name in PATH_NAMES if name in how}
        async with self.http.request(method, path.format(**names), **how) as reply:
            body = await reply.read()
            answer = await reply.json() if reply.content_type == "application/json" and body else body
            assert reply.status == expected, answer
            self._check(method.lower(), path, reply, answer)
            self.asked.add((method.lower(), path))
            return answer, reply.headers

    def _check(self, method: str, path: str, reply: aiohttp.ClientResponse, answer: Any) -> None:
        operation = self._description["paths"][path][method]
        assert str(reply.status) in operation["responses"], (
            f"{method} {path}: {reply.status} is not described"
        )
        described = operation["responses"][str(reply.status)]
        headers = {name for name in HEADERS if name in reply.headers}
        assert headers == set(described.get("headers", {})), f"{method} {path} {reply.status}"
        if not answer:
            assert "content" not in described, f"{method} {path} {reply.status} answers nothing"
            return
        (media_type,) = described["content"]
        assert reply.content_type == media_type
        if media_type == "application/json":
            schema = described["content"][media_type]["schema"]
            assert complaints(answer, schema, self._description["components"]["schemas"]) == []


def settings(data_dir: Path) -> Settings:
    return Settings(
        server=ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        aircraft=(AircraftSettings("otto", "Otto", "udpin:127.0.0.1:0", 1, feed=FEEDS),),
    )


@asynccontextmanager
async def house(data_dir: Path) -> AsyncIterator[tuple[Running, Client]]:
    """A service that knows something of everything it can be asked for."""
    make_flights(data_dir)
    async with running_service(settings(data_dir)) as service, aiohttp.ClientSession(service.url) as http:
        async with http.get("/api/v1/openapi.json") as reply:
            client = Client(http, await reply.json())
        camera = RtpCamera((await until(service.bus, SourceState, "tag", lambda s: s.address)).address)
        await until(service.bus, LinkState, "otto", lambda link: link.address)
        for picture in h264_pictures(30):
            camera.send(picture)
        await until(service.bus, SourceState, "tag", lambda s: s.status is SourceStatus.LIVE and s.config)
        camera.close()
        service.bus.publish(PictureHealth("tag", NOW_NS, ("blurred",), luma=90.0, sharpness=0.01))
        service.bus.publish(
            RenditionState(
                "tag", Rendition.WEB, RenditionStatus.LIVE, NOW_NS, why=("b_frames",), encoder="libx264",
                width_px=640, height_px=360, fps=30.0, bitrate_bps=1e6, cpu_share=0.4, delay_ms=45.0,
            )
        )  # fmt: skip
        sample = TelemetrySample(
            "otto", NOW_NS, lat_deg=49.4, lon_deg=7.7, alt_home_m=80.0, home=Place(49.4, 7.7),
            gimbal_pitch_deg=-60.0, gimbal_yaw_deg=30.0, hfov_deg=70.0, vfov_deg=43.0,
            received_ns={Group.POSITION: NOW_NS},
        )  # fmt: skip
        service.bus.publish(sample)
        yield service, client


async def until(bus: Bus, kind: Any, key: str, holds: Any) -> Any:
    with bus.latest(kind, key) as states:
        async for state in states:
            if holds(state):
                return state
    raise AssertionError("the bus was closed")


async def test_every_answer_is_as_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.room_settings.export_rules", lambda _: ExportRules(module=MAKER))
    async with house(tmp_path) as (service, client):
        for path in (
            "/healthz",
            "/readyz",
            "/metrics",
            "/api/v1/openapi.json",
            "/api/v1/config",
            "/api/v1/alarms",
            "/api/v1/privacy-notice",
            "/api/v1/processing-record.md",
        ):
            await client.ask("GET", path, 200)
        await client.ask("GET", "/api/v1/privacy-notice", 400, params={"language": "fr"})
        feeds, _ = await client.ask("GET", "/api/v1/feeds", 200)
        assert feeds["feeds"][0]["renditions"][0]["cpu_share"] == 0.4
        for path in ("/api/v1/feeds/{feed}", "/api/v1/feeds/{feed}/viewers", "/api/v1/feeds/{feed}/history"):
            await client.ask("GET", path, 200, feed="tag")
            await client.ask("GET", path, 404, feed="nobody")
        latest = "/api/v1/aircraft/{aircraft}/telemetry/latest"
        await client.ask("GET", latest, 200, aircraft="otto")
        await client.ask("GET", latest, 404, aircraft="nobody")
        for path in ("/api/v1/situation.geojson", "/api/v1/situation.kml", "/api/v1/lagebild.kml"):
            await client.ask("GET", path, 200)
        await client.ask("GET", f"{latest}.geojson", 200, aircraft="otto")
        await client.ask("GET", f"{latest}.geojson", 404, aircraft="nobody")
        for asked in (("feed", "tag"), ("aircraft", "otto")):
            path = f"/api/v1/{asked[0]}{'s' if asked[0] == 'feed' else ''}/{{{asked[0]}}}/telemetry"
            how = {asked[0]: asked[1], "headers": {"Accept": "text/event-stream"}}
            await client.ask("GET", f"{path}", 400, **how, params={"hz": "nan"})
            client.asked.discard(("get", path))
        await seen_still(service.url)
        await client.ask("GET", "/api/v1/feeds/{feed}/still.jpg", 200, feed="tag")
        await client.ask("GET", "/api/v1/feeds/{feed}/still.jpg", 503, feed="push")
        await watch(client)
        await publish(client)
        await mark(client)
        service.bus.publish(RecordingState("otto", RecordingStatus.RECORDING, NOW_NS, LATER, NOW_NS))
        await client.ask("GET", "/api/v1/feeds/{feed}/recording", 200, feed="tag")
        await review(client)
        await export(client)
        await note(client)
        await train(client)
        await share(client)
        await keep(client)
        await log_in(client, tmp_path)
        await administer(client)
        await read_audit(client)
        described = {(m, p) for p, ms in client._description["paths"].items() for m in ms}
        assert described - STREAMS == client.asked


async def read_audit(client: Client) -> None:
    every = "/api/v1/audit"
    await client.ask("GET", every, 200, params={"who": "local", "action": "made", "limit": 5})
    for wrong in ({"limit": 0}, {"action": "none"}, {"from_ms": "x"}):
        await client.ask("GET", every, 400, params=wrong)
    await client.ask("GET", f"{every}/check", 200)
    for path in (f"{every}.jsonl", f"{every}.csv"):
        await client.ask("GET", path, 200)
        await client.ask("GET", path, 400, params={"action": "none"})


async def seen_still(url: str) -> None:
    """Wait for the first one: its decoder is a process, which a busy machine is slow to start."""
    async with asyncio.timeout(60), aiohttp.ClientSession(url) as http:
        while True:
            async with http.get("/api/v1/feeds/tag/still.jpg") as reply:
                if reply.status == 200:
                    return
                await reply.read()


async def watch(client: Client) -> None:
    whep, session = "/live/{feed}/whep", "/live/{feed}/whep/{session}"
    offer = {"data": recorded(RECORDED[0]), "headers": {"Content-Type": SDP}}
    await client.ask("POST", whep, 415, feed="tag", data="x")
    await client.ask("POST", whep, 403, feed="tag", **offer | {"headers": {"Origin": "http://evil.example"}})
    _, headers = await client.ask("POST", whep, 201, feed="tag", **offer)
    at = {"feed": "tag", "session": headers["Location"].rpartition("/")[2]}
    await client.ask("PATCH", session, 204, **at, data="a=x", headers={"Content-Type": FRAGMENT})
    await client.ask("GET", f"{session}/rendition", 200, **at)
    await client.ask("PUT", f"{session}/rendition", 200, **at, json={"rendition": "low"})
    await client.ask("PUT", f"{session}/rendition", 400, **at, json={"rendition": "huge"})
    await client.ask("GET", "/api/v1/feeds/{feed}/viewers", 200, feed="tag")
    await client.ask("DELETE", session, 200, **at)
    await client.ask("DELETE", session, 404, **at)


async def publish(client: Client) -> None:
    keys, whip, session = "/api/v1/feeds/{feed}/keys", "/live/{feed}/whip", "/live/{feed}/whip/{session}"
    made, _ = await client.ask("POST", keys, 201, feed="push")
    made, _ = await client.ask("POST", keys, 201, feed="push", json={"rotate": True})
    await client.ask("POST", keys, 400, feed="push", json={"rotate": "yes"})
    await client.ask("POST", keys, 409, feed="tag")
    await client.ask("GET", "/api/v1/pilot", 200)
    await client.ask("OPTIONS", whip, 200, feed="push")
    offer: dict[str, Any] = {"feed": "push", "data": recorded(PUBLISHED[0])}
    bearer = {"Content-Type": SDP, "Authorization": f"Bearer {made['key']}"}
    await client.ask("POST", whip, 401, **offer, headers={"Content-Type": SDP})
    _, headers = await client.ask("POST", whip, 201, **offer, headers=bearer)
    at = {"feed": "push", "session": headers["Location"].rpartition("/")[2]}
    fragment = "a=ice-ufrag:EsAw\r\n"
    kind = {"Content-Type": FRAGMENT}
    await client.ask("PATCH", session, 428, **at, data=fragment, headers=kind)
    kind["If-Match"] = headers["ETag"]
    await client.ask("PATCH", session, 204, **at, data=fragment, headers=kind)
    await client.ask("DELETE", session, 200, **at)
    await client.ask("DELETE", keys, 200, feed="push")


async def mark(client: Client) -> None:
    ground, markers, marker = "/api/v1/feeds/{feed}/ground", "/api/v1/markers", "/api/v1/markers/{marker}"
    point = {"x": 0.5, "y": 0.5, "utc_ms": NOW_NS / 1e6}
    await client.ask("POST", ground, 200, feed="tag", json=point)
    await client.ask("POST", ground, 409, feed="tag", json={"x": 0.5, "y": 0.5})
    await client.ask("POST", ground, 400, feed="tag", json={"x": 2.0, "y": 0.5})
    await client.ask("POST", ground, 404, feed="nobody", json=point)
    made, _ = await client.ask("POST", markers, 201, json=point | {"feed_id": "tag", "label": "A"})
    await client.ask("POST", markers, 201, json={"lat_deg": 49.4, "lon_deg": 7.7})
    await client.ask("POST", markers, 400, json={"label": "nowhere"})
    await client.ask("POST", markers, 404, json=point | {"feed_id": "nobody"})
    await client.ask("POST", markers, 409, json={"feed_id": "tag", "x": 0.5, "y": 0.5})
    await client.ask("GET", markers, 200)
    await client.ask("PATCH", marker, 200, marker=made["id"], json={"label": "B"})
    await client.ask("PATCH", marker, 400, marker=made["id"], json={"lat_deg": 49.4})
    await client.ask("DELETE", marker, 204, marker=made["id"])
    await client.ask("DELETE", marker, 404, marker=made["id"])
    await client.ask("PATCH", marker, 404, marker=made["id"], json={"label": "C"})


async def review(client: Client) -> None:
    one, index = "/api/v1/flights/{flight}", "/api/v1/flights/{flight}/feeds/{feed}"
    async with asyncio.timeout(10):
        while not (await client.ask("GET", "/api/v1/flights", 200))[0]["flights"]:
            await asyncio.sleep(0.01)
    await client.ask("GET", "/api/v1/flights", 400, params={"limit": "many"})
    files = [f"{one}/telemetry.{form}" for form in ("json", "csv", "gpx", "kml", "geojson")]
    for path in (one, f"{one}/events", f"{one}/track.json", *files):
        await client.ask("GET", path, 200, flight=WHOLE)
        await client.ask("GET", path, 404, flight="..")
    for path in files:
        await client.ask("GET", path, 400, flight=WHOLE, params={"from_ms": "soon"})
    at: dict[str, Any] = {"flight": WHOLE, "feed": "fritz-tag"}
    told, _ = await client.ask("GET", index, 200, **at, params={"from_ms": 0, "to_ms": 1})
    assert told["segments"]
    await client.ask("GET", index, 404, flight=WHOLE, feed="nobody")
    await client.ask("GET", "/api/v1/feeds/{feed}/recording", 404, feed="nobody")
    films = (f"{index}/segments/{{number}}.mp4", f"{index}/web/{{number}}-{{piece}}.mp4")
    for path in (*films, f"{one}/telemetry.tlog", f"{one}/thumbnail.jpg"):
        where = at | {"number": 1, "piece": 0} if path in films else {"flight": WHOLE}
        await client.ask("GET", path, 200, **where)
        await client.ask("GET", path, 206, **where, headers={"Range": "bytes=0-9"})
        await client.ask("GET", path, 416, **where, headers={"Range": "bytes=99999999-"})
        await client.ask("HEAD", path, 200, **where)
        await client.ask("GET", path, 404, **where | {"flight": "../x"})
    await ask_of_moments(client, at)
    await client.ask("GET", "/api/v1/viewings", 200)
    await client.ask("GET", "/api/v1/viewings", 404, params={"incident": "none"})


async def ask_of_moments(client: Client, at: dict[str, Any]) -> None:
    still, spots = "/api/v1/flights/{flight}/feeds/{feed}/still.jpg", "/api/v1/flights/{flight}/spots"
    await client.ask("GET", still, 200, **at, params={"at_ms": START_NS / 1e6 + 1000})
    await client.ask("GET", still, 404, **at, params={"at_ms": 0})
    await client.ask("GET", still, 400, **at)
    telemetry = "/api/v1/flights/{flight}/telemetry.json"
    await client.ask("GET", telemetry, 200, flight=WHOLE, params={"looks": "1"})
    place = {"lat": 49.4, "lon": 7.7}
    await client.ask("GET", spots, 200, flight=WHOLE, params=place)
    await client.ask("GET", spots, 400, flight=WHOLE)
    await client.ask("GET", spots, 404, flight="..", params=place)


async def note(client: Client) -> None:
    every, one = "/api/v1/flights/{flight}/notes", "/api/v1/flights/{flight}/notes/{note}"
    wish = {"utc_ms": 1_795_330_000_500.0, "text": "Person auf dem Dach", "by": "Meier"}
    made, _ = await client.ask("POST", every, 201, flight=WHOLE, json=wish)
    await client.ask("POST", every, 400, flight=WHOLE, json=wish | {"text": ""})
    await client.ask("POST", every, 404, flight="..", json=wish)
    await client.ask("GET", every, 200, flight=WHOLE)
    await client.ask("GET", every, 404, flight="..")
    at: dict[str, Any] = {"flight": WHOLE, "note": made["id"]}
    await client.ask("PATCH", one, 200, **at, json={"by": "Otto", "text": "Zwei"})
    await client.ask("PATCH", one, 400, **at, json={"by": ""})
    await client.ask("DELETE", one, 400, **at, json={})
    await client.ask("DELETE", one, 204, **at, json={"by": "Otto"})
    for method in ("PATCH", "DELETE"):
        await client.ask(method, one, 404, **at, json={"by": "Otto"})


async def export(client: Client) -> None:
    every, one, file = "/api/v1/exports", "/api/v1/exports/{export}", "/api/v1/exports/{export}/export.zip"
    order, newest = "/api/v1/flights/{flight}/exports", "/api/v1/flights/{flight}/export.zip"
    wish: dict[str, Any] = {"by": FINISHES, "parts": ["csv"], "from_ms": START_MS}
    ordered, headers = await client.ask("POST", order, 202, flight=WHOLE, json=wish)
    assert headers["Location"] == one.format(export=ordered["id"])
    await client.ask("POST", order, 400, flight=WHOLE, json=wish | {"parts": []})
    await client.ask("POST", order, 404, flight="..%2f", json=wish)
    async with asyncio.timeout(20):
        while (await client.ask("GET", one, 200, export=ordered["id"]))[0]["status"] != "done":
            await asyncio.sleep(0.02)
    await client.ask("GET", every, 200)
    at = {"export": ordered["id"]}
    await client.ask("GET", file, 200, **at)
    await client.ask("GET", file, 206, **at, headers={"Range": "bytes=0-9"})
    await client.ask("GET", file, 416, **at, headers={"Range": "bytes=99999999-"})
    await client.ask("HEAD", file, 200, **at)
    await client.ask("GET", newest, 303, flight=WHOLE, allow_redirects=False)
    await client.ask("GET", newest, 404, flight=LATER)
    sticks, _ = await client.ask("POST", order, 202, flight=WHOLE, json=wish | {"by": STICKS})
    await client.ask("DELETE", one, 200, export=sticks["id"])
    await client.ask("DELETE", one, 204, **at)
    for path in (one, file):
        await client.ask("GET", path, 404, **at)


async def log_in(client: Client, data_dir: Path) -> None:
    """Cookies are passed by hand: without them it is this machine that asks."""
    first = make_invite(data_dir)
    wish: dict[str, Any] = {"token": first, "password": PASSWORD, "login": "Chef", "name": "Chefin"}
    async with asyncio.timeout(10):  # until the service has seen it
        while (await client.http.post("/api/v1/invited/look", json={"token": first})).status != 200:
            pass
    await client.ask("GET", "/api/v1/me", 200)
    await client.ask("GET", "/api/v1/me", 401, headers={"Authorization": "Bearer lbt_wrong"})
    await client.ask("POST", "/api/v1/invited/look", 200, json={"token": first})
    await client.ask("POST", "/api/v1/invited/look", 400, json={})
    await client.ask("POST", "/api/v1/invited", 400, json=wish | {"password": "kurz"})
    await client.ask("POST", "/api/v1/invited", 204, json=wish)
    await client.ask("POST", "/api/v1/invited", 409, json=wish)
    await client.ask("POST", "/api/v1/invited/look", 409, json={"token": first})
    await client.ask("POST", "/api/v1/login", 400, json={"login": "chef"})
    _, headers = await client.ask("POST", "/api/v1/login", 204, json={"login": "CHEF", "password": PASSWORD})
    cookie = {"Cookie": headers["Set-Cookie"].partition(";")[0]}
    me, _ = await client.ask("GET", "/api/v1/me", 200, headers=cookie)
    assert (me["login"], me["name"], me["roles"]) == ("chef", "Chefin", ["administrator"])
    password, change = "/api/v1/me/password", {"old": PASSWORD, "new": PASSWORD + "!"}
    await client.ask("PUT", password, 403, json=change)
    await client.ask("PUT", password, 400, headers=cookie, json=change | {"new": "kurz"})
    await client.ask("PUT", password, 403, headers=cookie, json=change | {"old": "falsch"})
    await client.ask("PUT", password, 204, headers=cookie, json=change)
    await client.ask("POST", "/api/v1/logout", 204, headers=cookie)
    wrong = {"login": "chef", "password": "falsch"}
    for _ in range(5):
        await client.ask("POST", "/api/v1/login", 401, json=wrong)
    await client.ask("POST", "/api/v1/login", 429, json=wrong)


async def administer(client: Client) -> None:
    every, one = "/api/v1/accounts", "/api/v1/accounts/{account}"
    wish: dict[str, Any] = {"login": "Wolf", "name": "Petra Wolf", "roles": ["pilot", "viewer"]}
    made, _ = await client.ask("POST", every, 201, json=wish)
    assert (made["login"], made["password"], made["sessions"]) == ("wolf", False, 0)
    await client.ask("POST", every, 409, json=wish)
    await client.ask("POST", every, 400, json=wish | {"roles": []})
    at = {"account": made["id"]}
    (chef,) = [
        each for each in (await client.ask("GET", every, 200))[0]["accounts"] if each["id"] != made["id"]
    ]
    await client.ask("POST", f"{one}/invite", 200, **at)
    await client.ask("PATCH", one, 200, **at, json={"disabled": True})
    await client.ask("PATCH", one, 400, **at, json={"login": "!"})
    await client.ask("PATCH", one, 409, account=chef["id"], json={"roles": ["pilot"]})
    await client.ask("POST", f"{one}/invite", 409, **at)
    await client.ask("DELETE", f"{one}/sessions", 204, **at)
    await client.ask("DELETE", one, 409, account=chef["id"])
    await client.ask("DELETE", one, 204, **at)
    for method, path in (("DELETE", one), ("DELETE", f"{one}/sessions"), ("POST", f"{one}/invite")):
        await client.ask(method, path, 404, **at)
    await client.ask("PATCH", one, 404, **at, json={})
    tokens, token = "/api/v1/tokens", "/api/v1/tokens/{token}"
    new: dict[str, Any] = {"name": "Prometheus", "kind": "metrics"}
    told, _ = await client.ask("POST", tokens, 201, json=new)
    bearer = {"Authorization": f"Bearer {told['token']}"}
    await client.ask("GET", "/metrics", 200, headers=bearer)
    await client.ask("POST", tokens, 400, json=new | {"grants": ["administer"]})
    await client.ask("POST", tokens, 404, json=new | {"kind": "api", "incident_id": "none"})
    await client.ask("GET", tokens, 200)
    await client.ask("DELETE", token, 204, token=told["made"]["id"])
    await client.ask("DELETE", token, 404, token=told["made"]["id"])
    await client.ask("GET", "/api/v1/me", 401, headers=bearer)


async def train(client: Client) -> None:
    path, wish = "/api/v1/training", {"flight_id": WHOLE, "by": "Kern", "loop": True}
    await client.ask("GET", path, 200)
    await client.ask("PATCH", path, 404, json={"speed": 2})
    await client.ask("POST", path, 400, json=wish | {"speed": 99})
    await client.ask("POST", path, 404, json=wish | {"flight_id": ".."})
    await client.ask("POST", path, 201, json=wish)
    await client.ask("POST", path, 409, json=wish)
    await client.ask("DELETE", "/api/v1/flights/{flight}", 409, flight=WHOLE, json={"by": "K", "reason": "R"})
    await client.ask("PATCH", path, 200, json={"speed": 2})
    await client.ask("PATCH", path, 400, json={"speed": 0})
    await client.ask("GET", path, 200)
    await client.ask("DELETE", path, 204)
    await client.ask("DELETE", path, 404)


async def share(client: Client) -> None:
    incidents, links = "/api/v1/incidents", "/api/v1/incidents/{incident}/links"
    new = {"by": "Meier", "kind": "uebung", "name": "Leiter", "aircraft_ids": []}
    incident, _ = await client.ask("POST", incidents, 201, json=new)
    at = {"incident": incident["id"]}
    link, _ = await client.ask("POST", links, 201, **at, json={"note": "ELW 1"})
    await client.ask("POST", links, 400, **at, json={"hours": 1000})
    await client.ask("POST", links, 404, incident="none", json={})
    await client.ask("GET", links, 200, **at)
    await client.ask("GET", links, 404, incident="none")
    await client.ask("GET", f"{links}/{{link}}/qr.svg", 200, **at, link=link["id"])
    await client.ask("GET", f"{links}/{{link}}/qr.svg", 404, **at, link="none")
    token = link["url"].rpartition("/")[2]
    await client.ask("POST", "/api/v1/enter/look", 200, json={"token": token})
    await client.ask("POST", "/api/v1/enter/look", 404, json={"token": token[:-1]})
    await client.ask("POST", "/api/v1/enter", 400, json={"token": token, "name": " "})
    _, headers = await client.ask("POST", "/api/v1/enter", 204, json={"token": token, "name": "ELW 1"})
    assert "HttpOnly" in headers["Set-Cookie"]
    client.http.cookie_jar.clear()
    await client.ask("GET", "/api/v1/present", 200)
    await client.ask("DELETE", "/api/v1/present/{guest}", 404, guest="none")
    await client.ask("DELETE", f"{links}/{{link}}", 204, **at, link=link["id"])
    await client.ask("DELETE", f"{links}/{{link}}", 404, **at, link="none")
    await client.ask("POST", "/api/v1/enter", 404, json={"token": token, "name": "ELW 1"})
    await client.ask("PATCH", f"{incidents}/{{incident}}", 200, **at, json={"closed": True})
    await client.ask("POST", links, 409, **at, json={})


async def keep(client: Client) -> None:
    one, hold = "/api/v1/flights/{flight}", "/api/v1/flights/{flight}/hold"
    incidents, switch = "/api/v1/incidents", "/api/v1/aircraft/{aircraft}/recording"
    me: dict[str, Any] = {"by": "Meier"}
    why = me | {"reason": "Auskunft"}
    new = me | {"kind": "einsatz", "name": "Brand", "aircraft_ids": ["otto"]}
    incident, _ = await client.ask("POST", incidents, 201, json=new)
    await client.ask("POST", incidents, 400, json=new | {"kind": "fest"})
    await client.ask("POST", incidents, 404, json=new | {"aircraft_ids": ["nobody"]})
    change = {"flight_ids": [WHOLE], "record": ["thermal", "telemetry"]}
    await client.ask("PATCH", f"{incidents}/{{incident}}", 200, incident=incident["id"], json=change)
    await client.ask("PATCH", f"{incidents}/{{incident}}", 404, incident="none", json=change)
    await client.ask("PATCH", f"{incidents}/{{incident}}", 400, incident=incident["id"], json={"name": ""})
    change = {"record": ["audio"]}
    await client.ask("PATCH", f"{incidents}/{{incident}}", 400, incident=incident["id"], json=change)
    await client.ask(
        "PATCH", f"{incidents}/{{incident}}", 200, incident=incident["id"], json={"record": None}
    )
    await client.ask("GET", incidents, 200)
    for path in (f"{incidents}/{{incident}}/effect", f"{incidents}/{{incident}}/effect.csv"):
        await client.ask("GET", path, 200, incident=incident["id"])
        await client.ask("GET", path, 404, incident="none")
    await client.ask("PUT", hold, 200, flight=WHOLE, json=why)
    await client.ask("PUT", hold, 400, flight=WHOLE, json=me)
    await client.ask("GET", one, 200, flight=WHOLE)
    await client.ask("DELETE", one, 409, flight=WHOLE, json=why)
    await client.ask("DELETE", hold, 204, flight=WHOLE, json=me)
    await client.ask("DELETE", hold, 400, flight=WHOLE, json={})
    await client.ask("GET", "/api/v1/retention", 200)
    await client.ask("DELETE", one, 200, flight=WHOLE, json=why)
    await client.ask("DELETE", one, 404, flight=WHOLE, json=why)
    await client.ask("GET", "/api/v1/deletions", 200)
    await client.ask("GET", "/api/v1/storage", 200)
    await client.ask("GET", "/api/v1/signing-key", 200)
    await client.ask("PUT", switch, 204, aircraft="otto", json=me | {"on": True})
    await client.ask("PUT", switch, 404, aircraft="nobody", json=me | {"on": True})


@pytest.mark.parametrize(
    ("schema", "value", "complaint"),
    [
        ({"type": "integer"}, True, ": True is no integer"),
        ({"type": "object", "properties": {}, "required": ["a"]}, {}, ".a is missing"),
        ({"type": "object", "properties": {"a": {}}}, {"b": 1}, ".b is not described"),
        ({"anyOf": [{"type": "null"}, {"enum": ["x"]}]}, "y", ": 'y' is no null"),
        ({"type": "array", "items": {"type": "string"}}, ["a", 1], "[1]: 1 is no string"),
        ({"type": "string", "pattern": "^a"}, "b", ": 'b' does not match ^a"),
        ({"oneOf": []}, 1, ": the test does not know ['oneOf']"),
    ],
)
def test_the_test_can_fail(schema: dict[str, Any], value: Any, complaint: str) -> None:
    assert complaints(value, schema, {}) == [complaint]


def test_what_no_route_answers_is_not_described() -> None:
    assert describe([])["components"]["schemas"].keys() == {"Error"}


def test_what_may_be_asked_beside_the_path_is_described() -> None:
    route = Route("GET", "/x/{id}", Permission.WATCH, "x", {200: "x"}, query={"hz": {"type": "number"}})
    parameters = describe([route])["paths"]["/x/{id}"]["get"]["parameters"]
    assert parameters == [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "hz", "in": "query", "required": False, "schema": {"type": "number"}},
    ]
