"""Pixels to the ground and back: by hand where that is easy, by the Earth's own formulas where it is not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from flow.errors import UnlocatableError
from flow.flights import Feed
from flow.samples import Place, TelemetrySample
from telemetry.protocol.camera import gimbal_axes, lens_of, mounted_axes
from telemetry.protocol.earth import ECCENTRICITY_2, SEMI_MAJOR_M, Plane
from telemetry.protocol.geometry import footprint, locate, pixel_of
from telemetry.protocol.ground import FAR_M
from telemetry.protocol.ground_error import CHI_95, ellipse_95
from telemetry.protocol.pose_track import PoseTrack
from telemetry.protocol.sight import Picture, Sight, sight_of

NOW_NS = 1_795_330_000_000_000_000
LAT, LON = 49.44, 7.77
GIMBAL = Feed("tag", "otto", "Tag", hfov_deg=90.0)
FIXED = Feed("nase", "otto", "Nase", hfov_deg=90.0, mount_pitch_deg=-45.0)
KNOWN: dict[str, Any] = {
    "lat_deg": LAT,
    "lon_deg": LON,
    "alt_home_m": 100.0,
    "home": Place(LAT, LON, 250.0),
    "yaw_deg": 0.0,
    "pitch_deg": 0.0,
    "roll_deg": 0.0,
    "gimbal_pitch_deg": -45.0,
    "gimbal_yaw_deg": 0.0,
}


def sight(feed: Feed = GIMBAL, **told: Any) -> Sight:
    track = PoseTrack()
    track.add(TelemetrySample("otto", NOW_NS, **KNOWN | told))
    return sight_of(track.at(NOW_NS), Picture(feed, 0.5, 0.0), None)


def off(place: Place) -> tuple[float, float]:
    """East and north of the aircraft, metres."""
    return Plane(LAT, LON).offset(place.lat_deg, place.lon_deg, 250.0)


def refusal(feed: Feed = GIMBAL, x: float = 0.5, y: float = 0.5, **told: Any) -> str:
    with pytest.raises(UnlocatableError) as refused:
        locate(sight(feed, **told), x, y)
    return refused.value.code


@pytest.mark.parametrize(
    ("told", "x", "y", "east", "north"),
    [
        ({}, 0.5, 0.5, 0.0, 100.0),  # 45 degrees down from 100 m, to the north
        ({"gimbal_yaw_deg": 90.0}, 0.5, 0.5, 100.0, 0.0),
        ({"gimbal_pitch_deg": -90.0}, 0.5, 0.5, 0.0, 0.0),
        ({"gimbal_pitch_deg": -90.0}, 1.0, 0.5, 100.0, 0.0),  # 90 degrees wide: 45 to the right
        ({"gimbal_pitch_deg": -90.0}, 0.5, 0.0, 0.0, 50.0),  # half as high: the top is to the north
        ({"gimbal_pitch_deg": -90.0, "gimbal_yaw_deg": 90.0}, 0.5, 0.0, 50.0, 0.0),
        ({"gimbal_pitch_deg": -90.0, "gimbal_roll_deg": 90.0}, 0.5, 0.0, 50.0, 0.0),  # clockwise from behind
        ({}, 1.0, 0.5, 141.42, 100.0),
    ],
)
def test_a_pixel_is_where_it_must_be(
    told: dict[str, Any], x: float, y: float, east: float, north: float
) -> None:
    spot = locate(sight(**told), x, y)
    assert off(spot.place) == pytest.approx((east, north), abs=0.02)
    assert spot.place.alt_msl_m == 250.0
    assert spot.slant_range_m == pytest.approx(math.hypot(east, north, 100.0), abs=0.02)


@pytest.mark.parametrize(
    ("told", "east", "north"),
    [
        ({}, 0.0, 100.0),
        ({"yaw_deg": 180.0}, 0.0, -100.0),
        ({"pitch_deg": -45.0}, 0.0, 0.0),  # nose down as far as the camera looks down: straight down
        ({"roll_deg": 45.0}, -100.0, 141.42),  # right side down: the camera's down swings to the left
    ],
)
def test_a_fixed_camera_turns_with_its_aircraft(told: dict[str, float], east: float, north: float) -> None:
    spot = locate(sight(FIXED, **told, gimbal_pitch_deg=None, gimbal_yaw_deg=None), 0.5, 0.5)
    assert off(spot.place) == pytest.approx((east, north), abs=0.02)


def test_axes_of_gimbals_and_of_fixed_cameras_agree() -> None:
    fixed, gimbal = mounted_axes(30.0, 0.0, 0.0, -60.0), gimbal_axes(30.0, -60.0)
    for one, other in ((fixed.right, gimbal.right), (fixed.down, gimbal.down)):
        assert one == pytest.approx(other, abs=1e-12)


def test_the_earth_is_round_and_flattened() -> None:
    """Against the ellipsoid itself: 2 km off, the ground is 31 cm lower, and a centimetre is right."""
    spot = locate(sight(alt_home_m=400.0, gimbal_pitch_deg=-math.degrees(math.atan2(400, 2000))), 0.5, 0.5)
    east, north, up = enu(spot.place, 250.0, LAT, LON, 650.0)
    assert up == pytest.approx(-400 - 0.31, abs=0.02)
    assert north == pytest.approx(2001.6, abs=0.1)
    assert (east, up / north) == pytest.approx((0.0, -0.2), abs=0.01)


@pytest.mark.parametrize("lat_deg", [-35.0, 0.0, 49.0, 69.0])
@pytest.mark.parametrize("off_m", [(2000.0, 0.0), (0.0, -2000.0), (1400.0, 1400.0)])
def test_places_are_right_to_a_centimetre_at_two_kilometres(
    lat_deg: float, off_m: tuple[float, float]
) -> None:
    plane = Plane(lat_deg, 7.0)
    place = Place(*plane.place(*off_m, 200.0))
    east, north, _ = enu(place, 200.0, lat_deg, 7.0, 200.0)
    assert (east, north) == pytest.approx((off_m[0], off_m[1]), abs=0.011)
    assert plane.offset(place.lat_deg, place.lon_deg, 200.0) == pytest.approx(off_m, abs=0.005)


def enu(
    place: Place, height_m: float, lat: float, lon: float, height0_m: float
) -> tuple[float, float, float]:
    """East, north, up of a place from another one, by way of the Earth's centre."""
    p, q = ecef(place.lat_deg, place.lon_deg, height_m), ecef(lat, lon, height0_m)
    x, y, z = (a - b for a, b in zip(p, q, strict=True))
    phi, lam = math.radians(lat), math.radians(lon)
    out = math.cos(lam) * x + math.sin(lam) * y
    return (
        -math.sin(lam) * x + math.cos(lam) * y,
        -math.sin(phi) * out + math.cos(phi) * z,
        math.cos(phi) * out + math.sin(phi) * z,
    )


def ecef(lat_deg: float, lon_deg: float, height_m: float) -> tuple[float, float, float]:
    phi, lam = math.radians(lat_deg), math.radians(lon_deg)
    n = SEMI_MAJOR_M / math.sqrt(1 - ECCENTRICITY_2 * math.sin(phi) ** 2)
    level = (n + height_m) * math.cos(phi)
    up = (n * (1 - ECCENTRICITY_2) + height_m) * math.sin(phi)
    return level * math.cos(lam), level * math.sin(lam), up


@pytest.mark.parametrize("point", [(0.1, 0.3), (0.5, 0.5), (0.9, 0.95), (0.0, 1.0)])
def test_a_place_is_in_the_picture_where_its_pixel_was(point: tuple[float, float]) -> None:
    seen = sight(gimbal_roll_deg=7.0, gimbal_yaw_deg=123.0)
    assert pixel_of(seen, locate(seen, *point).place) == pytest.approx(point, abs=1e-6)


def test_what_is_behind_the_camera_is_in_no_picture() -> None:
    assert pixel_of(sight(), Place(LAT - 0.01, LON)) is None


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"lat_deg": None}, "no_position"),
        ({"gimbal_pitch_deg": None}, "no_gimbal"),
        ({"gimbal_yaw_deg": None}, "no_attitude"),
        ({"alt_home_m": None}, "no_height"),
        ({"alt_home_m": -0.2}, "no_height"),
        ({"gimbal_pitch_deg": 10.0}, "above_horizon"),
        ({"gimbal_pitch_deg": -2.0}, "too_far"),  # 28 heights away
        ({"gimbal_pitch_deg": -20.0, "alt_home_m": 3000.0}, "too_far"),  # 8.8 km away
    ],
)
def test_it_is_refused_with_the_reason(told: dict[str, Any], code: str) -> None:
    assert refusal(**told) == code


def test_a_fixed_camera_needs_the_attitude() -> None:
    assert refusal(FIXED, roll_deg=None) == "no_attitude"


def test_no_lens_no_place() -> None:
    bare = Feed("tag", "otto", "Tag")
    assert refusal(bare) == "no_lens"
    assert lens_of(90.0, None, None) is None
    assert lens_of(0.0, None, 0.5) is None


def test_what_the_aircraft_says_of_its_lens_counts_where_the_settings_say_nothing() -> None:
    told = {"hfov_deg": 90.0, "vfov_deg": 2 * math.degrees(math.atan(0.5)), "gimbal_pitch_deg": -90.0}
    for feed in (Feed("tag", "otto", "Tag"), GIMBAL):
        assert off(locate(sight(feed, **told), 1.0, 0.0).place) == pytest.approx((100.0, 50.0), abs=0.02)
    narrow = Feed("tele", "otto", "Tele", hfov_deg=45.0)  # one camera of two: the settings know which
    east, north = off(locate(sight(narrow, **told), 1.0, 0.0).place)
    assert (east, north) == pytest.approx((41.42, 20.71), abs=0.02)


@pytest.mark.parametrize(
    ("told", "above_m", "ground_m"),
    [
        ({"alt_agl_m": 80.0}, 80.0, None),
        ({"alt_msl_m": 340.0}, 90.0, 250.0),
        ({"alt_msl_m": 340.0, "frame_centre": Place(LAT, LON, 270.0)}, 70.0, 270.0),
    ],
)
def test_height_over_the_ground_from_what_there_is(
    told: dict[str, Any], above_m: float, ground_m: float | None
) -> None:
    spot = locate(sight(alt_home_m=None, gimbal_pitch_deg=-90.0, **told), 0.5, 0.5)
    assert spot.slant_range_m == pytest.approx(above_m)
    assert spot.place.alt_msl_m == ground_m


# --- footprint ----------------------------------------------------------------------------------------------


def test_the_footprint_has_the_pictures_corners_in_order() -> None:
    corners, cut = footprint(sight(gimbal_pitch_deg=-90.0))
    assert not cut
    assert [off(corner) for corner in corners] == [
        pytest.approx(each, abs=0.03) for each in ((-100, 50), (100, 50), (100, -50), (-100, -50))
    ]


def test_a_footprint_that_reaches_the_horizon_is_cut_along_its_sides() -> None:
    corners, cut = footprint(sight(gimbal_pitch_deg=-20.0))  # the top looks 6.6 degrees up
    assert cut
    near = [off(corner) for corner in corners[2:]]
    for corner, (east, north) in zip(corners[:2], (near[1], near[0]), strict=True):
        far_east, far_north = off(corner)
        assert math.hypot(far_east, far_north) == pytest.approx(2000.0, rel=0.05)  # 20 heights
        assert far_east / far_north == pytest.approx(east / north, rel=0.3)
    assert abs(off(corners[0])[0] + off(corners[1])[0]) < 1.0  # even on both sides


def test_a_camera_that_sees_only_sky_has_no_footprint() -> None:
    with pytest.raises(UnlocatableError, match="above the horizon"):
        footprint(sight(gimbal_pitch_deg=40.0))


def test_a_picture_on_its_side_is_cut_all_the_same() -> None:
    corners, cut = footprint(sight(gimbal_pitch_deg=-20.0, gimbal_roll_deg=90.0))
    assert cut
    assert all(math.hypot(*off(corner)) <= FAR_M for corner in corners)


# --- ellipse ------------------------------------------------------------------------------------------------


def test_an_ellipse_of_a_covariance() -> None:
    plain = ellipse_95(9.0, 0.0, 4.0)
    assert (plain.semi_major_m, plain.semi_minor_m) == pytest.approx((3 * CHI_95, 2 * CHI_95))
    assert plain.bearing_deg == pytest.approx(90.0)
    assert ellipse_95(1.0, 0.9, 1.0).bearing_deg == pytest.approx(45.0)
    assert ellipse_95(1.0, -0.9, 1.0).bearing_deg == pytest.approx(135.0)
    assert math.exp(-(CHI_95**2) / 2) == pytest.approx(0.05, abs=1e-5)


def test_a_flat_look_is_uncertain_along_itself() -> None:
    error = locate(sight(gimbal_pitch_deg=-10.0, gimbal_yaw_deg=30.0), 0.5, 0.5).error
    assert error.semi_major_m > 1.4 * error.semi_minor_m
    assert error.bearing_deg == pytest.approx(30.0, abs=1.0)


def test_a_better_fix_makes_a_smaller_ellipse() -> None:
    found = [
        locate(sight(gimbal_pitch_deg=-90.0, fix=fix), 0.5, 0.5).error.semi_major_m
        for fix in ("rtk_fixed", "dgps", "3d", None, "2d")
    ]
    assert found == sorted(found)
    assert len(set(found)) == 5
    told = locate(sight(gimbal_pitch_deg=-90.0, fix="2d", h_accuracy_m=0.02), 0.5, 0.5)
    assert told.error.semi_major_m < found[1]


def test_a_late_pose_of_a_fast_aircraft_is_uncertain_along_its_way() -> None:
    track = PoseTrack()
    for step in range(2):  # 20 m/s to the east
        lat, lon = Plane(LAT, LON).place(20.0 * step * 0.1, 0.0)
        told = KNOWN | {"lat_deg": lat, "lon_deg": lon, "gimbal_pitch_deg": -90.0, "h_accuracy_m": 0.1}
        track.add(TelemetrySample("otto", NOW_NS + step * 100_000_000, **told))
    moment = track.at(NOW_NS + 50_000_000)
    quick, late = (
        locate(sight_of(moment, Picture(GIMBAL, 0.5, clock_s), None), 0.5, 0.5).error
        for clock_s in (0.0, 0.3)
    )
    assert late.semi_major_m == pytest.approx(math.hypot(quick.semi_major_m, CHI_95 * 6.0), rel=0.02)
    assert late.bearing_deg == pytest.approx(90.0, abs=1.0)
