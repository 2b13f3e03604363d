"""Down fast, up slowly, and never to and fro: the choice of one viewer's rendition by what its way does."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.units import Codec, CodecConfig, Rendition
from relay.protocol.rendition import H265Limits, RenditionChoice, Signs, full_rendition

STREAM_BPS, LOW_BPS = 4_000_000.0, 600_000.0
TICK_NS = 100 * NS_PER_MS


class Watcher:
    """A viewer that reports once a second and is judged ten times; it is moved at once."""

    def __init__(self) -> None:
        self.now_ns = NS_PER_S
        self.choice = RenditionChoice(self.now_ns)
        self.signs = Signs(STREAM_BPS, pace_bps=20e6, loss=0.0, rtt_ms=20.0)
        self.moves: list[tuple[float, bool]] = []

    @property
    def now_s(self) -> float:
        return self.now_ns / NS_PER_S

    def watch(self, seconds: float, **signs: Any) -> None:
        """Time passes, with these signs until others are told."""
        self.signs = replace(self.signs, **signs)
        for _ in range(round(seconds * NS_PER_S / TICK_NS)):
            self.now_ns += TICK_NS
            if self.now_ns % NS_PER_S == 0:
                self.signs = replace(self.signs, reported_ns=self.now_ns, estimated_ns=self.now_ns)
            low = self.choice.low
            self.choice.judge(self.signs, self.now_ns)
            if self.choice.low is not low:
                self.moves.append((self.now_s, self.choice.low))
                self.choice.moved(self.now_ns)
                self.signs = replace(self.signs, stream_bps=LOW_BPS if self.choice.low else STREAM_BPS)

    def settled(self) -> Watcher:
        self.watch(5)
        assert self.moves == []
        return self

    def gone_down(self) -> Watcher:
        """After a loss that has passed."""
        self.settled().watch(1.1, loss=0.5)
        self.watch(0.1, loss=0.0)
        assert [low for _, low in self.moves] == [True]
        self.moves.clear()
        return self


def test_heavy_loss_is_left_at_the_first_report() -> None:
    watcher = Watcher().settled()
    began_s = watcher.now_s
    watcher.watch(3, loss=0.5)
    assert [low for _, low in watcher.moves] == [True]
    assert watcher.moves[0][0] - began_s <= 1.0


def test_clear_loss_is_left_at_the_second_report() -> None:
    watcher = Watcher().settled()
    began_s = watcher.now_s
    watcher.watch(3, loss=0.2)
    assert [low for _, low in watcher.moves] == [True]
    assert 1.0 <= watcher.moves[0][0] - began_s <= 2.0


def test_one_report_of_clear_loss_between_good_ones_is_none() -> None:
    watcher = Watcher().settled()
    for _ in range(10):
        watcher.watch(1, loss=0.2)
        watcher.watch(1, loss=0.0)
    assert watcher.moves == []


def test_two_reports_of_the_same_second_are_one() -> None:
    watcher = Watcher().settled()
    for _ in range(3):
        watcher.signs = replace(watcher.signs, loss=0.2, reported_ns=watcher.now_ns)
        watcher.watch(0.1)
    watcher.watch(2, loss=0.0)
    assert watcher.moves == []


@pytest.mark.parametrize("loss", [0.03, 0.10, 0.14])
def test_a_radio_link_that_loses_a_little_and_repairs_it_keeps_the_full_picture(loss: float) -> None:
    watcher = Watcher().settled()
    watcher.watch(60, loss=loss)
    assert watcher.moves == []
    assert watcher.choice.may_need_low(watcher.now_ns) is (loss > 0.05)


def test_loss_that_is_not_repaired_is_left() -> None:
    watcher = Watcher().settled()
    watcher.watch(2, loss=0.10, plis=1)
    assert watcher.moves == []
    watcher.watch(1, plis=2)
    assert [low for _, low in watcher.moves] == [True]


def test_keyframes_asked_for_without_loss_say_nothing_of_the_way() -> None:
    watcher = Watcher().settled()
    for plis in range(10):
        watcher.watch(1, plis=plis)
    assert watcher.moves == []


def test_a_backlog_that_does_not_clear_up_is_left_within_a_second() -> None:
    watcher = Watcher().settled()
    watcher.watch(0.9, has_backlog=True)
    watcher.watch(0.5, has_backlog=False)  # a keyframe that was spread over its time
    assert watcher.moves == []
    watcher.watch(1.1, has_backlog=True)
    assert [low for _, low in watcher.moves] == [True]


def test_pictures_left_out_because_they_were_late_are_left_at_once() -> None:
    watcher = Watcher().settled()
    watcher.watch(0.1, times_late=1)
    assert [low for _, low in watcher.moves] == [True]


def test_the_start_with_its_cached_group_may_lose_and_lag() -> None:
    watcher = Watcher()
    watcher.watch(1.4, loss=0.8, has_backlog=True, times_late=1, reported_ns=NS_PER_S)
    watcher.watch(20, loss=0.0, has_backlog=False)
    assert watcher.moves == []


def test_a_narrow_way_is_left_soon_after_the_start() -> None:
    watcher = Watcher()
    watcher.watch(4, loss=0.8)
    assert [low for _, low in watcher.moves] == [True]
    assert watcher.moves[0][0] - 1.0 <= 3.1


def test_chromiums_estimate_counts_only_where_a_queue_has_grown() -> None:
    watcher = Watcher().settled()
    watcher.watch(10, estimated_bps=0.5 * STREAM_BPS)
    assert watcher.moves == []  # it says so now and then on a fast way too
    watcher.watch(2, rtt_ms=300.0, estimated_bps=0.95 * STREAM_BPS)
    assert watcher.moves == []
    watcher.watch(1.5, estimated_bps=0.5 * STREAM_BPS)
    assert [low for _, low in watcher.moves] == [True]


def test_a_deep_queue_is_left_though_nothing_is_lost() -> None:
    watcher = Watcher().settled()
    watcher.watch(1.5, rtt_ms=1500.0)
    assert [low for _, low in watcher.moves] == [True]


def test_a_pace_below_the_stream_is_left() -> None:
    watcher = Watcher().settled()
    watcher.watch(1.5, pace_bps=0.8 * STREAM_BPS)
    assert [low for _, low in watcher.moves] == [True]


def test_up_after_eight_seconds_of_calm_and_not_before() -> None:
    watcher = Watcher().gone_down()
    began_s = watcher.now_s
    watcher.watch(5)
    watcher.watch(1, loss=0.05)  # not calm
    watcher.watch(20, loss=0.0)
    assert [low for _, low in watcher.moves] == [False]
    assert 13.5 <= watcher.moves[0][0] - began_s <= 14.5


@pytest.mark.parametrize("is_tcp", [False, True])
def test_a_backlog_on_low_delays_the_next_try_only_where_the_way_itself_pushes_back(is_tcp: bool) -> None:
    watcher = Watcher().gone_down()
    watcher.watch(20, has_backlog=True, is_tcp=is_tcp)
    assert [low for _, low in watcher.moves[:1]] == ([] if is_tcp else [False])


def test_a_way_that_stays_narrow_is_tried_ever_more_rarely() -> None:
    watcher = Watcher().gone_down()
    gone_down_s = watcher.now_s
    for _ in range(4000):
        watcher.watch(0.1, loss=0.0 if watcher.choice.low else 0.6)
    tries = [at_s for at_s, low in watcher.moves if not low]
    waits = [b - a for a, b in zip([gone_down_s, *tries], tries, strict=False)]
    assert [round(wait / 8) for wait in waits[:2]] == [1, 2]
    assert all(29 <= wait <= 34 for wait in waits[2:])
    assert len(waits) >= 5
    falls = [at_s for at_s, low in watcher.moves if low]
    assert all(fall - up <= 1.1 for up, fall in zip(tries, falls, strict=False))


def test_a_way_that_has_proven_itself_is_tried_as_soon_as_before() -> None:
    watcher = Watcher().gone_down()
    watcher.watch(9)
    watcher.watch(1, loss=0.6)  # the try has failed: 16 s of calm are needed
    watcher.watch(20, loss=0.0)
    assert [low for _, low in watcher.moves] == [False, True, False]
    watcher.watch(31)
    watcher.watch(1.1, loss=0.6)
    began_s = watcher.now_s
    watcher.watch(10, loss=0.0)
    assert [low for _, low in watcher.moves[3:]] == [True, False]
    assert watcher.moves[-1][0] - began_s <= 8.1


def test_after_a_try_low_is_kept_at_hand() -> None:
    watcher = Watcher().gone_down()
    watcher.watch(8)
    assert watcher.moves[-1][1] is False
    watcher.watch(5)
    assert watcher.choice.may_need_low(watcher.now_ns)
    watcher.watch(10)
    assert not watcher.choice.may_need_low(watcher.now_ns)


def test_an_estimate_that_follows_from_below_is_no_sign_of_a_queue() -> None:
    """Chromium's after a move up, on a way whose round trip is longer for a while for another reason."""
    watcher = Watcher().gone_down()
    watcher.watch(4, fits=True, estimated_bps=0.9e6)
    for step in range(8):  # what it says comes twice now and then
        watcher.watch(1, rtt_ms=300.0, estimated_bps=0.9e6 * 1.08 ** (step // 2 + 1))
    assert [low for _, low in watcher.moves] == [False]
    watcher.watch(2.5, estimated_bps=0.8e6)
    assert [low for _, low in watcher.moves] == [False, True]


def test_what_waited_because_the_relay_stood_still_moves_nobody() -> None:
    watcher = Watcher().settled()
    watcher.watch(3, times_late=1, has_backlog=True, is_excused=True)
    assert watcher.moves == []
    watcher.watch(0.3, has_backlog=False, is_excused=False)
    assert watcher.moves == []
    watcher.watch(0.1, times_late=2)
    assert [low for _, low in watcher.moves] == [True]


@pytest.mark.parametrize(("fits", "wait_s"), [(True, 3), (None, 8), (False, 120)])
def test_it_is_tried_as_soon_as_what_was_found_out_allows(fits: bool | None, wait_s: float) -> None:
    watcher = Watcher().gone_down()
    began_s = watcher.now_s
    watcher.watch(wait_s + 2, fits=fits)
    assert [low for _, low in watcher.moves] == [False]
    assert wait_s - 0.3 <= watcher.moves[0][0] - began_s <= wait_s + 0.2


def test_a_way_that_was_long_too_narrow_is_tried_at_once_when_it_is_found_wide() -> None:
    watcher = Watcher().gone_down()
    watcher.watch(50, fits=False)
    assert watcher.moves == []
    watcher.watch(0.2, fits=True)
    assert [low for _, low in watcher.moves] == [False]


def test_what_is_found_wide_and_fails_is_tried_at_most_twice_a_minute() -> None:
    watcher = Watcher().gone_down()
    for _ in range(4000):
        watcher.watch(0.1, loss=0.0 if watcher.choice.low else 0.6, fits=watcher.choice.low or None)
    tries = [at_s for at_s, low in watcher.moves if not low]
    assert all(29 <= b - a <= 34 for a, b in pairwise(tries[4:]))


def test_half_of_what_is_sent_missed_is_left_within_a_second_of_no_report() -> None:
    watcher = Watcher().settled()
    began_s = watcher.now_s
    for tick in range(1, 10):
        watcher.watch(0.1, sent=40 * tick, missed=30 * tick, loss=None)
    assert [low for _, low in watcher.moves] == [True]
    assert watcher.moves[0][0] - began_s <= 0.8
    assert not watcher.choice.holds(watcher.now_ns)  # it was moved at once


def test_what_does_not_get_through_is_held_until_it_is_moved_or_for_some_seconds() -> None:
    choice, now_ns = RenditionChoice(0), 10 * NS_PER_S
    choice.judge(Signs(STREAM_BPS, 20e6, loss=0.6, reported_ns=now_ns), now_ns)
    assert choice.low
    assert choice.holds(now_ns + NS_PER_S)
    assert not choice.holds(now_ns + 3 * NS_PER_S)
    choice.moved(now_ns + NS_PER_S)
    assert not choice.holds(now_ns + NS_PER_S)


@pytest.mark.parametrize("ticks", [2, 5, 8])
@pytest.mark.parametrize("loss", [0.0, 0.6])
def test_a_short_outage_is_not_a_narrow_way(ticks: int, loss: float) -> None:
    """What was sent meanwhile is asked for at one moment, and one report tells of it."""
    watcher = Watcher().settled()
    for tick in range(1, 60):
        missed = 40 * ticks if tick >= 15 else 0
        watcher.watch(0.1, sent=40 * tick, missed=missed, loss=loss if 15 <= tick < 25 else 0.0)
    assert watcher.moves == []
    assert not watcher.choice.holds(watcher.now_ns)


def test_what_goes_on_being_missed_makes_two_reports_of_loss_enough() -> None:
    watcher = Watcher().settled()
    began_s = watcher.now_s
    for tick in range(1, 40):
        watcher.watch(0.1, sent=40 * tick, missed=10 * tick, loss=0.25)
    assert [low for _, low in watcher.moves] == [True]
    assert watcher.moves[0][0] - began_s <= 2.0


def test_a_way_that_has_become_a_longer_one_has_no_queue_for_ever() -> None:
    watcher = Watcher().settled()
    watcher.watch(3, rtt_ms=1500.0)  # as by satellite
    assert [low for _, low in watcher.moves] == [True]
    watcher.watch(150)
    watcher.moves.clear()
    watcher.watch(60)
    assert not watcher.choice.low
    assert watcher.moves == []


def test_another_way_has_a_round_trip_of_its_own() -> None:
    watcher = Watcher().settled()
    watcher.watch(10, rtt_ms=1.0, way="cable")
    watcher.watch(0.5, way="mobile")  # what was told before was about the cable
    watcher.watch(60, rtt_ms=1300.0)
    assert watcher.moves == []
    watcher.watch(3, rtt_ms=2500.0)
    assert [low for _, low in watcher.moves] == [True]


def test_an_estimate_that_falls_has_low_made_and_one_that_rises_from_below_does_not() -> None:
    watcher = Watcher().settled()
    for estimated_bps in (1e6, 2e6, 3e6, 4e6):
        watcher.watch(1, estimated_bps=estimated_bps)
        assert not watcher.choice.may_need_low(watcher.now_ns)
    watcher.watch(1, estimated_bps=2.5e6)
    assert watcher.choice.may_need_low(watcher.now_ns)
    assert watcher.moves == []


def test_an_estimate_of_before_a_move_says_nothing_after_it() -> None:
    choice, now_ns = RenditionChoice(0), 10 * NS_PER_S
    choice.moved(now_ns)
    before = Signs(STREAM_BPS, 20e6, rtt_ms=30.0, estimated_bps=0.6e6, estimated_ns=now_ns - 1)
    for tick in range(1, 60):
        at_ns = now_ns + tick * TICK_NS
        choice.judge(replace(before, rtt_ms=30.0 if tick == 1 else 300.0), at_ns)
    assert not choice.low
    for tick in range(60, 120):
        at_ns = now_ns + tick * TICK_NS
        choice.judge(replace(before, rtt_ms=300.0, estimated_ns=at_ns), at_ns)
    assert choice.low


PLAIN = CodecConfig(Codec.H264, 1920, 1080, 100, 0, 40, "4:2:0", 8, False, False)
REORDERED = replace(PLAIN, reorders=True)
HEVC = CodecConfig(Codec.H265, 1920, 1080, 1, 0, 120, "4:2:0", 8, False, False)
TAKES = H265Limits(profile_id=1, level_id=120)


@pytest.mark.parametrize(
    ("config", "notes", "h265", "full"),
    [
        (None, (), None, Rendition.SOURCE),
        (PLAIN, (), None, Rendition.SOURCE),
        (PLAIN, ("clock_untrusted",), None, Rendition.SOURCE),
        (PLAIN, ("intra_refresh",), None, Rendition.WEB),
        (REORDERED, ("b_frames",), TAKES, Rendition.WEB),
        (HEVC, ("codec_h265",), None, Rendition.WEB),
        (HEVC, ("codec_h265",), TAKES, Rendition.SOURCE),
        (HEVC, ("codec_h265", "keyframe_interval_long"), TAKES, Rendition.WEB),
        (replace(HEVC, level=123), ("codec_h265",), TAKES, Rendition.WEB),
        (replace(HEVC, profile=2, bit_depth=10), ("codec_h265",), TAKES, Rendition.WEB),
        (replace(HEVC, reorders=True), ("codec_h265",), TAKES, Rendition.WEB),
        (replace(HEVC, chroma="4:4:4"), ("codec_h265",), TAKES, Rendition.WEB),
    ],
)
def test_the_source_where_the_browser_shows_it_else_web(
    config: CodecConfig | None, notes: tuple[str, ...], h265: H265Limits | None, full: Rendition
) -> None:
    assert full_rendition(config, notes, h265) is full


def test_a_source_of_which_no_web_is_made_is_shown_as_it_is_if_it_is_h264() -> None:
    assert full_rendition(REORDERED, (), None, web_is_made=False) is Rendition.SOURCE
    assert full_rendition(HEVC, (), None, web_is_made=False) is Rendition.WEB


@pytest.mark.parametrize(
    ("config", "note"),
    [
        (REORDERED, "b_frames"),
        (PLAIN, "intra_refresh"),
        (PLAIN, "keyframe_interval_long"),
        (replace(PLAIN, interlaced=True), "interlaced"),
        (replace(PLAIN, chroma="4:4:4"), "chroma"),
    ],
)
def test_a_source_that_turns_unfit_is_not_held_to_what_was_said_of_it_before(
    config: CodecConfig, note: str
) -> None:
    assert full_rendition(PLAIN, (), None, web_is_made=False) is Rendition.SOURCE
    assert full_rendition(config, (note,), None, web_is_made=False) is Rendition.WEB
