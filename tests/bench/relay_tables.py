"""What the relay benchmark found, put together and as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

Row = dict[str, Any]

OURS = "lagebild"
NAMES = {
    OURS: "Lagebild",
    "janus": "Janus",
    "janus-keyframe": "Janus, buffered keyframe",
    "pion": "Pion",
    "stock": "stock aiortc",
}
GROWING, UNPACED, PACED = "growing", "unpaced", "paced at 6 Mbit/s"


def rows_of(
    loads: Sequence[Row], relay: str, viewers: int, note: str = "", *, nacks: bool = False
) -> list[Row]:
    """The windows of one series that were measured."""
    return [
        row
        for row in loads
        if (row["relay"], row["viewers"], row["note"]) == (relay, viewers, note)
        and "failed" not in row
        and bool(row["nack_share"]) == nacks
    ]


def value(
    loads: Sequence[Row], relay: str, viewers: int, key: str, note: str = "", *, nacks: bool = False
) -> Any:
    """The median over the rounds, of dictionaries entry by entry; None where nothing was measured."""
    found = [row[key] for row in rows_of(loads, relay, viewers, note, nacks=nacks) if row[key] is not None]
    if not found:
        return None
    if isinstance(found[0], dict):
        return {name: _median([f[name] for f in found]) for name in found[0]}
    return _median(found)


def ratio(loads: Sequence[Row], other: str, viewers: int, *, nacks: bool = False) -> float | None:
    """Our CPU time as a share of the other's, in the same round; the median over the rounds."""
    key = "cpu_ms_per_viewer_s"
    ours = {row["round"]: row[key] for row in rows_of(loads, OURS, viewers, nacks=nacks)}
    theirs = {row["round"]: row[key] for row in rows_of(loads, other, viewers, nacks=nacks)}
    found = _median([ours[number] / theirs[number] for number in ours.keys() & theirs.keys()])
    return None if found is None else round(found, 3)


def memory_slope_mb(loads: Sequence[Row], relay: str) -> tuple[float, int, int] | None:
    """Proportional memory of a viewer more, MB, and between which numbers of viewers that was."""
    sizes = {
        r["viewers"]: r["pss_mb"]
        for r in loads
        if r["relay"] == relay and r["note"] == GROWING and "failed" not in r
    }
    if len(sizes) < 2:
        return None
    least, most = min(sizes), max(sizes)
    return (sizes[most] - sizes[least]) / (most - least), least, most


def without_loss(loads: Sequence[Row], relay: str) -> int | None:
    """The most viewers none of whom lost a packet in any window with that many."""
    clean: dict[int, bool] = {}
    for row in loads:
        if row["relay"] == relay and (row["note"] == GROWING or row["note"] == ""):
            fine = "failed" not in row and row["loss"] == 0
            clean[row["viewers"]] = clean.get(row["viewers"], True) and fine
    return max((count for count, fine in clean.items() if fine), default=None)


def load_table(found: dict[str, Any]) -> str:
    """Cost, loss, delay and memory."""
    loads = found["loads"]
    return "\n\n".join(
        [
            _cost_table(loads, nacks=False),
            "The same while every viewer asks again for 1 % of its packets (NACK):",
            _cost_table(loads, nacks=True),
            "Relays filled up:",
            _capacity_table(loads),
            _notes(found),
        ]
    )


def joins_table(found: dict[str, Any]) -> str:
    """Joins in Chromium."""
    lines = _head(
        "relay | joins | first picture p50/p95 ms | live p50/p95 ms | steady lag p50/p95 ms"
        " | first picture wrong"
        " | wrong pictures p95 | with a freeze | without picture"
    )
    for note, group in (("", found["joins"]), (", 10 s groups", found["joins_10s"])):
        lines += [_line(_join_cells(NAMES[relay] + note, joins)) for relay, joins in group.items()]
    return "\n".join(lines)


def _join_cells(name: str, joins: dict[str, Any]) -> tuple[Any, ...]:
    wrong = joins["wrong_share"]
    return (
        name,
        joins["joins"],
        *(_spread(joins[key], "p50", "p95") for key in ("first_ms", "live_ms", "lag_ms")),
        joins["first_wrong"],
        "--" if wrong is None else f"{wrong:.0%}",
        joins["frozen"],
        joins["without_picture"],
    )


def _cost_table(loads: Sequence[Row], *, nacks: bool) -> str:
    counts = sorted({row["viewers"] for row in loads if row["note"] == ""})
    lines = _head(" | ".join(["CPU ms per viewer-second", *(f"{count} viewers" for count in counts)]))
    for relay, name in NAMES.items():
        if any(row["relay"] == relay and row["note"] == "" for row in loads):
            lines.append(_line((name, *(_cost(loads, relay, count, nacks) for count in counts))))
    if not nacks:
        bare = [value(loads, OURS, count, "cpu_ms_per_viewer_s", "no telemetry") for count in counts]
        lines.append(_line(("Lagebild without telemetry", *map(_number, bare))))
    for relay in ("janus", "pion", "stock"):
        shares = [ratio(loads, relay, count, nacks=nacks) for count in counts]
        lines.append(_line((f"Lagebild / {NAMES[relay]}", *map(_number, shares))))
    if nacks:
        answered = [_answered(loads, count) for count in counts]
        lines.append(_line(("answered: Lagebild, Janus, Pion, stock", *answered)))
    return "\n".join(lines)


def _cost(loads: Sequence[Row], relay: str, count: int, nacks: bool) -> str:
    """Cost, and loss where there was any."""
    cost = value(loads, relay, count, "cpu_ms_per_viewer_s", nacks=nacks)
    loss = value(loads, relay, count, "loss", nacks=nacks)
    return _number(cost) + (f" ({100 * loss:.2g} % lost)" if loss else "")


def _answered(loads: Sequence[Row], count: int) -> str:
    shares = []
    for relay in (OURS, "janus", "pion", "stock"):
        rows = rows_of(loads, relay, count, nacks=True)
        asked, answered = (sum(row[key] for row in rows) for key in ("nacks", "answered"))
        shares.append(f"{answered / asked:.0%}" if asked else "--")
    return ", ".join(shares)


def _capacity_table(loads: Sequence[Row]) -> str:
    lines = _head(
        "relay | viewers | CPU ms per viewer-second | core busy | largest loss | viewers with loss"
        " | added delay p50/p99 ms | last viewer p50/p99 ms | PSS MB"
    )
    lines += [_line(_capacity_cells(row)) for row in loads if row["note"] in (GROWING, UNPACED, PACED)]
    return "\n".join(lines)


def _capacity_cells(row: Row) -> tuple[Any, ...]:
    note = "" if row["note"] == GROWING else f", {row['note']}"
    if note and row.get("nack_share"):
        note += ", 1 % NACKs"
    if "failed" in row:
        return NAMES[row["relay"]] + note, row["viewers"], row["failed"], *[""] * 6
    delay = row["delay_ms"]
    return (
        NAMES[row["relay"]] + note,
        row["viewers"],
        _number(row["cpu_ms_per_viewer_s"]),
        f"{row['server_busy']:.0%}",
        f"{100 * row['loss']:.2g} %",
        row["viewers_with_loss"],
        _spread(delay, "p50", "p99"),
        _spread(delay, "last_p50", "last_p99"),
        row["pss_mb"],
    )


def _notes(found: dict[str, Any]) -> str:
    loads = found["loads"]
    notes = list(_about_each(loads))
    notes += list(_about_pace(loads))
    notes += [f"{NAMES[name]} was not measured: {why}." for name, why in found["missing"].items()]
    about = ", ".join(f"{key} {text}" for key, text in found["surroundings"].items())
    return "\n".join(f"- {note}" for note in [*notes, f"{found['date']}; {about}"])


def _about_each(loads: Sequence[Row]) -> Iterator[str]:
    for relay, name in NAMES.items():
        delay = value(loads, relay, 100, "delay_ms")
        if delay:
            yield (
                f"{name}, 100 viewers: added delay p50/p99 {_spread(delay, 'p50', 'p99')} ms, "
                f"of the viewer who waits longest {_spread(delay, 'last_p50', 'last_p99')} ms."
            )
        if (most := without_loss(loads, relay)) is not None:
            yield f"{name}: most viewers measured without loss: {most}."
        if slope := memory_slope_mb(loads, relay):
            yield f"{name}: {slope[0]:.2f} MB for each viewer between {slope[1]} and {slope[2]}."


def _about_pace(loads: Sequence[Row]) -> Iterator[str]:
    for row in loads:
        if "inside_ms" not in row:
            continue
        if row["note"] == UNPACED:
            inside = row["inside_ms"]
            yield (
                f"Lagebild unpaced, {row['viewers']} viewers, by a clock inside: from the bus to the last "
                f"packet sent {_spread(inside, 'p50', 'p99')} ms (p50/p99), for each picture's last viewer "
                f"{_spread(inside, 'last_p50', 'last_p99')} ms."
            )
        else:
            key = _number(row["delay_ms"]["key_p50"])
            yield f"Lagebild {row['note']}: a keyframe is complete {key} ms after it came (p50)."


def _median(values: Sequence[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return statistics.median(there) if there else None


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:.3g}"


def _spread(values: dict[str, float | None], low: str, high: str) -> str:
    return f"{_number(values[low])}/{_number(values[high])}"


def _head(titles: str) -> list[str]:
    return [f"| {titles} |", "|---" * (titles.count("|") + 1) + "|"]


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
