"""Recorded clocks are followed, but not blindly."""

from __future__ import annotations

from recordings.protocol.timing import NS_PER_S, Lap, Pace


def test_a_lap_scales_with_speed() -> None:
    assert Lap(1000, 1.0).utc_ns(NS_PER_S) == 1000 + NS_PER_S
    assert Lap(1000, 2.0).utc_ns(NS_PER_S) == 1000 + NS_PER_S // 2
    assert Lap(1000, 0.5).utc_ns(NS_PER_S) == 1000 + NS_PER_S * 2


def test_pace_counts_from_the_first_reading() -> None:
    pace = Pace()
    assert [pace.advance(clock) for clock in (500, 700, 1700)] == [0, 200, 1200]


def test_a_gap_keeps_its_true_length() -> None:
    pace = Pace()
    pace.advance(0)
    assert pace.advance(600 * NS_PER_S) == 600 * NS_PER_S


def test_a_small_step_back_waits_for_the_clock_to_catch_up() -> None:
    pace = Pace()
    assert [pace.advance(clock) for clock in (0, 1000, 400, 900, 1100)] == [0, 1000, 1000, 1000, 1100]


def test_a_clock_that_was_set_is_followed_from_there() -> None:
    pace = Pace()
    pace.advance(0)
    pace.advance(1000)
    assert pace.advance(40 * 365 * 86_400 * NS_PER_S, after_jump_ns=7) == 1007
    assert pace.advance(40 * 365 * 86_400 * NS_PER_S + 5) == 1012
    assert pace.advance(3, after_jump_ns=8) == 1020
    assert pace.advance(4) == 1021
