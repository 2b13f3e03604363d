"""Which steps of a feed's way to its viewers are done, and which one is not: pure, of what is known now.

Every code that is told of a feed belongs to one step (STEP_OF). A step that nothing is known of waits: what
was green is not left standing, and what comes after a red one is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from flow.flights import PictureHealth, RenditionState, RenditionStatus, SourceState, SourceStatus
from flow.samples import LinkState, LinkStatus
from flow.source_clock import ClockState, ClockStatus
from flow.units import Rendition


class Step(StrEnum):
    """In the order in which they are shown."""

    REACHABLE = "reachable"  # somebody sends to us, or answers us
    KEY = "key"  # and is admitted
    PICTURE = "picture"  # whole pictures come now
    CODEC = "codec"  # in a format that can be shown
    KEYFRAMES = "keyframes"  # with pictures from which one can begin
    TELEMETRY = "telemetry"
    CLOCK = "clock"  # its times can be used


class StepState(StrEnum):
    OK = "ok"
    BAD = "bad"
    WAITING = "waiting"  # not known yet
    NONE = "none"  # there is no such step: no key is taken, no telemetry configured, no time sent


@dataclass(frozen=True, slots=True)
class StepView:
    """One step. `reason` is a code of the UI catalogue: why it is red, or what a green one costs."""

    step: Step
    state: StepState
    reason: Annotated[
        str, Meta(description="Of the step `ok`: what viewers or the server pay; '': nothing")
    ] = ""


NO_KEY = "keys_none"
"""The one reason that no room tells: nobody can publish to a feed without a key."""

_REACHABLE = (
    "connecting", "no_packets", "no_publisher", "publisher_left", "publisher_silent", "feed_busy",
    "not_pushed", "bad_offer", "not_connected", "forbidden_sender", "unreachable", "no_answer",
    "connection_lost", "server_refused", "not_found", "not_rtsp", "redirected", "transport_refused",
    "source_failed", "source_restarted", "port_in_use", "address_refused", "srt_missing",
    "unsupported_url", "url_unescaped", "internal",
)  # fmt: skip
_KEY = (
    NO_KEY, "keys_unreadable", "key_missing", "key_wrong", "key_foreign", "key_withdrawn",
    "bad_address", "bad_stream_id", "passphrase_of_sender", "passphrase_wrong", "srt_refused",
    "auth_refused",
)  # fmt: skip
_PICTURE = (
    "stalled", "source_ended", "no_video", "not_video", "publisher_garbled", "overrun", "no_picture",
    "no_source", "decoder_failed", "black", "frozen", "covered", "blurred",
)  # fmt: skip
_CODEC = (
    "unsupported_codec", "rtp_mpeg4", "rtp_vp8", "rtp_vp9", "not_acceptable", "multitrack", "no_fps",
    "undecodable", "encoder_slow", "encoder_failed", "encoder_unknown", "not_needed", "b_frames",
    "interlaced", "chroma", "scaled", "codec_h265", "codec_mpeg2", "codec_mpeg4", "codec_mjpeg",
    "codec_other",
)  # fmt: skip
_KEYFRAMES = ("no_keyframe", "waiting_for_keyframe", "keyframe_interval_long", "intra_refresh")
_TELEMETRY = ("metadata_flood",)
_CLOCK = (
    "clock_untrusted", "clock_refused", "arrival_behind", "clock_fast", "clock_slow", "clock_bogus",
    "clock_jumps", "clock_wrong",
)  # fmt: skip

CODES = {
    Step.REACHABLE: _REACHABLE,
    Step.KEY: _KEY,
    Step.PICTURE: _PICTURE,
    Step.CODEC: _CODEC,
    Step.KEYFRAMES: _KEYFRAMES,
    Step.TELEMETRY: _TELEMETRY,
    Step.CLOCK: _CLOCK,
}
STEP_OF: Mapping[str, Step] = {code: step for step, codes in CODES.items() for code in codes}
"""The step of every code of a SourceState, RenditionState, PictureHealth or camera's ClockState. All codes of
a LinkState are of the telemetry."""

_NOT_YET = frozenset({"", "connecting", "waiting_for_keyframe", "source_restarted"})
"""Reasons with which nothing is wrong yet."""

_KNOWN_BEFORE = {
    Step.REACHABLE: frozenset[Step](),
    Step.KEY: frozenset({Step.REACHABLE}),
    Step.PICTURE: frozenset({Step.REACHABLE, Step.KEY}),
    Step.CODEC: frozenset({Step.REACHABLE, Step.KEY}),
    Step.KEYFRAMES: frozenset({Step.REACHABLE, Step.KEY, Step.CODEC}),
}
"""What must have been passed to fail at a step. Whole pictures (PICTURE) need codec and keyframes."""

_WRONG_CLOCK = frozenset(_CLOCK) - {"clock_untrusted"}
_FAILS = frozenset({"encoder_failed", "encoder_unknown", "undecodable"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a feed and of its aircraft's telemetry now. `keys` None: it takes none."""

    source: SourceState | None = None
    keys: int | None = None
    keys_readable: bool = True
    renditions: Sequence[RenditionState] = ()
    health: PictureHealth | None = None
    has_telemetry: bool = False
    link: LinkState | None = None


def steps_of(known: Known) -> list[StepView]:
    """Every step, in order."""
    return [*_of_source(known), _telemetry(known), _clock(known)]


def _of_source(known: Known) -> Iterator[StepView]:
    failed, reason = _failed_step(known.source)
    is_live = known.source is not None and known.source.status is SourceStatus.LIVE
    passed = frozenset(CODES) if is_live else _KNOWN_BEFORE.get(failed, frozenset())
    for step in (Step.REACHABLE, Step.KEY, Step.PICTURE, Step.CODEC, Step.KEYFRAMES):
        if step is Step.KEY and (lacking := _key_lacking(known, failed, is_live=is_live)):
            yield lacking
        elif step in passed:
            yield _passed(step, known)
        elif step is failed:
            yield StepView(step, StepState.WAITING if reason in _NOT_YET else StepState.BAD, reason)
        else:
            yield StepView(step, StepState.WAITING)


def _failed_step(source: SourceState | None) -> tuple[Step, str]:
    """Where pictures are stopped, and why; of a feed that is live nobody asks."""
    if source is None:
        return Step.REACHABLE, ""
    reason = source.reason or ("" if source.status is SourceStatus.CONNECTING else "stalled")
    step = STEP_OF.get(reason, Step.REACHABLE)
    return (step if step in _KNOWN_BEFORE else Step.REACHABLE), reason


def _key_lacking(known: Known, failed: Step, *, is_live: bool) -> StepView | None:
    """The step "key" where that is not for the source to say; None: it is."""
    if not is_live and not known.keys_readable:
        return StepView(Step.KEY, StepState.BAD, "keys_unreadable")
    if known.keys is None:
        return None if failed is Step.KEY and not is_live else StepView(Step.KEY, StepState.NONE)
    if known.keys == 0 and not is_live:
        return StepView(Step.KEY, StepState.BAD, NO_KEY)
    return None


def _passed(step: Step, known: Known) -> StepView:
    """A step that is done, with what it costs; what is made of a codec for viewers may yet fail."""
    if step is Step.CODEC and (made := _made(known.renditions)):
        return made
    return StepView(step, StepState.OK, _remark(step, known))


def _remark(step: Step, known: Known) -> str:
    """The first finding or note that is of this step; "" where there is none."""
    findings = known.health.findings if known.health else ()
    notes = known.source.notes if known.source else ()
    return next((code for code in (*findings, *notes) if STEP_OF.get(code) is step), "")


def _made(renditions: Sequence[RenditionState]) -> StepView | None:
    """What goes wrong with the pictures that are made for browsers; None where nothing does."""
    web = next((one for one in renditions if one.rendition is Rendition.WEB), None)
    if web is None:
        return None
    if web.status is RenditionStatus.FAILED or web.reason in _FAILS:
        return StepView(Step.CODEC, StepState.BAD, web.reason)
    return StepView(Step.CODEC, StepState.OK, web.reason) if web.reason == "encoder_slow" else None


def _telemetry(known: Known) -> StepView:
    link, step = known.link, Step.TELEMETRY
    if not known.has_telemetry:
        return StepView(step, StepState.NONE)
    if link is None or (link.status is LinkStatus.CONNECTING and link.reason in _NOT_YET):
        return StepView(step, StepState.WAITING, link.reason if link else "")
    if link.status is LinkStatus.LIVE:
        of_clock = (
            link.clock.reason if link.clock else ""
        )  # it costs times in its logs: its data come all the same
        return StepView(step, StepState.OK, link.reason or of_clock or _remark(step, known))
    return StepView(step, StepState.BAD, link.reason or str(link.status))


def _clock(known: Known) -> StepView:
    """The camera's clock; what is wrong with the aircraft's is a remark on its telemetry."""
    source = known.source
    if source is None or source.status is not SourceStatus.LIVE:
        return StepView(Step.CLOCK, StepState.WAITING)
    clock = source.clock
    refused = [clock.reason or "clock_refused"] if clock and clock.status is ClockStatus.REFUSED else []
    if wrong := [*refused, *(note for note in source.notes if note in _WRONG_CLOCK)]:
        return StepView(Step.CLOCK, StepState.BAD, wrong[0])
    if "clock_untrusted" in source.notes:
        return StepView(Step.CLOCK, StepState.NONE, "clock_untrusted")
    return StepView(Step.CLOCK, _state_of(clock), clock.reason if clock else "")


def _state_of(clock: ClockState | None) -> StepState:
    if clock is None or clock.status is ClockStatus.ESTIMATING:
        return StepState.WAITING
    return StepState.NONE if clock.status is ClockStatus.NONE else StepState.OK
