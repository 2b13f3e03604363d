"""The UAS datalink local set (MISB ST 0601): where an aircraft is, and where its camera looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from flow.errors import MalformedError

from .klv import checksum, local_items, opened, write_length, write_tag
from .misb_values import Count, Imapb, Mapping, Signed, Text, Unsigned

ST0601_KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
VERSION = 17
"""Of ST 0601, whose items these are."""

Point: TypeAlias = tuple[float, float]
"""Latitude and longitude in degrees, WGS84."""


@dataclass(frozen=True, slots=True)
class St0601:
    """One set. None is unknown: absent, out of range, or marked as an error by the sender.

    `utc_us` is microseconds since the Unix epoch, by the sender's clock. Platform angles turn north, east,
    down into the airframe: heading first, then pitch, then roll. The sensor's turn on from there, in the same
    order: azimuth clockwise from the nose as seen from above, elevation upwards from the airframe's plane,
    roll clockwise as seen from behind the camera.

    `corners` are the picture's on the ground: upper left, upper right, lower right, lower left; or ().
    `_msl_m` is above mean sea level, `_hae_m` above the WGS84 ellipsoid.
    """

    utc_us: int | None = None
    mission_id: str | None = None
    tail_number: str | None = None
    platform_heading_deg: float | None = None
    platform_pitch_deg: float | None = None
    platform_roll_deg: float | None = None
    true_airspeed_ms: float | None = None
    indicated_airspeed_ms: float | None = None
    platform_designation: str | None = None
    image_source: str | None = None
    image_coordinates: str | None = None
    sensor_lat_deg: float | None = None
    sensor_lon_deg: float | None = None
    sensor_alt_msl_m: float | None = None
    sensor_alt_hae_m: float | None = None
    sensor_alt_agl_m: float | None = None
    hfov_deg: float | None = None
    vfov_deg: float | None = None
    sensor_azimuth_deg: float | None = None
    sensor_elevation_deg: float | None = None
    sensor_roll_deg: float | None = None
    slant_range_m: float | None = None
    target_width_m: float | None = None
    frame_centre_lat_deg: float | None = None
    frame_centre_lon_deg: float | None = None
    frame_centre_alt_msl_m: float | None = None
    frame_centre_alt_hae_m: float | None = None
    corners: tuple[Point, ...] = ()
    ground_speed_ms: float | None = None
    climb_ms: float | None = None
    call_sign: str | None = None
    version: int | None = None


_CHECKSUM, _TIME_STAMP = 1, 2
_HEIGHT = Unsigned(2, -900, 19_000)
_HEIGHT_EXTENDED = Imapb(3, -900, 40_000)
_LATITUDE, _LONGITUDE = Signed(4, 90), Signed(4, 180)

_ITEMS: tuple[tuple[int, str, Mapping], ...] = (
    (_TIME_STAMP, "utc_us", Count(8)),
    (3, "mission_id", Text()),
    (4, "tail_number", Text()),
    (5, "platform_heading_deg", Unsigned(2, 0, 360)),
    (6, "platform_pitch_deg", Signed(2, 20)),
    (7, "platform_roll_deg", Signed(2, 50)),
    (8, "true_airspeed_ms", Unsigned(1, 0, 255)),
    (9, "indicated_airspeed_ms", Unsigned(1, 0, 255)),
    (10, "platform_designation", Text()),
    (11, "image_source", Text()),
    (12, "image_coordinates", Text()),
    (13, "sensor_lat_deg", _LATITUDE),
    (14, "sensor_lon_deg", _LONGITUDE),
    (15, "sensor_alt_msl_m", _HEIGHT),
    (16, "hfov_deg", Unsigned(2, 0, 180)),
    (17, "vfov_deg", Unsigned(2, 0, 180)),
    (18, "sensor_azimuth_deg", Unsigned(4, 0, 360)),
    (19, "sensor_elevation_deg", Signed(4, 180)),
    (20, "sensor_roll_deg", Unsigned(4, 0, 360)),
    (21, "slant_range_m", Unsigned(4, 0, 5_000_000)),
    (22, "target_width_m", Unsigned(2, 0, 10_000)),
    (23, "frame_centre_lat_deg", _LATITUDE),
    (24, "frame_centre_lon_deg", _LONGITUDE),
    (25, "frame_centre_alt_msl_m", _HEIGHT),
    (51, "climb_ms", Signed(2, 180)),
    (56, "ground_speed_ms", Unsigned(1, 0, 255)),
    (59, "call_sign", Text()),
    (65, "version", Count(1)),
    (75, "sensor_alt_hae_m", _HEIGHT),
    (78, "frame_centre_alt_hae_m", _HEIGHT),
    (90, "platform_pitch_deg", Signed(4, 90)),
    (91, "platform_roll_deg", Signed(4, 90)),
    (96, "target_width_m", Imapb(3, 0, 1_500_000)),
    (104, "sensor_alt_hae_m", _HEIGHT_EXTENDED),
    (113, "sensor_alt_agl_m", _HEIGHT_EXTENDED),
)
"""Tag, field and mapping. Of a field with several tags the first that can hold the value is written, and the
last that tells one is read: those came later, and tell more."""

_BY_TAG = {tag: (name, mapping) for tag, name, mapping in _ITEMS}
_FULL_CORNERS = (82, 83, 84, 85, 86, 87, 88, 89)
_CORNER_OFFSETS = (26, 27, 28, 29, 30, 31, 32, 33)
_OFFSET = Signed(2, 0.075)


def decode_st0601(data: bytes) -> St0601:
    """One whole set, behind its key.

    Raises MalformedError for what is no such set, is cut off, has a length outside it, or has no checksum
    ("no_checksum") or a wrong one ("bad_checksum"). Items that are not known are skipped, and so is nearly
    everything a set may nest (security, ST 0102; targets, ST 0903).
    """
    values = _verified(data)
    fields: dict[str, Any] = {}
    for tag, (name, mapping) in _BY_TAG.items():
        if tag in values and (value := mapping.decode(values[tag])) is not None:
            fields[name] = value
    return St0601(**fields, corners=_corners(values, fields))


def encode_st0601(value: St0601) -> bytes:
    """The whole set, its key included: the time stamp first, the checksum last, as ST 0601 6 asks.

    What is beyond the range of its items is left out, as is what is None. Raises ValueError where `utc_us` is
    None: no set goes without.
    """
    if value.utc_us is None:
        raise ValueError("an ST 0601 set needs its time stamp")
    items: dict[str, tuple[int, bytes]] = {}
    for tag, name, mapping in _ITEMS:
        told = getattr(value, name)
        if told is not None and name not in items and (data := mapping.encode(told)) is not None:
            items[name] = tag, data
    body = b"".join(_item(tag, data) for tag, data in items.values())
    body += b"".join(_item(tag, data) for tag, data in _corner_items(value.corners))
    return _sealed(body)


def _verified(data: bytes) -> dict[int, bytes]:
    """The values by tag, once the checksum is found to be right."""
    key, start = opened(data)
    if key != ST0601_KEY:
        raise MalformedError("KLV that is no MISB ST 0601 set", code="unknown_set")
    values: dict[int, bytes] = {}
    checked = False
    for tag, at, value in local_items(data, start):
        if checked:
            raise MalformedError("an item behind the checksum (MISB ST 0601 6.3)")
        if tag == _CHECKSUM:
            _check(data[:at], value)
            checked = True
        else:
            values[tag] = value
    if not checked:
        raise MalformedError("a set without a checksum (MISB ST 0601 6.3)", code="no_checksum")
    return values


def _check(summed: bytes, value: bytes) -> None:
    told, found = int.from_bytes(value, "big"), checksum(summed)
    if len(value) != 2 or told != found:
        raise MalformedError(
            f"checksum {told:#06x}, should be {found:#06x} (ST 0601 6.3)", code="bad_checksum"
        )


def _sealed(body: bytes) -> bytes:
    """A set of these items, with its checksum."""
    check = _item(_CHECKSUM, bytes(2))
    data = ST0601_KEY + write_length(len(body) + len(check)) + body + check[:-2]
    return data + checksum(data).to_bytes(2, "big")


def _item(tag: int, data: bytes) -> bytes:
    return write_tag(tag) + write_length(len(data)) + data


def _corners(values: dict[int, bytes], fields: dict[str, Any]) -> tuple[Point, ...]:
    full = [
        (_LATITUDE if index % 2 == 0 else _LONGITUDE).decode(values.get(tag, b""))
        for index, tag in enumerate(_FULL_CORNERS)
    ]
    if points := _points(full):
        return points
    lat_deg, lon_deg = fields.get("frame_centre_lat_deg"), fields.get("frame_centre_lon_deg")
    if lat_deg is None or lon_deg is None:
        return ()
    offsets = _points([_OFFSET.decode(values.get(tag, b"")) for tag in _CORNER_OFFSETS])
    return tuple((lat_deg + north, lon_deg + east) for north, east in offsets)


def _points(numbers: list[float | None]) -> tuple[Point, ...]:
    """All four, or none."""
    known = [number for number in numbers if number is not None]
    return tuple(zip(known[0::2], known[1::2], strict=True)) if len(known) == len(numbers) else ()


def _corner_items(corners: tuple[Point, ...]) -> list[tuple[int, bytes]]:
    numbers = [number for point in corners for number in point]
    mapped = [
        (_LATITUDE if index % 2 == 0 else _LONGITUDE).encode(number) for index, number in enumerate(numbers)
    ]
    known = [data for data in mapped if data is not None]
    return list(zip(_FULL_CORNERS, known, strict=True)) if len(known) == len(_FULL_CORNERS) else []
