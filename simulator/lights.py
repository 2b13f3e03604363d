"""Things that shine: flames, their glow, and the blue lights."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from simulator.camera import View
from simulator.flightpath import WIND_MS
from simulator.landscape import farm
from simulator.picture import Picture, ycc_of
from simulator.solids import UP, frame_of
from simulator.vehicles import Vehicle

_GLOW_PX = 32


class Spot(NamedTuple):
    """Where light falls in a plane: its middle, half width and half height in pixels, strength 0 to 1."""

    x: float
    y: float
    half_width: float
    half_height: float
    strength: float

    def in_chroma(self) -> Spot:
        """The same among chroma samples, stronger, as bright light is seen by its colour."""
        strength = min(1.0, self.strength * 1.3)
        return Spot(self.x / 2, (self.y - 0.5) / 2, self.half_width / 2, self.half_height / 2, strength)


class Glow:
    """Light of a colour and a shape."""

    def __init__(self, shape: NDArray[np.float32], luma: int, bgr: tuple[int, int, int]) -> None:
        _, blue, red = ycc_of(bgr)
        self._shape, self._luma = shape, np.float32(luma)
        self._chroma = np.array([blue, red], np.float32)

    def add(self, picture: Picture, spot: Spot) -> None:
        self._mix(picture.luma, spot, self._luma)
        self._mix(picture.chroma, spot.in_chroma(), self._chroma)

    def add_heat(self, picture: Picture, spot: Spot) -> None:
        self._mix(picture.luma, spot, np.float32(255))

    def _mix(self, plane: MatLike, spot: Spot, level: np.float32 | NDArray[np.float32]) -> None:
        height, width = plane.shape[:2]
        left, right = max(0, math.floor(spot.x - spot.half_width)), math.ceil(spot.x + spot.half_width)
        top, bottom = max(0, math.floor(spot.y - spot.half_height)), math.ceil(spot.y + spot.half_height)
        area = plane[top : min(height, bottom), left : min(width, right)]
        if left >= width or top >= height or right <= 0 or bottom <= 0 or not area.size:
            return
        step_x, step_y = _GLOW_PX / 2 / spot.half_width, _GLOW_PX / 2 / spot.half_height
        shift_x, shift_y = _GLOW_PX / 2 + (left - spot.x) * step_x, _GLOW_PX / 2 + (top - spot.y) * step_y
        matrix = np.array([[step_x, 0, shift_x], [0, step_y, shift_y]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        veil = cv2.warpAffine(self._shape, matrix, area.shape[1::-1], flags=flags)
        if plane.ndim == 3:
            veil = cv2.merge([veil, veil])
        change = level - area
        change *= veil
        change *= np.float32(spot.strength)
        area[:] = (change + area).astype(np.uint8)


def _away() -> NDArray[np.float32]:
    """Distance from the middle of a glow, 1 at its rim."""
    axis = np.linspace(-1, 1, _GLOW_PX, dtype=np.float32)
    distance: NDArray[np.float32] = np.hypot(*np.meshgrid(axis, axis)).clip(0, 1)
    return distance


_SOFT = (1 - _away()) ** np.float32(1.6)
_BODY = (1 - _away()) ** np.float32(0.7)
_SPARK = np.maximum(np.float32(0.75) * _SOFT, (1.75 - 5 * _away()).clip(0, 1)).astype(np.float32)

_FLAME = Glow(_BODY, 235, (30, 120, 255))
_HALO = Glow(_SOFT, 205, (10, 60, 250))
_FLASH = Glow(_SPARK, 220, (255, 120, 20))

_HOLES = (
    (-1.8, -2.2, 7.6),
    (2.6, -3.0, 7.2),
    (-5.0, -3.6, 6.6),
    (4.8, -1.6, 8.2),
    (-1.0, 2.4, 7.8),
    (3.0, 2.8, 7.4),
)
"""Where flames come out: in the farm's axes, and the height."""

_TONGUES = 2


def draw_fire(view: View, t: float, picture: Picture, as_heat: bool = False) -> None:
    """Flames that lick out of the holes in the barn's roof, and the glow around them."""
    tongues = 1 if as_heat else _TONGUES
    flames = [_flame(t, hole, tongue) for hole in range(len(_HOLES)) for tongue in range(tongues)]
    middle = (*farm(0.5, -1.5), 7.5)
    seen = view.project(np.array([*(place for place, _, _ in flames), middle]))
    if (seen[:, 2] < 2).any():
        return
    add = Glow.add_heat if as_heat else Glow.add
    per_m = view.lens.focal_px / seen[:, 2]
    flicker = 0.42 + 0.07 * math.sin(11.3 * t) + 0.05 * math.sin(23.7 * t + 1)
    add(_HALO, picture, Spot(seen[-1, 0], seen[-1, 1], 11 * per_m[-1], 8 * per_m[-1], flicker))
    for (_, size_m, strength), (x, y, _), scale in zip(flames, seen, per_m, strict=False):
        size = size_m * scale
        add(_FLAME, picture, Spot(x, y, size, 1.7 * size, strength))


def _flame(t: float, hole: int, tongue: int) -> tuple[tuple[float, float, float], float, float]:
    """Place, half width in metres and strength of one tongue: it rises, thins and fades, again and again."""
    u, v, z = _HOLES[hole]
    life = (t * (1.1 + 0.13 * hole) + tongue / _TONGUES + 0.37 * hole) % 1.0
    x, y = farm(u + 0.7 * math.sin(9 * hole + 5 * tongue + 2.3 * t), v + 0.5 * math.cos(7 * hole + 1.9 * t))
    place = (x + 0.5 * life * WIND_MS[0], y + 0.5 * life * WIND_MS[1], z + 0.2 + 3.6 * life)
    strength = 0.85 * math.sin(math.pi * min(1.0, life + 0.18))
    return place, 1.4 * (1 - life) ** 0.8 + 0.2, strength


class BlueLights:
    """The blue lights: each flashes twice, twice a second, and hardly two together."""

    def __init__(self, vehicles: list[Vehicle]) -> None:
        points, phases, owners = [], [], []
        for number, vehicle in enumerate(vehicles):
            origin, along, left = frame_of(vehicle.place, vehicle.angle_deg)
            for bar, (ahead, aside) in enumerate(vehicle.light_bars):
                points.append(origin + ahead * along + aside * left + UP * (vehicle.size[2] + 0.15))
                phases.append(0.37 * number + 0.5 * bar)
                owners.append(number)
        self._points, self._phases, self._owners = np.array(points), np.array(phases), np.array(owners)

    def burning(self, view: View, t: float) -> dict[int, list[NDArray[np.float64]]]:
        """The lights that are on: by vehicle, their (column, row, depth)."""
        phase = (2.05 * t + self._phases) % 1.0
        on = np.flatnonzero((phase < 0.10) | ((phase > 0.18) & (phase < 0.28)))
        found: dict[int, list[NDArray[np.float64]]] = {}
        for i, pixel in zip(on, view.project(self._points[on]), strict=True):
            if pixel[2] > 2:
                found.setdefault(int(self._owners[i]), []).append(pixel)
        return found


def draw_flash(view: View, picture: Picture, pixel: NDArray[np.float64]) -> None:
    """One blue light that is on just now."""
    column, row, depth = pixel
    size = 2.6 * view.lens.focal_px / depth
    _FLASH.add(picture, Spot(column, row, size, size, 1.0))
