"""How each route is asked so that it does no harm: what is allowed is answered, or refused for its words."""

from __future__ import annotations

from typing import Any

from flow.clock import NS_PER_S
from tests.fakes.clock import START_NS
from tests.fakes.offers import PUBLISHED, RECORDED, recorded
from web.views import ms

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
UNKNOWN = "niemand"

HOW: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/live/{feed}/whep"): {"data": recorded(RECORDED[0]), "headers": {"Content-Type": SDP}},
    ("PATCH", "/live/{feed}/whep/{session}"): {"data": "a=x", "headers": {"Content-Type": FRAGMENT}},
    ("PUT", "/live/{feed}/whep/{session}/rendition"): {"json": {"rendition": "huge"}},
    ("POST", "/live/{feed}/whip"): {"data": recorded(PUBLISHED[0]), "headers": {"Content-Type": SDP}},
    ("PATCH", "/live/{feed}/whip/{session}"): {"data": "a=x:y", "headers": {"Content-Type": FRAGMENT}},
    ("POST", "/api/v1/markers"): {"json": {"lat_deg": 49.4, "lon_deg": 7.7, "aircraft_id": "{aircraft}"}},
    ("PATCH", "/api/v1/markers/{marker}"): {"json": {"label": "B"}},
    ("GET", "/api/v1/flights/{flight}/spots"): {"params": {"lat": "49.4", "lon": "7.7"}},
    ("GET", "/api/v1/flights/{flight}/feeds/{feed}/still.jpg"): {"params": {}},  # at_ms: by the flight
    ("PATCH", "/api/v1/incidents/{incident}"): {"json": {"name": ""}},
    ("PATCH", "/api/v1/training"): {"json": {"speed": 1}},
}
"""What is asked beside the path; words in braces are filled in as in paths. Everything else that changes
something is asked with {}."""


def how(channel: str, path: str, names: dict[str, str]) -> dict[str, Any]:
    """The arguments of the request."""
    asked = dict(HOW.get((channel, path), {}))
    if not asked and channel in ("POST", "PUT", "PATCH", "DELETE"):
        asked["json"] = {}
    if "json" in asked:
        asked["json"] = {key: _filled(value, names) for key, value in asked["json"].items()}
    if path.endswith("/still.jpg") and "{flight}" in path:
        asked["params"] = {"at_ms": str(_moment_ms(names["flight"]))}
    if channel == "SSE":
        asked["headers"] = {"Accept": "text/event-stream"}
    return asked


def _filled(value: Any, names: dict[str, str]) -> Any:
    return value.format(**names) if isinstance(value, str) else value


def _moment_ms(flight_id: str) -> float:
    """A second after its start, of those that house.py has recorded."""
    hours = 0 if flight_id.endswith("-adler") else 1
    return ms(START_NS + hours * 3600 * NS_PER_S) + 1000
