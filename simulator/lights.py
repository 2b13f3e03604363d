"""Things that shine: flames, their glow, and the blue lights."""

from __future__ import annotations

import math

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

FLAME = ycc_of((30, 120, 255))
EMBER = ycc_of((10, 60, 250))
BLUE_FLASH = ycc_of((255, 120, 20))

_GLOW_PX = 32


def _disc(power: float) -> NDArray[np.float32]:
    axis = np.linspace(-1, 1, _GLOW_PX, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    shape: NDArray[np.float32] = (np.clip(1 - np.hypot(x, y), 0, 1) ** power).astype(np.float32)
    return shape


_SOFT = _disc(1.6)
_CORE = _disc(0.7)


class Glow:
    """Adds light of a colour around a pixel."""

    def __init__(self, shape: MatLike, colour: tuple[int, int, int]) -> None:
        self._shape, self._colour = shape, colour

    def add(
        self, picture: Picture, centre: NDArray[np.float64], size: tuple[float, float], strength: float
    ) -> None:
        """`size` is the half width and half height in pixels, `strength` 0 to 1."""
        self._mix(picture.luma, centre, size, strength)
        self._mix(
            picture.chroma, (centre - (0, 0.5)) / 2, (size[0] / 2, size[1] / 2), min(1.0, strength * 1.3)
        )

    def add_heat(
        self, picture: Picture, centre: NDArray[np.float64], size: tuple[float, float], strength: float
    ) -> None:
        self._mix(picture.luma, centre, size, strength, 255)

    def _mix(
        self,
        plane: MatLike,
        centre: NDArray[np.float64],
        size: tuple[float, float],
        strength: float,
        level: int | None = None,
    ) -> None:
        height, width = plane.shape[:2]
        left, top = (max(0, math.floor(c - s)) for c, s in zip(centre, size, strict=True))
        right = min(width, math.ceil(centre[0] + size[0]))
        bottom = min(height, math.ceil(centre[1] + size[1]))
        if left >= right or top >= bottom:
            return
        step_x, step_y = _GLOW_PX / (2 * size[0]), _GLOW_PX / (2 * size[1])
        matrix = np.array(
            [
                [step_x, 0, _GLOW_PX / 2 + (left - centre[0]) * step_x],
                [0, step_y, _GLOW_PX / 2 + (top - centre[1]) * step_y],
            ]
        )
        veil = cv2.warpAffine(
            self._shape, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        veil = veil * strength
        area = plane[top:bottom, left:right]
        if plane.ndim == 2:
            target = self._colour[0] if level is None else level
            area[:] = area + veil * (np.maximum(target, area) - area)
        else:
            area[:] = area + veil[..., None] * (np.array(self._colour[1:], np.float32) - area)


_FLAME_GLOW = Glow(_CORE, (235, FLAME[1], FLAME[2]))
_FIRE_HALO = Glow(_SOFT, (205, EMBER[1], EMBER[2]))
_FLASH_CORE = Glow(_CORE, (235, *BLUE_FLASH[1:]))
_FLASH_HALO = Glow(_SOFT, (170, *BLUE_FLASH[1:]))

_HOLES = (
    (-1.8, -2.2, 7.6),
    (2.6, -3.0, 7.2),
    (-5.0, -3.6, 6.6),
    (4.8, -1.6, 8.2),
    (-1.0, 2.4, 7.8),
    (3.0, 2.8, 7.4),
)


def draw_fire(view: View, t: float, picture: Picture, as_heat: bool = False) -> None:
    """Flames that lick out of the holes in the barn's roof, and the glow around them."""
    places, sizes = [], []
    for i, (u, v, z) in enumerate(_HOLES):
        for tongue in range(3):
            life = (t * (1.1 + 0.13 * i) + tongue / 3 + 0.37 * i) % 1.0
            x, y = farm(u + 0.7 * math.sin(9 * i + 5 * tongue + 2.3 * t), v + 0.5 * math.cos(7 * i + 1.9 * t))
            drift = 0.5 * life
            places.append((x + drift * WIND_MS[0], y + drift * WIND_MS[1], z + 0.2 + 3.6 * life))
            sizes.append((1.35 * (1 - life) ** 0.8 + 0.15, 0.85 * math.sin(math.pi * min(1.0, life + 0.18))))
    seen = view.project(np.array([*places, (*farm(0.5, -1.5), 7.5)]))
    if (seen[:, 2] < 2).any():
        return
    flicker = 0.75 + 0.12 * math.sin(11.3 * t) + 0.08 * math.sin(23.7 * t + 1)
    scale = view.lens.focal_px / seen[:, 2]
    add = Glow.add_heat if as_heat else Glow.add
    add(_FIRE_HALO, picture, seen[-1, :2], (11 * scale[-1], 8 * scale[-1]), 0.55 * flicker)
    for (size, strength), pixel, per_m in zip(sizes, seen[:, :2], scale, strict=False):
        add(_FLAME_GLOW, picture, pixel, (size * per_m, 1.7 * size * per_m), max(0.0, strength))


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
    per_m = view.lens.focal_px / pixel[2]
    _FLASH_HALO.add(picture, pixel[:2], (2.6 * per_m, 2.6 * per_m), 0.75)
    _FLASH_CORE.add(picture, pixel[:2], (0.55 * per_m, 0.55 * per_m), 1.0)
