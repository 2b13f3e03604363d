"""A viewer behind a link that becomes narrow and wide again, with a receiver that reports as browsers do.

The link is tests/fakes/lossy_link.py with a finite queue, the clock is moved by hand: all runs are the same.
"""

from __future__ import annotations

import heapq
from itertools import pairwise
from typing import Any

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.rtp import RtpPacket
from flow.units import Rendition
from relay.protocol.rtcp import Nack, PictureLoss, ReceiverReport
from tests.fakes.lossy_link import Conditions, LossyLink
from tests.unit.relay.stage import Encoder, Guest, Stage, open_stage
from tests.unit.relay.test_relay_delivery import Tap

STREAM_BYTES = 14_500  # a picture: with its keyframes about 4 Mbit/s
LOW_BYTES = 2200
ROUND_TRIP_MS = 30
WIDE, NARROW = 8_000_000, 1_000_000
NACK_EVERY_MS, GIVES_UP_MS, PLI_EVERY_MS = 100, 1000, 1000
"""As libwebrtc does where it knows no round trip: ten times, a tenth of a second apart."""


class LinkTap(Tap):
    """What is sent goes over a link; `arrived` yields it when its time has come."""

    def __init__(self, stage: Stage, rate_bps: int) -> None:
        super().__init__()
        self._stage = stage
        self.link = LossyLink(Conditions(delay_ms=ROUND_TRIP_MS / 2, rate_bps=rate_bps), seed=1)
        self._flying: list[tuple[int, int, RtpPacket]] = []
        self._count = 0

    def send(self, run: Any, srtp: Any, path: Any) -> bool:
        before = len(self.packets)
        went = super().send(run, srtp, path)
        now_ns = self._stage.clock.now_ns()
        for packet in self.packets[before:]:
            self._count += 1
            for at_ns, _ in self.link.send(bytes(len(packet.payload) + 56), now_ns):
                heapq.heappush(self._flying, (at_ns, self._count, packet))
        return went

    def narrow(self, rate_bps: int) -> None:
        self.link.conditions = Conditions(delay_ms=ROUND_TRIP_MS / 2, rate_bps=rate_bps)

    @property
    def queue_ms(self) -> float:
        """How long what is sent now waits before it is on the wire."""
        return max(0, self.link._wire_free_ns - self._stage.clock.now_ns()) / NS_PER_MS

    def arrived(self) -> list[RtpPacket]:
        now_ns, packets = self._stage.clock.now_ns(), []
        while self._flying and self._flying[0][0] <= now_ns:
            packets.append(heapq.heappop(self._flying)[2])
        return packets


class Receiver:
    """Shows whole pictures in order from a keyframe on; asks for what is missing, and then for a keyframe."""

    def __init__(self, stage: Stage, rate_bps: int) -> None:
        self.tap = LinkTap(stage, rate_bps)
        self.guest: Any = Guest(stage, tap=self.tap)
        self.shown: list[tuple[int, int]] = []  # (when, RTP timestamp)
        self._stage = stage
        self._ssrc = stage.renditions.stream.ssrc
        self._first: int | None = None
        self._have: dict[int, RtpPacket] = {}
        self._next: int | None = None  # sequence of the packet after the picture shown last
        self._highest = -1
        self._received = self._lost = 0
        self._missing: dict[int, int] = {}  # since when
        self._asked: dict[int, int] = {}  # when last
        self._ticks = 0

    @property
    def rendition(self) -> Rendition:
        rendition: Rendition = self.guest.seat.rendition
        return rendition

    def tick(self) -> None:
        """A millisecond passes."""
        self._ticks += 1
        for packet in self.tap.arrived():
            self._take(packet)
        now_ns = self._stage.clock.now_ns()
        if self._ticks % 20 == 0 and self._missing:
            self._ask(now_ns)
        if self._ticks % 1000 == 0:
            self._report(now_ns)

    def _take(self, packet: RtpPacket) -> None:
        now_ns = self._stage.clock.now_ns()
        sequence = self._unwrapped(packet.sequence)
        if sequence in self._have:
            return
        self._received += 1
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
            self._lost += 1

    def _ask(self, now_ns: int) -> None:
        delivery, feedback = self.guest.delivery, self.guest.feedback
        every_ns, gives_up_ns = NACK_EVERY_MS * NS_PER_MS, GIVES_UP_MS * NS_PER_MS
        due = [
            s
            for s, since_ns in self._missing.items()
            if now_ns - since_ns < gives_up_ns and now_ns - self._asked.get(s, 0) >= every_ns
        ]
        if due:
            self._asked |= dict.fromkeys(due, now_ns)
            numbers = tuple(s & 0xFFFF for s in due)
            feedback.take([Nack(self._ssrc, numbers)], now_ns)
            delivery.resend(numbers, feedback.rtt_ms, now_ns)
        stuck_ms = (now_ns - self.shown[-1][0]) // NS_PER_MS if self.shown else 0
        if stuck_ms > PLI_EVERY_MS and self._ticks % PLI_EVERY_MS < 20:
            feedback.take([PictureLoss(self._ssrc)], now_ns)
            delivery.repeat_group(now_ns)

    def _report(self, now_ns: int) -> None:
        lost = self._lost + len(self._missing)
        report = ReceiverReport(self._ssrc, 0.0, lost, self._highest & 0xFFFF_FFFF, 0, 0, 0)
        guest, pacer = self.guest, self.guest.pacer
        guest.feedback.take([report], now_ns)
        guest.feedback.rtt_ms = ROUND_TRIP_MS + self.tap.queue_ms
        self._stage.renditions.heard(guest)
        if not guest.delivery.catching_up:  # as relay/viewer.py does once a second
            stream_bps = guest.delivery.stream.bits_per_s
            pacer.on_report(guest.feedback.congestion(now_ns, stream_bps), stream_bps, now_ns)


def _begins_keyframe(packet: RtpPacket) -> bool:
    kind, flags = packet.payload[0] & 0x1F, packet.payload[1]
    return kind == 5 or (kind == 28 and flags & 0x80 != 0 and flags & 0x1F == 5)


class Show:
    """One viewer's evening: when it was sent what, and for how long its picture stood still."""

    def __init__(self, stage: Stage, receiver: Receiver) -> None:
        self.stage, self.receiver = stage, receiver
        self.moves: list[tuple[float, Rendition]] = []

    async def watch(self, seconds: float, rate_bps: int) -> float:
        """Returns the longest time without a new picture, in seconds."""
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
        times = [
            began_ns,
            *(at for at, _ in self.receiver.shown if at >= began_ns),
            self.stage.clock.now_ns(),
        ]
        return max(b - a for a, b in pairwise(times)) / NS_PER_S


async def opened(stage: Stage, rate_bps: int, *, with_low: bool = True) -> Show:
    if with_low:
        stage.encoders.append(Encoder(stage, Rendition.LOW, LOW_BYTES))
    receiver = Receiver(stage, rate_bps)
    stage.enter(receiver.guest)
    show = Show(stage, receiver)
    await show.watch(5, rate_bps)
    show.moves.clear()
    return show


async def test_from_8_to_1_and_back_to_8_mbit_s() -> None:
    async with open_stage() as stage:
        show = await opened(stage, WIDE)
        frozen_s = await show.watch(8, NARROW)
        left_s = next(at for at, rendition in show.moves if rendition is Rendition.LOW)
        assert left_s <= 3.0  # of that a second for the encoder
        assert frozen_s <= 4.0
        settled = len(show.receiver.shown)
        assert await show.watch(1, NARROW) <= 0.2
        assert len(show.receiver.shown) - settled >= 28
        show.moves.clear()
        frozen_s = await show.watch(14, WIDE)
        assert [rendition for _, rendition in show.moves] == [Rendition.LOW, Rendition.SOURCE]
        assert show.moves[1][0] <= 13.0
        assert frozen_s <= 0.5
        print("left", left_s, show.moves)


async def test_without_low_it_stays_broken() -> None:
    """What the test before is measured against; the same viewer, the same link."""
    async with open_stage() as stage:
        show = await opened(stage, WIDE, with_low=False)
        await show.watch(8, NARROW)
        settled = len(show.receiver.shown)
        await show.watch(3, NARROW)
        assert len(show.receiver.shown) - settled < 45  # of 90
        assert show.receiver.rendition is Rendition.SOURCE


async def test_a_way_that_stays_narrow_ends_on_low_and_is_whole() -> None:
    async with open_stage() as stage:
        show = await opened(stage, NARROW)
        await show.watch(4, NARROW)
        assert show.receiver.rendition is Rendition.LOW
        shown = len(show.receiver.shown)
        assert await show.watch(4, NARROW) <= 0.2
        assert len(show.receiver.shown) - shown >= 118  # of 120


@pytest.mark.parametrize("loss", [0.03, 0.10])
async def test_a_wide_way_that_loses_a_little_keeps_the_full_picture(loss: float) -> None:
    async with open_stage() as stage:
        show = await opened(stage, WIDE)
        show.receiver.tap.narrow = lambda rate_bps: None  # type: ignore[method-assign]
        show.receiver.tap.link.conditions = Conditions(delay_ms=ROUND_TRIP_MS / 2, rate_bps=WIDE, loss=loss)
        await show.watch(12, WIDE)
        assert show.moves == [] or {rendition for _, rendition in show.moves} == {Rendition.SOURCE}
