"""Addresses in the settings at which nobody is to be called."""

from __future__ import annotations

import pytest

from flow.errors import ConfigError
from web.outgoing import check_outgoing
from web.settings import AircraftSettings, CotSettings, FeedSettings, OidcSettings, Settings


def of_source(source: str) -> Settings:
    return Settings(aircraft=(AircraftSettings("fritz", feed=(FeedSettings("tag", source),)),))


def of_links(mavlink: str = "", forward: tuple[str, ...] = ()) -> Settings:
    return Settings(aircraft=(AircraftSettings("fritz", mavlink=mavlink, forward=forward),))


def of_ts_out(ts_out: str) -> Settings:
    return Settings(aircraft=(AircraftSettings("fritz", feed=(FeedSettings("t", "rtmp", ts_out=ts_out),)),))


@pytest.mark.parametrize(
    "settings",
    [
        of_source("rtsp://169.254.169.254/latest/meta-data"),
        of_source("rtsp://admin:geheim@169.254.169.254:554/main"),
        of_source("rtsp://[fd00:ec2::254]/main"),
        of_source("rtsp://[::ffff:169.254.169.254]/main"),
        of_source("rtsp://239.1.2.3/main"),
        of_source("rtsp://0.0.0.0/main"),
        of_source("srt://169.254.170.2:9000?mode=caller"),
        of_links("tcp:169.254.169.254:80"),
        of_links("udpin:127.0.0.1:0", ("udpout:100.100.100.200:14550",)),
        of_ts_out("udp://169.254.169.254:5004"),
        Settings(cot=CotSettings(to=("tcp://169.254.169.254:80",))),
        Settings(cot=CotSettings(to=("tcp://239.2.3.1:6969",))),
        Settings(oidc=OidcSettings(issuer="https://169.254.169.254/")),
    ],
)
def test_nobody_is_called_there(settings: Settings) -> None:
    with pytest.raises(ConfigError) as refused:
        check_outgoing(settings, "lagebild.toml")
    assert refused.value.code == "address_refused"
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        of_source("rtsp://192.168.1.20/main"),
        of_source("rtsp://10.0.0.7/main"),
        of_source("rtsp://[fd12:3456::7]/main"),
        of_source("rtsp://169.254.3.7/main"),  # wired to this machine, and written down
        of_source("rtsp://[fe80::1%25eth0]/main"),
        of_source("rtsp://camera.example/main"),
        of_source("rtsp://127.0.0.1:8554/main"),
        of_source("file:flug.mp4"),
        of_source("udp://239.0.0.1:5004"),  # listened to, not called
        of_links("udpin:0.0.0.0:14550"),
        of_ts_out("udp://239.0.0.1:5004"),
        Settings(cot=CotSettings(to=("udp://239.2.3.1:6969", "tls://tak.example:8089"))),
        Settings(oidc=OidcSettings(issuer="https://login.example/realms/feuerwehr")),
    ],
)
def test_cameras_are_in_private_networks(settings: Settings) -> None:
    check_outgoing(settings, "lagebild.toml")
