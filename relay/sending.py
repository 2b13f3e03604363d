"""How pictures go to one viewer: what waits for it, and leaves in batches, as much as may go now."""

from __future__ import annotations

from collections import deque

from .piece import Link, Piece, Sent
from .port import Path
from .protocol.layout import Run, WirePicture
from .protocol.pacer import Pacer
from .stream import Stream

LEAST_BATCH = 4
TCP_WAITING_MOST = 64 * 1024


class Sending:
    """The backlog of one viewer and its way out; which pictures it is sent is for `Delivery` to say.

    A base and no part of it: a viewer in step is sent every picture past the backlog, without a call more.
    """

    def __init__(self, stream: Stream, link: Link, pacer: Pacer, sent: Sent) -> None:
        self.path = link.path
        self.pacer = pacer
        self.blocked = False
        """Whether the socket that all viewers share was full when this one was last sent to."""
        self.backlog_bytes = 0
        self._sent = sent
        self._stream = stream
        self._outlet = link.outlet
        self._srtp = link.srtp
        self._shape = link.shape
        self.overhead_bytes = link.shape.overhead_bytes
        self._key = (link.shape, 0)
        self._backlog: deque[Piece] = deque()
        self._next: int | None = None  # stream sequence number that the next RTP sequence number belongs to
        self._unsent = 0  # the one after the newest that was protected; those before it keep their numbers

    @property
    def path(self) -> Path:
        return self._path

    @path.setter
    def path(self, path: Path) -> None:
        self._path = path
        self._is_tcp = path.kind == "tcp"

    def waits_ns(self, now_ns: int) -> int:
        """For how long the oldest picture of the backlog has waited; 0 without one."""
        return now_ns - self._backlog[0].picture.arrived_ns if self._backlog else 0

    @property
    def has_backlog(self) -> bool:
        return bool(self._backlog)

    @property
    def handed_on(self) -> int:
        """Packets handed to the network so far, whether it took them or not."""
        return self._sent.packets + self._sent.refused_packets

    def _drop_backlog(self) -> None:
        """All but a picture that is half sent: cut off, it would look like loss."""
        half_sent = self._backlog[0] if self._backlog[0].next else None
        dropped = list(self._backlog)[1 if half_sent else 0 :]
        self._backlog.clear()
        self.backlog_bytes = 0
        if dropped:
            # Of a group that was being repeated, the numbers are used up already: SRTP must not give one of
            # them to another packet (RFC 3711 9.1, RFC 7714 8.1).
            self._next = max(dropped[0].picture.first, self._unsent)
            self._sent.dropped_pictures += len(dropped)
        if half_sent:
            self._backlog.append(half_sent)
            self.backlog_bytes = half_sent.picture.size_bytes

    def _queue(self, picture: WirePicture) -> None:
        as_it_came = picture is self._stream.newest
        runs = picture.shared_runs(self._key) if as_it_came else None
        self._backlog.append(Piece(picture, self._key, runs))
        self.backlog_bytes += picture.size_bytes
        self._next = picture.first + picture.count

    def _send_rest(self, piece: Piece, now_ns: int) -> bool:
        """Whether the picture is sent to its end; what may not go yet, or finds no room, stays."""
        if piece.runs is None:
            piece.runs = piece.picture.laid_out(*piece.key)
        for run in piece.runs:
            while piece.next < run.first + run.count:
                start = piece.next - run.first
                left = run.count - start
                count = min(left, self._room(now_ns) // run.segment)
                if count < min(left, LEAST_BATCH):
                    return False
                part = run if count == run.count else run.part(start, start + count)
                self._unsent = max(self._unsent, piece.picture.first + piece.next + count)
                if not self._send(part):
                    if self.blocked:
                        return False
                    self._sent.refused_packets += count  # the viewer will ask for them again
                piece.next += count
        return True

    def _room(self, now_ns: int) -> int:
        room = self.pacer.allowance(now_ns)
        return min(room, TCP_WAITING_MOST - self.path.waiting_bytes) if self._is_tcp else room

    def _send(self, run: Run) -> bool:
        """Whether it went; if not, `blocked` says whether it may a moment later."""
        went = self._outlet.send(run, self._srtp, self.path)
        self.blocked = not went and self.path.was_full
        if not self.blocked:
            self.pacer.spent(run.size_bytes)
        if went:
            self._sent.packets += run.count
            self._sent.bytes += run.size_bytes
        return went

    def _seconds_for(self, group: list[WirePicture]) -> float:
        return sum(p.size_bytes for p in group) * 8 / self.pacer.rate_bps
