"""GPMF of a GoPro camera or of its Karma drone -> the state of the aircraft, at the moments of its picture.

Karma's streams are MAVLink's messages by other names: GLPI is GLOBAL_POSITION_INT, ATTD is ATTITUDE, VFRH is
VFR_HUD, GPRI is GPS_RAW_INT. Each is described in the stream itself (STNM, UNIT, TYPE, SCAL), from where the
fields and units below are taken. The gimbal and the target attitude (ATTR) are in none that is described.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from flow.clock import NS_PER_S
from flow.codec import gpmf
from flow.codec.gpmf import Row, Stream
from flow.samples import Group, Metadata, Place, TelemetrySample
from flow.source_clock import ClockState
from flow.units import CLOCK_RATE_HZ

from .news import News, updated
from .places import compass_deg, place_deg
from .row_clock import RowClock

_PAYLOAD_S = 1.001  # how long a payload is while the next has not come: a second of NTSC
_PAYLOAD_MOST_S = 5.0
_ASTRAY_S = 1.0
"""So far outside its payload no measurement lies: its own time is nonsense."""
_FIXES = {0: "none", 1: "none", 2: "2d", 3: "3d", 4: "dgps", 5: "rtk_float", 6: "rtk_fixed"}
_LARGEST = 1e6  # of anything that is measured here, in its unit
_DEGREES = math.degrees(1.0)
_TIMED = ("GLPI", "ATTD", "GPRI")  # their first field is the time since the drone was started, in seconds
_PROMPT = _TIMED[
    :2
]  # a fix of the receiver's takes its time from the sky to the film, and not always the same
_CAMERAS = ("GPS5", "GPS9")
_MOVES = frozenset({*_PROMPT, *_CAMERAS})


class GpmfTrack:
    """`take` payloads of one film in their order; a sample comes out for each position and attitude in them.

    Their `utc_ns` lie within the second that a payload covers: in the future, where it comes live.
    """

    def __init__(self, aircraft_id: str) -> None:
        self._known = TelemetrySample(aircraft_id, 0)
        self._clock = RowClock()
        self._before_s: float | None = None
        self._duration_s = _PAYLOAD_S

    @property
    def clock(self) -> ClockState | None:
        """None: a film is not of today, whatever it says of the time."""
        return None

    def take(self, metadata: Metadata) -> list[TelemetrySample]:
        """The samples of one payload in order of time. Raises MalformedError where it cannot be read."""
        streams = gpmf.streams(metadata.data, _READERS)
        payload_s = self._payload_s(metadata)
        own = (_number(row, 0) for key in _PROMPT if key in streams for row in streams[key].rows)
        self._clock.learn(payload_s, self._duration_s, [own_s for own_s in own if math.isfinite(own_s)])
        samples: list[TelemetrySample] = []
        for at_s, key, row in sorted(self._placed(streams, payload_s), key=lambda placed: placed[0]):
            utc_ns = metadata.utc_ns + round((at_s - payload_s) * NS_PER_S)
            self._known = updated(self._known, _READERS[key](row, streams[key]), utc_ns)
            if key in _MOVES:
                samples.append(self._known)
        return samples

    def _payload_s(self, metadata: Metadata) -> float:
        """When the payload begins; learns from the last one how long they are, but from that which the end of
        the film cut off."""
        at_s = metadata.utc_ns / NS_PER_S if metadata.pts_90k is None else metadata.pts_90k / CLOCK_RATE_HZ
        if self._before_s is not None:
            since_s = at_s - self._before_s
            if self._duration_s / 2 < since_s <= _PAYLOAD_MOST_S:
                self._duration_s = since_s
        self._before_s = at_s
        return at_s

    def _placed(self, streams: dict[str, Stream], payload_s: float) -> Iterator[tuple[float, str, Row]]:
        """Every row that is read with its time in the film: by its own clock, or evenly spread."""
        for key in [key for key in _READERS if key in streams]:
            if key in _CAMERAS and "GLPI" in streams:
                continue  # the drone knows more of itself than the camera under it
            rows = streams[key].rows
            twin = streams.get("GLPI") if key == "VFRH" else streams[key]  # VFR_HUD tells no time of its own
            timed = twin is not None and twin.key in _TIMED and len(twin.rows) == len(rows)
            for index, row in enumerate(rows):
                own_s = _number(twin.rows[index], 0) if twin is not None and timed else math.nan
                spaced_s = payload_s + index * self._duration_s / len(rows)
                at_s = self._clock.film_s(own_s) if math.isfinite(own_s) else spaced_s
                off = not -_ASTRAY_S <= at_s - payload_s <= self._duration_s + _ASTRAY_S
                yield spaced_s if off else at_s, key, row


def _number(row: Row, index: int) -> float:
    """A field as a number; not a number where there is none."""
    value = row[index] if index < len(row) else math.nan
    return math.nan if isinstance(value, str) else float(value)


def _known(row: Row, index: int, scale: float = 1.0) -> float | None:
    value = _number(row, index) * scale
    return value if abs(value) <= _LARGEST else None


def _position(row: Row, lat: int) -> dict[str, Any]:
    """Latitude, longitude and height above the sea, in this order from field `lat` on."""
    where = place_deg(_number(row, lat), _number(row, lat + 1))
    lat_deg, lon_deg = where or (None, None)
    return {"lat_deg": lat_deg, "lon_deg": lon_deg, "alt_msl_m": _known(row, lat + 2) if where else None}


def _global_position(row: Row, stream: Stream) -> News:
    """GLPI: s, lat, lon, m above the sea, m above home, north, east and down in m/s, heading."""
    fields: News = {Group.POSITION: {**_position(row, 1), "alt_home_m": _known(row, 4)}}
    north, east, climb = _known(row, 5), _known(row, 6), _known(row, 7, -1.0)
    if north is not None and east is not None:
        fields[Group.SPEED] = {"ground_speed_ms": math.hypot(north, east), "climb_ms": climb}
    return fields


def _attitude(row: Row, stream: Stream) -> News:
    """ATTD: s, roll, pitch and yaw in radians, their rates."""
    roll, pitch, yaw = (_known(row, index, _DEGREES) for index in (1, 2, 3))
    if roll is None or pitch is None or yaw is None:
        return {}
    return {Group.ATTITUDE: {"roll_deg": roll, "pitch_deg": pitch, "yaw_deg": compass_deg(yaw)}}


def _hud(row: Row, stream: Stream) -> News:
    """VFRH: m/s in the air, m/s over ground, m, m/s of climb, heading, throttle."""
    return {Group.SPEED: {"ground_speed_ms": _known(row, 1), "climb_ms": _known(row, 3)}}


def _raw_fix(row: Row, stream: Stream) -> News:
    """GPRI: s, lat, lon, m, accuracy across and up, m/s, course, fix type, satellites."""
    return {Group.FIX: {"fix": _FIXES.get(int(_known(row, 8) or 0)), "satellites": _satellites(row)}}


def _satellites(row: Row) -> int | None:
    count = _known(row, 9)
    return None if count is None or count == 0xFF else int(count)


def _battery(row: Row, stream: Stream) -> News:
    """KBAT: A, Ah, J, degrees, V of four cells, s, four of unknown meaning, percent."""
    percent, cells = _known(row, 14), [_known(row, index) for index in (4, 5, 6, 7)]
    told = [cell for cell in cells if cell is not None]
    volts = sum(told) if len(told) == len(cells) else None
    is_share = percent is not None and 0 <= percent <= 100
    return {Group.BATTERY: {"battery_pct": percent if is_share else None, "battery_v": volts or None}}


def _home(row: Row, stream: Stream) -> News:
    """BPOS: lat, lon and m of where the controller is, and so the pilot: Karma comes back to it. Its height
    is that of the controller's own receiver, and not the one that GLPI counts from."""
    where = place_deg(_number(row, 0), _number(row, 1))
    return {Group.HOME: {"home": Place(*where)}} if where else {}


def _hero(row: Row, stream: Stream, fix: float) -> News:
    """Latitude, longitude, height and m/s over ground; without a fix, nothing but that. Heights are above the
    ellipsoid but where GPSA says otherwise: "MSLV", above the sea (gpmf-parser, issues 4 and 204)."""
    told: News = {Group.FIX: {"fix": _FIXES.get(int(fix)), "satellites": None}}
    has_fix = fix >= 2  # else the camera repeats the last position it had
    where = _position(row, 0) if has_fix else dict.fromkeys(("lat_deg", "lon_deg"))
    if stream.before.get("GPSA") != ("MSLV",):
        where["alt_msl_m"] = None
    told[Group.POSITION] = where | {"alt_home_m": None}
    told[Group.SPEED] = {"ground_speed_ms": _known(row, 3) if has_fix else None, "climb_ms": None}
    return told


def _gps5(row: Row, stream: Stream) -> News:
    """GPS5: lat, lon, m, m/s over ground, m/s; GPSF beside it is the fix of all of them."""
    return _hero(row, stream, _known(stream.before.get("GPSF", ()), 0) or 0)


def _gps9(row: Row, stream: Stream) -> News:
    """GPS9: as GPS5, then days since 2000, seconds of the day, dilution of precision, fix."""
    return _hero(row, stream, _known(row, 8) or 0)


_READERS: dict[str, Callable[[Row, Stream], News]] = {
    "GLPI": _global_position,
    "VFRH": _hud,  # after GLPI: its speeds are those of the pilot's display
    "ATTD": _attitude,
    "GPRI": _raw_fix,
    "KBAT": _battery,
    "BPOS": _home,
    "GPS5": _gps5,
    "GPS9": _gps9,
}
