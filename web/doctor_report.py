"""What `lagebild doctor` finds: lines with a level, what it is, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # it runs, but somebody will miss something
    FAIL = "fail"  # something will not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `todo` is empty where nothing is to be done."""

    level: Level
    check: str  # "config", "port", "camera", "codec", "srt", "redis", "clock", "terrain", "disk", "keys" …
    what: str
    todo: str = ""


def ok(check: str, what: str) -> Finding:
    return Finding(Level.OK, check, what)


def warn(check: str, what: str, todo: str) -> Finding:
    return Finding(Level.WARN, check, what, todo)


def fail(check: str, what: str, todo: str) -> Finding:
    return Finding(Level.FAIL, check, what, todo)


def as_text(findings: Iterable[Finding]) -> str:
    """A line for each, and under it what to do."""
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{finding.level:<5} {finding.check:<8} {finding.what}")
        if finding.todo:
            lines.append(f"{'':<14} -> {finding.todo}")
    return "\n".join(lines)


def as_json(findings: Iterable[Finding]) -> str:
    """{"ok": …, "findings": [{"level", "check", "what", "todo"}]}"""
    findings = list(findings)
    told = {"ok": is_well(findings), "findings": [asdict(finding) for finding in findings]}
    return json.dumps(told, indent=1, ensure_ascii=False)


def is_well(findings: Iterable[Finding]) -> bool:
    """Nothing fails; warnings may be there."""
    return all(finding.level is not Level.FAIL for finding in findings)
