"""What is asked for in the address of a request, checked."""

from __future__ import annotations

import math
from typing import Any

from aiohttp import web

from flow.clock import NS_PER_MS

from .errors import RequestError

TIME = {"type": "number", "description": "Milliseconds since the Unix epoch"}
DEGREES = {"type": "number", "description": "WGS84, in degrees", "examples": [49.4401]}
TEXT_MOST = 200


def whole_number(least: int, most: int, default: int, text: str) -> dict[str, Any]:
    """The JSON Schema of a number that `asked_number` reads."""
    return {"type": "integer", "minimum": least, "maximum": most, "default": default, "description": text}


def asked_number(request: web.Request, name: str, least: int, most: int, default: int) -> int:
    """Raises RequestError."""
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise RequestError(f"{name} is a whole number from {least} to {most}", code="malformed", status=400)
    return int(text)


def asked_real(request: web.Request, name: str, least: float, most: float) -> float | None:
    """Raises RequestError."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:  # refuses NaN, too
        raise RequestError(f"{name} is a number from {least:g} to {most:g}", code="malformed", status=400)
    return value


def asked_time_ns(request: web.Request, name: str) -> int | None:
    """Raises RequestError."""
    ms = asked_real(request, name, -1e14, 1e14)
    return None if ms is None else round(ms * NS_PER_MS)


def asked_degrees(request: web.Request, name: str, most: float) -> float:
    """From -most to most. Raises RequestError, also where it is not asked for."""
    try:
        degrees = float(request.query.get(name, ""))
    except ValueError:
        degrees = math.nan
    if not -most <= degrees <= most:  # refuses NaN, too
        raise RequestError(f"{name} is in degrees, from -{most:g} to {most:g}", code="malformed", status=400)
    return degrees


def asked_text(request: web.Request, name: str) -> str:
    """Raises RequestError."""
    text = request.query.get(name, "")
    if len(text) > TEXT_MOST:
        raise RequestError(f"{name} has at most {TEXT_MOST} characters", code="malformed", status=400)
    return text
