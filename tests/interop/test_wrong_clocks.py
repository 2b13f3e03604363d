"""Camera and autopilot with clocks that disagree: telemetry belongs to its picture, and no age is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flow.source_clock import ClockStatus
from flow.units import UtcOrigin
from tests.bench.figures import p50_p95
from tests.bench.telemetry_sync import WRONG_CLOCKS
from tests.interop.wrong_clocks import flown

pytestmark = pytest.mark.timeout(120)

FRAME_MS = 1000 / 30
WARM_PICTURES = 10
"""The first picture is a keyframe and the first to be drawn: it takes longer than all that follow."""
SECONDS = 4.0


@pytest.mark.parametrize(
    ("trust_clock", "air_link_ms", "status"), [(True, 0, ClockStatus.REFUSED), (False, 200, ClockStatus.NONE)]
)
async def test_telemetry_belongs_to_its_picture_whatever_the_clocks_say(
    tmp_path: Path,
    trust_clock: bool,
    air_link_ms: int,
    status: ClockStatus,
    record_property: Callable[[str, object], None],
) -> None:
    flight = await flown(tmp_path, SECONDS, *WRONG_CLOCKS, trust_clock=trust_clock, air_link_ms=air_link_ms)
    errors = flight.sync_errors_ms()[WARM_PICTURES:]
    pictures = flight.pictures()[WARM_PICTURES:]
    assert min(len(errors), len(pictures)) > 5
    assert {picture.origin for picture in pictures} == {UtcOrigin.ARRIVAL}
    # To draw and encode a picture takes time, telemetry none: that is what air_link_ms is to make up for.
    late_ms = min(picture.utc_ms - picture.captured_ms for picture in pictures)
    assert late_ms >= -1
    off_ms = [abs(error - late_ms + air_link_ms) for error in errors]
    record_property("sync_ms", p50_p95([abs(error + air_link_ms) for error in errors]))
    assert sorted(off_ms)[int(len(off_ms) * 0.95)] <= FRAME_MS
    assert flight.source is not None
    assert flight.source.clock is not None
    assert flight.source.clock.status is status
    assert flight.source.clock.offset_ms == pytest.approx(37_000, abs=1000)
    assert flight.link is not None
    assert flight.link.clock is not None
    assert flight.link.clock.offset_ms == pytest.approx(-3 * 3600e3, abs=1000)
