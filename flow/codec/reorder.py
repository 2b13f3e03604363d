"""RTP packets of one sender in sequence order, without waiting unless something is missing (RFC 3550 A.1)."""

from __future__ import annotations

from .rtp import RtpPacket, signed_distance

REORDER_DEPTH = 32
"""Packets held behind a gap before what is missing is called lost."""

_SEQUENCES = 1 << 16
_MAX_DROPOUT = 3000  # RFC 3550 A.1: a larger step forward, or
_MAX_MISORDER = 100  # a larger step back, is a restarted sender, once a second packet confirms it


class ReorderWindow:
    """Gives packets on as they come; behind a gap it holds them until that is filled or hopeless.

    Hopeless is a gap when REORDER_DEPTH packets wait behind it, or when the picture after the one it lies
    in has come whole. A packet before its place is `late` (or a duplicate) and dropped.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.late = 0
        self.restarted = False
        """The packet pushed last showed that the sender goes on with other sequence numbers."""
        self._ssrc: int | None = None
        self._next = 0
        self._held: dict[int, RtpPacket] = {}  # by sequence number
        self._stray: RtpPacket | None = None

    def push(self, packet: RtpPacket) -> list[tuple[RtpPacket, bool]]:
        """Take a packet; return what is due, each with whether something is missing directly before it."""
        self.restarted = False
        if packet.ssrc == self._ssrc and self.advance(packet.sequence):  # as nearly always
            return [(packet, False)]
        distance = signed_distance(self._next, packet.sequence, _SEQUENCES)
        if packet.ssrc != self._ssrc:
            return self._restart(packet)
        if not -_MAX_MISORDER <= distance < _MAX_DROPOUT:
            return self._judge_stray(packet)
        if distance < 0 or packet.sequence in self._held:
            self.late += 1
            return []
        self._held[packet.sequence] = packet
        due = self._contiguous()
        while self._held and self._hopeless(packet):
            due += self._skip_gap()
        return due

    def advance(self, sequence: int) -> bool:
        """Pass by a packet of the same sender that is just the one due; False where it is not."""
        if sequence != self._next or self._held:
            return False
        self._next = (sequence + 1) % _SEQUENCES
        return True

    def flush(self) -> list[tuple[RtpPacket, bool]]:
        """Everything held; what is missing in between counts as lost."""
        due: list[tuple[RtpPacket, bool]] = []
        while self._held:
            due += self._skip_gap()
        return due

    def _restart(self, *packets: RtpPacket) -> list[tuple[RtpPacket, bool]]:
        """Begin anew at these packets: another sender, or this one with other numbers."""
        due = self.flush()
        self._ssrc, self._stray = packets[0].ssrc, None
        self._next = (packets[-1].sequence + 1) % _SEQUENCES
        due += [(packet, index == 0) for index, packet in enumerate(packets)]
        return due

    def _judge_stray(self, packet: RtpPacket) -> list[tuple[RtpPacket, bool]]:
        stray, self._stray = self._stray, packet
        if stray is not None and packet.sequence == (stray.sequence + 1) % _SEQUENCES:
            self.restarted = True
            return self._restart(stray, packet)
        return []

    def _contiguous(self) -> list[tuple[RtpPacket, bool]]:
        due: list[tuple[RtpPacket, bool]] = []
        while (packet := self._held.pop(self._next, None)) is not None:
            due.append((packet, False))
            self._next = (self._next + 1) % _SEQUENCES
        return due

    def _hopeless(self, newest: RtpPacket) -> bool:
        if len(self._held) >= REORDER_DEPTH:
            return True
        ends_a_picture = newest.marker and newest.sequence in self._held
        return ends_a_picture and newest.timestamp != self._held[self._first_held()].timestamp

    def _skip_gap(self) -> list[tuple[RtpPacket, bool]]:
        first = self._first_held()
        self.lost += (first - self._next) % _SEQUENCES
        self._next = first
        due = self._contiguous()
        due[0] = (due[0][0], True)
        return due

    def _first_held(self) -> int:
        return min(self._held, key=lambda sequence: (sequence - self._next) % _SEQUENCES)
