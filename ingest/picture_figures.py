"""Figures of decoded pictures, by OpenCV: what ingest/protocol/health.py judges a camera by.

Everything is measured on brightness, scaled to 480 pixels on the longer side: that takes most of the camera's
noise and of the encoder's with it, makes the bounds the same for all sizes of picture, and costs 2 ms.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from flow.units import CLOCK_RATE_HZ

from .protocol.health import Figures

LONGER_SIDE_PX = 480
Plane: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]

_TILES = 6  # each way
_STRUCTURED = 9.0  # mean square of the coarse bands of a tile that has something in it
_STRUCTURED_SHARE = 0.25  # of all tiles, or there is too little to judge by


class Eye:
    """Looks at the samples of one feed, one by one, and remembers what it needs of the earlier ones."""

    def __init__(self) -> None:
        self._stillness = _Stillness()
        self._cover = _Cover()

    def look(self, luma: NDArray[np.uint8], utc_ns: int, pts_90k: int) -> Figures:
        """`luma`: the picture's brightness, its longer side LONGER_SIDE_PX."""
        plane = luma.astype(np.float32)
        sharpness = sharpness_of(plane)
        return Figures(
            utc_ns=utc_ns,
            luma=float(plane.mean()),
            brightest=float(np.percentile(plane, 99.97)),
            sharpness=sharpness,
            covered=self._cover.share(plane),
            still_s=self._stillness.seconds(plane, pts_90k, judged=not math.isnan(sharpness)),
        )


# --- sharpness ----------------------------------------------------------------------------------------------


def sharpness_of(plane: Plane) -> float:
    """Energy of the finest scale against that of scales 4 to 8 times as coarse, in the better tiles.

    Pictures of the world have about as much of it at every scale (their spectrum falls with the frequency); a
    lens out of focus takes the fine scales and leaves the coarse ones. NaN where the coarse ones are empty,
    too: fog, snow, a sky.
    """
    fine, _, *coarse = [_energy(band) for band in _bands(plane)]
    rough = np.add.reduce(coarse)
    structured = rough > _STRUCTURED
    if structured.mean() < _STRUCTURED_SHARE:
        return math.nan
    return min(1.0, float(np.percentile(fine[structured] / rough[structured], 75)))


def _bands(plane: Plane) -> list[Plane]:
    bands = []
    for _ in range(4):
        low = np.asarray(cv2.GaussianBlur(plane, (0, 0), 1.0), np.float32)
        bands.append(plane - low)
        plane = low[::2, ::2]
    return bands


def _energy(band: Plane) -> Plane:
    """Mean square of each tile."""
    return _shrunk(band * band, (_TILES, _TILES))


def _shrunk(plane: Plane, size: tuple[int, int]) -> Plane:
    """To so many columns and rows, each the mean of what it stands for."""
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


# --- stillness ----------------------------------------------------------------------------------------------

_CELL_PX = 8
_GAP_90K = 15 * CLOCK_RATE_HZ


class _Stillness:
    """For how long nothing has moved: the newest sample is held against the one since which nothing has.

    The same picture, encoded again and again, comes out a little different each time; these differences have
    no mean and no direction. A hovering aircraft drifts, if only by a fraction of a pixel, and what goes on
    below it changes some place for good. So a sample is another picture if it is shifted, or if some cell of
    it changed.
    """

    def __init__(self) -> None:
        self._reference: Plane | None = None
        self._window: Plane | None = None
        self._since_90k = 0
        self._last_90k = 0

    def seconds(self, plane: Plane, pts_90k: int, *, judged: bool) -> float:
        """NaN where there is too little in the picture to see a movement by."""
        gap = not 0 <= pts_90k - self._last_90k <= _GAP_90K
        self._last_90k = pts_90k
        if not judged or gap or self._reference is None or self._differs(self._reference, plane):
            self._reference, self._since_90k = plane, pts_90k
            return 0.0 if judged else math.nan
        return (pts_90k - self._since_90k) / CLOCK_RATE_HZ

    def _differs(self, before: Plane, now: Plane) -> bool:
        if before.shape != now.shape:
            return True
        return change_of(before, now) > CHANGED or self._shift(before, now) > SHIFTED_PX

    def _shift(self, before: Plane, now: Plane) -> float:
        if self._window is None or self._window.shape != now.shape:
            self._window = np.asarray(cv2.createHanningWindow(now.shape[::-1], cv2.CV_32F), np.float32)
        # Copies: OpenCV lays the window over its arguments themselves.
        (dx, dy), _ = cv2.phaseCorrelate(before.copy(), now.copy(), self._window)
        return math.hypot(dx, dy)


CHANGED = 3.0
SHIFTED_PX = 0.06
"""Of a picture encoded anew at 600 kbit/s to 4 Mbit/s: 0.2 to 2.5, and 0.005 to 0.047. Of one that sways by
half a pixel of 1280: 0.08 at the least between neighbouring samples, and more against one seconds old."""


def change_of(before: Plane, now: Plane) -> float:
    """The 99th percentile of how much cells changed in brightness."""
    size = (now.shape[1] // _CELL_PX, now.shape[0] // _CELL_PX)
    return float(np.percentile(np.abs(_shrunk(before, size) - _shrunk(now, size)), 99))


# --- cover --------------------------------------------------------------------------------------------------

_GRID_PX = 16
_DARK = 40.0
_EMPTY = 1.5  # standard deviation within a cell
_LIT = 60.0
_ONSET_SHARE = 0.3
_REST_RATIO = (0.6, 2.5)  # of the uncovered part's brightness: the exposure follows


class _Cover:
    """What lies on the lens: part of the picture turned dark and empty at once, the rest stayed as it was.

    The onset tells it from a night picture, whose dark parts were never lit, or become dark as all changes.
    """

    def __init__(self) -> None:
        self._before: deque[Plane] = deque(maxlen=2)
        self._on = False

    def share(self, plane: Plane) -> float:
        """The covered share of the picture, 0 where nothing is."""
        cells = _means(plane)
        dark = _largest(_is_dark_and_empty(plane, cells))
        share = float(dark.mean())
        if share < _ONSET_SHARE:
            self._on = False
        elif not self._on:
            self._on = any(_covers(before, cells, dark) for before in self._before)
        if not self._on:
            self._before.append(cells)
        return share if self._on else 0.0


def _means(plane: Plane) -> Plane:
    size = (max(1, plane.shape[1] // _GRID_PX), max(1, plane.shape[0] // _GRID_PX))
    return _shrunk(plane, size)


def _is_dark_and_empty(plane: Plane, cells: Plane) -> Mask:
    variance = _means(plane * plane) - cells * cells
    return (cells < _DARK) & (variance < _EMPTY * _EMPTY)


def _largest(mask: Mask) -> Mask:
    """The largest connected part of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros_like(mask)
    largest: Mask = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return largest


def _covers(before: Plane, cells: Plane, dark: Mask) -> bool:
    """Whether `dark` was lit in the sample before, and what is not dark now is as bright as it was."""
    if before.shape != cells.shape or dark.all():
        return False
    rest, was = float(np.median(cells[~dark])), float(np.median(before[~dark]))
    least, most = _REST_RATIO
    return float(np.median(before[dark])) >= _LIT and was > 0 and least <= rest / was <= most
