"""Writes the measured tables into docs/benchmarks.md, between its markers."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.peers import BUILD

BENCHMARKS = Path("docs/benchmarks.md")


def put_table(name: str, text: str, file: Path = BENCHMARKS) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`."""
    page = file.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{file} has no {begin} … {end}")
    file.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page), encoding="utf-8")


def live_table(figures: dict[str, Any]) -> str:
    """The live path as Markdown."""
    joins = figures["joins"]
    rows = [
        ("age of the picture, from camera to screen, ms", figures["age_ms"]),
        ("error of the badge against it, ms", figures["badge_error_ms"]),
        ("the same, browser's clock one hour wrong, ms", figures["badge_error_hour_wrong_ms"]),
        ("click to first displayed picture, ms", joins["first_picture_ms"]),
        ("click to first picture not older than 500 ms, ms", joins["age_500_ms"]),
        ("telemetry against the picture under it, ms", figures["sync_ms"]),
        ("the same, as first drawn, ms", figures["sync_first_drawn_ms"]),
    ]
    lines = ["| figure | p50 | p95 | n |", "|---|---|---|---|"]
    lines += [f"| {name} | {_cell(r['p50'])} | {_cell(r['p95'])} | {r['n']} |" for name, r in rows]
    lines += ["", "| viewers | CPU s per s of the service | resident MB |", "|---|---|---|"]
    lines += [
        f"| {viewers} | {_cell(r['cpu_s_per_s'])} | {_cell(r['resident_mb'])} |"
        for viewers, r in figures["cpu"].items()
    ]
    about = ", ".join(f"{k} {v}" for k, v in figures["surroundings"].items())
    shown = figures["pictures_per_s"]
    return "\n".join([*lines, "", f"{figures['date']}; {shown} pictures a second shown of 25 sent; {about}"])


def _cell(value: float | None) -> str:
    return "--" if value is None else f"{value:g}"


def command(
    name: str,
    about: str,
    measure: Callable[[bool], dict[str, Any]],
    tables: Callable[[dict[str, Any]], str],
    summary: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """`make bench-NAME`: measure (True: in under 50 s, for the record alone), write, print the one line."""
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="under 50 s")
    is_quick = parser.parse_args().quick
    found = measure(is_quick)
    if not is_quick:
        BUILD.mkdir(parents=True, exist_ok=True)
        (BUILD / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        put_table(name, tables(found))
    print(json.dumps(found, indent=2), file=sys.stderr)
    print(json.dumps(summary(found)))
