"""What a feed tells of publishers that were turned away or cut off."""

from __future__ import annotations

from flow.errors import RefusedError
from ingest.protocol.events import Gone
from ingest.publications import Publisher
from tests.unit.ingest.test_ingest_publications import LAPTOP, PHONE, Desk

WRONG = RefusedError("feed 'tag': this key is wrong", code="key_wrong")


def test_a_feed_that_nobody_sends_to_tells_who_may_not() -> None:
    desk = Desk()
    desk.publications.refused("tag", PHONE, WRONG)
    assert desk.events[1:] == [
        Gone("key_wrong", "a publisher at 192.0.2.7 was refused: feed 'tag': this key is wrong")
    ]
    assert desk.open(LAPTOP).is_open


def test_who_sends_is_not_disturbed_by_who_may_not() -> None:
    desk = Desk()
    phone = desk.open(PHONE)
    before = len(desk.events)
    desk.publications.refused("tag", LAPTOP, WRONG)
    desk.publications.refused("nobody", LAPTOP, WRONG)
    assert (len(desk.events), phone.is_open) == (before, True)
    other = Desk()
    other.publications.refused(
        "tag", Publisher("srt", "192.0.2.7:1"), WRONG
    )  # this feed is not pushed by SRT
    assert len(other.events) == 1


def test_withdrawn_keys_cut_their_publisher_off_and_the_next_may_come() -> None:
    desk = Desk()
    phone = desk.open(PHONE)
    desk.publications.dismiss("tag")
    assert (phone.is_open, desk.displaced) == (False, [PHONE])
    gone = desk.events[-1]
    assert isinstance(gone, Gone)
    assert gone.reason == "key_withdrawn"
    phone.close()  # says nothing more
    assert desk.events[-1] is gone
    desk.publications.dismiss("tag")
    desk.publications.dismiss("nobody")
    assert desk.open(LAPTOP).is_open
