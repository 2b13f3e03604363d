"""Plays a recording and goes where it is told: every seek is a new epoch, whose streams begin anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from flow.clock import NS_PER_MS

from .orders import Order, Orders
from .plan import Manner, plan
from .protocol.source_clocks import SourceClocks
from .protocol.timing import NS_PER_S, Lap, Send
from .recording import Recording, cue
from .sender import Sender

LEAD_NS = 250 * NS_PER_MS
"""From the plan to its first datagram: time to open the files once more, two of them if need be."""
TELL_EVERY_NS = NS_PER_S


class Position(msgspec.Struct, frozen=True):
    """Where a replay is, at `utc_ns`. `duration_s` None: known once it has been played."""

    position_s: float
    duration_s: float | None
    speed: float
    paused: bool
    epoch: int
    utc_ns: int


class Player:
    """Carries out one replay. `tell` hears where it is, every second and whenever that changes."""

    def __init__(
        self,
        recording: Recording,
        manner: Manner,
        sender: Sender,
        now_ns: Callable[[], int],
        *,
        orders: Orders,
        tell: Callable[[Position], None] = lambda position: None,
    ) -> None:
        self._recording, self._manner = recording, manner
        self._sender, self._now_ns = sender, now_ns
        self._orders, self._tell = orders, tell
        self._clocks = SourceClocks(manner.speed)
        self._lap: Lap | None = None
        self._speed, self._paused, self._epoch = manner.speed, False, 0
        self._tell_at_ns = 0

    def run(self) -> None:
        """To the end of the recording, or of the orders."""
        from_ns = self._manner.from_ns
        while not self._orders.have_ended:
            if self._paused:
                self._orders.wait(None)
            elif self._play(from_ns):
                if not self._manner.loop:
                    return
                from_ns = self._manner.from_ns
                continue
            from_ns = self._obey(from_ns)

    def _play(self, from_ns: int) -> bool:
        """Whether that came to the end."""
        manner = replace(self._manner, speed=self._speed, from_ns=from_ns)
        # The lap after a seek begins where the replay began, not where somebody sought.
        manner = replace(manner, loop=manner.loop and from_ns == self._manner.from_ns)
        at = cue(self._recording, from_ns, manner.telemetry_offset_ns)
        sends = plan(
            self._recording,
            manner,
            self._now_ns() + LEAD_NS,
            at=at,
            epoch=self._epoch,
            clocks=self._clocks,
            begun=self._begin,
        )
        self._epoch += 1
        return self._sender.run(self._telling(sends), lambda: not self._orders.are_there)

    def _obey(self, from_ns: int) -> int:
        """Follow the orders that came; return where to go on."""
        here_ns = from_ns if self._paused or self._lap is None else self._lap.elapsed_ns(self._now_ns())
        for order in self._orders.take():
            here_ns = self._follow(order, here_ns)
        self._lap = None
        self._say(here_ns)
        return here_ns

    def _follow(self, order: Order, here_ns: int) -> int:
        self._speed = order.speed or self._speed
        self._paused = self._paused if order.pause is None else order.pause
        if order.seek_s is None:
            return max(0, here_ns)
        length_ns = self._recording.length_ns
        wanted_ns = round(order.seek_s * NS_PER_S)
        return wanted_ns if length_ns is None else min(wanted_ns, length_ns)

    def _begin(self, lap: Lap) -> None:
        self._lap = lap
        self._say(lap.from_ns)

    def _telling(self, sends: Iterator[Send]) -> Iterator[Send]:
        for send in sends:
            if send.time_ns >= self._tell_at_ns and self._lap is not None:
                self._say(self._lap.elapsed_ns(send.time_ns))
            yield send

    def _say(self, elapsed_ns: int) -> None:
        now_ns = self._now_ns()
        self._tell_at_ns = now_ns + TELL_EVERY_NS
        length_ns = self._recording.length_ns
        self._tell(
            Position(
                max(0, elapsed_ns) / NS_PER_S,
                None if length_ns is None else length_ns / NS_PER_S,
                self._speed,
                self._paused,
                self._epoch,
                now_ns,
            )
        )
