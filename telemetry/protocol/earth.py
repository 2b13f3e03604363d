"""East, north and up in metres around a place, to and from WGS84 degrees."""

from __future__ import annotations

import math

from .places import longitude_deg

SEMI_MAJOR_M = 6_378_137.0  # WGS84
ECCENTRICITY_2 = 0.006_694_379_990_14


class Plane:
    """The tangent plane of a place, by the radii of the ellipsoid there.

    The series ends after the second order: within a centimetre at 2 km and 5 cm at 5 km, up to 70 degrees of
    latitude.
    """

    def __init__(self, lat_deg: float, lon_deg: float) -> None:
        self._lat_deg, self._lon_deg = lat_deg, lon_deg
        lat = math.radians(lat_deg)
        flattened = 1 - ECCENTRICITY_2 * math.sin(lat) ** 2
        self._across_m = SEMI_MAJOR_M / math.sqrt(flattened)  # radius of the prime vertical
        self._along_m = self._across_m * (1 - ECCENTRICITY_2) / flattened  # radius of the meridian
        self._cos, self._tan = math.cos(lat), math.tan(lat)
        self.radius_m = math.sqrt(self._across_m * self._along_m)

    def place(self, east_m: float, north_m: float, height_m: float = 0.0) -> tuple[float, float]:
        """Latitude and longitude in degrees of what is so far off, at that height over the sea."""
        across, along = self._across_m + height_m, self._along_m + height_m
        lat = (north_m - east_m * east_m * self._tan / (2 * across)) / along
        lon = east_m / (across * self._cos) * (1 + north_m * self._tan / along)
        return self._lat_deg + math.degrees(lat), longitude_deg(self._lon_deg + math.degrees(lon))

    def offset(self, lat_deg: float, lon_deg: float, height_m: float = 0.0) -> tuple[float, float]:
        """East and north in metres of a place at that height over the sea."""
        across, along = self._across_m + height_m, self._along_m + height_m
        lat = math.radians(lat_deg - self._lat_deg)
        beside_deg = math.remainder(lon_deg - self._lon_deg, 360.0)  # the date line may be between
        east_m = math.radians(beside_deg) * across * self._cos * (1 - lat * self._tan)
        return east_m, lat * along + east_m * east_m * self._tan / (2 * across)

    def sink_m(self, east_m: float, north_m: float) -> float:
        """How far the Earth has curved away below the plane there."""
        return (east_m * east_m + north_m * north_m) / (2 * self.radius_m)
