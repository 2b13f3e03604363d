"""A viewer's session from its offer to its end: limits, silence, good-byes, defects, shutdown."""

from __future__ import annotations

import asyncio
import gc
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flow.clock import NS_PER_S
from flow.errors import BusyError, NotFoundError, TooManyError
from flow.flights import KeyframeWanted
from relay.settings import RelaySettings
from relay.stream import Stream
from tests.fakes.light_viewer import LightViewer

from .watching import FEED, OTHER, one_viewer, open_house


async def test_one_address_has_so_many_sessions_on_all_feeds_together() -> None:
    async with open_house(RelaySettings(viewers_per_address=2)) as house:
        offer = LightViewer().offer()
        first = await house.relay.answer(FEED, offer, "192.0.2.1")
        await house.relay.answer(OTHER, offer, "192.0.2.1")
        with pytest.raises(TooManyError, match=r"192\.0\.2\.1 .*2 times"):
            await house.relay.answer(FEED, offer, "192.0.2.1")
        await house.relay.answer(FEED, offer, "192.0.2.2")
        await house.relay.close(first.session_id)
        await house.relay.answer(FEED, offer, "192.0.2.1")


async def test_one_address_cannot_take_all_places_of_those_who_connect() -> None:
    async with open_house(RelaySettings(connecting_per_address=2)) as house:
        offer = LightViewer().offer()
        for feed in (FEED, OTHER):
            await house.relay.answer(feed, offer, "192.0.2.1")
        with pytest.raises(TooManyError, match=r"2 viewers of 192\.0\.2\.1 are still connecting") as told:
            await house.relay.answer(FEED, offer, "192.0.2.1")
        assert told.value.code == "address_connecting"
        await house.relay.answer(FEED, offer, "192.0.2.2")


async def test_an_address_that_is_not_known_is_not_limited() -> None:
    async with open_house(RelaySettings(viewers_per_address=1)) as house:
        for _ in range(3):
            await house.relay.answer(FEED, LightViewer().offer())


async def test_a_full_feed_leaves_the_other_its_places() -> None:
    async with open_house(RelaySettings(viewers_per_feed=1)) as house:
        offer = LightViewer().offer()
        await house.relay.answer(FEED, offer)
        with pytest.raises(BusyError, match=f"feed '{FEED}' has 1 viewers, its limit"):
            await house.relay.answer(FEED, offer)
        await house.relay.answer(OTHER, offer)


async def test_places_of_those_who_connect_are_free_again_once_they_have() -> None:
    async with open_house(RelaySettings(connecting_per_feed=1)) as house:
        with LightViewer() as one, LightViewer() as other:
            house.film(house.camera.keyframe())
            await house.join(one)
            answer = await house.relay.answer(FEED, other.offer())
            with pytest.raises(BusyError, match="1 viewers still connecting") as told:
                await house.relay.answer(FEED, other.offer())
            assert told.value.code == "feed_connecting"
            await house.relay.close(answer.session_id)
            await house.relay.answer(FEED, other.offer())


@pytest.mark.parametrize("checks", [False, True])
async def test_who_never_shakes_hands_is_dropped_in_time_whatever_it_checks(checks: bool) -> None:
    async with open_house(RelaySettings(connect_within_s=15.0)) as house:
        with LightViewer() as viewer:
            viewer.accept((await house.relay.answer(FEED, viewer.offer())).sdp)
            viewer.open()
            for _ in range(15):
                if checks:
                    viewer.check()
                    await viewer.until(lambda: bool(viewer.answers))
                    viewer.answers.clear()
                assert len(house.relay.viewers()) == 1
                await house.pass_s(1.0)
            await house.pass_s(0.2)
            assert house.relay.viewers() == []


async def test_a_silent_viewer_is_sent_nothing_after_10_s_and_is_gone_after_30_s() -> None:
    async with one_viewer() as (house, viewer):
        for _ in range(30 * 3 - 1):
            house.film()
            await house.pass_s(1 / 3, [viewer])
        await house.until("connected", 1)
        assert 30 <= len(viewer.timestamps) <= 36  # it is looked at once a second
        assert not viewer.said_goodbye
        seen = len(viewer.timestamps)
        for _ in range(5):
            await house.pass_s(1.0, [viewer])
        assert house.relay.viewers() == []
        await viewer.until(lambda: viewer.said_goodbye)
        house.film()
        await house.turn()
        viewer.read()
        assert len(viewer.timestamps) == seen


async def test_a_viewer_that_is_heard_again_goes_on_with_a_keyframe_and_without_a_gap() -> None:
    async with one_viewer() as (house, viewer):
        seen = len(viewer.timestamps)
        with house.bus.latest(KeyframeWanted, FEED) as wishes:
            await house.pass_s(12.0, [viewer])
            house.film(*house.camera.group(3))
            await house.turn()
            viewer.read()
            assert len(viewer.timestamps) == seen
            await viewer.settle()  # it is back, and checks
            await house.pass_s(1.2, [viewer])
            assert [wish.feed_id for wish in wishes.drain()] == [FEED]
        house.film(*house.camera.group(3))
        await viewer.until_pictures(seen + 3)
        assert all((b - a) & 0xFFFF == 1 for a, b in pairwise(viewer.sequences[1:]))


async def test_checks_keep_it_up_but_not_those_that_are_repeated() -> None:
    async with one_viewer() as (house, viewer):
        for _ in range(12):
            await house.pass_s(5.0)
            await viewer.settle()
        old = viewer.check()
        await viewer.until(lambda: len(viewer.answers) == 14)
        for _ in range(7):
            assert house.relay.viewers() != []
            await house.pass_s(5.0)
            viewer.wire.send(old)
            await house.turn()
        assert house.relay.viewers() == []


async def test_a_close_notify_ends_the_session_and_frees_its_place() -> None:
    async with one_viewer() as (house, viewer):
        viewer.hang_up()
        await house.until("", 0)


async def test_a_deleted_session_is_told_so_and_cannot_be_deleted_again() -> None:
    async with open_house() as house:
        with LightViewer() as viewer:
            house.film(house.camera.keyframe())
            session_id = await house.join(viewer)
            await house.relay.close(session_id)
            assert house.relay.viewers() == []
            await viewer.until(lambda: viewer.said_goodbye)
            for again in (house.relay.close(session_id), house.relay.trickle(session_id, "")):
                with pytest.raises(NotFoundError):
                    await again
            viewer.check()
            await house.turn()
            assert house.relay._sessions._refused["unknown session"] == 1


async def test_sums_keep_what_viewers_had_that_have_left() -> None:
    async with one_viewer() as (house, viewer):
        house.film(*house.camera.group(5))
        await viewer.until_pictures(6)
        before = house.relay.traffic()
        assert (before[0].feed_id, before[0].sent_packets) == (FEED, len(viewer.packets))
        assert before[0].bytes_sent == sum(map(len, viewer.media))
        viewer.hang_up()
        await house.until("", 0)
        assert house.relay.traffic() == before
        with LightViewer() as other:
            await house.join(other)
            await other.until_pictures(5)
            after = house.relay.traffic()
            assert after[0].sent_packets == before[0].sent_packets + len(other.packets)
        assert after[1] == before[1]


async def test_a_delivery_that_cannot_send_ends_its_own_viewer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async with one_viewer() as (house, viewer):
        with LightViewer() as other:
            faulty = await house.join(other)
            delivery = house.relay._viewers[faulty].delivery
            assert delivery is not None

            def broken(*_: Any) -> None:
                raise RuntimeError("a defect")

            monkeypatch.setattr(delivery.pacer, "take", broken)
            house.film()
            await viewer.until_pictures(2)
            await house.pass_s(0.2)
            assert house.state_of(faulty) == "gone"
            await other.until(lambda: other.said_goodbye)
            house.film()
            await viewer.until_pictures(3)


async def test_a_viewer_that_cannot_be_tended_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with one_viewer() as (house, viewer):
        with LightViewer() as other:
            faulty = await house.join(other)

            def broken(now_ns: int) -> None:
                raise RuntimeError("a defect")

            monkeypatch.setattr(house.relay._viewers[faulty], "tend", broken)
            await house.pass_s(1.0)
            assert house.state_of(faulty) == "gone"
            house.film()
            await viewer.until_pictures(2)
            await house.relay.answer(FEED, other.offer())  # the service goes on


async def test_a_defect_in_a_fan_out_ends_that_feeds_viewers_who_can_join_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with one_viewer() as (house, viewer):
        with LightViewer() as on_other_feed, LightViewer() as again:
            answer = await house.relay.answer(OTHER, on_other_feed.offer())
            on_other_feed.accept(answer.sdp)
            await on_other_feed.connect()
            with monkeypatch.context() as patch:
                patch.setattr(Stream, "accept", lambda *_: 1 / 0)
                house.film()
                await house.turn()
            assert "the fan-out failed" in caplog.text
            await house.until("", 1)
            assert house.state_of(answer.session_id) == "connected"
            await viewer.until(lambda: viewer.said_goodbye)
            await house.pass_s(1.1)
            house.film(house.camera.keyframe())
            await house.join(again)
            await again.until_pictures(1)


async def test_shutdown_says_goodbye_to_all_and_leaves_no_task_and_no_socket() -> None:
    gc.collect()
    tasks, sockets = asyncio.all_tasks(), open_sockets()
    async with open_house() as house:
        with LightViewer() as by_udp, LightViewer() as by_tcp, LightViewer() as connecting:
            house.film(house.camera.keyframe())
            await house.join(by_udp)
            await house.join(by_tcp, "tcp")
            connecting.accept((await house.relay.answer(FEED, connecting.offer())).sdp)
            connecting.open()
            await house.stop()
            await by_udp.until(lambda: by_udp.said_goodbye)
            with pytest.raises(BusyError, match="starting or stopping") as told:
                await house.relay.answer(FEED, connecting.offer())
            assert told.value.code == "starting"
    gc.collect()
    assert asyncio.all_tasks() == tasks
    assert open_sockets() == sockets


def open_sockets() -> int:
    links = Path("/proc/self/fd")
    return sum(
        os.readlink(links / fd).startswith("socket:") for fd in os.listdir(links) if (links / fd).exists()
    )


async def test_hours_of_watching_leave_nothing_behind() -> None:
    async with one_viewer() as (house, viewer):
        session = next(iter(house.relay._viewers.values()))
        for _ in range(400):
            house.clock.advance(8 * NS_PER_S)
            await viewer.settle()
            house.film(*house.camera.group(2))
            await house.turn()
        await viewer.until_pictures(801)
        assert len(session.ice._transactions) <= 256
        assert len(house.relay._sessions._by_path) == 1
        assert house.relay.viewers()[0].connected_ms == pytest.approx(3_200_000)
