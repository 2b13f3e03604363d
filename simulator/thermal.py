"""The thermal sensor: soft, noisy, eight bits through a palette."""

from __future__ import annotations

import cv2
import numpy as np

from simulator.picture import Picture, split_bgr

_NOISE_FRAMES = 8
# Ironbow: black, violet, red, orange, yellow, white; (level, BGR)
_IRONBOW = (
    (0, (10, 4, 2)),
    (40, (86, 12, 28)),
    (80, (140, 18, 98)),
    (115, (120, 38, 168)),
    (150, (52, 86, 222)),
    (190, (16, 150, 250)),
    (225, (90, 220, 255)),
    (255, (236, 252, 255)),
)


class Sensor:
    """Turns warmth in the luma plane into a picture, in place."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng([seed, 0x1B])
        self._noise: list[cv2.typing.MatLike] = []
        self._count = 0
        levels, colours = zip(*_IRONBOW, strict=True)
        steps = np.arange(256)
        bgr = np.dstack([np.interp(steps, levels, [colour[i] for colour in colours]) for i in range(3)])
        wide = np.repeat(np.repeat(bgr.astype(np.uint8), 2, axis=0), 2, axis=1)
        luma, chroma = split_bgr(wide)
        self._luma, self._chroma = luma[:1, ::2].copy(), chroma[:1].copy()

    def expose(self, picture: Picture) -> None:
        noise = self._noise_frame(picture.luma.shape)
        heat = cv2.add(picture.luma, noise, dtype=cv2.CV_8U)
        width, height = picture.size
        half = cv2.resize(heat, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        cv2.LUT(heat, self._luma, picture.luma)
        cv2.LUT(cv2.merge([half, half]), self._chroma, picture.chroma)

    def _noise_frame(self, shape: tuple[int, ...]) -> cv2.typing.MatLike:
        if not self._noise:
            columns = self._random.normal(0, 0.8, (1, shape[1]))  # every column has its own amplifier
            frames = (self._random.normal(0, 1.0, shape) + columns for _ in range(_NOISE_FRAMES))
            self._noise = [frame.round().astype(np.int8) for frame in frames]
        self._count += 1
        return self._noise[self._count % _NOISE_FRAMES]
