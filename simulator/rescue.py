"""The turntable ladder at the barn, and the water."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from simulator.camera import View
from simulator.landscape import farm
from simulator.picture import Picture
from simulator.vehicles import LADDER_FOOT

Array = NDArray[np.float64]

_SHIFT = 4
_TIP = np.array([*farm(-9.5, -0.5), 15.5])
_FOOT = np.array([*LADDER_FOOT[0], LADDER_FOOT[1]])
_ASIDE = np.array([math.sin(math.radians(17)), -math.cos(math.radians(17)), 0]) * 0.45
_RUNGS = 26

_ALUMINIUM, _COLD_METAL = 200, 74
_WATER, _COLD_WATER = 224, 30

# from, to, sag: the monitor on the ladder and two crews on the ground
_JETS = (
    (_TIP, np.array([*farm(-1.0, -1.0), 8.0]), 0.9),
    (np.array([*farm(-6.4, -13.2), 1.3]), np.array([*farm(-2.0, -3.0), 7.4]), -3.2),
    (np.array([*farm(8.0, -13.5), 1.3]), np.array([*farm(3.0, -3.2), 7.2]), -3.0),
)


def _ladder() -> Array:
    share = np.linspace(0, 1, _RUNGS)[:, None]
    spine = _FOOT + share * (_TIP - _FOOT)
    return np.vstack([spine - _ASIDE, spine + _ASIDE])


_LADDER = _ladder()


def draw(view: View, t: float, picture: Picture, as_heat: bool = False) -> None:
    """Ladder and jets of water, in front of the buildings."""
    pixels = view.project(_LADDER)
    if (pixels[:, 2] > 3).all():
        left, right = pixels[:_RUNGS, :2], pixels[_RUNGS:, :2]
        value = _COLD_METAL if as_heat else _ALUMINIUM
        _lines(picture, [left[[0, -1]], right[[0, -1]]], value, 2 if view.lens.width_px > 1000 else 1)
        _lines(picture, list(np.stack([left, right], axis=1)), value - 40, 1)
    for number, jet in enumerate(_JETS):
        _spray(view, t + number, picture, jet, _COLD_WATER if as_heat else _WATER)


def _spray(view: View, t: float, picture: Picture, jet: tuple[Array, Array, float], value: int) -> None:
    start, end, sag = jet
    share = np.linspace(0, 1, 15)[:, None]
    sway = 0.5 * np.array([math.sin(2.1 * t), math.cos(1.7 * t), 0.0])
    path = start + share * (end + sway - start)
    path[:, 2] -= sag * 4 * (share * (1 - share))[:, 0]
    pixels = view.project(path)
    if (pixels[:, 2] < 3).any():
        return
    _lines(picture, [pixels[:9, :2]], value, 1)
    opening = (share[8:] - share[8]) * np.array([1.4, 1.0]) * view.lens.focal_px / pixels[8:, 2:]
    fans = [pixels[8:, :2] + fan * opening for fan in (-0.5, 0.0, 0.5)]  # it breaks up towards its end
    _lines(picture, fans, value - 12, 1)


def _lines(picture: Picture, lines: list[Array], value: int, width: int) -> None:
    points = [(line * 16).astype(np.int32) for line in lines]
    cv2.polylines(picture.luma, points, False, (value,), width, cv2.LINE_AA, _SHIFT)
    if value > 128:  # by day: white; the palette of the thermal camera colours by itself
        halves = [((line[[0, -1]] - (0, 0.5)) * 8).astype(np.int32) for line in lines]
        cv2.polylines(picture.chroma, halves, False, (128, 128), 1, cv2.LINE_8, _SHIFT)
