"""EXIF 2.32 (CIPA DC-008-2019): when and where a JPEG was taken. What is not known has no tag."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import TypeAlias

from flow.errors import MalformedError

NS_PER_S = 1_000_000_000

_SOI = b"\xff\xd8"
_APP1 = b"\xff\xe1"
_HEADER = b"Exif\x00\x00"
_SEGMENT_LIMIT_BYTES = 0xFFFF - 2 - len(_HEADER)


@dataclass(frozen=True, slots=True)
class Shot:
    """What is known of one picture. None is not known and gets no tag.

    `lat_deg`, `lon_deg` WGS84; `alt_msl_m` above mean sea level; `direction_deg` true north, 0 to 360, of the
    camera axis; `elevation_deg` of it above the horizon (-90: straight down). Texts are cut to ASCII.
    """

    utc_ns: int
    width_px: int
    height_px: int
    description: str
    comment: str
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_msl_m: float | None = None
    direction_deg: float | None = None
    elevation_deg: float | None = None


def with_exif(jpeg: bytes, shot: Shot) -> bytes:
    """The JPEG with an Exif segment right after its start (4.5.4). Raises MalformedError if it is no JPEG."""
    if not jpeg.startswith(_SOI):
        raise MalformedError("no JPEG: it does not begin with SOI (ITU-T T.81 B.1.1.3)")
    tiff = _tiff(shot)
    if len(tiff) > _SEGMENT_LIMIT_BYTES:
        raise MalformedError(f"Exif of {len(tiff)} bytes does not fit its segment (EXIF 2.32 4.5.4)")
    body = _HEADER + tiff
    return b"".join((_SOI, _APP1, (len(body) + 2).to_bytes(2, "big"), body, jpeg[2:]))


# --- the values of a tag: TIFF 6.0 section 2, EXIF 2.32 4.6.2 -----------------------------------------------


@dataclass(frozen=True, slots=True)
class _Value:
    kind: int
    count: int
    data: bytes


_Directory: TypeAlias = dict[int, _Value]


def _byte(*values: int) -> _Value:
    return _Value(1, len(values), bytes(values))


def _ascii(text: str) -> _Value:
    data = text.encode("ascii", "replace") + b"\x00"
    return _Value(2, len(data), data)


def _long(value: int) -> _Value:
    return _Value(4, 1, struct.pack(">I", value))


def _rational(*values: Fraction) -> _Value:
    return _Value(5, len(values), b"".join(struct.pack(">II", v.numerator, v.denominator) for v in values))


def _signed_rational(value: Fraction) -> _Value:
    return _Value(10, 1, struct.pack(">ii", value.numerator, value.denominator))


def _undefined(data: bytes) -> _Value:
    return _Value(7, len(data), data)


def _hundredths(value: float) -> Fraction:
    return Fraction(round(value * 100), 100)


# --- the directories ----------------------------------------------------------------------------------------

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_HEAD_BYTES = 8


def _tiff(shot: Shot) -> bytes:
    """Big-endian TIFF: the first directory and, behind it, the two that it points to."""
    exif, gps = _exif(shot), _gps(shot)
    pointers = {_EXIF_IFD: exif} | ({_GPS_IFD: gps} if gps else {})
    first: _Directory = {
        0x010E: _ascii(shot.description),  # ImageDescription
        0x0131: _ascii("Lagebild"),  # Software
    }
    at = _HEAD_BYTES + _size(first | dict.fromkeys(pointers, _long(0)))
    behind: list[bytes] = []
    for tag, directory in pointers.items():
        first[tag] = _long(at)
        behind.append(_laid_out(directory, at))
        at += _size(directory)
    return b"".join((struct.pack(">2sHI", b"MM", 42, _HEAD_BYTES), _laid_out(first, _HEAD_BYTES), *behind))


def _exif(shot: Shot) -> _Directory:
    time = _time_of(shot.utc_ns)
    directory: _Directory = {
        0x9000: _undefined(b"0232"),  # ExifVersion
        0x9003: _ascii(time.strftime("%Y:%m:%d %H:%M:%S")),  # DateTimeOriginal
        0x9011: _ascii("+00:00"),  # OffsetTimeOriginal
        0x9286: _undefined(b"ASCII\x00\x00\x00" + shot.comment.encode("ascii", "replace")),  # UserComment
        0x9291: _ascii(f"{shot.utc_ns % NS_PER_S // 1000:06d}"),  # SubSecTimeOriginal
        0xA001: _Value(3, 1, struct.pack(">H", 1)),  # ColorSpace: sRGB
        0xA002: _long(shot.width_px),  # PixelXDimension
        0xA003: _long(shot.height_px),  # PixelYDimension
    }
    if shot.elevation_deg is not None:
        directory[0x9405] = _signed_rational(_hundredths(shot.elevation_deg))  # CameraElevationAngle
    return directory


def _gps(shot: Shot) -> _Directory:
    directory: _Directory = {}
    if shot.lat_deg is not None and shot.lon_deg is not None:
        directory[0x01] = _ascii("N" if shot.lat_deg >= 0 else "S")
        directory[0x02] = _degrees(shot.lat_deg)
        directory[0x03] = _ascii("E" if shot.lon_deg >= 0 else "W")
        directory[0x04] = _degrees(shot.lon_deg)
        directory[0x12] = _ascii("WGS-84")  # GPSMapDatum
        directory |= _gps_time(shot.utc_ns)
    if shot.alt_msl_m is not None:
        directory[0x05] = _byte(0 if shot.alt_msl_m >= 0 else 1)  # GPSAltitudeRef: sea level, above or below
        directory[0x06] = _rational(_hundredths(abs(shot.alt_msl_m)))
    if shot.direction_deg is not None:
        directory[0x10] = _ascii("T")  # GPSImgDirectionRef: true north
        directory[0x11] = _rational(_hundredths(shot.direction_deg) % 360)
    return {0x00: _byte(2, 3, 0, 0), **directory} if directory else {}  # GPSVersionID


def _gps_time(utc_ns: int) -> _Directory:
    """GPSTimeStamp (UTC, to the millisecond) and GPSDateStamp."""
    time = _time_of(utc_ns)
    second = Fraction(time.second * 1000 + utc_ns % NS_PER_S // 1_000_000, 1000)
    return {
        0x07: _rational(Fraction(time.hour), Fraction(time.minute), second),
        0x1D: _ascii(time.strftime("%Y:%m:%d")),
    }


def _time_of(utc_ns: int) -> datetime:
    return datetime.fromtimestamp(utc_ns // NS_PER_S, UTC)


def _degrees(value: float) -> _Value:
    """Degrees, minutes and seconds to a ten-thousandth of a second (3 mm), so that none of them reads 60."""
    ticks = round(abs(value) * 36_000_000)
    minutes, tick = divmod(ticks, 600_000)
    degrees, minute = divmod(minutes, 60)
    return _rational(Fraction(degrees), Fraction(minute), Fraction(tick, 10_000))


# --- the layout of a directory: TIFF 6.0 section 2 ----------------------------------------------------------


def _size(directory: Mapping[int, _Value]) -> int:
    outside = sum(_even(len(value.data)) for value in directory.values() if len(value.data) > 4)
    return 2 + 12 * len(directory) + 4 + outside


def _even(size: int) -> int:
    return size + size % 2


def _laid_out(directory: Mapping[int, _Value], at: int) -> bytes:
    """The directory as it stands at offset `at`: entries by tag, no next one, then the longer values."""
    outside_at = at + 2 + 12 * len(directory) + 4
    entries, outside = [], []
    for tag, value in sorted(directory.items()):
        entry = struct.pack(">HHI", tag, value.kind, value.count)
        if len(value.data) <= 4:
            entries.append(entry + value.data.ljust(4, b"\x00"))
            continue
        entries.append(entry + struct.pack(">I", outside_at))
        outside.append(value.data.ljust(_even(len(value.data)), b"\x00"))
        outside_at += _even(len(value.data))
    return b"".join((struct.pack(">H", len(directory)), *entries, bytes(4), *outside))
