"""What bench-access found, as Markdown; what was not measured is "--"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def tables(found: Row) -> str:
    about = ", ".join(f"{name} {value}" for name, value in found["surroundings"].items())
    parts = [
        _policy(found.get("policy")),
        _revoke(found.get("revoke")),
        _attack(found.get("attack"), found.get("greedy")),
        *(f"Not measured: {name}: {why}" for name, why in found["broken"].items()),
        f"{found['date']}; load at its beginning {found['load_1_min']}; {about}",
    ]
    return "\n\n".join(part for part in parts if part)


def _policy(found: Row | None) -> str:
    if not found:
        return ""
    row = [str(found[name]) for name in ("routes", "callers", "checked", "violations")]
    return _table(("routes", "kinds of callers", "expectations checked", "not met"), [row])


def _revoke(found: Row | None) -> str:
    if not found:
        return ""
    row = ["DELETE of the link to black on the screen, Chromium, ms"]
    return _table(("revocation", "p50", "p95", "max", "n"), [row + [_number(found[n]) for n in _SPREAD]])


_SPREAD = ("p50", "p95", "max", "n")


def _attack(found: Row | None, greedy: Row | None) -> str:
    if not found:
        return ""
    names = ("pictures_per_s", "loss", "delay_p50_ms", "delay_p99_ms", "cpu_s_per_s", "rss_mb")
    head = ("", "pictures a second", "loss", "delay p50, ms", "p99, ms", "CPU s a second", "resident MB")
    rows = [
        ["undisturbed", *(_number(found["quiet"][name]) for name in names)],
        [f"{found['a_minute']} attempts a minute", *(_number(found["attacked"][name]) for name in names)],
    ]
    tried = sum(found["answers"].values())
    text = (
        f"{found['viewers']} viewers, {found['windows']} windows of {found['window_s']:g} s each way. "
        f"Pictures delivered beside the attack: {found['frames_ratio']:.2%} of those without. "
        f"Of {tried} attempts {found['let_in']} were let in."
    )
    if greedy:
        text += f" Asking as fast as it is answered, {greedy['refused_per_s']:g} a second are refused."
    return f"{_table(head, rows)}\n\n{text}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _number(value: float | None) -> str:
    return "--" if value is None else f"{value:g}"
