"""RTP numbers of one viewer, against a list of every packet that was sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.protocol.sequence import SKIPS_KEPT, SequenceMap

QUICK = settings(derandomize=True, deadline=None, max_examples=200)
FAR = st.integers(0, 1 << 40)


class Viewer:
    """Sends like the relay does, and remembers everything: `sent[i]` is the feed sequence of packet i."""

    def __init__(self, first: int) -> None:
        self.map = SequenceMap()
        self.map.start(first)
        self.sent: list[int] = []
        self.numbers: list[int] = []
        self.next = first

    def send(self, packets: int) -> None:
        feed = range(self.next, self.next + packets)
        self.sent += feed
        self.numbers += [(seq + self.map.offset) & 0xFFFF for seq in feed]
        self.next += packets

    def skip(self, packets: int) -> None:
        self.map.skip(self.next + packets, self.next)
        self.next += packets

    def check(self, rtp_seq: int) -> None:
        """The newest packet of that number, if it is among the last 2^15 sent."""
        recent = range(len(self.sent) - 1, max(len(self.sent) - 0x8000, 0) - 1, -1)
        truth = next((self.sent[i] for i in recent if self.numbers[i] == rtp_seq), None)
        assert self.map.feed_seq_of(rtp_seq, self.sent[-1]) == truth


@given(first=FAR)
@QUICK
def test_starts_below_two_to_the_fifteen_with_one_of_two_offsets(first: int) -> None:
    sequence = SequenceMap()
    sequence.start(first)
    assert sequence.offset in (0, 0x8000)
    assert (first + sequence.offset) & 0xFFFF < 0x8000


@given(
    first=FAR,
    steps=st.lists(
        st.tuples(st.integers(1, 9000), st.one_of(st.just(0), st.integers(1, 200), st.integers(1, 200_000))),
        min_size=1,
        max_size=12,
    ),
    asked=st.lists(st.integers(0, 0xFFFF), max_size=8),
    back=st.lists(st.integers(0, 70_000), max_size=8),
)
@QUICK
def test_every_number_leads_back_to_its_packet(
    first: int, steps: list[tuple[int, int]], asked: list[int], back: list[int]
) -> None:
    viewer = Viewer(first)
    for packets, skipped in steps:
        viewer.send(packets)
        viewer.skip(skipped)
    start = viewer.numbers[0]
    assert viewer.numbers == [(start + i) & 0xFFFF for i in range(len(viewer.sent))]  # without gap
    recent = [viewer.numbers[-1 - age] for age in back if age < len(viewer.numbers)]
    beyond = [(viewer.numbers[-1] + step) & 0xFFFF for step in (1, 100)]
    edges = [(start + step) & 0xFFFF for step in (-1, 0)]
    for rtp_seq in [*asked, *recent, *beyond, *edges]:
        viewer.check(rtp_seq)


def test_every_number_over_a_wrap_with_skips_in_it() -> None:
    viewer = Viewer(0x1_7FF0)
    for _ in range(40):
        viewer.send(1000)
        viewer.skip(37)
    viewer.send(1)
    last = viewer.sent[-1]
    for age in range(0x8000):
        index = len(viewer.sent) - 1 - age
        assert viewer.map.feed_seq_of(viewer.numbers[index], last) == viewer.sent[index]
    assert viewer.map.feed_seq_of(viewer.numbers[-1 - 0x8000], last) is None


def test_nothing_was_sent_before_the_start() -> None:
    sequence = SequenceMap()
    assert sequence.feed_seq_of(0, 0) is None
    sequence.start(100)
    assert sequence.feed_seq_of(99, 105) is None
    assert sequence.feed_seq_of(100, 105) == 100
    assert sequence.feed_seq_of(106, 105) is None  # not sent yet


def test_skipping_nothing_changes_nothing() -> None:
    sequence = SequenceMap()
    sequence.start(5)
    sequence.skip(9, 9)
    assert sequence.offset == 0
    with pytest.raises(ValueError, match="skip back from feed sequence 9 to 8"):
        sequence.skip(8, 9)


def test_skips_in_a_row_are_one() -> None:
    viewer = Viewer(1000)
    viewer.send(10)
    for _ in range(SKIPS_KEPT + 5):
        viewer.skip(100)
    for number in viewer.numbers:
        viewer.check(number)  # before anything is sent again
    viewer.send(10)
    assert viewer.numbers == list(range(1000, 1020))
    for number in viewer.numbers:
        viewer.check(number)


def test_what_was_sent_before_too_many_skips_is_forgotten_and_nothing_else() -> None:
    viewer = Viewer(0)
    for _ in range(SKIPS_KEPT + 5):
        viewer.send(10)
        viewer.skip(1)
    viewer.send(10)
    found = [viewer.map.feed_seq_of(number, viewer.sent[-1]) for number in viewer.numbers]
    kept = SKIPS_KEPT * 10
    assert found == [None] * (len(found) - kept) + viewer.sent[-kept:]


def test_a_new_start_forgets_the_old_numbers() -> None:
    sequence = SequenceMap()
    sequence.start(0)
    sequence.skip(500, 10)
    sequence.start(70_000)
    assert (70_000 + sequence.offset) & 0xFFFF == 70_000 & 0x7FFF
    assert sequence.feed_seq_of(70_000 & 0x7FFF, 70_000) == 70_000
    assert sequence.feed_seq_of(5, 70_000) is None


def test_going_back_continues_the_numbers_and_both_lead_to_the_packet() -> None:
    numbers = SequenceMap()
    numbers.start(1000)
    numbers.go_back(1000, 1300)
    assert [(n + numbers.offset) & 0xFFFF for n in (1000, 1001)] == [1300, 1301]
    assert numbers.feed_seq_of(1299, 999) == 1299  # nothing was sent under the new numbers yet
    assert numbers.feed_seq_of(1300, 999) is None
    assert [numbers.feed_seq_of(n, 1010) for n in (1000, 1299, 1300, 1310)] == [1000, 1299, 1000, 1010]
    numbers.skip(1500, 1011)
    assert (1500 + numbers.offset) & 0xFFFF == 1311
    with pytest.raises(ValueError, match="cannot go back"):
        numbers.go_back(1600, 1500)


@given(
    first=FAR,
    other=FAR,
    sent=st.integers(1, 5000),
    then=st.integers(1, 5000),
    back=st.lists(st.integers(0, 9999), max_size=8),
)
@QUICK
def test_another_stream_goes_on_with_the_numbers_and_none_leads_back(
    first: int, other: int, sent: int, then: int, back: list[int]
) -> None:
    before = SequenceMap()
    before.start(first)
    index = before.index_of(first + sent)
    numbers = SequenceMap()
    numbers.go_on(other, index)
    assert (other + numbers.offset) & 0xFFFF == (first + sent + before.offset) & 0xFFFF
    newest = other + then - 1
    for age in back:
        rtp_seq = (newest + numbers.offset - age) & 0xFFFF
        assert numbers.feed_seq_of(rtp_seq, newest) == (newest - age if age < then else None)
