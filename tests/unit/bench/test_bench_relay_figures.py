"""What the relay benchmark makes of its rows: medians of rounds, ratios of one turn, nothing guessed."""

from __future__ import annotations

from typing import Any

from tests.bench.relay import summary
from tests.bench.relay_joins import Join, Shown, figures
from tests.bench.relay_tables import GROWING, memory_slope_mb, ratio, value, without_loss


def row(relay: str, viewers: int, number: int, cost: float, **more: Any) -> dict[str, Any]:
    defaults = {
        "note": "",
        "nack_share": 0.0,
        "loss": 0.0,
        "pss_mb": 10.0,
        "delay_ms": {"p50": 1.0, "p99": 9.0},
    }
    return {
        "relay": relay,
        "viewers": viewers,
        "round": number,
        "cpu_ms_per_viewer_s": cost,
        **defaults,
        **more,
    }


def test_nothing_measured_is_null_everywhere() -> None:
    assert set(summary({"loads": [], "joins": {}}).values()) == {None}


def test_ratios_are_of_the_same_round_on_a_machine_that_drifts() -> None:
    loads = [row("lagebild", 30, n, ours) for n, ours in enumerate((1.0, 2.0, 4.0))]
    loads += [row("janus", 30, n, theirs) for n, theirs in enumerate((4.0, 8.0))]
    loads.append({"relay": "pion", "viewers": 30, "round": 0, "note": "", "failed": "no DTLS"})
    assert ratio(loads, "janus", 30) == 0.25
    assert ratio(loads, "pion", 30) is None
    assert value(loads, "lagebild", 30, "cpu_ms_per_viewer_s") == 2.0
    assert value(loads, "lagebild", 30, "delay_ms") == {"p50": 1.0, "p99": 9.0}


def test_a_single_lost_packet_ends_without_loss() -> None:
    loads = [row("lagebild", n, 0, 1.0, note=GROWING, pss_mb=100 + n / 2) for n in (100, 200, 400)]
    assert without_loss(loads, "lagebild") == 400
    assert memory_slope_mb(loads, "lagebild") == (0.5, 100, 400)
    loads.append(row("lagebild", 400, 1, 1.0, loss=0.00001))
    assert without_loss(loads, "lagebild") == 200


def test_live_is_when_the_lag_is_that_of_steady_watching() -> None:
    lags = [1500.0, 400.0, 61.0, 59.0, *[10.0] * 60]
    shown = tuple(Shown(1050.0 + 33 * n, lag) for n, lag in enumerate(lags))
    found = figures([Join("lagebild", 1000.0, shown, first_right=True, compared=16, wrong=0, freezes=0)])
    assert found["first_ms"]["p50"] == 50.0
    assert found["live_ms"]["p50"] == 149.0
    assert found["lag_ms"]["p50"] == 10.0
    assert (found["frozen"], found["without_picture"]) == (0, 0)


def test_the_first_picture_is_there_when_its_callback_begins_not_when_it_has_been_read() -> None:
    shown = (Shown(1070.0, 10.0), Shown(1100.0, 10.0))
    join = Join("pion", 1000.0, shown, first_right=True, compared=2, wrong=0, freezes=0, called_ms=1042.0)
    assert join.first_ms == 42.0
    assert join.live_ms(10.0) == 70.0


def test_a_gap_is_a_freeze_and_a_failed_join_has_no_picture() -> None:
    shown = (Shown(1000.0, 10.0), Shown(1190.0, 10.0))
    joins = [
        Join("pion", 900.0, shown, first_right=False, compared=2, wrong=1, freezes=0),
        Join("pion", 0.0, (), first_right=False, compared=0, wrong=0, freezes=0),
    ]
    found = figures(joins)
    assert (found["frozen"], found["first_wrong"], found["without_picture"]) == (1, 1, 1)
    assert found["live_ms"] == {"p50": None, "p95": None, "n": 0}
