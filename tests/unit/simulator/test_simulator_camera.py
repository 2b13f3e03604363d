"""What the camera model says and what is drawn are the same, to a fraction of a pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cv2.typing import MatLike

from simulator.camera import DAY_HFOV_DEG, THERMAL_HFOV_DEG, Lens, View
from simulator.canvas import Canvas
from simulator.flightpath import pose_at
from simulator.ground import Ground, Level, heat_levels
from simulator.picture import Picture
from simulator.solids import Solids, box
from simulator.surfaces import Brush
from web.publishers import DEMO_AIRCRAFT

DAY = Lens(1280, 720, DAY_HFOV_DEG)
TIMES = (40.0, 75.0, 120.0, 178.0, 205.0, 240.0)


def view_at(t: float, lens: Lens = DAY) -> View:
    pose = pose_at(t)
    return View(lens, pose.scene_position, pose.camera_bearing_deg, pose.camera_pitch_deg)


def pixel(view: View, x: float, y: float, z: float = 0.0) -> tuple[float, float]:
    column, row, _ = view.project(np.array([[x, y, z]]))[0]
    return float(column), float(row)


def dotted(half_m: float, gsd_m: float, x: float, y: float) -> Canvas:
    """A black ground with one soft white dot whose middle lies at (x, y), wherever that is between texels."""
    canvas = Canvas(half_m, gsd_m, 1)
    steps = (np.arange(canvas.image.shape[0]) + 0.5) * gsd_m
    east, north = steps - half_m, half_m - steps
    away = (east[None, :] - x) ** 2 + (north[:, None] - y) ** 2
    canvas.image[:] = (255 * np.exp(-away / (2 * 0.6**2))).round().astype(np.uint8)
    return canvas


def centroid(luma: MatLike, near: tuple[float, float]) -> tuple[float, float]:
    """Column and row of the middle of what is bright near there (beyond its rim the ground is mirrored)."""
    rows, columns = np.indices(luma.shape)
    close = np.hypot(columns - near[0], rows - near[1]) < 60
    weight = luma.astype(np.float64) * close
    total = weight.sum()
    assert total > 1000, "the dot is not in the picture"
    return float((columns * weight).sum() / total), float((rows * weight).sum() / total)


@pytest.mark.parametrize("t", TIMES)
def test_a_ground_point_is_drawn_where_the_model_projects_it(t: float) -> None:
    x, y = 7.31, -5.77
    ground = Ground([Level(dotted(64, 0.125, x, y).image, None, 64.0)])
    picture = Picture(1280, 720)
    view = view_at(t)
    ground.draw(view, picture)
    expected = pixel(view, x, y)
    assert centroid(picture.luma, expected) == pytest.approx(expected, abs=0.15)


def test_the_same_in_every_resolution_of_the_ground() -> None:
    x, y = -13.4, 9.9
    near, far = dotted(64, 0.125, x, y), dotted(128, 0.25, x, y)
    view = view_at(100.0)
    expected = pixel(view, x, y)
    for level in heat_levels(near, far):
        picture = Picture(1280, 720)
        Ground([level]).draw(view, picture)
        assert centroid(picture.luma, expected) == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("t", TIMES)
def test_something_that_stands_up_is_drawn_where_the_model_projects_it(t: float) -> None:
    lid = Brush(4.0, 2.0, (255, 255, 255), 255).done()
    dark = Brush(4.0, 2.0, (0, 0, 0), 0).done()
    solids = Solids([box((-6.0, 4.0), 30.0, (4.0, 2.0, 3.0), (lid, dark, dark, dark, dark))])
    view, picture = view_at(t), Picture(1280, 720)
    picture.luma[:] = 0
    for face in solids.seen(view, picture, as_heat=True)[0]:
        face.draw()
    expected = pixel(view, -6.0, 4.0, 3.0)
    assert centroid(picture.luma, expected) == pytest.approx(expected, abs=0.6)


def test_optical_axis_meets_the_middle_of_the_picture() -> None:
    view = View(DAY, (0.0, -50.0, 50.0), 0.0, -45.0)
    assert view.project(np.zeros((1, 3)))[0] == pytest.approx((639.5, 359.5, 50 * math.sqrt(2)))


def test_field_of_view_reaches_from_edge_to_edge() -> None:
    view = View(DAY, (0.0, 0.0, 10.0), 0.0, -89.999999)
    half = 10 * math.tan(math.radians(DAY_HFOV_DEG / 2))
    columns = view.project(np.array([[-half, 0, 0], [half, 0, 0.0]]))[:, 0]
    assert columns == pytest.approx((-0.5, 1279.5), abs=1e-3)


def test_row_depths_and_horizon() -> None:
    view = View(DAY, (0.0, 0.0, 80.0), 0.0, -30.0)
    point = np.array([[0.0, 120.0, 0.0]])
    _, row, depth = view.project(point)[0]
    assert view.row_depths(np.array([row]))[0] == pytest.approx(depth)
    assert view.horizon_row < 0
    assert 0 < View(DAY, (0.0, 0.0, 80.0), 0.0, -10.0).horizon_row < 359.5


def test_a_view_from_the_frame_of_a_thing_sees_the_same() -> None:
    view = view_at(60.0)
    x, y, angle = 30.0, -80.0, 200.0
    turned = np.array([x + 3 * math.cos(math.radians(angle)), y + 3 * math.sin(math.radians(angle)), 1.0])
    inside = view.from_frame(x, y, angle).project(np.array([[3.0, 0.0, 1.0]]))[0]
    assert inside == pytest.approx(view.project(turned[None])[0], abs=1e-6)


def test_the_demo_is_told_the_lenses_that_it_films_with() -> None:
    assert [feed.hfov_deg for feed in DEMO_AIRCRAFT.feed] == [DAY_HFOV_DEG, THERMAL_HFOV_DEG]
