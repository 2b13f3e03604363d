"""Which rendition goes to whom, what is asked of ingest for it, and what everybody is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from flow.clock import NS_PER_S
from flow.doors import RenditionChosen
from flow.errors import LagebildError, NotFoundError
from flow.flights import RenditionState, RenditionStatus
from flow.units import AccessUnit, Codec, CodecConfig, Rendition
from relay.protocol.rendition import H265Limits, Signs
from relay.protocol.rtcp import ReceiverReport, Remb
from tests.fakes.pictures import Camera
from tests.unit.relay.stage import H264_ONLY, PLAIN, Encoder, Guest, Stage, open_stage
from tests.unit.relay.test_relay_delivery import FEED, contiguous
from tests.unit.relay.watching import one_viewer

SOURCE, WEB, LOW = Rendition.SOURCE, Rendition.WEB, Rendition.LOW
B_FRAMES = replace(PLAIN, reorders=True)
HEVC = CodecConfig(Codec.H265, 1280, 720, 1, 0, 93, "4:2:0", 8, False, False)
BOTH = {**H264_ONLY, Codec.H265: 49}
LOW_BYTES, WEB_BYTES = 500, 3000


def stamps(guest: Guest) -> list[int]:
    return [p.timestamp for p in guest.tap.packets if p.marker]


async def with_low(stage: Stage) -> Encoder:
    encoder = Encoder(stage, LOW, LOW_BYTES)
    stage.encoders.append(encoder)
    return encoder


async def test_a_plain_source_goes_out_as_it_is_and_nothing_else_is_asked_for() -> None:
    async with open_stage() as stage:
        encoders = [await with_low(stage), Encoder(stage, WEB, WEB_BYTES)]
        stage.encoders = encoders
        guest = Guest(stage)
        stage.enter(guest)
        await stage.film(3)
        assert len(stamps(guest)) == 90
        assert [encoder.leases for encoder in encoders] == [[], []]
        assert guest.seat.rendition is SOURCE


async def test_of_a_source_with_b_frames_everybody_is_sent_web_as_soon_as_there_is_some() -> None:
    async with open_stage() as stage:
        encoder = Encoder(stage, WEB, WEB_BYTES)
        stage.encoders.append(encoder)
        stage.say(B_FRAMES, ("b_frames",))
        guest = Guest(stage)
        stage.enter(guest)
        await stage.film(6)
        assert guest.seat.rendition is WEB
        assert len(encoder.leases) == 3  # at once, and then every two seconds
        assert all(b.until_ns - a.until_ns >= 2 * NS_PER_S for a, b in pairwise(encoder.leases))
        sizes = {len(p.payload) for p in guest.tap.packets}
        assert max(sizes) <= WEB_BYTES  # never a picture of the source
        assert len(stamps(guest)) >= 5 * 30 - 5
        assert contiguous(guest.tap.sequences)
        stage.renditions.remove(guest)  # type: ignore[arg-type]
        count = len(encoder.leases)
        await stage.film(5)
        assert len(encoder.leases) == count
        assert not stage.renditions._fan_outs[WEB].is_on


async def test_what_was_decided_before_a_viewer_was_pinned_is_forgotten() -> None:
    async with open_stage() as stage:
        await with_low(stage)
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(2)
        stage.renditions.choose(guest, SOURCE)
        guest.seat.choice.low = True  # as it had been minutes ago
        stage.renditions.choose(guest, None)
        await stage.film(3)
        assert guest.seat.rendition is SOURCE


async def test_who_pins_low_gets_it_at_a_keyframe_and_is_told_of_each_step() -> None:
    async with open_stage() as stage:
        encoder = await with_low(stage)
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(2)
        told: list[RenditionChosen] = []
        leave = guest.seat.follow(told.append)
        stage.renditions.choose(guest, LOW)
        assert len(encoder._wanted.drain()) == 1  # asked for at once
        stage.renditions._leased_ns.clear()
        await stage.film(3)
        choices = (SOURCE, LOW)
        assert list(dict.fromkeys(told)) == [
            RenditionChosen(SOURCE, SOURCE, None, choices),
            RenditionChosen(SOURCE, LOW, LOW, choices),
            RenditionChosen(LOW, LOW, LOW, choices),
        ]
        stage.renditions.choose(guest, None)
        await stage.film(3)
        assert told[-1] == RenditionChosen(SOURCE, SOURCE, None, choices)
        leave()
        stage.renditions.choose(guest, LOW)
        await stage.film(2)
        assert told[-1].pinned is None
        assert contiguous(guest.tap.sequences)


async def test_an_encoder_that_runs_is_asked_for_a_keyframe_and_the_move_takes_a_tenth_of_a_second() -> None:
    async with open_stage() as stage:
        encoder = await with_low(stage)
        first: Any = Guest(stage)
        stage.enter(first)
        stage.renditions.choose(first, LOW)
        await stage.film(3.3)
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(0.6)
        wishes = encoder.wishes
        stage.renditions.choose(guest, LOW)
        await stage.film(0.2)
        assert encoder.wishes == wishes + 1
        assert guest.seat.rendition is LOW
        # What was sent last of the source is a moment newer. Timestamps stay true: they step back by that.
        steps = [b - a for a, b in pairwise(stamps(guest))]
        assert min(steps) >= -2 * 3000
        assert sum(step < 0 for step in steps) <= 1


async def test_what_cannot_be_sent_cannot_be_pinned() -> None:
    async with open_stage() as stage:
        guest: Any = Guest(stage)
        stage.enter(guest)
        with pytest.raises(LagebildError, match="can be sent source or low") as refused:
            stage.renditions.choose(guest, WEB)
        assert refused.value.code == "not_a_choice"
        assert guest.seat.pinned is None


async def test_who_has_pinned_the_full_picture_stays_there_and_has_web_when_the_source_needs_it() -> None:
    async with open_stage() as stage:
        stage.encoders.append(Encoder(stage, WEB, WEB_BYTES))
        guest: Any = Guest(stage)
        stage.enter(guest)
        stage.renditions.choose(guest, SOURCE)
        await stage.film(2)
        stage.say(B_FRAMES, ("b_frames",))
        await stage.film(4)
        assert guest.seat.chosen == RenditionChosen(WEB, WEB, WEB, (WEB, LOW))


async def test_what_the_bus_kept_of_an_encoder_that_has_ended_is_shown_to_nobody() -> None:
    async with open_stage() as stage:
        old = stage.camera.keyframe()
        stage.bus.publish(replace(old, rendition=LOW))
        stage.camera.pause(60)
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(1)
        stage.renditions.choose(guest, LOW)
        await stage.film(1)
        assert stage.renditions._fan_outs[LOW].is_on
        assert guest.seat.rendition is SOURCE
        assert old.rtp_timestamp not in stamps(guest)


async def test_nobodys_rendition_is_not_packetized() -> None:
    async with open_stage() as stage:
        for unit in Camera(FEED, LOW).group(5):
            stage.bus.publish(unit)
        await stage.film(1)
        assert stage.renditions._fan_outs[LOW].stream.newest is None


async def test_h265_goes_untouched_to_who_takes_it_and_the_others_get_web() -> None:
    async with open_stage() as stage:
        stage.encoders.append(Encoder(stage, WEB, WEB_BYTES))
        stage.codec = Codec.H265
        stage.say(HEVC, ("codec_h265",))
        takes, other = Guest(stage, BOTH, H265Limits(1, 93)), Guest(stage)
        stage.enter(takes)
        stage.enter(other)
        await stage.film(4)
        assert (takes.seat.rendition, other.seat.rendition) == (SOURCE, WEB)
        assert {p.payload_type for p in takes.tap.packets} == {49}
        assert {p.payload_type for p in other.tap.packets} == {H264_ONLY[Codec.H264]}
        assert len(stamps(takes)) == 120
        assert len(stamps(other)) >= 80


async def test_who_keeps_h265_for_later_is_sent_none_that_it_cannot_show() -> None:
    async with open_stage() as stage:
        stage.encoders.append(Encoder(stage, WEB, WEB_BYTES))
        guest = Guest(stage, BOTH, H265Limits(1, 93))
        stage.enter(guest)
        await stage.film(2)
        assert guest.seat.rendition is SOURCE
        stage.codec = Codec.H265
        stage.say(replace(HEVC, reorders=True), ("codec_h265", "b_frames"))
        await stage.film(4)
        assert guest.seat.rendition is WEB
        assert {p.payload_type for p in guest.tap.packets} == {BOTH[Codec.H264]}
        assert contiguous(guest.tap.sequences)


async def test_a_feed_that_changes_its_codec_leaves_nobody_with_what_it_cannot_show() -> None:
    async with open_stage() as stage:
        stage.encoders.append(Encoder(stage, WEB, WEB_BYTES))
        takes, other = Guest(stage, BOTH, H265Limits(1, 93)), Guest(stage)
        stage.enter(takes)
        stage.enter(other)
        await stage.film(2)
        stage.codec = Codec.H265  # the state says so only later
        await stage.film(2)
        stage.say(HEVC, ("codec_h265",))
        await stage.film(2)
        assert (takes.seat.rendition, other.seat.rendition) == (SOURCE, WEB)
        assert {p.payload_type for p in takes.tap.packets[-50:]} == {49}
        assert {p.payload_type for p in other.tap.packets} == {H264_ONLY[Codec.H264]}
        assert contiguous(takes.tap.sequences)
        assert contiguous(other.tap.sequences)
        stage.codec = Codec.H264
        stage.say()
        await stage.film(4)
        assert (takes.seat.rendition, other.seat.rendition) == (SOURCE, SOURCE)
        assert {p.payload_type for p in takes.tap.packets[-50:]} == {H264_ONLY[Codec.H264]}
        assert contiguous(takes.tap.sequences)
        assert contiguous(other.tap.sequences)


async def test_where_ingest_makes_no_web_the_source_is_sent_until_it_turns_unfit() -> None:
    async with open_stage() as stage:
        encoder = Encoder(stage, WEB, WEB_BYTES)
        stage.encoders.append(encoder)
        stage.say(B_FRAMES)  # so the parameter sets say, but no picture comes out of order
        stage.bus.publish(RenditionState(FEED, WEB, RenditionStatus.OFF, 0, reason="not_needed"))
        guest = Guest(stage)
        stage.enter(guest)
        await stage.film(1)
        assert guest.seat.rendition is SOURCE
        assert len(stamps(guest)) == 30
        assert encoder.leases == []
        stage.say(B_FRAMES, ("b_frames",))  # and nobody takes back what was said of `web`
        await stage.film(5)
        assert guest.seat.rendition is WEB
        assert encoder.leases


async def test_who_loses_a_little_has_low_made_in_advance_and_keeps_the_full_picture() -> None:
    async with open_stage() as stage:
        encoder = await with_low(stage)
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(4)
        ssrc = stage.renditions.stream.ssrc
        guest.feedback.take([ReceiverReport(ssrc, 0.08, 20, 250, 0, 0, 0)], stage.clock.now_ns())
        await stage.film(2)
        assert encoder.leases
        assert guest.seat.rendition is SOURCE
        guest.feedback.take([ReceiverReport(ssrc, 0.0, 20, 500, 0, 0, 0)], stage.clock.now_ns())
        await stage.film(14)
        count = len(encoder.leases)
        await stage.film(5)
        assert len(encoder.leases) == count


async def test_who_was_to_be_sent_a_low_that_never_came_is_judged_on() -> None:
    async with open_stage() as stage:
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(4)
        ssrc = stage.renditions.stream.ssrc
        for lost in (100, 0):
            guest.feedback.take([ReceiverReport(ssrc, lost / 200, lost, 250, 0, 0, 0)], stage.clock.now_ns())
            stage.renditions.heard(guest)
            await stage.film(0.2)
        assert guest.seat.choice.low
        await stage.film(20)
        assert not guest.seat.choice.low
        assert not guest.seat.choice.awaits_move
        assert guest.seat.rendition is SOURCE
        assert stamps(guest)[-1] >= stamps(guest)[0] + 23 * 90_000  # it is sent again


async def test_however_often_a_viewer_reports_it_is_judged_twenty_times_a_second_and_by_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_stage() as stage:
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(4)
        judged: list[Signs] = []
        monkeypatch.setattr(guest.seat.choice, "judge", lambda signs, now_ns: judged.append(signs))
        ssrc = stage.renditions.stream.ssrc
        for n in range(1500):
            stage.clock.advance(NS_PER_S // 1500)
            guest.feedback.take([ReceiverReport(ssrc, 0.0, 0, 1000 + n, 0, 0, 0)], stage.clock.now_ns())
            stage.renditions.heard(guest)
            assert judged or n < 100
        assert 15 <= len(judged) <= 20
        told_ns = guest.feedback.reported_ns
        await stage.film(0.2)
        assert judged[-1].reported_ns == told_ns


@pytest.mark.parametrize(
    ("status", "reason", "held"),
    [
        (None, "", False),
        (RenditionStatus.FAILED, "encoder_failed", False),
        (RenditionStatus.STARTING, "waiting_for_keyframe", False),
        (RenditionStatus.STARTING, "", True),
        (RenditionStatus.LIVE, "", True),
    ],
)
async def test_what_does_not_get_through_is_held_only_while_there_is_low_soon(
    status: RenditionStatus | None, reason: str, held: bool
) -> None:
    async with open_stage() as stage:
        stage.group = 20 * 30
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(4)
        if status is not None:
            stage.bus.publish(RenditionState(FEED, LOW, status, 0, reason=reason))
        ssrc = stage.renditions.stream.ssrc
        guest.feedback.take([ReceiverReport(ssrc, 0.5, 100, 250, 0, 0, 0)], stage.clock.now_ns())
        stage.renditions.heard(guest)
        assert guest.seat.choice.holds(stage.clock.now_ns())
        count = len(stamps(guest))
        await stage.film(1)
        assert len(stamps(guest)) == count + (0 if held else 30)
        await stage.film(2)  # the hold has ended, and no keyframe has come
        assert len(stamps(guest)) == count + (count + 90 if held else 90)
        assert contiguous(guest.tap.sequences)


async def test_reports_of_long_ago_move_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_stage() as stage:
        guest: Any = Guest(stage)
        stage.enter(guest)
        await stage.film(4)
        judged: list[Signs] = []
        monkeypatch.setattr(guest.seat.choice, "judge", lambda signs, now_ns: judged.append(signs))
        ssrc = stage.renditions.stream.ssrc
        report = ReceiverReport(ssrc, 0.5, 100, 250, 0, 0, 0)
        guest.feedback.take([report, Remb(500_000, (ssrc,))], stage.clock.now_ns())
        guest.feedback.rtt_ms = 2000.0
        await stage.film(2)
        assert (judged[-1].loss, judged[-1].estimated_bps, judged[-1].rtt_ms) == (0.5, 500_000, 2000.0)
        await stage.film(5)
        assert (judged[-1].loss, judged[-1].estimated_bps, judged[-1].rtt_ms) == (None, None, None)


async def test_a_relay_that_stood_still_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_stage() as stage:
        guest: Any = Guest(stage)
        stage.enter(guest)
        judged: list[Signs] = []
        monkeypatch.setattr(guest.seat.choice, "judge", lambda signs, now_ns: judged.append(signs))
        await stage.film(4)
        assert not any(signs.is_excused for signs in judged)
        stage.clock.advance(NS_PER_S // 2)
        ssrc = stage.renditions.stream.ssrc
        guest.feedback.take([ReceiverReport(ssrc, 0.0, 0, 250, 0, 0, 0)], stage.clock.now_ns())
        stage.renditions.heard(guest)  # before it is tended
        assert judged[-1].is_excused
        await stage.film(3)
        assert not judged[-1].is_excused


async def test_one_who_cannot_be_moved_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a defect")

    async with open_stage() as stage:
        await with_low(stage)
        faulty: Any = Guest(stage)
        good: Any = Guest(stage)
        for guest in (faulty, good):
            stage.enter(guest)
        monkeypatch.setattr(faulty.delivery, "move", broken)
        for guest in (faulty, good):
            stage.renditions.choose(guest, LOW)
        await stage.film(4)
        assert faulty.delivery.failed
        assert not good.delivery.failed
        assert good.seat.rendition is LOW


async def test_a_follower_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with open_stage() as stage:
        await with_low(stage)
        guest: Any = Guest(stage)
        stage.enter(guest)
        told: list[RenditionChosen] = []

        def fails(chosen: RenditionChosen) -> None:
            if chosen.pinned:
                raise RuntimeError("a defect")

        guest.seat.follow(fails)
        guest.seat.follow(told.append)
        stage.renditions.choose(guest, LOW)
        await stage.film(3)
        assert told[-1].rendition is LOW
        assert caplog.text.count("a defect of Lagebild") == 1


async def test_the_fan_out_ends_with_the_bus() -> None:
    async with open_stage() as stage:
        running = asyncio.create_task(stage.renditions.run())
        await asyncio.sleep(0)
        await stage.bus.aclose()
        async with asyncio.timeout(1):
            await running


def test_a_unit_of_every_rendition_has_the_sources_clock() -> None:
    """What the moves rely on: flow.units.rtp_timestamp knows no rendition."""
    unit: AccessUnit = Camera(FEED).keyframe()
    assert {replace(unit, rendition=r).rtp_timestamp for r in Rendition} == {unit.rtp_timestamp}


async def test_an_encoder_that_falls_behind_breaks_no_group() -> None:
    """What is left out of the middle of a group damages what follows, however late it is."""
    async with open_stage() as stage:
        encoder = await with_low(stage)
        guest: Any = Guest(stage)
        stage.enter(guest)
        stage.renditions.choose(guest, LOW)
        await stage.film(4)
        encoder.delay_ms = 5000
        await stage.film(6)
        made = [b - a for a, b in pairwise(stamps(guest)[-30:])]
        assert set(made) == {3000}
        assert guest.seat.rendition is LOW


async def test_a_viewer_over_the_network_decrypts_all_of_it_and_its_report_tells() -> None:
    async with one_viewer() as (house, viewer):
        [before] = house.relay.viewers()
        assert (before.rendition, before.pinned) == (SOURCE, False)
        told: list[RenditionChosen] = []
        house.relay.follow(before.session_id, told.append)
        house.relay.choose(before.session_id, LOW)
        small = Camera(house.camera.feed_id, LOW, size=40)
        for n in range(40):
            house.film()
            house.film(small.keyframe() if n % 20 == 3 else small.delta())
            await house.pass_s(0.1, [viewer])
            await viewer.settle()
        [after] = house.relay.viewers()
        assert (after.rendition, after.pinned) == (LOW, True)
        assert house.relay.rendition(after.session_id) == told[-1]
        assert len(viewer.packets) == len(set(viewer.sequences))  # each could be opened, once
        firsts = sorted(set(viewer.sequences))
        assert firsts == list(range(firsts[0], firsts[0] + len(firsts)))
        sizes = {len(packet.payload) for packet in viewer.packets[-20:]}
        assert sizes == {36}
        with pytest.raises(NotFoundError):
            house.relay.choose("another", LOW)
