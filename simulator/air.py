"""What is between camera and ground: haze, and the smoke of the fire drifting with the wind."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from simulator.camera import View
from simulator.flightpath import LOOP_S, WIND_MS
from simulator.picture import Picture
from simulator.tiles import noise

Array = NDArray[np.float32]

COARSE = 4  # the air is drawn in every fourth pixel and enlarged: it has no sharp edges

_PUFFS = 30
_LIFE_S = 24.0
_EVERY_S = LOOP_S / round(LOOP_S / (_LIFE_S / _PUFFS))
_HAZE_FROM_M, _HAZE_M = 150.0, 4200.0
_HAZE_LUMA = 190.0
_SOURCES = ((-2.5, 0.6), (3.0, 1.2), (0.5, -0.8))
_SPRITE = 64
_INVISIBLE = 0.988


class Puff(NamedTuple):
    """A ball of smoke as seen: lengths in coarse pixels, opacity 0 to 1, shade as luma."""

    depth: float
    number: int
    centre: NDArray[np.float64]
    radius: float
    opacity: float
    shade: float


class Air:
    """Puffs of smoke, a pure function of the flight's time, in front of everything else."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng([seed, 0x5E0])
        self._sprites = [_puff(random) for _ in range(6)]
        count = round(LOOP_S / _EVERY_S)
        self._chance = random.uniform(-1, 1, (count, 6))

    def draw(self, view: View, t: float, picture: Picture) -> None:
        """Veil the picture: pixel = pixel * clear + glow."""
        width, height = picture.size
        clear, light = _haze(view, height // COARSE, width // COARSE)
        for puff in sorted(self._puffs(view, t), key=lambda puff: -puff.depth):
            self._blend(clear, light, puff)
        _veil(picture, clear, light)

    def _puffs(self, view: View, t: float) -> list[Puff]:
        newest = math.floor(t / _EVERY_S)
        ages = np.maximum(0.0, t - (newest - np.arange(_PUFFS)) * _EVERY_S)
        index = (newest - np.arange(_PUFFS)) % len(self._chance)
        chance = self._chance[index]
        share = ages / _LIFE_S
        source = np.array(_SOURCES)[index % len(_SOURCES)]
        rise = 7.5 + 2.9 * ages * (1 - 0.33 * share) + 2.5 * chance[:, 2] * share
        curl = (
            3.2
            * share[:, None]
            * np.column_stack([np.sin(0.5 * ages + 6 * chance[:, 3]), np.cos(0.43 * ages + 6 * chance[:, 4])])
        )
        places = np.column_stack(
            [source + np.outer(ages, WIND_MS) * (0.45 + 0.9 * share[:, None]) + curl, rise]
        )
        places[:, :2] += chance[:, :2] * (0.8 + 4.0 * share[:, None])
        radius = 3.3 + 17.0 * share**0.8 * (1 + 0.25 * chance[:, 5])
        opacity = 0.96 * np.minimum(1, ages / 0.9) * (1 - share) ** 1.3
        shade = 40 + 110 * share**0.55 + 12 * chance[:, 2]
        seen = view.project(places)
        scale = view.lens.focal_px / np.maximum(seen[:, 2], 1.0)
        return [
            Puff(
                seen[i, 2],
                int(index[i]),
                seen[i, :2] / COARSE,
                radius[i] * scale[i] / COARSE,
                opacity[i],
                shade[i],
            )
            for i in range(_PUFFS)
            if seen[i, 2] > 3 and opacity[i] > 0.01
        ]

    def _blend(self, clear: Array, light: Array, puff: Puff) -> None:
        centre, radius = puff.centre, puff.radius
        height, width = clear.shape
        left, top = (max(0, math.floor(value - radius)) for value in centre)
        right, bottom = min(width, math.ceil(centre[0] + radius)), min(height, math.ceil(centre[1] + radius))
        if left >= right or top >= bottom:
            return
        sprite, lit = self._sprites[puff.number % len(self._sprites)]
        step = _SPRITE / (2 * radius)
        turn = np.array(
            [
                [step, 0, _SPRITE / 2 + (left - centre[0]) * step],
                [0, step, _SPRITE / 2 + (top - centre[1]) * step],
            ]
        )
        size = (right - left, bottom - top)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        veil = cv2.warpAffine(sprite, turn, size, flags=flags) * np.float32(puff.opacity)
        glow = cv2.warpAffine(lit, turn, size, flags=flags) * np.float32(puff.shade)
        area = (slice(top, bottom), slice(left, right))
        keep = 1 - veil
        clear[area] *= keep
        light[area] = light[area] * keep + veil * glow


def _puff(random: np.random.Generator) -> tuple[MatLike, MatLike]:
    """Opacity of a ragged ball of smoke, and how the sun lights it."""
    axis = np.linspace(-1, 1, _SPRITE, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    rough = (
        0.32 * noise(random, _SPRITE, 4)
        + 0.20 * noise(random, _SPRITE, 8)
        + 0.13 * noise(random, _SPRITE, 16)
    )
    body = np.clip(1.05 - np.hypot(x, y) * 1.15 + 0.34 * rough, 0, 1)
    opacity = (body * body * (3 - 2 * body)) * np.clip((1 - np.hypot(x, y)) * 6, 0, 1)
    lit = 1.0 - 0.22 * y - 0.16 * x + 0.20 * rough
    return opacity.astype(np.float32), lit.astype(np.float32)


def _haze(view: View, rows: int, columns: int) -> tuple[Array, Array]:
    depth = view.row_depths((np.arange(rows) + 0.5) * COARSE)
    clear = np.exp(-np.maximum(0.0, depth - _HAZE_FROM_M) / _HAZE_M).astype(np.float32)
    whole = np.repeat(clear[:, None], columns, axis=1)
    return whole, (1 - whole) * np.float32(_HAZE_LUMA)


def _veil(picture: Picture, clear: Array, light: Array) -> None:
    """Lay the coarse air over the picture, where there is any to be seen."""
    veiled = clear < _INVISIBLE
    rows, columns = np.flatnonzero(veiled.any(axis=1)), np.flatnonzero(veiled.any(axis=0))
    if not len(rows):
        return
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    scaled = (clear[top:bottom, left:right] * 255).astype(np.uint8)
    lit = light[top:bottom, left:right].clip(0, 235).astype(np.uint8)
    luma = picture.luma[top * COARSE : bottom * COARSE, left * COARSE : right * COARSE]
    size = luma.shape[1], luma.shape[0]
    cv2.multiply(luma, cv2.resize(scaled, size), luma, 1 / 255)
    cv2.add(luma, cv2.resize(lit, size), luma)
    step = COARSE // 2
    chroma = picture.chroma[top * step : bottom * step, left * step : right * step]
    half = cv2.resize(scaled, (chroma.shape[1], chroma.shape[0]))
    grey = (255 - half) // 2
    cv2.multiply(chroma, cv2.merge([half, half]), chroma, 1 / 255)
    cv2.add(chroma, cv2.merge([grey, grey]), chroma)
