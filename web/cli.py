"""The command line: `lagebild serve | demo | replay`, and what is asked and ordered beside a service."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import sys
import typing
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flow.clock import SystemClock
from flow.errors import LagebildError
from recordings.replay import run as show_replay

from .access.audit import Action
from .access_cli import add_account_command, add_token_command, run_access
from .audit_cli import add_audit_command, run_audit
from .command_log import record_command
from .doctor import examine
from .doctor_report import as_json, as_text, is_well
from .flights_cli import add_flights_command, run_flights
from .privacy.record import record
from .publish_addresses import addresses_of, feed_named
from .publish_keys import PublishKeys
from .publishers import DEMO_AIRCRAFT, fly_demo
from .replay_command import add_replay_options, arguments_of_a_dry_run, fly_replay, order_of
from .service import Running, running_service
from .settings import Settings
from .settings_checks import check_settings
from .settings_file import load_settings
from .verify_cli import add_verify_command

log = logging.getLogger("lagebild.web")

Publish = Callable[[Running], Coroutine[Any, Any, None]]

USUAL_CONFIG = Path("lagebild.toml")
"""In the folder where the command is given; not of `demo` and `replay`, which bring aircraft of their own."""

FIRST_LINK = "Whoever opens this link becomes the first one; it is good once, for 24 hours:"


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.command is None:  # the doctor looks at settings that may be wrong; who verifies has none
        return typing.cast(int, options.alone(options))
    return_code = 0
    try:
        _allow_many_connections()
        settings = _settings(options)
        logging.basicConfig(
            level=settings.server.log_level.upper(),
            format="%(asctime)s %(levelname)-7s %(message)s",
            datefmt="%H:%M:%S",
        )
        logging.getLogger("aioice").setLevel(logging.WARNING)  # it tells every connectivity check
        logging.getLogger("aiohttp").setLevel(logging.WARNING)  # it repeats requests, and so keys
        command: Callable[..., Coroutine[Any, Any, int]] = options.command
        return_code = asyncio.run(command(options, settings))
    except* LagebildError as group:
        for error in _leaves(group):
            print(f"lagebild: {error}", file=sys.stderr)
        return_code = 2
    except* KeyboardInterrupt:
        return_code = 130
    return return_code


def _allow_many_connections() -> None:
    """As many open sockets as the system lets us have: the usual soft limit is 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _serve(options: argparse.Namespace, settings: Settings) -> int:
    async def tell(_: Running) -> None:
        log.info("settings: %s", _config_of(options) or "built-in defaults")
        if not settings.aircraft:
            log.warning("no aircraft is configured: start from config.example.toml, or try `lagebild demo`")

    return await _run_until_stopped(settings, tell)  # what keeps it from starting stands alone


async def _demo(options: argparse.Namespace, settings: Settings) -> int:
    settings = replace(settings, aircraft=(DEMO_AIRCRAFT, *settings.aircraft))
    check_settings(settings, "demo with this configuration")  # its ids may be the demo's

    async def fly(service: Running) -> None:
        await fly_demo(service, options.simulator)

    return await _run_until_stopped(settings, fly, *(feed.id for feed in DEMO_AIRCRAFT.feed))


async def _replay(options: argparse.Namespace, settings: Settings) -> int:
    order = order_of(options, Path(settings.server.data_dir))
    if dry_run := arguments_of_a_dry_run(options, order):
        show_replay(dry_run)
        return 0

    async def play(service: Running) -> None:
        code = await fly_replay(service, order)
        print("lagebild: the recording has ended" if code == 0 else "lagebild: the replay failed", flush=True)

    not_again = replace(settings.recording, enabled=False)  # it is a recording
    settings = replace(settings, aircraft=(order.aircraft,), recording=not_again)
    return await _run_until_stopped(settings, play)


async def _key(options: argparse.Namespace, settings: Settings) -> int:
    feed = feed_named(options.feed, settings)
    keys = PublishKeys(Path(settings.server.data_dir))
    if options.withdraw:
        count = keys.withdraw(feed.id)
        told = {0: "had no key", 1: "has lost its key"}.get(count, f"has lost its {count} keys")
        record_command(settings, Action.REVOKED, "lagebild key", {"feed": feed.id}, {"keys": count})
        print(f"lagebild: feed '{feed.id}' {told}")
        return 0
    key, rotated = keys.rotate(feed.id) if options.rotate else (keys.make(feed.id), 0)
    record_command(settings, Action.MADE, "lagebild key", {"feed": feed.id}, {"rotated": rotated})
    print(f"Key for '{feed.id}', shown only now: {key}")
    for way in addresses_of(feed, key, settings, with_passphrase=True):
        print(f"  {way.address}" + (f" (Bearer {key})" if way.protocol == "whip" else ""))
    if rotated:
        older = "the older one lets" if rotated == 1 else f"the {rotated} older ones let"
        print(f"  {older} nobody in any more; who sends with it goes on until he ends")
    return 0


async def _privacy_record(options: argparse.Namespace, settings: Settings) -> int:
    print(record(settings, SystemClock().now_ns()), end="")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    """Say what is well and what is not; 1 where something will not work."""
    where = str(_config_of(options) or "built-in defaults")
    findings = list(examine(lambda: _settings(options), where, options.redis))
    print(as_json(findings) if options.json else as_text(findings))
    return 0 if is_well(findings) else 1


async def _run_until_stopped(settings: Settings, publish: Publish, *shown: str) -> int:
    """Serve, with `publish` beside it once it runs, until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_service(settings) as service, asyncio.TaskGroup() as tasks:
        publishing = tasks.create_task(publish(service))
        query = "?feed={}&second={}".format(*shown) if shown else ""
        print(f"Lagebild is running: {service.url}{query}   (Ctrl+C ends it)", flush=True)
        if service.first_link:
            print(f"There is no administrator yet. {FIRST_LINK}\n  {service.first_link}", flush=True)
        await stop.wait()
        log.info("stopping")
        publishing.cancel()
    return 0


def _config_of(options: argparse.Namespace) -> Path | None:
    """The configuration file: what --config names, else the usual one where it is there."""
    if options.config is None and options.usual_config and USUAL_CONFIG.exists():
        return USUAL_CONFIG
    return typing.cast("Path | None", options.config)


def _settings(options: argparse.Namespace) -> Settings:
    settings = load_settings(_config_of(options), os.environ)
    server = settings.server
    if options.host is not None:
        server = replace(server, host=options.host)
    if options.port is not None:
        server = replace(server, port=options.port)
    if server.log_level.upper() not in logging.getLevelNamesMapping():
        raise LagebildError(f"server.log_level is debug, info, warning or error, not '{server.log_level}'")
    webrtc = settings.webrtc
    if options.webrtc_port is not None:
        webrtc = replace(webrtc, port=options.webrtc_port)
    settings = replace(settings, server=server, webrtc=webrtc)
    check_settings(settings, "command line")
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lagebild", description="Live drone video for incident command.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument(
        "--config", type=Path, metavar="FILE",
        help="default: lagebild.toml in this folder (not for demo and replay), else built-in defaults",
    )  # fmt: skip
    every.set_defaults(usual_config=True)
    every.add_argument("--host", help="address of the web page (default 127.0.0.1)")
    every.add_argument("--port", type=int, help="port of the web page (default 8080; 0: any free one)")
    every.add_argument("--webrtc-port", type=int, metavar="PORT",
                       help="UDP and TCP port of the picture (default 8189; 0: any free one)")  # fmt: skip

    serve = commands.add_parser("serve", parents=[every], help="run the service as configured")
    serve.set_defaults(command=_serve)
    demo = commands.add_parser("demo", parents=[every], help="run the service with a simulated aircraft")
    demo.add_argument("simulator", nargs="*", metavar="-- OPTION", help="options of the simulator, after --")
    demo.set_defaults(command=_demo, usual_config=False)
    replay = commands.add_parser("replay", parents=[every], help="play recorded feeds as if live")
    add_replay_options(replay)
    replay.set_defaults(command=_replay, usual_config=False)

    key = commands.add_parser("key", parents=[every], help="make a key for whoever publishes to a feed")
    key.add_argument("feed", help="id of a feed whose source is rtmp, srt, whip or push")
    how = key.add_mutually_exclusive_group()
    rotate = "in place of all others: they let nobody in any more; who sends with one goes on"
    how.add_argument("--rotate", action="store_true", help=rotate)
    withdraw = "take back all keys of the feed instead, and cut off who sends with one"
    how.add_argument("--withdraw", action="store_true", help=withdraw)
    key.set_defaults(command=_key)

    flights = commands.add_parser("flights", help="recorded flights: list, hold, release, delete")
    add_flights_command(flights, every)
    flights.set_defaults(command=run_flights)

    account = commands.add_parser("account", help="who can log in: list, add, roles, disable, invite, remove")
    add_account_command(account, every)
    account.set_defaults(command=run_access)
    token = commands.add_parser("token", help="machines' tokens: list, add, withdraw")
    add_token_command(token, every)
    token.set_defaults(command=run_access)

    audit = commands.add_parser("audit", help="who saw and did what: show, search, export, check")
    add_audit_command(audit, every)
    audit.set_defaults(command=run_audit)
    privacy = "the record of processing activities (Art. 30 GDPR) that these settings make, in German"
    privacy_record = commands.add_parser("privacy-record", parents=[every], help=privacy)
    privacy_record.set_defaults(command=_privacy_record)

    add_verify_command(commands.add_parser("verify", help="check whether an export is as it was signed"))

    doctor = commands.add_parser("doctor", parents=[every], help="check whether it will work here")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.add_argument("--redis", default="", metavar="URL", help="check the Redis of a larger installation")
    doctor.set_defaults(command=None, alone=_doctor)
    return parser
