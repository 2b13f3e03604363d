"""Long work beside an event loop lets go of the interpreter before it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flow.giving_way import giving_way


def test_it_naps_after_each_millisecond_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    naps: list[float] = []

    def napping(seconds: float) -> None:
        naps.append(now_s)

    monkeypatch.setattr("flow.giving_way.time.perf_counter", lambda: now_s)
    monkeypatch.setattr("flow.giving_way.time.sleep", napping)
    seen = []
    for item in giving_way(range(100)):
        seen.append(item)
        now_s += 0.000_3  # what using it takes
    assert seen == list(range(100))
    assert len(naps) == 25
    assert naps[0] == pytest.approx(0.0012)


def test_whoever_stops_halfway_ends_it() -> None:
    closed = []

    def source() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.append(True)

    items = giving_way(source())
    assert next(items) == 0
    del items
    assert closed == [True]
