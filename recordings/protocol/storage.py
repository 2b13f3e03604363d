"""Whether there is room for recordings, and for how long: levels, each with a way back of its own.

Room is what may still be filled: the disk's free bytes without the reserve.

    low     warned: it will be full within the hours that the settings name; while nothing is recorded, less
            than 5 GiB (of a small disk: a twentieth)
    thin    flights go that may go: what is written in ten minutes, and 512 MiB at least (less on small disks)
    stop    thinning has not helped: recording stops before what is written until the next look would take
            from the reserve

Each ends only well above where it began, so that nothing flutters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from flow.clock import NS_PER_S
from flow.flights import Alarm, AlarmLevel
from flow.recording import StorageState, StorageStatus

LOOK_EVERY_NS = 10 * NS_PER_S
LOOK_CLOSELY_NS = NS_PER_S
"""Where recording may soon have to stop: a small disk would be full before the next usual look."""

FEED_BYTES_S = 500_000
"""4 Mbit/s: what a feed is taken to write as long as nothing was measured."""

ALARM_CODES = {
    StorageStatus.LOW: "disk_low",
    StorageStatus.FULL: "disk_full",
    StorageStatus.FAILED: "disk_failed",
}

_LOW_BYTES = 5 * 1024**3
_THIN_BYTES = 512 * 1024**2
_THIN_AHEAD_S = 600
_LOOKS_AHEAD = 2
_WAY_BACK = 1.25
_SOUND_LOOKS = 2  # in a row, before a disk that had failed is trusted again
_TELL_AGAIN = 0.75  # of the hours that were told last

_GB = 1e9


@dataclass(frozen=True, slots=True)
class Space:
    """What a file system has, and what of it this user may still fill."""

    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the disk. `space` None: it failed, and `trouble` says how. `rate_bytes_s` None: nothing is
    being recorded."""

    now_ns: int
    space: Space | None
    rate_bytes_s: float | None = None
    trouble: str = ""


class Levels(NamedTuple):
    """Bytes of room."""

    stop: int
    thin: int
    low: int


def levels(total_bytes: int, rate_bytes_s: float) -> Levels:
    """Of a disk of that size that is filled so fast."""
    ahead = min(rate_bytes_s * _THIN_AHEAD_S, total_bytes / 10)
    thin = max(min(_THIN_BYTES, total_bytes // 20), int(ahead))
    until_next = _written(rate_bytes_s, LOOK_EVERY_NS)
    stop = max(min(until_next, thin // 4), min(_written(rate_bytes_s, LOOK_CLOSELY_NS), thin * 3 // 4))
    return Levels(stop, thin, max(thin, min(_LOW_BYTES, total_bytes // 20)))


def _written(rate_bytes_s: float, look_every_ns: int) -> int:
    """Until the look after next."""
    return int(rate_bytes_s * _LOOKS_AHEAD * look_every_ns / NS_PER_S)


class StorageJudge:
    """From looks at the disk to its state and to alarms: one at most stands at a time."""

    def __init__(self, reserve_bytes: int, warn_hours: float, expected_bytes_s: float) -> None:
        self._reserve_bytes, self._warn_hours = reserve_bytes, warn_hours
        self._expected_bytes_s = max(expected_bytes_s, FEED_BYTES_S)
        self._status = StorageStatus.OK
        self._since_ns = 0
        self._sound_looks = 0
        self._last_rate = 0.0
        self._told_hours = 0.0
        self._alarms: list[Alarm] = []
        self.look_after_ns = LOOK_EVERY_NS
        """When to look again, after the look that was judged last."""

    def needed_bytes(self, look: Look) -> int:
        """What should be thinned now; 0: nothing."""
        if look.space is None:
            return 0
        short = self._levels(look, look.space).thin - self._room(look.space)
        return max(0, short)

    def judge(self, look: Look, used_bytes: int) -> StorageState:
        """`used_bytes` is what recordings take."""
        status = self._next_status(look)
        self.look_after_ns = LOOK_CLOSELY_NS if self._is_close(look) else LOOK_EVERY_NS
        if look.rate_bytes_s is not None:
            self._last_rate = look.rate_bytes_s
        if status is not self._status or not self._since_ns:
            self._alarm(self._status, look, active=False)
            self._status, self._since_ns = status, look.now_ns
            self._alarm(status, look, active=True)
        elif status is StorageStatus.LOW and self._hours(look) < _TELL_AGAIN * self._told_hours:
            self._alarm(status, look, active=True)
        return StorageState(
            status=status,
            since_ns=self._since_ns,
            free_bytes=self._room(look.space) if look.space else 0,
            used_bytes=used_bytes,
            hours_left=self._hours(look) if look.rate_bytes_s and look.space else None,
            detail=self._detail(look),
        )

    def _is_close(self, look: Look) -> bool:
        if look.space is None or look.rate_bytes_s is None:
            return False
        stop = self._levels(look, look.space).stop
        return self._room(look.space) < stop + _written(look.rate_bytes_s, LOOK_EVERY_NS)

    def alarms(self) -> list[Alarm]:
        """What is to be told since this was last asked."""
        told, self._alarms = self._alarms, []
        return told

    def _next_status(self, look: Look) -> StorageStatus:
        if look.space is None:
            self._sound_looks = 0
            return StorageStatus.FAILED
        self._sound_looks += 1
        if self._status is StorageStatus.FAILED and self._sound_looks < _SOUND_LOOKS:
            return StorageStatus.FAILED
        room, level = self._room(look.space), self._levels(look, look.space)
        was_full = self._status is StorageStatus.FULL
        if room <= (level.thin // 2 if was_full else level.stop):
            return StorageStatus.FULL
        back = _WAY_BACK if was_full or self._status is StorageStatus.LOW else 1.0
        soon = look.rate_bytes_s is not None and self._hours(look) < self._warn_hours * back
        return StorageStatus.LOW if soon or room < level.low * back else StorageStatus.OK

    def _levels(self, look: Look, space: Space) -> Levels:
        """While it is full nothing is written: what was written before tells what will be afterwards."""
        rate = look.rate_bytes_s
        if rate is None:
            rate = self._last_rate if self._status is StorageStatus.FULL else 0.0
        return levels(space.total_bytes, rate)

    def _room(self, space: Space) -> int:
        return max(0, space.free_bytes - self._reserve_bytes)

    def _hours(self, look: Look) -> float:
        """At the present rate; while nothing is recorded, at that of all feeds."""
        room = self._room(look.space) if look.space else 0
        return room / (look.rate_bytes_s or self._expected_bytes_s) / 3600

    def _detail(self, look: Look) -> str:
        if look.space is None:
            return look.trouble
        if self._status is StorageStatus.FAILED:
            return "the disk answers again; recording goes on if it still does in a moment"
        room = (
            f"{self._room(look.space) / _GB:.1f} GB above the reserve of {self._reserve_bytes / _GB:.1f} GB"
        )
        if self._status is StorageStatus.FULL:
            return f"{room} are left; flights that are held, of open incidents or of today are never thinned"
        at = "at the present rate" if look.rate_bytes_s else "if every feed is recorded"
        return f"{room} are left: {self._hours(look):.1f} hours {at}"

    def _alarm(self, status: StorageStatus, look: Look, *, active: bool) -> None:
        if status is StorageStatus.OK:
            return
        values: dict[str, str] = {}
        if status is StorageStatus.LOW:
            self._told_hours = self._hours(look)
            free = self._room(look.space) if look.space else 0
            values = {"hours": _figure(self._told_hours), "free": _figure(free / _GB)}
        code = ALARM_CODES[status]
        alarm = Alarm(
            id=f"{code}-{look.now_ns}-{'on' if active else 'off'}",
            aircraft_id="",
            utc_ns=self._since_ns if active else look.now_ns,
            code=code,
            values=values if active else {},
            level=AlarmLevel.WARNING if status is StorageStatus.LOW else AlarmLevel.ALARM,
            active=active,
        )
        self._alarms.append(alarm)


def _figure(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
