"""What drives along the road."""

from __future__ import annotations

import cv2
import numpy as np

from simulator.camera import View
from simulator.flightpath import LOOP_S
from simulator.landscape import Landscape, along
from simulator.picture import Picture
from simulator.solids import Solids
from simulator.vehicles import TRAFFIC, build

_LANE_M = 1.45
_RUNS = (2, -2, 2)  # whole lengths of the road per loop, so that the loop closes
_STARTS = (0.42, 0.30, 0.86)  # where on the road each is when the loop begins
_SHADE_LUMA = (46,)


class Traffic:
    """A few vehicles, each a pure function of time."""

    def __init__(self, land: Landscape) -> None:
        self._road = along(land.road, 1.0)
        self._vehicles = [(vehicle.size, Solids([build(vehicle)])) for vehicle in TRAFFIC]

    def draw(self, view: View, t: float, picture: Picture, as_heat: bool = False) -> None:
        for (size, solids), runs, start in zip(self._vehicles, _RUNS, _STARTS, strict=True):
            x, y, angle = self._place(start + runs * t / LOOP_S, 1 if runs > 0 else -1)
            column, row, depth = view.project(np.array([[x, y, 1.0]]))[0]
            margin = 8 * view.lens.focal_px / max(depth, 1.0)
            width, height = picture.size
            if not (depth > 0 and -margin < column < width + margin and -margin < row < height + margin):
                continue
            near = view.from_frame(x, y, angle)
            faces = solids.seen(near, picture, as_heat).get(0, [])
            if faces and not as_heat:
                _shade(near, size, picture)
            for face in faces:
                face.draw()

    def _place(self, share: float, direction: int) -> tuple[float, float, float]:
        """Scene position in the right-hand lane, and the angle against east in degrees."""
        at = (share % 1.0) * (len(self._road) - 1)
        x, y, angle = (np.interp(at, np.arange(len(self._road)), column) for column in self._road.T)
        side = -_LANE_M * direction
        turned = np.degrees(angle) + (0 if direction > 0 else 180)
        return float(x - side * np.sin(angle)), float(y + side * np.cos(angle)), float(turned)


def _shade(view: View, size: tuple[float, float, float], picture: Picture) -> None:
    """The darkness under and beside it, on asphalt."""
    length, width, _ = size
    a, b = length / 2 + 0.3, width / 2 + 0.4
    corners = view.project(np.array([(-a, -b, 0.0), (a, -b, 0), (a, b, 0), (-a, b, 0)]))
    if (corners[:, 2] > 2).all():
        points = (corners[:, :2] * 16).round().astype(np.int32)
        cv2.fillConvexPoly(picture.luma, points, _SHADE_LUMA, cv2.LINE_AA, 4)
