"""`lagebild flights list | hold | release | delete | retention | rebuild`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from .flight_desks import FlightDesk, open_desk, rebuild
from .settings import Settings
from .views import Json

_HEAD = ("FLIGHT", "START", "LENGTH", "SIZE", "INCIDENT", "")


async def run_flights(options: argparse.Namespace, settings: Settings) -> int:
    """What `add_flights_command` parsed; returns the exit code. Raises LagebildError."""
    if options.action == "rebuild":
        print(f"lagebild: the catalogue is made anew: {await rebuild(settings)} flights")
        return 0
    async with open_desk(settings) as desk:
        await _ACTIONS[options.action](desk, options)
    return 0


async def _list(desk: FlightDesk, options: argparse.Namespace) -> None:
    flights = await desk.flights(options.aircraft, options.incident)
    if options.json:
        print(json.dumps({"flights": flights}, indent=1, ensure_ascii=False))
    else:
        print(as_table(flights) if flights else "lagebild: no flights")


async def _hold(desk: FlightDesk, options: argparse.Namespace) -> None:
    await desk.hold(options.flight, options.reason, options.by)
    print(f"lagebild: {options.flight} is kept until it is released")


async def _release(desk: FlightDesk, options: argparse.Namespace) -> None:
    await desk.release(options.flight, options.by)
    print(f"lagebild: {options.flight} is not held any more")


async def _delete(desk: FlightDesk, options: argparse.Namespace) -> None:
    print(_deleted(await desk.delete(options.flight, options.reason, options.by)))


async def _retention(desk: FlightDesk, options: argparse.Namespace) -> None:
    if options.dry_run:
        plans = await desk.planned()
        print("\n".join(map(_planned, plans)) or "lagebild: nothing will be deleted by its days")
        return
    print("\n".join(map(_deleted, await desk.retain())) or "lagebild: no flight is due")


_ACTIONS = {"list": _list, "hold": _hold, "release": _release, "delete": _delete, "retention": _retention}


def as_table(flights: Iterable[Json]) -> str:
    """A line for each FlightView, in local time."""
    return table([_HEAD, *(_row(flight) for flight in flights)])


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(flight: Json) -> tuple[str, ...]:
    minutes, seconds = divmod(round(flight["duration_ms"] / 1000), 60)
    return (
        flight["id"],
        _moment(flight["started_ms"]),
        f"{minutes}:{seconds:02} min",
        _size(flight["size_bytes"]),
        _incident(flight["incident"]),
        _state(flight),
    )


def _incident(incident: Json | None) -> str:
    if incident is None:
        return "-"
    return plain(incident["name"]) + (" (Übung)" if incident["kind"] == "uebung" else "")


def _state(flight: Json) -> str:
    hold = flight["hold"]
    told = [f"damaged: {plain(flight['damage'])}"] if flight["damage"] else []
    if hold:
        told.append(f"held by {plain(hold['by'])}: {plain(hold['reason'])}")
    elif flight["ended_ms"] is None:
        told.append("not ended")
    elif flight["delete_on_ms"] is not None:
        told.append(f"kept until {_moment(flight['delete_on_ms'])[:10]}")
    return "; ".join(told)


def _planned(plan: Json) -> str:
    return f"{plan['flight_id']}  {_moment(plan['due_ms'])}  {plan['rule']}"


def _deleted(deletion: Json) -> str:
    what = f"{deletion['files']} files, {_size(deletion['size_bytes'])}"
    return f"lagebild: {deletion['flight_id']} is deleted ({deletion['rule']}): {what}"


def _moment(utc_ms: float) -> str:
    return f"{datetime.fromtimestamp(utc_ms / 1000).astimezone():%Y-%m-%d %H:%M}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.1f} GB"


def plain(text: str) -> str:
    """What people typed, without what a terminal would act on."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def add_flights_command(flights: argparse.ArgumentParser, every: argparse.ArgumentParser) -> None:
    """The actions of `lagebild flights`; `every` brings the options of every command."""
    actions = flights.add_subparsers(required=True, metavar="ACTION", dest="action")

    def add(name: str, what: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, parents=[every], help=what, description=what)

    listing = add("list", "recorded flights, the newest first")
    listing.add_argument("--aircraft", default="", metavar="ID", help="of this aircraft")
    listing.add_argument("--incident", default="", metavar="ID", help="of this incident")
    listing.add_argument("--json", action="store_true", help="for programs: as /api/v1/flights")
    _of_one(add("hold", "keep a flight beyond its days"), reason="why it is kept")
    _of_one(add("release", "let go of a flight that was held"))
    _of_one(add("delete", "delete a flight now; that stays documented"), reason="why it goes")
    retention = add("retention", "delete every flight whose days are over")
    retention.add_argument("--dry-run", action="store_true", help="only show what will go, and when")
    add("rebuild", "make the catalogue anew from the folders; no server may be running")


def _of_one(parser: argparse.ArgumentParser, reason: str = "") -> None:
    parser.add_argument("flight", metavar="FLIGHT", help="its id, as `lagebild flights list` shows it")
    if reason:
        parser.add_argument("--reason", required=True, metavar="TEXT", help=reason)
    parser.add_argument("--by", required=True, metavar="NAME", help="who does it")
