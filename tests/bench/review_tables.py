"""The figures of `make bench-review` as Markdown; what was not measured is "--"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
_SPREAD = ("p50", "p95", "max", "n")


def tables(found: Row) -> str:
    """All of it."""
    about = ", ".join(f"{name} {value}" for name, value in found["surroundings"].items())
    parts = [
        _lists(found.get("lists")),
        _seeks(found.get("seeks"), found.get("gaps"), found.get("web_rendition")),
        _live(found.get("seeks")),
        _sync(found),
        _tampering(found.get("export"), found.get("tampering")),
        *(f"Not measured: {name}: {why}" for name, why in found["broken"].items()),
        f"{found['date']}; load at its beginning {found['load_1_min']}; {about}",
    ]
    return "\n\n".join(part for part in parts if part)


def _lists(found: Row | None) -> str:
    if not found:
        return ""
    rows = [[name, *_spread(row)] for name, row in found["kinds"].items()]
    rows.append(["all of them", *_spread(found["all"])])
    head = f"{found['flights']} flights, over HTTP, ms"
    known = f"The service knew all flights {found['known_after_s']:g} s after its start."
    return _table((head, *_SPREAD), rows) + f"\n\n{known}"


def _seeks(found: Row | None, gaps: Row | None, rendition: Row | None) -> str:
    rows = []
    for reviewers, row in found["reviewers"].items() if found else ():
        if row["seek_ms"]:
            rows.append([f"{reviewers} reviewing", *_seek(row["seek_ms"])])
        if row.get("readers"):
            rows.append(["of those without a browser, to the last byte", *_spread(row["readers"]), ""])
    if gaps:
        rows.append(["over a gap of 70 minutes, 1 reviewing", *_seek(gaps)])
    if rendition:
        rows.append(["H.265, what is shown is made at once", *_seek(rendition["seek_ms"])])
        rows.append(["H.265, it was made before", *_seek(rendition["again"]["seek_ms"])])
    if not rows:
        return ""
    head = f"seek to picture, {found['hours']:g} h, ms" if found else "seek to picture, ms"
    text = _table((head, *_SPREAD, "not told of"), rows)
    if found:
        text += f"\n\n{found['pictures']}."
    if rendition:
        first = [rendition["h264"], rendition, rendition["again"]]
        h264, cold, warm = (_number(row["first_picture_ms"]) for row in first)
        text += (
            f" A page is opened to its first picture in {h264} ms; in H.265 {cold} ms, and {warm} ms again."
        )
    return text


def _live(found: Row | None) -> str:
    if not found:
        return ""
    rows = [
        [
            reviewers,
            _number(row["live_delay_ms"]["p50"]),
            _number(row["live_delay_ms"]["p99"]),
            _number(row["live_loss"]),
            _number(row["cpu_s_per_s"]),
        ]
        for reviewers, row in found["reviewers"].items()
    ]
    head = f"reviewers, beside {found['viewers']} who watch live"
    return _table((head, "added delay p50, ms", "p99, ms", "loss", "CPU s a second of the service"), rows)


def _sync(found: Row) -> str:
    reviewers = found["seeks"]["reviewers"] if "seeks" in found else {}
    rows = [
        [f"page standing still, {name} reviewing", *_spread(row["sync"])]
        for name, row in reviewers.items()
        if row["sync"]
    ]
    if played := found.get("playing"):
        rows.append(["page playing, 1x", *_spread(played)])
    text = ""
    if burned := found.get("burned"):
        rows.append(["burned into a clip: place", *_spread(burned["place_error_ms"])])
        rows.append(["burned into a clip: time", *_spread(burned["clock_error_ms"])])
        text = f"\n\nOf {burned['pictures']} pictures of the clip {burned['unread']} could not be read."
    return _table(("telemetry against the picture under it, ms", *_SPREAD), rows) + text if rows else ""


def _tampering(export: Row | None, found: Row | None) -> str:
    parts = []
    if export:
        left_out = f"; left out: {', '.join(export['left_out'])}" if export["left_out"] else ""
        parts.append(
            f"An export of {export['seconds']:g} s, {export['megabytes']:g} MB, was made in "
            f"{export['made_in_s']:g} s ({', '.join(export['parts'])}{left_out})."
        )
    if found:
        turned = found["turned"]
        rows = [
            ["anywhere in the ZIP", str(turned["zip"])],
            [f"in each of its {found['files']} files", str(turned["members"])],
            ["in each of them unpacked", str(turned["folder"])],
            ["**not found**", str(found["missed"])],
        ]
        parts.append(_table(("one bit turned", "times"), rows))
    return "\n\n".join(parts)


def _seek(row: Row) -> list[str]:
    return [*_spread(row), str(row["unseen"])]


def _spread(row: Row) -> list[str]:
    return [_number(row[name]) for name in _SPREAD]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:g}"
