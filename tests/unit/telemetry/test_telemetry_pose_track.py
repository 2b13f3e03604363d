"""The pose of any moment, from samples whose parts have ages of their own."""

from __future__ import annotations

from typing import Any

import pytest

from flow.errors import UnlocatableError
from flow.flights import Feed
from flow.samples import Group, Place, TelemetrySample
from telemetry.protocol.pose_track import KEPT_NS, PoseTrack, Series
from telemetry.protocol.sight import Picture, bearing_of, sight_of

S = 1_000_000_000
NOW = 1_795_330_000 * S
FEED = Feed("tag", "otto", "Tag", hfov_deg=70.0)
PICTURE = Picture(FEED, 0.5625, 0.0)


def sample(at_ns: int, received: dict[Group, int] | None = None, **told: Any) -> TelemetrySample:
    known: dict[str, Any] = {
        "lat_deg": 49.4,
        "lon_deg": 7.7,
        "alt_home_m": 100.0,
        "gimbal_pitch_deg": -45.0,
        "gimbal_yaw_deg": 350.0,
        "home": Place(49.4, 7.7),
    }
    return TelemetrySample("otto", at_ns, **known | told, received_ns=received or {})


def test_angles_go_the_short_way() -> None:
    series = Series([True])
    series.add(NOW, (350.0,))
    series.add(NOW + S, (10.0,))
    between = series.at(NOW + S // 4)
    assert between is not None
    assert between.values[0] == pytest.approx(355.0)
    assert between.rates[0] == pytest.approx(20.0)
    assert between.away_ns == 0


def test_every_group_is_taken_at_its_own_time() -> None:
    """A sample is as new as its newest group: a position that came 200 ms before moves from there."""
    track = PoseTrack()
    for step in range(3):
        at = NOW + step * S // 2
        track.add(sample(at + S // 5, {Group.POSITION: at}, lat_deg=49.4 + step * 1e-4))
    moment = track.at(NOW + 3 * S // 4)
    assert moment is not None
    assert moment.position.values[0] == pytest.approx(49.40015, abs=1e-9)


def test_a_gap_is_not_bridged() -> None:
    series = Series([False])
    series.add(NOW, (0.0,))
    series.add(NOW + 10 * S, (10.0,))
    near, far = series.at(NOW + S // 2), series.at(NOW + 5 * S)
    assert near is not None
    assert far is not None
    assert (near.values[0], near.stale) == (0.0, False)
    assert far.stale


def test_unknown_is_not_filled_in() -> None:
    series = Series([False])
    series.add(NOW, (1.0,))
    series.add(NOW + S, (None,))
    values = [found.values[0] for at in (S // 4, 3 * S // 4) if (found := series.at(NOW + at))]
    assert values == [1.0, None]


def test_a_clock_that_steps_back_begins_anew() -> None:
    series = Series([False])
    series.add(NOW + 100 * S, (1.0,))
    series.add(NOW, (2.0,))
    found = series.at(NOW + 100 * S)
    assert found is not None
    assert found.values[0] == 2.0
    assert found.stale


def test_what_is_kept_is_bounded() -> None:
    track = PoseTrack()
    for step in range(10_000):
        track.add(sample(NOW + step * 20_000_000))  # 50 a second
    moment = track.at(NOW + 10_000 * 20_000_000 - KEPT_NS)
    assert moment is not None
    assert not moment.position.stale
    assert len(track._samples) <= KEPT_NS // 20_000_000 + 1


@pytest.mark.parametrize("late_ns", [-1_100_000_000, 1_100_000_000])
def test_a_pose_that_is_stale_beside_the_picture_is_refused(late_ns: int) -> None:
    track = PoseTrack()
    track.add(sample(NOW))
    assert sight_of(track.at(NOW + late_ns * 9 // 10), PICTURE, None)
    with pytest.raises(UnlocatableError, match=r"position is 1\.1 s away") as refused:
        sight_of(track.at(NOW + late_ns), PICTURE, None)
    assert refused.value.code == "pose_stale"


def test_a_gimbal_that_fell_silent_is_stale_though_positions_come() -> None:
    track = PoseTrack()
    track.add(sample(NOW + 3 * S, {Group.POSITION: NOW + 3 * S, Group.GIMBAL: NOW}))
    with pytest.raises(UnlocatableError, match="gimbal") as refused:
        sight_of(track.at(NOW + 3 * S), PICTURE, None)
    assert refused.value.code == "pose_stale"


def test_nothing_was_heard_yet() -> None:
    with pytest.raises(UnlocatableError) as refused:
        sight_of(PoseTrack().at(NOW), PICTURE, None)
    assert refused.value.code == "no_position"


def test_the_bearing_is_told_whatever_else_is_missing() -> None:
    track = PoseTrack()
    track.add(sample(NOW, lat_deg=None, gimbal_pitch_deg=None))
    assert bearing_of(track.at(NOW), FEED) == 350.0
    assert bearing_of(track.at(NOW + 2 * S), FEED) is None
    assert bearing_of(None, FEED) is None
