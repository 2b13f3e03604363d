"""How large and how heavy a rendition is, by the size of its source."""

from __future__ import annotations

from math import ceil, sqrt

from flow.units import Rendition

_LEVEL_4_BLOCKS = 8192  # of 16x16, H.264 table A-1
_LEVEL_4_SIDE_PX = 4096  # A.3.1 f
_MOST_PX = {Rendition.WEB: 1920 * 1080, Rendition.LOW: 640 * 360}
_BITS_PER_PX = 4  # and second, at 30 pictures of it: 720p has 3.7 Mbit/s, 1080p 8.3
_WEB_LEAST_BPS = 500_000
_LOW_BPS = 600_000


def rendition_size(rendition: Rendition, width_px: int, height_px: int) -> tuple[int, int]:
    """Width and height of a rendition: of the source's shape, even, never larger than the source.

    `web` has the source's size as far as level 4 allows it, which every browser decodes.
    """
    if rendition is Rendition.WEB and _is_level_4(width_px, height_px):
        return _even(width_px), _even(height_px)
    scale = min(1.0, sqrt(_MOST_PX[rendition] / (width_px * height_px)))
    while not _is_level_4(width_px * scale, height_px * scale):
        scale *= 0.99
    return _even(width_px * scale), _even(height_px * scale)


def rendition_limit_bps(rendition: Rendition, width_px: int, height_px: int) -> int:
    """What a rendition of that size may take, in bits per second."""
    if rendition is Rendition.LOW:
        return _LOW_BPS
    return max(_WEB_LEAST_BPS, _BITS_PER_PX * width_px * height_px)


def _is_level_4(width_px: float, height_px: float) -> bool:
    blocks = ceil(width_px / 16) * ceil(height_px / 16)
    return blocks <= _LEVEL_4_BLOCKS and max(width_px, height_px) <= _LEVEL_4_SIDE_PX


def _even(length_px: float) -> int:
    """4:2:0 has a colour sample for two pixels; what is odd loses its last row."""
    return max(2, int(length_px) // 2 * 2)
