"""Where an aircraft was in a flight, and how high, how fast, on how much battery: for a map and plots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from flow.giving_way import giving_way
from flow.samples import Group

from .export.tracks.columns import lasts_ns, place_of
from .folders import SAMPLES_FILE
from .protocol.thinning import CoursePoint, Thinning
from .samples_file import SampleLine, times_of, told_within


class _Received(msgspec.Struct):
    """When what a point shows was received."""

    position: int | None = None
    attitude: int | None = None
    speed: int | None = None
    battery: int | None = None


class _Sample(CoursePoint):
    """Of a line of 900 bytes only what is drawn: four times as fast."""

    fix: str | None = None
    received_ns: _Received = msgspec.field(default_factory=_Received)


_SHOWN_OF = {
    Group.POSITION: ("lat_deg", "lon_deg", "alt_home_m", "alt_msl_m"),
    Group.ATTITUDE: ("yaw_deg",),
    Group.SPEED: ("ground_speed_ms", "climb_ms"),
    Group.BATTERY: ("battery_pct", "battery_v"),
}
_DECODER = msgspec.json.Decoder(SampleLine[_Sample])


@dataclass(frozen=True, slots=True)
class Course:
    """Points of a whole flight, so many that a page can draw it; each time of `cuts_ns` is of one that comes
    after a gap."""

    points: list[CoursePoint]
    cuts_ns: list[int]


def flight_course(folder: Path) -> Course:
    """Blocking: half a second for two hours. Raises OSError."""
    path = folder / SAMPLES_FILE
    times = times_of(path)
    if times is None:
        return Course([], [])
    first_ns, newest_ns = times
    thinning = Thinning(first_ns, newest_ns)
    for sample in giving_way(told_within(path, first_ns, newest_ns + 1, _DECODER)):
        _forget_what_is_old(sample)
        thinning.take(sample)
    return Course(thinning.points(), thinning.cuts_ns)


def _forget_what_is_old(sample: _Sample) -> None:
    """What no display showed as now is unknown."""
    for group, fields in _SHOWN_OF.items():
        told_ns = getattr(sample.received_ns, group.value)
        if told_ns is not None and sample.utc_ns - told_ns > lasts_ns(group):
            for field in fields:
                setattr(sample, field, None)
    if place_of(sample) is None:
        sample.lat_deg = sample.lon_deg = None
