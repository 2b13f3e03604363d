"""Height models: what files say is what the geometry finds, and what they do not say is not made up."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from flow import utm
from flow.errors import UnlocatableError
from flow.flights import Feed
from flow.samples import Place, TelemetrySample
from telemetry.protocol.earth import Plane
from telemetry.protocol.geometry import Spot, footprint, locate, pixel_of
from telemetry.protocol.height_grid import HeightGrid, Surroundings
from telemetry.protocol.pose_track import PoseTrack
from telemetry.protocol.sight import Picture, Sight, sight_of
from telemetry.terrain import RADIUS_M, HeightModels
from tests.fakes.height_models import write_hgt, write_own_crs, write_utm, write_wgs84, write_without_crs

NOW_NS = 1_795_330_000_000_000_000
EAST_M, NORTH_M = 410_862.0, 5_477_118.0
LAT, LON = utm.to_wgs84(EAST_M, NORTH_M)
FEED = Feed("tag", "otto", "Tag", hfov_deg=60.0)


def models(*paths: Path) -> HeightModels:
    return HeightModels(tuple(map(str, paths)))


def grid_of(found: HeightModels) -> HeightGrid:
    grid = found.around(LAT, LON)
    assert grid is not None
    return grid


def hill(east: float, north: float) -> float:
    """A plain at 250 m that rises 1 in 10 to the north."""
    return 250.0 + (north - NORTH_M) / 10


@pytest.fixture(scope="module")
def hillside(tmp_path_factory: pytest.TempPathFactory) -> HeightModels:
    path = tmp_path_factory.mktemp("dgm") / "dgm.tif"
    return models(write_utm(path, hill, EAST_M - 3000, NORTH_M + 3000, 6000, 20.0))


def sight(around: Surroundings, **told: float) -> Sight:
    track = PoseTrack()
    known: dict[str, Any] = {"alt_home_m": 100.0, "gimbal_pitch_deg": -45.0, "gimbal_yaw_deg": 0.0} | told
    track.add(TelemetrySample("otto", NOW_NS, LAT, LON, home=Place(LAT, LON, 999.0), **known))
    return sight_of(track.at(NOW_NS), Picture(FEED, 0.5, 0.0), around)


def centre(around: Surroundings, **told: float) -> Spot:
    return locate(sight(around, **told), 0.5, 0.5)


# --- files --------------------------------------------------------------------------------------------------


def test_a_survey_in_utm_is_read_where_it_lies(hillside: HeightModels) -> None:
    grid = grid_of(hillside)
    for east, north in ((0.0, 0.0), (700.0, -900.0), (-1500.0, 1200.0)):
        place = utm.to_wgs84(EAST_M + east, NORTH_M + north)
        assert grid.height_m(*place) == pytest.approx(250.0 + north / 10, abs=0.05)
        assert hillside.height_m(*place) == pytest.approx(250.0 + north / 10, abs=0.05)
    assert grid.slope(LAT, LON) == pytest.approx((0.0, 0.1), abs=0.003)
    assert grid.cell_m == pytest.approx(20.0, rel=0.01)


def test_wgs84_and_hgt_are_read_and_the_finer_counts(tmp_path: Path) -> None:
    write_hgt(tmp_path, 49, 7, 300.0)
    write_wgs84(tmp_path / "fein.tiff", lambda x, y: 255.5, LON - 0.005, LAT + 0.005, 0.01)
    found = models(tmp_path)
    assert [file.path.suffix for file in found.files] == [".tiff", ".hgt"]
    grid = grid_of(found)
    assert grid.height_m(LAT, LON) == pytest.approx(255.5)
    assert grid.height_m(LAT + 0.015, LON) == pytest.approx(300.0)
    assert grid.sigma_m == 1.5  # of the finest there is: 11 m cells


def test_tiles_meet_without_a_gap(tmp_path: Path) -> None:
    for east in (-1000.0, 0.0):
        write_utm(tmp_path / f"{east}.tif", hill, EAST_M + east, NORTH_M + 500, 1000, 10.0)
    grid = grid_of(models(tmp_path))
    step = 0.5 / 72_000  # half a metre of longitude
    assert all(grid.height_m(LAT, LON + n * step) is not None for n in range(-60, 60))


def test_what_a_file_does_not_know_is_not_known(tmp_path: Path) -> None:
    def holed(east: float, north: float) -> float:
        return math.nan if abs(east - EAST_M) < 100 and abs(north - NORTH_M) < 100 else 250.0

    found = models(write_utm(tmp_path / "a.tif", holed, EAST_M - 1000, NORTH_M + 1000, 2000))
    assert grid_of(found).height_m(LAT, LON) is None
    assert found.height_m(LAT, LON) is None
    assert grid_of(found).height_m(*utm.to_wgs84(EAST_M + 300, NORTH_M)) == pytest.approx(250.0)
    assert found.around(LAT + 1, LON) is None
    assert found.height_m(LAT + 1, LON) is None


def test_fillers_that_nobody_declared_are_no_heights(tmp_path: Path) -> None:
    found = models(write_utm(tmp_path / "a.tif", lambda x, y: -32767.0, EAST_M - 500, NORTH_M + 500, 1000))
    assert found.around(LAT, LON) is None


def test_what_cannot_be_read_is_told_and_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "kaputt.tif").write_bytes(b"II*\0 no more than that")
    (tmp_path / "N50E008.hgt").write_bytes(b"\0" * 1000)
    write_without_crs(tmp_path / "ohne.tif")
    write_own_crs(tmp_path / "plan.tif")
    (tmp_path / "leer").mkdir()
    write_utm(tmp_path / "gut.tif", hill, EAST_M - 500, NORTH_M + 500, 1000)
    found = models(tmp_path, tmp_path / "leer", tmp_path / "weg.tif")
    assert [file.path.name for file in found.files] == ["gut.tif"]
    why = {bad.path.name: bad.why for bad in found.unreadable}
    assert why.keys() == {"kaputt.tif", "N50E008.hgt", "ohne.tif", "plan.tif", "leer", "weg.tif"}
    assert all(len(said) <= 200 and "\n" not in said for said in why.values())
    assert why["ohne.tif"] == "it does not say its coordinate system"
    assert why["weg.tif"] == "there is no such file or folder"
    assert found.height_m(LAT, LON) == pytest.approx(250.0, abs=0.1)


def test_a_file_that_goes_bad_later_is_a_hole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_utm(tmp_path / "a.tif", hill, EAST_M - 500, NORTH_M + 500, 1000)
    found = models(path)
    path.unlink()
    assert found.around(LAT, LON) is None
    assert "a.tif cannot be read" in caplog.text


def test_a_file_that_was_cut_short_leaves_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut = write_utm(tmp_path / "a.tif", hill, EAST_M - 500, NORTH_M + 500, 1000, 9.0)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    coarser = write_utm(tmp_path / "b.tif", lambda x, y: 300.0, EAST_M - 500, NORTH_M + 500, 1000)
    found = models(cut, coarser)
    assert [file.path.name for file in found.files] == ["a.tif", "b.tif"]  # its header is whole
    assert grid_of(found).height_m(LAT, LON) == pytest.approx(300.0, abs=0.1)
    assert "a.tif cannot be read" in caplog.text


def test_a_grid_stays_small_however_fine_the_model(tmp_path: Path) -> None:
    found = models(write_utm(tmp_path / "dgm1.tif", hill, EAST_M - 100, NORTH_M + 100, 200, 1.0))
    grid = grid_of(found)
    assert grid.rows * grid.columns <= 1026**2
    assert grid.cell_m == pytest.approx(2 * RADIUS_M / 1024, rel=0.01)


# --- looks --------------------------------------------------------------------------------------------------


def test_a_ray_meets_the_hillside_where_geometry_says(hillside: HeightModels) -> None:
    """45 degrees down from 100 m over a plane that rises 1 in 10: 100 = d + d/10."""
    around = Surroundings(grid_of(hillside), hillside.height_m(LAT, LON))
    spot = centre(around)
    east, north = Plane(LAT, LON).offset(spot.place.lat_deg, spot.place.lon_deg, 250.0)
    turn = math.radians(utm.convergence_deg(LAT, LON))  # the plane rises to grid north
    assert (east, north) == pytest.approx((0.0, 100 / 1.1), abs=0.15)
    assert spot.place.alt_msl_m == pytest.approx(250 + north * math.cos(turn) / 10, abs=0.1)
    assert spot.slant_range_m == pytest.approx(math.sqrt(2) * 100 / 1.1, abs=0.2)


def test_the_barometer_counts_from_the_ground_of_the_start(hillside: HeightModels) -> None:
    """Neither the height over the sea of a poor fix nor what home says of itself is used."""
    grid = grid_of(hillside)
    by_barometer = centre(Surroundings(grid, 250.0), alt_msl_m=420.0, gimbal_pitch_deg=-90.0)
    by_fix = centre(Surroundings(grid, None), alt_msl_m=420.0, gimbal_pitch_deg=-90.0)
    assert by_barometer.slant_range_m == pytest.approx(100.0, abs=0.1)
    assert by_fix.slant_range_m == pytest.approx(170.0, abs=0.1)
    assert by_fix.error.semi_major_m > by_barometer.error.semi_major_m


@pytest.mark.parametrize("yaw_deg", [0.0, 77.0, 180.0, 300.0])
@pytest.mark.parametrize("pitch_deg", [-80.0, -40.0, -12.0])
def test_there_and_back_over_hills(hillside: HeightModels, yaw_deg: float, pitch_deg: float) -> None:
    seen = sight(Surroundings(grid_of(hillside), 250.0), gimbal_yaw_deg=yaw_deg, gimbal_pitch_deg=pitch_deg)
    for point in ((0.2, 0.6), (0.9, 0.95)):
        assert pixel_of(seen, locate(seen, *point).place) == pytest.approx(point, abs=1e-3)


def test_a_wall_is_not_stepped_over(tmp_path: Path) -> None:
    """A ridge of 200 m, 60 m wide, 600 m to the north: a flat look ends at it, and so does one upwards."""

    def ridge(east: float, north: float) -> float:
        return 450.0 if abs(north - NORTH_M - 600) < 30 else 250.0

    found = models(write_utm(tmp_path / "a.tif", ridge, EAST_M - 1500, NORTH_M + 1500, 3000))
    around = Surroundings(grid_of(found), 250.0)
    for pitch_deg in (-1.0, -4.0, 3.0):
        _, north = _off(centre(around, gimbal_pitch_deg=pitch_deg))
        assert 560 < north < 580
    with pytest.raises(UnlocatableError) as refused:
        centre(around, gimbal_pitch_deg=12.0)
    assert refused.value.code == "above_horizon"


def test_a_slope_that_faces_the_camera_is_surer_than_one_that_falls_away(hillside: HeightModels) -> None:
    around = Surroundings(grid_of(hillside), 250.0)
    uphill = centre(around, gimbal_pitch_deg=-20.0).error
    downhill = centre(around, gimbal_pitch_deg=-20.0, gimbal_yaw_deg=180.0).error
    assert uphill.semi_major_m < downhill.semi_major_m / 2


def test_where_the_model_ends_nothing_is_told(tmp_path: Path) -> None:
    found = models(write_utm(tmp_path / "a.tif", hill, EAST_M - 300, NORTH_M + 300, 600))
    around = Surroundings(grid_of(found), 250.0)
    with pytest.raises(UnlocatableError) as refused:
        centre(around, gimbal_pitch_deg=-12.0)
    assert refused.value.code == "no_terrain"
    corners, cut = footprint(sight(around, gimbal_pitch_deg=-25.0))
    assert cut
    assert len(corners) == 4


def test_flat_ground_where_no_model_reaches_below_the_aircraft(tmp_path: Path) -> None:
    found = models(write_utm(tmp_path / "a.tif", hill, EAST_M + 500, NORTH_M + 300, 600))
    assert not sight(Surroundings(grid_of(found), None)).ground.terrain


def test_nothing_is_told_while_the_model_is_read() -> None:
    with pytest.raises(UnlocatableError) as refused:
        sight(Surroundings())
    assert refused.value.code == "no_terrain"


def test_an_aircraft_in_the_ground_is_at_no_height(hillside: HeightModels) -> None:
    with pytest.raises(UnlocatableError) as refused:
        sight(Surroundings(grid_of(hillside), 250.0), alt_home_m=-3.0)
    assert refused.value.code == "no_height"


def _off(spot: Spot) -> tuple[float, float]:
    return Plane(LAT, LON).offset(spot.place.lat_deg, spot.place.lon_deg, 250.0)
