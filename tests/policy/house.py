"""A service with two incidents: of each an aircraft, recorded flights, an export."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import aiohttp

from flow.clock import NS_PER_S
from flow.flights import Aircraft, Alarm, Feed, Marker, SourceState
from flow.recording import RecordingState
from flow.samples import Group, Place, TelemetrySample
from tests.fakes.clock import START_NS
from tests.fakes.encoded import h264_pictures
from tests.fakes.recorded_flights import recorded_flight
from tests.fakes.rtp_camera import RtpCamera
from web.access.permissions import Role
from web.access.recognise import Gatekeeper
from web.publish_keys import PublishKeys
from web.service import Running, running_service
from web.settings import (
    AccessSettings,
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

from .callers import Credentials, Registry, callers

NAMES = ("adler", "bussard", "condor")
"""Aircraft of incident 1, of incident 2, and of none. No other word of an answer has these letters."""
INCIDENTS = ("Dachstuhlbrand Adlerweg", "Wohnungsbrand bussard-Gasse")
PICTURE_EVERY_S = 0.1
READY_WITHIN_S = 60.0


@dataclass(slots=True)
class Ward:
    """What belongs to one incident."""

    aircraft: str
    feed: str  # of a camera, with pictures
    pushed: str  # takes publishers
    flight: str = ""
    incident: str = ""
    running: str = ""
    export: str = ""
    marker: str = ""
    key: str = ""  # of `pushed`


@dataclass(slots=True)
class House:
    """`callers` by their letters; `wards` of incident 1 and 2."""

    service: Running
    registry: Registry
    callers: dict[str, Credentials]
    wards: tuple[Ward, Ward]
    foreign: frozenset[str] = field(default_factory=frozenset)
    """Words that nobody of incident 1 may read."""

    async def another_device(self, caller: Credentials) -> Mapping[str, str]:
        """What the same caller shows there; machines have none."""
        if caller.letter in "VPDA":
            return (await self.registry.device(caller)).headers
        if caller.letter == "G":
            link = await self.registry.link(self.wards[0].incident)
            return (await self.registry.guest("G", link)).headers
        return caller.headers


def settings(root: Path, *, this_machine: bool) -> Settings:
    aircraft = tuple(
        AircraftSettings(
            name,
            name.title(),
            "udpin:127.0.0.1:0",
            number,
            feed=(
                FeedSettings(f"{name}-tag", "rtp://127.0.0.1:0", f"{name} Tag"),
                FeedSettings(f"{name}-handy", "whip", f"{name} Handy"),
            ),
        )
        for number, name in enumerate(NAMES, 1)
    )
    return Settings(
        server=ServerSettings(port=0, data_dir=str(root)),
        webrtc=WebRtcSettings(port=0),
        recording=RecordingSettings(einsatz_days=36_500, uebung_days=36_500, reserve_mb=1),
        access=AccessSettings(this_machine=this_machine),
        aircraft=aircraft,
    )


@contextlib.asynccontextmanager
async def policy_house(root: Path, *, this_machine: bool = False) -> AsyncIterator[House]:
    """Ready to be walked. With `this_machine` the only caller is who sits at it."""
    wards = (_ward(root, 0), _ward(root, 1))
    keys = PublishKeys(root)
    for ward in wards:
        ward.key = keys.make(ward.pushed)
    async with running_service(settings(root, this_machine=this_machine)) as service:
        guard = service.door.guard
        assert isinstance(guard, Gatekeeper)
        registry = Registry(guard._store, service.clock.now_ns())
        await registry.prepare()
        maker = Credentials("o") if this_machine else await registry.account("A", Role.ADMINISTRATOR)
        async with aiohttp.ClientSession(service.url, headers=maker.headers) as http:
            for ward, name in zip(wards, INCIDENTS, strict=True):
                await _open(http, ward, name)
            async with _filming(service, wards):
                for ward in wards:
                    await _fill(service, http, ward)
                known = (
                    {"o": maker} if this_machine else await callers(registry, wards[0].incident, wards[0].key)
                )
                yield House(service, registry, known, wards, _foreign(wards[1]))


def _ward(root: Path, number: int) -> Ward:
    name = NAMES[number]
    feeds = (Feed(f"{name}-tag", name, f"{name} Tag"),)
    flight = recorded_flight(root, Aircraft(name, name.title(), feeds), START_NS + number * 3600 * NS_PER_S)
    return Ward(name, f"{name}-tag", f"{name}-handy", flight.id)


def _foreign(ward: Ward) -> frozenset[str]:
    return frozenset({NAMES[1], NAMES[1].title(), NAMES[2], ward.incident, ward.export, ward.marker})


async def _open(http: aiohttp.ClientSession, ward: Ward, name: str) -> None:
    """Its incident, and the flight of before in it."""
    await _until(lambda: _answers(http, f"/api/v1/flights/{ward.flight}"), "the recordings")
    new = {"kind": "einsatz", "name": name, "by": "Kern", "aircraft_ids": [ward.aircraft]}
    ward.incident = (await _told(http, "POST", "/api/v1/incidents", json=new))["id"]
    path = f"/api/v1/incidents/{ward.incident}"
    await _told(http, "PATCH", path, json={"add_flight_ids": [ward.flight]})
    order = {"by": "Kern", "parts": ["csv"]}
    ward.export = (await _told(http, "POST", f"/api/v1/flights/{ward.flight}/exports", json=order))["id"]


async def _fill(service: Running, http: aiohttp.ClientSession, ward: Ward) -> None:
    """Pictures, telemetry, a marker, an alarm; when the flight is being recorded and the export made."""
    now_ns = service.clock.now_ns()
    service.bus.publish(
        TelemetrySample(
            ward.aircraft, now_ns, lat_deg=49.4, lon_deg=7.7, alt_home_m=80.0, home=Place(49.4, 7.7),
            received_ns={Group.POSITION: now_ns},
        )
    )  # fmt: skip
    service.bus.publish(
        Marker(f"m-{ward.aircraft}", ward.aircraft, now_ns, 49.4, 7.7, f"bei {ward.aircraft}", "K")
    )
    service.bus.publish(Alarm(f"a-{ward.aircraft}", ward.aircraft, now_ns, "no_fix", {"limit": "3"}))
    new = {"lat_deg": 49.4, "lon_deg": 7.7, "aircraft_id": ward.aircraft, "label": f"am {ward.aircraft}"}
    ward.marker = (await _told(http, "POST", "/api/v1/markers", json=new))["id"]

    def running() -> bool:
        state = service.bus.peek(RecordingState, ward.aircraft)
        ward.running = (state.flight_id or "") if state else ""
        return bool(ward.running)

    await _until_true(running, "a flight that goes on")
    await _until(lambda: _answers(http, f"/api/v1/flights/{ward.running}"), "its entry")
    await _until(lambda: _answers(http, f"/api/v1/feeds/{ward.feed}/still.jpg"), "a still")
    await _until(lambda: _answers(http, f"/api/v1/exports/{ward.export}/export.zip"), "an export")
    await _until(lambda: _answers(http, "/api/v1/storage"), "the room on the disk")


@contextlib.asynccontextmanager
async def _filming(service: Running, wards: tuple[Ward, Ward]) -> AsyncIterator[None]:
    """Both cameras send while inside."""
    cameras = []
    for ward in wards:
        await _until_true(lambda w=ward: bool(_address(service, w)), "a port for the camera")
        cameras.append(RtpCamera(_address(service, ward)))
    sending = asyncio.create_task(_send(cameras))
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.wait([sending])
        for camera in cameras:
            camera.close()


def _address(service: Running, ward: Ward) -> str:
    state = service.bus.peek(SourceState, ward.feed)
    return state.address if state else ""


async def _send(cameras: list[RtpCamera]) -> None:
    for picture in cycle(h264_pictures(30)):
        for camera in cameras:
            camera.send(picture, round(90_000 * PICTURE_EVERY_S))
        await asyncio.sleep(PICTURE_EVERY_S)


async def _answers(http: aiohttp.ClientSession, path: str) -> bool:
    async with http.get(path) as reply:
        await reply.read()
        return reply.status == 200


async def _told(http: aiohttp.ClientSession, method: str, path: str, **how: Any) -> Any:
    async with http.request(method, path, **how) as reply:
        assert reply.status < 300, (method, path, reply.status, await reply.text())
        return await reply.json()


async def _until(asked: Any, what: str) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while not await asked():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what} did not come") from None


async def _until_true(holds: Any, what: str) -> None:
    async def asked() -> bool:
        return bool(holds())

    await _until(asked, what)
