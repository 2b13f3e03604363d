"""What things are made of: colour by day (BGR), and warmth as the thermal camera grades it (0-255)."""

from __future__ import annotations

from typing import NamedTuple


class Material(NamedTuple):
    bgr: tuple[int, int, int]
    heat: int


ASPHALT = Material((104, 101, 98), 98)
ROAD_PAINT = Material((216, 220, 222), 106)
GRAVEL = Material((132, 146, 154), 84)
CONCRETE = Material((138, 146, 150), 86)
DIRT_TRACK = Material((112, 142, 160), 92)
GRASS = Material((74, 116, 104), 70)
GARDEN = Material((78, 122, 100), 66)
HEDGE = Material((40, 78, 56), 56)
WATER = Material((88, 84, 66), 34)
REEDS = Material((70, 124, 120), 58)
MANURE = Material((52, 66, 80), 138)
SILAGE_FOIL = Material((70, 68, 66), 120)
PAD_ORANGE = Material((40, 120, 235), 84)
PAD_WHITE = Material((232, 232, 232), 76)
HOSE_WHITE = Material((206, 222, 226), 44)
HOSE_RED = Material((60, 66, 196), 46)
WET_GROUND = Material((112, 119, 122), 60)
BALE = Material((120, 190, 214), 88)
PAVING = Material((140, 148, 160), 100)
