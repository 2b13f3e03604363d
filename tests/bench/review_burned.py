"""What the display burned into an exported clip says, read back from its pictures, against their strips."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from flow.clock import NS_PER_MS
from flow.units import UtcOrigin
from recordings.export import hud
from recordings.export.lettering import Letters
from recordings.export.painting import Plane, planes_of
from simulator import strip
from tests.bench.figures import percentile
from tests.bench.review_folder import Film

_SIDE, _TOP, _FOOT = 0.015, 0.02, 0.06
"""Where the display writes (recordings/export/hud.py), in shares of the picture."""

READ_WRONG_M = 3.0
"""A place so far from the circle was never flown over: a figure was misread, and nothing is known of it."""
_MARGIN_PX = 4


def burned(package: Path, film: Film, every: int) -> dict[str, Any]:
    """Of every so many pictures, the time and the place that are drawn, by when they were true."""
    name = f"video/{film.feed_id}-display.mp4"
    errors_ms: list[float] = []
    clock_ms: list[float] = []
    pictures = unread = 0
    with zipfile.ZipFile(package) as packed, packed.open(name) as file, av.open(file, "r") as video:
        for number, frame in enumerate(video.decode(video=0)):
            if number % every:
                continue
            pictures += 1
            luma = frame.to_ndarray(format="yuv420p")[: frame.height]
            stamp = strip.read(luma)
            told = stamp and _told(luma, film)
            if not stamp or not told:
                unread += 1
                continue
            errors_ms.append(abs(film.circle.apart_ms(told[0], stamp[0])))
            clock_ms.append(abs(film.circle.apart_ms(told[1], stamp[0])))
    return {
        "pictures": pictures,
        "unread": unread,
        "place_error_ms": _errors(errors_ms),
        "clock_error_ms": _errors(clock_ms),
    }


def _told(luma: Plane, film: Film) -> tuple[float, float] | None:
    """By the place that is drawn and by the time, ms of the clip; None where a figure was misread."""
    height, width = luma.shape
    sample = film.circle.sample(0)
    place, _ = hud.known(sample, german=True)
    lines = len(place)
    side = round(width * _SIDE)
    foot = round(height * (1 - _FOOT)) - Letters(hud.size_px(width, height)).line_px * lines
    clock = hud.when(film.started_ms * NS_PER_MS, UtcOrigin.SOURCE, german=True)[0]
    text = _read(luma, place[0], side, foot)
    lat_deg, lon_deg = (float(each.replace(",", ".")) for each in re.findall(r"\d+,\d+", text))
    if film.circle.metres_off(lat_deg, lon_deg) > READ_WRONG_M:
        return None
    written = _read(luma, clock, side, round(height * _TOP))
    try:
        at = datetime.strptime(written, "%Y-%m-%d %H:%M:%S.%f UTC").replace(tzinfo=UTC)
    except ValueError:
        return None
    return film.circle.strip_of_place(lat_deg, lon_deg), film.circle.strip_ms(round(at.timestamp() * 1000))


def _read(luma: Plane, form: str, left: int, top: int) -> str:
    """The line of writing there, whose figures alone are not known: all are as wide as each other."""
    text, ground = "", float(luma.mean())
    for place, sign in enumerate(form):
        if not sign.isdecimal():
            text += sign
            continue
        rows, columns, figures = _figures_at(form[:place], luma.shape, left, top)
        part = luma[rows, columns]
        unlike = [float(np.abs(part - (dark + ground * shows)).sum()) for dark, shows in figures]
        text += str(int(np.argmin(unlike)))
    return text


@lru_cache(512)
def _figures_at(
    before: str, shape: tuple[int, int], left: int, top: int
) -> tuple[slice, slice, list[tuple[Plane, Plane]]]:
    """Where the figure after that writing is, and what each of the ten looks like on black there, with how
    much of the ground shows through."""
    letters = Letters(hud.size_px(shape[1], shape[0]))
    start = left + letters.width(before) - letters.width("")
    columns = slice(start, start + letters.width("8"))
    rows = slice(top // 2 * 2, top // 2 * 2 + letters.line_px + _MARGIN_PX)
    drawn = [
        [_drawn(letters, before + str(n), shape, left, top, on)[rows, columns] for on in (0, 255)]
        for n in range(10)
    ]
    return rows, columns, [(black, (white - black) / 255) for black, white in drawn]


def _drawn(letters: Letters, text: str, shape: tuple[int, int], left: int, top: int, ground: int) -> Plane:
    height, width = shape
    alone = np.full((height * 3 // 2, width), ground, np.uint8)
    letters.write(planes_of(alone, width, height), text, left, top)
    return alone[:height].astype(float)


def _errors(errors_ms: list[float]) -> dict[str, float | int | None]:
    return {
        "p50": percentile(errors_ms, 0.5),
        "p95": percentile(errors_ms, 0.95),
        "max": percentile(errors_ms, 1.0),
        "n": len(errors_ms),
    }
