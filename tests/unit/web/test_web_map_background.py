"""What may lie under the map: settings checked, packages served in parts, and whom a page may fetch from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.errors import ConfigError
from tests.fakes.map_tiles import package, png, tile_at
from web.map_background import MapBackground, background_of, origin_of
from web.service import running_service
from web.settings import MapSettings, RecordingSettings, ServerSettings, Settings, WebRtcSettings
from web.settings_file import load_settings

PLACE = (49.4431, 7.7726)
PACKAGE = package({tile_at(*PLACE, zoom): png((0, 0, 255)) for zoom in (13, 14)})


def settings(folder: Path, background: str, **more: Any) -> Settings:
    return Settings(
        server=ServerSettings(port=0, data_dir=str(folder)),
        webrtc=WebRtcSettings(port=0),
        map=replace(MapSettings(background), **more),
        recording=RecordingSettings(enabled=False),
    )


def test_nothing_lies_under_the_grid_unless_told() -> None:
    assert background_of(MapSettings()) == MapBackground()
    assert origin_of(MapBackground()) == ""


@pytest.mark.parametrize(
    ("given", "url", "origin"),
    [
        ("https://a.example/{z}/{x}/{y}.png", "https://a.example/{z}/{x}/{y}.png", "https://a.example"),
        ("http://[::1]:81/{z}/{y}/{x}?key=1", "http://[::1]:81/{z}/{y}/{x}?key=1", "http://[::1]:81"),
        (
            "https://b.example/wmts/{TileMatrix}/{TileRow}/{TileCol}.png",
            "https://b.example/wmts/{z}/{y}/{x}.png",
            "https://b.example",
        ),
    ],
)
def test_tiles_of_a_server(given: str, url: str, origin: str) -> None:
    found = background_of(MapSettings(given, "© Amt", 17))
    assert found == MapBackground("raster", url, "raster", "© Amt", 0, 17)
    assert origin_of(found) == origin


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("karte.pmtiles", "file:PACKAGE.pmtiles"),
        ("ftp://a.example/{z}/{x}/{y}", "http"),
        ("https://a.example; script-src */{z}/{x}/{y}", "http"),
        ("https://user:geheim@a.example/{z}/{x}/{y}", "http"),
        ("https:///{z}/{x}/{y}", "http"),
        ("http://[::1/{z}/{x}/{y}", "http"),
        ("https://a.example/{z}/{x}.png", "lacks {y}"),
        ("https://a.example/{z}/{x}/{y}/{layer}.png", "has {layer}"),
        ("file:nowhere.pmtiles", "cannot be read"),
    ],
)
def test_what_is_no_background_is_refused(given: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"^map\.background") as refused:
        background_of(MapSettings(given))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no PMTiles package"),
        (PACKAGE[:126], "no PMTiles package"),
        (b"PMTiles\x02" + PACKAGE[8:], "version 3"),
        (b"SQLite format 3\x00" * 10, "no PMTiles package"),
        (package({(0, 0, 0): b"x"}, kind=9), "tiles of kind 9"),
    ],
)
def test_what_is_no_package_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "karte.pmtiles"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        background_of(MapSettings(f"file:{path}"))


def test_a_package_lies_beside_the_settings_and_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "karte.pmtiles").write_bytes(PACKAGE)
    config = tmp_path / "lagebild.toml"
    config.write_text('[map]\nbackground = "file:karte.pmtiles"\n', encoding="utf-8")
    told = load_settings(config, {}).map
    assert background_of(told) == MapBackground("pmtiles", "/map/background.pmtiles", "raster", "", 13, 14)
    (tmp_path / "karte.pmtiles").write_bytes(package({(3, 0, 0): b""}, kind=1))
    assert background_of(told).tiles == "vector"


async def test_a_package_is_served_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "karte.pmtiles"
    path.write_bytes(PACKAGE)
    async with (
        running_service(settings(tmp_path, f"file:{path}")) as service,
        aiohttp.ClientSession(service.url) as http,
    ):
        async with http.get("/api/v1/config") as reply:
            assert (await reply.json())["map"]["kind"] == "pmtiles"
        address = "/map/background.pmtiles"
        async with http.get(address, headers={"Range": "bytes=7-126"}) as reply:
            assert (reply.status, await reply.read()) == (206, PACKAGE[7:127])
            assert reply.headers["Content-Range"] == f"bytes 7-126/{len(PACKAGE)}"
            assert reply.content_type == "application/vnd.pmtiles"
            assert "connect-src 'self';" in reply.headers["Content-Security-Policy"]
        async with http.get(address, headers={"Range": f"bytes={len(PACKAGE)}-"}) as reply:
            assert reply.status == 416
        async with http.get(address, headers={"Origin": "http://evil.example"}) as reply:
            assert reply.status == 403
        async with http.get("/api/v1/openapi.json") as reply:
            assert "206" in (await reply.json())["paths"][address]["get"]["responses"]
        path.unlink()
        async with http.get(address) as reply:
            assert reply.status == 404


async def test_pages_may_fetch_from_the_tile_server_and_from_nobody_else(tmp_path: Path) -> None:
    for background, more in (("", ""), ("https://a.example:8443/{z}/{x}/{y}.png", " https://a.example:8443")):
        async with (
            running_service(settings(tmp_path, background)) as service,
            aiohttp.ClientSession(service.url) as http,
            http.get("/healthz") as reply,
        ):
            rules = dict(
                rule.strip().split(" ", 1) for rule in reply.headers["Content-Security-Policy"].split(";")
            )
        assert rules["connect-src"] == f"'self'{more}"
        assert rules["img-src"] == f"'self' data: blob:{more}"
        assert rules["media-src"] == "'self' blob:"
        assert "example" not in rules["default-src"] + rules["worker-src"] + rules["style-src"]
