"""The figures of `make bench-ingest` as Markdown; what was not measured is "--", and why stands below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
Cell = Callable[[Row], str]

NAMES = {
    "rtp": "RTP",
    "mpegts": "MPEG-TS over UDP",
    "rtmp": "RTMP",
    "rtsp-udp": "RTSP, UDP",
    "rtsp-tcp": "RTSP, TCP",
    "srt": "SRT",
    "whip": "WHIP",
}
_RENDITIONS = {"web": "`web` of H.265", "low": "`low` of H.264"}
_LINKS = {"with": "with renditions", "without": "source only"}


def tables(found: Mapping[str, Any]) -> str:
    """All of it."""
    parts = [
        _delays(found.get("ways", {}), found.get("latency_ms")),
        _costs(found.get("costs", {})),
        _recoveries(found.get("recoveries", {})),
        _renditions(found.get("renditions", {})),
        _narrow(found.get("narrow", {})),
    ]
    return "\n\n".join([*parts, *_missing(found), _about(found)])


def _delays(rows: Mapping[str, Row], latency_ms: int | None) -> str:
    told = "its latency" if latency_ms is None else f"its latency of {latency_ms} ms"
    return _table(
        "last byte written to access unit on the bus",
        {
            "p50 ms": lambda row: number(row.get("p50_ms")),
            "p99 ms": lambda row: number(row.get("p99_ms")),
            "longest ms": lambda row: number(row.get("most_ms")),
            "pictures": lambda row: number(row.get("sent") or None),
            "missing": lambda row: number(row.get("missing") if row.get("sent") else None),
            "waited ms per s": lambda row: number(row.get("waited_ms_per_s")),
        },
        NAMES | {"srt": f"SRT, {told} included"},
        rows,
    )


def _costs(rows: Mapping[str, Row]) -> str:
    return _table(
        "a feed that nobody watches",
        {"CPU ms per s of the service": lambda row: number(row.get("cpu_ms_per_s"))},
        NAMES,
        rows,
    )


def _recoveries(rows: Mapping[str, Row]) -> str:
    return _table(
        "killed and started again",
        {
            "start to first picture, s": lambda row: number(row.get("picture_s")),
            "start to live, s": lambda row: number(row.get("live_s")),
            "kill to first state, s": lambda row: number(row.get("said_s")),
            "that state": lambda row: row.get("said") or "--",
        },
        NAMES,
        rows,
    )


def _renditions(rows: Mapping[str, Row]) -> str:
    return _table(
        "rendition, 720p30",
        {
            "CPU ms per s, encoder": lambda row: number(row.get("encoder_ms_per_s")),
            "CPU ms per s, service": lambda row: number(row.get("service_ms_per_s")),
            "pictures per s": lambda row: number(row.get("pictures_per_s")),
            "kbit/s": lambda row: number(row.get("kbit_per_s")),
        },
        _RENDITIONS,
        rows,
    )


def _narrow(rows: Mapping[str, Row]) -> str:
    return _table(
        "8 to 1 to 8 Mbit/s",
        {
            "left after, s": lambda row: number(row.get("left_s")),
            "regained after, s": lambda row: number(row.get("regained_s")),
            "frozen in all, s": lambda row: number(row.get("frozen_s")),
            "longest, s": lambda row: number(row.get("longest_s")),
            "changes of size": lambda row: number(row.get("changes")),
        },
        _LINKS,
        rows,
    )


def _table(title: str, columns: Mapping[str, Cell], names: Mapping[str, str], rows: Mapping[str, Row]) -> str:
    lines = [_line([title, *columns]), "|" + (len(columns) + 1) * "---|"]
    lines += [
        _line([name, *(cell(rows.get(key, {})) for cell in columns.values())]) for key, name in names.items()
    ]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _missing(found: Mapping[str, Any]) -> list[str]:
    """A sentence for each row without figures."""
    parts = {"ways": NAMES, "costs": NAMES, "recoveries": NAMES, "renditions": _RENDITIONS, "narrow": _LINKS}
    why = {
        f"{names[key]} ({part})": row["why_not"]
        for part, names in parts.items()
        for key, row in found.get(part, {}).items()
        if row.get("why_not")
    }
    why |= {f"all of {part}": text for part, text in found.get("broken", {}).items()}
    return ["Not measured: " + "; ".join(f"{key}: {text}" for key, text in why.items()) + "."] if why else []


def _about(found: Mapping[str, Any]) -> str:
    load = found.get("load_1_min", 0.0)
    busy = [f"the machine was busy with other work as this began: load {load:g}"] if load > 0.5 else []
    about = ", ".join(f"{key} {value}" for key, value in found.get("surroundings", {}).items())
    return "; ".join([found.get("date", "--"), *busy, *([about] if about else [])])


def number(value: float | None) -> str:
    return "--" if value is None else f"{value:g}"
