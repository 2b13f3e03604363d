"""The farm: the burning barn, the house, stable and machine hall, silos."""

from __future__ import annotations

from dataclasses import dataclass

from simulator import surfaces
from simulator.landscape import FARM_ANGLE_DEG, Point, farm
from simulator.solids import Solid, box, house
from simulator.surfaces import Brush


@dataclass(frozen=True)
class Building:
    """A gabled building: length, width, eaves, ridge in metres."""

    place: Point
    angle_deg: float
    size: tuple[float, float, float, float]
    kind: str


BARN = Building(farm(0, 0), FARM_ANGLE_DEG, (26.0, 14.0, 5.2, 10.0), "barn")

BUILDINGS = (
    BARN,
    Building(farm(-37, 20), FARM_ANGLE_DEG + 4, (15.0, 10.5, 5.6, 10.4), "house"),
    Building(farm(-32, -21), FARM_ANGLE_DEG, (33.0, 13.0, 4.2, 7.6), "stable"),
    Building(farm(-66, 3), FARM_ANGLE_DEG + 90, (22.0, 15.0, 5.0, 7.4), "hall"),
    Building(farm(4, 21), FARM_ANGLE_DEG + 2, (9.0, 6.0, 2.8, 4.6), "shed"),
)


def build(building: Building) -> Solid:
    length, width, eaves, ridge = building.size
    slope = ((width / 2 + 0.5) ** 2 + (ridge - eaves) ** 2) ** 0.5
    roofs = tuple(_roof(building.kind, length + 1, slope, seed) for seed in (11, 12))
    long_wall, gable = _walls(building)
    return house(building.place, building.angle_deg, building.size, (*roofs, long_wall, gable))


def _roof(kind: str, length_m: float, slope_m: float, seed: int) -> surfaces.Surface:
    match kind:
        case "barn":
            return surfaces.burning_roof(length_m, slope_m, seed)
        case "house":
            return surfaces.house_roof(length_m, slope_m, seed)
        case "stable" if seed == 11:
            return surfaces.solar_roof(length_m, slope_m, seed)
        case "stable":
            return surfaces.tiled_roof(length_m, slope_m, (118, 122, 126), seed)
        case "hall":
            return surfaces.sheet_roof(length_m, slope_m, (128, 138, 122), seed)
        case _:
            return surfaces.tiled_roof(length_m, slope_m, (54, 70, 112), seed)


def _walls(building: Building) -> tuple[surfaces.Surface, surfaces.Surface]:
    length, width, eaves, ridge = building.size
    match building.kind:
        case "barn":
            return surfaces.boards(length, eaves, 150), surfaces.boards(width, ridge, 165)
        case "house":
            plaster = (196, 214, 222)
            return (
                surfaces.wall(length, eaves, plaster, (6.0,), (1.5, 3.6, 10.8, 12.8)),
                surfaces.wall(width, ridge, plaster, (), (2.0, 4.6, 7.2)),
            )
        case "hall":
            return surfaces.wall(length, eaves, (134, 140, 132), (3, 9, 15)), surfaces.wall(
                width, ridge, (134, 140, 132)
            )
        case _:
            plaster = (176, 190, 198)
            return surfaces.wall(length, eaves, plaster, (1.5,), (6, 10, 14, 18, 22)), surfaces.wall(
                width, ridge, plaster, (2,)
            )


def silos() -> list[Solid]:
    """Two tall feed silos beside the stable, as slender boxes."""
    skin = Brush(2.6, 2.6, (196, 200, 200), 60).done()
    side = Brush(2.6, 8.0, (186, 190, 190), 66)
    side.rows(1.0, 0.05)
    skins = (skin, *(side.done() for _ in range(4)))
    return [box(farm(u, -10.5), FARM_ANGLE_DEG + 45, (2.6, 2.6, 8.0), skins) for u in (-45.0, -41.0)]
