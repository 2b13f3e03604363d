"""Publishers' sessions: a light publisher over loopback, time moved by hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from flow.clock import NS_PER_S
from flow.codec.rtp import SenderReport
from flow.errors import BusyError, NotFoundError, OfferError, RefusedError, TooManyError, UnacceptableError
from flow.flights import KeyframeWanted
from flow.units import Codec
from relay.protocol import rtcp
from relay.publisher import READ_AT_ONCE_BYTES
from relay.settings import RelaySettings
from tests.fakes.encoded import h264_pictures
from tests.fakes.ingest_door import FakeIngest, FakePublication
from tests.fakes.light_publisher import PAYLOAD_TYPE, SSRC, LightPublisher
from tests.unit.relay.watching import FEED, OTHER, House, open_house

KEY = f"k-{FEED}"
CLIENT = "192.0.2.7"
START = b"\x00\x00\x01"


@asynccontextmanager
async def publishing(
    settings: RelaySettings | None = None, *, client: bool = True, kind: str = "udp"
) -> AsyncIterator[tuple[House, LightPublisher, FakePublication]]:
    """A connected publisher."""
    ingest = FakeIngest()
    async with open_house(settings, ingest=ingest) as house:
        with LightPublisher(client=client) as publisher:
            answer = await house.relay.publish(FEED, KEY, publisher.offer(), CLIENT)
            publisher.accept(answer.sdp)
            await publisher.connect(kind)
            await until(lambda: house.relay._publishers.by_id[answer.session_id].state == "connected")
            yield house, publisher, ingest.publications[0]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


@pytest.mark.parametrize("client", [True, False], ids=["DTLS client", "DTLS server, as ffmpeg"])
@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_pictures_arrive_packet_by_packet_as_they_come(client: bool, kind: str) -> None:
    async with publishing(client=client, kind=kind) as (_, publisher, publication):
        sends = (publication.address, publication.codec, publication.payload_type)
        assert sends == (CLIENT, Codec.H264, PAYLOAD_TYPE)
        sent = []
        for picture in h264_pictures(5):
            packets = publisher.picture(picture.data)
            publisher.send(*packets)
            sent += packets
        await until(lambda: len(publication.taken) == len(sent))
        assert publication.taken == sent
        assert publication.closed == []


async def test_what_comes_right_behind_the_handshake_is_kept() -> None:
    ingest = FakeIngest()
    async with open_house(ingest=ingest) as house:
        with LightPublisher(client=False) as publisher:
            publisher.accept((await house.relay.publish(FEED, KEY, publisher.offer(), CLIENT)).sdp)
            await publisher.connect()
            (session,) = house.relay._publishers.by_id.values()
            assert (session.state, ingest.publications) == ("connecting", [])
            publisher.send(*(sent := publisher.picture(h264_pictures(1)[0].data)))
            publisher.wire.send(b"\x80" * 20)
            await until(lambda: [p.taken for p in ingest.publications] == [sent])


async def test_a_lost_packet_is_asked_for_and_comes_in_its_place() -> None:
    async with publishing() as (house, publisher, publication):
        first, second, third = (publisher.picture(b"\x00\x00\x01\x65" + b"\xff" * 50) for _ in range(3))
        publisher.send(*first, *third)
        await until(lambda: publication.taken == first)
        while not (nacks := [m for m in publisher.asked if isinstance(m, rtcp.Nack)]):
            await house.pass_s(0.1, [publisher])
        number = int.from_bytes(second[0][2:4], "big")
        assert nacks[0] == rtcp.Nack(SSRC, (number,))
        publisher.send(*second)
        await until(lambda: len(publication.taken) == 3)
        assert publication.taken == [*first, *second, *third]


async def test_what_never_comes_is_given_up_and_a_keyframe_asked_for() -> None:
    async with publishing() as (house, publisher, publication):
        first, _, third = (
            publisher.picture(START + bytes((kind,)) + b"\xff" * 50) for kind in (0x65, 0x41, 0x41)
        )
        publisher.send(*first, *third)
        await until(lambda: publication.taken == first)
        (session,) = house.relay._publishers.by_id.values()
        await until(session._gap.is_set)
        await house.pass_s(0.7, [publisher])
        assert publication.taken == [*first, *third]
        assert rtcp.PictureLoss(SSRC) in publisher.asked
        nacks = [m for m in publisher.asked if isinstance(m, rtcp.Nack)]
        assert 2 <= len(nacks) <= 8  # once a round trip


async def test_the_publisher_hears_reports_and_what_it_may_send() -> None:
    async with publishing() as (house, publisher, publication):
        publisher.send(*publisher.picture(h264_pictures(1)[0].data))
        await until(lambda: bool(publication.taken))
        publisher.send_rtcp(SenderReport(SSRC, house.clock.now_ns(), 0, 1, 1).serialize())
        await until(lambda: len(publication.taken) > 1 and publication.taken[-1][1] == 200)
        await house.pass_s(1.0, [publisher])
        await publisher.settle()
        reports = [m for m in publisher.asked if isinstance(m, rtcp.ReceiverReport)]
        assert {report.ssrc for report in reports} == {SSRC}
        assert reports[-1].lsr == rtcp.compact_ntp(house.clock.now_ns() - NS_PER_S)
        assert any(isinstance(m, rtcp.Remb) and m.bitrate_bps > 10**7 for m in publisher.asked)


async def test_a_viewers_wish_for_a_keyframe_reaches_the_publisher() -> None:
    async with publishing() as (house, publisher, publication):
        publisher.send(*publisher.picture(h264_pictures(1)[0].data))
        await until(lambda: bool(publication.taken))
        assert rtcp.PictureLoss(SSRC) not in publisher.asked
        for _ in range(5):
            house.bus.publish(KeyframeWanted(FEED, house.clock.now_ns()))
            await house.turn()
        await publisher.until(lambda: rtcp.PictureLoss(SSRC) in publisher.asked)
        await publisher.settle()
        assert publisher.asked.count(rtcp.PictureLoss(SSRC)) == 1


async def test_whoever_leaves_gives_the_place_back_and_is_told_of_once() -> None:
    async with publishing() as (house, publisher, publication):
        session_id = next(iter(house.relay._publishers.by_id))
        await house.relay.trickle(session_id, "")
        await house.relay.close(session_id)
        assert publication.closed == [("publisher_left", "the publisher by WHIP: left")]
        with pytest.raises(NotFoundError):
            await house.relay.close(session_id)
        await publisher.until(lambda: publisher.said_goodbye)
        await house.turn()
        assert len(publication.closed) == 1
        assert house.relay._sessions._by_path == {}


async def test_close_notify_ends_the_session() -> None:
    async with publishing() as (house, publisher, publication):
        publisher.hang_up()
        await until(lambda: bool(publication.closed))
        assert publication.closed[0][0] == "publisher_left"
        assert house.relay._publishers.by_id == {}


async def test_who_is_displaced_is_said_goodbye_to() -> None:
    async with publishing() as (house, publisher, publication):
        publication.displaced("its key was withdrawn")
        await publisher.until(lambda: publisher.said_goodbye)
        assert house.relay._publishers.by_id == {}


async def test_who_never_connects_is_told_of_as_that() -> None:
    ingest = FakeIngest()
    async with open_house(ingest=ingest) as house:
        await house.relay.publish(FEED, KEY, LightPublisher().offer(), CLIENT)
        await house.pass_s(16)
        assert ingest.publications == []
        assert ingest.dropped == [("not_connected", "never connected")]


@pytest.mark.parametrize("checks", [True, False], ids=["it only checks", "it says nothing"])
async def test_who_falls_silent_is_let_go_after_half_a_minute(checks: bool) -> None:
    async with publishing() as (house, publisher, publication):
        publisher.send(*publisher.picture(h264_pictures(1)[0].data))
        await until(lambda: bool(publication.taken))
        for _ in range(29):
            if checks:
                publisher.check()
            await house.pass_s(1, [publisher])
        assert publication.closed == []
        await house.pass_s(2, [publisher])
        assert [reason for reason, _ in publication.closed] == ["publisher_silent"]


async def test_a_flood_is_not_even_opened() -> None:
    async with publishing() as (house, publisher, publication):
        packets = [publisher.picture(b"\x00\x00\x01\x41" + b"\xff" * 1000)[0] for _ in range(64)]
        datagrams = [publisher.protected(packet) for packet in packets]
        for _ in range(0, 2 * READ_AT_ONCE_BYTES, 64 * 1000):
            for datagram in datagrams:
                publisher.wire.send(datagram)
            await publisher.settle()
        refused = house.relay.refused()
        assert refused["media above its bound"] > 1000
        assert len(publication.taken) == 64
        house.clock.advance(NS_PER_S)
        publisher.send(*(good := publisher.picture(h264_pictures(1)[0].data)))
        await until(lambda: publication.taken[-len(good) :] == good)


async def test_forged_and_garbled_media_is_counted_and_harms_nothing() -> None:
    async with publishing() as (house, publisher, publication):
        for datagram in (b"\x80" + bytes(40), b"\x80\xc9" + bytes(40), b"\x80", b"\x80\xc8", b"\xbf" * 1400):
            publisher.wire.send(datagram)
        publisher.send_rtcp(b"\x81\xcd\x00\x01" + SSRC.to_bytes(4, "big"))
        await publisher.settle()
        assert house.relay.refused()["srtp"] >= 4
        assert house.relay.refused().get("defect", 0) == 0
        publisher.send(*(good := publisher.picture(h264_pictures(1)[0].data)))
        await until(lambda: publication.taken == good)


async def test_the_key_and_the_place_come_before_the_offer_and_nothing_is_taken_by_it() -> None:
    ingest = FakeIngest()
    async with open_house(ingest=ingest) as house:
        offer = LightPublisher().offer()
        for key, code in (("", "key_missing"), ("k-otto", "key_wrong")):
            with pytest.raises(RefusedError) as refused:
                await house.relay.publish(FEED, key, "no offer", CLIENT)
            assert refused.value.code == code
        with pytest.raises(OfferError):
            await house.relay.publish(FEED, KEY, "no offer", CLIENT)
        with pytest.raises(UnacceptableError):
            await house.relay.publish(FEED, KEY, offer.replace("H264/", "VP8/"), CLIENT)
        assert [reason for reason, _ in ingest.dropped] == ["bad_offer", "not_acceptable"]
        ingest.refuse = RefusedError("somebody sends", code="feed_busy")
        with pytest.raises(RefusedError, match="somebody sends"):
            await house.relay.publish(FEED, KEY, offer, CLIENT)
        ingest.refuse = None
        await house.relay.publish(FEED, KEY, offer, CLIENT)
        assert ingest.publications == []


async def test_who_is_refused_the_place_after_all_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ingest = FakeIngest()
    async with open_house(ingest=ingest) as house:
        with LightPublisher() as publisher:
            publisher.accept((await house.relay.publish(FEED, KEY, publisher.offer(), CLIENT)).sdp)
            ingest.refuse = RefusedError("somebody sends", code="feed_busy")
            await publisher.connect()
            await publisher.until(lambda: publisher.said_goodbye)
            assert house.relay._publishers.by_id == {}
            assert (ingest.publications, ingest.dropped) == ([], [])  # by whom it was refused, it is told
    assert "is refused: somebody sends" in caplog.text


async def test_without_an_ingest_nobody_publishes() -> None:
    async with open_house() as house:
        with pytest.raises(RefusedError) as refused:
            await house.relay.publish(FEED, KEY, LightPublisher().offer(), CLIENT)
        assert refused.value.code == "not_pushed"


async def test_one_address_has_so_many_sessions_that_are_connecting() -> None:
    ingest = FakeIngest()
    settings = RelaySettings(connecting_per_address=2)
    async with open_house(settings, ingest=ingest) as house:
        offer = LightPublisher().offer()
        for _ in range(2):
            await house.relay.publish(FEED, KEY, offer, CLIENT)
        with pytest.raises(TooManyError):
            await house.relay.publish(FEED, KEY, offer, CLIENT)
        await house.relay.publish(FEED, KEY, offer, "192.0.2.8")


async def test_a_feed_has_so_many_sessions_that_are_connecting() -> None:
    async with open_house(RelaySettings(connecting_per_feed=2), ingest=FakeIngest()) as house:
        offer = LightPublisher().offer()
        for n in range(2):
            await house.relay.publish(FEED, KEY, offer, f"192.0.2.{n}")
        with pytest.raises(BusyError):
            await house.relay.publish(FEED, KEY, offer, CLIENT)
        await house.relay.publish(OTHER, f"k-{OTHER}", offer, CLIENT)


async def test_at_shutdown_publishers_are_said_goodbye_to() -> None:
    async with publishing() as (house, publisher, publication):
        await house.stop()
        await publisher.until(lambda: publisher.said_goodbye)
        assert len(publication.closed) == 1
        with pytest.raises(BusyError):
            await house.relay.publish(FEED, KEY, publisher.offer(), CLIENT)
