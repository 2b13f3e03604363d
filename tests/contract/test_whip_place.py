"""The relay and ingest together: when a publisher by WHIP has a feed's place, and what the feed tells of the
others."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from flow.clock import NS_PER_MS
from flow.errors import ConfigError, LagebildError, RefusedError, UnacceptableError, UnavailableError
from ingest.protocol.events import Gone, Opened, SourceEvent, SourcePicture
from ingest.publications import TELL_EVERY_NS, Publications, Publisher
from ingest.rtp_publication import WhipDesk
from ingest.settings import FeedSource
from tests.fakes.clock import FakeClock
from tests.fakes.derived_keys import DerivedKeys
from tests.fakes.encoded import h264_pictures
from tests.fakes.light_publisher import LightPublisher
from tests.unit.relay.watching import FEED, House, open_house

KEY = f"k-{FEED}"
PHONE, LAPTOP = "192.0.2.7", "2001:db8::8"


class Keys(DerivedKeys):
    """Good until they are withdrawn, or their file breaks."""

    def __init__(self) -> None:
        self.trouble: LagebildError | None = None

    def check(self, feed_id: str, key: str) -> None:
        if self.trouble:
            raise self.trouble
        super().check(feed_id, key)


class Place:
    """One feed that is pushed, with a relay before it."""

    def __init__(self, house: House, publications: Publications, keys: Keys) -> None:
        self.house, self.publications, self.keys = house, publications, keys
        self.events: list[SourceEvent] = []
        publications.place(FEED).attach(self.events.append)
        self.events.clear()

    async def offer(self, publisher: LightPublisher, address: str = PHONE, key: str = KEY) -> None:
        publisher.accept((await self.house.relay.publish(FEED, key, publisher.offer(), address)).sdp)

    async def connect(self, publisher: LightPublisher, address: str) -> None:
        """Connected, and in its place."""
        await publisher.connect()
        await publisher.until(lambda: self.opened()[-1:] == [f"whip://{address}"])

    async def show(self, publisher: LightPublisher) -> None:
        """A picture of this publisher arrives."""
        before = self.pictures()
        publisher.send(*publisher.picture(h264_pictures(1)[0].data))
        await publisher.until(lambda: self.pictures() > before)

    def opened(self) -> list[str]:
        return [event.address for event in self.events if isinstance(event, Opened)]

    def pictures(self) -> int:
        return sum(isinstance(event, SourcePicture) for event in self.events)

    def gone(self) -> list[Gone]:
        return [event for event in self.events if isinstance(event, Gone)]

    def told(self) -> list[tuple[str, str]]:
        return [(event.reason, event.detail) for event in self.gone()]

    async def refusal(self, offer: str = "v=0", key: str = KEY, address: str = PHONE) -> str:
        with pytest.raises(LagebildError) as refused:
            await self.house.relay.publish(FEED, key, offer, address)
        return refused.value.code


@asynccontextmanager
async def a_place(*, takeover: bool = False, source: str = "whip") -> AsyncIterator[Place]:
    clock, keys = FakeClock(), Keys()
    publications = Publications([FeedSource(FEED, source, takeover=takeover)], keys, clock)
    async with open_house(ingest=WhipDesk(publications, clock), clock=clock) as house:
        yield Place(house, publications, keys)


async def test_who_only_makes_offers_ends_nobodys_picture() -> None:
    async with a_place(takeover=True) as place:
        with LightPublisher() as phone, LightPublisher() as laptop:
            await place.offer(phone)
            assert place.events == []  # it has not connected yet
            await place.connect(phone, PHONE)
            await place.show(phone)
            for n in range(5):
                await place.offer(laptop, f"192.0.2.{n}")
            await place.show(phone)
            for _ in range(16):  # until the offers have lapsed
                await place.house.pass_s(1, [phone])
                await place.show(phone)
            assert not phone.said_goodbye
            assert (place.opened(), place.gone()) == ([f"whip://{PHONE}"], [])


async def test_the_newer_one_takes_over_as_soon_as_it_is_connected_and_not_before() -> None:
    async with a_place(takeover=True) as place:
        with LightPublisher() as phone, LightPublisher() as laptop:
            await place.offer(phone)
            await place.connect(phone, PHONE)
            await place.offer(laptop, LAPTOP)
            await place.show(phone)
            laptop.open()
            laptop.check()  # the way is there, the handshake is not
            await laptop.until(lambda: bool(laptop.answers))
            await place.show(phone)
            await laptop.shake_hands()
            await phone.until(lambda: phone.said_goodbye)
            assert place.opened() == [f"whip://{PHONE}", f"whip://{LAPTOP}"]
            await place.show(laptop)
            assert place.gone() == []


@pytest.mark.parametrize("takeover", [False, True])
async def test_of_two_that_connect_at_once_the_first_has_the_place_unless_they_take_over(
    takeover: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with a_place(takeover=takeover) as place:
        with LightPublisher() as phone, LightPublisher() as laptop:
            await place.offer(phone)
            await place.offer(laptop, LAPTOP)
            await place.connect(laptop, LAPTOP)
            await phone.connect()
            stays, goes = (phone, laptop) if takeover else (laptop, phone)
            await goes.until(lambda: goes.said_goodbye)
            await place.show(stays)
            assert not stays.said_goodbye
            assert place.opened() == [f"whip://{LAPTOP}", f"whip://{PHONE}"][: 1 + takeover]
            assert place.gone() == []
    told = (
        "was sent off: another publisher has taken this feed over"
        if takeover
        else f"is refused: feed '{FEED}' has a publisher already, at {LAPTOP}"
    )
    assert told in caplog.text


async def test_who_is_silent_for_two_seconds_yields_to_the_next() -> None:
    async with a_place() as place:
        with LightPublisher() as phone, LightPublisher() as laptop:
            await place.offer(phone)
            await place.connect(phone, PHONE)
            await place.show(phone)
            assert await place.refusal(laptop.offer(), address=LAPTOP) == "feed_busy"
            await place.house.pass_s(2.1, [phone])
            await place.offer(laptop, LAPTOP)
            await place.connect(laptop, LAPTOP)
            await phone.until(lambda: phone.said_goodbye)


async def test_who_is_cut_off_as_its_key_is_withdrawn_has_made_room_for_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with a_place() as place:
        with LightPublisher() as phone:
            await place.offer(phone)
            await place.connect(phone, PHONE)
            place.publications.dismiss(FEED)
            await phone.until(lambda: phone.said_goodbye)
            assert [event.reason for event in place.gone()] == ["key_withdrawn"]
    assert "was sent off: its key was withdrawn" in caplog.text
    assert "another publisher" not in caplog.text


async def test_a_key_withdrawn_before_the_connection_stands_is_of_no_use() -> None:
    async with a_place() as place:
        with LightPublisher() as phone:
            await place.offer(phone)
            place.keys.trouble = RefusedError("it was withdrawn", code="key_wrong")
            await phone.connect()
            await phone.until(lambda: phone.said_goodbye)
            assert place.told() == [("key_wrong", f"a publisher at {PHONE} was refused: it was withdrawn")]


async def test_a_feed_that_nobody_sends_to_tells_why_a_publisher_may_not() -> None:
    async with a_place() as place:
        video = LightPublisher().offer()
        assert await place.refusal(video, key="") == "key_missing"
        place.house.clock.advance(TELL_EVERY_NS)
        assert await place.refusal(video, key="k-otto", address=LAPTOP) == "key_wrong"
        place.house.clock.advance(TELL_EVERY_NS)
        assert await place.refusal(video.replace("H264/", "VP8/")) == UnacceptableError.code
        place.house.clock.advance(TELL_EVERY_NS)
        assert await place.refusal("no offer") == "bad_offer"
        await place.house.relay.publish(FEED, KEY, video, PHONE)
        await place.house.pass_s(16)
        reasons = [event.reason for event in place.gone()]
        assert reasons == ["key_missing", "key_wrong", "not_acceptable", "bad_offer", "not_connected"]
        details = [event.detail for event in place.gone()]
        assert details[0].startswith(f"a publisher at {PHONE} was refused: ")
        assert details[1].startswith(f"a publisher at {LAPTOP} was refused: ")
        assert "VP8" in details[2]
        assert details[4] == f"a publisher at {PHONE} got no further: never connected"


async def test_a_flood_of_refusals_is_told_of_once_a_second_and_harms_no_picture(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_place() as place:
        for n in range(300):
            await place.refusal(key=f"s3cret{n}", address=f"192.0.2.{n % 250}")
            place.house.clock.advance(10 * NS_PER_MS)
        assert len(place.gone()) == 3
        with LightPublisher() as phone:
            await place.offer(phone)
            await place.connect(phone, PHONE)
            for n in range(300):
                await place.refusal(key=f"s3cret{n}")
                place.house.clock.advance(5 * NS_PER_MS)
            assert len(place.gone()) == 3
            await place.show(phone)
        lines = [record.message for record in caplog.records if record.name == "lagebild.ingest"]
        assert 3 <= len(lines) <= 6
        assert "s3cret" not in caplog.text + str(place.events)


async def test_what_stands_for_the_feed_may_be_the_key_and_is_written_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_place() as place:
        with pytest.raises(RefusedError):
            await place.house.relay.publish("s3cret", "", LightPublisher().offer(), PHONE)
        assert place.events == []
        assert "no feed of ours was named" in caplog.text
        assert "s3cret" not in caplog.text


async def test_what_a_long_bad_offer_says_stays_short() -> None:
    async with a_place() as place:
        offer = LightPublisher().offer().replace("H264/", f"{'X' * 5000}/")
        assert await place.refusal(offer) == UnacceptableError.code
        [(_, detail)] = place.told()
        assert len(detail) < 400


async def test_where_keys_cannot_be_read_nobody_publishes_and_no_path_is_told() -> None:
    async with a_place() as place:
        place.keys.trouble = ConfigError("/var/lib/lagebild/publish-keys.json cannot be read")
        with pytest.raises(UnavailableError) as refused:
            await place.house.relay.publish(FEED, KEY, LightPublisher().offer(), PHONE)
        assert "/var" not in f"{refused.value}{place.events}"
        assert [reason for reason, _ in place.told()] == ["keys_unreadable"]


async def test_a_feed_that_is_pushed_otherwise_says_nothing_of_whip() -> None:
    async with a_place(source="rtmp") as place:
        assert await place.refusal() == "not_pushed"
        assert place.events == []


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("192.0.2.7:51234", "192.0.2.7"),
        ("[2001:db8::8]:51234", "[2001:db8::8]"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::8", "2001:db8::8"),
    ],
)
def test_a_publishers_host_has_no_port(address: str, host: str) -> None:
    assert Publisher("whip", address).host == host
