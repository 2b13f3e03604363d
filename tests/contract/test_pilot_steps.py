"""Every code that may be told of a feed belongs to exactly one step of the pilot page, and has its words."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from flow.source_clock import ClockState
from ingest.protocol.health import FINDINGS
from web.pilot_steps import CODES, STEP_OF, Step, StepState

from .test_reason_codes import CATALOGUE, ROOT, notes, reasons, sentences

PILOT_WORDS = ROOT / "web" / "dashboard" / "src" / "pilot" / "words.ts"
STEP_WORDS = Path(PILOT_WORDS).with_name("stepWords.ts")


def test_every_code_has_one_step() -> None:
    twice = [
        code for code, times in Counter(c for codes in CODES.values() for c in codes).items() if times > 1
    ]
    assert twice == []
    of_clocks = set(re.findall(r'"(clock_\w+)"', ClockState.__doc__ or ""))
    assert {"clock_fast", "clock_jumps"} <= of_clocks
    known = reasons("ingest") | notes("ingest") | set(FINDINGS) | of_clocks
    assert {"no_keyframe", "b_frames", "black", "clock_bogus"} <= known
    assert known - STEP_OF.keys() == set()


def test_every_sentence_of_a_feed_has_one_step() -> None:
    words = [CATALOGUE, *CATALOGUE.parent.rglob("*ords.ts")]
    told = {
        c
        for path in words
        for prefix in ("reason", "note", "finding", "clock")
        for c in sentences(prefix, path)
    }
    assert {"key_wrong", "b_frames", "black", "clock_fast"} <= told
    assert len(told) > 70
    assert told - STEP_OF.keys() == set()


def test_every_step_and_state_has_a_word() -> None:
    assert {*Step, "access"} == sentences("step", STEP_WORDS)
    assert {str(state) for state in StepState} == sentences("step_state", STEP_WORDS)
