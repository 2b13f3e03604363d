"""What a sample says, column by column. What was old then, or cannot be, is unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from flow.clock import NS_PER_MS, NS_PER_S
from flow.samples import Group, TelemetrySample

STALE_NS = 2 * NS_PER_S
"""As the head-up display has it: older is no present value any more."""
_SELDOM_NS = 10 * NS_PER_S
_LASTS_NS = dict.fromkeys((Group.BATTERY, Group.FIX, Group.MODE, Group.LINK, Group.CAMERA), _SELDOM_NS)
"""These are told once a second or less, and change slowly."""

Value = float | str | None
_PLACE = frozenset({"lat_deg", "lon_deg"})
_MOST = 1e9
_WORDS = {True: "yes", False: "no"}


class Located(Protocol):
    """A sample, or some of one."""

    @property
    def lat_deg(self) -> float | None: ...

    @property
    def lon_deg(self) -> float | None: ...

    @property
    def fix(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Column:
    """A field of TelemetrySample. `decimals` None: it is no number."""

    field: str
    name: str
    group: Group
    decimals: int | None = None


COLUMNS = (
    Column("lat_deg", "latitude [deg]", Group.POSITION, 7),
    Column("lon_deg", "longitude [deg]", Group.POSITION, 7),
    Column("alt_msl_m", "height above sea level [m]", Group.POSITION, 2),
    Column("alt_home_m", "height above home [m]", Group.POSITION, 2),
    Column("alt_agl_m", "height above ground [m]", Group.POSITION, 2),
    Column("roll_deg", "roll [deg]", Group.ATTITUDE, 2),
    Column("pitch_deg", "pitch [deg]", Group.ATTITUDE, 2),
    Column("yaw_deg", "yaw, true [deg]", Group.ATTITUDE, 2),
    Column("gimbal_pitch_deg", "camera pitch [deg]", Group.GIMBAL, 2),
    Column("gimbal_yaw_deg", "camera yaw, true [deg]", Group.GIMBAL, 2),
    Column("ground_speed_ms", "ground speed [m/s]", Group.SPEED, 2),
    Column("climb_ms", "climb [m/s]", Group.SPEED, 2),
    Column("battery_pct", "battery [%]", Group.BATTERY, 0),
    Column("battery_v", "battery [V]", Group.BATTERY, 2),
    Column("fix", "fix", Group.FIX),
    Column("satellites", "satellites", Group.FIX, 0),
    Column("h_accuracy_m", "horizontal accuracy [m]", Group.FIX, 2),
    Column("v_accuracy_m", "vertical accuracy [m]", Group.FIX, 2),
    Column("mode", "mode", Group.MODE),
    Column("armed", "armed", Group.MODE),
    Column("landed", "landed", Group.MODE),
    Column("link_quality_pct", "link quality [%]", Group.LINK, 0),
)


def column(field: str) -> Column:
    """The one of that field."""
    return next(each for each in COLUMNS if each.field == field)


def values(sample: TelemetrySample, columns: Sequence[Column] = COLUMNS) -> Iterator[Value]:
    """What is known of each column at that moment."""
    old = old_groups(sample)
    nowhere = place_of(sample) is None
    for column in columns:
        told = getattr(sample, column.field)
        if told is None or column.group in old or (nowhere and column.field in _PLACE):
            yield None
        elif column.decimals is None:
            yield _WORDS.get(told, told)
        else:
            yield finite(told)


def old_groups(sample: TelemetrySample) -> list[Group]:
    """Of which the newest message had come too long before the sample for a display to show it as now."""
    return [
        group for group, told_ns in sample.received_ns.items() if sample.utc_ns - told_ns > lasts_ns(group)
    ]


def lasts_ns(group: Group) -> int:
    """So long something told counts as present."""
    return _LASTS_NS.get(group, STALE_NS)


def place_of(sample: Located) -> tuple[float, float] | None:
    """Latitude and longitude in degrees, where they are of a place on this Earth.

    0/0 is what receivers say that have none; with a fix it is a place in the Gulf of Guinea.
    """
    lat_deg, lon_deg = sample.lat_deg, sample.lon_deg
    if lat_deg is None or lon_deg is None or not (abs(lat_deg) <= 90 and abs(lon_deg) <= 180):
        return None  # NaN, too
    nowhere = lat_deg == lon_deg == 0 and sample.fix in (None, "none")
    return None if nowhere else (lat_deg, lon_deg)


def finite(value: float | None) -> float | None:
    """None for NaN, and for what no instrument tells."""
    return value if value is not None and abs(value) < _MOST else None


def utc_text(utc_ns: int) -> str:
    """`2026-11-22T04:49:00.123Z`: ISO 8601, as xsd:dateTime and RFC 3339 have it, too."""
    return f"{_second_text(utc_ns // NS_PER_S)}.{utc_ns // NS_PER_MS % 1000:03d}Z"


@lru_cache(maxsize=4)
def _second_text(utc_s: int) -> str:
    """Ten samples have the same."""
    return datetime.fromtimestamp(utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
