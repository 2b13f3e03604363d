"""Paints the landscape onto a sheet: colours, warmth and shadows."""

from __future__ import annotations

import cv2
import numpy as np

from simulator import materials as of
from simulator.canvas import Sheet
from simulator.landscape import (
    ROAD_WIDTH_M,
    SHADOW_PER_M,
    Landscape,
    Point,
    along,
    blob,
    curve,
    farm,
    farm_all,
)
from simulator.place import HOME_XY
from simulator.solids import Solid
from simulator.tiles import TILE_M, Tile, make_tiles, noise
from simulator.trees import Crown, forest_tile, stamp

HOSES: tuple[tuple[Point, ...], ...] = (
    ((-9, -17), (-8, -15), (-6.6, -13.4)),
    ((-12, -17), (-15, -13), (-10, -12), (-7.4, -13.6)),
    ((13, -18), (11, -15), (8.9, -13.9)),
    ((17, -18), (19, -12), (15, -8), (16.4, -5)),
    ((40, -23), (30, -21), (24, -22), (19, -20)),
    ((10, -20), (0, -22), (-8, -20)),
    ((-18, -2), (-19, 2), (-17, 4.4)),
    ((46, -28), (50, -29), (53, -30)),
)
"""Where the hoses lie, in the farm's axes."""

_SHADE = 0.46  # how much light is left in the shadow


class Painter:
    """Holds the textures that the near and the far sheet share."""

    def __init__(self, land: Landscape, crowns: list[Crown], solids: list[Solid]) -> None:
        self._land, self._crowns, self._solids = land, crowns, solids
        self._random = np.random.default_rng([land.seed, 0x9A])
        self._tiles = make_tiles(self._random)
        self._scaled: dict[str, Tile] = {}
        self._tiles["forest"] = forest_tile(self._random, crowns)

    def paint(self, half_m: float, gsd_m: float) -> Sheet:
        """The whole ground from -half_m to half_m."""
        sheet = Sheet(half_m, gsd_m)
        self._scaled = {name: tile.at(gsd_m) for name, tile in self._tiles.items()}
        self._fields(sheet)
        self._woods(sheet)
        self._tracks(sheet)
        self._farmyard(sheet)
        self._road(sheet)
        self._pond(sheet)
        self._incident(sheet)
        for tree in self._land.trees:
            self._shadow(sheet, tree.place, tree.radius_m, tree.height_m)
        for solid in self._solids:
            self._cast(sheet, solid)
        self._weather(sheet)
        return sheet

    def _fill(self, sheet: Sheet, outline: list[Point], name: str, angle_deg: float) -> None:
        tile = self._scaled[name]
        for canvas, image in ((sheet.colour, tile.colour), (sheet.heat, tile.heat)):
            canvas.fill_tile(outline, image, TILE_M / image.shape[0], angle_deg)

    def _fields(self, sheet: Sheet) -> None:
        sheet.colour.image[:] = of.GRASS.bgr
        sheet.heat.image[:] = of.GRASS.heat
        for field in self._land.fields:
            self._fill(sheet, field.outline, field.crop, field.angle_deg)
            # A grass verge, and a soft edge where tiles alone would give a jagged one.
            sheet.line([*field.outline, field.outline[0]], 0.9, of.GRASS)
            if field.crop == "hay":
                self._bales(sheet, field.outline)

    def _bales(self, sheet: Sheet, outline: list[Point]) -> None:
        random = np.random.default_rng(abs(hash((round(outline[0][0]), round(outline[0][1])))))
        a, b, _, d = (np.array(corner) for corner in outline)
        for _ in range(14):
            s, t = random.uniform(0.08, 0.92, 2)
            x, y = a + s * (b - a) + t * (d - a)
            self._shadow(sheet, (x, y), 0.8, 1.2)
            sheet.disc((x, y), 0.75, of.BALE)

    def _woods(self, sheet: Sheet) -> None:
        random = np.random.default_rng([self._land.seed, 0x30])
        for outline in self._land.woods:
            shifted = [(x + 11 * SHADOW_PER_M[0], y + 11 * SHADOW_PER_M[1]) for x, y in outline]
            sheet.shade.polygon(shifted, (255,))
            sheet.shade.polygon(outline, (0,))
            self._fill(sheet, outline, "forest", 0)
            for x, y, _ in along([*outline, outline[0]], 3.2 if sheet.colour.gsd_m < 0.3 else 5.0):
                place = (x + random.normal(0, 1.6), y + random.normal(0, 1.6))
                self._crown(sheet, place, random.uniform(1.8, 4.2), int(random.integers(4)))

    def _cast(self, sheet: Sheet, solid: Solid) -> None:
        """The shadow of a convex thing: the hull of its corners moved along the light."""
        corners = np.vstack([face.corners for face in solid.faces])
        moved = corners[:, :2] + corners[:, 2:] * np.array(SHADOW_PER_M)
        hull = cv2.convexHull(moved.astype(np.float32))[:, 0]
        sheet.shade.polygon([(float(x), float(y)) for x, y in hull], (255,))

    def _crown(self, sheet: Sheet, place: Point, radius_m: float, kind: int) -> None:
        crown = self._crowns[kind]
        stamp(sheet.colour, crown, place, radius_m)
        stamp(sheet.heat, crown, place, radius_m)

    def _shadow(self, sheet: Sheet, place: Point, radius_m: float, height_m: float) -> None:
        for share in (0.25, 0.45, 0.65):
            reach = share * height_m
            centre = (place[0] + reach * SHADOW_PER_M[0], place[1] + reach * SHADOW_PER_M[1])
            sheet.shade.disc(centre, radius_m * (1.05 - 0.3 * abs(share - 0.5)), (255,))

    def _tracks(self, sheet: Sheet) -> None:
        for track in self._land.tracks:
            sheet.line(track, 4.6, of.GRASS)
            for side in (-0.85, 0.85):
                points = along(track, 4.0)
                wheel = points[:, :2] + side * np.column_stack([-np.sin(points[:, 2]), np.cos(points[:, 2])])
                sheet.line([(x, y) for x, y in wheel], 0.9, of.DIRT_TRACK)

    def _road(self, sheet: Sheet) -> None:
        road = self._land.road
        sheet.line(road, ROAD_WIDTH_M + 4.2, of.GRASS)
        sheet.line(road, ROAD_WIDTH_M + 0.8, of.GRAVEL)
        sheet.line(self._land.drive, 5.4, of.GRAVEL)
        sheet.line(self._land.drive, 4.2, of.ASPHALT)
        sheet.line(road, ROAD_WIDTH_M, of.ASPHALT)
        places = along(road, 0.5)
        normal = np.column_stack([-np.sin(places[:, 2]), np.cos(places[:, 2])])
        for side in (-1, 1):
            edge = places[:, :2] + side * (ROAD_WIDTH_M / 2 - 0.25) * normal
            sheet.line([(x, y) for x, y in edge], 0.14, of.ROAD_PAINT)
        if sheet.colour.gsd_m > 0.3:
            return
        for start in range(0, len(places) - 8, 24):  # 4 m dashes with 8 m gaps, as on country roads
            dash = places[start : start + 9, :2]
            sheet.line([(x, y) for x, y in dash], 0.14, of.ROAD_PAINT)

    def _farmyard(self, sheet: Sheet) -> None:
        land = self._land
        self._fill(sheet, farm_all((-82, -36), (36, -34), (40, 50), (-60, 52), (-90, 22)), "meadow", 40)
        self._fill(sheet, land.paddock, "meadow", 70)
        sheet.polygon(land.garden, of.GARDEN)
        sheet.polygon(land.yard, of.CONCRETE)
        sheet.polygon(farm_all((-77, -10), (-56, -12), (-56, -4), (-77, -4)), of.GRAVEL)
        self._wear(sheet)
        sheet.polygon(land.garden, of.GARDEN)
        sheet.polygon(farm_all((-43, 24), (-34, 24), (-34, 28), (-43, 28)), of.PAVING)
        for bed in (33, 35, 37, 39):
            sheet.line(farm_all((-46, bed), (-36, bed)), 0.7, of.DIRT_TRACK)
        sheet.polygon(farm_all((-74, -22), (-58, -22), (-58, -13), (-74, -13)), of.CONCRETE)
        sheet.polygon(farm_all((-73, -21), (-61, -21), (-62, -14), (-72, -14)), of.MANURE)
        sheet.polygon(farm_all((-74, 20), (-50, 27), (-53, 33), (-76, 26)), of.SILAGE_FOIL)
        random = np.random.default_rng(5)
        for u, v in random.uniform((-75, 21), (-53, 31), (60, 2)):
            sheet.colour.disc(farm(float(u), float(v)), 0.35, (40, 40, 42))  # tyres on the clamp
        for a, b in (((-58, 28), (-50, 45)), ((-50, 45), (-18, 45)), ((-18, 45), (-16, 44))):
            self._hedge(sheet, farm(*a), farm(*b))

    def _wear(self, sheet: Sheet) -> None:
        """Slab joints, tyre marks and stains on the yard."""
        if sheet.colour.gsd_m > 0.3:
            return
        random = np.random.default_rng([self._land.seed, 0x3E])
        before = sheet.colour.image.copy()
        for along_ridge in range(-76, 32, 6):
            sheet.colour.line(farm_all((along_ridge, -30), (along_ridge, 26)), 0.05, (122, 130, 134))
        for across in range(-30, 28, 6):
            sheet.colour.line(farm_all((-77, across), (31, across)), 0.05, (122, 130, 134))
        for _ in range(46):
            u, v = float(random.uniform(-76, 28)), float(random.uniform(-28, 22))
            tone = int(random.integers(118, 152))
            stain = blob(random, farm(u, v), (random.uniform(0.4, 2.2), random.uniform(0.4, 1.6)), 0.2)
            sheet.colour.polygon(stain, (tone - 12, tone - 5, tone))
        for offset in np.arange(-4, 4, 0.9):
            bend = curve(
                farm_all((-42 + offset, -32), (-36 + offset, -8), (-14, -9.5 + offset), (26, -15 + offset))
            )
            sheet.colour.line(bend, 0.22, (124, 132, 136))
        yard = np.zeros(before.shape[:2], np.uint8)
        outline = (sheet.colour.to_texels(self._land.yard) * 16).round().astype(np.int32)
        cv2.fillPoly(yard, [outline], 255, cv2.LINE_8, 4)
        worn = cv2.addWeighted(before, 0.45, sheet.colour.image, 0.55, 0)
        sheet.colour.image[:] = before
        cv2.copyTo(worn, yard, sheet.colour.image)

    def _hedge(self, sheet: Sheet, start: Point, end: Point) -> None:
        random = np.random.default_rng([round(1000 + start[0]), round(1000 + start[1])])
        for x, y, _ in along([start, end], 1.0):
            place = (x + random.normal(0, 0.2), y + random.normal(0, 0.2))
            self._shadow(sheet, place, 0.9, 1.8)
            self._crown(sheet, place, random.uniform(0.8, 1.2), int(random.integers(4)))

    def _pond(self, sheet: Sheet) -> None:
        outline = np.array(self._land.pond)
        middle = outline.mean(axis=0)
        for grow, material in ((1.16, of.GRASS), (1.06, of.REEDS), (1.0, of.WATER)):
            sheet.polygon([(x, y) for x, y in middle + grow * (outline - middle)], material)
        inner = [(x, y) for x, y in middle + 0.72 * (outline - middle)]
        sheet.colour.polygon(inner, (86, 66, 44))

    def _incident(self, sheet: Sheet) -> None:
        """The landing pad, the water on the ground, the hoses."""
        sheet.polygon(self._land.stand, of.GRAVEL)
        pebbles = np.random.default_rng([self._land.seed, 0x6E])
        for x, y in pebbles.normal(HOME_XY, (5.0, 4.0), (900, 2)):
            tone = int(pebbles.integers(108, 178))
            sheet.colour.disc((x, y), float(pebbles.uniform(0.04, 0.14)), (tone - 10, tone, tone + 6))
        sheet.disc(HOME_XY, 1.4, of.PAD_ORANGE)
        sheet.disc(HOME_XY, 1.0, of.PAD_WHITE)
        sheet.disc(HOME_XY, 0.8, of.PAD_ORANGE)
        x, y = HOME_XY
        for dx in (-0.3, 0.3):
            sheet.line([(x + dx, y - 0.45), (x + dx, y + 0.45)], 0.2, of.PAD_WHITE)
        sheet.line([(x - 0.3, y), (x + 0.3, y)], 0.2, of.PAD_WHITE)
        random = np.random.default_rng([self._land.seed, 0x77])
        for u, v, ru, rv in (
            (-6, -11, 9, 3.5),
            (9, -12, 8, 3),
            (17, 1, 3, 7),
            (-15, 1, 3, 6),
            (0, 10, 10, 3),
        ):
            puddle = blob(random, farm(u, v), (ru, rv), 0.2)
            sheet.polygon(puddle, of.WET_GROUND)
        for hose in HOSES:
            line = [farm(u, v) for u, v in curve(list(hose), 16)]
            lying = [
                (x + 0.25 * np.sin(0.9 * i), y + 0.25 * np.cos(0.7 * i)) for i, (x, y) in enumerate(line)
            ]
            sheet.line(lying, 0.16, of.HOSE_WHITE)

    def _weather(self, sheet: Sheet) -> None:
        """Large patches of lighter and darker ground, then the shadows over everything."""
        size = sheet.colour.image.shape[0]
        random = np.random.default_rng([self._land.seed, 0xEA])
        patches = 1 + 0.045 * noise(random, 512, 16) + 0.035 * noise(random, 512, 64)
        shade = cv2.GaussianBlur(sheet.shade.image, (0, 0), max(0.6, 0.5 / sheet.shade.gsd_m))
        light = cv2.resize(patches, (size // 2, size // 2), interpolation=cv2.INTER_LINEAR)
        light = light * (1 - (1 - _SHADE) / 255 * shade)
        gain = (light * 128).clip(0, 255).astype(np.uint8)
        full = cv2.resize(gain, (size, size), interpolation=cv2.INTER_LINEAR)
        cv2.multiply(sheet.colour.image, cv2.merge([full, full, full]), sheet.colour.image, 1 / 128)
        cooled = 255 - shade // 10
        cv2.multiply(sheet.heat.image, cooled, sheet.heat.image, 1 / 255)
