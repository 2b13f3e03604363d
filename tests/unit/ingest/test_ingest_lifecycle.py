from __future__ import annotations

import itertools

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import SourceStatus
from ingest.protocol.groups import Groups
from ingest.protocol.lifecycle import LEGAL, Lifecycle, Patience
from ingest.protocol.rates import Rates

WHERE = "rtp://127.0.0.1:5600"
S = NS_PER_S


class Watched:
    """A lifecycle that is ticked ten times a second, at 30 fps unless told otherwise."""

    def __init__(self, interval_ns: int | None = S // 30) -> None:
        self.now_ns = 0
        self.interval_ns = interval_ns
        self.life = Lifecycle(Patience(), WHERE, 0)
        self.life.opened(WHERE, 0)

    def wait(self, seconds: float, *, heard: bool = False, waits_for: str = "") -> None:
        end_ns = self.now_ns + round(seconds * S)
        while self.now_ns < end_ns:
            self.now_ns += 100 * NS_PER_MS
            if heard:
                self.life.heard(self.now_ns, waits_for)
            self.life.tick(self.now_ns, self.interval_ns)

    def picture(self) -> None:
        self.life.picture(self.now_ns)

    @property
    def said(self) -> tuple[SourceStatus, str, str]:
        return self.life.status, self.life.reason, self.life.detail


def test_a_source_that_never_sends_is_lost_after_ten_seconds() -> None:
    watched = Watched()
    watched.wait(9.9)
    assert watched.said == (SourceStatus.CONNECTING, "connecting", f"waiting for pictures on {WHERE}")
    watched.wait(0.1)
    assert watched.said == (SourceStatus.LOST, "no_packets", f"no packets for 10 s on {WHERE}")
    assert watched.life.since_ns == 10 * S


def test_pictures_stop_and_return() -> None:
    watched = Watched()
    watched.picture()
    assert watched.said == (SourceStatus.LIVE, "", f"pictures from {WHERE}")
    watched.wait(0.9)
    assert watched.said[:1] == (SourceStatus.LIVE,)
    watched.wait(0.1)
    assert watched.said[:1] == (SourceStatus.STALLED,)
    watched.wait(1.5)
    assert watched.said == (SourceStatus.STALLED, "no_packets", f"no packets for 1 s on {WHERE}")
    watched.wait(7.5)
    assert watched.said == (SourceStatus.LOST, "no_packets", f"no packets for 10 s on {WHERE}")
    watched.picture()
    assert watched.said == (SourceStatus.LIVE, "", f"pictures from {WHERE}")


def test_packets_without_a_whole_picture_are_said_to_be_that() -> None:
    watched = Watched()
    watched.picture()
    watched.wait(3, heard=True)
    assert watched.said[:2] == (SourceStatus.STALLED, "stalled")
    watched.wait(7, heard=True)
    assert watched.said[:2] == (SourceStatus.LOST, "stalled")


def test_a_stream_without_a_keyframe_is_named_after_ten_seconds() -> None:
    watched = Watched()
    watched.wait(5, heard=True, waits_for="keyframe")
    assert watched.said[:2] == (SourceStatus.CONNECTING, "waiting_for_keyframe")
    watched.wait(5.1, heard=True, waits_for="keyframe")
    assert watched.said == (
        SourceStatus.LOST,
        "no_keyframe",
        f"pictures come, but no keyframe for 10 s on {WHERE}",
    )


def test_patience_with_a_sender_begins_with_its_first_packet() -> None:
    watched = Watched()
    watched.wait(9)
    watched.wait(9.9, heard=True, waits_for="parameter sets")
    assert watched.said[:2] == (SourceStatus.CONNECTING, "waiting_for_keyframe")
    watched.wait(0.2, heard=True, waits_for="parameter sets")
    assert watched.said == (
        SourceStatus.LOST,
        "no_keyframe",
        f"pictures come, but no parameter sets for 10 s on {WHERE}",
    )


def test_no_pictures_are_due_before_the_source_is_open() -> None:
    """A file on a busy machine may take its time."""
    life = Lifecycle(Patience(), "file:slow.mp4", 0)
    life.tick(60 * S, None)
    assert (life.status, life.detail) == (SourceStatus.CONNECTING, "opening file:slow.mp4")


def test_unusable_packets_explain_the_silence() -> None:
    watched = Watched()
    watched.wait(9.5)
    watched.life.unusable("forbidden_sender", "10.0.0.7:1 is not in allow_from", watched.now_ns)
    watched.wait(0.5)
    said = f"{WHERE}: 10.0.0.7:1 is not in allow_from"
    assert watched.said == (SourceStatus.LOST, "forbidden_sender", said)
    watched.life.unusable("not_video", "10.0.0.8:1 sends nonsense", watched.now_ns)
    watched.wait(0.5)
    assert watched.said == (SourceStatus.LOST, "forbidden_sender", said)
    watched.wait(2)
    assert watched.life.reason == "no_packets"


def test_a_codec_that_is_recognised_explains_what_came_before_it() -> None:
    """A picture's rest says nothing; garbage that looks like something stays what it was called first."""
    watched = Watched()
    watched.wait(9.5)
    watched.life.unusable("not_video", "the rest of a picture", watched.now_ns)
    watched.life.unusable("unsupported_codec", "type 38", watched.now_ns)
    watched.wait(0.5)
    assert watched.life.reason == "not_video"
    for reason in ("rtp_vp9", "not_video", "rtp_mpeg4"):
        watched.life.unusable(reason, "it", watched.now_ns)
        watched.wait(0.5)
        assert watched.life.reason == "rtp_vp9"


@pytest.mark.parametrize(("fps", "stalled_s"), [(30, 1.0), (4, 1.0), (2, 1.5), (0.5, 6.0)])
def test_slow_cameras_get_three_picture_intervals(fps: float, stalled_s: float) -> None:
    watched = Watched(round(S / fps))
    watched.picture()
    watched.wait(stalled_s - 0.1)
    assert watched.said[:1] == (SourceStatus.LIVE,)
    watched.wait(0.2)
    assert watched.said[:1] == (SourceStatus.STALLED,)


def test_no_camera_is_so_slow_that_it_is_waited_for_longer_than_twelve_seconds() -> None:
    watched = Watched(60 * S)
    watched.picture()
    watched.wait(11.9)
    assert watched.said[:1] == (SourceStatus.LIVE,)
    watched.wait(0.1)
    assert watched.said[:2] == (SourceStatus.LOST, "no_packets")


def test_a_failure_stays_until_the_source_is_opened_again() -> None:
    watched = Watched()
    watched.picture()
    watched.life.failed("source_failed", "broken", watched.now_ns)
    watched.wait(30)
    assert watched.said == (SourceStatus.LOST, "source_failed", "broken")
    watched.life.opened(WHERE, watched.now_ns)
    assert watched.life.status is SourceStatus.CONNECTING
    watched.wait(10)
    assert watched.said[:2] == (SourceStatus.LOST, "no_packets")


def test_a_restarted_source_stays_live_and_says_so_until_its_first_picture() -> None:
    watched = Watched()
    watched.picture()
    watched.life.restarted(watched.now_ns)
    assert watched.said[:2] == (SourceStatus.LIVE, "source_restarted")
    watched.picture()
    assert watched.said == (SourceStatus.LIVE, "", f"pictures from {WHERE}")


def test_a_takeover_is_over_with_the_first_picture_of_the_newer() -> None:
    watched = Watched()
    watched.picture()
    watched.life.opened("srt://192.0.2.7:5000", watched.now_ns)
    assert watched.said[:2] == (SourceStatus.LIVE, "connecting")
    watched.picture()
    assert watched.said == (SourceStatus.LIVE, "", "pictures from srt://192.0.2.7:5000")


def test_every_transition_outside_the_table_raises() -> None:
    for before, after in itertools.product(SourceStatus, SourceStatus):
        life = Lifecycle(Patience(), WHERE, 0)
        life.status = before
        if after in LEGAL[before]:
            life._become(after, 5)
            assert (life.status, life.since_ns) == (after, 5)
        else:
            with pytest.raises(ValueError, match="cannot go from"):
                life._become(after, 5)


def test_rates_are_those_of_the_last_three_seconds() -> None:
    rates = Rates()
    assert (rates.fps, rates.bitrate_bps, rates.interval_ns) == (None, None, None)
    for index in range(300):
        rates.add(index * 3000, 1000)
    for index in range(100):
        rates.add(900_000 + index * 6000, 5000)
    assert rates.fps == pytest.approx(15)
    assert rates.bitrate_bps == pytest.approx(15 * 5000 * 8)
    assert rates.interval_ns == 66_666_666
    rates.clear()
    assert rates.fps is None


def test_a_pause_is_not_the_usual_interval() -> None:
    rates = Rates()
    for index in range(100):
        rates.add(index * 3600, 1000)
    rates.add(99 * 3600 + 60 * 90_000, 1000)
    assert rates.interval_ns == S // 25


def test_rates_know_a_very_slow_camera() -> None:
    rates = Rates()
    for index in range(10):
        rates.add(index * 900_000, 100)
    assert rates.fps == pytest.approx(0.1)


def test_groups_too_long_for_the_bus_are_noticed_by_time_and_by_size() -> None:
    groups = Groups()
    for index in range(11):
        groups.add(index == 0, 1000, index * S)
    assert not groups.too_long
    groups.add(False, 1000, 11 * S)
    assert groups.too_long  # a second before the bus forgets it
    groups.add(True, 1000, 14 * S)
    assert groups.too_long  # the last whole one was
    groups.add(True, 1000, 15 * S)
    assert (groups.too_long, groups.interval_ns) == (False, S)
    groups.add(False, 9_000_000, 15 * S)
    assert groups.too_long
