"""lagebild.toml: closed, overridable, and config.example.toml complete and true."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flow.errors import ConfigError
from web.settings import Settings, ViewerSettings, WebRtcSettings
from web.settings_file import _fields_of, _table_of, load_settings

FEED = "[[aircraft]]\nid='a'\n[[aircraft.feed]]\nid='x'\nsource='rtp://127.0.0.1:1'\n"
EXAMPLE = Path(__file__).parents[3] / "config.example.toml"


def from_text(tmp_path: Path, text: str, **environment: str) -> Settings:
    path = tmp_path / "lagebild.toml"
    path.write_text(text)
    return load_settings(path, environment)


def test_without_a_file_it_listens_on_this_machine_only() -> None:
    settings = load_settings(None, {})
    assert (settings.server.host, settings.server.port, settings.aircraft) == ("127.0.0.1", 8080, ())


def test_the_example_holds_every_setting_there_is() -> None:
    def keys(schema: type, at: str = "") -> Iterator[str]:
        for name, kind in _fields_of(schema).items():
            table, _ = _table_of(kind)
            yield from keys(table, f"{at}{name}.") if table else [f"{at}{name}"]

    def named(tree: Any, at: str = "") -> Iterator[str]:
        for key, value in tree.items():
            rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
            for row in rows:
                yield from named(row, f"{at}{key}.") if isinstance(row, dict) else [f"{at}{key}"]

    assert set(named(tomllib.loads(EXAMPLE.read_text()))) == set(keys(Settings))


def test_the_example_shows_the_defaults() -> None:
    settings, defaults = load_settings(EXAMPLE, {}), Settings()
    in_its_folder = {"data_dir": str(EXAMPLE.parent.resolve() / defaults.server.data_dir)}
    assert dataclasses.asdict(settings.server) == dataclasses.asdict(defaults.server) | in_its_folder
    for part in ("picture", "webrtc", "viewers", "health", "map", "cot"):
        assert dataclasses.asdict(getattr(settings, part)) == dataclasses.asdict(getattr(defaults, part))
    assert [f.id for a in settings.aircraft for f in a.feed] == ["fritz-tag", "fritz-datei", "ottmar-film"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[publish]\nsrt_passphrase = 'wasser & marsch'", "srt_passphrase holds only A-Z a-z 0-9 - . _ ~"),
        ("[publish]\nsrt_passphrase = 'kurz'", "publish.srt_passphrase has 10 to 79 characters, not 4"),
        ("[server]\nprot = 1", "unknown key 'server.prot'; did you mean 'port'?"),
        ("[sever]\nport = 1", "unknown key 'sever'; did you mean 'server'?"),
        ("[[aircraft]]\nid='a'\n[[aircraft.feed]]\nid='x'\nsuorce=''",
         "'aircraft[0].feed[0].suorce'; did you mean 'source'?"),
        ("[server]\nport = 'a'", "Expected `int`, got `str` - at `$.server.port`"),
        ("[server]\nport = 70000", "server.port is 0 to 65535, not 70000"),
        ("[server", "no valid TOML"),
        ("[[aircraft]]\nid = 'Fritz!'", "aircraft[0].id: 'Fritz!' is no id; use 1 to 32 of a-z, 0-9 and '-'"),
        ("[[aircraft]]\nid='a'\n[[aircraft]]\nid='a'", "aircraft 'a' is there already, at aircraft[0].id"),
        (
            "[[aircraft]]\nid='a'\nmavlink='udpin:127.0.0.1:1'\nsystem_id=2\n"
            "[[aircraft]]\nid='b'\nmavlink='udpin:127.0.0.1:1'\nsystem_id=2",
            "aircraft 'a' and 'b' have one system_id on udpin:127.0.0.1:1",
        ),
        ("[[aircraft]]\nid='a'\nsystem_id=300", "system_id is 1 to 255"),
        ("[[aircraft]]\nname='a'", "missing required field `id`"),
        ("[aircraft]\nid='a'", "Expected `array`, got `object` - at `$.aircraft`"),
        ("aircraft = 5", "Expected `array`, got `int` - at `$.aircraft`"),
        ("[picture]\nlive_age_ms = -1", "picture.live_age_ms is 100 to 60000, not -1"),
        ("[viewers]\nper_feed = 0", "viewers.per_feed is 1 to 2000, not 0"),
        ("[viewers]\nper_address = 2001", "viewers.per_address is 1 to 2000, not 2001"),
        ("[webrtc]\nport = -1", "webrtc.port is 0 to 65535, not -1"),
        ("[webrtc]\ntcp = 1", "Expected `bool`, got `int` - at `$.webrtc.tcp`"),
        ("[webrtc]\npublic_host = '0.0.0.0'", "webrtc.public_host is the address that viewers send to"),
        ("[webrtc]\npublic_host = 'fe80::1%eth0'", "nobody can send to fe80::1%eth0"),
        (FEED + "air_link_ms=-500.0", "feed 'x': air_link_ms is 0 to 60000, not -500"),
        (FEED + "hfov_deg=nan", "feed 'x': hfov_deg is 1 to 179, not nan"),
        (FEED + "fps=0.0", "feed 'x': fps is 0.1 to 1000, not 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        from_text(tmp_path, text)
    assert said in str(caught.value)
    assert "lagebild.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["http://elw.example", "elw.example:8189", "[2001:db8::1]", "192.0.2.300", "elw example", "-a.de"]
)
def test_a_public_host_that_no_candidate_can_hold_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError, match=r"webrtc\.public_host is an IP address or a name such as"):
        from_text(tmp_path, f"[webrtc]\npublic_host = '{host}'")


@pytest.mark.parametrize("host", ["", "192.0.2.7", "2001:db8::1", "elw", "elw-1.feuerwehr.example.org"])
def test_a_public_host_is_an_address_or_a_name(tmp_path: Path, host: str) -> None:
    assert from_text(tmp_path, f"[webrtc]\npublic_host = '{host}'").webrtc.public_host == host


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such file"):
        load_settings(Path("nowhere.toml"), {})


def test_every_kind_of_key_can_be_overridden(tmp_path: Path) -> None:
    settings = from_text(
        tmp_path,
        "[[aircraft]]\nid='a'\n[[aircraft.feed]]\nid='x'\nsource='rtp://127.0.0.1:1'",
        LAGEBILD_SERVER_PORT="8081",
        LAGEBILD_SERVER_TITLE="Einsatz 4711",
        LAGEBILD_WEBRTC_PORT="0",
        LAGEBILD_WEBRTC_PUBLIC_HOST="192.0.2.7",
        LAGEBILD_WEBRTC_TCP="false",
        LAGEBILD_VIEWERS_PER_ADDRESS="7",
        LAGEBILD_AIRCRAFT_0_SYSTEM_ID="7",
        LAGEBILD_AIRCRAFT_0_ALLOW_FROM="192.0.2.1, 192.0.2.2",
        LAGEBILD_AIRCRAFT_0_FEED_0_TRUST_CLOCK="true",
        LAGEBILD_AIRCRAFT_0_FEED_1_ID="y",
        LAGEBILD_AIRCRAFT_0_FEED_1_SOURCE="rtp://127.0.0.1:2",
        LAGEBILD_FEEDS="belongs to the tests",
        PATH="is not ours",
    )
    aircraft = settings.aircraft[0]
    assert (settings.server.port, settings.server.title) == (8081, "Einsatz 4711")
    assert settings.webrtc == WebRtcSettings(0, "192.0.2.7", False)
    assert settings.viewers == ViewerSettings(400, 7)
    assert (aircraft.system_id, aircraft.allow_from) == (7, ("192.0.2.1", "192.0.2.2"))
    assert aircraft.feed[0].trust_clock
    assert (aircraft.feed[1].id, aircraft.feed[1].source) == ("y", "rtp://127.0.0.1:2")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LAGEBILD_SERVER_PROT", "1", "LAGEBILD_SERVER_PROT; did you mean 'LAGEBILD_SERVER_PORT'"),
        ("LAGEBILD_SERVER_PORT", "eight", "LAGEBILD_SERVER_PORT=eight is no int"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_settings(None, {name: value})
