"""Sessions of the relay, watched by a real WebRTC client over loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from flow.clock import NS_PER_S
from flow.errors import BusyError, NotFoundError, OfferError, TooManyError
from flow.flights import RenditionWanted, SourceState, SourceStatus
from flow.memory_bus import MemoryBus
from flow.units import Codec, CodecConfig, Rendition
from relay import sessions
from relay.aiortc_seam import DtlsServer
from relay.hub import Relay
from relay.settings import RelaySettings
from tests.fakes.clock import FakeClock
from tests.fakes.encoded import as_units, h264_pictures
from tests.fakes.whep_player import Player

FEED = "fritz-tag"


class House:
    """A relay with its bus and clock."""

    def __init__(self, **limits: Any) -> None:
        self.clock = FakeClock()
        self.bus = MemoryBus()
        settings = replace(RelaySettings(viewers_per_feed=3, connecting_per_feed=16), **limits)
        self.relay = Relay(self.bus, self.clock, settings, [FEED])

    async def until_nobody_watches(self) -> None:
        async with asyncio.timeout(10):
            while self.relay.viewers():
                await asyncio.sleep(0)


@asynccontextmanager
async def open_house(**limits: int) -> AsyncIterator[House]:
    house = House(**limits)
    running = asyncio.create_task(house.relay.run())
    try:
        yield house
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await house.bus.aclose()


async def test_a_late_joiner_gets_the_group_and_then_live_on_the_feeds_own_clock() -> None:
    units = as_units(h264_pictures(60), FEED)
    async with open_house() as house, Player() as player:
        for unit in units[:10]:
            house.bus.publish(unit)
        answer = await house.relay.answer(FEED, await player.offer())
        await player.play(answer.sdp)
        shown = [(await player.frame()).pts for _ in range(5)]
        for unit in units[10:20]:
            house.bus.publish(unit)
        while shown[-1] != 18 * 3000:  # the receiver holds back the newest picture
            shown.append((await player.frame()).pts)
        assert shown == [n * 3000 for n in range(19)]
        assert player.rtp_timestamps == [u.rtp_timestamp for u in units[:20]]
        report = house.relay.viewers()[0]
        assert (report.state, report.pictures_sent, report.pictures_dropped) == ("connected", 20, 0)


async def test_two_viewers_share_one_rtp_clock() -> None:
    units = as_units(h264_pictures(60), FEED)
    async with open_house() as house, Player() as one, Player() as other:
        for unit in units[:10]:
            house.bus.publish(unit)
        for player in (one, other):
            await player.play((await house.relay.answer(FEED, await player.offer())).sdp)
            await player.frame()
        assert one.rtp_timestamps[0] == other.rtp_timestamps[0] == units[0].rtp_timestamp


async def test_leaving_frees_everything() -> None:
    async with open_house() as house, Player() as player:
        answer = await house.relay.answer(FEED, await player.offer())
        await house.relay.close(answer.session_id)
        assert house.relay.viewers() == []
        with pytest.raises(NotFoundError):
            await house.relay.close(answer.session_id)
        with pytest.raises(NotFoundError):
            await house.relay.trickle(answer.session_id, "")


async def test_a_viewer_that_closes_its_connection_is_freed_without_delete() -> None:
    units = as_units(h264_pictures(60), FEED)
    async with open_house() as house:
        async with Player() as player:
            house.bus.publish(units[0])
            await player.play((await house.relay.answer(FEED, await player.offer())).sdp)
            house.bus.publish(units[1])
            await player.frame()
        await house.until_nobody_watches()


async def test_a_viewer_that_never_connects_is_dropped() -> None:
    async with open_house() as house, Player() as player:
        await house.relay.answer(FEED, await player.offer())
        for _ in range(6):
            await asyncio.sleep(0)
            house.clock.advance(4 * NS_PER_S)
        await house.until_nobody_watches()


async def test_limits_and_wrong_requests_are_refused_clearly() -> None:
    async with open_house(viewers_per_feed=1) as house, Player() as player:
        offer = await player.offer()
        with pytest.raises(NotFoundError, match="no feed 'otto'; there are fritz-tag"):
            await house.relay.answer("otto", offer)
        with pytest.raises(OfferError):
            await house.relay.answer(FEED, "v=0\r\nm=video 9 RTP/AVP 96\r\n")
        assert house.relay.viewers() == []
        await house.relay.answer(FEED, offer)
        with pytest.raises(BusyError, match="has 1 viewers"):
            await house.relay.answer(FEED, offer)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a=fmtp:77 x=1", "a=fmtp"),
        ("a=setup:nobody", "KeyError: 'nobody'"),
        ("m=audio 9 RTP/AVP 300", "AssertionError"),
        ("a=extmap:1", "not enough values"),
        ("a=rtcp-fb:*", "IndexError"),
    ],
)
async def test_what_aiortc_stumbles_over_is_the_offers_fault_and_leaves_nothing(line: str, said: str) -> None:
    async with open_house() as house, Player() as player:
        offer = await player.offer()
        tasks = asyncio.all_tasks()
        with pytest.raises(OfferError, match=f"cannot be read: .*{said}"):
            await house.relay.answer(FEED, f"{offer}{line}\r\n")
        assert house.relay.viewers() == []
        assert asyncio.all_tasks() <= tasks
        await house.relay.answer(FEED, offer)


async def test_offers_that_never_connect_do_not_take_the_places_of_viewers() -> None:
    units = as_units(h264_pictures(60), FEED)
    async with open_house(connecting_per_feed=1) as house, Player() as player, Player() as other:
        house.bus.publish(units[0])
        answer = await house.relay.answer(FEED, await player.offer())
        with pytest.raises(BusyError, match="has 1 viewers still connecting"):
            await house.relay.answer(FEED, await other.offer())
        await player.play(answer.sdp)
        house.bus.publish(units[1])
        await player.frame()
        await house.relay.answer(FEED, await other.offer())  # the place is free again


async def test_a_session_that_does_not_close_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def hangs(server: DtlsServer) -> None:
        await asyncio.Event().wait()

    async def fails(server: DtlsServer) -> None:
        raise AttributeError("half-made")

    really_close, trouble = DtlsServer.close, iter((hangs, fails))

    async def close(server: DtlsServer) -> None:
        try:
            await next(trouble, really_close)(server)
        finally:
            await really_close(server)

    monkeypatch.setattr(sessions, "CLOSE_WITHIN_S", 0.05)
    monkeypatch.setattr(DtlsServer, "close", close)
    async with open_house() as house, Player() as player:
        offer = await player.offer()
        for _ in range(3):
            await house.relay.answer(FEED, offer)
        for _ in range(6):
            await asyncio.sleep(0)
            house.clock.advance(4 * NS_PER_S)
        await house.until_nobody_watches()
        await house.relay.answer(FEED, offer)  # the service goes on
        async with asyncio.timeout(10):
            while "given up" not in caplog.text:
                await asyncio.sleep(0.01)
    assert "does not close; it is given up" in caplog.text
    assert "half-made" in caplog.text


async def test_nothing_is_sent_to_an_address_that_an_offer_names() -> None:
    units = as_units(h264_pictures(60), FEED)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as named:
        named.bind(("127.0.0.1", 0))
        named.setblocking(False)
        host, port = named.getsockname()
        candidate = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host"
        for hidden in (
            f"{candidate}\r\n",
            f"{candidate}\n",
            f"a=x\v{candidate}\r\n",
            f"a=x\r{candidate}\r\n",
        ):
            async with open_house() as house, Player() as player:
                house.bus.publish(units[0])
                try:
                    answer = await house.relay.answer(FEED, await player.offer() + hidden)
                except OfferError:
                    continue
                await player.play(answer.sdp)
                house.bus.publish(units[1])
                await player.frame()  # by now all checks are under way
        with pytest.raises(BlockingIOError):
            named.recv(1)


async def test_who_cannot_show_h265_is_answered_and_web_is_asked_for() -> None:
    config = CodecConfig(Codec.H265, 1280, 720, 1, 0, 93, "4:2:0", 8, False, False)
    async with open_house() as house, Player() as player:
        house.bus.publish(SourceState(FEED, SourceStatus.LIVE, 0, config=config, notes=("codec_h265",)))
        wanted = house.bus.latest(RenditionWanted, f"{FEED}/{Rendition.WEB}")
        answer = await house.relay.answer(FEED, await player.offer())
        assert "H265" not in answer.sdp
        await player.play(answer.sdp)
        async with asyncio.timeout(10):
            assert (await anext(wanted)).rendition is Rendition.WEB
        for unit in as_units(h264_pictures(60), FEED)[:5]:
            house.bus.publish(replace(unit, rendition=Rendition.WEB))
            await asyncio.sleep(0)
        await player.frame()
        [report] = house.relay.viewers()
        assert (report.rendition, report.pinned) == (Rendition.WEB, False)


async def test_an_ipv6_network_is_one_address() -> None:
    async with open_house(viewers_per_address=1) as house, Player() as player:
        offer = await player.offer()
        await house.relay.answer(FEED, offer, "2001:db8:1:2::1")
        with pytest.raises(TooManyError, match="limit for one address"):
            await house.relay.answer(FEED, offer, "2001:db8:1:2:3:4:5:6")
        await house.relay.answer(FEED, offer, "2001:db8:1:3::1")
