"""What of a sample a display would show at a moment without marking it as old. The rest is unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flow.clock import NS_PER_MS, NS_PER_S
from flow.samples import Group, TelemetrySample

from .pose_track import ATTITUDE, GIMBAL, POSITION

STALE_NS = 2 * NS_PER_S
"""A display marks what was told longer ago (telemetry.ts STALE_MS)."""
AHEAD_NS = 250 * NS_PER_MS
"""And takes what is told so soon after the first picture for that picture's (telemetry.ts NEIGHBOURS_MS)."""

AGEING: dict[Group, tuple[str, ...]] = {
    Group.POSITION: POSITION,
    Group.ATTITUDE: ATTITUDE,
    Group.SPEED: ("ground_speed_ms", "climb_ms"),
    Group.GIMBAL: GIMBAL,
    Group.BATTERY: ("battery_pct", "battery_v"),
    Group.FIX: ("fix", "satellites", "h_accuracy_m", "v_accuracy_m"),
    Group.MODE: ("mode", "armed", "landed", "fence_breached"),
    Group.LINK: ("link_quality_pct",),
    Group.CAMERA: ("hfov_deg", "vfov_deg", "frame_centre"),
}
"""Fields by group. `home` does not grow old: it is told once, mostly, and shown until there is another."""


def fresh(sample: TelemetrySample, utc_ns: int) -> TelemetrySample | None:
    """Without what was stale at that moment, and without a position that no fix stands behind; None where
    nothing is left. A group whose age is not told is as old as the sample."""
    told = sample.received_ns
    stale = [
        group for group in AGEING if not -AHEAD_NS <= utc_ns - told.get(group, sample.utc_ns) <= STALE_NS
    ]
    if len(stale) == len(AGEING):
        return None
    gone: dict[str, Any] = {name: None for group in stale for name in AGEING[group]}
    if not _is_located(sample):
        gone |= {"lat_deg": None, "lon_deg": None}
    return replace(sample, **gone, received_ns={g: at_ns for g, at_ns in told.items() if g not in stale})


def _is_located(sample: TelemetrySample) -> bool:
    """As telemetry.ts hasPosition: 0/0 is where receivers are that do not know."""
    return sample.fix != "none" and (sample.lat_deg, sample.lon_deg) != (0.0, 0.0)
