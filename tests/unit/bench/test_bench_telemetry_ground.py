"""Pixel to ground as it is measured: exact without noise, and as far off as it says with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.telemetry_ground import NONE, Noise, coverage, hits, measure_klv, told


def test_without_noise_it_is_exact() -> None:
    row = told(hits(120, 3, NONE))["all"]
    assert row["n"] == 120
    assert row["p95_m"] < 0.05  # asked for are 0.5 m at 100 m; the largest range here is 300 m


def test_the_truth_is_in_the_ellipse_95_times_in_100() -> None:
    found = hits(600, 11, Noise())
    assert coverage(found) == pytest.approx(0.95, abs=0.02)
    assert 2.0 < told(found)["all"]["median_m"] < 8.0


def test_noise_that_nobody_told_of_is_seen_in_the_coverage() -> None:
    """The measurement can fail: errors twice as large as assumed are not inside."""
    assert (coverage(hits(120, 12, Noise().times(2.0))) or 1.0) < 0.9
    assert (coverage(hits(120, 13, Noise().times(0.5))) or 0.0) > 0.98


@pytest.mark.feeds
def test_cheyenne_looks_where_its_own_stream_says(feeds: Path) -> None:
    """A Cessna 1.1 km above Cheyenne, 2 to 3 km from what it looks at; a pixel was 1 to 10 m."""
    found = measure_klv(feeds / "klv" / "cheyenne_2012_st0601.klv")
    assert found["sets"] == 407
    assert found["centre"]["median_m"] < 10.0
    assert found["centre"]["p95_of_range"] < 0.015
    assert found["corners_level"]["median_m"] < 12.0
    assert found["corners_level"]["median_m"] < found["corners"]["median_m"] < 35.0
    assert found["slant_range"]["median_m"] < 6.0
