"""The world of the demo, made once from a seed, and the two cameras that look at it."""

from __future__ import annotations

import numpy as np

from simulator import lights, people, rescue, stamp, strip, thermal
from simulator.air import Air
from simulator.camera import View
from simulator.ground import Ground, colour_levels, heat_levels
from simulator.landscape import Landscape
from simulator.paint import Painter
from simulator.picture import Picture
from simulator.scene import Scene
from simulator.traffic import Traffic
from simulator.trees import make_crowns

NEAR_HALF_M, NEAR_GSD_M = 256.0, 0.16
FAR_HALF_M, FAR_GSD_M = 1024.0, 0.5


class World:
    """Ground and everything on it; `seed` decides the fields, the trees and the smoke."""

    def __init__(self, seed: int) -> None:
        crowns = make_crowns(np.random.default_rng([seed, 0xC0]))
        land = Landscape(seed)
        self.scene = Scene(land, crowns)
        self.air = Air(seed)
        self.traffic = Traffic(land)
        painter = Painter(land, crowns, self.scene.solids)
        near, far = painter.paint(NEAR_HALF_M, NEAR_GSD_M), painter.paint(FAR_HALF_M, FAR_GSD_M)
        self.colour_ground = Ground(colour_levels(near.colour, far.colour))
        self.heat_ground = Ground(heat_levels(near.heat, far.heat))


class DayCamera:
    """What the daylight camera sees."""

    def __init__(self, world: World) -> None:
        self._world = world

    def draw(self, view: View, t: float, picture: Picture) -> None:
        world = self._world
        world.colour_ground.draw(view, picture)
        world.traffic.draw(view, t, picture)
        people.draw(view, t, picture)
        world.scene.draw(view, t, picture)
        rescue.draw(view, t, picture)
        lights.draw_fire(view, t, picture)
        world.air.draw(view, t, picture)


class ThermalCamera:
    """What the thermal camera sees: warmth, through smoke as if it were not there, in false colours."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._sensor = thermal.Sensor(seed)

    def draw(self, view: View, t: float, picture: Picture) -> None:
        world = self._world
        world.heat_ground.draw(view, picture)
        world.traffic.draw(view, t, picture, as_heat=True)
        people.draw(view, t, picture, as_heat=True)
        world.scene.draw(view, t, picture, as_heat=True)
        rescue.draw(view, t, picture, as_heat=True)
        lights.draw_fire(view, t, picture, as_heat=True)
        self._sensor.expose(picture)


def burn_in(picture: Picture, label: str, capture_ms: int, counter: int) -> None:
    """Capture time and frame counter, for people and for machines."""
    stamp.draw(picture.luma, label, capture_ms)
    strip.draw(picture.luma, capture_ms, counter)
    rows = strip.strip_rows(picture.luma.shape[0])
    picture.chroma[-((rows + 1) // 2) :] = 128
