"""Every alarm that recordings raise, and every reason of a RecordingState, has a sentence on the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from flow.recording import RecordingState
from recordings.protocol.storage import ALARM_CODES

ROOT = Path(__file__).parents[2]
WORDS = ROOT / "web" / "dashboard" / "src" / "recordingWords.ts"


def said(prefix: str) -> set[str]:
    text = WORDS.read_text(encoding="utf-8")
    return set(re.findall(rf'^  "{prefix}\.(\w+)"', text, re.MULTILINE))


def text_of(node: ast.expr) -> Iterator[str]:
    return (
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def alarm_codes() -> set[str]:
    """Read out of the source: `code=` of an Alarm; a code that is a variable shows nothing here."""
    return {
        code
        for path in sorted((ROOT / "recordings").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Alarm"
        for keyword in node.keywords
        if keyword.arg == "code"
        for code in text_of(keyword.value)
    }


def test_every_alarm_of_recordings_has_its_sentence() -> None:
    of_the_disk = set(ALARM_CODES.values())
    assert said("alarm") == of_the_disk | {"clock_ahead", "recording_failed", "recording_gap"}
    assert alarm_codes() <= said("alarm")


def test_every_reason_not_to_record_has_a_sentence() -> None:
    promised = set(re.findall(r'"(\w+)"', RecordingState.__doc__ or ""))
    assert {"no_flight", "disk_slow"} <= promised
    assert promised <= said("unrecorded")
