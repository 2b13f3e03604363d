"""The burned-in display: what it says, and that it says it of the very picture it stands in."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from flow.samples import TelemetrySample
from flow.units import UtcOrigin
from flow.utmref import utmref
from recordings.export.hud import known, size_px, when
from recordings.export.lettering import Letters
from recordings.export.painting import Plane, planes_of
from tests.fakes.clock import START_NS

from .clips import FEED, KnownPast, clip, seen, stamped
from .flown import flight

SAMPLE = TelemetrySample(
    "fritz",
    START_NS,
    lat_deg=49.440123,
    lon_deg=-7.770012,
    alt_home_m=84.2,
    alt_msl_m=312.4,
    yaw_deg=7.2,
    ground_speed_ms=12.34,
    climb_ms=-0.2,
    battery_pct=71.0,
)
WIDTH, HEIGHT = 640, 360
LINE = "2026-11-22 00:00:00.000"
LEFT_PX, LINE_PX = 10, 22


def test_what_is_known_is_said_with_unit_and_reference() -> None:
    place, figures = known(SAMPLE, german=True)
    assert place == ["49,440123° N  7,770012° W", utmref(49.440123, -7.770012), "Kurs 007°"]
    assert figures == ["84 m über Start", "312 m ü. NHN", "12,3 m/s", "Steigen -0,2 m/s", "Akku 71 %"]
    assert known(SAMPLE, german=False)[1][0] == "84 m above home"


def test_what_is_not_known_is_a_dash() -> None:
    nothing = known(TelemetrySample("fritz", START_NS), german=True)
    assert known(None, german=True) == nothing
    assert nothing[0] == ["–", "Kurs –°"]
    assert nothing[1][:2] == ["– m über Start", "– m ü. NHN"]


def test_times_are_cut_and_not_rounded() -> None:
    lines = when(START_NS + 999_999_999, UtcOrigin.ARRIVAL, german=True)
    assert lines[0] == "2026-11-22 06:46:40.999 UTC"
    assert lines[-1].endswith("nach Empfang")


@cache
def templates(place: int) -> tuple[slice, list[Plane]]:
    """Columns of the figure at that place of the first line, and what each of the ten looks like there."""
    letters, patches = Letters(size_px(WIDTH, HEIGHT)), []
    left = LEFT_PX + letters.width(LINE[:place]) - letters.width("")
    columns = slice(left + 2, left + letters.width("8"))
    for digit in range(10):
        alone = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        letters.write(planes_of(alone, WIDTH, HEIGHT), LINE[:place] + str(digit), LEFT_PX, 7)
        patches.append(alone[:LINE_PX, columns].astype(int))
    return columns, patches


def read_time_ms(picture: Plane) -> int:
    """The time of day that is drawn, figure by figure."""
    text = ""
    for place, sign in enumerate(LINE):
        columns, patches = templates(place) if sign == "0" else (slice(0), [])
        part = picture[:LINE_PX, columns].astype(int)
        text += str(np.argmin([np.abs(part - patch).sum() for patch in patches])) if patches else sign
    at = datetime.strptime(text + "000", "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)


@pytest.mark.parametrize("more", ["bframes=0", "bframes=3:b-adapt=0:open-gop=1"])
def test_the_time_that_is_drawn_is_the_one_the_camera_wrote_into_that_picture(
    tmp_path: Path, more: str
) -> None:
    folder = flight(tmp_path, {FEED: stamped(more=more, width=WIDTH)})
    clip(folder, tmp_path / "a.mp4", 7, 31, burn_in=True, past=KnownPast(SAMPLE))
    errors_ms = []
    for each in seen(tmp_path / "a.mp4"):
        assert each.stamp_ms is not None
        errors_ms.append(read_time_ms(each.frame.to_ndarray(format="gray")) - each.stamp_ms)
    assert errors_ms == [0] * 24
