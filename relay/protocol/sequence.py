"""One viewer's RTP sequence numbers: the stream's own, moved so that what is left out leaves no gap."""

from __future__ import annotations

from collections import deque

SKIPS_KEPT = 64
"""NACKs reach back a second or two. Who skips more often than 32 times a second gets no old packet again."""


class SequenceMap:
    """Feed sequence (unbounded) <-> RTP sequence (16 bits) of one viewer.

    The packets sent to a viewer have an index without gaps, `feed sequence + shift`; its low 16 bits are the
    RTP sequence. A skip lowers the shift, going back raises it. Hence the few shifts of the past, each with
    the index from which it was in force, lead from every number back to its packet.
    """

    def __init__(self) -> None:
        self.offset = 0
        """To be added to the feed sequence, modulo 2^16."""
        self._shift = 0
        self._shifts: deque[tuple[int, int]] = deque(maxlen=SKIPS_KEPT)  # (first index, shift from there on)

    def start(self, feed_seq: int) -> None:
        """Begin with the packet `feed_seq`; nothing before it exists for this viewer.

        Its RTP sequence is below 2^15: a viewer that misses the first packets before a wrap would guess the
        wrong rollover counter and never decrypt anything (RFC 3711 3.3.1). There are only two offsets, so
        that viewers share packets laid out once.
        """
        self._shifts.clear()
        self._move(feed_seq, -(feed_seq & ~0x7FFF))

    def skip(self, next_feed_seq: int, from_feed_seq: int) -> None:
        """Leave out `from_feed_seq` to just before `next_feed_seq`, which continues the numbers."""
        if next_feed_seq < from_feed_seq:
            raise ValueError(f"cannot skip back from feed sequence {from_feed_seq} to {next_feed_seq}")
        if next_feed_seq > from_feed_seq:
            self._move(next_feed_seq, self._shift - (next_feed_seq - from_feed_seq))

    def go_back(self, feed_seq: int, next_feed_seq: int) -> None:
        """Send from `feed_seq` on once more, under the numbers that would be those of `next_feed_seq` on."""
        if feed_seq > next_feed_seq:
            raise ValueError(f"cannot go back from feed sequence {next_feed_seq} to {feed_seq}")
        self._move(feed_seq, self._shift + (next_feed_seq - feed_seq))

    def index_of(self, feed_seq: int) -> int:
        """The place of a packet among all that were and will be sent to this viewer, by the present shift."""
        return feed_seq + self._shift

    def go_on(self, feed_seq: int, index: int) -> None:
        """Begin another stream with its packet `feed_seq` at the place `index`, right after the one before.

        No number leads back to the other stream: whoever gets a keyframe of this one needs nothing of that.
        """
        self._shifts.clear()
        self._move(feed_seq, index - feed_seq)

    def feed_seq_of(self, rtp_seq: int, newest_feed_seq: int) -> int | None:
        """The packet that was sent as `rtp_seq`, or None if there is none.

        `newest_feed_seq` is the last packet sent to this viewer. What is not within the 2^15 numbers up to
        that one has not been sent yet, or too long ago.
        """
        if not self._shifts:
            return None
        # Right after a skip the last packet sent is from before it; its index is the one before the first.
        newest = max(newest_feed_seq + self._shift, self._shifts[-1][0] - 1)
        age = (newest - rtp_seq) & 0xFFFF
        if age >= 0x8000:
            return None
        index = newest - age
        for first, shift in reversed(self._shifts):
            if index >= first:
                return index - shift
        return None

    def _move(self, feed_seq: int, shift: int) -> None:
        """From `feed_seq` on `shift` is in force."""
        first = feed_seq + shift
        if self._shifts and self._shifts[-1][0] == first:
            self._shifts.pop()  # no packet has been sent since: skips in a row are one
        self._shifts.append((first, shift))
        self._shift = shift
        self.offset = shift & 0xFFFF
