from __future__ import annotations

import pytest

from flow.errors import ConfigError, SourceError
from ingest.addresses import shown
from ingest.protocol.rtsp_auth import Credentials
from ingest.protocol.rtsp_url import RtspUrl


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("rtsp://192.0.2.7/main", "rtsp://192.0.2.7/main"),
        ("rtsp://u:geheim@192.0.2.7:554/main?key=geheim", "rtsp://192.0.2.7:554/main"),
        ("rtsp://u:ge@heim@[::1]:554/", "rtsp://[::1]:554/"),
        ("rtsp://192.0.2.7/user=admin&password=geheim&channel=1.sdp", "rtsp://192.0.2.7/…"),
        ("rtsp://192.0.2.7/a/password=geheim/b#geheim", "rtsp://192.0.2.7/a/…/b"),
        ("rtsp://u:12/geheim@192.0.2.7/main", "rtsp://…"),
        ("rtsp://u:12#geheim@192.0.2.7/main", "rtsp://…"),
        ("rtsp://u:12?geheim@192.0.2.7/main", "rtsp://…"),
        ("srt://192.0.2.7:8890?passphrase=geheim", "srt://192.0.2.7:8890"),
        ("rtp://127.0.0.1:5600", "rtp://127.0.0.1:5600"),
        ("file:///data/flug @ 14=03?.mp4", "file:///data/flug @ 14=03?.mp4"),
        ("/data/flug#2.mp4", "/data/flug#2.mp4"),
        ("rtmp", "rtmp"),
    ],
)
def test_what_is_secret_is_not_shown(url: str, said: str) -> None:
    assert shown(url) == said


def test_an_address_is_taken_apart() -> None:
    url = RtspUrl.parse("RTSP://ad%40min:g%2Fh:eim@Camera.example:8554/cam/main?channel=1&subtype=0")
    assert (url.host, url.port) == ("camera.example", 8554)
    assert url.request == "rtsp://Camera.example:8554/cam/main?channel=1&subtype=0"
    assert url.credentials == Credentials("ad@min", "g/h:eim")
    assert url.shown == "rtsp://Camera.example:8554/cam/main"
    assert "eim" not in repr(url)
    assert "subtype" not in repr(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "credentials"),
    [
        ("rtsp://192.0.2.7", "192.0.2.7", 554, None),
        ("rtsp://[2001:db8::7]:5554/x", "2001:db8::7", 5554, None),
        ("rtsp://admin@192.0.2.7/x", "192.0.2.7", 554, Credentials("admin", "")),
        ("rtsp://admin:@192.0.2.7/x", "192.0.2.7", 554, Credentials("admin", "")),
        ("rtsp://admin:a@b@192.0.2.7/x", "192.0.2.7", 554, Credentials("admin", "a@b")),
        ("rtsp://admin:ä%20b@192.0.2.7/x", "192.0.2.7", 554, Credentials("admin", "ä b")),
    ],
)
def test_hosts_ports_and_users(url: str, host: str, port: int, credentials: Credentials | None) -> None:
    parsed = RtspUrl.parse(url)
    assert (parsed.host, parsed.port, parsed.credentials) == (host, port, credentials)
    assert "admin" not in parsed.request


def test_what_is_sent_is_one_word_of_ascii() -> None:
    assert RtspUrl.parse("rtsp://192.0.2.7/Wärme bild").request == "rtsp://192.0.2.7/W%C3%A4rme%20bild"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://",
        "rtsp:main",
        "rtsp:///main",
        "rtsp://192.0.2.7:0/geheim",
        "rtsp://192.0.2.7:geheim/",
        "rtsp://[geheim/",
        "rtsp://192.0.2.7:99999/geheim",
        "rtsp://admin:geheim%0d%0aX@192.0.2.7/main",
        "http://geheim@192.0.2.7/",
    ],
)
def test_wrong_addresses_are_refused_without_a_word_of_them(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        RtspUrl.parse(url)
    assert raised.value.code == "unsupported_url"
    assert "geheim" not in str(raised.value)
    assert "12" not in str(raised.value).replace("192.0.2.7", "")


@pytest.mark.parametrize("sign", "/#?")
@pytest.mark.parametrize("password", ["12{}geheim", "{}geheim", "geheim{}", "a:{}geheim"])
def test_a_password_that_is_not_written_as_it_must_be_is_told_as_that(sign: str, password: str) -> None:
    with pytest.raises(ConfigError, match="/ %2F") as raised:
        RtspUrl.parse(f"rtsp://admin:{password.format(sign)}@192.0.2.7/main")
    assert raised.value.code == "url_unescaped"
    assert "geheim" not in str(raised.value)


def test_a_redirect_takes_the_password_along_to_the_same_host_only() -> None:
    url = RtspUrl.parse("rtsp://u:p@192.0.2.7/main")
    assert url.moved("rtsp://192.0.2.7:8554/other").credentials == Credentials("u", "p")
    assert url.moved("/other").request == "rtsp://192.0.2.7/other"
    assert url.moved("rtsp://192.0.2.8/main").credentials is None
    assert url.moved("rtsp://x:y@192.0.2.8/main").credentials == Credentials("x", "y")


@pytest.mark.parametrize("location", ["http://192.0.2.7/", "rtsps://192.0.2.7/", "rtsp://["])
def test_a_redirect_elsewhere_is_refused(location: str) -> None:
    with pytest.raises(SourceError) as raised:
        RtspUrl.parse("rtsp://u:p@192.0.2.7/main").moved(location)
    assert raised.value.code == "redirected"
