"""Every alarm that telemetry can raise has a sentence on the page, and the page has none that it cannot."""

from __future__ import annotations

import re
from pathlib import Path

from telemetry.protocol.alarms import ALARM_CODES

WORDS = Path(__file__).parents[2] / "web" / "dashboard" / "src" / "alarms" / "words.ts"


def test_every_alarm_has_its_sentence() -> None:
    said = re.findall(r'^  "alarm\.(\w+)"', WORDS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(said) == sorted(ALARM_CODES)
