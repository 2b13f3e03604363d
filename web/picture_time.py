"""Which picture a sample of telemetry belongs to, and back: one relation, told in both directions.

A picture that is told by its arrival was captured one radio link earlier; telemetry does not take that way.
"""

from __future__ import annotations

from flow.clock import NS_PER_MS, NS_PER_S
from flow.units import CLOCK_RATE_HZ, AccessUnit, UtcOrigin, rtp_timestamp

_HALF_TURN = 1 << 31


def timestamp_of(anchor: AccessUnit, air_link_ms: float, utc_ns: int) -> int:
    """The RTP timestamp of a picture captured at `utc_ns`, by a recent picture of that feed."""
    since_ns = utc_ns - anchor.utc_ns + _late_ns(anchor, air_link_ms)
    return rtp_timestamp(anchor.pts_90k + since_ns * CLOCK_RATE_HZ // NS_PER_S)


def capture_of(anchor: AccessUnit, air_link_ms: float, timestamp: int) -> int:
    """When the picture with that RTP timestamp was captured; `timestamp_of` the other way."""
    since_90k = (timestamp - anchor.rtp_timestamp + _HALF_TURN) % (2 * _HALF_TURN) - _HALF_TURN
    return anchor.utc_ns + since_90k * NS_PER_S // CLOCK_RATE_HZ - _late_ns(anchor, air_link_ms)


def _late_ns(anchor: AccessUnit, air_link_ms: float) -> int:
    late_ms = air_link_ms if anchor.utc_origin is UtcOrigin.ARRIVAL else 0.0
    return round(late_ms * NS_PER_MS)
