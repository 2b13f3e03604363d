"""Everything that can be wrong at once, beside an aircraft that is well: each fault is one clear line, in the
log and in the interface, and the pictures and the telemetry of the healthy one all arrive meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.flights import SourceState
from flow.samples import LinkState
from flow.units import AccessUnit
from ingest.open import POSSIBLE
from tests.fakes.aircraft import FakeAircraft
from tests.fakes.encoded import h264_pictures
from tests.fakes.rtp_camera import RtpCamera
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PictureSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

LOST_MS = 2500
DEADLINE_S = 60.0  # for a test that hangs, on a machine that is busy
PICTURE_S = 1 / 30
NO_PACKETS = "no MPEG-TS packets (ISO/IEC 13818-1 2.4.3)"
ANY_PORT, ANY_LINK = "rtp://127.0.0.1:0", "udpin:127.0.0.1:0"

Address = tuple[str, int]


def craft(aircraft_id: str, mavlink: str, **sources: str) -> AircraftSettings:
    """An aircraft of system id 1 with these feeds."""
    feeds = tuple(FeedSettings(feed_id, source) for feed_id, source in sources.items())
    return AircraftSettings(aircraft_id, mavlink=mavlink, system_id=1, feed=feeds)


HEALTHY = craft("fritz", ANY_LINK, tag=ANY_PORT)


@dataclass(slots=True)
class Site:
    """A running service and what is sent to it, 30 times a second."""

    service: Running
    http: aiohttp.ClientSession
    sends: list[Callable[[], None]] = field(default_factory=list)

    async def turn(self, seconds: float) -> None:
        """Send on for so long."""
        for _ in range(round(seconds / PICTURE_S)):
            for send in self.sends:
                send()
            await asyncio.sleep(PICTURE_S)

    async def until(self, condition: Callable[[], bool], what: Callable[[], object]) -> None:
        """Send until the condition holds; fails after the deadline, telling `what` there is instead."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + DEADLINE_S
        while not condition():
            assert loop.time() < deadline, what()
            await self.turn(PICTURE_S)

    def feed(self, feed_id: str) -> SourceState:
        state = self.service.bus.peek(SourceState, feed_id)
        assert state is not None
        return state

    def link(self, aircraft_id: str) -> LinkState:
        state = self.service.bus.peek(LinkState, aircraft_id)
        assert state is not None
        return state

    def port(self, feed_id: str) -> Address:
        return "127.0.0.1", int(self.feed(feed_id).address.rpartition(":")[2])

    def mavlink(self, aircraft_id: str) -> Address:
        _, host, port = self.link(aircraft_id).address.split(":")
        return host, int(port)

    async def told_of_feeds(self) -> dict[str, dict[str, Any]]:
        """Every feed's state, as the page is told."""
        async with self.http.get("/api/v1/feeds") as reply:
            return {feed["id"]: feed["state"] for feed in (await reply.json())["feeds"]}

    async def told_of_link(self, feed_id: str) -> dict[str, Any]:
        """The state of the telemetry link of that feed's aircraft, as the page is told."""
        async with self.http.ws_connect(f"/api/v1/feeds/{feed_id}/telemetry") as page:
            while True:
                message: dict[str, Any] = await page.receive_json()
                if message["type"] == "link":
                    return message


@asynccontextmanager
async def site(*aircraft: AircraftSettings) -> AsyncIterator[Site]:
    """A service with these aircraft, those of their ports open that the kernel chooses."""
    settings = Settings(
        ServerSettings(port=0),
        PictureSettings(lost_ms=LOST_MS),
        WebRtcSettings(port=0),
        aircraft=aircraft,
        recording=RecordingSettings(enabled=False),
    )
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        here, bus = Site(service, http), service.bus
        feeds = [feed.id for each in aircraft for feed in each.feed if feed.source.endswith(":0")]
        links = [each.id for each in aircraft if each.mavlink.endswith(":0")]

        def opened() -> bool:
            states = [
                *(bus.peek(SourceState, one) for one in feeds),
                *(bus.peek(LinkState, one) for one in links),
            ]
            return all(state is not None and state.address != "" for state in states)

        await here.until(opened, lambda: "not every port was opened")
        yield here


def udp_socket() -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))
    return bound


class Camera:
    """Shows the same second over and over, from picture `skip` on: with any, never a keyframe."""

    def __init__(self, address: Address, skip: int = 0) -> None:
        self._camera = RtpCamera("rtp://{}:{}".format(*address))
        self._pictures = itertools.cycle(h264_pictures()[skip:30])
        self.sent = 0

    def close(self) -> None:
        self._camera.close()

    def send(self) -> None:
        self._camera.send(next(self._pictures))
        self.sent += 1


class Vehicle:
    """An aircraft with system id 1 that was switched on `boot_ms` ago, at some place."""

    def __init__(self, address: Address, boot_ms: int, lat: float) -> None:
        self._address, self._boot_ms, self._lat = address, boot_ms, lat
        self._aircraft = FakeAircraft(1)
        self._socket = udp_socket()
        self.sent = 0
        self.name = "udp:{}:{}".format(*self._socket.getsockname())

    def close(self) -> None:
        self._socket.close()

    def send(self) -> None:
        self._boot_ms += 33
        self.sent += 2
        for message in (self._aircraft.heartbeat(), self._aircraft.position(self._boot_ms, lat=self._lat)):
            self._socket.sendto(message, self._address)


class Vandal:
    """Sends nothing and nonsense in turn."""

    def __init__(self, *addresses: Address) -> None:
        self._addresses = addresses
        self._socket = udp_socket()
        self._chance = random.Random(7)
        self.name = "{}:{}".format(*self._socket.getsockname())

    def close(self) -> None:
        self._socket.close()

    def send(self) -> None:
        for address in self._addresses:
            self._socket.sendto(b"", address)
            self._socket.sendto(self._chance.randbytes(self._chance.randrange(1, 1400)), address)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to be said of one thing that is wrong: a code, and one line; `detail` is its pattern."""

    id: str
    status: str
    reason: str
    detail: str


def fault(id: str, status: str, reason: str, *detail: str) -> Fault:
    """`detail`: parts that stand in the line as they are, any port where one ends in :0."""
    return Fault(id, status, reason, "".join(re.sub(":0$", r":\\d+", re.escape(part)) for part in detail))


def faults(
    text: Path, gone: Path, port: int, vandal: str, twins: tuple[str, str]
) -> tuple[list[Fault], list[Fault]]:
    """What is to be said of the feeds, and of the telemetry links."""
    nothing = f": a datagram of 0 bytes from {vandal}: "
    short = "RTP packet of 0 bytes is shorter than its header (RFC 3550 5.1)"
    one, other = twins
    both = f"two aircraft with one system id: 1 comes from {one} and from {other}; only {one} is used. "
    feeds = [
        fault("text", "lost", "not_video", f"{text} is no video file"),
        fault("weg", "lost", "not_found", f"{gone} does not exist"),
        fault("url", "lost", "unsupported_url", "'ftp' is no kind of source; possible are ", POSSIBLE),
        fault("ohne", "lost", "no_keyframe", "pictures come, but no keyframe for 2.5 s on rtp://127.0.0.1:0"),
        fault("muell", "lost", "not_video", "rtp://127.0.0.1:0", nothing, short),
        fault("strom", "lost", "not_video", "udp://127.0.0.1:0", nothing, NO_PACKETS),
        fault("paar", "lost", "no_packets", "no packets for 2.5 s on rtp://127.0.0.1:0"),
        fault("besetzt", "lost", "port_in_use", f"UDP 127.0.0.1:{port} is in use by another program"),
    ]
    foreign = f": what comes from udp:{vandal} is no MAVLink"
    busy = f"telemetry port udpin:127.0.0.1:{port}"
    links = [
        fault("leitung", "connecting", "not_mavlink", "udpin:127.0.0.2:0", foreign),
        fault("zwilling", "live", "duplicate_system_id", both, "Give one of them another system id"),
        fault("belegt", "failed", "port_in_use", busy, " is in use by another program"),
    ]
    return feeds, links


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def check_one_to_one(lines: list[str], patterns: list[str]) -> None:
    """Each pattern is one line, and there is no other line."""
    found = {pattern: [line for line in lines if re.fullmatch(pattern, line)] for pattern in patterns}
    assert {pattern: len(matching) for pattern, matching in found.items()} == dict.fromkeys(patterns, 1), (
        lines
    )
    assert len(lines) == len(patterns), lines


def check_whole(here: Site, units: list[AccessUnit], camera: Camera, aircraft: Vehicle) -> None:
    """Whatever the healthy aircraft has sent has arrived, at most what is on its way excepted."""
    assert [unit.seq for unit in units] == list(range(len(units)))
    assert camera.sent - 2 <= len(units) <= camera.sent
    feed, link = here.feed("tag"), here.link("fritz")
    assert (feed.status, feed.damaged, feed.lost_packets, feed.restarts) == ("live", 0, 0, 0)
    assert (link.status, link.reason, link.lost, link.duplicates) == ("live", "", 0, 0)
    assert aircraft.sent - link.messages <= 2 * 45  # its state is told about once a second


async def test_each_fault_is_one_line_and_the_healthy_aircraft_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    text, gone = tmp_path / "notes.mp4", tmp_path / "gone.mp4"
    text.write_text("no video at all\n" * 500)
    with ExitStack() as stack:
        taken = stack.enter_context(udp_socket())
        port = taken.getsockname()[1]
        aircraft = (
            HEALTHY,
            craft("datei", "", text=str(text), weg=f"file:{gone}", url="ftp://x"),
            craft("leitung", "udpin:127.0.0.2:0", ohne=ANY_PORT, muell=ANY_PORT, strom="udp://127.0.0.1:0"),
            craft("zwilling", "udpin:127.0.0.3:0", paar=ANY_PORT),
            craft("belegt", f"udpin:127.0.0.1:{port}", besetzt=f"rtp://127.0.0.1:{port}"),
        )
        async with site(*aircraft) as here:
            units = here.service.bus.lossless(AccessUnit, "tag/source")
            fritz = Vehicle(here.mavlink("fritz"), 60_000, 49.4)
            twin = Vehicle(here.mavlink("zwilling"), 0, 49.1)
            other = Vehicle(here.mavlink("zwilling"), 900_000, 49.8)
            vandal = Vandal(here.port("muell"), here.port("strom"), here.mavlink("leitung"))
            camera, keyless = Camera(here.port("tag")), Camera(here.port("ohne"), skip=1)
            for sender in (camera, keyless, fritz, twin, other, vandal):
                stack.enter_context(closing(sender))
                here.sends.append(sender.send)

            feeds, links = faults(text, gone, port, vandal.name, (twin.name, other.name))

            def missing() -> list[Fault]:
                found = [each for each in feeds if here.feed(each.id).reason == each.reason]
                found += [each for each in links if here.link(each.id).reason == each.reason]
                return [each for each in (*feeds, *links) if each not in found]

            await here.until(lambda: not missing(), missing)
            known = len(caplog.records)
            await here.turn(2.5)

            told = await here.told_of_feeds()
            for each in feeds:
                assert (told[each.id]["status"], told[each.id]["reason"]) == (each.status, each.reason)
                assert re.fullmatch(each.detail, told[each.id]["detail"])
            for each in links:
                link = await here.told_of_link(next(one.feed[0].id for one in aircraft if one.id == each.id))
                assert (link["status"], link["reason"]) == (each.status, each.reason)
                assert re.fullmatch(each.detail, link["detail"])
            said = [f"feed {each.id}: {each.status}: {each.detail}" for each in feeds]
            said += [f"telemetry of {each.id}: {each.status}: {each.detail}" for each in links]
            check_one_to_one(warned(caplog), said)
            assert [record.getMessage() for record in caplog.records[known:]] == [], (
                "while all stays as it is"
            )
            check_whole(here, units.drain(), camera, fritz)


async def test_garbage_beside_a_live_camera_and_aircraft_is_one_line_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with site(HEALTHY) as here:
        units = here.service.bus.lossless(AccessUnit, "tag/source")
        fritz = Vehicle(here.mavlink("fritz"), 60_000, 49.4)
        camera = Camera(here.port("tag"))
        vandal = Vandal(here.port("tag"), here.mavlink("fritz"))
        with closing(fritz), closing(camera), closing(vandal):
            here.sends += [camera.send, fritz.send]
            await here.turn(0.5)
            here.sends.append(vandal.send)
            await here.turn(2)
        check_whole(here, units.drain(), camera, fritz)
        assert here.link("fritz").bad_bytes > 10_000
    (line,) = warned(caplog)
    assert line.startswith(
        f"feed tag: unusable: a datagram of 0 bytes from {vandal.name}: RTP packet of 0 bytes"
    )


async def test_what_keeps_the_service_from_starting_is_one_line_and_harms_no_other(tmp_path: Path) -> None:
    bad, unknown, good = tmp_path / "bad.toml", tmp_path / "unknown.toml", tmp_path / "good.toml"
    bad.write_text("[server]\nport = 'many'\n")
    unknown.write_text(
        "[[aircraft]]\nid = 'fritz'\n  [[aircraft.feed]]\n  id = 'tag'\n  sorce = 'rtp://127.0.0.1:0'\n"
    )
    good.write_text("[[aircraft]]\nid = 'fritz'\n")
    async with site(HEALTHY) as here:
        units = here.service.bus.lossless(AccessUnit, "tag/source")
        fritz, camera = Vehicle(here.mavlink("fritz"), 60_000, 49.4), Camera(here.port("tag"))
        port = here.service.url.rstrip("/").rpartition(":")[2]
        with closing(fritz), closing(camera):
            here.sends += [camera.send, fritz.send]
            starting = asyncio.gather(
                serve("--config", str(bad)),
                serve("--config", str(unknown)),
                serve("--config", str(good), "--port", port),
            )
            await here.until(starting.done, lambda: "the services do not end")
        check_whole(here, units.drain(), camera, fritz)
    assert list(await starting) == [
        (2, [f"lagebild: {bad}: Expected `int`, got `str` - at `$.server.port`"]),
        (2, [f"lagebild: {unknown}: unknown key 'aircraft[0].feed[0].sorce'; did you mean 'source'?"]),
        (2, [f"lagebild: cannot listen on 127.0.0.1:{port} for the web page: Address already in use; "
             "end the other program or choose another port (--port, or server.port in the configuration)"]),
    ]  # fmt: skip


async def serve(*arguments: str) -> tuple[int | None, list[str]]:
    """Run `lagebild serve` until it ends by itself; its exit code and all it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "web", "serve", "--webrtc-port", "0", *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode().splitlines()
