"""The notice on privacy, and the record of processing: as the settings really are, and no secrets."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from flow.errors import ConfigError
from tests.fakes.clock import START_NS
from web.access.permissions import Permission, Role
from web.cli import main
from web.privacy.addresses import cell, shown
from web.privacy.measures import ALLOWED, ROLES
from web.privacy.notice import LIMIT_BYTES, OwnNotice, made
from web.privacy.record import record
from web.service import running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    OidcSettings,
    PrivacySettings,
    PublishingSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)
from web.settings_file import load_settings

SECRET = "s3cret-canary"
SETTINGS = Settings(
    oidc=OidcSettings(issuer="https://login.example/realms/fw"),
    aircraft=(
        AircraftSettings(
            "fritz",
            mavlink="udpin:127.0.0.1:14550",
            feed=(FeedSettings("tag", "rtp://127.0.0.1:5600"), FeedSettings("hand", "push")),
        ),
    ),
)

SILENT = {
    # What is seen of it by nobody outside, or says nothing of people.
    "tls.key", "oidc.ca", "oidc.origins", "oidc.client_id", "oidc.client_secret",
    "picture.live_age_ms", "picture.freeze_ms", "picture.lost_ms", "picture.recover_ms",
    "publish.host", "publish.rtmp_port", "publish.srt_port", "publish.srt_latency_ms",
    "encode.encoder", "encode.preset", "server.port",
    "map.attribution", "map.most_zoom", "map.terrain",
    "cot.every_s", "cot.stale_s", "cot.ca", "cot.certificate", "cot.key",
    "aircraft.system_id", "aircraft.forward_allow_from", "aircraft.telemetry",
    "aircraft.alarms.battery_warning_pct", "aircraft.alarms.battery_alarm_pct",
    "aircraft.alarms.battery_alarm_v", "aircraft.alarms.link_warning_pct", "aircraft.alarms.link_alarm_pct",
    "aircraft.alarms.telemetry_age_s",
    "aircraft.feed.fps", "aircraft.feed.loop", "aircraft.feed.trust_clock", "aircraft.feed.takeover",
    "aircraft.feed.transport", "aircraft.feed.air_link_ms", "aircraft.feed.hfov_deg",
    "aircraft.feed.mount_pitch_deg",
}  # fmt: skip

OTHERS: dict[str, Any] = {
    "server.host": "0.0.0.0",
    "map.background": "https://karte.example/{z}/{x}/{y}.png",
    "cot.to": ("tls://tak.example:8089",),
    "recording.einsatz": ("telemetry",),
    "recording.uebung": ("thermal",),
    "recording.no_incident": (),
    "oidc.issuer": "",
    "aircraft.mavlink": "udpin:192.0.2.1:14550",
    "aircraft.forward": ("udpout:192.0.2.2:14550",),
    "aircraft.feed.source": "rtsp://192.0.2.3/stream",
    "aircraft.feed.ts_out": "udp://239.0.0.1:5004",
}


def changes(settings: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """(path of a setting, the whole with another value of it), of arrays the first."""
    for field in dataclasses.fields(settings):
        value, path = getattr(settings, field.name), f"{at}{field.name}"
        if dataclasses.is_dataclass(value):
            inner = changes(value, f"{path}.")
            yield from ((name, dataclasses.replace(settings, **{field.name: one})) for name, one in inner)
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            inner = changes(value[0], f"{path}.")
            rest = value[1:]
            yield from (
                (name, dataclasses.replace(settings, **{field.name: (one, *rest)})) for name, one in inner
            )
        else:
            yield path, dataclasses.replace(settings, **{field.name: OTHERS.get(path, other(value))})


def other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 7
        case tuple():
            return (*value, "203.0.113.9")
        case _:
            return "anders"


def test_every_setting_that_matters_shows_in_the_record() -> None:
    """A new setting is shown, or somebody decides here that it says nothing of people."""
    before = record(SETTINGS, START_NS)
    found = dict(changes(SETTINGS))
    assert found.keys() >= SILENT
    silent = {name for name, settings in found.items() if record(settings, START_NS) == before}
    assert silent - {"server.port"} == SILENT - {"server.port"}
    opened = dataclasses.replace(SETTINGS, server=ServerSettings(host="0.0.0.0"))
    elsewhere = dataclasses.replace(SETTINGS, server=ServerSettings(host="0.0.0.0", port=8443))
    assert record(opened, START_NS) != record(elsewhere, START_NS)


def test_no_secret_is_in_the_record_or_the_notice() -> None:
    settings = Settings(
        oidc=OidcSettings(issuer="https://login.example", client_secret=SECRET),
        publish=PublishingSettings(srt_passphrase=SECRET),
        aircraft=(
            AircraftSettings(
                "fritz",
                mavlink="udpin:127.0.0.1:14550",
                signing_key=SECRET,
                forward=(f"udpout:{SECRET}@192.0.2.1:1",),
                feed=(
                    FeedSettings("a", f"rtsp://user:{SECRET}@192.0.2.1/live?token={SECRET}"),
                    FeedSettings("b", f"srt://192.0.2.1:9000?passphrase={SECRET}"),
                    FeedSettings("c", "push", ts_out=f"udp://239.0.0.1:5004?x={SECRET}"),
                ),
            ),
        ),
    )
    told = record(settings, START_NS) + made(settings, "de") + made(settings, "en")
    assert SECRET not in told
    assert "rtsp://192.0.2.1/live" in told


def test_addresses_are_shown_without_what_is_secret() -> None:
    assert shown("rtsp://u:p@[2001:db8::1]:554/a?b=c") == "rtsp://[2001:db8::1]:554/a"
    assert shown("file:/srv/filme/flug.mp4") == "file:flug.mp4"
    assert shown("srt://[broken") == "srt:…"
    assert shown("push") == "push"


def test_nothing_of_the_settings_is_taken_for_markdown() -> None:
    assert cell("a|b\n# c [x](y) <script>") == "a\\|b \\# c \\[x\\](y) \\<script\\>"
    settings = Settings(privacy=PrivacySettings(controller="Stadt\n# Muster | <b>"))
    assert "- Verantwortlicher: Stadt \\# Muster \\| \\<b\\>\n" in record(settings, START_NS)


def test_whoever_may_something_is_named_in_words() -> None:
    assert set(ALLOWED) == set(Permission)
    assert set(ROLES) == set(Role)


def test_what_is_not_recorded_is_said_so() -> None:
    off = Settings(recording=RecordingSettings(enabled=False))
    assert "nichts aufgezeichnet" in made(off, "de")
    assert "Nothing is recorded" in made(off, "en")
    assert "Aufzeichnung ist ausgeschaltet" in record(off, START_NS)
    narrow = Settings(recording=RecordingSettings(einsatz=("thermal", "telemetry"), uebung=()))
    assert "- im Einsatz: Bilder der Wärmebildkameras und Telemetrie\n- in der Übung: nichts" in made(
        narrow, "de"
    )


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_notice_that_is_made_says_who_and_how_long(language: Any) -> None:
    privacy = PrivacySettings(controller="Stadt Muster", officer="dsb@stadt.example", authority="LfDI")
    text = made(Settings(privacy=privacy, recording=RecordingSettings(einsatz_days=45.0)), language)
    for said in ("Stadt Muster", "dsb@stadt.example", "LfDI", "45 "):
        assert said in text
    assert "{" not in text


def test_the_citys_own_text_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "datenschutz.md"
    file.write_text("# Stadt\n<script>alert(1)</script>")
    own = OwnNotice(file)
    assert own.text("de") == ("# Stadt\n<script>alert(1)</script>", "de")
    assert own.text("en") == own.text("de")
    (tmp_path / "datenschutz.en.md").write_text("# City")
    assert own.text("en") == ("# City", "en")
    file.write_text("# Neu")
    os.utime(file, ns=(1, 1))
    assert own.text("de") == ("# Neu", "de")
    file.unlink()
    assert own.text("de") == ("# Neu", "de")


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * (LIMIT_BYTES + 1)])
def test_a_text_that_cannot_be_read_is_said_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "datenschutz.md"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"privacy\.notice"):
        OwnNotice(file)


async def test_everybody_can_read_the_notice(tmp_path: Path) -> None:
    (tmp_path / "datenschutz.md").write_text("# Unser Text")
    (tmp_path / "lagebild.toml").write_text(
        "[server]\nport = 0\n[webrtc]\nport = 0\n[privacy]\nnotice = 'datenschutz.md'\n"
    )
    settings = load_settings(tmp_path / "lagebild.toml", {})
    async with running_service(settings) as service, aiohttp.ClientSession(service.url) as http:
        async with http.get("/api/v1/privacy-notice?language=en") as reply:
            assert (await reply.json()) == {
                "language": "de",
                "title": "Datenschutz",
                "text": "# Unser Text",
                "own": True,
            }
        async with http.get("/api/v1/privacy-notice?language=fr") as reply:
            assert reply.status == 400
        async with http.get("/api/v1/processing-record.md") as reply:
            assert reply.content_type == "text/markdown"
            assert "eigener Text der Stadt" in await reply.text()


async def test_a_service_whose_notice_is_missing_does_not_start(tmp_path: Path) -> None:
    settings = Settings(
        server=ServerSettings(port=0, data_dir=str(tmp_path)),
        webrtc=WebRtcSettings(port=0),
        privacy=PrivacySettings(notice=str(tmp_path / "none.md")),
    )
    with pytest.raises(ConfigError, match=r"privacy\.notice"):
        async with running_service(settings):
            pass


def test_the_command_prints_the_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lagebild.toml").write_text("[privacy]\ncontroller = 'Stadt Muster'\n")
    assert main(["privacy-record", "--config", str(tmp_path / "lagebild.toml")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("# Verzeichnis von Verarbeitungstätigkeiten")
    assert "- Verantwortlicher: Stadt Muster\n" in said
