"""The head-up display that is burned into a clip: what was known at the moment of that very picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from flow.clock import NS_PER_MS, NS_PER_S
from flow.samples import TelemetrySample
from flow.units import AccessUnit, UtcOrigin, captured_ns
from flow.utmref import utmref

from .lettering import Letters
from .painting import Planes
from .source import ExportSource

UNKNOWN = "–"

_WORDS = {
    "recording": ("AUFZEICHNUNG", "RECORDING"),
    "received": ("nach Empfang", "by reception"),
    "east": ("O", "E"),
    "heading": ("Kurs {}°", "heading {}°"),
    "home": ("{} m über Start", "{} m above home"),
    "sea": ("{} m ü. NHN", "{} m AMSL"),
    "speed": ("{} m/s", "{} m/s"),
    "climb": ("Steigen {} m/s", "climb {} m/s"),
    "battery": ("Akku {} %", "Batt. {} %"),
}
_LINES, _COLUMNS = 34, 60
"""So many lines of writing would fill the picture's height, and so many of its squares the width."""
_SIZE_LEAST_PX = 11
_NAME_MOST = 40
_SIDE, _TOP, _FOOT = 0.015, 0.02, 0.06  # margins; the foot of a picture may carry what its camera wrote there


class Texts(NamedTuple):
    """Lines of each corner."""

    top_left: Sequence[str]
    top_right: Sequence[str]
    foot_left: Sequence[str]
    foot_right: Sequence[str]


class Hud:
    """Draws into pictures of one camera. What is not known of their moment is a dash, and never the last
    value."""

    def __init__(self, source: ExportSource, feed_id: str) -> None:
        feed = next((each for each in source.flight.feeds if each.id == feed_id), None)
        self._past = source.past
        self._german = source.order.language != "en"
        self._air_link_ms = feed.air_link_ms if feed else 0.0
        self._names = [
            source.flight.aircraft_name[:_NAME_MOST],
            (feed.name if feed else feed_id)[:_NAME_MOST],
        ]
        self._letters = Letters(_SIZE_LEAST_PX)
        self._size = (0, 0)

    def draw(self, planes: Planes, unit: AccessUnit) -> None:
        taken_ns = captured_ns(unit.utc_ns, unit.utc_origin, self._air_link_ms)
        texts = Texts(
            when(taken_ns, unit.utc_origin, german=self._german),
            [_word("recording", self._german), *self._names],
            *known(self._past.sample(taken_ns), german=self._german),
        )
        self._write(planes, texts)

    def _write(self, planes: Planes, texts: Texts) -> None:
        height, width = planes.y.shape
        if (width, height) != self._size:
            self._letters, self._size = Letters(size_px(width, height)), (width, height)
        side, step = round(width * _SIDE), self._letters.line_px
        for lines, at_right, at_foot in zip(texts, (0, 1, 0, 1), (0, 0, 1, 1), strict=True):
            top = round(height * (1 - _FOOT)) - step * len(lines) if at_foot else round(height * _TOP)
            for number, text in enumerate(lines):
                left = width - side - self._letters.width(text) if at_right else side
                self._letters.write(planes, text, left, top + number * step)


def size_px(width_px: int, height_px: int) -> int:
    """Of the writing in such a picture, upright ones too."""
    return max(_SIZE_LEAST_PX, round(min(width_px / _COLUMNS, height_px / _LINES)))


def when(taken_ns: int, origin: UtcOrigin, *, german: bool) -> list[str]:
    """In UTC, and by the clock on the wall where the clip is made; to the millisecond, never rounded up."""
    at = datetime.fromtimestamp(taken_ns // NS_PER_S, UTC)
    millis = f"{taken_ns % NS_PER_S // NS_PER_MS:03d}"
    local = at.astimezone()
    told = f"{local:%H:%M:%S}.{millis} {local.isoformat()[-6:]}" if local.utcoffset() else ""
    by = _word("received", german) if origin is UtcOrigin.ARRIVAL else ""
    return [f"{at:%Y-%m-%d %H:%M:%S}.{millis} UTC", *filter(None, [" ".join(filter(None, [told, by]))])]


def known(sample: TelemetrySample | None, *, german: bool) -> tuple[list[str], list[str]]:
    """Where the aircraft was, and how it flew."""
    nothing = sample or TelemetrySample("", 0)

    def line(word: str, value: float | None, form: str = ".0f") -> str:
        return _word(word, german).format(_figure(value, form, german=german))

    heading = None if nothing.yaw_deg is None else round(nothing.yaw_deg) % 360
    figures = [
        line("home", nothing.alt_home_m),
        line("sea", nothing.alt_msl_m),
        line("speed", nothing.ground_speed_ms, ".1f"),
        line("climb", nothing.climb_ms, "+.1f"),
        line("battery", nothing.battery_pct),
    ]
    return [*_place(nothing, german=german), line("heading", heading, "03d")], figures


def _place(sample: TelemetrySample, *, german: bool) -> list[str]:
    lat, lon = sample.lat_deg, sample.lon_deg
    if lat is None or lon is None:
        return [UNKNOWN]
    north, east = "N" if lat >= 0 else "S", _word("east", german) if lon >= 0 else "W"
    degrees = [_figure(abs(each), ".6f", german=german) for each in (lat, lon)]
    return [f"{degrees[0]}° {north}  {degrees[1]}° {east}", utmref(lat, lon) or UNKNOWN]


def _figure(value: float | None, form: str, *, german: bool) -> str:
    if value is None:
        return UNKNOWN
    text = format(value, form)
    return text.replace(".", ",") if german else text


def _word(key: str, german: bool) -> str:
    return _WORDS[key][0 if german else 1]
