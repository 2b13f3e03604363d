"""The drawn world: the same for the same seed, and with what must be in it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from cv2.typing import MatLike

from simulator.camera import DAY_HFOV_DEG, THERMAL_HFOV_DEG, Lens, View
from simulator.flightpath import pose_at
from simulator.landscape import Landscape, farm
from simulator.picture import Picture, split_bgr
from simulator.place import HOME_XY
from simulator.world import DayCamera, ThermalCamera, World, burn_in

DAY, THERMAL = Lens(1280, 720, DAY_HFOV_DEG), Lens(640, 512, THERMAL_HFOV_DEG)


@pytest.fixture(scope="module")
def world() -> World:
    return World(7)


def shot(camera: DayCamera | ThermalCamera, lens: Lens, t: float) -> tuple[Picture, View]:
    pose, picture = pose_at(t), Picture(lens.width_px, lens.height_px)
    view = View(lens, pose.scene_position, pose.camera_bearing_deg, pose.camera_pitch_deg)
    camera.draw(view, t, picture)
    return picture, view


def digest(picture: Picture) -> str:
    return hashlib.sha256(picture.nv12.tobytes()).hexdigest()


def patch(image: MatLike, view: View, x: float, y: float, z: float = 0.0) -> float:
    column, row, _ = view.project(np.array([[x, y, z]]))[0]
    return float(image[round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3].mean())


def test_a_seed_gives_one_world_and_another_seed_another(world: World) -> None:
    again = World(7)
    for t in (60.0, 178.0, 245.0):
        assert digest(shot(DayCamera(world), DAY, t)[0]) == digest(shot(DayCamera(again), DAY, t)[0])
    first, second = (shot(ThermalCamera(made, 7), THERMAL, 60.0)[0] for made in (world, again))
    assert digest(first) == digest(second)
    assert Landscape(7).fields != Landscape(8).fields


def test_a_picture_depends_on_its_instant_alone(world: World) -> None:
    camera = DayCamera(world)
    alone = digest(shot(DayCamera(world), DAY, 100.0)[0])
    shot(camera, DAY, 30.0)
    assert digest(shot(camera, DAY, 100.0)[0]) == alone
    assert digest(shot(camera, DAY, 100.0 + 1 / 30)[0]) != alone


def test_the_thermal_camera_sees_fire_and_pond(world: World) -> None:
    picture, view = shot(ThermalCamera(world, 7), THERMAL, 110.0)
    fire = patch(picture.luma, view, *farm(-1.0, -2.0), 7.5)
    field = patch(picture.luma, view, *farm(0.0, 60.0))
    pond = patch(picture.luma, view, *farm(68.0, -33.0))
    assert fire > 190 > field > pond


def test_the_landing_pad_is_where_home_is(world: World) -> None:
    picture, view = shot(DayCamera(world), DAY, 60.0)
    column, row, _ = view.project(np.array([[HOME_XY[0] + 1.2, HOME_XY[1], 0.0]]))[0]
    red = float(picture.chroma[round(row / 2), round(column / 2), 1])
    around = float(picture.chroma[round(row / 2) - 12, round(column / 2), 1])
    assert red > around + 8  # its orange among gravel


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (848, 480), (640, 640)])
def test_other_sizes_are_drawn_too(world: World, size: tuple[int, int]) -> None:
    picture, _ = shot(DayCamera(world), Lens(*size, DAY_HFOV_DEG), 230.0)
    burn_in(picture, "TAG", 1_795_330_000_000, 1)
    assert picture.luma.std() > 20


def test_nothing_breaks_anywhere_along_the_flight(world: World) -> None:
    for t in np.arange(0.0, 320.0, 10.0):
        picture, _ = shot(DayCamera(world), DAY, float(t))
        assert 16 < picture.luma.mean() < 235


def test_colours_are_bt709_limited() -> None:
    white, black = np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8)
    red = np.zeros((4, 4, 3), np.uint8)
    red[:] = (0, 0, 255)
    planes = [split_bgr(image) for image in (white, black, red)]
    found = [(int(luma[0, 0]), *(int(c) for c in chroma[0, 0])) for luma, chroma in planes]
    assert found == [(235, 128, 128), (16, 128, 128), (63, 102, 240)]  # ITU-T BT.709
