"""`lagebild doctor`: will it work here with this configuration, and if not, what is to be done."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from flow.clock import SystemClock
from flow.errors import ConfigError, LagebildError, SourceError
from flow.flights import Unsecured
from ingest.addresses import shown
from ingest.open import open_source
from ingest.settings import PUSHED, EncodeSettings
from telemetry.subtitle_source import read_cues

from .doctor_accounts import check_accounts
from .doctor_cameras import as_source, check_cameras
from .doctor_machine import (
    check_buffers,
    check_clock,
    check_codecs,
    check_disk,
    check_encoder,
    check_libsrt,
)
from .doctor_oidc import check_provider
from .doctor_ports import check_ports
from .doctor_recordings import check_recordings
from .doctor_redis import check_redis
from .doctor_report import Finding, fail, ok, warn
from .doctor_terrain import check_terrain
from .publish_keys import PublishKeys
from .settings import AircraftSettings, EncodingSettings, FeedSettings, Settings
from .unsecured import how_unsecured, is_loopback

_NAME_THE_SENDERS = 'name the senders in allow_from, such as ["192.0.2.7"], or listen on 127.0.0.1'


def examine(load: Callable[[], Settings], where: str, redis: str = "") -> Iterator[Finding]:
    """Everything there is to check. `load` reads the configuration, which lies at `where`; `redis` is the
    address of the Redis that is to join several nodes, if there is one."""
    try:
        settings = load()
    except LagebildError as error:
        yield fail("config", str(error), "mend this first: nothing that depends on it was checked")
        settings = None
    if settings is not None:
        yield from check_configuration(settings, where)
        yield from check_ports(settings)
        yield from check_cameras(settings)
    yield from check_codecs()
    encode = settings.encode if settings is not None else EncodingSettings()
    yield check_encoder(EncodeSettings(encode.encoder, encode.preset))
    yield check_libsrt(settings is not None and _needs_srt(settings))
    yield check_redis(redis)
    yield check_clock()
    if settings is not None:
        yield check_accounts(settings)
        yield from check_provider(settings)
        yield check_terrain(settings.map.terrain)
        yield check_disk(Path(settings.server.data_dir))
        yield from check_recordings(settings)
        yield check_key_files(PublishKeys(Path(settings.server.data_dir)))
    yield from check_buffers()


def check_configuration(settings: Settings, where: str) -> Iterator[Finding]:
    """What no single value shows: sources that cannot be opened, open doors, keys that are missing."""
    feeds = sum(len(aircraft.feed) for aircraft in settings.aircraft)
    if feeds:
        yield ok("config", f"{where}: {len(settings.aircraft)} aircraft, {feeds} feeds")
    else:
        todo = "start from config.example.toml, or try `lagebild demo`"
        yield warn("config", f"{where}: no feed is configured", todo)
    if not is_loopback(settings.server.host):
        yield ok("config", f"the page is open to the network on {settings.server.host}, to those who may")
    keys = PublishKeys(Path(settings.server.data_dir))
    for aircraft in settings.aircraft:
        sharing = (each for each in settings.aircraft if each.mavlink == aircraft.mavlink)
        yield from _check_telemetry(aircraft, tuple(entry for each in sharing for entry in each.allow_from))
        for feed in aircraft.feed:
            yield from _check_feed(feed, keys, how_to_find(where))
    yield from _check_tracks(settings)


def check_key_files(keys: PublishKeys) -> Finding:
    """Whether the user who runs this can read and change the keys, as the service must."""
    if forbidden := keys.forbidden():
        names = ", ".join(str(path) for path in forbidden)
        return fail(
            "keys",
            f"this user may not read and write {names}: nobody can publish",
            "run the doctor as the user who runs the service; if it says so, too: chown them to that user",
        )
    return ok("keys", "the keys of publishers can be read and changed by this user")


def _check_telemetry(aircraft: AircraftSettings, allow_from: tuple[str, ...]) -> Iterator[Finding]:
    """`allow_from` is of all aircraft that share the link."""
    yield from _check_senders(f"telemetry of '{aircraft.id}'", aircraft.mavlink, allow_from)
    kind, _, path = aircraft.mavlink.partition(":")
    if kind == "tlog" and not Path(path).is_file():
        yield fail("config", f"telemetry of '{aircraft.id}': {path} is no file", "correct `mavlink`")


_WITHOUT_METADATA = frozenset({"rtp", "rtsp", "rtmp", "whip"})
"""Kinds of `source` that bring pictures and nothing else: telemetry travels in MPEG-TS, and in files."""


def _check_tracks(settings: Settings) -> Iterator[Finding]:
    """Whether telemetry is looked for where it can be."""
    sources = {feed.id: feed.source for aircraft in settings.aircraft for feed in aircraft.feed}
    for aircraft in settings.aircraft:
        if aircraft.telemetry.startswith("srt:"):
            yield from _check_subtitles(aircraft)
        feed_id = aircraft.telemetry.removeprefix("feed:")
        kind = sources.get(feed_id, "").partition(":")[0].lower()
        if kind in _WITHOUT_METADATA:
            what = f"telemetry of '{aircraft.id}': feed '{feed_id}' comes by {kind}, which carries none"
            yield warn("config", what, "bring the feed as MPEG-TS (udp, srt), or set `mavlink`")


def _check_subtitles(aircraft: AircraftSettings) -> Iterator[Finding]:
    """Waits for the disk."""
    try:
        read_cues(Path(aircraft.telemetry.removeprefix("srt:")))
    except SourceError as error:
        yield fail("config", f"telemetry of '{aircraft.id}': {error}", "correct `telemetry`")


def how_to_find(where: str) -> str:
    """What a command needs for the configuration at `where`, beyond the folder it is given in."""
    return "" if where in ("lagebild.toml", "built-in defaults") else f" --config {where}"


def _check_feed(feed: FeedSettings, keys: PublishKeys, config: str) -> Iterator[Finding]:
    name = f"feed '{feed.id}'"
    yield from _check_senders(name, feed.source, feed.allow_from)
    if feed.source in PUSHED:
        yield from _check_keys(feed, keys, config)
        return
    try:
        open_source(as_source(feed), SystemClock())
    except ConfigError as error:  # without what of the address is secret
        todo = (
            f"correct `source`, or use one of {', '.join(sorted(PUSHED))}, for what is sent to us with a key"
        )
        yield fail("config", f"{name}: {shown(feed.source)} is no source that can be opened: {error}", todo)
        return
    path = Path(feed.source.removeprefix("file:").removeprefix("//"))
    if shown(feed.source) == feed.source and _is_path(feed.source) and not path.is_file():
        yield fail("config", f"{name}: {path} is no file", "correct `source`")


def _needs_srt(settings: Settings) -> bool:
    """Whether some feed has no other way."""
    feeds = (feed for aircraft in settings.aircraft for feed in aircraft.feed)
    return any(feed.source.partition(":")[0].lower() == "srt" for feed in feeds)


def _is_path(source: str) -> bool:
    return source.startswith("file:") or ":" not in source.partition("/")[0]


def _check_keys(feed: FeedSettings, keys: PublishKeys, config: str) -> Iterator[Finding]:
    try:
        if keys.count(feed.id):
            return
    except ConfigError as error:
        yield fail("config", str(error), "nobody can publish until then")
        return
    todo = f"`lagebild key {feed.id}{config}`, or the button on the page /pilot"
    yield warn("config", f"feed '{feed.id}' has no key: nobody can publish to it", todo)


def _check_senders(name: str, address: str, allow_from: tuple[str, ...]) -> Iterator[Finding]:
    """An input without a key needs to know its senders, unless it is for this machine alone."""
    if how_unsecured(address) is not Unsecured.NAMED:
        return
    if not allow_from:
        yield fail(
            "config", f"{name}: {address} is open to the network and will not be opened", _NAME_THE_SENDERS
        )
    for entry in allow_from:
        with suppress(ValueError):
            if ipaddress.ip_network(entry, strict=False).prefixlen == 0:
                yield warn("config", f"{name}: allow_from {entry} lets everybody in", _NAME_THE_SENDERS)
