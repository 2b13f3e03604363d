"""Textures of roofs, walls and vehicles: one texel every 0.1 m, columns along, rows downwards."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

TEXEL_M = 0.1
Bgr = tuple[int, int, int]


@dataclass(frozen=True)
class Surface:
    """What a face looks like by day (BGR) and to the thermal camera."""

    bgr: MatLike
    heat: MatLike


class Brush:
    """A surface in the making; lengths in metres from the upper left corner."""

    def __init__(self, width_m: float, height_m: float, bgr: Bgr, heat: int, seed: int = 1) -> None:
        self._shape = max(2, round(height_m / TEXEL_M)), max(2, round(width_m / TEXEL_M))
        self.width_m, self.height_m = width_m, height_m
        self.random = np.random.default_rng(seed)
        self.bgr: MatLike = np.full((*self._shape, 3), bgr, np.uint8)
        self.heat: MatLike = np.full(self._shape, heat, np.uint8)

    def box(self, sides: tuple[float, float, float, float], bgr: Bgr, heat: int | None = None) -> None:
        """Paint left, top, right, bottom."""
        left, top, right, bottom = (round(value / TEXEL_M) for value in sides)
        place = (slice(top, max(top + 1, bottom)), slice(left, max(left + 1, right)))
        self.bgr[place] = bgr
        if heat is not None:
            self.heat[place] = heat

    def disc(self, x: float, y: float, radius: float, bgr: Bgr, heat: int | None = None) -> None:
        centre, size = (round(x / TEXEL_M), round(y / TEXEL_M)), max(1, round(radius / TEXEL_M))
        cv2.circle(self.bgr, centre, size, bgr, -1, cv2.LINE_AA)
        if heat is not None:
            cv2.circle(self.heat, centre, size, (heat,), -1, cv2.LINE_AA)

    def rows(self, period_m: float, contrast: float, upright: bool = False) -> None:
        """Courses of tiles or ribs of sheet metal."""
        count = self._shape[1 if upright else 0]
        metres = (np.arange(count) + 0.5) * TEXEL_M
        wave = 1 + contrast * np.where((metres % period_m) < period_m / 2, 1.0, -1.0)
        shaped = wave[None, :, None] if upright else wave[:, None, None]
        self.bgr = (self.bgr * shaped).clip(0, 255).astype(np.uint8)

    def speckle(self, strength: float, patches: float = 0.0) -> None:
        """Weather: fine grain, and large patches of moss and dirt."""
        light = 1 + strength * self.random.standard_normal(self._shape)
        if patches:
            coarse = self.random.standard_normal((max(2, self._shape[0] // 16), max(2, self._shape[1] // 16)))
            light += patches * cv2.resize(coarse, self._shape[::-1], interpolation=cv2.INTER_CUBIC)
        self.bgr = (self.bgr * light[..., None]).clip(0, 255).astype(np.uint8)

    def done(self) -> Surface:
        return Surface(self.bgr, self.heat)


def tiled_roof(length_m: float, slope_m: float, bgr: Bgr, seed: int) -> Surface:
    brush = Brush(length_m, slope_m, bgr, 96, seed)
    brush.rows(0.4, 0.07)
    brush.speckle(0.07, 0.06)
    dark: Bgr = (bgr[0] // 2, bgr[1] // 2, bgr[2] // 2)
    brush.box((0, 0, length_m, 0.25), dark)
    brush.box((0, slope_m - 0.2, length_m, slope_m), (96, 100, 104), 84)
    return brush.done()


def house_roof(length_m: float, slope_m: float, seed: int) -> Surface:
    """Red tiles with two skylights and a chimney's foot."""
    brush = Brush(length_m, slope_m, (58, 78, 158), 98, seed)
    brush.rows(0.4, 0.07)
    brush.speckle(0.06, 0.05)
    for x in (3.0, length_m - 4.2):
        brush.box((x, slope_m * 0.4, x + 1.2, slope_m * 0.4 + 1.5), (70, 66, 60), 70)
        brush.box((x + 0.1, slope_m * 0.4 + 0.1, x + 1.1, slope_m * 0.4 + 1.4), (190, 170, 150), 60)
    brush.box((length_m * 0.55, 0.2, length_m * 0.55 + 0.8, 1.2), (60, 70, 100), 150)
    return brush.done()


def sheet_roof(length_m: float, slope_m: float, bgr: Bgr, seed: int) -> Surface:
    """Trapezoidal metal with translucent strips; it mirrors the cold sky."""
    brush = Brush(length_m, slope_m, bgr, 44, seed)
    brush.rows(0.6, 0.045, upright=True)
    brush.speckle(0.02, 0.05)
    for x in np.arange(3.5, length_m - 2, 5.5):
        brush.box((float(x), 1.0, float(x) + 1.0, slope_m - 1.2), (196, 200, 196), 70)
    return brush.done()


def solar_roof(length_m: float, slope_m: float, seed: int) -> Surface:
    """Fibre cement with rows of photovoltaic modules."""
    brush = Brush(length_m, slope_m, (126, 130, 132), 84, seed)
    brush.rows(0.2, 0.05, upright=True)
    brush.speckle(0.04, 0.07)
    for y in np.arange(0.7, slope_m - 1.5, 1.75):
        for x in np.arange(1.2, length_m - 2.2, 1.1):
            brush.box((float(x), float(y), float(x) + 1.0, float(y) + 1.6), (96, 62, 40), 118)
            brush.box((float(x), float(y) + 0.8, float(x) + 1.0, float(y) + 0.82), (130, 104, 86))
    return brush.done()


def burning_roof(length_m: float, slope_m: float, seed: int) -> Surface:
    """Old tiles with holes burnt through: charred rims, embers, rafters over the glow."""
    brush = Brush(length_m, slope_m, (52, 66, 112), 128, seed)
    brush.rows(0.4, 0.08)
    brush.speckle(0.08, 0.08)
    rows, columns = brush.bgr.shape[:2]
    x, y = np.meshgrid(np.arange(columns) * TEXEL_M, np.arange(rows) * TEXEL_M)
    depth = np.full(x.shape, -1.0)
    for centre_x, centre_y, radius in (
        (0.44, 0.30, 4.4),
        (0.60, 0.42, 3.6),
        (0.30, 0.55, 2.2),
        (0.74, 0.20, 2.4),
    ):
        away = np.hypot(x - centre_x * length_m, (y - centre_y * slope_m) * 1.15)
        depth = np.maximum(depth, 1 - away / radius)
    rough = brush.random.standard_normal((rows // 4 + 1, columns // 4 + 1))
    depth += 0.16 * cv2.resize(rough, (columns, rows), interpolation=cv2.INTER_CUBIC)
    char = np.clip((depth + 0.75) * 1.5, 0, 1)[..., None]
    brush.bgr = (brush.bgr * (1 - 0.88 * char)).astype(np.uint8)
    brush.bgr[depth > 0] = (12, 26, 40)
    brush.bgr[(depth > 0.02) & (depth < 0.13)] = (24, 110, 240)
    brush.bgr[depth > 0.42] = (40, 120, 250)
    brush.bgr[depth > 0.62] = (120, 210, 255)
    rafters = ((x % 0.9) < 0.16) & (depth > 0)
    brush.bgr[rafters] = (10, 14, 20)
    brush.heat = np.clip(150 + 150 * np.clip(depth + 0.6, 0, 1), 0, 255).astype(np.uint8)
    brush.heat[rafters] -= 30
    return brush.done()


def wall(
    length_m: float, height_m: float, bgr: Bgr, doors: tuple[float, ...] = (), windows: tuple[float, ...] = ()
) -> Surface:
    """Plaster or boards with doors (left edges, 3.4 m wide) and windows (left edges)."""
    brush = Brush(length_m, height_m, bgr, 92)
    brush.speckle(0.03, 0.04)
    for x in doors:
        brush.box((x, height_m - 3.3, x + 3.4, height_m), (46, 62, 74), 80)
        brush.box((x + 1.65, height_m - 3.3, x + 1.75, height_m), (36, 46, 56))
    for x in windows:
        brush.box((x - 0.1, height_m - 2.5, x + 1.3, height_m - 1.0), (215, 220, 222))
        brush.box((x, height_m - 2.4, x + 1.2, height_m - 1.1), (74, 66, 58), 110)
    return brush.done()


def boards(length_m: float, height_m: float, heat: int) -> Surface:
    """The weathered wooden wall of the barn with its big gate."""
    brush = Brush(length_m, height_m, (62, 84, 108), heat)
    brush.rows(0.4, 0.06, upright=True)
    brush.speckle(0.05, 0.08)
    middle = length_m / 2
    brush.box((middle - 2.2, height_m - 4.0, middle + 2.2, height_m), (26, 34, 44), min(255, heat + 60))
    return brush.done()
