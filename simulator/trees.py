"""Trees: crowns as sprites, used flat in the forest and upright around the farm."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike

from simulator.canvas import Canvas
from simulator.tiles import TILE_M, Tile, noise

Image = MatLike

SPRITE_PX = 96
_GREENS = ((46, 88, 72), (54, 100, 86), (42, 78, 70), (60, 106, 94), (52, 98, 106))
_SUN = np.array([-0.45, -0.55, 0.70])  # in the sprite: from the upper left, towards the viewer
CROWN_HEAT = 54


class Crown(NamedTuple):
    bgr: Image
    alpha: Image
    heat: Image


def make_crowns(random: np.random.Generator) -> list[Crown]:
    return [_crown(random, green) for green in _GREENS]


def _crown(random: np.random.Generator, green: tuple[int, int, int]) -> Crown:
    """A heap of lit leaf clumps with a ragged edge."""
    axis = np.linspace(-1.08, 1.08, SPRITE_PX, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    height = np.full_like(x, -1.0)
    for clump in range(190):
        angle, distance = random.uniform(0, 2 * np.pi), 0.86 * np.sqrt(random.uniform())
        radius = random.uniform(0.20, 0.32) if clump < 24 else random.uniform(0.06, 0.15)
        centre_x, centre_y = distance * np.cos(angle), distance * np.sin(angle)
        base = np.sqrt(max(0.0, 1 - distance**2)) * 0.8 + (0.0 if clump < 24 else 0.10)
        bump = radius**2 - (x - centre_x) ** 2 - (y - centre_y) ** 2
        height = np.maximum(height, np.where(bump > 0, base + np.sqrt(np.maximum(bump, 0)), -1))
    inside = (height > -0.5).astype(np.float32)
    solid = (np.maximum(height, 0) * SPRITE_PX / 2.16).astype(np.float32)
    gx, gy = cv2.Sobel(solid, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(solid, cv2.CV_32F, 0, 1, scale=1 / 8)
    lit = (-gx * _SUN[0] - gy * _SUN[1] + _SUN[2]) / np.sqrt(gx**2 + gy**2 + 1)
    light = 0.58 + 0.42 * np.clip(lit, -0.2, 1) + 0.26 * (-x * 0.5 - y * 0.8)
    light += 0.08 * random.standard_normal(x.shape).astype(np.float32)
    light = cv2.GaussianBlur(light, (0, 0), 0.8)
    bgr = np.dstack([(light * value).clip(0, 255) for value in green]).astype(np.uint8)
    alpha = cv2.GaussianBlur(inside * 255, (0, 0), 1.0).astype(np.uint8)
    heat = (CROWN_HEAT + 22 * (light - 0.8)).clip(0, 255).astype(np.uint8)
    return Crown(bgr, alpha, heat)


def stamp(canvas: Canvas, crown: Crown, centre: tuple[float, float], radius_m: float) -> None:
    """Lay a crown flat onto a canvas, its colours or its warmth, where it lies wholly on it."""
    column, row = canvas.to_texels([centre])[0]
    size = max(2, round(2 * radius_m / canvas.gsd_m))
    left, top = round(column - size / 2), round(row - size / 2)
    roi = canvas.image[max(0, top) : top + size, max(0, left) : left + size]
    if left < 0 or top < 0 or roi.shape[:2] != (size, size):
        return
    image = crown.bgr if canvas.image.ndim == 3 else crown.heat
    mask = cv2.resize(crown.alpha, (size, size), interpolation=cv2.INTER_NEAREST) // 128
    cv2.copyTo(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR), mask, roi)


def forest_tile(random: np.random.Generator, crowns: list[Crown]) -> Tile:
    """64 m of closed canopy from above, seamless."""
    size = round(TILE_M / 0.125)
    colour = np.full((3 * size, 3 * size, 3), (26, 44, 34), np.uint8)
    heat = np.full((3 * size, 3 * size), CROWN_HEAT - 14, np.uint8)
    for _ in range(420):
        crown = crowns[int(random.integers(len(crowns) - 1))]
        width = round(random.uniform(4.5, 8.5) / 0.125)
        x, y = (int(v) for v in random.integers(0, size, 2))
        small = [cv2.resize(image, (width, width), interpolation=cv2.INTER_AREA) for image in crown]
        mask = small[1] // 128 * 255
        for dx in (0, size, 2 * size):
            for dy in (0, size, 2 * size):
                place = (slice(dy + y, dy + y + width), slice(dx + x, dx + x + width))
                if colour[place].shape[:2] == mask.shape:
                    cv2.copyTo(small[0], mask, colour[place])
                    cv2.copyTo(small[2], mask, heat[place])
    middle = slice(size, 2 * size)
    light = 1 + 0.10 * noise(random, size, 16)
    shaded = (colour[middle, middle] * light[..., None]).clip(0, 255).astype(np.uint8)
    return Tile(shaded, heat[middle, middle].copy(), 0.125)
