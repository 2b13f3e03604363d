"""Things that stand up from the ground: faces in space with a texture, seen through the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
_PLAIN_PX = 300
"""A face in a smaller area than this shows no texture, only its mean colour."""

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
    """Many solids, prepared so that a frame costs a few matrix products and, per visible face, some warps."""

    def __init__(self, solids: Sequence[Solid]) -> None:
        faces = [face for solid in solids for face in solid.faces]
        self._owner = [i for i, solid in enumerate(solids) for _ in solid.faces]
        self._lit = [face.lit() for face in faces]
        self._heat = [face.surface.heat for face in faces]
        self._to_scene = np.array([face.texel_to_scene() for face in faces])
        self._normals = np.array([face.normal for face in faces])
        corners = [face.corners for face in faces]
        self._corners = np.array([np.vstack([c, np.repeat(c[-1:], 5 - len(c), axis=0)]) for c in corners])

    def seen(self, view: View, picture: Picture, as_heat: bool = False) -> dict[int, list[Drawing]]:
        """What is to be done to draw them, by solid: only faces that look at us and are in the picture.

        Faces of one solid do not hide each other, since it is convex; solids do, so the caller orders them.
        """
        facing = np.einsum("ij,ij->i", np.asarray(view.position) - self._corners[:, 0], self._normals) > 0
        near = np.flatnonzero(facing)
        pixels = view.project(self._corners[near].reshape(-1, 3)).reshape(-1, 5, 3)
        low, high = pixels[:, :, :2].min(axis=1), pixels[:, :, :2].max(axis=1)
        size = (view.lens.width_px, view.lens.height_px)
        inside = (high > 0).all(axis=1) & (low < size).all(axis=1) & (pixels[:, :, 2] > 1).all(axis=1)
        shown, outlines = near[inside], pixels[inside, :, :2]
        if not len(shown):
            return {}
        to_texel = np.linalg.inv(view.projection @ self._to_scene[shown])
        textures = [[self._heat[i]] if as_heat else [self._lit[i][0]] for i in shown]
        layers = [_drawings(picture.luma, textures, to_texel, outlines)]
        if not as_heat:
            textures = [self._lit[i][1] for i in shown]
            to_texel = LUMA_TO_HALF @ to_texel @ CHROMA_TO_LUMA
            layers.append(_drawings(picture.chroma, textures, to_texel, (outlines - (0, 0.5)) / 2))
        found: dict[int, list[Drawing]] = {}
        for i, *drawings in zip(shown.tolist(), *layers, strict=True):
            found.setdefault(self._owner[i], []).extend(drawings)
        return found


class Drawing(NamedTuple):
    """One textured polygon in one plane of a picture: the area it lies in, its outline there (in 1/16 pixel),
    and the homography from the area's pixels to texels."""

    area: MatLike
    channels: Sequence[MatLike]
    to_texel: Vector
    outline: NDArray[np.int32]

    def draw(self) -> None:
        if self.area.shape[0] * self.area.shape[1] < _PLAIN_PX:
            mean = [float(channel.mean()) for channel in self.channels]
            cv2.fillConvexPoly(self.area, self.outline, mean, cv2.LINE_8, _SHIFT)
            return
        rim = _LUMA_RIM if len(self.channels) == 1 else _CHROMA_RIM
        size = (self.area.shape[1], self.area.shape[0])
        # OpenCV warps single channels much faster than pairs.
        warped = [
            cv2.warpPerspective(channel, self.to_texel, size, flags=_FLAGS, borderValue=rim)
            for channel in self.channels
        ]
        seen = warped[0] if len(warped) == 1 else cv2.merge(warped)
        mask = np.zeros(self.area.shape[:2], np.uint8)
        cv2.fillConvexPoly(mask, self.outline, 255, cv2.LINE_8, _SHIFT)
        cv2.copyTo(seen, mask, self.area)


def _drawings(
    plane: MatLike, textures: Sequence[Sequence[MatLike]], to_texel: Vector, outlines: Vector
) -> list[Drawing]:
    height, width = plane.shape[:2]
    low = np.floor(outlines.min(axis=1)).clip(0, (width - 1, height - 1)).astype(int)
    high = (np.ceil(outlines.max(axis=1)) + 1).clip(low + 1, (width, height)).astype(int)
    moved = to_texel.copy()
    moved[:, :, 2] += np.einsum("nij,nj->ni", to_texel[:, :, :2], low)
    fixed = ((outlines - low[:, None]) * (1 << _SHIFT)).astype(np.int32)
    areas = [plane[y:y2, x:x2] for (x, y), (x2, y2) in zip(low.tolist(), high.tolist(), strict=True)]
    return [Drawing(*parts) for parts in zip(areas, textures, moved, fixed, strict=True)]


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
