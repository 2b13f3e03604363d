"""What the fire service and others have parked: boxes with painted sides."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.landscape import FARM_ANGLE_DEG, Point, farm
from simulator.place import HOME_XY
from simulator.solids import Solid, box
from simulator.surfaces import Bgr, Brush, Surface

RED: Bgr = (34, 30, 190)
WHITE: Bgr = (226, 228, 230)
LIME: Bgr = (60, 225, 215)
SILVER: Bgr = (168, 168, 164)
GLASS: Bgr = (66, 56, 46)
TYRE: Bgr = (34, 34, 34)
BLUE: Bgr = (235, 110, 30)
DECK: Bgr = (140, 144, 146)
CAR_BLUE: Bgr = (140, 84, 40)
TRACTOR_GREEN: Bgr = (50, 120, 30)


@dataclass(frozen=True)
class Vehicle:
    """Where it stands, how it is turned against east, its length, width, height, its paint and its warmth."""

    place: Point
    angle_deg: float
    size: tuple[float, float, float]
    paint: Bgr
    kind: str
    flashes: bool = True

    @property
    def light_bars(self) -> list[tuple[float, float]]:
        """Distances along and across of the blue lights from its middle."""
        length, width, _ = self.size
        front = length / 2 - 0.9
        return [(front, width / 3), (front, -width / 3), (-length / 2 + 0.4, 0.0)] if self.flashes else []


def parked() -> list[Vehicle]:
    """The vehicles of the incident."""
    turn = FARM_ANGLE_DEG
    x, y = HOME_XY
    return [
        Vehicle(farm(-11, -18.5), turn + 4, (8.4, 2.5, 3.2), RED, "engine"),
        Vehicle(farm(15, -19.5), turn + 176, (8.6, 2.5, 3.2), RED, "engine"),
        Vehicle(farm(-20, -3.5), turn + 2, (10.0, 2.5, 3.3), RED, "ladder"),
        Vehicle(farm(43, -26), turn - 52, (7.6, 2.5, 3.1), RED, "engine"),
        Vehicle(farm(-34, -35.5), turn + 8, (6.6, 2.2, 2.9), WHITE, "ambulance"),
        Vehicle((x + 8.5, y + 4.5), 62, (5.9, 2.0, 2.7), RED, "command"),
        Vehicle((x + 14.5, y + 0.5), 62, (5.2, 2.0, 2.1), RED, "van"),
        Vehicle(farm(-47.5, -52), turn - 108, (8.4, 2.5, 3.2), RED, "engine"),
        Vehicle(farm(-66, -7), turn + 90, (4.3, 2.1, 2.7), TRACTOR_GREEN, "tractor", flashes=False),
        Vehicle(farm(-57, 15), turn + 12, (4.4, 1.8, 1.5), CAR_BLUE, "car", flashes=False),
    ]


LADDER_FOOT = (farm(-23.5, -3.6), 3.4)
"""Where the turntable of the ladder truck is, and how high."""

TRAFFIC = (
    Vehicle((0, 0), 0, (4.5, 1.8, 1.5), WHITE, "car", flashes=False),
    Vehicle((0, 0), 0, (4.4, 1.8, 1.5), (70, 74, 78), "car", flashes=False),
    Vehicle((0, 0), 0, (8.4, 2.5, 3.2), RED, "engine", flashes=False),
)
"""Drives along the road; built in its own axes."""


def build(vehicle: Vehicle) -> Solid:
    """The solid of a vehicle; the engine under its front is warm."""
    side = _side(vehicle)
    mirrored = Surface(side.bgr[:, ::-1].copy(), side.heat[:, ::-1].copy())
    ends = _end(vehicle, front=True), _end(vehicle, front=False)
    return box(vehicle.place, vehicle.angle_deg, vehicle.size, (_top(vehicle), side, mirrored, *ends))


def _top(vehicle: Vehicle) -> Surface:
    length, width, _ = vehicle.size
    brush = Brush(length, width, vehicle.paint, 96)
    cab = length - (2.4 if length > 6 else 1.6)
    if vehicle.kind in ("engine", "ladder"):
        brush.box((0.3, 0.35, cab - 0.4, width - 0.35), DECK, 90)
        brush.box((0.5, 0.5, cab - 1.0, 0.9), (200, 205, 206), 78)  # the ladder rack
        for x in range(1, int(cab) - 1):
            brush.box((x, 0.5, x + 0.1, 0.9), (90, 94, 96))
        brush.box((1.0, width - 1.1, 3.0, width - 0.55), (84, 90, 92), 80)
    if vehicle.kind == "ladder":
        brush.box((0.2, width / 2 - 0.55, length - 0.8, width / 2 + 0.55), (206, 210, 212), 70)
        for x in range(1, int(length) - 1):
            brush.box((x, width / 2 - 0.4, x + 0.3, width / 2 + 0.4), (110, 114, 118), 74)
    if vehicle.kind in ("ambulance", "command", "van"):
        brush.box((0.0, 0.0, 0.4, width), LIME)
        brush.box((1.6, width / 2 - 0.4, 2.4, width / 2 + 0.4), (190, 192, 194), 70)
    if vehicle.kind in ("car", "tractor"):
        brush.box((0.7, 0.25, 1.1, width - 0.25), GLASS, 70)
        brush.box((length - 1.7, 0.25, length - 1.2, width - 0.25), GLASS, 70)
    brush.box((length - 1.1, 0.0, length, width), vehicle.paint, 168)
    if vehicle.flashes:
        brush.box((length - 1.1, 0.25, length - 0.7, width - 0.25), BLUE, 120)
    return brush.done()


def _side(vehicle: Vehicle) -> Surface:
    length, _, height = vehicle.size
    brush = Brush(length, height, vehicle.paint, 104)
    cab = length - (2.4 if length > 6 else 1.6)
    if vehicle.kind in ("engine", "ladder"):
        for x in range(4):
            left = 0.4 + x * (cab - 0.8) / 4
            brush.box((left, 0.5, left + (cab - 0.8) / 4 - 0.15, height - 1.2), SILVER, 88)
    if vehicle.kind == "tractor":
        brush.box((0, 0, length, height), TYRE, 110)
        brush.box((1.8, 0.9, length, 1.8), TRACTOR_GREEN, 170)
    brush.box((cab, 0.5, length - 0.2, 1.2), GLASS, 84)
    if vehicle.kind in ("ambulance", "command", "van", "car"):
        brush.box((0.6, 0.4, cab - 0.2, 1.0), GLASS, 84)
    if vehicle.flashes:
        brush.box((0, height - 1.1, length, height - 0.75), LIME if vehicle.paint == RED else RED)
    brush.box((0, height - 0.45, length, height), (40, 40, 42), 90)
    for wheel in (1.4, length - 1.4):
        brush.disc(wheel, height - 0.5, 0.5, TYRE, 126)
    return brush.done()


def _end(vehicle: Vehicle, front: bool) -> Surface:
    _, width, height = vehicle.size
    brush = Brush(width, height, vehicle.paint, 150 if front else 98)
    if front:
        brush.box((0.2, 0.5, width - 0.2, 1.5), GLASS, 96)
        brush.box((0.4, height - 1.2, width - 0.4, height - 0.7), (60, 60, 62), 196)
    elif vehicle.flashes:
        for i in range(6):  # the warning chevrons
            brush.box((i * width / 6, height - 1.6, (i + 0.5) * width / 6, height - 0.5), LIME)
    brush.box((0, height - 0.4, width, height), (40, 40, 42))
    return brush.done()
