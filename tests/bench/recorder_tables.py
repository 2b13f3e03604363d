"""The figures of `make bench-recorder` as Markdown; what was not measured is "--"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def tables(found: Row) -> str:
    """All of it."""
    about = ", ".join(f"{name} {value}" for name, value in found["surroundings"].items())
    parts = [
        _kills(found.get("kills", {})),
        _exact([part for part in (found.get("exact"), *found.get("clips", [])) if part]),
        _load(found.get("load", {})),
        *(f"Not measured: {name}: {why}" for name, why in found["broken"].items()),
        f"{found['date']}; load at its beginning {found['load_1_min']}; {about}",
    ]
    return "\n\n".join(part for part in parts if part)


def _kills(found: Row) -> str:
    if not found:
        return ""
    rows = [
        [name, *(_number(found[key].get(column)) for column in ("n", "p50", "p95", "p99", "max"))]
        for name, key in (("pictures", "lost_ms"), ("telemetry", "lost_messages_ms"))
    ]
    head = f"{found['kills']} kills, lost, ms"
    about = (
        f"Before any repair ffmpeg played {found['played_by_ffmpeg']} of the cut recordings to their end, "
        f"Chromium {found['played_by_chromium']}; {len(found['faults'])} faults."
    )
    return _table((head, "n", "p50", "p95", "p99", "max"), rows) + f"\n\n{about}"


def _exact(parts: Sequence[Row]) -> str:
    rows = [
        [part["name"], _number(part["pictures"]), _number(part["megabytes"]), _number(part["segments"]),
         "yes" if part["byte_exact"] else "**no**"]
        for part in parts
    ]  # fmt: skip
    return _table(("recorded", "pictures", "MB", "segments", "as on the bus"), rows) if rows else ""


def _load(found: Row) -> str:
    if not found:
        return ""
    off, on = found["delay_ms_off"], found["delay_ms_on"]
    rows = [
        [
            "CPU s a second of the service",
            _number(found["cpu_s_per_s_off"]),
            _number(found["cpu_s_per_s_on"]),
        ],
        ["added delay of a viewer p50, ms", _number(off["p50"]), _number(on["p50"])],
        ["added delay of a viewer p99, ms", _number(off["p99"]), _number(on["p99"])],
    ]
    head = (f"{found['feeds']} feeds, {found['viewers']} viewers", "not recorded", "recorded")
    about = (
        f"{found['cpu_s_per_feed_s']:g} CPU s per recorded feed and second; "
        f"{found['written_bytes_per_feed_s'] / 1000:.0f} kB/s written per feed, "
        f"{found['written_per_video_byte']:g} bytes a byte of video; "
        f"median of {found['turns']} turns of {found['window_s']:g} s"
    )
    return _table(head, rows) + f"\n\n{about}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:g}"
