"""The people at the incident, and where they walk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from simulator.camera import View
from simulator.flightpath import LOOP_S
from simulator.landscape import SHADOW_PER_M, Point, farm
from simulator.picture import Picture, ycc_of
from simulator.place import HOME_XY

Pixel = tuple[int, ...]

_SHIFT = 3  # OpenCV takes places in eighths of a pixel
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
    stacked = view.project(np.vstack([feet, tips, heads, feet + _CHEST])).reshape(4, -1, 3)
    width, height = picture.size
    columns, rows, depths = stacked[0].T
    near = (depths > 3) & (np.abs(columns - width / 2) < width / 2 + 20)
    near &= np.abs(rows - height / 2) < height / 2 + 20
    seen = np.flatnonzero(near)
    luma = (stacked[:, seen, :2] * (1 << _SHIFT)).astype(np.int32)
    chroma = ((stacked[:, seen, :2] - (0, 0.5)) * (1 << _SHIFT - 1)).astype(np.int32)
    for i, person in enumerate(seen.tolist()):
        per_m = view.lens.focal_px / depths[person]
        foot, tip, head, chest = (tuple(point) for point in luma[:, i].tolist())
        if as_heat:
            _stroke(picture.luma, foot, head, 0.42 * per_m, (205,))
            continue
        coat, vest = 0.42 * per_m, _COMMAND_VEST if PEOPLE[person].vest else _STRIPE
        _stroke(picture.luma, foot, tip, 0.3 * per_m, (62,))
        _stroke(picture.luma, foot, head, coat, _COAT[:1])
        _dot(picture.luma, chest, 0.36 * per_m, vest[:1])
        _dot(picture.luma, head, 0.27 * per_m, _HELMET[:1])
        foot, _, head, chest = (tuple(point) for point in chroma[:, i].tolist())
        _stroke(picture.chroma, foot, head, coat / 2, _COAT[1:])
        _dot(picture.chroma, chest, 0.18 * per_m, vest[1:])
        _dot(picture.chroma, head, 0.14 * per_m, _HELMET[1:])


def _stroke(plane: MatLike, start: Pixel, end: Pixel, width_px: float, value: tuple[int, ...]) -> None:
    cv2.line(plane, start, end, value, max(1, round(width_px)), cv2.LINE_AA, _SHIFT)


def _dot(plane: MatLike, middle: Pixel, width_px: float, value: tuple[int, ...]) -> None:
    cv2.circle(plane, middle, max(5, int(width_px * 4)), value, -1, cv2.LINE_AA, _SHIFT)
