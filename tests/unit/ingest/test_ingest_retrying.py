"""How long a source that failed waits."""

from __future__ import annotations

from itertools import accumulate

from flow.clock import NS_PER_S
from ingest.protocol.retrying import PROVEN_NS, REFUSED_MOST_S, Retrying
from ingest.settings import IngestSettings


def retrying() -> Retrying:
    settings = IngestSettings(())
    return Retrying(settings.retry_first_s, settings.retry_most_s)


def test_the_first_try_after_a_break_is_quick_and_the_rest_no_flood() -> None:
    pauses = [source.failed_s(0) for source in [retrying()] for _ in range(100)]
    assert pauses[0] == 0.5
    assert pauses == sorted(pauses)
    assert pauses[-1] == 5.0
    assert sum(pause < 5.0 for pause in pauses) == 6  # in a quarter of a minute


def test_a_camera_that_was_away_is_called_soon_after_it_came_back() -> None:
    """Whenever it does, it waits for half as long as it was away, and never for more than 5 s."""
    source = retrying()
    for before, after in zip(*(2 * [list(accumulate(source.failed_s(0) for _ in range(40)))]), strict=True):
        assert after - before <= max(0.5, min(5.0, before / 2))


def test_one_that_ran_is_tried_again_at_once() -> None:
    source = retrying()
    for _ in range(50):
        source.failed_s(0)
    assert source.failed_s(PROVEN_NS) == 0.5


def test_a_password_that_was_never_right_is_tried_soon_twice_and_then_ever_more_rarely() -> None:
    """Server and camera are switched on together, and the camera does not know its users yet."""
    source = retrying()
    pauses = [source.refused_s(0) for _ in range(7)]
    assert pauses == [5, 20, 60, 120, 240, REFUSED_MOST_S, REFUSED_MOST_S]
    assert sum(at <= 90 for at in accumulate(pauses)) == 3  # with the first one four wrong tries


def test_one_that_was_right_is_tried_sooner_and_not_so_often_that_the_account_is_locked() -> None:
    source = retrying()
    pauses = [source.refused_s(30) for _ in range(6)]
    assert pauses == [3, 15, 75, REFUSED_MOST_S, REFUSED_MOST_S, REFUSED_MOST_S]
    assert sum(at <= 300 for at in accumulate(pauses)) == 3  # with the first one four wrong tries
    assert source.refused_s(31) == 3, "pictures came again, so it was right again"
    assert source.failed_s(NS_PER_S) == 0.5
