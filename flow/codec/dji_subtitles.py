"""What DJI's cameras write into a film's subtitles: one dialect for nearly every model.

    [latitude : 31.452012] [longtitude : 74.398751] [altitude: 213.98]      Mavic 2; "longtitude" is theirs
    [latitude: 59.3] [longitude: 18.2] [rel_alt: 1.300 abs_alt: 132.860]    Mini 3 and what came after it
    GPS (-121.7458, 48.0771, 17), D 221.21m, H 200.70m, H.S n/a             Mavic Mini, Phantom 4 RTK
    GPS(149.0251,-20.2533,16) BAROMETER:1.9                                 Mavic Pro
    GPS(36.6146,-6.1120,0.0M) BAROMETER:0.3M                                Matrice 300

A bare number behind the two coordinates counts satellites, and then longitude comes first; one with a
fraction or a unit is a height, and then latitude does. That holds for every model above (where each flew is
known), and nothing else in them tells the two apart: 36.6 and -6.1 can be either. HOME has the order of the
GPS beside it, and means nothing without. 0/0 is a receiver without a fix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_N = r"[-+]?\d{1,9}(?:\.\d{1,12})?"
_BRACKETS = re.compile(r"\[([^\[\]]{1,200})\]")
_PAIR = re.compile(rf"([a-z_]{{1,20}})\s?:\s?({_N})(?![\d./])")
_GPS = re.compile(rf"GPS\s?\(\s?({_N}),\s?({_N})(?:,\s?({_N})\s?(M?))?\s?\)", re.IGNORECASE)
_HOME = re.compile(rf"HOME\s?\(\s?({_N}),\s?({_N})(?:,\s?({_N})\s?M)?\s?\)", re.IGNORECASE)
_BAROMETER = re.compile(rf"BAROMETER\s?[:(]\s?({_N})")
_METRES = re.compile(rf"\b(D|H)\s?=?\s?({_N})m\b(?!/)")
_SPEED = re.compile(rf"\b(H\.S|V\.S)\s({_N})m/s")
_ANGLES = re.compile(rf"\b([FG])\.PRY\s?\(({_N})°?,\s?({_N})°?,\s?({_N})°?\)")
_DATE = re.compile(r"(\d{4})[.-](\d\d)[.-](\d\d)\s(\d\d):(\d\d):(\d\d)(?:[,.](\d{3}))?")


@dataclass(frozen=True, slots=True)
class Angles:
    """Degrees, as the subtitle has them: yaw -180 to 180 from north, gimbal pitch -90 straight down."""

    pitch_deg: float
    roll_deg: float
    yaw_deg: float


@dataclass(frozen=True, slots=True)
class DjiCue:
    """What one cue says; None is what it does not. Heights: `rel_alt_m` above the start, `abs_alt_m` above
    the sea as DJI reckons it. `vertical_speed_ms` has the sign of the file. `local_time` is that of the
    camera's clock, in a time zone that it does not tell."""

    lat_deg: float | None = None
    lon_deg: float | None = None
    abs_alt_m: float | None = None
    rel_alt_m: float | None = None
    satellites: int | None = None
    home: tuple[float, float] | None = None  # latitude, longitude
    home_alt_m: float | None = None
    distance_m: float | None = None
    horizontal_speed_ms: float | None = None
    vertical_speed_ms: float | None = None
    aircraft: Angles | None = None
    gimbal: Angles | None = None
    local_time: datetime | None = None


def parse_cue(text: str) -> DjiCue:
    """The fields of one cue. What is cut off or unreadable in it is left out; DjiCue() where all of it is."""
    pairs = {key: float(value) for part in _BRACKETS.findall(text) for key, value in _PAIR.findall(part)}
    return _bracketed(pairs, text) if pairs else _plain(text)


def _bracketed(pairs: dict[str, float], text: str) -> DjiCue:
    place = _place(pairs.get("latitude"), pairs.get("longitude", pairs.get("longtitude")))
    angles = [pairs.get(f"gb_{axis}") for axis in ("pitch", "roll", "yaw")]
    known = [angle for angle in angles if angle is not None]
    return DjiCue(
        lat_deg=place[0] if place else None,
        lon_deg=place[1] if place else None,
        abs_alt_m=pairs.get("abs_alt", pairs.get("altitude")) if place else None,
        rel_alt_m=pairs.get("rel_alt"),
        gimbal=Angles(*known) if len(known) == 3 else None,
        local_time=_local_time(text),
    )


def _plain(text: str) -> DjiCue:
    place, home, home_alt_m, satellites, abs_alt_m = None, None, None, None, None
    if gps := _GPS.search(text):
        lat_first = gps[3] is not None and (gps[4] != "" or "." in gps[3])
        place = _ordered(gps[1], gps[2], lat_first)
        if lat_first:
            abs_alt_m = float(gps[3]) or None  # Matrice 300 writes 0.0 at any height
        elif gps[3] is not None:
            satellites = int(gps[3])
        if start := _HOME.search(text):
            home = _ordered(start[1], start[2], lat_first)
            home_alt_m = float(start[3]) if home and start[3] else None
    metres = {name: float(value) for name, value in _METRES.findall(text)}
    speeds = {name: float(value) for name, value in _SPEED.findall(text)}
    angles = {name: Angles(*map(float, three)) for name, *three in _ANGLES.findall(text)}
    barometer = _BAROMETER.search(text)
    return DjiCue(
        lat_deg=place[0] if place else None,
        lon_deg=place[1] if place else None,
        abs_alt_m=abs_alt_m if place else None,
        rel_alt_m=float(barometer[1]) if barometer else metres.get("H"),
        satellites=satellites,
        home=home,
        home_alt_m=home_alt_m,
        distance_m=metres.get("D"),
        horizontal_speed_ms=speeds.get("H.S"),
        vertical_speed_ms=speeds.get("V.S"),
        aircraft=angles.get("F"),
        gimbal=angles.get("G"),
        local_time=_local_time(text),
    )


def _ordered(first: str, second: str, lat_first: bool) -> tuple[float, float] | None:
    return _place(*((float(first), float(second)) if lat_first else (float(second), float(first))))


def _place(lat_deg: float | None, lon_deg: float | None) -> tuple[float, float] | None:
    if lat_deg is None or lon_deg is None or not (lat_deg or lon_deg):
        return None
    return (lat_deg, lon_deg) if abs(lat_deg) <= 90 and abs(lon_deg) <= 180 else None


def _local_time(text: str) -> datetime | None:
    if not (found := _DATE.search(text)):
        return None
    year, month, day, hour, minute, second, millisecond = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, millisecond * 1000)
    except ValueError:
        return None
