"""Every reason for which a clock is refused has a sentence in the page's catalogue; none is for nothing."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
JUDGES = ("flow/clock_watch.py", "telemetry/protocol/wall_clock.py", "ingest/protocol/camera_clock.py")
NOTES = {"clock_untrusted", "clock_refused"}
"""Of a SourceState; their sentences are those of notes."""


def test_every_reason_to_refuse_a_clock_has_a_sentence() -> None:
    told = {
        code
        for judge in JUDGES
        for code in re.findall(r'"(clock_\w+)"', (ROOT / judge).read_text(encoding="utf-8"))
    }
    words = (ROOT / "web/dashboard/src/clockWords.ts").read_text(encoding="utf-8")
    assert told - NOTES == set(re.findall(r'^  "clock\.(\w+)":', words, re.MULTILINE))
