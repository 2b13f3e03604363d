"""The camera model: a pinhole on a stabilised gimbal over flat ground.

Pixels count from the centre of the top left one: (0, 0) is a pixel's centre and the picture reaches from
-0.5 to width - 0.5. The optical axis meets its middle. Camera axes are OpenCV's: x right, y down, z forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Lens:
    """An ideal lens before a sensor with square pixels."""

    width_px: int
    height_px: int
    hfov_deg: float

    @property
    def focal_px(self) -> float:
        return self.width_px / 2 / math.tan(math.radians(self.hfov_deg) / 2)

    @cached_property
    def k(self) -> Matrix:
        """The 3x3 camera matrix."""
        cx, cy = (self.width_px - 1) / 2, (self.height_px - 1) / 2
        return np.array([[self.focal_px, 0, cx], [0, self.focal_px, cy], [0, 0, 1]])


DAY_HFOV_DEG = 70.0
THERMAL_HFOV_DEG = 55.0


@dataclass(frozen=True)
class View:
    """A lens somewhere in the scene (place.py), looking along a grid bearing and a pitch; roll is 0."""

    lens: Lens
    position: tuple[float, float, float]
    bearing_deg: float
    pitch_deg: float

    @cached_property
    def rotation(self) -> Matrix:
        """World to camera: rows are the camera's right, down and forward in the scene."""
        yaw, pitch = math.radians(self.bearing_deg), math.radians(self.pitch_deg)
        right = (math.cos(yaw), -math.sin(yaw), 0.0)
        forward = (math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch))
        return np.array([right, np.cross(forward, right), forward])

    @cached_property
    def projection(self) -> Matrix:
        """The 3x4 matrix from homogeneous scene coordinates to homogeneous pixels."""
        moved = np.column_stack([np.eye(3), -np.asarray(self.position)])
        product: Matrix = self.lens.k @ self.rotation @ moved
        return product

    @cached_property
    def ground_to_pixel(self) -> Matrix:
        """The homography of the plane z = 0: (x, y, 1) to homogeneous pixels."""
        return self.projection[:, [0, 1, 3]]

    @cached_property
    def pixel_to_ground(self) -> Matrix:
        inverse: Matrix = np.asarray(np.linalg.inv(self.ground_to_pixel), dtype=np.float64)
        return inverse

    def plane_to_pixel(self, corner: Matrix, along: Matrix, across: Matrix) -> Matrix:
        """The homography of any plane: (a, b, 1), the point corner + a*along + b*across, to pixels."""
        basis = np.column_stack([np.append(along, 0), np.append(across, 0), np.append(corner, 1)])
        product: Matrix = self.projection @ basis
        return product

    def from_frame(self, x: float, y: float, angle_deg: float) -> View:
        """The same view in the axes of something at (x, y) whose own x axis is turned so against east."""
        angle = math.radians(angle_deg)
        dx, dy, z = self.position[0] - x, self.position[1] - y, self.position[2]
        position = (
            dx * math.cos(angle) + dy * math.sin(angle),
            dy * math.cos(angle) - dx * math.sin(angle),
            z,
        )
        return View(self.lens, position, self.bearing_deg + angle_deg, self.pitch_deg)

    def project(self, points: Matrix) -> Matrix:
        """Rows (x, y, z) to rows (column, row, depth): pixels, and metres along the axis."""
        seen: Matrix = points @ self.projection[:, :3].T + self.projection[:, 3]
        depth = seen[:, 2:]
        seen[:, :2] /= np.where(depth > 1e-6, depth, np.nan)
        return seen

    @cached_property
    def horizon_row(self) -> float:
        """The row in which the ground vanishes at infinity; negative when it is above the picture."""
        pitch = math.radians(self.pitch_deg)
        cy = (self.lens.height_px - 1) / 2
        return cy + self.lens.focal_px * math.tan(pitch) if self.pitch_deg > -89 else -math.inf

    def row_depths(self, rows: NDArray[Any]) -> Matrix:
        """Depth along the axis of the ground seen in pixel rows: the same across a row, as roll is 0."""
        pitch = math.radians(self.pitch_deg)
        slopes = (rows - (self.lens.height_px - 1) / 2) / self.lens.focal_px
        sink = slopes * math.cos(pitch) - math.sin(pitch)
        depths: Matrix = self.position[2] / np.maximum(sink, 1e-6)
        return depths
