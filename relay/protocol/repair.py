"""Puts the packets of one RTP stream in order, and has those sent again that are missing (RFC 4585 6.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

from flow.clock import NS_PER_MS
from flow.codec.rtp import signed_distance

GIVE_UP_NS = 500 * NS_PER_MS
"""Later than this a picture is of no use; a keyframe is sooner there."""

MAX_JUMP = 512
"""Packets missing at once: half a second of 10 Mbit/s, which no NACK brings back."""

MAX_BACK = 4096
"""How far back a packet is still a late one. What is further away, either way, is of another numbering, once
two packets agree on it."""

MAX_MISSING = 1024
MAX_HELD_BYTES = 4 * 1024 * 1024
MAX_ASKED = 256
"""Numbers in one NACK: at most 1 KB even if no two are neighbours."""

DISORDER_PACKETS = 3
DISORDER_NS = 5 * NS_PER_MS
"""Packets that overtake each other do so within this; only then does a gap mean loss."""

FIRST_RTT_NS = 100 * NS_PER_MS
LEAST_REPEAT_NS = 20 * NS_PER_MS
MOST_REPEAT_NS = 250 * NS_PER_MS

_SEQUENCES = 1 << 16


@dataclass(slots=True)
class _Gap:
    """A packet that is missing."""

    since_ns: int
    asked_ns: int = 0
    asked: int = 0


class Repair:
    """Gives packets on in their order, at once while nothing is missing.

    Behind a gap they are held until it is filled, or given up after GIVE_UP_NS, or where too much waits.
    `lost` counts what was given up, `repaired` what came after it had been asked for, `late` what came twice
    or too late. `rtt_ns` is how long a packet takes to come that is asked for.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.restarts = 0
        """Times that it went on elsewhere: what lay between, if anything, is unknown."""
        self.repaired = 0
        self.late = 0
        self.rtt_ns = FIRST_RTT_NS
        self._next: int | None = None  # the number that is due, extended beyond 16 bits
        self._newest = 0
        self._held: dict[int, bytes] = {}
        self._held_bytes = 0
        self._missing: dict[int, _Gap] = {}  # all between the due one and the newest, in order
        self._stray: tuple[int, bytes] | None = None

    @property
    def waits(self) -> bool:
        """Whether anything is missing: ask `asks` and `expire` every few milliseconds."""
        return bool(self._missing)

    def push(self, sequence: int, packet: bytes, now_ns: int) -> list[bytes]:
        """Take the packet of that 16-bit number; returns what is due now."""
        if self._next is None:
            return self._begin(sequence, packet)
        number = self._newest + signed_distance(self._newest, sequence, _SEQUENCES)
        if number == self._next and not self._held:  # as nearly always
            self._next, self._newest = number + 1, number
            return [packet]
        if not -MAX_BACK <= number - self._newest <= MAX_JUMP:
            return self._judge_stray(sequence, packet)
        if number < self._next or number in self._held:
            self.late += 1
            return []
        self._note(number, now_ns)
        self._held[number] = packet
        self._held_bytes += len(packet)
        return self._due() + self._relieved()

    def asks(self, now_ns: int) -> tuple[int, ...]:
        """The 16-bit numbers to ask for now, each again after a round trip; at most MAX_ASKED."""
        repeat_ns = min(max(self.rtt_ns * 5 // 4, LEAST_REPEAT_NS), MOST_REPEAT_NS)
        asked = []
        for number, gap in self._missing.items():
            if gap.asked:
                due = now_ns - gap.asked_ns >= repeat_ns
            else:
                overtaken = self._newest - number >= DISORDER_PACKETS
                due = overtaken or now_ns - gap.since_ns >= DISORDER_NS
            if due:
                gap.asked, gap.asked_ns = gap.asked + 1, now_ns
                asked.append(number % _SEQUENCES)
                if len(asked) == MAX_ASKED:
                    break
        return tuple(asked)

    def expire(self, now_ns: int) -> list[bytes]:
        """Give up what has been missing for too long; returns what was held behind it."""
        overdue = []
        for number, gap in self._missing.items():
            if now_ns - gap.since_ns < GIVE_UP_NS:
                break  # what comes later is missing for no longer
            overdue.append(number)
        return self._without(overdue)

    def flush(self) -> list[bytes]:
        """Nothing more will come: everything that is held."""
        return self._without(list(self._missing))

    def _begin(self, sequence: int, packet: bytes) -> list[bytes]:
        self._next, self._newest = sequence + 1, sequence
        return [packet]

    def _note(self, number: int, now_ns: int) -> None:
        gap = self._missing.pop(number, None)
        if gap is not None and gap.asked:
            self.repaired += 1
            if gap.asked == 1:  # asked twice, nobody knows which of the two was answered (as RFC 6298 3)
                self.rtt_ns += (now_ns - gap.asked_ns - self.rtt_ns) // 8
        for missing in range(self._newest + 1, number):
            self._missing[missing] = _Gap(now_ns)
        self._newest = max(self._newest, number)

    def _relieved(self) -> list[bytes]:
        """Where too much is missing or held: give up the oldest, up to half of what may be missing."""
        due: list[bytes] = []
        while len(self._missing) > MAX_MISSING or self._held_bytes > MAX_HELD_BYTES:
            due += self._without(list(self._missing)[: MAX_MISSING // 2])
        return due

    def _without(self, given_up: list[int]) -> list[bytes]:
        for number in given_up:
            del self._missing[number]
        self.lost += len(given_up)
        return self._due() if given_up else []

    def _due(self) -> list[bytes]:
        assert self._next is not None
        end = min(next(iter(self._missing), self._newest + 1), self._newest + 1)
        due = [self._held.pop(number) for number in range(self._next, end) if number in self._held]
        self._held_bytes -= sum(map(len, due))
        self._next = max(self._next, end)
        return due

    def _judge_stray(self, sequence: int, packet: bytes) -> list[bytes]:
        """Two neighbours elsewhere: the sender has begun to count anew (RFC 3550 A.1)."""
        stray, self._stray = self._stray, (sequence, packet)
        if stray is None or sequence != (stray[0] + 1) % _SEQUENCES:
            return []
        due = self.flush()
        self._stray = None
        self.restarts += 1
        return [*due, *self._begin(stray[0], stray[1]), *self.push(sequence, packet, 0)]
