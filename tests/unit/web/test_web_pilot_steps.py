"""Which steps of a feed are green, red, grey or not there, for what may be known of it."""

from __future__ import annotations

from typing import Any

import pytest

from flow.flights import PictureHealth, RenditionState, RenditionStatus, SourceState, SourceStatus
from flow.samples import LinkState, LinkStatus
from flow.source_clock import ClockState, ClockStatus
from flow.units import Rendition
from web.pilot_steps import STEP_OF, Known, Step, StepState, steps_of

OK, BAD, WAITING, NONE = StepState.OK, StepState.BAD, StepState.WAITING, StepState.NONE
GOOD_CLOCK = ClockState(ClockStatus.GOOD, offset_ms=1.0)


def source(status: SourceStatus, reason: str = "", **more: object) -> SourceState:
    return SourceState("tag", status, 0, reason, **more)  # type: ignore[arg-type]


def live(**more: Any) -> SourceState:
    return source(SourceStatus.LIVE, **more)


def states(known: Known) -> list[StepState]:
    return [step.state for step in steps_of(known)]


def found(known: Known, step: Step) -> tuple[StepState, str]:
    view = next(view for view in steps_of(known) if view.step is step)
    return view.state, view.reason


def link(status: LinkStatus, reason: str = "", clock: ClockState | None = None) -> LinkState:
    return LinkState("otto", "udpin:", status, 0, reason, clock=clock)


def test_all_is_green_where_all_is_well() -> None:
    known = Known(live(clock=GOOD_CLOCK), 1, has_telemetry=True, link=link(LinkStatus.LIVE))
    assert states(known) == [OK] * 7
    assert [view.step for view in steps_of(known)] == list(Step)


def test_nothing_is_green_before_anything_is_known() -> None:
    assert states(Known(has_telemetry=True)) == [WAITING, NONE] + [WAITING] * 5
    assert states(Known(source(SourceStatus.CONNECTING, "connecting"), 1)) == [WAITING] * 5 + [NONE, WAITING]


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (SourceStatus.LOST, "unreachable", [BAD, WAITING, WAITING, WAITING, WAITING]),
        (SourceStatus.LOST, "key_wrong", [OK, BAD, WAITING, WAITING, WAITING]),
        (SourceStatus.STALLED, "", [OK, OK, BAD, WAITING, WAITING]),
        (SourceStatus.LOST, "", [OK, OK, BAD, WAITING, WAITING]),
        (SourceStatus.LOST, "unsupported_codec", [OK, OK, WAITING, BAD, WAITING]),
        (SourceStatus.LOST, "no_keyframe", [OK, OK, WAITING, OK, BAD]),
        (SourceStatus.CONNECTING, "waiting_for_keyframe", [OK, OK, WAITING, OK, WAITING]),
        (SourceStatus.LOST, "not in this version", [BAD, WAITING, WAITING, WAITING, WAITING]),
    ],
)
def test_one_step_is_red_and_what_comes_after_is_not_guessed(
    status: SourceStatus, reason: str, expected: list[StepState]
) -> None:
    assert states(Known(source(status, reason), 1))[:5] == expected


@pytest.mark.parametrize("code", sorted(STEP_OF))
def test_every_code_is_told_at_its_own_step_alone(code: str) -> None:
    told = [view.step for view in steps_of(Known(source(SourceStatus.LOST, code), 1)) if view.reason == code]
    is_of_source = STEP_OF[code] in list(Step)[:5]
    assert told == [STEP_OF[code] if is_of_source else Step.REACHABLE]


def test_the_key_is_asked_for_where_there_is_one() -> None:
    waits = source(SourceStatus.CONNECTING, "no_publisher")
    assert found(Known(waits, 0), Step.KEY) == (BAD, "keys_none")
    assert found(Known(waits, 0, keys_readable=False), Step.KEY) == (BAD, "keys_unreadable")
    assert found(Known(waits, 2), Step.KEY) == (WAITING, "")
    assert found(Known(live()), Step.KEY) == (NONE, "")
    assert found(Known(live(), 0), Step.KEY) == (OK, "")  # its key was withdrawn in another process
    refused = source(SourceStatus.LOST, "auth_refused")  # of a camera that takes a password
    assert found(Known(refused), Step.KEY) == (BAD, "auth_refused")


def test_what_a_picture_costs_is_a_remark_and_what_cannot_be_made_is_red() -> None:
    hevc = live(notes=("codec_h265", "keyframe_interval_long"))
    assert found(Known(hevc), Step.CODEC) == (OK, "codec_h265")
    assert found(Known(hevc), Step.KEYFRAMES) == (OK, "keyframe_interval_long")
    assert found(Known(live(), health=PictureHealth("tag", 0, ("black",))), Step.PICTURE) == (OK, "black")

    def made(status: RenditionStatus, reason: str) -> Known:
        return Known(hevc, renditions=[RenditionState("tag", Rendition.WEB, status, 0, reason)])

    assert found(made(RenditionStatus.FAILED, "encoder_failed"), Step.CODEC) == (BAD, "encoder_failed")
    assert found(made(RenditionStatus.LIVE, "encoder_slow"), Step.CODEC) == (OK, "encoder_slow")
    assert found(made(RenditionStatus.LIVE, ""), Step.CODEC) == (OK, "codec_h265")
    assert found(made(RenditionStatus.OFF, "not_needed"), Step.CODEC) == (OK, "codec_h265")


def test_telemetry_is_its_links() -> None:
    def of(state: LinkState | None) -> tuple[StepState, str]:
        return found(Known(live(), has_telemetry=True, link=state), Step.TELEMETRY)

    assert of(None) == (WAITING, "")
    assert of(link(LinkStatus.CONNECTING, "connecting")) == (WAITING, "connecting")
    assert of(link(LinkStatus.CONNECTING, "no_messages")) == (BAD, "no_messages")
    assert of(link(LinkStatus.SILENT)) == (BAD, "silent")
    assert of(link(LinkStatus.LIVE, "duplicate_system_id")) == (OK, "duplicate_system_id")
    assert found(Known(live(), link=link(LinkStatus.LIVE)), Step.TELEMETRY) == (NONE, "")
    flooded = Known(live(notes=("metadata_flood",)), has_telemetry=True, link=link(LinkStatus.LIVE))
    assert found(flooded, Step.TELEMETRY) == (OK, "metadata_flood")


def test_a_clock_is_green_only_where_its_times_are_used() -> None:
    def of(clock: ClockState | None = None, *notes: str) -> object:
        return found(Known(live(clock=clock, notes=notes)), Step.CLOCK)

    refused = ClockState(ClockStatus.REFUSED, "clock_fast")
    assert of() == (WAITING, "")
    assert of(ClockState()) == (NONE, "")
    assert of(ClockState(ClockStatus.ESTIMATING)) == (WAITING, "")
    assert of(refused) == (BAD, "clock_fast")
    assert of(ClockState(ClockStatus.REFUSED)) == (BAD, "clock_refused")
    assert of(None, "clock_refused") == (BAD, "clock_refused")
    assert of(GOOD_CLOCK, "arrival_behind") == (BAD, "arrival_behind")
    assert of(None, "clock_untrusted") == (NONE, "clock_untrusted")
    assert found(Known(source(SourceStatus.LOST, clock=GOOD_CLOCK)), Step.CLOCK) == (WAITING, "")


@pytest.mark.parametrize("status", [ClockStatus.REFUSED, ClockStatus.GOOD])
def test_the_aircrafts_clock_is_not_the_cameras(status: ClockStatus) -> None:
    """Whoever reads that a clock is wrong goes to that device; the picture's age does not count by it."""
    aircraft = link(LinkStatus.LIVE, clock=ClockState(status, "clock_fast"))
    known = Known(live(clock=GOOD_CLOCK), has_telemetry=True, link=aircraft)
    assert found(known, Step.CLOCK) == (OK, "")
    assert found(known, Step.TELEMETRY) == (OK, "clock_fast")
