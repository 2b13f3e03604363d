"""WGS84 <-> UTM by the Krüger series to the third order in n, better than a millimetre inside a zone.

Source: C. Karney, "Transverse Mercator with an accuracy of a few nanometers" (2011), eq. 7 to 12, 35, 36.
"""

from __future__ import annotations

import math

SEMI_MAJOR_M = 6_378_137.0  # WGS84
FLATTENING = 1 / 298.257223563
SCALE_0 = 0.9996
FALSE_EASTING_M = 500_000.0

_N = FLATTENING / (2 - FLATTENING)
_ECCENTRICITY = math.sqrt(FLATTENING * (2 - FLATTENING))
_RADIUS_M = SEMI_MAJOR_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)  # of the rectifying sphere
_ALPHA = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16,
    13 * _N**2 / 48 - 3 * _N**3 / 5,
    61 * _N**3 / 240,
)
_BETA = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96,
    _N**2 / 48 + _N**3 / 15,
    17 * _N**3 / 480,
)


def zone_of(lat_deg: float, lon_deg: float) -> int:
    """The zone of a place, with the exceptions of south-west Norway (32V) and Svalbard (31X to 37X)."""
    if 56 <= lat_deg < 64 and 3 <= lon_deg < 12:
        return 32
    if 72 <= lat_deg < 84 and 0 <= lon_deg < 42:
        return 31 if lon_deg < 9 else 33 if lon_deg < 21 else 35 if lon_deg < 33 else 37
    return math.floor((lon_deg + 180) / 6) % 60 + 1


def central_meridian_deg(zone: int) -> float:
    return zone * 6.0 - 183.0


def from_wgs84(lat_deg: float, lon_deg: float, zone: int = 32) -> tuple[float, float]:
    """Easting and northing in metres; south of the equator northing is negative, without its false origin."""
    lat = math.radians(lat_deg)
    lon = math.radians(lon_deg - central_meridian_deg(zone))
    tan_conformal = _tan_conformal(math.tan(lat))
    xi = math.atan2(tan_conformal, math.cos(lon))
    eta = math.asinh(math.sin(lon) / math.hypot(tan_conformal, math.cos(lon)))
    zeta = complex(xi, eta)
    for j, alpha in enumerate(_ALPHA, start=1):
        zeta += alpha * _complex_sin(2 * j * complex(xi, eta))
    return FALSE_EASTING_M + SCALE_0 * _RADIUS_M * zeta.imag, SCALE_0 * _RADIUS_M * zeta.real


def to_wgs84(easting_m: float, northing_m: float, zone: int = 32) -> tuple[float, float]:
    """Latitude and longitude in degrees of a place on the northern hemisphere."""
    grid = complex(northing_m, easting_m - FALSE_EASTING_M) / (SCALE_0 * _RADIUS_M)
    zeta = grid
    for j, beta in enumerate(_BETA, start=1):
        zeta -= beta * _complex_sin(2 * j * grid)
    tan_conformal = math.sin(zeta.real) / math.hypot(math.sinh(zeta.imag), math.cos(zeta.real))
    tan_lat = tan_conformal
    for _ in range(5):  # Newton's method converges in three
        error = _tan_conformal(tan_lat) - tan_conformal
        slope = (1 - _ECCENTRICITY**2) * math.hypot(1, _tan_conformal(tan_lat)) * math.hypot(1, tan_lat)
        tan_lat -= error * (1 + (1 - _ECCENTRICITY**2) * tan_lat**2) / slope
    lon = math.atan2(math.sinh(zeta.imag), math.cos(zeta.real))
    return math.degrees(math.atan(tan_lat)), math.degrees(lon) + central_meridian_deg(zone)


def convergence_deg(lat_deg: float, lon_deg: float, zone: int = 32) -> float:
    """Grid convergence: true bearing = grid bearing + convergence (on the sphere: 0.0005 degrees off)."""
    lon = math.radians(lon_deg - central_meridian_deg(zone))
    return math.degrees(math.atan(math.tan(lon) * math.sin(math.radians(lat_deg))))


def scale(lat_deg: float, lon_deg: float, zone: int = 32) -> float:
    """Grid metres per true metre, the same in every direction (to 1e-6 in this latitude)."""
    lat = math.radians(lat_deg)
    east = math.radians(lon_deg - central_meridian_deg(zone)) * math.cos(lat)
    curvature = 1 + _ECCENTRICITY**2 / (1 - _ECCENTRICITY**2) * math.cos(lat) ** 2
    return SCALE_0 * (1 + east**2 / 2 * curvature)


def _tan_conformal(tan_lat: float) -> float:
    sigma = math.sinh(_ECCENTRICITY * math.atanh(_ECCENTRICITY * tan_lat / math.hypot(1, tan_lat)))
    return tan_lat * math.hypot(1, sigma) - sigma * math.hypot(1, tan_lat)


def _complex_sin(z: complex) -> complex:
    return complex(math.sin(z.real) * math.cosh(z.imag), math.cos(z.real) * math.sinh(z.imag))
