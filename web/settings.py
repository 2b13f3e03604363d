"""Settings of the whole service: `lagebild.toml`, closed (unknown keys are refused), then the environment.

Every key can be overridden by `LAGEBILD_` and its path in capitals: `LAGEBILD_SERVER_PORT=8081`,
`LAGEBILD_AIRCRAFT_0_FEED_1_SOURCE=rtp://127.0.0.1:5602`.
"""

from __future__ import annotations

import dataclasses
import difflib
import ipaddress
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from flow.errors import ConfigError
from flow.flights import Aircraft, Feed, checked_id

ENVIRONMENT_PREFIX = "LAGEBILD"
NOT_SETTINGS = frozenset({"LAGEBILD_FEEDS"})  # read by the tests only


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the service listens. Beyond 127.0.0.1 only when told so."""

    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()  # host names the page may be called by, beside addresses and localhost
    title: str = ""  # shown in the bar of every page, such as the incident's name
    log_level: str = "info"


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """When the page calls a picture what (design: states of the picture)."""

    live_age_ms: int = 1000  # LIVE up to this age, VERZÖGERT above
    freeze_ms: int = 1000  # EINGEFROREN after this long without a new displayed picture
    lost_ms: int = 10_000  # KEIN SIGNAL: ingest gives the source up
    recover_ms: int = 500  # back to LIVE only after this long


@dataclass(frozen=True, slots=True)
class WebRtcSettings:
    """Where browsers get the picture from: one port for all viewers."""

    port: int = 8189  # UDP and TCP; 0: the kernel chooses
    public_host: str = ""  # address or name that forwards this port to us, offered beside our own addresses
    tcp: bool = True  # for networks that let no UDP through


@dataclass(frozen=True, slots=True)
class ViewerSettings:
    """How many may watch."""

    per_feed: int = 400
    per_address: int = 100  # from one IP address, on all feeds


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """One camera."""

    id: str
    source: str
    name: str = ""
    fps: float | None = None  # only for raw .h264 files, which do not say
    loop: bool = False  # files only
    trust_clock: bool = False  # its RTCP sender reports carry a true UTC capture time
    allow_from: tuple[str, ...] = ()
    air_link_ms: float = 0.0
    hfov_deg: float | None = None
    mount_pitch_deg: float | None = None


@dataclass(frozen=True, slots=True)
class AircraftSettings:
    """One aircraft, its telemetry link and its cameras."""

    id: str
    name: str = ""
    mavlink: str = ""
    system_id: int | None = None
    allow_from: tuple[str, ...] = ()
    feed: tuple[FeedSettings, ...] = ()

    def as_aircraft(self) -> Aircraft:
        return Aircraft(
            self.id,
            self.name or self.id,
            tuple(
                Feed(f.id, self.id, f.name or f.id, f.air_link_ms, f.hfov_deg, f.mount_pitch_deg)
                for f in self.feed
            ),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `lagebild.toml` can say."""

    server: ServerSettings = field(default_factory=ServerSettings)
    picture: PictureSettings = field(default_factory=PictureSettings)
    webrtc: WebRtcSettings = field(default_factory=WebRtcSettings)
    viewers: ViewerSettings = field(default_factory=ViewerSettings)
    aircraft: tuple[AircraftSettings, ...] = ()


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the file (none: defaults), apply the environment, and check the whole.

    Raises ConfigError with file, key and the nearest right name.
    """
    where = str(path) if path else "configuration"
    tree = _read(path) if path else {}
    _refuse_unknown_keys(tree, Settings, where, "")
    _apply_environment(tree, Settings, ENVIRONMENT_PREFIX, _own_variables(environment))
    try:
        settings = msgspec.convert(tree, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {error}") from None
    check_settings(settings, where)
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; start from config.example.toml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: no valid TOML: {error}") from None


def _fields_of(schema: type) -> dict[str, Any]:
    hints = typing.get_type_hints(schema)
    return {f.name: hints[f.name] for f in dataclasses.fields(schema)}


def _table_of(kind: Any) -> tuple[type | None, bool]:
    """(the dataclass a value of this type is a table of, whether it is an array of them)."""
    if dataclasses.is_dataclass(kind):
        return typing.cast(type, kind), False
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is tuple and dataclasses.is_dataclass(inner[0]):
        return typing.cast(type, inner[0]), True
    return None, False


def _refuse_unknown_keys(tree: Mapping[str, Any], schema: type, where: str, at: str) -> None:
    known = _fields_of(schema)
    for key, value in tree.items():
        if key not in known:
            raise ConfigError(f"{where}: unknown key '{at}{key}'{_nearest(key, known)}")
        table, many = _table_of(known[key])
        if table is None:
            continue
        rows = value if many and isinstance(value, list) else [value]
        for index, row in enumerate(rows):
            if isinstance(row, Mapping):
                _refuse_unknown_keys(row, table, where, f"{at}{key}[{index}]." if many else f"{at}{key}.")


def _nearest(key: str, known: typing.Iterable[str]) -> str:
    names = sorted(known)
    match = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    return f"; did you mean '{match[0]}'?" if match else f"; known here: {', '.join(names)}"


def _own_variables(environment: Mapping[str, str]) -> dict[str, str]:
    prefix = ENVIRONMENT_PREFIX + "_"
    return {k: v for k, v in environment.items() if k.startswith(prefix) and k not in NOT_SETTINGS}


def _apply_environment(tree: dict[str, Any], schema: type, prefix: str, variables: dict[str, str]) -> None:
    used = _overrides(tree, schema, prefix, variables)
    for name in variables.keys() - used:
        raise ConfigError(f"environment: unknown setting {name}{_nearest(name, _variables(schema, prefix))}")


def _variables(schema: type, prefix: str) -> typing.Iterator[str]:
    """Every variable there is; of arrays the first element's."""
    for key, kind in _fields_of(schema).items():
        name = _variable(prefix, key)
        table, many = _table_of(kind)
        if table is None:
            yield name
        else:
            yield from _variables(table, f"{name}_0" if many else name)


def _overrides(tree: dict[str, Any], schema: type, prefix: str, variables: dict[str, str]) -> set[str]:
    used: set[str] = set()
    for key, kind in _fields_of(schema).items():
        name = _variable(prefix, key)
        table, many = _table_of(kind)
        if table is None:
            if name in variables:
                tree[key] = _value(variables[name], kind, name)
                used.add(name)
        elif many:
            rows = tree.setdefault(key, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                continue  # msgspec says what is wrong with it
            while any(v.startswith(f"{name}_{len(rows)}_") for v in variables):
                rows.append({})
            for index, row in enumerate(rows):
                used |= _overrides(row, table, f"{name}_{index}", variables)
        elif isinstance(part := tree.setdefault(key, {}), dict):
            used |= _overrides(part, table, name, variables)
    return used


def _variable(prefix: str, key: str) -> str:
    return f"{prefix}_{key.upper()}"


def _value(text: str, kind: Any, name: str) -> Any:
    """A variable's text as the setting's type: strings as they are, lists at commas, the rest as TOML."""
    if kind is str:
        return text
    if typing.get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        raise ConfigError(f"environment: {name}={text} is no {getattr(kind, '__name__', kind)}") from None


def check_settings(settings: Settings, where: str) -> None:
    """Raise ConfigError naming the first value that cannot be right, and what it may be."""
    seen: dict[str, str] = {}
    for number, aircraft in enumerate(settings.aircraft):
        at = f"{where}: aircraft[{number}].id"
        checked_id(aircraft.id, at)
        _refuse_double(seen, "aircraft", aircraft.id, at)
        for index, feed in enumerate(aircraft.feed):
            at = f"{where}: aircraft[{number}].feed[{index}].id"
            checked_id(feed.id, at)
            _refuse_double(seen, "feed", feed.id, at)
            _check_feed(feed, where)
        _check_range(aircraft.system_id, 1, 255, f"{where}: aircraft '{aircraft.id}': system_id")
    _check_range(settings.server.port, 0, 65_535, f"{where}: server.port")
    _check_range(settings.webrtc.port, 0, 65_535, f"{where}: webrtc.port")
    _check_public_host(settings.webrtc.public_host, f"{where}: webrtc.public_host")
    _check_range(settings.viewers.per_feed, 1, 2000, f"{where}: viewers.per_feed")
    _check_range(settings.viewers.per_address, 1, 2000, f"{where}: viewers.per_address")
    for name, (least, most) in _PICTURE_RANGES.items():
        _check_range(getattr(settings.picture, name), least, most, f"{where}: picture.{name}")
    _check_links(settings, where)


_PICTURE_RANGES = {
    "live_age_ms": (100, 60_000),
    "freeze_ms": (200, 60_000),
    "lost_ms": (1000, 600_000),
    "recover_ms": (0, 60_000),
}


def _check_feed(feed: FeedSettings, where: str) -> None:
    at = f"{where}: feed '{feed.id}': "
    _check_range(feed.air_link_ms, 0, 60_000, at + "air_link_ms")
    _check_range(feed.fps, 0.1, 1000, at + "fps")
    _check_range(feed.hfov_deg, 1, 179, at + "hfov_deg")
    _check_range(feed.mount_pitch_deg, -90, 90, at + "mount_pitch_deg")


def _check_range(value: float | None, least: float, most: float, at: str) -> None:
    if value is not None and not least <= value <= most:  # refuses NaN, too
        raise ConfigError(f"{at} is {least:g} to {most:g}, not {value:g}")


_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?", re.I
)


def _check_public_host(host: str, at: str) -> None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if host and not _NAME.fullmatch(host):  # a URL, a port, brackets: what a candidate cannot hold
            raise ConfigError(
                f"{at} is an IP address or a name such as elw.example.org, not '{host}'"
            ) from None
    else:
        if address.is_unspecified or address.is_multicast or "%" in host:
            raise ConfigError(f"{at} is the address that viewers send to; nobody can send to {host}")


def _check_links(settings: Settings, where: str) -> None:
    links: dict[tuple[str, int | None], str] = {}
    for aircraft in settings.aircraft:
        if not aircraft.mavlink or aircraft.mavlink.endswith(":0"):
            continue
        other = links.setdefault((aircraft.mavlink, aircraft.system_id), aircraft.id)
        if other != aircraft.id:
            raise ConfigError(
                f"{where}: aircraft '{other}' and '{aircraft.id}' have one system_id on {aircraft.mavlink}; "
                "give each aircraft a system id of its own (ArduPilot: SYSID_THISMAV)"
            )


def _refuse_double(seen: dict[str, str], kind: str, name: str, at: str) -> None:
    if (first := seen.setdefault(f"{kind} {name}", at)) != at:
        raise ConfigError(f"{at}: {kind} '{name}' is there already, at {first.split(': ', 1)[-1]}")
