"""What viewers say by RTCP and what comes of it, over real SRTP."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.rtp import signed_distance
from flow.flights import KeyframeWanted
from relay.protocol.rtcp import compact_ntp
from relay.stream import ssrc_of
from tests.fakes.clock import START_NS
from tests.fakes.encoded import as_units, h264_pictures
from tests.fakes.light_viewer import LightViewer, fir, nack, pli, receiver_report, remb
from tests.fakes.whep_player import Player

from .watching import FEED, House, one_viewer, open_house

SSRC = ssrc_of(FEED)
PICTURE_NS = NS_PER_S // 30
MBIT = 1_000_000


async def film(house: House, viewer: LightViewer, count: int, size: int = 3000) -> None:
    """So many pictures at 30 a second, all seen by the viewer."""
    seen = len(viewer.timestamps)
    viewer.check()
    for number in range(count):
        house.clock.advance(PICTURE_NS)
        house.film(house.camera.delta(size))
        await viewer.until_pictures(seen + number + 1)


async def test_a_nack_is_answered_with_the_same_packet_byte_for_byte() -> None:
    async with one_viewer() as (house, viewer):
        await film(house, viewer, 3)
        lost = viewer.media[4]
        before = list(viewer.media)
        viewer.send_rtcp(nack(SSRC, int.from_bytes(lost[2:4], "big")))
        await viewer.until(lambda: len(viewer.media) > len(before))
        assert viewer.media == [*before, lost]
        report = house.relay.viewers()[0]
        assert (report.resent_packets, report.sent_packets) == (1, len(before))
        sums = house.relay.traffic()[0]
        assert (sums.resent_packets, sums.nacked_packets) == (1, 1)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_the_first_parameter_sets_come_twice_where_packets_are_lost(kind: str) -> None:
    units = as_units(h264_pictures(30), FEED)
    async with open_house() as house:
        with LightViewer() as viewer:
            house.film(*units[:10])
            await house.join(viewer, kind)
            await viewer.until_pictures(10)
            first = viewer.media[0]
            assert viewer.media.count(first) == (2 if kind == "udp" else 1)
            assert viewer.media.index(first, 1 if kind == "udp" else 0) < 2
            assert viewer.packets[0].payload[0] & 0x1F == 24  # a STAP-A with SPS and PPS
            assert len(set(viewer.media[1:])) == len(viewer.media[1:])


@pytest.mark.parametrize("request_for", [pli(SSRC), fir(SSRC, 1)], ids=["pli", "fir"])
async def test_a_lost_picture_is_answered_with_the_group_under_its_own_numbers(request_for: bytes) -> None:
    async with one_viewer() as (house, viewer):
        await film(house, viewer, 20)
        group = list(viewer.media)
        viewer.send_rtcp(request_for)
        await viewer.until(lambda: len(viewer.media) == 2 * len(group))
        assert viewer.media == [*group, *group]
        viewer.send_rtcp(request_for)  # within a second: the same loss, said again
        await viewer.settle()
        await film(house, viewer, 1)
        assert len(viewer.media) == 2 * len(group) + 3
        assert house.bus.peek(KeyframeWanted, FEED) is None
        assert house.relay.traffic()[0].keyframe_requests == 2


async def test_a_group_that_was_no_help_comes_again_under_new_numbers() -> None:
    async with one_viewer() as (house, viewer):
        await film(house, viewer, 20)
        group = list(viewer.packets)
        for _ in range(2):  # the first time, libsrtp of the viewer refuses them as replays
            viewer.send_rtcp(pli(SSRC))
            await viewer.settle()
            await house.pass_s(1.1, [viewer])
        again = viewer.packets[len(group) :]
        assert [p.payload for p in again] == [p.payload for p in group]
        assert [p.timestamp for p in again] == [p.timestamp for p in group]
        await viewer.until(lambda: len(viewer.packets) == 2 * len(group))
        house.film()
        await viewer.until_pictures(22)
        numbers = [p.sequence for p in viewer.packets]
        assert numbers == list(range(numbers[0], numbers[0] + 2 * len(group) + 1))
        count = len(viewer.media)
        viewer.send_rtcp(nack(SSRC, numbers[5], numbers[len(group) + 6], numbers[-1]))
        await viewer.settle()
        assert viewer.sequences[count:] == [numbers[5], numbers[len(group) + 6], numbers[-1]]
        viewer.send_rtcp(pli(SSRC))  # whoever cannot be helped does not get it every second
        await viewer.settle()
        await house.pass_s(1.1, [viewer])
        assert len(viewer.media) == count + 3


async def test_requests_about_another_stream_are_nobodys() -> None:
    async with one_viewer() as (house, viewer):
        await film(house, viewer, 3)
        count = len(viewer.media)
        viewer.send_rtcp(pli(SSRC ^ 1))
        viewer.send_rtcp(nack(SSRC ^ 1, viewer.sequences[0]))
        await viewer.settle()
        assert len(viewer.media) == count
        sums = house.relay.traffic()[0]
        assert (sums.keyframe_requests, sums.nacked_packets) == (0, 0)


async def test_a_group_too_old_to_repeat_brings_one_wish_for_a_keyframe_a_second() -> None:
    async with one_viewer() as (house, viewer):
        with LightViewer() as other:
            await house.join(other)
            await film(house, viewer, 60, size=30_000)  # more packets than libsrtp protects again
            asked = house.bus.latest(KeyframeWanted, FEED)
            wishes: list[int] = []
            for _ in range(60):
                for who in (viewer, other):
                    who.send_rtcp(pli(SSRC))
                    await who.settle()
                house.film()
                house.clock.advance(PICTURE_NS)
                await house.turn()
                wishes += [wish.utc_ns for wish in asked.drain()]
            assert 2 <= len(wishes) <= 3
            assert all(later - sooner >= NS_PER_S for sooner, later in pairwise(wishes))


async def test_sender_reports_say_when_each_picture_was_captured() -> None:
    async with one_viewer() as (house, viewer):
        units = [replace(house.camera.delta(), utc_ns=START_NS + n * PICTURE_NS) for n in range(75)]
        # The camera's clock is 40 ms behind ours: what is captured now will only come then.
        for unit in units:
            house.clock.advance(max(0, unit.utc_ns + 40 * NS_PER_MS - house.clock.now_ns()))
            house.film(unit)
            await house.turn()
            viewer.read()
        assert len(viewer.reports) == 3
        for report in viewer.reports:
            assert report.ssrc == SSRC
            for unit in units:
                since_90k = (report.ntp_ns - unit.utc_ns) * 9 // 100_000
                told = unit.rtp_timestamp + since_90k & 0xFFFF_FFFF
                assert abs(signed_distance(told, report.rtp_timestamp, 1 << 32)) <= 2
        assert [b.ntp_ns - a.ntp_ns for a, b in pairwise(viewer.reports)] == pytest.approx(
            [NS_PER_S] * 2, abs=150 * NS_PER_MS
        )


async def test_sender_reports_count_packets_and_what_is_in_them() -> None:
    async with one_viewer() as (house, viewer):
        await film(house, viewer, 40, size=5000)
        await house.pass_s(1.0, [viewer])
        report = viewer.reports[-1]
        assert report.packet_count == len(viewer.packets)
        assert report.octet_count == sum(len(packet.payload) for packet in viewer.packets)  # RFC 3550 6.4.1


async def test_pictures_shown_in_another_order_than_sent_keep_their_own_times() -> None:
    async with one_viewer() as (house, viewer):
        steps = [0, 4, 2, 1, 3, 8, 6, 5, 7]  # presentation of pictures in the order of sending
        first = house.camera.keyframe()
        house.film(first)
        units = [first]
        for number, step in enumerate(steps[1:], 1):
            unit = house.camera.delta()
            shown_90k = first.dts_90k + (step + 2) * 3000
            units.append(
                replace(unit, pts_90k=shown_90k, utc_ns=first.utc_ns + (step + 2 - number) * PICTURE_NS)
            )
            house.film(units[-1])
        await viewer.until_pictures(1 + len(units))
        assert [p.timestamp for p in viewer.packets[1:]] == [u.rtp_timestamp for u in units]
        assert viewer.sequences == list(range(viewer.sequences[0], viewer.sequences[0] + 10))


async def test_reports_are_seen_as_loss_round_trip_and_bandwidth() -> None:
    async with one_viewer() as (house, viewer):
        await house.pass_s(1.0, [viewer])
        lsr = compact_ntp(viewer.reports[-1].ntp_ns)
        sent_ns = viewer.reports[-1].ntp_ns
        house.clock.advance(sent_ns + 540 * NS_PER_MS - house.clock.now_ns())
        viewer.send_rtcp(
            receiver_report(SSRC, lost=26, highest=100, lsr=lsr, dlsr=65536 // 2) + remb(3 * MBIT, SSRC)
        )
        await viewer.settle()
        report = house.relay.viewers()[0]
        assert report.loss == pytest.approx(0.1, abs=0.01)
        assert report.rtt_ms == pytest.approx(40.0, abs=0.1)
        assert report.jitter_ms == pytest.approx(1.0)
        assert report.estimated_bps == pytest.approx(3 * MBIT, rel=0.001)


async def test_one_viewer_on_a_bad_way_takes_nobody_behind_its_address_the_instant_start() -> None:
    async with one_viewer() as (house, viewer):
        await film(house, viewer, 60, size=15_000)
        with LightViewer() as lossy, LightViewer() as late:
            session_id = await house.join(lossy)
            await house.pass_s(2.0, [viewer, lossy])  # its group has come
            for _ in range(7):
                viewer.check()
                lossy.send_rtcp(receiver_report(SSRC, lost=26))
                await house.pass_s(1.0, [viewer, lossy])
            await house.relay.close(session_id)
            await house.join(late)
            await house.pass_s(2.0, [late])
            assert len(late.timestamps) == 61  # the whole group


async def test_forged_repeated_and_senseless_feedback_is_counted_and_changes_nothing() -> None:
    async with one_viewer() as (house, viewer):
        await film(house, viewer, 5)
        session = next(iter(house.relay._viewers.values()))
        assert session._srtp_in is not None
        good = viewer.send_rtcp(nack(SSRC, viewer.sequences[0]))
        await viewer.settle()
        count = len(viewer.media)
        house.clock.advance(NS_PER_S)
        forged = [good, good[:-1] + bytes([good[-1] ^ 1]), good[:8], b"\x80\xc9\0\1" + bytes(40), good[:20]]
        for packet in forged:
            viewer.wire.send(packet)
        await viewer.settle()
        assert session._srtp_in.refused == len(forged)
        assert len(viewer.media) == count
        viewer.send_rtcp(b"\x80\xc9\x00\x50" + bytes(20))  # signed, but its length points outside
        await viewer.settle()
        assert house.relay._sessions._refused["malformed"] == 1
        assert house.relay._sessions._refused["defect"] == 0
        await film(house, viewer, 1)


async def test_a_flood_of_requests_is_answered_within_its_bounds_and_the_others_go_on() -> None:
    async with one_viewer() as (house, viewer):
        with LightViewer() as hostile:
            await house.join(hostile)
            await film(house, viewer, 30)
            hostile.read()
            newest = hostile.sequences[-1]
            everything = nack(SSRC, *((newest - n) & 0xFFFF for n in range(300)))
            for _ in range(500):
                hostile.send_rtcp(everything)
                hostile.send_rtcp(pli(SSRC))
                await house.turn()
            await film(house, viewer, 3)
            sums = house.relay.traffic()[0]
            assert sums.nacked_packets < 5000  # of 150,000: the rest was not read
            assert sums.resent_packets <= 110  # 128 KB
            assert len(viewer.timestamps) == 34


async def test_a_feed_that_stops_and_comes_back_in_another_size_while_three_watch() -> None:
    small = as_units(h264_pictures(30), FEED)
    pause_90k = 8 * 90_000
    large = [
        replace(
            unit, epoch=2, dts_90k=unit.dts_90k + pause_90k, pts_90k=unit.pts_90k + pause_90k,
            utc_ns=unit.utc_ns + 8 * NS_PER_S,
        )
        for unit in as_units(h264_pictures(30, 640, 352), FEED)
    ]  # fmt: skip
    async with open_house() as house:
        async with Player() as one, Player() as other:
            with LightViewer() as light:
                house.film(*small[:10])
                await house.join(light)
                for player in (one, other):
                    await player.play((await house.relay.answer(FEED, await player.offer())).sdp)
                    assert (await player.frame()).width == 320
                await house.pass_s(8.0)
                await light.settle()
                house.film(*large)
                for player in (one, other):
                    while (await player.frame()).width != 640:
                        pass
                await light.until_pictures(40)
                assert light.timestamps == [u.rtp_timestamp for u in [*small[:10], *large]]
                assert all((b - a) & 0xFFFF == 1 for a, b in pairwise(light.sequences[1:]))
                assert {r.pictures_dropped for r in house.relay.viewers()} == {0}


async def test_the_rollover_counter_goes_on_where_sequence_numbers_wrap() -> None:
    """After 37 minutes at 4 Mbit/s: libsrtp on the other side opens every packet, resent ones included."""
    async with open_house() as house:
        house.relay.fan_outs[FEED].stream._next = 3 * 65_536 + 32_000  # the feed has run for hours
        with LightViewer() as viewer, LightViewer() as late:
            house.film(house.camera.keyframe(50_000))
            await house.join(viewer)
            await viewer.until_pictures(1)
            assert viewer.sequences[0] == 32_000
            while len(viewer.packets) < 33_300:
                await film(house, viewer, 1, size=60_000)
            house.clock.advance(PICTURE_NS)
            house.film(house.camera.keyframe(30_000))
            await viewer.until_pictures(len(viewer.timestamps) + 1)
            await film(house, viewer, 20, size=12_000)
            wrap = viewer.sequences.index(0)
            group = [p for p in viewer.media if int.from_bytes(p[4:8], "big") in viewer.timestamps[-21:]]
            assert viewer.media.index(group[0]) < wrap < len(viewer.media) - 20
            count = len(viewer.media)
            viewer.send_rtcp(nack(SSRC, 65_530, 65_535, 0, 3))
            await viewer.settle()
            assert viewer.sequences[count:] == [65_530, 65_535, 0, 3]
            viewer.send_rtcp(pli(SSRC))
            await viewer.settle()
            await house.pass_s(0.5, [viewer])
            assert viewer.media[count + 4 :] == group
            assert len(viewer.packets) == count  # all that came again was the very same
            await house.join(late)
            await house.pass_s(0.5, [late])
            assert len(late.timestamps) == 21
            assert late.sequences[0] < 1 << 15
            await film(house, viewer, 3)
            assert house.relay.viewers()[0].pictures_dropped == 0


async def test_ballast_goes_before_a_sender_report_where_it_is_to_be_found_out_what_fits() -> None:
    async with one_viewer() as (house, viewer):
        probe = next(iter(house.relay._viewers.values())).feedback.probe
        for _ in range(8):
            probe.ask(4 * MBIT)  # as relay/renditions.py does for who is sent `low`
            await film(house, viewer, 30)
            await viewer.settle()
            sent_ns = viewer.reports[-1].ntp_ns
            viewer.send_rtcp(receiver_report(SSRC, highest=viewer.sequences[-1], lsr=compact_ntp(sent_ns)))
            await viewer.settle()
        heavy = [size for size in viewer.rtcp_bytes if size > 1000]
        assert len(heavy) >= 10
        assert set(heavy) <= set(range(1180, 1205))
        assert len(viewer.reports) > len(viewer.rtcp_bytes) - len(heavy)  # some of the heavy ones are reports
