"""Writing into pictures: bright on a dark outline, legible over snow and over night.

By OpenCV 5's own scalable font (Rubik, SIL Open Font License), which comes with it and has °, ü and ß; the
Hershey fonts of older versions have none of them. Figures are all as wide as the widest, so that a time
that runs stands still.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from .painting import Plane, Planes

_WEIGHT = 500
_BRIGHT, _NEUTRAL = 235, 128
_OUTLINE_SHADE = 0.75
_LINES_KEPT = 64


class _Letter(NamedTuple):
    mask: Plane
    advance: int


class Letters:
    """Writing of a size: `line_px` from one line to the next."""

    def __init__(self, size_px: int) -> None:
        self.line_px = round(size_px * 1.35)
        self._size = size_px
        self._pad = max(2, size_px // 8)  # the outline, and what reaches out of a letter
        self._font = cv2.FontFace("sans")
        self._letters: dict[str, _Letter] = {}
        self._figure = max(self._drawn(each).advance for each in "0123456789")
        self._line = lru_cache(_LINES_KEPT)(self._made)

    def width(self, text: str) -> int:
        return sum(self._letter(each).advance for each in text) + 2 * self._pad

    def write(self, planes: Planes, text: str, left: int, top: int) -> None:
        """In place; what is outside the picture is not seen."""
        fill, outline = self._line(text)
        left, top = max(0, left) // 2 * 2, max(0, top) // 2 * 2  # where chroma begins, too
        high, wide = (max(0, n) // 2 * 2 for n in _room(planes.y, fill, left, top))
        if not (high and wide):
            return
        fill, outline = fill[:high, :wide], outline[:high, :wide]
        luma = planes.y[top : top + high, left : left + wide]
        shaded = luma * (1 - _OUTLINE_SHADE * outline)
        luma[:] = shaded + (_BRIGHT - shaded) * fill
        half = cv2.resize(np.maximum(fill, outline), (wide // 2, high // 2), interpolation=cv2.INTER_AREA)
        for plane in (planes.u, planes.v):
            chroma = plane[top // 2 : (top + high) // 2, left // 2 : (left + wide) // 2]
            chroma[:] = chroma + (_NEUTRAL - chroma.astype(np.float32)) * half

    def _made(self, text: str) -> tuple[Plane, Plane]:
        """How much of each pixel is letter, and how much is outline or letter, from 0 to 1."""
        high = self.line_px + 2 * self._pad
        mask = np.zeros((high + high % 2, self.width(text) + self.width(text) % 2), np.uint8)
        at = 0
        for each in text:
            letter = self._letter(each)
            part = mask[: letter.mask.shape[0], at : at + letter.mask.shape[1]]
            np.maximum(part, letter.mask[:, : part.shape[1]], out=part)
            at += letter.advance
        fill = mask.astype(np.float32) / 255
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (self._pad + 1, self._pad + 1))
        return fill, cv2.dilate(fill, kernel)

    def _letter(self, each: str) -> _Letter:
        if each not in self._letters:
            drawn = self._drawn(each)
            self._letters[each] = drawn._replace(advance=self._figure) if each.isdigit() else drawn
        return self._letters[each]

    def _drawn(self, each: str) -> _Letter:
        size = self._size
        mask = np.zeros((self.line_px + 2 * self._pad, 2 * size + 2 * self._pad), np.uint8)
        base = self._pad + size
        end, _ = cv2.putText(mask, each, (self._pad, base), (255,), self._font, size, _WEIGHT)
        return _Letter(mask[:, : int(end[0]) + self._pad], int(end[0]) - self._pad)


def _room(plane: Plane, mask: Plane, left: int, top: int) -> tuple[int, int]:
    return min(mask.shape[0], plane.shape[0] - top), min(mask.shape[1], plane.shape[1] - left)
