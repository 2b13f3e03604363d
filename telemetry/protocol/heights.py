"""Height over ground, of which four messages may tell."""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from .places import are_within, place_e7

LASTS_NS = 2_000_000_000
"""A height older than that says nothing of the ground that is below now."""
LOWEST_M, HIGHEST_M = -30.0, 20_000.0
"""A map may be wrong by so much; a real copter is 582 m below ground until it has found its height."""
NEAR_M = 200.0
"""TERRAIN_REPORT also answers questions about other places."""
_INVALID_SIGNAL = 1  # DISTANCE_SENSOR.signal_quality
_UNKNOWN_TERRAIN_M = -1000.0


class GroundHeight:
    """The best height over ground that is not old.

    A downward rangefinder measures, and comes first: by DISTANCE_SENSOR, which knows its range, before
    RANGEFINDER, which does not; the latter counts only where the former was never heard, for out of range it
    may say anything. Next the autopilot's own estimate (ALTITUDE), last its terrain map (TERRAIN_REPORT).
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, int]] = {}  # by rank, 0 the best: metres, and when
        self._has_distance_sensor = False

    def height_m(self, now_ns: int) -> float | None:
        """Metres over ground, or None."""
        fresh = (rank for rank, (_, ns) in self._known.items() if now_ns - ns <= LASTS_NS)
        best = min(fresh, default=None)
        return None if best is None else self._known[best][0]

    def on_distance_sensor(self, message: Any, tilt: float, now_ns: int) -> None:
        """`tilt` is the cosine of the aircraft's tilt: the sensor looks along its body."""
        if message.orientation != dialect.MAV_SENSOR_ROTATION_PITCH_270:
            return
        self._has_distance_sensor = True
        within = message.min_distance <= message.current_distance < message.max_distance
        if within and message.signal_quality != _INVALID_SIGNAL:
            self._know(0, message.current_distance / 100 * tilt, now_ns)

    def on_rangefinder(self, message: Any, tilt: float, now_ns: int) -> None:
        """ArduPilot's, always downwards; 0 is nothing measured."""
        if message.distance > 0 and not self._has_distance_sensor:
            self._know(1, message.distance * tilt, now_ns)

    def on_altitude(self, message: Any, now_ns: int) -> None:
        """PX4's; the clearance is measured, the height over terrain may come from a map."""
        if message.bottom_clearance >= 0:
            self._know(2, message.bottom_clearance, now_ns)
        elif message.altitude_terrain > _UNKNOWN_TERRAIN_M:
            self._know(3, message.altitude_terrain, now_ns)

    def on_terrain(self, message: Any, place: tuple[float, float] | None, now_ns: int) -> None:
        """ArduPilot's map of the ground, where it has it: `spacing` 0 is where it has not."""
        asked = place_e7(message.lat, message.lon)
        if message.spacing and asked and place and are_within(NEAR_M, asked, place):
            self._know(4, message.current_height, now_ns)

    def _know(self, rank: int, height_m: float, now_ns: int) -> None:
        if LOWEST_M <= height_m <= HIGHEST_M:  # NaN is not
            self._known[rank] = height_m, now_ns
