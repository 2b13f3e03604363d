"""Telemetry that comes within a feed's stream, through the whole service: from a datagram to the pages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from flow.flights import SourceState, Unsecured
from flow.samples import LinkState, LinkStatus
from tests.fakes.klv_sets import flight
from tests.unit.ingest.klv_streams import FIRST_PTS, STEP, multiplex
from web.doctor import check_configuration
from web.publish_addresses import WayIn, way_of_telemetry
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

FEED = FeedSettings("tag", "udp://127.0.0.1:0", "Tageslicht")
PICTURES = 10


def settings(data_dir: Path) -> Settings:
    return Settings(
        server=ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        recording=RecordingSettings(enabled=False),
        aircraft=(AircraftSettings("fritz", "Fritz", telemetry="feed:tag", feed=(FEED,)),),
    )


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_klv_of_a_stream_is_on_the_pages(tmp_path: Path) -> None:
    async with running_service(settings(tmp_path)) as service, aiohttp.ClientSession(service.url) as http:
        bus = service.bus
        await until(lambda: (state := bus.peek(SourceState, "tag")) and state.address)
        address = bus.peek(SourceState, "tag")
        assert address is not None
        port = int(address.address.rpartition(":")[2])
        at = {n: [(flight(n), FIRST_PTS + n * STEP)] for n in range(PICTURES)}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for datagram in multiplex(at, PICTURES):
                for start in range(0, len(datagram), 1316):
                    sender.sendto(datagram[start : start + 1316], ("127.0.0.1", port))
                await asyncio.sleep(0.01)
        await until(lambda: (state := bus.peek(LinkState, "fritz")) and state.status is LinkStatus.LIVE)
        async with http.get("/api/v1/aircraft/fritz/telemetry/latest") as reply:
            latest = await reply.json()
        async with http.get("/api/v1/pilot") as reply:
            (aircraft,) = (await reply.json())["aircraft"]
    assert latest["lat_deg"] == pytest.approx(49.4401, abs=1e-3)
    assert latest["hfov_deg"] == pytest.approx(62, abs=0.01)
    told = aircraft["telemetry"]
    assert told["way"] == {"protocol": "track", "address": "feed:tag", "local": False, "pulled": True}
    assert told["unsecured"] == Unsecured.LOCAL  # as the feed is
    assert told["state"]["status"] == "live"


def test_ways_of_tracks() -> None:
    called = "http://192.0.2.7:8080"
    assert way_of_telemetry("feed:tag", called, "") == WayIn("track", "feed:tag", False, pulled=True)
    assert way_of_telemetry("srt:flug.SRT", called, "") == WayIn("track", "srt:flug.SRT", True, pulled=True)


@pytest.mark.parametrize(
    ("telemetry", "source", "how"),
    [
        ("feed:tag", "udp://0.0.0.0:5000", Unsecured.NAMED),
        ("feed:tag", "rtmp", None),
        ("feed:other", "udp://0.0.0.0:5000", None),  # of another aircraft, whose mark is there
        ("srt:flug.SRT", "udp://0.0.0.0:5000", None),
    ],
)
def test_telemetry_is_as_trustworthy_as_the_stream_it_is_in(
    telemetry: str, source: str, how: Unsecured | None
) -> None:
    aircraft = AircraftSettings("fritz", telemetry=telemetry, feed=(FeedSettings("tag", source),))
    assert aircraft.as_aircraft().unsecured is how
    assert aircraft.telemetry_url == telemetry


@pytest.mark.parametrize(
    ("source", "carries"),
    [
        ("udp://127.0.0.1:0", True),
        ("srt", True),
        ("push", True),
        ("rtsp://192.0.2.9/x", False),
        ("whip", False),
    ],
)
def test_the_doctor_knows_which_streams_carry_telemetry(tmp_path: Path, source: str, carries: bool) -> None:
    aircraft = AircraftSettings("fritz", telemetry="feed:tag", feed=(FeedSettings("tag", source),))
    house = Settings(server=ServerSettings(data_dir=str(tmp_path)), aircraft=(aircraft,))
    told = [finding.what for finding in check_configuration(house, "lagebild.toml")]
    assert any("telemetry of 'fritz'" in what for what in told) is not carries


def test_the_doctor_reads_subtitles(tmp_path: Path) -> None:
    def faults(content: str | None) -> list[str]:
        path = tmp_path / "DJI_0001.SRT"
        if content is not None:
            path.write_text(content)
        aircraft = AircraftSettings("fritz", telemetry=f"srt:{path}", feed=(FEED,))
        told = check_configuration(Settings(aircraft=(aircraft,)), "x.toml")
        return [each.what for each in told if "telemetry of" in each.what]

    assert "cannot be read" in faults(None)[0]
    assert "holds no subtitles" in faults("Rede an die Feuerwehr")[0]
    assert faults("1\n00:00:00,000 --> 00:00:01,000\n[latitude: 49.44]\n\n") == []
