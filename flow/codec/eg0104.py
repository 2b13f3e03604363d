"""The Predator universal set (MISB EG 0104), which older cameras send: its items as those of ST 0601."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from flow.errors import MalformedError

from .klv import opened, universal_items
from .misb_values import Count, Text
from .st0601 import Point, St0601

EG0104_KEY = bytes.fromhex("060e2b34020101010e01010201010000")


@dataclass(frozen=True, slots=True)
class Eg0104:
    """One set. Other than ST 0601 it tells where the camera looks in the earth frame: clockwise from true
    north, upwards from the horizon, and how far the picture is turned."""

    items: St0601
    look_yaw_deg: float | None = None
    look_pitch_deg: float | None = None
    look_roll_deg: float | None = None


@dataclass(frozen=True, slots=True)
class _Float:
    """A number of IEEE 754, of four bytes or eight. One beyond `low` and `high`, or that is none, is unknown:
    there is no checksum to tell."""

    low: float
    high: float

    def decode(self, data: bytes) -> float | None:
        if len(data) not in (4, 8):
            return None
        value: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
        return value if self.low <= value <= self.high else None


_TEXT = Text()
_ANGLE, _TURN, _LENS = _Float(-180, 180), _Float(-360, 360), _Float(0, 180)
_LATITUDE, _LONGITUDE = _Float(-90, 90), _Float(-180, 180)
_HEIGHT, _WIDTH, _RANGE = _Float(-900, 40_000), _Float(0, 1_500_000), _Float(0, 5_000_000)
_LOOK_YAW, _LOOK_PITCH, _LOOK_ROLL = "look_yaw_deg", "look_pitch_deg", "look_roll_deg"

_ITEMS: dict[str, tuple[str, _Float | Text | Count]] = {
    "0702010101050000": ("utc_us", Count(8)),
    "0105050000000000": ("mission_id", _TEXT),
    "0101200100000000": ("platform_designation", _TEXT),
    "0420010201010000": ("image_source", _TEXT),
    "0701010100000000": ("image_coordinates", _TEXT),
    "0701100106000000": ("platform_heading_deg", _TURN),
    "0701100105000000": ("platform_pitch_deg", _ANGLE),
    "0701100104000000": ("platform_roll_deg", _ANGLE),
    "0701020102040200": ("sensor_lat_deg", _LATITUDE),
    "0701020102060200": ("sensor_lon_deg", _LONGITUDE),
    "0701020102020000": ("sensor_alt_msl_m", _HEIGHT),
    "0420020101080000": ("hfov_deg", _LENS),
    "04200201010a0100": ("vfov_deg", _LENS),
    "0701080101000000": ("slant_range_m", _RANGE),
    "0701090201000000": ("target_width_m", _WIDTH),
    "0701020103020000": ("frame_centre_lat_deg", _LATITUDE),
    "0701020103040000": ("frame_centre_lon_deg", _LONGITUDE),
    "0701020103160000": ("frame_centre_alt_msl_m", _HEIGHT),
    "0701100102000000": (_LOOK_YAW, _TURN),
    "0701100103000000": (_LOOK_PITCH, _TURN),
    "0701100101000000": (_LOOK_ROLL, _TURN),
}
"""By the second half of their keys: the first one tells the version of the dictionary and differs between
senders (SMPTE RP 210)."""

_CORNER_LATITUDES = ("0701020103070100", "0701020103080100", "0701020103090100", "07010201030a0100")
_CORNER_LONGITUDES = ("07010201030b0100", "07010201030c0100", "07010201030d0100", "07010201030e0100")


def decode_eg0104(data: bytes) -> Eg0104:
    """One whole set, behind its key; it has no checksum. Raises MalformedError."""
    key, start = opened(data)
    if key != EG0104_KEY:
        raise MalformedError("KLV that is no MISB EG 0104 set", code="unknown_set")
    values = {key[8:].hex(): value for key, value in universal_items(data, start)}
    fields: dict[str, Any] = {
        name: value
        for item, (name, mapping) in _ITEMS.items()
        if item in values and (value := mapping.decode(values[item])) is not None
    }
    look = {name: fields.pop(name, None) for name in (_LOOK_YAW, _LOOK_PITCH, _LOOK_ROLL)}
    look[_LOOK_PITCH] = _elevation_deg(look[_LOOK_PITCH])
    return Eg0104(St0601(**fields, corners=_corners(values)), **look)


def _elevation_deg(obliquity_deg: float | None) -> float | None:
    """RP 210's obliquity runs from straight back (0) below (270) to ahead (180); senders, though, write the
    elevation itself, -90 to 90."""
    if obliquity_deg is None or -90 <= obliquity_deg <= 90:
        return obliquity_deg
    return 180 - obliquity_deg if obliquity_deg <= 270 else None


def _corners(values: dict[str, bytes]) -> tuple[Point, ...]:
    points = [
        (_LATITUDE.decode(values.get(lat, b"")), _LONGITUDE.decode(values.get(lon, b"")))
        for lat, lon in zip(_CORNER_LATITUDES, _CORNER_LONGITUDES, strict=True)
    ]
    known = [(lat, lon) for lat, lon in points if lat is not None and lon is not None]
    return tuple(known) if len(known) == len(points) else ()
