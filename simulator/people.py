"""The people at the incident, and where they walk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.camera import View
from simulator.flightpath import LOOP_S
from simulator.landscape import SHADOW_PER_M, Point, farm
from simulator.picture import Picture, ycc_of
from simulator.place import HOME_XY

_SHIFT = 3
_COAT = ycc_of((62, 44, 34))
_STRIPE = ycc_of((120, 230, 226))
_HELMET = ycc_of((90, 240, 232))
_COMMAND_VEST = ycc_of((40, 215, 245))
_HEIGHT_M = 1.8
_SHADOW = _HEIGHT_M * np.array([*SHADOW_PER_M, 0.0])
_HEAD = np.array([0, 0, _HEIGHT_M - 0.12])
_CHEST = np.array([0, 0, 1.25])


@dataclass(frozen=True)
class Person:
    """Walks to and fro between two places, so many whole times a loop; stands where they are the same."""

    start: Point
    end: Point
    walks: int
    vest: bool = False

    def place(self, t: float) -> Point:
        share = 0.5 - 0.5 * math.cos(2 * math.pi * self.walks * t / LOOP_S)
        (x0, y0), (x1, y1) = self.start, self.end
        return x0 + share * (x1 - x0), y0 + share * (y1 - y0)


def _standing(u: float, v: float) -> Person:
    return Person(farm(u, v), farm(u + 0.5, v + 0.3), 17)


PEOPLE = (
    _standing(-6.4, -13.2), _standing(-7.4, -13.6), _standing(7.8, -13.5), _standing(8.9, -13.9),
    _standing(16.0, -4.2), _standing(16.8, -5.0), _standing(-17.0, 4.4),
    Person(farm(-12, -15.5), farm(10, -16.5), 9), Person(farm(-16, -6), farm(-13, -15), 7),
    Person(farm(11, -17), farm(38, -24), 6), Person(farm(-28, -30), farm(-15, -26), 5, True),
    Person(farm(-36, -33), farm(-30, -31), 8), Person(farm(-24, 8), farm(-30, 12), 4),
    Person((HOME_XY[0] + 5, HOME_XY[1] + 6.5), (HOME_XY[0] + 10, HOME_XY[1] + 8), 6, True),
    Person((HOME_XY[0] - 3.4, HOME_XY[1] + 1.2), (HOME_XY[0] - 3, HOME_XY[1] + 1.4), 12),
    Person((HOME_XY[0] - 3.9, HOME_XY[1] + 0.1), (HOME_XY[0] - 4, HOME_XY[1] - 0.2), 10, True),
)  # fmt: skip


def draw(view: View, t: float, picture: Picture, as_heat: bool = False) -> None:
    """Everybody, as far as a camera up there can tell: coat, helmet, and a shadow by day."""
    feet = np.array([(*person.place(t), 0.0) for person in PEOPLE])
    tips = feet + _SHADOW
    heads = feet + _HEAD
    seen = [view.project(points) for points in (feet, tips, heads, feet + _CHEST)]
    width, height = picture.size
    for i, person in enumerate(PEOPLE):
        column, row, depth = seen[0][i]
        if depth < 3 or not (-20 < column < width + 20 and -20 < row < height + 20):
            continue
        foot, tip, head, chest = (points[i, :2] for points in seen)
        per_m = view.lens.focal_px / depth
        if as_heat:
            _stroke(picture.luma, foot, head, 0.42 * per_m, (205,))
            continue
        _stroke(picture.luma, foot, tip, 0.3 * per_m, (62,))
        _body(picture, foot, head, 0.42 * per_m, _COAT)
        _body(picture, chest, chest, 0.36 * per_m, _COMMAND_VEST if person.vest else _STRIPE)
        _body(picture, head, head, 0.27 * per_m, _HELMET)


def _body(
    picture: Picture,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    width_px: float,
    colour: tuple[int, int, int],
) -> None:
    _stroke(picture.luma, start, end, width_px, colour[:1])
    _stroke(picture.chroma, (start - (0, 0.5)) / 2, (end - (0, 0.5)) / 2, width_px / 2, colour[1:])


def _stroke(
    plane: cv2.typing.MatLike,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    width_px: float,
    value: tuple[int, ...],
) -> None:
    a, b = ((int(x * 8), int(y * 8)) for x, y in (start, end))
    if a == b:
        cv2.circle(plane, a, max(5, int(width_px * 4)), value, -1, cv2.LINE_AA, _SHIFT)
    else:
        cv2.line(plane, a, b, value, max(1, round(width_px)), cv2.LINE_AA, _SHIFT)
