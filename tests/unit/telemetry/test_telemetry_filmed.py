"""Stretches of time in which a place was in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flow.clock import NS_PER_S
from telemetry.protocol.filmed import Filmed, filmed

S = NS_PER_S
EXACT = 0.05


def found(
    spans: Sequence[tuple[float, float]], seen: Sequence[tuple[float, float]], best_s: float = 0.0
) -> list[Filmed]:
    """`spans` and `seen` in seconds; the nearer to `best_s`, the nearer to the picture's middle."""

    def aside(utc_ns: int) -> float | None:
        inside = any(from_s <= utc_ns / S <= to_s for from_s, to_s in seen)
        return min(1.0, abs(utc_ns / S - best_s) / 1000) if inside else None

    return list(filmed([(round(a * S), round(b * S)) for a, b in spans], aside, aside))


def test_ends_are_told_exactly() -> None:
    (one,) = found([(0, 100)], [(10.3, 20.7)], best_s=15.0)
    assert (one.from_ns / S, one.to_ns / S) == pytest.approx((10.3, 20.7), abs=EXACT)
    assert (one.best_ns / S, one.share) == (15.0, 1.0)


def test_what_was_lost_for_a_moment_is_one_stretch_and_says_so() -> None:
    one, other = found([(0, 100)], [(10, 13.5), (15.5, 20), (30, 40)])
    assert (one.from_ns / S, one.to_ns / S) == pytest.approx((10, 20), abs=EXACT)
    assert one.share == pytest.approx(9 / 11)
    assert (other.from_ns / S, other.to_ns / S) == pytest.approx((30, 40), abs=EXACT)


def test_only_when_there_are_pictures() -> None:
    """A gap of an hour: before it and after it the place was in the picture, and in between, too."""
    one, other = found([(0, 10.5), (3600, 3610.25)], [(5, 3605)])
    assert (one.from_ns / S, one.to_ns / S) == pytest.approx((5, 10.5), abs=EXACT)
    assert (other.from_ns / S, other.to_ns / S) == pytest.approx((3600, 3605), abs=EXACT)
    assert (one.share, other.share) == (1.0, 1.0)


def test_a_place_that_was_never_there_and_no_pictures() -> None:
    assert found([(0, 100)], []) == []
    assert found([], [(0, 100)]) == []


def test_from_beginning_to_end() -> None:
    (one,) = found([(0, 7.5)], [(-10, 100)])
    assert (one.from_ns, one.to_ns) == (0, round(7.5 * S))
