"""EXIF as another program reads it back."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from flow.codec.exif import Shot, with_exif
from flow.errors import MalformedError
from tests.fakes.exif import degrees, numbers, read_exif

JPEG = bytes(cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1])
BARE = Shot(1_795_330_187_012_345_678, 64, 48, "Feed fritz-tag", "feed=fritz-tag age_ms=12")
FULL = replace(
    BARE, lat_deg=49.4434567, lon_deg=-7.7691234, alt_msl_m=-3.25, direction_deg=359.999, elevation_deg=-45.5
)


def test_time_and_texts_are_read_back() -> None:
    tags = read_exif(with_exif(JPEG, BARE))
    assert tags["DateTimeOriginal"] == "2026:11:22 06:49:47"
    assert tags["SubSecTimeOriginal"] == "012345"
    assert newer(tags, "OffsetTimeOriginal", 0x9011) == "+00:00"
    assert tags["ImageDescription"] == "Feed fritz-tag"
    assert tags["Software"] == "Lagebild"
    assert (tags["PixelXDimension"], tags["PixelYDimension"]) == ("64", "48")


def newer(tags: dict[str, str], name: str, number: int) -> str:
    """A tag of EXIF 2.31, which older versions of ffprobe know by its number only."""
    return tags[name] if name in tags else tags[f"0x{number:04X}"]


def test_what_is_not_known_has_no_tag() -> None:
    assert not [name for name in read_exif(with_exif(JPEG, BARE)) if name.startswith("GPS")]
    tags = read_exif(with_exif(JPEG, replace(BARE, direction_deg=90.0)))
    assert {name for name in tags if name.startswith("GPS")} == {
        "GPSVersionID",
        "GPSImgDirectionRef",
        "GPSImgDirection",
    }
    assert "GPSLatitude" not in read_exif(with_exif(JPEG, replace(FULL, lon_deg=None)))


def test_the_place_is_read_back() -> None:
    tags = read_exif(with_exif(JPEG, FULL))
    assert (tags["GPSLatitudeRef"], tags["GPSLongitudeRef"]) == ("N", "W")
    assert degrees(tags["GPSLatitude"]) == pytest.approx(49.4434567, abs=2e-8)
    assert degrees(tags["GPSLongitude"]) == pytest.approx(7.7691234, abs=2e-8)
    assert numbers(tags["GPSAltitude"]) == [3.25]
    assert tags["GPSAltitudeRef"] == "1"
    assert numbers(tags["GPSImgDirection"]) == [0.0]  # 360.00 is written as north
    assert tags["GPSImgDirectionRef"] == "T"
    assert numbers(newer(tags, "CameraElevationAngle", 0x9405)) == [-45.5]
    assert tags["GPSDateStamp"] == "2026:11:22"
    assert numbers(tags["GPSTimeStamp"]) == [6.0, 49.0, 47.012]


@pytest.mark.parametrize("lat_deg", [0.0, -0.0, 89.99999999, -90.0, 12.99999999999, 1 / 60 - 1e-12])
def test_no_minute_and_no_second_reads_sixty(lat_deg: float) -> None:
    tags = read_exif(with_exif(JPEG, replace(FULL, lat_deg=lat_deg)))
    _, minutes, seconds = numbers(tags["GPSLatitude"])
    assert 0 <= minutes < 60
    assert 0 <= seconds < 60
    assert degrees(tags["GPSLatitude"]) == pytest.approx(abs(lat_deg), abs=2e-8)


def test_the_picture_is_as_it_was() -> None:
    signed = with_exif(JPEG, FULL)
    before, after = (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in (JPEG, signed))
    assert before is not None
    assert after is not None
    assert np.array_equal(before, after)
    assert signed.startswith(b"\xff\xd8\xff\xe1")


def test_texts_are_ascii_whatever_comes() -> None:
    tags = read_exif(with_exif(JPEG, replace(BARE, description="Wärmebild 🔥")))
    assert tags["ImageDescription"] == "W?rmebild ?"


def test_what_is_no_jpeg_or_does_not_fit_is_refused() -> None:
    with pytest.raises(MalformedError, match="no JPEG"):
        with_exif(b"\x89PNG", BARE)
    with pytest.raises(MalformedError, match="does not fit"):
        with_exif(JPEG, replace(BARE, comment="x" * 70_000))
