"""Telemetry of flights as they may be: ten samples a second, whose every group was just told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flow.clock import NS_PER_S
from flow.samples import Group, TelemetrySample
from tests.fakes.clock import START_NS

STEP_NS = NS_PER_S // 10
TOLD = (Group.POSITION, Group.ATTITUDE, Group.SPEED, Group.BATTERY, Group.FIX, Group.MODE)


def at(tenth: int) -> int:
    return START_NS + tenth * STEP_NS


def sample(
    tenth: int, lat_deg: float | None = 49.4, lon_deg: float | None = 7.7, **more: Any
) -> TelemetrySample:
    """What is told at that tenth of a second; `old`: groups with how many tenths ago they came."""
    old: dict[Group, int] = more.pop("old", {})
    received_ns = {group: at(tenth - old.get(group, 0)) for group in TOLD}
    told: dict[str, Any] = {
        "alt_msl_m": 300.0 + tenth,
        "alt_home_m": float(tenth),
        "fix": "3d",
        "satellites": 14,
    }
    return TelemetrySample(
        "fritz", at(tenth), lat_deg=lat_deg, lon_deg=lon_deg, received_ns=received_ns, **(told | more)
    )


def north(tenths: Iterable[int], **more: Any) -> list[TelemetrySample]:
    """Flying north from Landstuhl, a metre a tenth."""
    return [sample(n, 49.4 + n * 9e-6, 7.7, **more) for n in tenths]
