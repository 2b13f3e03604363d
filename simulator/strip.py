"""The machine-readable strip at the bottom edge of every picture: capture time and frame counter.

Geometry, in fractions of the picture, so that it survives scaling and can be read from a browser's canvas:

- the strip is the lowest 3/64 of the height, over the whole width: two rows of 40 equal cells
- cell i of 80 is in row i // 40 (0 = upper) and column i % 40; a light cell is a 1, a dark one a 0
- its middle is at x = (i % 40 + 0.5) / 40 of the width, y = 1 - 3/64 + (i // 40 + 0.5) * 3/128 of the height

Bits, most significant first: start mark 1010 (cells 0-3), capture time in ms since the Unix epoch (48 bits,
cells 4-51), frame counter (16 bits, 52-67), CRC-8 of those eight bytes (polynomial 0x07, initial value 0;
cells 68-75), stop mark 1100 (76-79). The threshold is the mean of the eight cells of the marks. Read the
mean of the middle half of a cell in both directions, of the green channel or of grey.
"""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike

HEIGHT = 3 / 64
COLUMNS = 40
ROWS = 2
DARK, LIGHT = 28, 128
"""Luma of the cells: easily told apart after x264, and quieter to the eye than black and white."""

_START = "1010"
_STOP = "1100"
_LEAST_CONTRAST = 30


def strip_rows(height_px: int) -> int:
    """How many pixel rows at the bottom the strip covers."""
    return round(height_px * HEIGHT)


def draw(luma: MatLike, capture_ms: int, counter: int) -> None:
    """Paint the strip into a luma (or grey) plane, in place."""
    height, width = luma.shape
    top = height - strip_rows(height)
    cells = np.array(_bits(capture_ms, counter), dtype=np.uint8).reshape(ROWS, COLUMNS)
    levels = cells * np.uint8(LIGHT - DARK) + np.uint8(DARK)
    luma[top:] = cv2.resize(levels, (width, height - top), interpolation=cv2.INTER_NEAREST)


def read(picture: MatLike) -> tuple[int, int] | None:
    """Capture time in ms and counter from a picture (H x W, or H x W x 3); None if unreadable."""
    grey = picture[:, :, 1] if picture.ndim == 3 else picture
    means = [_cell_mean(grey, i) for i in range(ROWS * COLUMNS)]
    marks = means[: len(_START)] + means[-len(_STOP) :]
    threshold = sum(marks) / len(marks)
    if max(marks) - min(marks) < _LEAST_CONTRAST:
        return None
    bits = "".join("1" if mean > threshold else "0" for mean in means)
    if not (bits.startswith(_START) and bits.endswith(_STOP)):
        return None
    body = int(bits[len(_START) : -len(_STOP)], 2).to_bytes(9, "big")
    if crc8(body[:8]) != body[8]:
        return None
    return int.from_bytes(body[:6], "big"), int.from_bytes(body[6:8], "big")


def crc8(data: bytes) -> int:
    """CRC-8 with polynomial x^8 + x^2 + x + 1, initial value 0, not reflected (CRC-8/SMBUS)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x07 if crc & 0x80 else crc << 1
        crc &= 0xFF
    return crc


def _bits(capture_ms: int, counter: int) -> list[int]:
    body = capture_ms.to_bytes(6, "big") + (counter & 0xFFFF).to_bytes(2, "big")
    value = int.from_bytes(body + bytes([crc8(body)]), "big")
    return [int(bit) for bit in f"{_START}{value:072b}{_STOP}"]


def _cell_mean(grey: MatLike, cell: int) -> float:
    height, width = grey.shape
    row_height = HEIGHT / ROWS * height
    x = (cell % COLUMNS + 0.5) / COLUMNS * width
    y = height * (1 - HEIGHT) + (cell // COLUMNS + 0.5) * row_height
    half_w, half_h = width / COLUMNS / 4, row_height / 4
    return float(grey[round(y - half_h) : round(y + half_h), round(x - half_w) : round(x + half_w)].mean())
