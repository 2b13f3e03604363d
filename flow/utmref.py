"""UTMREF (MGRS), as fire brigades read it: zone, square, and ten-metre digits in two groups."""

from __future__ import annotations

import re

import mgrs

_DIGITS = 4  # of each coordinate: ten metres
_PARTS = re.compile(rf"(\d{{1,2}}[C-X])([A-Z]{{2}})(\d{{{_DIGITS}}})(\d{{{_DIGITS}}})")
_converter = mgrs.MGRS()


def utmref(lat_deg: float, lon_deg: float) -> str:
    """ "32U MV 1005 8355": the ten-metre square that holds the place; "" near the poles, where UTM ends."""
    if not -80 <= lat_deg < 84:
        return ""
    parts = _PARTS.fullmatch(_converter.toMGRS(lat_deg, lon_deg, MGRSPrecision=_DIGITS))
    return " ".join(parts.groups()) if parts else ""
