"""The sending side of one viewer: where it is in the stream, what is left out for it, what it gets again.

A viewer in step is sent each picture whole, as it comes. One that cannot keep up (a narrow path, a full TCP
buffer, the start with its cached group) has a backlog of references to pictures that all viewers share, and
is served from it at its own pace (`sending.py`); too far behind, it loses whole pictures up to the next
keyframe.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from flow.clock import NS_PER_MS, NS_PER_S

from .piece import Link, Sent
from .protocol.layout import Run, WirePicture
from .protocol.pacer import Pacer
from .protocol.resend import ResendBudget
from .protocol.sequence import SequenceMap
from .sending import Sending
from .srtp import WINDOW_PACKETS
from .stream import Stream

__all__ = ["Delivery", "Link", "Sent"]

log = logging.getLogger("lagebild.relay")

CATCH_UP_NS = 4 * NS_PER_S
LATE_NS = 500 * NS_PER_MS
TOO_LATE_NS = NS_PER_S
GROUP_WITHIN_S = 1.0
REPEAT_WITHIN_S = 0.5
REPEAT_EVERY_NS = NS_PER_S
RENUMBER_EVERY_NS = 4 * NS_PER_S


class Delivery(Sending):
    """Sends one stream to one viewer by `path`, which may be set anew at any time."""

    def __init__(self, stream: Stream, link: Link, pacer: Pacer, sent: Sent) -> None:
        super().__init__(stream, link, pacer, sent)
        self.failed = False
        self.catching_up = False
        self.times_late = 0
        """How often what waited was so old that it was left out."""
        self._numbers = SequenceMap()
        self._resends = ResendBudget()
        self._moves_to: tuple[Stream, int] | None = None
        self._goes_on_at: int | None = None  # index of the first packet of the stream moved to
        self._waits_for_keyframe = True
        self._silent = self._held = False
        self._catch_up_until_ns = 0
        self._repeated = -1  # first feed sequence number of the group that was repeated last
        self._repeated_ns = -REPEAT_EVERY_NS
        self._renumbered_ns = -RENUMBER_EVERY_NS

    @property
    def stream(self) -> Stream:
        """What it is sent, or will be as soon as it has a keyframe."""
        return self._stream

    def start(self, now_ns: int) -> None:
        """Begin with the cached group, contiguous with what follows; without one at the next keyframe."""
        if self._moves_to is not None or self._silent:
            return
        group = self._stream.history.group()
        if not group or self._seconds_for(group) > GROUP_WITHIN_S:
            self._stream.keyframe_wanted = True
            return
        self._begin(group[0], now_ns)
        for picture in group:
            self._queue(picture)

    def move(self, stream: Stream, payload_type: int, now_ns: int) -> None:
        """Be sent another stream from now on, in its payload type; `start` it then.

        The numbers go on without a gap. What waits is left out, but for a picture that is half sent: that
        one comes to its end first. What was sent of the stream before is not sent again.
        """
        if self._backlog:
            self._drop_backlog()
        self._moves_to = (stream, payload_type)
        if not self._backlog:
            self._arrive(now_ns)

    def _arrive(self, now_ns: int) -> None:
        if self._moves_to is None:
            return
        if self._next is not None and self._goes_on_at is None:
            self._goes_on_at = self._numbers.index_of(max(self._next, self._unsent))
        self._stream, payload_type = self._moves_to
        self._moves_to = None
        self._shape = self._shape._replace(payload_type=payload_type)
        self._numbers = SequenceMap()  # no number leads to a packet of this stream yet
        self._unsent, self._repeated, self._held = 0, -1, False
        self._waits_for_keyframe = True

    def offer(self, picture: WirePicture, now_ns: int) -> None:
        """The next picture of the stream: send it now, or as soon as it may go.

        This runs for every picture and viewer, so a viewer in step is sent to without another call of ours
        than to the pacer and the outlet.
        """
        if self._backlog or self._waits_for_keyframe or self._is_tcp or self.failed:
            self._isolated(self._offer, picture, now_ns)
            return
        try:
            if not self.pacer.take(picture.size_bytes, now_ns):
                self._queue(picture)
                self._pump(now_ns)
                return
            sent, send = self._sent, self._outlet.send
            for run in picture.runs(self._key):
                if send(run, self._srtp, self._path):
                    sent.packets += run.count
                    sent.bytes += run.size_bytes
                elif self._path.was_full:
                    self._wait_for_room(picture, run)
                    return
                else:
                    sent.refused_packets += run.count
            self._next = self._unsent = picture.first + picture.count
            sent.pictures += 1
        except Exception:
            self._fail()

    def _wait_for_room(self, picture: WirePicture, run: Run) -> None:
        """Keep the picture from this run on, with its numbers: without offload some of it may have gone."""
        self._queue(picture)
        self._backlog[-1].next = run.first
        self._unsent = picture.first + run.first + run.count
        self.blocked = True

    def rest(self, silent: bool) -> None:
        """Send nothing to a viewer that has said nothing for long, until it has, and a keyframe comes.

        Packets for a neighbour that has left the network pile up in the one socket of all viewers.
        """
        self._silent = self._paused(silent, self._silent)

    def hold(self, held: bool, now_ns: int) -> None:
        """Send no more of a stream that does not get through, until it is moved or held no longer.

        Then it begins anew with the cached group, as a new viewer does: the next keyframe may be far away.
        """
        was_held, self._held = self._held, self._paused(held, self._held)
        if was_held and not held:
            self._isolated(self._begin_anew, now_ns)

    def _begin_anew(self, now_ns: int) -> None:
        if not self._waits_for_keyframe or self._silent or self._moves_to is not None or self._backlog:
            return
        group = self._stream.history.group()
        if not group or self._seconds_for(group) > GROUP_WITHIN_S:
            return  # the keyframe is asked for already
        if group[0].first < self._unsent:
            self._renumber(group[0], now_ns)
            self._goes_on(group[0], now_ns)
        else:
            self._begin(group[0], now_ns)
        for picture in group:
            self._queue(picture)
        self._pump(now_ns)

    def _paused(self, pauses: bool, paused: bool) -> bool:
        if pauses and not self._waits_for_keyframe:
            if self._backlog:
                self._drop_backlog()
            self._waits_for_keyframe = True
        elif paused and not pauses:
            self._stream.keyframe_wanted = True
        return pauses

    def pump(self, now_ns: int) -> None:
        """Send as much of the backlog as may go now."""
        self._isolated(self._pump, now_ns)

    def _isolated(self, step: Callable[..., None], *arguments: Any) -> None:
        """Whatever goes wrong here is a defect of ours and must not reach other viewers: it ends this one."""
        if self.failed:
            return
        try:
            step(*arguments)
        except Exception:
            self._fail()

    def _fail(self) -> None:
        log.exception("feed %s: a viewer cannot be sent to", self._stream.feed_id)
        self.failed = True

    def _offer(self, picture: WirePicture, now_ns: int) -> None:
        if self._moves_to is not None:
            return  # it is in the group to begin with
        if self._waits_for_keyframe:
            if self._silent or self._held or not picture.keyframe:
                self._sent.dropped_pictures += 1
                return
            self._begin(picture, now_ns)
        if self._backlog:
            self._fall_in(picture, now_ns)
        else:
            self._queue(picture)
            self._pump(now_ns)

    def _pump(self, now_ns: int) -> None:
        self.blocked = False
        while self._backlog:
            piece = self._backlog[0]
            if not self._send_rest(piece, now_ns):
                return
            self._backlog.popleft()
            self.backlog_bytes -= piece.picture.size_bytes
            self._sent.pictures += 1
        self.catching_up = False
        if self._moves_to is not None:
            self._arrive(now_ns)
            self.start(now_ns)
            self._pump(now_ns)

    def resend(self, sequences: Sequence[int], rtt_ms: float | None, now_ns: int) -> None:
        """Answer a NACK (RFC 4585 6.2.1) with the same packets, as far as the viewer's budget goes."""
        if self._held:
            return
        for sequence in self._resends.admitted(sequences, now_ns):
            number = self._number_of(sequence)
            if number is None or not self._can_repeat(number):
                continue
            found = self._stream.history.find(number)
            if found is None:
                continue
            picture, index = found
            run = picture.single(index, self._shape, (sequence - number) & 0xFFFF)
            size = len(run.data)
            may_go = self._room(now_ns) >= size and self._resends.grant(number, size, rtt_ms, now_ns)
            if may_go and self._send(run):
                self._sent.resent_packets += 1

    def repeat_group(self, now_ns: int) -> None:
        """Answer a PLI (RFC 4585 6.3.1) with the current group: whatever is missing is in it.

        First under the same numbers, which fills the gaps. If that was no help, or is too long ago, under new
        ones: what a receiver has thrown away, it takes no second time by its old number.
        """
        if self._waits_for_keyframe:
            self._stream.keyframe_wanted |= not (self._silent or self._held)
            return
        if now_ns - self._repeated_ns < REPEAT_EVERY_NS or self._moves_to is not None:
            return
        group = self._stream.history.group()
        if group and group[0].first >= self._unsent:
            return  # it waits to be sent for the first time
        self._repeated_ns = now_ns
        if not group or self._seconds_for(group) > REPEAT_WITHIN_S:
            self._stream.keyframe_wanted = True
            return
        if group[0].first == self._repeated or not self._has_had(group[0]):
            self._stream.keyframe_wanted = True  # better, from a source that gives one
            if now_ns - self._renumbered_ns < RENUMBER_EVERY_NS:
                return
            self._renumber(group[0], now_ns)
        self._repeated = group[0].first
        self._backlog.clear()
        self.backlog_bytes = 0
        for picture in group:
            self._queue(picture)
        self._catch_up_until_ns = now_ns + CATCH_UP_NS

    def _renumber(self, keyframe: WirePicture, now_ns: int) -> None:
        self._renumbered_ns = now_ns
        self._numbers.go_back(keyframe.first, self._unsent)
        self._key = (self._shape, self._numbers.offset)
        self._unsent = keyframe.first

    def _number_of(self, sequence: int) -> int | None:
        return self._numbers.feed_seq_of(sequence, self._unsent - 1)

    def _can_repeat(self, number: int) -> bool:
        """Whether libsrtp still protects this packet once more."""
        return self._unsent - number <= WINDOW_PACKETS

    def _has_had(self, picture: WirePicture) -> bool:
        """Whether this picture was sent with the present offset, not too long ago to be sent again."""
        number = self._number_of((picture.first + self._numbers.offset) & 0xFFFF)
        return number == picture.first and self._can_repeat(picture.first)

    def _begin(self, keyframe: WirePicture, now_ns: int) -> None:
        """Start, or go on after intended drops, with this keyframe."""
        if self._goes_on_at is not None:
            self._numbers.go_on(keyframe.first, self._goes_on_at)
            self._goes_on_at, self._unsent = None, keyframe.first
        elif self._next is None:
            self._numbers.start(keyframe.first)
        else:
            self._numbers.skip(keyframe.first, self._next)
        self._key = (self._shape, self._numbers.offset)
        if self._next is None and keyframe.parameters_apart and not self._is_tcp:
            self._send_ahead(keyframe)
        self._goes_on(keyframe, now_ns)

    def _goes_on(self, keyframe: WirePicture, now_ns: int) -> None:
        self._next = keyframe.first
        self._waits_for_keyframe = False
        self.catching_up = True
        self._catch_up_until_ns = now_ns + CATCH_UP_NS

    def _send_ahead(self, keyframe: WirePicture) -> None:
        """One copy more of the packet with the parameter sets, which no NACK asks for if it is lost.

        Chromium throws away the beginning of a slice that comes without them, and then takes it no second
        time either: SRTP calls it a replay. There would be no picture until the next keyframe.
        """
        self._send(keyframe.single(0, self._shape, self._numbers.offset))
        self._unsent = keyframe.first + 1

    def _fall_in(self, picture: WirePicture, now_ns: int) -> None:
        """Queue behind the backlog, unless that is so old that it is better dropped."""
        late_ns = now_ns - self._backlog[0].picture.arrived_ns
        if picture.keyframe and late_ns > LATE_NS:
            self.times_late += 1
            self._drop_backlog()
            self._begin(picture, now_ns)
        elif late_ns > TOO_LATE_NS and now_ns > self._catch_up_until_ns:
            self.times_late += 1
            self._drop_backlog()
            self._sent.dropped_pictures += 1
            self._waits_for_keyframe = self._stream.keyframe_wanted = True
            return
        self._queue(picture)
