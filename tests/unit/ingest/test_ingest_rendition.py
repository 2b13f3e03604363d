"""A rendition's numbers, figures and state, as it is told on the bus."""

from __future__ import annotations

from dataclasses import replace

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import RenditionState, RenditionStatus, SourceState, SourceStatus
from flow.units import AccessUnit, Codec, CodecConfig, Rendition, UtcOrigin
from ingest.protocol.rendition import PRESENT_NS, RenditionLog, loses_its_beginning, web_reasons

NOW = 1000 * NS_PER_S
CONFIG = CodecConfig(Codec.H264, 1280, 720, 100, 0, 31, "4:2:0", 8, False, True)
LIVE = SourceState("fritz", SourceStatus.LIVE, NOW, config=CONFIG, notes=("b_frames", "clock_untrusted"))
TOLD = RenditionState(
    "", Rendition.LOW, RenditionStatus.LIVE, 0, width_px=640, height_px=360, limit_bps=600_000, dropped=3
)


def unit(number: int, *, epoch: int = 1, keyframe: bool = False) -> AccessUnit:
    pts = 90_000_000 + 3000 * number
    return AccessUnit(
        "fritz", Rendition.LOW, Codec.H264, epoch, 0, pts, pts, NOW, UtcOrigin.ARRIVAL, keyframe, bytes(1000)
    )


def begun() -> RenditionLog:
    log = RenditionLog("fritz", Rendition.LOW, NOW)
    log.begin((), "libx264", NOW, again=False)
    return log


def test_units_are_numbered_over_the_lives_of_encoders() -> None:
    log = begun()
    made = [log.made(unit(number, keyframe=number == 0), NOW) for number in range(3)]
    assert [one.seq for one in made if one is not None] == [0, 1, 2]
    log.failed("encoder_failed", "it ended", NOW)
    log.begin((), "libx264", NOW, again=True)
    assert log.made(unit(2, keyframe=True), NOW) is None  # it was shown already,
    assert log.made(unit(3), NOW) is None  # and this one refers to it
    after = log.made(unit(5, keyframe=True), NOW)
    assert after is not None
    assert after.seq == 3


def test_an_epoch_begins_at_nought_and_with_a_keyframe() -> None:
    log = begun()
    assert log.made(unit(0), NOW) is None
    log.made(unit(1, keyframe=True), NOW)
    assert log.made(unit(2, epoch=2), NOW) is None
    begins = log.made(unit(3, epoch=2, keyframe=True), NOW)
    assert begins is not None
    assert (begins.epoch, begins.seq) == (2, 0)


def test_while_pictures_come_it_is_live_with_its_figures() -> None:
    log = begun()
    for number in range(31):
        at_ns = NOW + number * NS_PER_S // 30
        log.fed(unit(number), at_ns)
        log.made(unit(number, keyframe=number == 0), at_ns + 12 * NS_PER_MS)
    log.cpu_share = 0.25
    log.look(TOLD, LIVE, NOW + NS_PER_S)
    state = log.state
    assert (state.status, state.reason) == (RenditionStatus.LIVE, "")
    assert (state.width_px, state.height_px, state.limit_bps, state.dropped) == (640, 360, 600_000, 3)
    assert (state.fps, state.bitrate_bps, state.delay_ms, state.cpu_share) == (30, 240_000, 12, 0.25)
    assert state.why == ("scaled",)
    assert state.pictures == 31


def test_what_it_waits_for() -> None:
    log = begun()
    log.look(None, LIVE, NOW)
    assert (log.state.status, log.state.reason) == (RenditionStatus.STARTING, "waiting_for_keyframe")
    log.fed(unit(0), NOW)
    log.look(None, LIVE, NOW)
    assert log.state.reason == ""
    log.look(None, replace(LIVE, status=SourceStatus.LOST), NOW)
    assert log.state.reason == "no_source"
    log.look(replace(TOLD, reason="undecodable", detail="x"), LIVE, NOW)
    assert (log.state.status, log.state.reason) == (RenditionStatus.STARTING, "undecodable")


def test_it_is_not_live_for_ever() -> None:
    log = begun()
    log.made(unit(0, keyframe=True), NOW)
    log.look(TOLD, LIVE, NOW + PRESENT_NS - 1)
    assert log.state.status is RenditionStatus.LIVE
    log.look(TOLD, LIVE, NOW + PRESENT_NS)
    after = log.state
    assert after.status is RenditionStatus.STARTING
    assert (after.fps, after.delay_ms, after.since_ns) == (None, None, NOW + PRESENT_NS)


def test_a_slow_machine_is_said_to_be() -> None:
    log = begun()
    log.made(unit(0, keyframe=True), NOW)
    log.look(replace(TOLD, reason="encoder_slow", detail="some are left out"), LIVE, NOW)
    assert (log.state.status, log.state.reason) == (RenditionStatus.LIVE, "encoder_slow")


def test_counters_go_on_after_a_failure_and_begin_anew_after_a_rest() -> None:
    log = begun()
    log.made(unit(0, keyframe=True), NOW)
    log.look(TOLD, LIVE, NOW)
    log.failed("encoder_failed", "it ended", NOW)
    assert (log.state.status, log.state.detail) == (RenditionStatus.FAILED, "it ended")
    log.begin((), "libx264", NOW, again=True)
    log.look(TOLD, LIVE, NOW)
    assert (log.state.restarts, log.state.dropped, log.state.pictures) == (1, 6, 1)
    log.off("", "nobody needs it", NOW)
    log.begin((), "libx264", NOW, again=False)
    assert (log.state.restarts, log.state.dropped, log.state.pictures) == (0, 0, 0)


def test_what_a_source_needs() -> None:
    assert web_reasons(None) == ()
    assert web_reasons(LIVE) == ("b_frames",)
    assert web_reasons(replace(LIVE, notes=("clock_untrusted",))) == ()
    assert not loses_its_beginning(LIVE)
    assert loses_its_beginning(replace(LIVE, notes=("keyframe_interval_long",)))
