"""A viewer behind a modelled link, with a receiver that reports as browsers do. All runs are the same.

The link is tests/fakes/lossy_link.py with a finite queue, the clock is moved by hand.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.rtp import RtpPacket
from flow.units import Rendition
from relay.protocol.pacer import PACKET_BYTES
from relay.protocol.rtcp import Message, Nack, PictureLoss, ReceiverReport, Remb, compact_ntp
from tests.fakes.lossy_link import Conditions, LossyLink
from tests.unit.relay.stage import Encoder, Guest, Stage
from tests.unit.relay.test_relay_delivery import Tap

STREAM_BYTES = 14_500  # a picture: with its keyframes about 4 Mbit/s
LOW_BYTES = 2200
ROUND_TRIP_MS = 30
WIDE, NARROW = 8_000_000, 1_000_000
NACK_EVERY_MS, GIVES_UP_MS, PLI_EVERY_MS = 100, 1000, 1000
"""As libwebrtc does where it knows no round trip: ten times, a tenth of a second apart."""

OVERHEAD_BYTES, REPORT_BYTES = 56, 80


class LinkTap(Tap):
    """What is sent goes over a link; `arrived` yields it when its time has come.

    `queue_ms` is the link's longest queue; without it that has 64 KB.
    """

    def __init__(
        self, stage: Stage, rate_bps: int, round_trip_ms: float = ROUND_TRIP_MS, queue_ms: int | None = None
    ) -> None:
        super().__init__()
        self._stage = stage
        self.round_trip_ms, self._queue_ms = round_trip_ms, queue_ms
        self.link = LossyLink(seed=1)
        self.narrow(rate_bps)
        self.sent_ns: dict[int, int] = {}  # by the packet's identity
        self._flying: list[tuple[int, int, RtpPacket | int]] = []
        self._count = 0

    def send(self, run: Any, srtp: Any, path: Any) -> bool:
        before = len(self.packets)
        went = super().send(run, srtp, path)
        for packet in self.packets[before:]:
            self.sent_ns[id(packet)] = self._stage.clock.now_ns()
            self._fly(len(packet.payload) + OVERHEAD_BYTES, packet)
        return went

    def send_report(self, packets: int) -> None:
        """A sender report of now, as the last of so many heavy packets, or as it is."""
        now_ns = self._stage.clock.now_ns()
        for _ in range(packets - 1):
            self.link.send(bytes(PACKET_BYTES), now_ns)
        self._fly(PACKET_BYTES if packets else REPORT_BYTES, compact_ntp(now_ns))

    def narrow(self, rate_bps: int) -> None:
        held = {} if self._queue_ms is None else {"queue_bytes": rate_bps * self._queue_ms // 8000}
        self.link.conditions = Conditions(delay_ms=self.round_trip_ms / 2, rate_bps=rate_bps, **held)

    def arrived(self) -> list[tuple[int, RtpPacket | int]]:
        """Packets, and which sender reports, with the time of each."""
        now_ns, came = self._stage.clock.now_ns(), []
        while self._flying and self._flying[0][0] <= now_ns:
            at_ns, _, what = heapq.heappop(self._flying)
            came.append((at_ns, what))
        return came

    def _fly(self, size: int, what: RtpPacket | int) -> None:
        self._count += 1
        for at_ns, _ in self.link.send(bytes(size), self._stage.clock.now_ns()):
            heapq.heappush(self._flying, (at_ns, self._count, what))


class Estimator:
    """Chromium's REMB: at first what comes; down to 0.85 of that as soon as a queue grows, else up by 8 % a
    second, and never above 1.5 times what comes."""

    def __init__(self) -> None:
        self.bps = 0.0
        self._came: deque[tuple[int, int, float]] = deque()  # when, bytes, how long it took
        self._lowered_ns = 0
        self._raised_ns: int | None = None
        self._reports_left = 5

    def take(self, size: int, sent_ns: int, now_ns: int) -> bool:
        """Whether it has just fallen."""
        came, took_ms = self._came, (now_ns - sent_ns) / NS_PER_MS
        came.append((now_ns, size, took_ms))
        while now_ns - came[0][0] > NS_PER_S:
            came.popleft()
        least_ms = min(ms for _, _, ms in list(came)[::10])
        overused = took_ms - least_ms > 60 and now_ns - self._lowered_ns > 300 * NS_PER_MS
        if overused:
            self._lowered_ns = now_ns
            self.bps = min(self.bps or math.inf, 0.85 * self._incoming_bps)
        return overused

    def raised(self, now_ns: int) -> int:
        """What it says once a second."""
        passed_ns = now_ns - (self._raised_ns or now_ns)
        self._raised_ns = now_ns
        if self._reports_left > 0 and not self._lowered_ns:
            self._reports_left -= 1
            self.bps = max(self.bps, self._incoming_bps)
        elif now_ns - self._lowered_ns > NS_PER_S:
            most_bps = max(self.bps, 1.5 * self._incoming_bps + 10_000)
            self.bps = min(self.bps * 1.08 ** (passed_ns / NS_PER_S) + 1000, most_bps)
        return int(self.bps)

    @property
    def _incoming_bps(self) -> float:
        return 8.0 * sum(size for _, size, _ in self._came)


class Receiver:
    """Shows whole pictures in order from a keyframe on; asks for what is missing, and then for a keyframe.

    It reports every half to one and a half seconds, as RFC 3550 6.3.5 has it; `seed` says when.
    """

    def __init__(
        self,
        stage: Stage,
        rate_bps: int,
        *,
        round_trip_ms: float = ROUND_TRIP_MS,
        queue_ms: int | None = None,
        seed: int = 1,
        with_remb: bool = True,
    ) -> None:
        self.tap = LinkTap(stage, rate_bps, round_trip_ms, queue_ms)
        self.guest: Any = Guest(stage, tap=self.tap)
        self.shown: list[tuple[int, int]] = []  # (when, RTP timestamp)
        self.lacked = 0  # packets that never came
        self._stage = stage
        self._dice = random.Random(seed)
        self._ssrc = stage.renditions.stream.ssrc
        self._have: dict[int, RtpPacket] = {}
        self._next: int | None = None  # sequence of the packet after the picture shown last
        self._highest = -1
        self._missing: dict[int, int] = {}  # since when
        self._asked: dict[int, int] = {}  # when last
        self._pli_ns = 0
        self._ticks = 0
        self._tend_ms, self._report_ms = self._dice.randrange(1000), self._dice.randrange(1000)
        self._heard: tuple[int, int] | None = None  # the last sender report, and when it came
        self._estimator = Estimator() if with_remb else None
        self._back: deque[tuple[int, Callable[[int], None]]] = deque()  # what it says, on its way

    @property
    def rendition(self) -> Rendition:
        rendition: Rendition = self.guest.seat.rendition
        return rendition

    def tick(self) -> None:
        """A millisecond passes."""
        self._ticks += 1
        now_ns = self._stage.clock.now_ns()
        for at_ns, what in self.tap.arrived():
            if isinstance(what, RtpPacket):
                self._take(what)
            else:
                self._heard = what, at_ns
        if self._ticks % 20 == 0:
            self._ask(now_ns)
        if self._ticks == self._report_ms:
            self._report_ms += self._dice.randrange(500, 1500)
            self._report(now_ns)
        if self._ticks % 1000 == self._tend_ms:
            self._tend(now_ns)
        while self._back and self._back[0][0] <= now_ns:
            self._back.popleft()[1](now_ns)

    def _tend(self, now_ns: int) -> None:
        """As relay/viewer.py does once a second."""
        guest, probe = self.guest, self.guest.feedback.probe
        if not probe.awaits(now_ns):
            self.tap.send_report(probe.begin(now_ns))
        if not guest.delivery.catching_up:
            stream_bps = guest.delivery.stream.bits_per_s
            guest.pacer.on_report(guest.feedback.congestion(now_ns, stream_bps), stream_bps, now_ns)

    def _take(self, packet: RtpPacket) -> None:
        now_ns = self._stage.clock.now_ns()
        sequence = self._unwrapped(packet.sequence)
        sent_ns = self.tap.sent_ns.pop(id(packet), now_ns)
        size = len(packet.payload) + OVERHEAD_BYTES
        if self._estimator is not None and self._estimator.take(size, sent_ns, now_ns):
            self._report(now_ns)
        if sequence in self._have:
            return
        self._missing.pop(sequence, None)
        if self._highest >= 0:
            self._missing |= dict.fromkeys(range(self._highest + 1, sequence), now_ns)
        self._highest = max(self._highest, sequence)
        self._have[sequence] = packet
        self._show(now_ns)

    def _unwrapped(self, sequence: int) -> int:
        if self._highest < 0:
            return sequence
        return self._highest + ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000

    def _show(self, now_ns: int) -> None:
        """The next picture while it is whole; or the newest whole keyframe."""
        while self._next in self._have:
            end = self._end_of(self._next)
            if end is None:
                break
            self._display(self._next, end, now_ns)
        for start in sorted(s for s, p in self._have.items() if _begins_keyframe(p)):
            end = self._end_of(start)
            if end is not None and (self._next is None or start >= self._next):
                self._display(start, end, now_ns)

    def _end_of(self, start: int) -> int | None:
        at, timestamp = start, self._have[start].timestamp
        while at in self._have and self._have[at].timestamp == timestamp:
            if self._have[at].marker:
                return at
            at += 1
        return None

    def _display(self, start: int, end: int, now_ns: int) -> None:
        self.shown.append((now_ns, self._have[end].timestamp))
        self._next = end + 1
        for sequence in [s for s in self._have if s <= end]:
            del self._have[sequence]
        for sequence in [s for s in self._missing if s <= end]:
            del self._missing[sequence]
            self.lacked += 1

    def _ask(self, now_ns: int) -> None:
        every_ns, gives_up_ns = NACK_EVERY_MS * NS_PER_MS, GIVES_UP_MS * NS_PER_MS
        due = [
            s
            for s, since_ns in self._missing.items()
            if now_ns - since_ns < gives_up_ns and now_ns - self._asked.get(s, 0) >= every_ns
        ]
        if due:
            self._asked |= dict.fromkeys(due, now_ns)
            self._say(now_ns, Nack(self._ssrc, tuple(s & 0xFFFF for s in due)))
        stuck_ns = now_ns - self.shown[-1][0] if self.shown else 0
        if stuck_ns > PLI_EVERY_MS * NS_PER_MS and now_ns - self._pli_ns > PLI_EVERY_MS * NS_PER_MS:
            self._pli_ns = now_ns
            self._say(now_ns, PictureLoss(self._ssrc))

    def _report(self, now_ns: int) -> None:
        lsr, dlsr = 0, 0
        if self._heard is not None:
            lsr, dlsr = self._heard[0], (now_ns - self._heard[1]) * 65536 // NS_PER_S
        lost = self.lacked + len(self._missing)
        said: list[Message] = [
            ReceiverReport(self._ssrc, 0.0, lost, self._highest & 0xFFFF_FFFF, 0, lsr, dlsr)
        ]
        if self._estimator is not None:
            said.append(Remb(self._estimator.raised(now_ns), (self._ssrc,)))
        self._say(now_ns, *said)

    def _say(self, now_ns: int, *said: Message) -> None:
        """It comes to the relay half a round trip later."""

        def heard(at_ns: int) -> None:
            guest = self.guest
            guest.feedback.take(said, at_ns)
            for message in said:
                if isinstance(message, Nack):
                    guest.delivery.resend(message.sequences, guest.feedback.rtt_ms, at_ns)
                elif isinstance(message, PictureLoss):
                    guest.delivery.repeat_group(at_ns)
            self._stage.renditions.heard(guest)

        self._back.append((now_ns + int(self.tap.round_trip_ms / 2 * NS_PER_MS), heard))


def _begins_keyframe(packet: RtpPacket) -> bool:
    kind, flags = packet.payload[0] & 0x1F, packet.payload[1]
    return kind == 5 or (kind == 28 and flags & 0x80 != 0 and flags & 0x1F == 5)


class Show:
    """One viewer's evening: when it was sent what, and for how long its picture stood still."""

    def __init__(self, stage: Stage, receiver: Receiver) -> None:
        self.stage, self.receiver = stage, receiver
        self.moves: list[tuple[float, Rendition]] = []

    async def watch(self, seconds: float, rate_bps: int) -> float:
        """Returns the longest time without a new picture, in seconds, from which `moves` count, too."""
        self.receiver.tap.narrow(rate_bps)
        began_ns = self.stage.clock.now_ns()
        tick = self.stage.tick

        async def both() -> None:
            await tick()
            self.receiver.tick()
            rendition = self.receiver.rendition
            if not self.moves or self.moves[-1][1] is not rendition:
                at_ns = self.stage.clock.now_ns()
                self.moves.append(((at_ns - began_ns) / NS_PER_S, rendition))

        self.stage.tick = both  # type: ignore[method-assign]
        await self.stage.film(seconds, STREAM_BYTES)
        self.stage.tick = tick  # type: ignore[method-assign]
        return max(self.gaps_s(began_ns))

    def gaps_s(self, since_ns: int) -> list[float]:
        """Between the pictures shown since then."""
        shown = (at for at, _ in self.receiver.shown if at >= since_ns)
        return [(b - a) / NS_PER_S for a, b in pairwise([since_ns, *shown, self.stage.clock.now_ns()])]

    def frozen_s(self, since_ns: int) -> float:
        """All times of more than half a second without a new picture."""
        return sum(gap for gap in self.gaps_s(since_ns) if gap > 0.5)


async def opened(stage: Stage, rate_bps: int, *, with_low: bool = True, **way: Any) -> Show:
    """After five seconds; `way` is the Receiver's."""
    if with_low:
        stage.encoders.append(Encoder(stage, Rendition.LOW, LOW_BYTES))
    receiver = Receiver(stage, rate_bps, **way)
    stage.enter(receiver.guest)
    show = Show(stage, receiver)
    await show.watch(5, rate_bps)
    show.moves.clear()
    return show
