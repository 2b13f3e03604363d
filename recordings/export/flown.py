"""When and where an aircraft took off and landed, by what it said of itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from flow.samples import Place
from recordings.folders import SAMPLES_FILE
from recordings.samples_file import SampleLine, told_within

from .tracks.columns import place_of

_IN_AIR = frozenset({"in_air", "takeoff", "landing"})
_END_OF_TIME_NS = (1 << 63) - 1


class Stand(msgspec.Struct):
    """Of a TelemetrySample what tells whether it flies."""

    utc_ns: int
    landed: str | None = None
    armed: bool | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    fix: str | None = None


_DECODER = msgspec.json.Decoder(SampleLine[Stand])


class By(StrEnum):
    """How it is known."""

    LANDED = "landed"  # the autopilot says whether it is in the air
    ARMED = "armed"  # only that its motors were released and stopped
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Flown:
    """None: not known, or not yet."""

    takeoff_ns: int | None = None
    landing_ns: int | None = None
    by: By = By.NOTHING
    takeoff: Place | None = None
    landing: Place | None = None


def flown(folder: Path) -> Flown:
    """Of a whole flight. Blocking: some tenths of a second for two hours. Raises OSError."""
    stands = told_within(folder / SAMPLES_FILE, 0, _END_OF_TIME_NS, _DECODER)
    return flown_by(stand for stand in stands if stand.landed is not None or stand.armed is not None)


def flown_by(stands: Iterable[Stand]) -> Flown:
    """The first take-off and the landing after which it stayed on the ground."""
    airborne, armed = _Stretch(), _Stretch()
    for stand in stands:
        if stand.landed is not None:
            airborne.take(stand, stand.landed in _IN_AIR)
        if stand.armed is not None:
            armed.take(stand, stand.armed)
    for by, stretch in ((By.LANDED, airborne), (By.ARMED, armed)):
        if stretch.first is not None:
            return Flown(
                stretch.first.utc_ns,
                stretch.last.utc_ns if stretch.last else None,
                by,
                _place(stretch.first),
                _place(stretch.last),
            )
    return Flown()


@dataclass(slots=True)
class _Stretch:
    """From the first to the last moment of something that begins and ends, perhaps more than once."""

    first: Stand | None = None
    last: Stand | None = None

    def take(self, stand: Stand, goes_on: bool) -> None:
        if goes_on:
            self.first, self.last = self.first or stand, None
        elif self.first and not self.last:
            self.last = stand


def _place(stand: Stand | None) -> Place | None:
    place = place_of(stand) if stand else None
    return Place(*place) if place else None
