"""UTM against values published by others."""

from __future__ import annotations

import math

import pytest

from flow import utm
from simulator import place


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "zone", "easting_m", "northing_m"),
    [
        (0.0, 9.0, 32, 500_000.0, 0.0),
        (0.0, 12.0, 32, 833_978.5569, 0.0),  # the rim of a zone on the equator
        (45.0, 9.0, 32, 500_000.0, 4_982_950.4002),  # meridian arc of WGS84 to 45 degrees, times 0.9996
        (33.3, 44.4, 38, 444_140.54, 3_684_706.36),  # the example in GeographicLib's GeoConvert manual
    ],
)
def test_known_points(lat_deg: float, lon_deg: float, zone: int, easting_m: float, northing_m: float) -> None:
    easting, northing = utm.from_wgs84(lat_deg, lon_deg, zone)
    assert easting == pytest.approx(easting_m, abs=0.006)
    assert northing == pytest.approx(northing_m, abs=0.006)


@pytest.mark.parametrize("lat_deg", [47.3, 49.44, 54.9])
@pytest.mark.parametrize("lon_deg", [6.0, 7.77, 9.0, 12.0])
def test_there_and_back_is_below_a_millimetre(lat_deg: float, lon_deg: float) -> None:
    lat, lon = utm.to_wgs84(*utm.from_wgs84(lat_deg, lon_deg))
    assert abs(lat - lat_deg) * 111_200 < 0.001
    assert abs(lon - lon_deg) * 111_200 * math.cos(math.radians(lat_deg)) < 0.001


def test_convergence_and_scale_are_those_of_the_mapping_itself() -> None:
    lat, lon = place.ORIGIN_LAT_DEG, place.ORIGIN_LON_DEG
    east_0, north_0 = utm.from_wgs84(lat - 0.0005, lon)
    east_1, north_1 = utm.from_wgs84(lat + 0.0005, lon)
    grid_bearing_of_north = math.degrees(math.atan2(east_1 - east_0, north_1 - north_0))
    assert -grid_bearing_of_north == pytest.approx(place.CONVERGENCE_DEG, abs=0.0005)
    eccentricity2 = utm.FLATTENING * (2 - utm.FLATTENING)
    radius = (
        utm.SEMI_MAJOR_M * (1 - eccentricity2) / (1 - eccentricity2 * math.sin(math.radians(lat)) ** 2) ** 1.5
    )
    true_m = math.radians(0.001) * radius
    assert math.hypot(east_1 - east_0, north_1 - north_0) / true_m == pytest.approx(place.SCALE, abs=2e-6)


def test_home_is_near_kaiserslautern() -> None:
    assert place.HOME.lat_deg == pytest.approx(49.44, abs=0.005)
    assert place.HOME.lon_deg == pytest.approx(7.77, abs=0.005)
