"""The figures of `make bench-telemetry` as Markdown; what was not measured is "--"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_NOISES = {"assumed": "as assumed", "clean": "none", "half": "half of it", "twice": "twice that"}


def tables(found: Row) -> str:
    """All of it."""
    about = ", ".join(f"{name} {value}" for name, value in found["surroundings"].items())
    parts = [
        _ground(found.get("ground", {})),
        _noises(found.get("ground", {})),
        _klv(found.get("klv", {})),
        _sync(found.get("sync", {})),
        _load(found.get("load", {})),
        _logs(found.get("logs", [])),
        *(f"Not measured: {name}: {why}" for name, why in found["broken"].items()),
        f"{found['date']}; load at its beginning {found['load_1_min']}; {about}",
    ]
    return "\n\n".join(part for part in parts if part)


def _ground(found: Row) -> str:
    rows = [
        [f"{band['from_m']} to {band['to_m'] or '∞'}", *_errors(band)]
        for band in found.get("assumed", {}).get("bands", [])
        if band["n"]
    ]
    return _table(("slant range, m", "pixels", "median, m", "p95, m", "inside the 95 % ellipse"), rows)


def _noises(found: Row) -> str:
    rows = [[name, *_errors(found[key]["all"])] for key, name in _NOISES.items() if key in found]
    return _table(("noise, all ranges", "pixels", "median, m", "p95, m", "inside the 95 % ellipse"), rows)


def _errors(row: Row) -> list[str]:
    return [str(row["n"]), *(_number(row[name]) for name in ("median_m", "p95_m", "coverage"))]


def _klv(found: Row) -> str:
    names = {
        "centre": "frame centre",
        "corners": "corners",
        "corners_level": "corners, picture taken as level",
    }
    rows = [
        [
            name,
            *(_number(found[key].get(column)) for column in ("n", "median_m", "p95_m")),
            _number(found[key].get("median_of_range"), 100, " %"),
        ]
        for key, name in names.items()
        if key in found
    ]
    return _table(("against a real ST 0601 stream", "places", "median, m", "p95, m", "of the range"), rows)


def _sync(found: Row) -> str:
    row = [_number(found.get(name)) for name in ("p50", "p95", "n")]
    return _table(("clocks set wrong: telemetry against its picture, ms", "p95", "pictures"), [row])


def _load(found: Row) -> str:
    names = {
        "messages_per_s": "messages per s",
        "cpu_ms_per_1000_messages": "CPU ms per 1,000 messages",
        "mavutil_cpu_ms_per_1000_messages": "mavutil's loop",
        "ratio_mavutil": "ratio",
        "room_cpu_ms_per_1000_messages": "with looks and alarms",
        "room_ratio_mavutil": "ratio",
        "texts_sent": "STATUSTEXTs sent",
        "texts_told": "told",
        "samples_per_s_of_the_flood": "samples per s of the aircraft with 500 Hz",
    }
    return _table(tuple(names.values()), [[_number(found.get(name)) for name in names]])


def _logs(found: Sequence[Row]) -> str:
    columns = {
        "name": "log",
        "vehicle": "vehicle",
        "messages": "messages",
        "duplicates": "doubles",
        "bad_bytes": "bad bytes",
        "armings": "armed",
        "disarmings": "disarmed",
        "reboots": "reboots",
        "gaps": "gaps > 2 s",
        "longest_gap_s": "longest, s",
        "span_s": "log, s",
        "uptime_s": "uptime counted, s",
        "clock_speed": "clock speed",
        "held_back": "places held back",
    }
    rows = [[*(_cell(row.get(name)) for name in columns), " → ".join(row["fixes"])] for row in found]
    return _table((*columns.values(), "fixes"), rows) if rows else ""


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, str) else _number(value)


def _number(value: float | None, times: float = 1, unit: str = "") -> str:
    return "--" if value is None else f"{round(value * times, 3):g}{unit}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(head), "|" + len(head) * "---|", *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
