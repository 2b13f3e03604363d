"""What settings must keep to, beyond their types."""

from __future__ import annotations

import ipaddress
import re

from flow.errors import ConfigError
from flow.flights import checked_id
from flow.recording import RecordKind

from .access.forwarded import Proxies
from .oidc.settings_checks import check_oidc
from .outgoing import check_outgoing
from .settings import AircraftSettings, FeedSettings, PublishingSettings, Settings


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
        _check_aircraft(aircraft, settings, where)
    Proxies(settings.server.proxies)
    _check_range(settings.server.port, 0, 65_535, f"{where}: server.port")
    _check_range(settings.webrtc.port, 0, 65_535, f"{where}: webrtc.port")
    _check_public_host(settings.webrtc.public_host, f"{where}: webrtc.public_host")
    _check_publishing(settings.publish, where)
    _check_range(settings.viewers.per_feed, 1, 2000, f"{where}: viewers.per_feed")
    _check_range(settings.viewers.per_address, 1, 2000, f"{where}: viewers.per_address")
    for name, (least, most) in _PICTURE_RANGES.items():
        _check_range(getattr(settings.picture, name), least, most, f"{where}: picture.{name}")
    _check_range(settings.recording.einsatz_days, 0, 36_500, f"{where}: recording.einsatz_days")
    _check_range(settings.recording.uebung_days, 0, 36_500, f"{where}: recording.uebung_days")
    _check_range(settings.recording.reserve_mb, 0, 1_000_000, f"{where}: recording.reserve_mb")
    _check_range(settings.recording.warn_hours, 0, 1000, f"{where}: recording.warn_hours")
    _check_range(settings.recording.export_days, 0.01, 36_500, f"{where}: recording.export_days")
    for name in ("einsatz", "uebung", "no_incident"):
        _check_kinds(getattr(settings.recording, name), f"{where}: recording.{name}")
    _check_range(settings.privacy.audit_days, 1, 36_500, f"{where}: privacy.audit_days")
    _check_range(settings.map.most_zoom, 1, 24, f"{where}: map.most_zoom")
    _check_range(settings.cot.every_s, 0.2, 60, f"{where}: cot.every_s")
    _check_range(settings.cot.stale_s, 1, 600, f"{where}: cot.stale_s")
    _check_links(settings, where)
    check_oidc(settings.oidc, where)
    check_outgoing(settings, where)


def _check_kinds(names: tuple[str, ...], at: str) -> None:
    known = [kind.value for kind in RecordKind]
    for name in names:
        if name not in known:
            raise ConfigError(f"{at} holds {', '.join(known)} or nothing, not '{name}'")


def _check_aircraft(aircraft: AircraftSettings, settings: Settings, where: str) -> None:
    at = f"{where}: aircraft '{aircraft.id}': "
    _check_range(aircraft.system_id, 1, 255, at + "system_id")
    for name, (least, most) in _ALARM_RANGES.items():
        _check_range(getattr(aircraft.alarms, name), least, most, f"{at}alarms.{name}")
    if aircraft.telemetry and aircraft.mavlink:
        raise ConfigError(f"{at}it has both mavlink and telemetry; its telemetry comes from one of them")
    if aircraft.forward and not aircraft.mavlink:
        raise ConfigError(f"{at}forward shares its MAVLink, and it has none")
    kind, _, rest = aircraft.telemetry.partition(":")
    if aircraft.telemetry and (kind not in ("feed", "srt") or not rest):
        raise ConfigError(f"{at}telemetry is feed:FEED or srt:FILE, not '{aircraft.telemetry}'")
    feeds = [feed.id for each in settings.aircraft for feed in each.feed]
    if kind == "feed" and rest not in feeds:
        raise ConfigError(f"{at}telemetry: there is no feed '{rest}'; there are: {', '.join(feeds)}")


_ALARM_RANGES = {
    "battery_warning_pct": (0, 100),
    "battery_alarm_pct": (0, 100),
    "battery_alarm_v": (0, 1000),
    "link_warning_pct": (0, 100),
    "link_alarm_pct": (0, 100),
    "telemetry_age_s": (1, 600),
}


_PICTURE_RANGES = {
    "live_age_ms": (100, 60_000),
    "freeze_ms": (200, 60_000),
    "lost_ms": (1000, 600_000),
    "recover_ms": (0, 60_000),
}


def _check_feed(feed: FeedSettings, where: str) -> None:
    at = f"{where}: feed '{feed.id}': "
    _check_range(feed.air_link_ms, 0, 60_000, at + "air_link_ms")
    if feed.transport not in ("auto", "udp", "tcp"):
        raise ConfigError(f"{at}transport is auto, udp or tcp, not '{feed.transport}'")
    _check_range(feed.fps, 0.1, 1000, at + "fps")
    _check_range(feed.hfov_deg, 1, 179, at + "hfov_deg")
    _check_range(feed.mount_pitch_deg, -90, 90, at + "mount_pitch_deg")


_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")  # RFC 3986 2.3


def _check_publishing(publish: PublishingSettings, where: str) -> None:
    _check_range(publish.rtmp_port, 0, 65_535, f"{where}: publish.rtmp_port")
    _check_range(publish.srt_port, 0, 65_535, f"{where}: publish.srt_port")
    _check_range(publish.srt_latency_ms, 20, 8000, f"{where}: publish.srt_latency_ms")
    passphrase, at = publish.srt_passphrase, f"{where}: publish.srt_passphrase"
    if passphrase and not 10 <= len(passphrase.encode()) <= 79:  # libsrt's own bounds
        raise ConfigError(f"{at} has 10 to 79 characters, not {len(passphrase.encode())}")
    if passphrase and not _UNRESERVED.fullmatch(passphrase):
        raise ConfigError(
            f"{at} holds only A-Z a-z 0-9 - . _ ~, the characters that stand in an address as they are: "
            "few encoders decode the others there"
        )


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
