"""When a flight begins and when it ends: pure, one detector per aircraft.

It begins when armed is first seen or, where nobody knows whether the aircraft is armed, at the first picture:
after a landing, pictures of a ground encoder that go on are no first ones.
It ends 60 s after disarming, or 120 s without picture and telemetry. Where nothing says that the aircraft is
armed, a long flight is split at a keyframe every two hours. A person's word goes before all of that.

Every input returns what follows from it, in order: at most the end of one flight and the start of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from flow.clock import NS_PER_S

DISARMED_NS = 60 * NS_PER_S
"""Armed again within this time, the same flight goes on."""

QUIET_NS = 120 * NS_PER_S
"""Without picture and telemetry for so long, the flight is over."""

SPLIT_NS = 2 * 3600 * NS_PER_S

STALE_NS = 30 * NS_PER_S
"""What was last said of arming holds for so long. A radio link that stutters must not begin flights on the
ground; an aircraft whose link is gone may well take off, so that later nobody knows."""

PAUSE_NS = 10 * NS_PER_S
"""After a landing, pictures that go on are no first ones; after a pause of so much, or arming, they are."""


@dataclass(frozen=True, slots=True)
class Start:
    at_ns: int


@dataclass(frozen=True, slots=True)
class End:
    at_ns: int  # of a flight that fell silent: when it was last heard


@dataclass(frozen=True, slots=True)
class Split:
    """The flight ends and the next one begins, at the keyframe that is being told."""

    at_ns: int


Turn: TypeAlias = Start | End | Split


class FlightDetector:
    """Tell it everything with the time; time that steps back is taken as standing still."""

    def __init__(self) -> None:
        self.started_ns: int | None = None
        """Of the flight that goes on; None: there is none."""
        self._now_ns = 0
        self._life_ns: int | None = None  # last picture or telemetry
        self._armed: bool | None = None  # as last told
        self._armed_ns = 0  # when that was
        self._landed_ns: int | None = None  # disarmed within this flight, since when
        self._flew = False  # armed within this flight
        self._lingers = False  # the last flight landed, and its pictures have gone on since
        self._picture_ns = 0  # when the last one came
        self._switch: bool | None = None  # what a person wants; None: nobody said
        self._may_rearm = False  # disarmed since it was switched off, so that arming anew counts

    @classmethod
    def resumed(cls, started_ns: int, life_ns: int) -> FlightDetector:
        """Within a flight that was cut off by the end of the server; `life_ns` is of its last data."""
        detector = cls()
        detector.started_ns, detector._life_ns = started_ns, life_ns
        return detector

    @property
    def idle_reason(self) -> str:
        """Why nothing is recorded while there is no flight; a code of RecordingState."""
        return "switched_off" if self._switch is False else "no_flight"

    # --- inputs -----------------------------------------------------------------------------------

    def picture(self, keyframe: bool, now_ns: int) -> list[Turn]:
        turns = self.tick(now_ns)
        self._lingers &= self._now_ns - self._picture_ns < PAUSE_NS
        self._life_ns = self._picture_ns = self._now_ns
        if self.started_ns is None:
            unknown = self._known_armed is None and not self._lingers
            if self._switch or (self._switch is None and unknown):
                turns += self._start()
        elif keyframe and self._known_armed is not True and self._now_ns - self.started_ns >= SPLIT_NS:
            self.started_ns = self._now_ns
            turns.append(Split(self._now_ns))
        return turns

    def telemetry(self, armed: bool | None, told_ns: int, now_ns: int) -> list[Turn]:
        """A message came; `armed` is what was last said of it, at `told_ns`."""
        turns = self.tick(now_ns)
        self._life_ns = self._now_ns
        if armed is not None:
            self._armed, self._armed_ns = armed, told_ns
        known = self._known_armed
        self._follow_switch(known)
        if self.started_ns is not None:
            self._follow_landing(known)
        elif self._switch or (self._switch is None and known):
            turns += self._start()
        return turns

    def switch(self, on: bool, now_ns: int) -> list[Turn]:
        """A person wants it recorded, whatever the aircraft says, or not recorded."""
        turns = self.tick(now_ns)
        self._switch = on
        self._may_rearm = self._known_armed is False
        if not on:
            return turns + self._end(self._now_ns)
        if self.started_ns is None and self._is_alive:
            turns += self._start()
        return turns

    def tick(self, now_ns: int) -> list[Turn]:
        """Time has passed."""
        self._now_ns = max(self._now_ns, now_ns)
        if self.started_ns is None:
            return []
        if not self._is_alive:
            return self._end(max(self.started_ns, self._life_ns or 0))
        landed_ns = None if self._switch else self._landed_ns
        if landed_ns is not None and self._now_ns - landed_ns >= DISARMED_NS:
            self._lingers = self._flew
            return self._end(self._now_ns)
        return []

    # --- what follows -----------------------------------------------------------------------------

    @property
    def _is_alive(self) -> bool:
        return self._life_ns is not None and self._now_ns - self._life_ns < QUIET_NS

    @property
    def _known_armed(self) -> bool | None:
        return self._armed if self._now_ns - self._armed_ns < STALE_NS else None

    def _follow_switch(self, known: bool | None) -> None:
        """Switched off holds until the aircraft is armed anew."""
        if self._switch is not False:
            return
        if known is False:
            self._may_rearm = True
        elif known and self._may_rearm:
            self._switch = None

    def _follow_landing(self, known: bool | None) -> None:
        if known:
            self._landed_ns, self._flew = None, True
        elif known is False and self._landed_ns is None:
            self._landed_ns = self._now_ns
            if self._flew and self._switch:
                self._switch = None  # a person's "on" was for this flight: the next one decides by itself

    def _start(self) -> list[Turn]:
        self.started_ns, self._landed_ns = self._now_ns, None
        self._flew, self._lingers = bool(self._known_armed), False
        return [Start(self._now_ns)]

    def _end(self, at_ns: int) -> list[Turn]:
        if self.started_ns is None:
            return []
        self.started_ns = self._landed_ns = None
        return [End(at_ns)]
