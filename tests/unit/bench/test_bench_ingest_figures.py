"""What the ingest benchmark makes of its logs: delays, recoveries, narrow links, and nothing guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.figures import percentile
from tests.bench.ingest import RECORDED, summary
from tests.bench.ingest_heard import Delay, Heard, Recovery, Unit, delay, recovery, written
from tests.bench.ingest_house import WAYS
from tests.bench.ingest_marks import marked, number_of
from tests.bench.ingest_narrow import Narrowing, narrowing
from tests.bench.ingest_tables import NAMES, tables
from tests.bench.senders import __main__ as senders

MS, S = 1_000_000, 1_000_000_000


def unit(number: int | None, at_ns: int, rendition: str = "source") -> Unit:
    return Unit("rtp", at_ns, number, rendition, 1000)


def heard(folder: Path, *entries: Any) -> Heard:
    file = folder / "tap"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    found = Heard(file)
    found.read()
    return found


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_picture_carries_its_number(codec: str) -> None:
    assert number_of(marked(b"\0\0\0\1\x65slice", 1234567, codec)) == 1234567
    assert number_of(b"\0\0\0\1\x65slice") is None


def test_a_percentile_is_rounded_as_told() -> None:
    assert percentile([0.123, 0.456], 0.0) == 0.1
    assert percentile([0.123, 0.456], 0.0, 2) == 0.12
    assert percentile([], 0.5, 2) is None


def test_delays_are_of_the_window_matched_by_number_and_missing_ones_are_counted() -> None:
    sent = {0: 0, 1: 10 * MS, 2: 20 * MS, 3: 30 * MS, 4: 40 * MS}
    units = [unit(0, 99 * MS), unit(1, 11 * MS), unit(None, 12 * MS), unit(3, 33 * MS), unit(1, 900 * MS)]
    assert delay(sent, units, 10 * MS, 40 * MS) == Delay(
        p50_ms=3.0, p99_ms=3.0, most_ms=3.0, sent=3, missing=1
    )
    assert delay({}, units, 0, 40 * MS) == Delay(None, None, None, 0, 0)


def test_logs_are_read_as_far_as_their_lines_are_whole(tmp_path: Path) -> None:
    times = tmp_path / "times"
    assert written(times) == {}
    times.write_text("0 100\n1 20", encoding="ascii")
    assert written(times) == {0: 100}
    found = heard(tmp_path, ["unit", "rtp", 5, 0, "source", 9])
    with (tmp_path / "tap").open("a") as file:
        file.write('["unit", "rtp", 6, 1, "low"')
        file.flush()
        found.read()
        assert [u.number for u in found.units] == [0]
        file.write(", 9]\n")
        file.flush()
        found.read()
    assert [(u.number, u.rendition) for u in found.units] == [(0, "source"), (1, "low")]
    assert [u.number for u in found.source_units("rtp")] == [0]
    assert (found.first_unit_ns("rtp", 0, "low"), found.first_unit_ns("rtp", 6)) == (6, None)


def test_a_recovery_counts_from_the_kill_and_from_the_new_start(tmp_path: Path) -> None:
    log = heard(
        tmp_path,
        ["state", "rtp", 0, "live", ""],
        ["unit", "rtp", 2 * S, 60, "source", 9],
        ["state", "rtp", 3 * S, "stalled", "no_packets"],
        ["state", "rtmp", 3 * S, "live", ""],
        ["unit", "rtp", 5 * S + 250 * MS, 0, "source", 9],
        ["state", "rtp", 5 * S + 300 * MS, "live", ""],
    )
    assert recovery(log, "rtp", killed_ns=2 * S, begun_ns=5 * S) == Recovery(
        picture_s=0.25, said_s=1.0, said="stalled: no_packets", live_s=0.3
    )
    assert recovery(log, "srt", killed_ns=2 * S, begun_ns=5 * S) == Recovery(None, None, "", None)


def shown(*runs: tuple[int, int, int]) -> list[tuple[float, int]]:
    """Pictures every 50 ms, from and to these times in ms, of this width."""
    return [(float(at), width) for begin, end, width in runs for at in range(begin, end, 50)]


def test_a_narrow_link_is_left_and_full_quality_is_regained_for_five_seconds() -> None:
    full, small = 1280, 640
    pictures = shown(
        (0, 1200, full), (2000, 5000, small), (5000, 9900, full), (9900, 12000, small), (12000, 18000, full)
    )  # fmt: skip
    assert narrowing(pictures, 1000, 5000, 18_000, full) == Narrowing(
        left_s=1.0, regained_s=7.0, frozen_s=0.85, longest_s=0.85, changes=4
    )


def test_a_link_without_smaller_pictures_freezes_until_it_is_wide_again() -> None:
    pictures = shown((0, 1200, 1280), (3000, 3200, 1280), (5700, 12000, 1280))
    assert narrowing(pictures, 1000, 5000, 12_000, full=1280) == Narrowing(
        left_s=None, regained_s=0.7, frozen_s=4.4, longest_s=2.55, changes=0
    )


def test_what_lasts_less_than_five_seconds_is_not_regained() -> None:
    frozen_again = shown((0, 1200, 1280), (5000, 9900, 1280), (11000, 12000, 1280))
    assert narrowing(frozen_again, 1000, 5000, 12_000, full=1280).regained_s is None
    assert narrowing(shown((0, 1200, 1280)), 1000, 5000, 12_000, full=1280).regained_s is None


def test_what_was_not_measured_is_null_and_a_dash_and_says_why() -> None:
    row = {
        "p50_ms": 0.5,
        "p99_ms": 1.25,
        "most_ms": 2.0,
        "sent": 150,
        "missing": 1,
        "waited_ms_per_s": 3.5,
        "why_not": "",
    }
    absent = {"p50_ms": None, "p99_ms": None, "sent": 0, "missing": 0, "why_not": "the feed is off"}
    broken = {"narrow": "no Chromium"}
    found = {"ways": {"rtp": row, "srt": absent}, "latency_ms": 20, "broken": broken}
    line = summary(found)
    assert (line["rtp_p50_ms"], line["rtp_p99_ms"], line["missing"]) == (0.5, 1.25, 1)
    assert line["not_measured"] == {"srt": "the feed is off"}
    assert {f"{name}_{share}_ms" for name in RECORDED for share in ("p50", "p99")} <= set(line)
    assert all(line[f"{name}_p50_ms"] is None for name in RECORDED if name != "rtp")
    text = tables(found)
    assert "| RTP | 0.5 | 1.25 | 2 | 150 | 1 | 3.5 |" in text
    assert "| SRT, its latency of 20 ms included | -- | -- | -- | -- | -- | -- |" in text
    assert "Not measured: SRT (ways): the feed is off; all of narrow: no Chromium." in text


def test_every_way_has_a_sender_and_a_name_and_every_recorded_one_is_a_way() -> None:
    assert set(WAYS) == set(NAMES) == set(senders.WAYS)
    assert set(RECORDED.values()) <= set(WAYS)
