"""Things that stand up from the ground: faces in space with a texture, seen through the camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from simulator.camera import View
from simulator.landscape import SHADOW_PER_M
from simulator.picture import CHROMA_TO_LUMA, Picture, split_bgr
from simulator.surfaces import Surface

Vector = NDArray[np.float64]

_TO_SUN = np.array([-SHADOW_PER_M[0], -SHADOW_PER_M[1], 1.0])
SUN = _TO_SUN / np.linalg.norm(_TO_SUN)

_AMBIENT = 0.62
_SHIFT = 4
_LUMA_RIM, _CHROMA_RIM = (70,), (128,)  # beyond a texture, where the rim of its face is smoothed
LUMA_TO_HALF = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])
"""Texels to texels of the same image averaged two by two."""
_FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True)
class Face:
    """A flat convex piece: its texture spans the parallelogram corner + a*along + b*down, a and b in 0..1.

    `outline` are its corners in (a, b), counter-clockwise as seen from outside, five at most.
    """

    surface: Surface
    corner: Vector
    along: Vector
    down: Vector
    outline: Sequence[tuple[float, float]] = ((0, 0), (0, 1), (1, 1), (1, 0))

    @property
    def normal(self) -> Vector:
        outward: Vector = np.cross(self.down, self.along)
        return outward / np.linalg.norm(outward)

    @property
    def corners(self) -> Vector:
        return np.array([self.corner + a * self.along + b * self.down for a, b in self.outline])

    def lit(self) -> tuple[MatLike, Sequence[MatLike]]:
        """Luma and chroma of the texture in the sun; chroma at half the resolution."""
        light = _AMBIENT + (1.12 - _AMBIENT) * max(0.0, float(self.normal @ SUN))
        luma, chroma = split_bgr((self.surface.bgr * light).clip(0, 255).astype(np.uint8))
        return luma, cv2.split(chroma)

    def texel_to_scene(self) -> Vector:
        """4x3: homogeneous texels to homogeneous scene; the centres of the outer texels lie on the edges."""
        rows, columns = self.surface.heat.shape
        step_a, step_b = self.along / (columns - 1), self.down / (rows - 1)
        return np.column_stack([np.append(step_a, 0), np.append(step_b, 0), np.append(self.corner, 1)])


@dataclass(frozen=True)
class Solid:
    """A convex thing made of faces, standing around `place` on the ground."""

    place: Vector
    faces: Sequence[Face]


class Solids:
    """Many solids, prepared so that one frame costs a few matrix products and one warp per visible face."""

    def __init__(self, solids: Sequence[Solid]) -> None:
        faces = [face for solid in solids for face in solid.faces]
        self._owner = np.array([i for i, solid in enumerate(solids) for _ in solid.faces])
        self._lit = [face.lit() for face in faces]
        self._heat = [face.surface.heat for face in faces]
        self._to_scene = np.array([face.texel_to_scene() for face in faces])
        self._normals = np.array([face.normal for face in faces])
        corners = [face.corners for face in faces]
        self._corners = np.array([np.vstack([c, np.repeat(c[-1:], 5 - len(c), axis=0)]) for c in corners])

    def seen(self, view: View) -> dict[int, list[SeenFace]]:
        """The faces that look at us and are in the picture, by the solid they belong to.

        Faces of one solid do not hide each other, since it is convex.
        """
        pixels = view.project(self._corners.reshape(-1, 3)).reshape(-1, 5, 3)
        facing = np.einsum("ij,ij->i", np.asarray(view.position) - self._corners[:, 0], self._normals) > 0
        low, high = pixels[:, :, :2].min(axis=1), pixels[:, :, :2].max(axis=1)
        size = (view.lens.width_px, view.lens.height_px)
        inside = (high > 0).all(axis=1) & (low < size).all(axis=1) & (pixels[:, :, 2] > 1).all(axis=1)
        shown = np.flatnonzero(facing & inside)
        to_texel = np.linalg.inv(view.projection @ self._to_scene[shown])
        found: dict[int, list[SeenFace]] = {}
        for i, matrix in zip(shown, to_texel, strict=True):
            face = SeenFace(*self._lit[i], self._heat[i], pixels[i, :, :2], matrix)
            found.setdefault(int(self._owner[i]), []).append(face)
        return found


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face in one picture: its corners in pixels, and the homography from pixels to its texels."""

    luma: MatLike
    chroma: Sequence[MatLike]
    heat: MatLike
    pixels: Vector
    to_texel: Vector

    def draw_colour(self, picture: Picture) -> None:
        _fill([self.luma], self.to_texel, self.pixels, picture.luma)
        to_texel = LUMA_TO_HALF @ self.to_texel @ CHROMA_TO_LUMA
        _fill(self.chroma, to_texel, (self.pixels - (0, 0.5)) / 2, picture.chroma)

    def draw_heat(self, picture: Picture) -> None:
        _fill([self.heat], self.to_texel, self.pixels, picture.luma)


def _fill(images: Sequence[MatLike], to_texel: Vector, pixels: Vector, plane: MatLike) -> None:
    """Warp a texture, given by channels (OpenCV is faster so), into a polygon."""
    height, width = plane.shape[:2]
    (left, top), (right, bottom) = pixels.min(axis=0), pixels.max(axis=0)
    x, y = max(0, math.floor(left)), max(0, math.floor(top))
    size = (min(width, math.ceil(right) + 1) - x, min(height, math.ceil(bottom) + 1) - y)
    if size[0] <= 0 or size[1] <= 0:
        return
    matrix = to_texel @ np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])
    rim = _LUMA_RIM if len(images) == 1 else _CHROMA_RIM
    channels = [cv2.warpPerspective(image, matrix, size, flags=_FLAGS, borderValue=rim) for image in images]
    seen = channels[0] if len(channels) == 1 else cv2.merge(channels)
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(mask, ((pixels - (x, y)) * 16).astype(np.int32), 255, cv2.LINE_8, _SHIFT)
    cv2.copyTo(seen, mask, plane[y : y + size[1], x : x + size[0]])


def frame_of(place: tuple[float, float], angle_deg: float) -> tuple[Vector, Vector, Vector]:
    """Origin, and unit vectors along and to the left, of something turned so against east."""
    angle = np.radians(angle_deg)
    along = np.array([np.cos(angle), np.sin(angle), 0])
    return np.array([*place, 0.0]), along, np.array([-along[1], along[0], 0])


UP = np.array([0.0, 0, 1])


def box(
    place: tuple[float, float], angle_deg: float, size: tuple[float, float, float], skins: Sequence[Surface]
) -> Solid:
    """A cuboid; `skins` are top, right, left, front, back (its front looks along the angle)."""
    origin, along, left = frame_of(place, angle_deg)
    length, width, height = size
    a, b, up = along * length, left * width, UP * height
    front_right, back_left = origin + a / 2 - b / 2 + up, origin - a / 2 + b / 2 + up
    back_right, front_left = origin - a / 2 - b / 2 + up, origin + a / 2 + b / 2 + up
    top, right, left_side, front, back = skins
    faces = [
        Face(top, back_left, a, -b),
        Face(right, back_right, a, -up),
        Face(left_side, front_left, -a, -up),
        Face(front, front_right, b, -up),
        Face(back, back_left, -b, -up),
    ]
    return Solid(origin, faces)


def house(
    place: tuple[float, float],
    angle_deg: float,
    size: tuple[float, float, float, float],
    skins: Sequence[Surface],
) -> Solid:
    """A gabled building: `size` is length, width, eaves, ridge; `skins` right and left roof, wall, gable."""
    origin, along, left = frame_of(place, angle_deg)
    length, width, eaves, ridge = size
    a, b = along * length, left * width
    over = 0.5  # the roof reaches over the walls
    drop = (ridge - eaves) / (width / 2) * over
    roof_a = a + 2 * over * along
    ridge_back = origin - roof_a / 2 + UP * ridge
    down = np.array([*(left[:2] * (width / 2 + over)), 0.0])
    right_roof, left_roof, wall, gable = skins
    share = 1 - eaves / ridge
    pentagon = ((0, share), (0, 1), (1, 1), (1, share), (0.5, 0))
    faces = [
        Face(wall, origin - a / 2 - b / 2 + UP * eaves, a, -UP * eaves),
        Face(wall, origin + a / 2 + b / 2 + UP * eaves, -a, -UP * eaves),
        Face(gable, origin + a / 2 - b / 2 + UP * ridge, b, -UP * ridge, pentagon),
        Face(gable, origin - a / 2 + b / 2 + UP * ridge, -b, -UP * ridge, pentagon),
        Face(right_roof, ridge_back, roof_a, -down - UP * (ridge - eaves + drop)),
        Face(left_roof, ridge_back + roof_a, -roof_a, down - UP * (ridge - eaves + drop)),
    ]
    return Solid(origin, faces)


def footprint(
    place: tuple[float, float], angle_deg: float, length: float, width: float
) -> list[tuple[float, float]]:
    """The four corners on the ground."""
    origin, along, left = frame_of(place, angle_deg)
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    corners = [origin + along * (length * a / 2) + left * (width * b / 2) for a, b in signs]
    return [(float(corner[0]), float(corner[1])) for corner in corners]
