"""What the doctor says of height models."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.height_models import write_hgt, write_utm
from web.doctor import examine
from web.doctor_report import Level
from web.doctor_terrain import check_terrain
from web.settings import MapSettings, ServerSettings, Settings


def test_without_a_model_the_ground_is_flat() -> None:
    found = check_terrain(())
    assert found.level is Level.OK
    assert "flat" in found.what


def test_models_are_counted_and_what_they_cover_is_told(tmp_path: Path) -> None:
    write_utm(tmp_path / "dgm.tif", lambda x, y: 250.0, 410_000, 5_478_000, 1000)
    write_hgt(tmp_path, 49, 7, 300.0)
    found = check_terrain((str(tmp_path),))
    assert found.level is Level.OK
    assert found.what.startswith("2 height models with cells of 10 to 93 m, ")
    assert found.what.endswith("49.00 to 50.00 N and 7.00 to 8.00 E")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_hgt(tmp_path, 49, 7, 300.0)
    for n in range(5):
        (tmp_path / f"{n}.tif").write_text("no picture")
    found = check_terrain((str(tmp_path),))
    assert found.level is Level.WARN
    assert "0.tif" in found.what
    assert found.what.endswith("and 2 more")


def test_a_folder_that_is_not_there_fails(tmp_path: Path) -> None:
    found = check_terrain((str(tmp_path / "weg"),))
    assert found.level is Level.FAIL
    assert "there is no such file or folder" in found.what


def test_it_is_part_of_the_examination(tmp_path: Path) -> None:
    settings = Settings(
        ServerSettings(port=0, data_dir=str(tmp_path)), map=MapSettings(terrain=(str(tmp_path / "weg"),))
    )
    found = [each for each in examine(lambda: settings, "x.toml") if each.check == "terrain"]
    assert [each.level for each in found] == [Level.FAIL]
