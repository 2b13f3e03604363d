"""The queue to Redis and the stamps on what it sends."""

from __future__ import annotations

import pytest

from flow.outbox import BATCH_LIMIT_BYTES, Inbox, Outbox, Shelf


def test_parcels_leave_in_order_stamped_per_stream() -> None:
    outbox = Outbox("me")
    for stream, message in [("a", b"1"), ("b", b"2"), ("a", b"3")]:
        outbox.put(stream, message)
    assert [(p.stream, p.stamp, p.message) for p in outbox.take()] == [
        ("a", "me:0", b"1"),
        ("a", "me:1", b"3"),
        ("b", "me:0", b"2"),
    ]
    assert outbox.take() == []
    assert len(outbox) == 0


def test_a_full_stream_loses_its_oldest_and_no_others() -> None:
    outbox = Outbox("me", limit_bytes=2000)
    outbox.put("quiet", b"kept")
    for _ in range(5):
        outbox.put("busy", bytes(500))
    assert outbox.dropped == 3
    assert [p.stamp for p in outbox.take() if p.stream == "busy"] == ["me:3", "me:4"]  # the gap shows


def test_many_tiny_messages_are_bounded_too() -> None:
    outbox = Outbox("me", limit_bytes=10_000)
    for _ in range(1000):
        outbox.put("a", b"")
    assert len(outbox) < 50


def test_a_batch_is_bounded_but_fair() -> None:
    outbox = Outbox("me")
    for _ in range(3):
        outbox.put("large", bytes(BATCH_LIMIT_BYTES))
    outbox.put("small", b"1")
    assert [p.stream for p in outbox.take()] == ["large", "small"]
    assert [p.stream for p in outbox.take()] == ["large"]


def test_inbox_tells_repetitions_and_gaps_per_publisher() -> None:
    inbox = Inbox()
    stamps = ["a:7", "a:8", "a:8", "a:7", "b:0", "a:9", "a:12", "a:10", "b:1"]
    assert [inbox.check(stamp) for stamp in stamps] == [
        (True, False),  # where we came in
        (True, False),
        (False, False),
        (False, False),
        (True, False),
        (True, False),
        (True, True),
        (False, False),
        (True, False),
    ]


def test_inbox_forgets_the_publishers_longest_gone() -> None:
    inbox = Inbox()
    inbox.check("old:5")
    for number in range(200):
        inbox.check(f"p{number}:0")
        inbox.check("busy:0")
    assert inbox.check("old:5") == (True, False)
    assert inbox.check("busy:0") == (False, False)


@pytest.mark.parametrize("stamp", ["", "a", "a:", "a:x", ":"])
def test_what_is_no_stamp(stamp: str) -> None:
    with pytest.raises(ValueError, match="int"):
        Inbox().check(stamp)


def test_shelf_says_from_where_on_to_keep() -> None:
    shelf = Shelf(limit_bytes=100)
    shelf.add(b"1-0", 60)
    assert shelf.oldest_id is None
    shelf.add(b"2-0", 40)
    assert shelf.oldest_id is None
    shelf.add(b"3-0", 10)
    assert shelf.oldest_id == b"2-0"
    shelf.add(b"4-0", 500)
    assert shelf.oldest_id == b"4-0"
