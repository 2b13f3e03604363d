"""When an aircraft's telemetry is worth a warning or an alarm: what is heard of it in, Alarm events out.

An alarm is raised once, stands, and is cleared once; while it stands it is told again only where its level
changes. A value must stay beyond its limit for a while, and come back further than it went: a figure that
jumps about a limit neither rings nor stills anything. What is unknown changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from flow.flights import Alarm, AlarmLevel
from flow.samples import LinkState, LinkStatus, StatusText, TelemetrySample
from telemetry.settings import Thresholds

from .alarm_levels import Level, Pack, Standing, below
from .alarm_texts import CODES, ended_by, raised_by

NS_PER_S = 1_000_000_000
RISE_NS = 3 * NS_PER_S
FALL_NS = 5 * NS_PER_S
"""So long must it have been otherwise before an alarm rises, and before it falls."""
SAID_STANDS_NS = 60 * NS_PER_S
"""What an aircraft said on the ground counts for so long after it said it last; in flight, until it lands."""
BACK_NS = 2 * NS_PER_S
GIVEN_UP_NS = 3600 * NS_PER_S
"""No battery lasts so long without a word: whatever stood of that flight is over."""

PERCENT_MARGIN = 5.0
VOLTS_MARGIN = 1.03
FALLING_WARNING, FALLING_ALARM, FALLING_MARGIN = 0.86, 0.81, 0.02
"""Of the voltage at take-off, for packs of which nothing else is known: 4.2 V a cell become 3.6 and 3.4 V."""
LEAST_VOLTS = 2.5
"""No pack lives below one cell's 2.5 V: a monitor that is not wired tells 0 V, or 0.4."""
FEW_SATELLITES = 6

T = TypeVar("T")

_AIRBORNE = frozenset({"in_air", "takeoff", "landing"})
_FIXED = frozenset({"3d", "dgps", "rtk_float", "rtk_fixed"})
_RETURNING = frozenset({"RTL", "SMART_RTL", "QRTL", "RTGS"})


@dataclass(slots=True)
class _Spoken:
    """A text that raised something: until when it counts, None while the aircraft flies."""

    level: AlarmLevel
    text: str
    until_ns: int | None


@dataclass(slots=True)
class _Known:
    """The newest of each value that has been known; an aircraft that starts anew does not un-know it."""

    armed: bool | None = None
    landed: str | None = None
    percent: float | None = None
    volts: float | None = None
    link_pct: float | None = None
    fix: str | None = None
    satellites: int | None = None
    mode: str | None = None
    fence_breached: bool | None = None

    def take(self, sample: TelemetrySample) -> None:
        volts = _number(sample.battery_v)
        self.armed = _newest(sample.armed, self.armed)
        self.landed = _newest(sample.landed, self.landed)
        self.percent = _newest(_number(sample.battery_pct), self.percent)
        self.volts = volts if volts is not None and volts >= LEAST_VOLTS else self.volts
        self.link_pct = _newest(_number(sample.link_quality_pct), self.link_pct)
        self.fix = _newest(sample.fix, self.fix)
        self.satellites = _newest(sample.satellites, self.satellites)
        self.mode = _newest(sample.mode, self.mode)
        self.fence_breached = _newest(sample.fence_breached, self.fence_breached)

    @property
    def flying(self) -> bool:
        return self.landed in _AIRBORNE or (self.landed is None and bool(self.armed))


@dataclass(slots=True)
class AircraftAlarms:
    """One aircraft. `now_ns` is Lagebild time and never steps back; call `poll` at least once a second."""

    thresholds: Thresholds
    _known: _Known = field(default_factory=_Known)
    _pack: Pack = field(default_factory=Pack)
    _standing: dict[str, Standing] = field(default_factory=dict)
    _spoken: dict[str, _Spoken] = field(default_factory=dict)
    _heard_ns: int | None = None  # of when its newest word is
    _back_ns: int | None = None  # since when it is heard again
    _link_failed: bool = False
    _had_fix: bool = False  # in this flight or just before it
    _count: int = 0

    def sample(self, sample: TelemetrySample, now_ns: int) -> list[Alarm]:
        """A new sample has come; return what it changes."""
        was_flying = self._known.flying
        self._known.take(sample)
        self._back_ns = now_ns if self._back_ns is None else self._back_ns
        said_ns = min(now_ns, sample.utc_ns)  # what a queue held back is a word of then
        self._heard_ns, self._link_failed = max(said_ns, self._heard_ns or said_ns), False
        if was_flying and not self._known.flying:
            self._land()
        if self._known.volts is not None and self._known.flying:
            self._pack.take(self._known.volts, now_ns)
        self._had_fix |= self._known.fix in _FIXED
        return self.poll(now_ns)

    def forget(self, now_ns: int) -> list[Alarm]:
        """What comes is of another flight: whatever stood is over."""
        stood = [code for code, standing in self._standing.items() if standing.level is not None]
        self._known, self._heard_ns, self._back_ns = _Known(), None, None
        self._standing.clear()
        self._spoken.clear()
        self._land()
        return [self._alarm(code, None, now_ns, {}) for code in stood]

    def link(self, state: LinkState, now_ns: int) -> list[Alarm]:
        """The link's state has changed."""
        self._link_failed = state.status is LinkStatus.FAILED
        return self.poll(now_ns)

    def text(self, text: StatusText, now_ns: int) -> list[Alarm]:
        """The aircraft has said something."""
        if (code := ended_by(text.text)) is not None:
            self._spoken.pop(code, None)
        said = raised_by(text.text)
        if said is not None and said.code == "fence" and self._known.fence_breached is not None:
            said = None  # FENCE_STATUS says it, and also when it is over
        flying = self._known.flying
        if said is not None and (flying or said.on_ground):
            until_ns = None if flying else now_ns + SAID_STANDS_NS
            self._spoken[said.code] = _Spoken(said.level, text.text, until_ns)
        return self.poll(now_ns)

    def poll(self, now_ns: int) -> list[Alarm]:
        """What has become of it by now."""
        alarms: list[Alarm] = []
        if self._heard_ns is not None and now_ns - self._heard_ns > GIVEN_UP_NS:
            self._known, self._heard_ns = _Known(), None
            self._land()
        for code, judge in _JUDGES.items():
            standing = self._standing.setdefault(code, Standing())
            wanted = judge(self, standing.level) if self._known.flying else None
            if standing.settle(wanted, now_ns, RISE_NS, FALL_NS):
                alarms.append(self._alarm(code, standing.level, now_ns, self._limit(code, standing.level)))
        return alarms + self._silence(now_ns) + self._of_texts(now_ns)

    def _land(self) -> None:
        """What belongs to a flight ends with it."""
        self._pack, self._had_fix = Pack(), self._known.fix in _FIXED
        self._spoken = {code: said for code, said in self._spoken.items() if said.until_ns is not None}

    # --- what stands by values: each says the level that it wants, given the one that stands -------

    def _battery_percent(self, stands: Level) -> Level:
        limits = self.thresholds
        return below(
            self._known.percent, limits.battery_warning_pct, limits.battery_alarm_pct, PERCENT_MARGIN, stands
        )

    def _battery_volts(self, stands: Level) -> Level:
        limit = self.thresholds.battery_alarm_v
        if limit is None:
            return None
        return below(self._known.volts, limit, limit, limit * (VOLTS_MARGIN - 1), stands)

    def _battery_falling(self, stands: Level) -> Level:
        if self._known.percent is not None or self.thresholds.battery_alarm_v is not None:
            return None
        return below(self._pack.share, FALLING_WARNING, FALLING_ALARM, FALLING_MARGIN, stands)

    def _link_quality(self, stands: Level) -> Level:
        limits = self.thresholds
        return below(
            self._known.link_pct, limits.link_warning_pct, limits.link_alarm_pct, PERCENT_MARGIN, stands
        )

    def _no_fix(self, stands: Level) -> Level:
        """Lost in flight: an aircraft that never had one, under water or in a hall, goes without."""
        lost = self._had_fix and self._known.fix is not None and self._known.fix not in _FIXED
        return AlarmLevel.ALARM if lost else None

    def _few_satellites(self, stands: Level) -> Level:
        if self._known.fix not in _FIXED:
            return None
        few = below(self._known.satellites, FEW_SATELLITES, 0, 1, stands)
        return few and AlarmLevel.WARNING

    def _fence_breached(self, stands: Level) -> Level:
        return AlarmLevel.ALARM if self._known.fence_breached else None

    def _returning(self, stands: Level) -> Level:
        return AlarmLevel.WARNING if self._known.mode in _RETURNING else None

    def _limit(self, code: str, level: Level) -> dict[str, str]:
        """The limit that is passed, as text: it stays true for as long as the alarm stands."""
        limits = self.thresholds
        passed = {
            "battery_percent": (limits.battery_warning_pct, limits.battery_alarm_pct),
            "battery_volts": (limits.battery_alarm_v, limits.battery_alarm_v),
            "link_quality": (limits.link_warning_pct, limits.link_alarm_pct),
            "few_satellites": (FEW_SATELLITES, FEW_SATELLITES),
        }.get(code)
        if passed is None or level is None:
            return {}
        return {"limit": f"{passed[level is AlarmLevel.ALARM]:g}"}

    # --- what stands by silence, and by what was said ------------------------------------------------

    @property
    def _age_ns(self) -> int:
        return round(self.thresholds.telemetry_age_s * NS_PER_S)

    def _silence(self, now_ns: int) -> list[Alarm]:
        standing = self._standing.setdefault("telemetry_age", Standing())
        heard_ns = now_ns if self._heard_ns is None else self._heard_ns
        silent = self._known.flying and (now_ns - heard_ns > self._age_ns or self._link_failed)
        if silent:
            self._back_ns = None
        if standing.level is not None and not silent and self._known.flying:  # back, but for how long?
            silent = self._back_ns is None or now_ns - self._back_ns < BACK_NS
        if not standing.settle(AlarmLevel.ALARM if silent else None, now_ns, 0, 0):
            return []
        return [self._alarm("telemetry_age", standing.level, heard_ns if silent else now_ns, {})]

    def _of_texts(self, now_ns: int) -> list[Alarm]:
        alarms: list[Alarm] = []
        if self._known.fix in _FIXED:
            self._spoken.pop("no_fix_to_arm", None)
        for code in CODES:
            said = self._spoken.get(code)
            if said and said.until_ns is not None and now_ns >= said.until_ns:
                del self._spoken[code]
                said = None
            standing = self._standing.setdefault(code, Standing())
            if standing.settle(said.level if said else None, now_ns, 0, 0):
                values = {"text": said.text} if said else {}
                alarms.append(self._alarm(code, standing.level, now_ns, values))
        return alarms

    def _alarm(self, code: str, level: Level, utc_ns: int, values: dict[str, str]) -> Alarm:
        """Raised where there is a level, else cleared."""
        self._count += 1
        aircraft_id = self.thresholds.aircraft_id
        return Alarm(
            id=f"{aircraft_id}-alarm-{code}-{utc_ns}-{self._count}",
            aircraft_id=aircraft_id,
            utc_ns=utc_ns,
            code=code,
            values=values,
            level=level or AlarmLevel.WARNING,
            active=level is not None,
        )


_JUDGES: dict[str, Callable[[AircraftAlarms, Level], Level]] = {
    "battery_percent": AircraftAlarms._battery_percent,
    "battery_volts": AircraftAlarms._battery_volts,
    "battery_falling": AircraftAlarms._battery_falling,
    "link_quality": AircraftAlarms._link_quality,
    "no_fix": AircraftAlarms._no_fix,
    "fence_breached": AircraftAlarms._fence_breached,
    "few_satellites": AircraftAlarms._few_satellites,
    "returning": AircraftAlarms._returning,
}

ALARM_CODES = (*_JUDGES, "telemetry_age", *CODES)
"""Every code of an alarm; the UI catalogue has a sentence for each."""


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _newest(value: T | None, before: T | None) -> T | None:
    return before if value is None else value
