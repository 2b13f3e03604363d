"""One feed in all its renditions, and which viewer is sent which.

A viewer is moved when the rendition that it should be sent has a keyframe; until then it keeps what it has,
unless that is nothing it can show. All renditions have the same SSRC and the same RTP clock, so to the viewer
it is one stream, whose pictures change their size.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import LagebildError
from flow.flights import RenditionState, RenditionStatus, RenditionWanted, SourceState
from flow.units import CLOCK_RATE_HZ, AccessUnit, Rendition

from .delivery import Delivery
from .fanout import FanOut
from .protocol.pacer import HEADROOM
from .protocol.rendition import Signs, full_rendition
from .seat import Seat
from .stream import Stream
from .viewer import Viewer

log = logging.getLogger("lagebild.relay")

LEASE_EVERY_NS = 2 * NS_PER_S
LEASE_NS = 4 * NS_PER_S

STANDS_NS = 250 * NS_PER_MS
"""A picture that has waited so long here stands: paced, each one waits for some milliseconds."""

STALL_NS = 400 * NS_PER_MS
EXCUSED_NS = NS_PER_S
"""A relay that was not called for so long, on a machine with too much to do, made its viewers wait; to send
them `low` would cost an encoder more."""

JUDGE_EVERY_NS = NS_PER_S
"""Whoever has a backlog, or has just told something, is judged at once."""
JUDGE_APART_NS = 50 * NS_PER_MS
"""However often it tells something: 15 µs each are not for a viewer to multiply."""

ABOVE_STREAM = 2.0
"""How much faster than the stream the pace begins on the way up: a keyframe is through before it stands."""

STALE_90K = CLOCK_RATE_HZ
"""A keyframe further behind the source than this is what the bus kept of an encoder that has ended, or would
make the viewer catch up for too long: the next one is awaited, and asked for."""

YOUNG_NS = 500 * NS_PER_MS
YOUNG_WITHIN_S = 0.3
"""A group that began so lately, and is sent so fast, saves waiting for the next keyframe: an encoder makes
none within half a second of another."""


class Renditions:
    """The fan-outs of one feed's renditions; `add` and `remove` viewers, `tend` ten times a second."""

    def __init__(self, bus: Bus, clock: Clock, feed_id: str) -> None:
        self._bus = bus
        self._clock = clock
        self._feed_id = feed_id
        self._source = FanOut(bus, clock, feed_id)
        made = [FanOut(bus, clock, feed_id, r) for r in (Rendition.WEB, Rendition.LOW)]
        self._fan_outs = {fan_out.rendition: fan_out for fan_out in (self._source, *made)}
        for fan_out in self._fan_outs.values():
            fan_out.on_keyframe, fan_out.on_codec = self._take_in, self._place_anew
        for fan_out in made:
            fan_out.may_begin = self._is_current_keyframe
        self._viewers: list[Viewer] = []
        self._tended_ns: int | None = None
        self._stalled_ns: int | None = None
        self._leased_ns: dict[Rendition, int] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._running: dict[FanOut, asyncio.Task[None]] = {}

    @property
    def stream(self) -> Stream:
        """The source's."""
        return self._source.stream

    async def run(self) -> None:
        """Until cancelled, or the bus is closed."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for fan_out in self._fan_outs.values():
                if fan_out.is_on and fan_out is not self._source:
                    self._begin(fan_out)
            try:
                await self._source.run()
            finally:
                self._tasks = None
                for task in self._running.values():
                    task.cancel()
                self._running.clear()

    def _begin(self, fan_out: FanOut) -> None:
        """From the first time on that somebody needs it; then it rests while nobody does."""
        fan_out.switch(on=True)
        if fan_out is not self._source and fan_out not in self._running and self._tasks is not None:
            self._running[fan_out] = self._tasks.create_task(fan_out.run())

    def add(self, viewer: Viewer) -> None:
        """Begin sending to a connected viewer the best that it can show."""
        now_ns, seat = self._clock.now_ns(), viewer.seat
        self._viewers.append(viewer)
        seat.full = self._full(viewer)
        seat.choice.moved(now_ns)
        target = self._target(viewer)
        flows = self._fan_outs[target].stream.newest is not None
        self._move(viewer, target if flows else self._shown(viewer, seat.full))
        self._lease(now_ns)

    def remove(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            self._viewers.remove(viewer)
        if viewer.delivery is not None:
            self._fan_outs[viewer.seat.rendition].remove(viewer.delivery)

    def heard(self, viewer: Viewer) -> None:
        """A viewer has said what it lacks, or how its way is: act on it at once."""
        if viewer.delivery is not None:
            self._fan_outs[viewer.seat.rendition].heard(viewer.delivery)
            now_ns = self._clock.now_ns()
            if self._has_news(viewer) and now_ns - viewer.seat.judged_ns >= JUDGE_APART_NS:
                self._judge(viewer, now_ns)

    def choose(self, viewer: Viewer, rendition: Rendition | None) -> None:
        """See flow.doors.RelayDoor."""
        viewer.seat.full = self._full(viewer)
        choices = viewer.seat.chosen.choices
        if rendition is not None and rendition not in choices:
            names = " or ".join(choices)
            raise LagebildError(
                f"'{rendition}' cannot be chosen here: this viewer can be sent {names}", code="not_a_choice"
            )
        viewer.seat.pinned = rendition
        now_ns = self._clock.now_ns()
        if rendition is None:  # what was decided before it was pinned is about another time
            viewer.seat.choice.low = False
            viewer.seat.choice.moved(now_ns)
        self._lead(viewer, now_ns)
        self._lease(now_ns)

    def tend(self) -> None:
        """What is due by time: judge the viewers' ways, move them on, renew the leases, ask for keyframes."""
        now_ns = self._clock.now_ns()
        self._notice_stall(now_ns)
        self._tended_ns = now_ns
        for viewer in self._viewers:
            try:
                self._look_at(viewer, now_ns)
            except Exception:
                self._give_up(viewer)
        self._lease(now_ns)
        for fan_out in self._fan_outs.values():
            fan_out.ask_for_keyframe()

    def _notice_stall(self, now_ns: int) -> None:
        if self._tended_ns is not None and now_ns - self._tended_ns > STALL_NS:
            self._stalled_ns = now_ns

    def _look_at(self, viewer: Viewer, now_ns: int) -> None:
        seat, delivery = viewer.seat, viewer.delivery
        waits = delivery is not None and (delivery.has_backlog or seat.choice.waits)
        if waits or self._has_news(viewer) or now_ns - seat.judged_ns >= JUDGE_EVERY_NS:
            seat.full = self._full(viewer)
            self._judge(viewer, now_ns)
        elif seat.target is not seat.rendition:
            self._lead(viewer, now_ns)

    def _has_news(self, viewer: Viewer) -> bool:
        seat, feedback = viewer.seat, viewer.feedback
        return (feedback.reported_ns or 0) > seat.judged_ns or feedback.missed != seat.missed

    def _give_up(self, viewer: Viewer) -> None:
        """What went wrong is a defect of ours; it ends this viewer, who joins again, and no other."""
        log.exception("feed %s: viewer %s cannot be served", self._feed_id, viewer.name)
        if viewer.delivery is not None:
            viewer.delivery.failed = True

    def _judge(self, viewer: Viewer, now_ns: int) -> None:
        seat, delivery, feedback = viewer.seat, viewer.delivery, viewer.feedback
        if delivery is None:
            return
        seat.judged_ns, seat.missed = now_ns, feedback.missed
        self._notice_stall(now_ns)
        if seat.pinned is None:
            seat.choice.judge(self._signs(viewer, delivery, now_ns), now_ns)
        asks = seat.pinned is None and delivery.path.kind == "udp" and seat.choice.is_calm(now_ns)
        feedback.probe.ask(self._full_bps(seat) if asks else None)
        self._lead(viewer, now_ns)

    def _signs(self, viewer: Viewer, delivery: Delivery, now_ns: int) -> Signs:
        feedback = viewer.feedback
        loss, (estimated_bps, estimated_ns) = feedback.lately_lost(now_ns), feedback.estimate(now_ns)
        return Signs(
            stream_bps=delivery.stream.bits_per_s,
            pace_bps=delivery.pacer.rate_bps,
            loss=loss,
            reported_ns=feedback.reported_ns,
            rtt_ms=None if loss is None else feedback.rtt_ms,
            estimated_bps=estimated_bps,
            estimated_ns=estimated_ns,
            way=delivery.path,
            fits=feedback.probe.fits(now_ns),
            sent=viewer.sent.packets - viewer.sent.resent_packets,
            missed=feedback.missed,
            plis=feedback.plis,
            times_late=delivery.times_late,
            has_backlog=delivery.waits_ns(now_ns) > STANDS_NS,
            is_tcp=delivery.path.kind == "tcp",
            is_excused=self._stalled_ns is not None and now_ns - self._stalled_ns < EXCUSED_NS,
        )

    def _full_bps(self, seat: Seat) -> float:
        """Of the best that it can show; of `web` while that is not made, about what the source has."""
        return self._fan_outs[seat.full].stream.bits_per_s or self._source.stream.bits_per_s

    def _lead(self, viewer: Viewer, now_ns: int) -> None:
        """Towards what it should be sent, if that is not what it is sent."""
        seat, target = viewer.seat, self._target(viewer)
        moves = target is not seat.rendition
        if viewer.delivery is not None:
            holds = moves and seat.pinned is None and seat.choice.holds(now_ns) and self._makes_low()
            viewer.delivery.hold(holds, now_ns)
        if moves:
            fan_out = self._fan_outs[target]
            self._begin(fan_out)
            if not self._can_show(viewer, seat.rendition) or self._is_young(fan_out, viewer, now_ns):
                self._move(viewer, target)
            else:
                fan_out.stream.keyframe_wanted = True
                fan_out.ask_for_keyframe()
        elif seat.choice.awaits_move:  # `low` was to come, and never did
            seat.choice.moved(now_ns)
        seat.tell()

    def _makes_low(self) -> bool:
        """Whether there is an encoder that runs or starts, and so a keyframe of `low` soon."""
        low = self._bus.peek(RenditionState, f"{self._feed_id}/{Rendition.LOW}")
        if low is None:
            return False
        return low.status is RenditionStatus.LIVE or (low.status, low.reason) == (
            RenditionStatus.STARTING,
            "",
        )

    def _take_in(self, fan_out: FanOut) -> None:
        """A keyframe has come: whoever should be sent this rendition begins with it."""
        for viewer in self._viewers:
            if viewer.seat.rendition is not fan_out.rendition and self._target(viewer) is fan_out.rendition:
                self._move(viewer, fan_out.rendition)

    def _place_anew(self, fan_out: FanOut) -> None:
        """The rendition goes on with another codec: its viewers wait for its keyframe, or for `web`."""
        for viewer in self._viewers:
            if viewer.seat.rendition is fan_out.rendition:
                viewer.seat.full = self._full(viewer)
                self._move(viewer, self._target(viewer))

    def _move(self, viewer: Viewer, rendition: Rendition) -> None:
        delivery, seat = viewer.delivery, viewer.seat
        if delivery is None:
            return
        fan_out = self._fan_outs[rendition]
        self._begin(fan_out)
        now_ns = self._clock.now_ns()
        try:
            self._fan_outs[seat.rendition].remove(delivery)
            if fan_out.stream is not delivery.stream:
                self._set_pace(viewer, fan_out, now_ns)
                delivery.move(fan_out.stream, seat.payload_types[fan_out.stream.codec], now_ns)
                seat.choice.moved(now_ns)
                viewer.feedback.probe.forget()
            seat.rendition = rendition
            fan_out.add(delivery)
        except Exception:
            self._give_up(viewer)
        seat.tell()

    def _set_pace(self, viewer: Viewer, fan_out: FanOut, now_ns: int) -> None:
        """On the way down, to what came through lately: what is sent faster only waits in a full queue, or is
        lost there. On the way up, to what lets its keyframe go, whatever `low` needed."""
        seat, delivery = viewer.seat, viewer.delivery
        if delivery is None or seat.pinned is not None:
            return
        if fan_out.rendition is Rendition.LOW:
            arrived_bps = delivery.stream.bits_per_s * (1.0 - (viewer.feedback.lately_lost(now_ns) or 0.0))
            delivery.pacer.narrow(max(arrived_bps, HEADROOM * fan_out.stream.bits_per_s), now_ns)
        elif seat.rendition is Rendition.LOW:
            delivery.pacer.widen(ABOVE_STREAM * fan_out.stream.bits_per_s, now_ns)

    def _lease(self, now_ns: int) -> None:
        """Have made what somebody is sent or may be soon; take no more of what nobody is."""
        needed = {r for viewer in self._viewers for r in self._needed(viewer, now_ns)}
        for rendition, fan_out in self._fan_outs.items():
            if fan_out is self._source:
                continue
            if rendition not in needed:
                fan_out.switch(on=False)
                continue
            self._begin(fan_out)
            if now_ns - self._leased_ns.get(rendition, 0) >= LEASE_EVERY_NS:
                self._leased_ns[rendition] = now_ns
                self._bus.publish(RenditionWanted(self._feed_id, rendition, now_ns + LEASE_NS))

    def _needed(self, viewer: Viewer, now_ns: int) -> Iterator[Rendition]:
        seat = viewer.seat
        yield seat.rendition
        yield self._target(viewer)
        if seat.pinned is None and seat.choice.may_need_low(now_ns):
            yield Rendition.LOW

    def _full(self, viewer: Viewer) -> Rendition:
        state = self._bus.peek(SourceState, self._feed_id)
        if state is None:
            return Rendition.SOURCE
        web = self._bus.peek(RenditionState, f"{self._feed_id}/{Rendition.WEB}")
        made = web is None or (web.status, web.reason) != (RenditionStatus.OFF, "not_needed")
        return full_rendition(state.config, state.notes, viewer.seat.h265, web_is_made=made)

    def _target(self, viewer: Viewer) -> Rendition:
        """What it should be sent."""
        return self._shown(viewer, viewer.seat.target)

    def _shown(self, viewer: Viewer, rendition: Rendition) -> Rendition:
        """Never a codec that it has not agreed to, whatever the state says so far."""
        return rendition if self._can_show(viewer, rendition) else Rendition.WEB

    def _can_show(self, viewer: Viewer, rendition: Rendition) -> bool:
        return self._fan_outs[rendition].stream.codec in viewer.seat.payload_types

    def _is_young(self, fan_out: FanOut, viewer: Viewer, now_ns: int) -> bool:
        """Whether its present group has just begun and is quickly sent, and there is no time to lose."""
        if viewer.seat.pinned is not None or not viewer.seat.choice.low:
            return False
        group = fan_out.stream.history.group()
        if not group or viewer.delivery is None or now_ns - group[0].arrived_ns > YOUNG_NS:
            return False
        return sum(p.size_bytes for p in group) * 8 <= YOUNG_WITHIN_S * viewer.delivery.pacer.rate_bps

    def _is_current_keyframe(self, unit: AccessUnit) -> bool:
        newest = self._source.stream.newest_pts_90k
        return unit.keyframe and (newest is None or newest - unit.pts_90k <= STALE_90K)
