"""Incident links against the running service: two incidents, guests, WHEP by aiortc, WebSocket and SSE."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.flights import Alarm, Marker, SourceState
from flow.samples import Group, TelemetrySample
from tests.fakes.encoded import h264_pictures
from tests.fakes.rtp_camera import RtpCamera
from tests.fakes.whep_player import Player
from tests.policy.callers import Registry
from web.access.permissions import Role
from web.access.recognise import Gatekeeper
from web.service import Running, running_service
from web.settings import (
    AccessSettings,
    AircraftSettings,
    FeedSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

SDP = {"Content-Type": "application/sdp"}
OWN, FOREIGN = "fritz", "otto"
FOREIGN_WORDS = ("otto", "Ottmar", "Wohnung")


@dataclass(slots=True)
class House:
    service: Running
    office: aiohttp.ClientSession  # of a dispatcher
    incidents: dict[str, str] = field(default_factory=dict)  # by aircraft

    async def ask(self, method: str, path: str, status: int, **how: Any) -> Any:
        return await asked(self.office, method, path, status, **how)

    async def link(self, aircraft: str = OWN, **wish: Any) -> dict[str, Any]:
        path = f"/api/v1/incidents/{self.incidents[aircraft]}/links"
        made: dict[str, Any] = await self.ask("POST", path, 201, json=wish)
        return made

    async def revoke(self, link: Mapping[str, Any], aircraft: str = OWN) -> None:
        await self.ask("DELETE", f"/api/v1/incidents/{self.incidents[aircraft]}/links/{link['id']}", 204)

    @asynccontextmanager
    async def guest(
        self, link: Mapping[str, Any], name: str = "ELW 1"
    ) -> AsyncIterator[aiohttp.ClientSession]:
        jar = aiohttp.CookieJar(unsafe=True)  # the service is at an address
        async with aiohttp.ClientSession(self.service.url, cookie_jar=jar) as http:
            await asked(http, "POST", "/api/v1/enter", 204, json={"token": token_of(link), "name": name})
            yield http


def token_of(link: Mapping[str, Any]) -> str:
    return str(link["url"]).rpartition("/f/")[2]


async def asked(http: aiohttp.ClientSession, method: str, path: str, status: int, **how: Any) -> Any:
    async with http.request(method, path, **how) as reply:
        body = await reply.read()
        assert reply.status == status, (method, path, reply.status, body[:300])
        return await reply.json() if reply.content_type.endswith("json") and body else body


@asynccontextmanager
async def house(root: Path) -> AsyncIterator[House]:
    aircraft = tuple(
        AircraftSettings(
            name, shown, feed=(FeedSettings(f"{name}-tag", "rtp://127.0.0.1:0", f"{shown} Tag"),)
        )
        for name, shown in ((OWN, "Fritz"), (FOREIGN, "Ottmar"))
    )
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(root), title="Feuerwehr"),
        webrtc=WebRtcSettings(port=0),
        access=AccessSettings(this_machine=False),
        aircraft=aircraft,
    )
    async with running_service(settings) as service:
        guard = service.door.guard
        assert isinstance(guard, Gatekeeper)
        registry = Registry(guard._store, service.clock.now_ns())
        await registry.prepare()
        dispatcher = await registry.account("D", Role.DISPATCHER)
        async with aiohttp.ClientSession(service.url, headers=dispatcher.headers) as office:
            made = House(service, office)
            async with asyncio.timeout(20):
                while (await office.get("/api/v1/incidents")).status != 200:
                    await asyncio.sleep(0.01)
            for name, called in ((OWN, "Dachstuhlbrand"), (FOREIGN, "Wohnungsbrand")):
                new = {"kind": "einsatz", "name": called, "by": "Kern", "aircraft_ids": [name]}
                made.incidents[name] = (await made.ask("POST", "/api/v1/incidents", 201, json=new))["id"]
            yield made


@asynccontextmanager
async def filming(service: Running, feed: str = f"{OWN}-tag") -> AsyncIterator[None]:
    async with asyncio.timeout(20):
        with service.bus.latest(SourceState, feed) as states:
            async for state in states:
                if state.address:
                    break
    camera = RtpCamera(state.address)

    async def film() -> None:
        while True:
            for picture in h264_pictures(30):
                camera.send(picture)
                await asyncio.sleep(0.03)

    filmed = asyncio.create_task(film())
    try:
        yield
    finally:
        filmed.cancel()
        await asyncio.wait([filmed])
        camera.close()


class Watching(Player):
    """`last_s`: when the last packet came."""

    last_s = 0.0

    def _record(self, receiver: Any) -> None:
        super()._record(receiver)
        handle = receiver._handle_rtp_packet

        async def noted(packet: Any, arrival_time_ms: int) -> None:
            self.last_s = time.monotonic()
            await handle(packet, arrival_time_ms)

        receiver._handle_rtp_packet = noted


async def watch(http: aiohttp.ClientSession, player: Player, feed: str = f"{OWN}-tag") -> str:
    async with http.post(f"/live/{feed}/whep", data=await player.offer(), headers=SDP) as reply:
        assert reply.status == 201, await reply.text()
        await player.play(await reply.text())
        return reply.headers["Location"]


async def test_a_link_that_is_taken_back_ends_picture_and_telemetry_at_once_and_nobody_elses(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h, filming(h.service), Watching() as guests, Watching() as others:
        link = await h.link(note="ELW 1")
        async with h.guest(link) as guest:
            session = await watch(guest, guests)
            await watch(h.office, others)
            socket = await guest.ws_connect(f"/api/v1/feeds/{OWN}-tag/telemetry")
            events = await guest.get(
                f"/api/v1/aircraft/{OWN}/telemetry", headers={"Accept": "text/event-stream"}
            )
            for player in (guests, others):
                for _ in range(3):
                    await player.frame()
            began_s = time.monotonic()
            await h.revoke(link)
            async with asyncio.timeout(10):
                while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                    pass
            assert socket.close_code == 4403
            with contextlib.suppress(aiohttp.ClientError):
                async with asyncio.timeout(10):
                    await events.read()  # aborted: it ends
            await _pictures(others, 5)
            count = len(guests.rtp_timestamps)
            await _pictures(others, 30)
            assert len(guests.rtp_timestamps) == count
            print(f"the last RTP packet came {(guests.last_s - began_s) * 1000:.0f} ms after DELETE was sent")
            await asked(guest, "GET", f"/api/v1/feeds/{OWN}-tag", 401)
            await asked(guest, "DELETE", session, 401)
            await asked(guest, "POST", "/api/v1/enter", 404, json={"token": token_of(link), "name": "ELW 1"})


async def _pictures(player: Player, count: int) -> None:
    for _ in range(count):
        await player.frame()


async def test_one_guest_is_let_go_of_and_the_other_watches_on(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        link = await h.link()
        async with h.guest(link) as one, h.guest(link) as two:
            sockets = [await each.ws_connect(f"/api/v1/feeds/{OWN}-tag/telemetry") for each in (one, two)]
            people = await _people(sockets[1], 2)
            assert [each["name"] for each in people] == ["ELW 1", "ELW 1 (2)"]
            told = (await asked(two, "GET", "/api/v1/present", 200))["people"]
            assert [(p["name"], p["kind"], p["feeds"]) for p in told] == [
                ("ELW 1", "guest", ["fritz-tag"]),
                ("ELW 1 (2)", "guest", ["fritz-tag"]),
            ]
            await asked(two, "DELETE", f"/api/v1/present/{told[0]['id']}", 403)
            await h.ask("DELETE", f"/api/v1/present/{told[0]['id']}", 204)
            async with asyncio.timeout(10):
                while (await sockets[0].receive()).type is not aiohttp.WSMsgType.CLOSE:
                    pass
            assert sockets[0].close_code == 4403
            assert [each["name"] for each in await _people(sockets[1], 1)] == ["ELW 1 (2)"]


async def _people(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while True:
            told = await socket.receive_json()
            if told["type"] == "present" and len(told["people"]) == count:
                people: list[dict[str, Any]] = told["people"]
                return people


async def test_a_guest_is_told_of_nothing_outside_of_his_incident(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        bus, now_ns = h.service.bus, h.service.clock.now_ns()
        for name in (OWN, FOREIGN):
            bus.publish(
                TelemetrySample(name, now_ns, lat_deg=49.4, lon_deg=7.7, received_ns={Group.POSITION: now_ns})
            )
            bus.publish(Marker(f"m-{name}", name, now_ns, 49.4, 7.7, f"bei {name}", "K"))
            bus.publish(Alarm(f"a-{name}", name, now_ns, "no_fix", {"limit": "3"}))
        bus.publish(Marker("m-house", "", now_ns, 49.4, 7.7, "otto Hydrant", "K"))
        async with h.guest(await h.link()) as guest, h.guest(await h.link(FOREIGN), "ottos Gast") as other:
            theirs = await other.ws_connect(f"/api/v1/feeds/{FOREIGN}-tag/telemetry")
            socket = await guest.ws_connect(f"/api/v1/feeds/{OWN}-tag/telemetry")
            await _people(socket, 1)
            later_ns = h.service.clock.now_ns()
            for name in (FOREIGN, OWN):
                bus.publish(Marker(f"n-{name}", name, later_ns, 49.4, 7.7, f"am {name}", "K"))
                bus.publish(Alarm(f"b-{name}", name, later_ns, "battery_percent", {"limit": "3"}))
            heard = await _heard_until(socket, "battery_percent")
            for word in FOREIGN_WORDS:
                assert word not in heard, word
            assert "am fritz" in heard
            for path in (
                "feeds",
                "alarms",
                "markers",
                "situation.geojson",
                "situation.kml",
                "present",
                "training",
            ):
                told = await _text(guest, path)
                assert not [word for word in FOREIGN_WORDS if word in told], (path, told)
            assert "fritz" in await _text(guest, "markers")
            assert "ottos Gast" in (await _text(other, "present"))
            for path in (f"feeds/{FOREIGN}-tag", f"aircraft/{FOREIGN}/telemetry/latest"):
                await asked(guest, "GET", f"/api/v1/{path}", 404)
            await theirs.close()


async def _text(http: aiohttp.ClientSession, path: str) -> str:
    async with http.get(f"/api/v1/{path}") as reply:
        assert reply.status == 200, (path, reply.status)
        return await reply.text()


async def _heard_until(socket: aiohttp.ClientWebSocketResponse, word: str) -> str:
    heard = ""
    async with asyncio.timeout(10):
        while word not in heard:
            heard += await socket.receive_str()
    return heard


async def test_a_session_is_its_callers_and_its_feeds(tmp_path: Path) -> None:
    async with house(tmp_path) as h, filming(h.service), Watching() as player:
        link = await h.link()
        async with h.guest(link) as one, h.guest(link, "Zweiter") as two:
            session = await watch(one, player)
            await asked(two, "DELETE", session, 404)
            await asked(h.office, "GET", f"{session}/rendition", 404)
            await asked(h.office, "DELETE", session.replace(OWN, FOREIGN), 404)
            await asked(one, "DELETE", session, 200)
            await asked(one, "DELETE", session, 404)
            assert (await asked(one, "GET", "/api/v1/present", 200))["people"] == []


@pytest.mark.parametrize("change", [{"closed": True}, {"aircraft_ids": []}])
async def test_an_incident_that_is_closed_or_loses_its_aircraft_shows_nothing_more(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    async with house(tmp_path) as h, h.guest(await h.link()) as guest:
        socket = await guest.ws_connect(f"/api/v1/feeds/{OWN}-tag/telemetry")
        await h.ask("PATCH", f"/api/v1/incidents/{h.incidents[OWN]}", 200, json=change)
        async with asyncio.timeout(10):
            while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert socket.close_code == 4403
        await asked(guest, "GET", f"/api/v1/feeds/{OWN}-tag", 404)
        assert (await asked(guest, "GET", "/api/v1/feeds", 200))["feeds"] == []


async def test_an_aircraft_is_of_the_incident_that_was_opened_last(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.guest(await h.link()) as guest:
        await asked(guest, "GET", f"/api/v1/feeds/{OWN}-tag", 200)
        new = {"kind": "einsatz", "name": "Neu", "by": "Kern", "aircraft_ids": [OWN]}
        await h.ask("POST", "/api/v1/incidents", 201, json=new)
        await asked(guest, "GET", f"/api/v1/feeds/{OWN}-tag", 404)


async def test_a_link_can_be_shown_again_and_is_no_ones_who_changes_a_character(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        link = await h.link(note="ELW 1", hours=2)
        path = f"/api/v1/incidents/{h.incidents[OWN]}/links"
        again = (await h.ask("GET", path, 200))["links"][0]
        assert again == link
        assert (link["expires_ms"] - link["created_ms"], link["by"]) == (7_200_000, "Person D")
        code = await h.ask("GET", f"{path}/{link['id']}/qr.svg", 200)
        assert code.lstrip().startswith((b"<?xml", b"<svg"))
        token = token_of(link)
        looked = await h.ask("POST", "/api/v1/enter/look", 200, json={"token": token})
        assert (looked["incident"], looked["kind"], looked["title"]) == (
            "Dachstuhlbrand",
            "einsatz",
            "Feuerwehr",
        )
        for wrong in (token[:-1], token + "A", token[::-1], "x", f"{token[:11]}{'A' * 22}", "ü" * 33):
            await h.ask("POST", "/api/v1/enter/look", 404, json={"token": wrong})
        await h.ask("GET", f"/api/v1/incidents/{h.incidents[FOREIGN]}/links/{link['id']}/qr.svg", 404)
        await h.ask("DELETE", f"/api/v1/incidents/{h.incidents[FOREIGN]}/links/{link['id']}", 404)
        await h.revoke(link)
        assert (await h.ask("GET", path, 200))["links"][0]["url"] == ""
