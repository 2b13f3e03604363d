"""Everything that stands on the ground, drawn from far to near."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from cv2.typing import MatLike

from simulator import buildings, vehicles
from simulator.camera import View
from simulator.landscape import Landscape
from simulator.lights import BlueLights, draw_flash
from simulator.picture import Picture, split_bgr
from simulator.solids import Solid, Solids, Vector
from simulator.trees import Crown


class Scene:
    """Buildings, vehicles and single trees."""

    def __init__(self, land: Landscape, crowns: list[Crown]) -> None:
        parked = vehicles.parked()
        self._blue_lights = BlueLights(parked)
        self.solids: list[Solid] = [
            *(buildings.build(building) for building in buildings.BUILDINGS),
            *buildings.silos(),
            *(vehicles.build(vehicle) for vehicle in parked),
        ]
        self._first_vehicle = len(self.solids) - len(parked)
        self._batch = Solids(self.solids)
        self._trees = land.trees
        self._sprites = _Sprites(crowns)
        feet = np.array([solid.place for solid in self.solids])
        crown_middles = np.array([(*tree.place, 1.15 * tree.radius_m) for tree in land.trees])
        self._middles = np.vstack([feet, crown_middles])
        self._radii = np.array([0.0] * len(feet) + [tree.radius_m for tree in land.trees])

    def draw(self, view: View, t: float, picture: Picture, as_heat: bool = False) -> None:
        """Painter's algorithm over whole things, which do not reach into each other."""
        faces = self._batch.seen(view, picture, as_heat)
        flashes = {} if as_heat else self._blue_lights.burning(view, t)
        pixels = view.project(self._middles)
        sizes = self._radii * view.lens.focal_px / np.maximum(pixels[:, 2], 1)
        size = (view.lens.width_px, view.lens.height_px)
        away = np.abs(pixels[:, :2] * 2 - size) / 2 - np.array(size) / 2
        shown = (pixels[:, 2] > 4) & (away < sizes[:, None]).all(axis=1)
        shown[: len(self.solids)] = [i in faces for i in range(len(self.solids))]
        distance = np.linalg.norm(self._middles[:, :2] - view.position[:2], axis=1)
        for i in sorted(np.flatnonzero(shown).tolist(), key=lambda i: -distance[i]):
            if i >= len(self.solids):
                kind = self._trees[i - len(self.solids)].kind
                self._sprites.draw(kind, pixels[i, :2], round(sizes[i]) * 2, picture, as_heat)
                continue
            for face in faces[i]:
                face.draw()
            for pixel in flashes.get(i - self._first_vehicle, ()):
                draw_flash(view, picture, pixel)


def _paste(sprite: MatLike, mask: MatLike, plane: MatLike, left: int, top: int) -> None:
    height, width = plane.shape[:2]
    right, bottom = min(width, left + sprite.shape[1]), min(height, top + sprite.shape[0])
    x, y = max(0, left), max(0, top)
    if x < right and y < bottom:
        place = (slice(y - top, bottom - top), slice(x - left, right - left))
        cv2.copyTo(sprite[place], mask[place], plane[y:bottom, x:right])


class _Sprites:
    """Crowns scaled to the sizes that were needed lately."""

    def __init__(self, crowns: list[Crown]) -> None:
        self._crowns = crowns
        self.scaled = lru_cache(maxsize=400)(self._scaled)

    def draw(self, kind: int, middle: Vector, size: int, picture: Picture, as_heat: bool) -> None:
        if not 4 <= size <= 600:
            return
        luma, chroma, heat, mask, half_mask = self.scaled(kind, size)
        left, top = (round(float(value - size / 2) / 2) * 2 for value in middle)
        _paste(heat if as_heat else luma, mask, picture.luma, left, top)
        if not as_heat:
            _paste(chroma, half_mask, picture.chroma, left // 2, top // 2)

    def _scaled(self, kind: int, size: int) -> tuple[MatLike, MatLike, MatLike, MatLike, MatLike]:
        crown = self._crowns[kind]
        whole = [cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA) for image in crown]
        luma, chroma = split_bgr(whole[0])
        half = cv2.resize(whole[1], (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        return luma, chroma, whole[2], whole[1] // 128 * 255, half // 128 * 255
