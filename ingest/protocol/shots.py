"""Which telemetry belongs to a picture, and what of it goes into the picture's EXIF. No I/O, no clock."""

from __future__ import annotations

import math
from collections import deque

from flow.clock import NS_PER_S
from flow.codec.exif import Shot
from flow.flights import Feed
from flow.samples import Group, TelemetrySample

KEPT = 600
"""A minute of samples, at ten a second: no cached group is older."""

BELONGS_NS = NS_PER_S
FRESH_NS = 2 * NS_PER_S
"""What an aircraft said of itself longer before, or after, the picture says nothing about it."""


class Track:
    """The latest samples of one aircraft."""

    def __init__(self) -> None:
        self._samples: deque[TelemetrySample] = deque(maxlen=KEPT)

    def add(self, sample: TelemetrySample) -> None:
        self._samples.append(sample)

    def at(self, utc_ns: int) -> TelemetrySample | None:
        """The sample nearest to that moment; None where none is within a second of it."""
        nearest = min(self._samples, key=lambda sample: abs(sample.utc_ns - utc_ns), default=None)
        if nearest is None or abs(nearest.utc_ns - utc_ns) > BELONGS_NS:
            return None
        return nearest


def shot_of(feed: Feed, sample: TelemetrySample | None, shot: Shot, *, fresh_ns: int = FRESH_NS) -> Shot:
    """`shot` with what `sample` knows of that moment: nothing stale, nothing without a fix."""
    if sample is None:
        return shot

    def known(group: Group, *figures: float | None) -> tuple[float | None, ...]:
        received_ns = sample.received_ns.get(group)
        is_fresh = received_ns is not None and abs(shot.utc_ns - received_ns) <= fresh_ns
        is_whole = all(figure is not None and math.isfinite(figure) for figure in figures)
        return figures if is_fresh and is_whole else (None,) * len(figures)

    has_fix = sample.fix not in ("none", None) and (sample.lat_deg, sample.lon_deg) != (0.0, 0.0)
    lat_deg, lon_deg = known(Group.POSITION, sample.lat_deg, sample.lon_deg) if has_fix else (None, None)
    (alt_msl_m,) = known(Group.POSITION, sample.alt_msl_m) if has_fix else (None,)
    (direction_deg,) = known(Group.GIMBAL, sample.gimbal_yaw_deg)
    (elevation_deg,) = known(Group.GIMBAL, sample.gimbal_pitch_deg)
    if feed.mount_pitch_deg is not None and direction_deg is None:  # fixed to the airframe, looking ahead
        (direction_deg,) = known(Group.ATTITUDE, sample.yaw_deg)
    return Shot(
        shot.utc_ns,
        shot.width_px,
        shot.height_px,
        shot.description,
        shot.comment,
        lat_deg,
        lon_deg,
        alt_msl_m,
        direction_deg,
        elevation_deg,
    )
