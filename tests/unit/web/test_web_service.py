"""The service as its callers see it: HTTP and WebSocket, fed by real RTP and MAVLink datagrams."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from flow.errors import ConfigError, PortInUseError
from flow.flights import SourceState
from flow.samples import LinkState, TelemetrySample
from tests.fakes.encoded import h264_pictures
from tests.fakes.rtp_camera import MavlinkAircraft, RtpCamera
from tests.fakes.whep_player import Player
from web import limits
from web.access import Permission
from web.routes import telemetry
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

FEED = FeedSettings("fritz-tag", "rtp://127.0.0.1:0", "Tageslicht", trust_clock=True)
AIRCRAFT = AircraftSettings("fritz", "Fritz", "udpin:127.0.0.1:0", 1, feed=(FEED,))
SETTINGS = Settings(
    server=ServerSettings(port=0, title="Einsatz 4711"),
    webrtc=WebRtcSettings(port=0),
    aircraft=(AIRCRAFT,),
    recording=RecordingSettings(enabled=False),
)


@dataclass(slots=True)
class House:
    """A running service with a camera, an aircraft and a caller."""

    service: Running
    http: aiohttp.ClientSession
    camera: RtpCamera
    aircraft: MavlinkAircraft

    async def get(self, path: str, **arguments: Any) -> tuple[int, Any]:
        async with self.http.get(path, **arguments) as reply:
            text = await reply.text()
            return reply.status, json.loads(text) if reply.content_type == "application/json" else text


@asynccontextmanager
async def house(settings: Settings = SETTINGS) -> AsyncIterator[House]:
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        camera = RtpCamera(await source_address(service))
        aircraft = MavlinkAircraft(await link_address(service))
        try:
            yield House(service, http, camera, aircraft)
        finally:
            camera.close()
            aircraft.close()


async def source_address(service: Running) -> str:
    with service.bus.latest(SourceState, FEED.id) as states:
        async for state in states:
            if state.address:
                return state.address
    raise AssertionError


async def link_address(service: Running) -> str:
    with service.bus.latest(LinkState, AIRCRAFT.id) as links:
        async for link in links:
            if link.address:
                return link.address
    raise AssertionError


async def heard(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of this type."""
    async with asyncio.timeout(10):
        while True:
            message: dict[str, Any] = await socket.receive_json()
            if message["type"] == kind:
                return message


async def test_what_there_is_can_be_asked() -> None:
    async with house() as h:
        assert await h.get("/healthz") == (200, {"status": "ok"})
        assert await h.get("/readyz") == (200, {"status": "ready", "waiting_for": []})
        status, config = await h.get("/api/v1/config")
        assert (status, config["title"]) == (200, "Einsatz 4711")
        assert config["thresholds"] == {
            "live_age_ms": 1000,
            "freeze_ms": 1000,
            "lost_ms": 10000,
            "recover_ms": 500,
        }
        _, feeds = await h.get("/api/v1/feeds")
        assert [(f["id"], f["name"], f["state"]["status"]) for f in feeds["feeds"]] == [
            ("fritz-tag", "Tageslicht", "connecting")
        ]
        _, metrics = await h.get("/metrics")
        assert 'lagebild_viewers{feed="fritz-tag",path="udp",state="connected"} 0.0' in metrics
        _, sample = await h.get("/api/v1/aircraft/fritz/telemetry/latest")
        assert (sample["aircraft_id"], sample["lat_deg"], sample["yaw_deg"]) == ("fritz", None, None)


async def test_every_route_is_described_with_its_permission() -> None:
    async with house() as h:
        _, description = await h.get("/api/v1/openapi.json")
        assert description["openapi"].startswith("3.1")
        described = {(m, p) for p, ms in description["paths"].items() for m in ms}
        assert {("post", "/live/{feed}/whep"), ("get", "/api/v1/feeds/{feed}/telemetry")} <= described
        for methods in description["paths"].values():
            for operation in methods.values():
                assert operation["summary"]
                assert operation["x-permission"] in set(Permission)
                assert operation["responses"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "said"),
    [
        ("GET", "/api/v1/feeds/otto", {}, "", 404, "no feed 'otto'"),
        ("GET", "/api/v1/feeds/otto/viewers", {}, "", 404, "no feed 'otto'"),
        ("GET", "/api/v1/feeds/otto/telemetry", {}, "", 404, "no feed 'otto'"),
        ("GET", "/api/v1/aircraft/otto/telemetry/latest", {}, "", 404, "no aircraft 'otto'"),
        ("GET", "/nowhere", {}, "", 404, "Not Found"),
        ("GET", "/assets/..%2f..%2fsettings.py", {}, "", 404, "no file"),
        ("POST", "/live/fritz-tag/whep", {}, "x", 415, "it must be application/sdp"),
        ("POST", "/live/fritz-tag/whep", {"Content-Type": "application/sdp"}, "x", 400, "no SDP offer"),
        ("POST", "/live/fritz-tag/whep", {"Content-Type": "application/sdp"}, "v=0" * 40000, 400, "limit"),
        ("DELETE", "/live/fritz-tag/whep/nobody", {}, "", 404, "no session"),
        ("GET", "/api/v1/feeds", {"Origin": "http://evil.example"}, "", 403, "evil.example"),
        (
            "GET",
            "/api/v1/feeds",
            {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
            "",
            403,
            "not called 'evil.example'",
        ),
        (
            "POST",
            "/live/fritz-tag/whep",
            {"Content-Type": "application/sdp; charset=foo"},
            "x",
            400,
            "charset",
        ),
    ],
)
async def test_wrong_requests_are_told_what_is_wrong(
    method: str, path: str, headers: dict[str, str], body: str, status: int, said: str
) -> None:
    async with house() as h, h.http.request(method, path, headers=headers, data=body) as reply:
        error = (await reply.json())["error"]
        assert (reply.status, said in error["message"]) == (status, True), error
        assert "default-src 'self'" in reply.headers["Content-Security-Policy"]


async def test_the_page_learns_time_picture_and_telemetry_on_one_clock() -> None:
    pictures = h264_pictures(60)
    async with house() as h, h.http.ws_connect(f"/api/v1/feeds/{FEED.id}/telemetry") as page:
        assert (await heard(page, "hello"))["feed"]["aircraft_name"] == "Fritz"

        await page.send_json({"type": "time", "t0": 12.5})
        before = h.service.clock.now_ns() / 1e6
        answer = await heard(page, "time")
        assert answer["t0"] == 12.5
        assert abs(answer["utc_ms"] - before) < 5000

        captured_ns = h.service.clock.now_ns() - 40_000_000
        h.camera.report(captured_ns)
        h.camera.send(pictures[0])
        anchor = await heard(page, "anchor")
        assert anchor["origin"] == "source"
        assert anchor["utc_ms"] == pytest.approx(captured_ns / 1e6, abs=0.1)
        assert (await heard(page, "state"))["status"] == "live"

        h.aircraft.heartbeat()
        h.aircraft.attitude(1000, 1.0)
        sample = await heard(page, "telemetry")
        while sample["yaw_deg"] is None:
            sample = await heard(page, "telemetry")
        assert sample["yaw_deg"] == pytest.approx(57.29578, abs=1e-3)
        assert sample["roll_deg"] == 0
        assert sample["lat_deg"] is None
        ticks = (sample["rtp_timestamp"] - anchor["rtp_timestamp"] + 2**31) % 2**32 - 2**31
        assert ticks / 90 == pytest.approx(sample["utc_ms"] - anchor["utc_ms"], abs=0.1)


async def test_a_browser_gets_the_picture_by_whep_and_leaves_with_delete() -> None:
    pictures = h264_pictures(60)
    async with house() as h, Player() as player:
        for picture in pictures[:5]:
            h.camera.send(picture)
        headers = {"Content-Type": "application/sdp"}
        async with h.http.post(f"/live/{FEED.id}/whep", data=await player.offer(), headers=headers) as reply:
            assert (reply.status, reply.content_type) == (201, "application/sdp")
            session = reply.headers["Location"]
            assert reply.headers["ETag"]
            await player.play(await reply.text())
        for picture in pictures[5:10]:
            h.camera.send(picture)
        assert (await player.frame()).width == 320
        _, feed = await h.get(f"/api/v1/feeds/{FEED.id}")
        assert [v["state"] for v in feed["viewers"]] == ["connected"]
        _, told = await h.get(f"/api/v1/feeds/{FEED.id}/viewers")
        assert [(v["state"], v["id"]) for v in told["viewers"]] == [
            ("connected", session.rpartition("/")[2][:6])
        ]
        async with h.http.patch(
            session, data="a=x", headers={"Content-Type": "application/trickle-ice-sdpfrag"}
        ) as reply:
            assert reply.status == 204
        async with h.http.delete(session) as reply:
            assert reply.status == 200
        _, feed = await h.get(f"/api/v1/feeds/{FEED.id}")
        assert feed["viewers"] == []


async def test_stopping_tells_the_pages() -> None:
    async def until_closed(page: aiohttp.ClientWebSocketResponse) -> int | None:
        while not page.closed:
            await page.receive()
        return page.close_code

    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        async with running_service(SETTINGS) as service:
            page = await http.ws_connect(f"{service.url}api/v1/feeds/{FEED.id}/telemetry")
            await heard(page, "hello")
            closed = asyncio.create_task(until_closed(page))
        assert await closed == 1001


async def test_a_port_in_use_is_named_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortInUseError, match=rf"cannot listen on 127\.0\.0\.1:{port}.*--port"):
            async with running_service(
                Settings(
                    server=ServerSettings(port=port),
                    webrtc=WebRtcSettings(port=0),
                    recording=RecordingSettings(enabled=False),
                )
            ):
                pass


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
async def test_a_webrtc_port_in_use_is_named_and_its_setting(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        settings = Settings(
            ServerSettings(port=0),
            webrtc=WebRtcSettings(port=port),
            recording=RecordingSettings(enabled=False),
        )
        with pytest.raises(PortInUseError, match=rf"{port} is in use .*webrtc\.port"):
            async with running_service(settings):
                pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
async def test_an_address_of_another_machine_is_named(host: str) -> None:
    with pytest.raises(ConfigError, match=rf"cannot listen on {host}:0 .*: .*; check --host") as caught:
        async with running_service(
            Settings(
                server=ServerSettings(host=host, port=0),
                webrtc=WebRtcSettings(port=0),
                recording=RecordingSettings(enabled=False),
            )
        ):
            pass
    assert not isinstance(caught.value, PortInUseError)


async def test_garbage_on_a_page_s_socket_changes_nothing() -> None:
    async with house() as h, h.http.ws_connect(f"/api/v1/feeds/{FEED.id}/telemetry") as page:
        for garbage in ("", "{", "[]", '{"type":"time"}', '{"type":"time","t0":"x"}', '{"type":"none"}'):
            await page.send_str(garbage)
        await page.send_json({"type": "time", "t0": 1})
        assert (await heard(page, "time"))["t0"] == 1


async def test_connections_are_bounded_and_come_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS_MOST", 3)
    async with running_service(SETTINGS) as service:
        url = urlsplit(service.url)
        held = [await asyncio.open_connection(url.hostname, url.port) for _ in range(3)]
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        for _, other in held:
            other.close()
            await other.wait_closed()
        async with aiohttp.ClientSession(service.url) as http, http.get("/healthz") as reply:
            assert reply.status == 200


async def test_frames_of_all_kinds_stay_whole_on_a_page_that_reads_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Broadcasts, clock answers, pings and pongs share one connection; a reader not ours takes it apart."""
    monkeypatch.setattr(telemetry, "HEARTBEAT_S", 1.0)
    async with house() as h, h.http.ws_connect(f"/api/v1/feeds/{FEED.id}/telemetry", autoping=False) as page:
        for n in range(60):
            await page.ping(b"%d" % n)
            await page.send_json({"type": "time", "t0": n})
            for m in range(5):
                h.service.bus.publish(TelemetrySample("fritz", n, mode="x" * 9000, satellites=m))
                await asyncio.sleep(0)
        pongs: list[int] = []
        times: list[int] = []
        kinds: set[aiohttp.WSMsgType] = set()
        async with asyncio.timeout(20):
            while len(times) < 60 or len(pongs) < 60 or aiohttp.WSMsgType.PING not in kinds:
                message = await page.receive()
                kinds.add(message.type)
                if message.type is aiohttp.WSMsgType.PONG:
                    pongs.append(int(message.data))
                elif message.type is aiohttp.WSMsgType.PING:
                    await page.pong(message.data)
                else:
                    told = json.loads(message.data)
                    times += [told["t0"]] if told["type"] == "time" else []
        assert (pongs, times) == (list(range(60)), list(range(60)))


async def test_no_data_follows_the_close_frame_of_a_page_that_broke_the_protocol() -> None:
    async with house() as h:
        url = urlsplit(h.service.url)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(
            f"GET /api/v1/feeds/{FEED.id}/telemetry HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        async with asyncio.timeout(10):
            await reader.readuntil(b"\r\n\r\n")
            while b'"feeds"' not in await frame(reader):
                pass
            writer.write(b"\xf1\x80\0\0\0\0")  # reserved bits without an extension (RFC 6455 5.2)
            while (last := await frame(reader))[0] != 0x88:
                assert last[0] == 0x81
            assert last[2:4] == b"\x03\xea"  # 1002, protocol error
            for n in range(20):
                h.service.bus.publish(TelemetrySample("fritz", n))
                await asyncio.sleep(0)
            writer.write(b"\x88\x80\0\0\0\0")  # the page's own close frame: the service lets go
            assert await reader.read() == b""
        writer.close()


async def frame(reader: asyncio.StreamReader) -> bytes:
    """One unmasked frame of less than 64 KB, its header included (RFC 6455 5.2)."""
    header = await reader.readexactly(2)
    if header[1] < 126:
        return header + await reader.readexactly(header[1])
    size = await reader.readexactly(2)
    return header + size + await reader.readexactly(int.from_bytes(size))
