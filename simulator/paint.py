"""Paints the landscape onto a sheet: colours, warmth and shadows."""

from __future__ import annotations

import cv2
import numpy as np

from simulator import materials as of
from simulator.canvas import Sheet
from simulator.landscape import ROAD_WIDTH_M, SHADOW_PER_M, Landscape, Point, along, blob, farm, farm_all
from simulator.place import HOME_XY
from simulator.tiles import TILE_M, Tile, make_tiles, noise
from simulator.trees import Crown, forest_tile, stamp

_SHADE = 0.46  # how much light is left in the shadow


class Painter:
    """Holds the textures that the near and the far sheet share."""

    def __init__(self, land: Landscape, crowns: list[Crown]) -> None:
        self._land, self._crowns = land, crowns
        self._random = np.random.default_rng([land.seed, 0x9A])
        self._tiles = make_tiles(self._random)
        self._tiles["forest"] = forest_tile(self._random, crowns)

    def paint(self, half_m: float, gsd_m: float) -> Sheet:
        """The whole ground from -half_m to half_m."""
        sheet = Sheet(half_m, gsd_m)
        self._fields(sheet)
        self._woods(sheet)
        self._tracks(sheet)
        self._farmyard(sheet)
        self._road(sheet)
        self._pond(sheet)
        self._incident(sheet)
        for tree in self._land.trees:
            self._tree(sheet, tree.place, tree.radius_m, tree.kind)
        self._weather(sheet)
        return sheet

    def _fill(self, sheet: Sheet, outline: list[Point], name: str, angle_deg: float) -> None:
        for canvas, is_heat in ((sheet.colour, False), (sheet.heat, True)):
            tile: Tile = self._tiles[name].coarser(canvas.gsd_m)
            image = tile.heat if is_heat else tile.colour
            canvas.fill_tile(outline, image, TILE_M / image.shape[0], angle_deg)

    def _fields(self, sheet: Sheet) -> None:
        whole = sheet.colour.half_m
        self._fill(sheet, [(-whole, -whole), (whole, -whole), (whole, whole), (-whole, whole)], "meadow", 20)
        for field in self._land.fields:
            self._fill(sheet, field.outline, field.crop, field.angle_deg)
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
            for x, y, _ in along([*outline, outline[0]], 3.2):
                place = (x + random.normal(0, 1.6), y + random.normal(0, 1.6))
                self._crown(sheet, place, random.uniform(1.8, 4.2), int(random.integers(4)))

    def _tree(self, sheet: Sheet, place: Point, radius_m: float, kind: int) -> None:
        self._shadow(sheet, place, radius_m, 2.1 * radius_m)
        self._crown(sheet, place, radius_m, kind)

    def _crown(self, sheet: Sheet, place: Point, radius_m: float, kind: int) -> None:
        crown = self._crowns[kind]
        stamp(sheet.colour, crown.bgr, crown.alpha, place, radius_m)
        stamp(sheet.heat, crown.heat, crown.alpha, place, radius_m)

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
        for u in range(-74, 30, 6):  # joints of the concrete slabs
            sheet.colour.line(farm_all((u, -27), (u, 12)), 0.05, (140, 150, 154))
        for v in range(-27, 14, 6):
            sheet.colour.line(farm_all((-50, v), (24, v)), 0.05, (140, 150, 154))
        sheet.polygon(land.garden, of.GARDEN)
        sheet.polygon(farm_all((-43, 24), (-34, 24), (-34, 28), (-43, 28)), of.PAVING)
        for v in (33, 35, 37, 39):
            sheet.line(farm_all((-46, v), (-36, v)), 0.7, of.DIRT_TRACK)
        sheet.polygon(farm_all((-74, -22), (-58, -22), (-58, -13), (-74, -13)), of.CONCRETE)
        sheet.polygon(farm_all((-73, -21), (-61, -21), (-62, -14), (-72, -14)), of.MANURE)
        sheet.polygon(farm_all((-74, 20), (-50, 27), (-53, 33), (-76, 26)), of.SILAGE_FOIL)
        random = np.random.default_rng(5)
        for u, v in random.uniform((-75, 21), (-53, 31), (60, 2)):
            sheet.colour.disc(farm(float(u), float(v)), 0.35, (40, 40, 42))  # tyres on the clamp
        for a, b in (((-58, 28), (-50, 45)), ((-50, 45), (-18, 45)), ((-18, 45), (-16, 44))):
            self._hedge(sheet, farm(*a), farm(*b))

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
