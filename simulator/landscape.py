"""Where everything lies: fields, woods, road, farm, pond. Scene metres; the farm is turned by 17 degrees."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulator.place import HOME_XY
from simulator.tiles import CROPS

Point = tuple[float, float]

FARM_ANGLE_DEG = 17.0
_COS, _SIN = math.cos(math.radians(FARM_ANGLE_DEG)), math.sin(math.radians(FARM_ANGLE_DEG))

ROAD_WIDTH_M = 5.8
SHADOW_PER_M = (0.62, 0.58)
"""How far the shadow of something 1 m high reaches, east and north: the sun stands in the south-west."""


def farm(u: float, v: float) -> Point:
    """Scene position of a place in the farm's own axes (u along the barn's ridge, v across)."""
    return (u * _COS - v * _SIN, u * _SIN + v * _COS)


def farm_all(*places: Point) -> list[Point]:
    return [farm(u, v) for u, v in places]


def curve(points: list[Point], step: int = 12) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    knots = np.array([points[0], *points, points[-1]])
    t = np.linspace(0, 1, step, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False)
    ]
    return [(float(x), float(y)) for x, y in np.vstack([*pieces, knots[-1:]])]


def blob(random: np.random.Generator, centre: Point, radii: Point, wobble: float = 0.12) -> list[Point]:
    """A closed, irregular round outline."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = np.ones_like(angles)
    for wave in (2, 3, 5, 7):
        radius += wobble * random.uniform(0.3, 1) * np.sin(wave * angles + random.uniform(0, 6.3)) / wave**0.5
    return [
        (centre[0] + radii[0] * r * math.cos(a), centre[1] + radii[1] * r * math.sin(a))
        for a, r in zip(angles, radius, strict=True)
    ]


@dataclass(frozen=True)
class Field:
    outline: list[Point]
    crop: str
    angle_deg: float


@dataclass(frozen=True)
class Tree:
    place: Point
    radius_m: float
    kind: int

    @property
    def height_m(self) -> float:
        return 2.1 * self.radius_m


@dataclass
class Landscape:
    """Everything that lies on the ground, from one seed."""

    seed: int
    road: list[Point] = field(init=False)
    fields: list[Field] = field(init=False)
    woods: list[list[Point]] = field(init=False)
    trees: list[Tree] = field(init=False)

    def __post_init__(self) -> None:
        random = np.random.default_rng([self.seed, 0x1A])
        self.road = curve(
            [
                (-1100, -190),
                (-620, -128),
                (-300, -104),
                (-110, -82),
                (60, -74),
                (260, -92),
                (560, -60),
                (1100, 20),
            ]
        )
        self.drive = curve([farm(-66, -57), farm(-50, -48), farm(-44, -36), farm(-42, -22)])
        self.tracks = [
            curve([farm(-72, 4), farm(-100, 22), farm(-130, 90), farm(-150, 200), farm(-120, 420)]),
            curve([farm(30, 6), farm(80, 14), farm(170, 6), farm(300, 40), farm(600, 10), farm(1000, 60)]),
            curve([(-240, -98), (-262, -220), (-250, -480), (-330, -1000)]),
            curve([(210, -88), (236, -240), (214, -520), (260, -1000)]),
        ]
        self.yard = farm_all(
            (-50, -30),
            (-12, -30),
            (24, -25),
            (31, -10),
            (29, 8),
            (8, 11),
            (-4, 25),
            (-24, 24),
            (-48, 16),
            (-77, 14),
            (-77, -10),
            (-52, -13),
        )
        self.garden = farm_all((-48, 15), (-22, 25), (-18, 44), (-50, 44), (-58, 28))
        self.paddock = farm_all((34, -12), (34, 34), (-2, 46), (-16, 44), (-4, 26), (10, 12), (30, 9))
        self.pond = blob(random, farm(68, -33), (19, 12))
        self.stand = blob(random, (HOME_XY[0] + 3, HOME_XY[1] + 2), (13, 9), 0.08)
        self.fields = _fields(random)
        self.woods = _woods(random)
        self.trees = _trees(random, self)


def _fields(random: np.random.Generator) -> list[Field]:
    """Strips of fields in the farm's axes, as land consolidation leaves them."""
    found: list[Field] = []
    crops = list(CROPS)
    u, last = -1500.0, ""
    while u < 1500:
        width = float(random.uniform(52, 135))
        v = -1500.0 + float(random.uniform(0, 100))
        while v < 1500:
            length = float(random.uniform(110, 300))
            crop = last
            while crop == last:
                crop = crops[int(random.integers(len(crops)))]
            last = crop
            lean = float(random.uniform(-3, 3))
            outline = farm_all(
                (u, v), (u + width, v + lean), (u + width + lean, v + length), (u + lean, v + length)
            )
            angle = FARM_ANGLE_DEG + 90 + float(random.uniform(-2, 2))
            if random.uniform() < 0.25:
                angle -= 90
            found.append(Field(outline, crop, angle))
            v += length + 1.5
        u += width + 1.5
    return found


def _woods(random: np.random.Generator) -> list[list[Point]]:
    def ragged(outline: list[Point]) -> list[Point]:
        smooth = curve([*outline, outline[0]])
        jitter = random.normal(0, 3.0, (len(smooth), 2))
        return [(x + dx, y + dy) for (x, y), (dx, dy) in zip(smooth, jitter, strict=True)]

    return [
        ragged(
            [
                (-360, 215),
                (-210, 172),
                (-90, 196),
                (40, 168),
                (150, 205),
                (330, 190),
                (520, 330),
                (420, 900),
                (-300, 1000),
                (-620, 600),
            ]
        ),
        ragged([(330, -240), (450, -190), (560, -300), (620, -560), (420, -600), (330, -420)]),
        ragged([(-760, 60), (-560, 20), (-460, 110), (-560, 260), (-800, 240)]),
        ragged([(-480, -420), (-360, -380), (-330, -520), (-470, -640), (-600, -520)]),
        ragged([(150, -330), (176, -322), (180, -380), (150, -392)]),
    ]


def _trees(random: np.random.Generator, land: Landscape) -> list[Tree]:
    """Single trees: garden and orchard, a row along the road, hedge trees, the willows at the pond."""
    found: list[Tree] = []

    def plant(place: Point, low: float, high: float, kinds: tuple[int, ...] = (0, 1, 2, 3)) -> None:
        x, y = (float(v) for v in np.array(place) + random.normal(0, 0.5, 2))
        kind = kinds[int(random.integers(len(kinds)))]
        found.append(Tree((x, y), float(random.uniform(low, high)), kind))

    for u in range(-2, 34, 9):
        for v in range(18, 46, 9):
            plant(farm(u + 0.3 * v - 4, v), 1.9, 2.7, (1, 3))  # the orchard
    for u, v in (
        (-52, 40),
        (-44, 47),
        (-31, 48),
        (-20, 40),
        (-56, 26),
        (-28, 36),
        (-82, 18),
        (-86, 2),
        (-84, -12),
    ):
        plant(farm(u, v), 2.8, 4.8)
    for u, v in ((54, -47), (66, -50), (80, -46), (89, -36), (86, -22), (73, -17), (58, -18)):
        plant(farm(u, v), 2.2, 3.8, (1, 3, 4))
    for i, (x, y) in enumerate(land.road[36:66:2]):
        if abs(x + 62) > 16:
            plant((x, y + (7 if i % 2 else -7)), 2.4, 3.6, (0, 1))
    for step in range(0, 150, 8):
        plant(farm(96 + random.normal(0, 1.2), -62 + step), 1.8, 3.9)
    for step in range(0, 120, 9):
        plant(farm(-118 + random.normal(0, 1.2), -20 + step), 1.8, 3.6)
    return found


def along(line: list[Point], step_m: float) -> NDArray[np.float64]:
    """Points every `step_m` along a polyline: rows (x, y, bearing in radians against east)."""
    xy = np.array(line)
    pieces = np.diff(xy, axis=0)
    lengths = np.hypot(pieces[:, 0], pieces[:, 1])
    ends = np.concatenate([[0], np.cumsum(lengths)])
    wanted = np.arange(0, ends[-1], step_m)
    index = np.searchsorted(ends, wanted, side="right") - 1
    share = ((wanted - ends[index]) / lengths[index])[:, None]
    places = xy[index] + pieces[index] * share
    return np.column_stack([places, np.arctan2(pieces[index, 1], pieces[index, 0])])
