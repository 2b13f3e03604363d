"""How a report writes times, places and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from flow.clock import NS_PER_MS, NS_PER_S
from flow.samples import Place
from flow.utmref import utmref

from .report_words import word

UNKNOWN = "–"
_GERMAN_ZONES = {"CET": "MEZ", "CEST": "MESZ"}
_EARTHLY_NS = 253_402_300_799 * NS_PER_S  # the last second that a calendar has here


@dataclass(frozen=True, slots=True)
class Form:
    """`zone` None: that of the machine."""

    language: str
    zone: tzinfo | None = None

    def word(self, key: str, **values: object) -> str:
        return word(key, self.language, **values)

    def quoted(self, text: str) -> str:
        if not text:
            return ""
        return f"“{text}”" if self.language == "en" else f"„{text}“"

    def date(self, utc_ns: int) -> str:
        return f"{_utc(utc_ns):{self._date_form}}"

    def moment(self, utc_ns: int) -> str:
        """Day and time, in UTC and by the clock on the wall."""
        at = _utc(utc_ns)
        local = at.astimezone(self.zone)
        day = "" if local.date() == at.date() else f"{local:{self._date_form}} "
        beside = f" ({day}{self.local(utc_ns)})" if local.utcoffset() else ""
        return f"{at:{self._date_form} %H:%M:%S} UTC{beside}"

    def exact(self, utc_ns: int) -> str:
        """To the millisecond, cut, for a picture."""
        at, point = _utc(utc_ns), "." if self.language == "en" else ","
        millis = f"{utc_ns % NS_PER_S // NS_PER_MS:03d}"
        beside = f" ({self.local(utc_ns)})" if at.astimezone(self.zone).utcoffset() else ""
        return f"{at:{self._date_form} %H:%M:%S}{point}{millis} UTC{beside}"

    def clock(self, utc_ns: int) -> str:
        return f"{_utc(utc_ns):%H:%M:%S}"

    def local(self, utc_ns: int) -> str:
        local = _utc(utc_ns).astimezone(self.zone)
        return f"{local:%H:%M:%S} {self._zone_name(local)}"

    def duration(self, ns: int) -> str:
        """Hours, minutes and seconds: 1:02:03 h."""
        minutes, seconds = divmod(round(ns / NS_PER_S), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02} h"

    def number(self, value: float | None, unit: str = "", digits: int = 0) -> str:
        if value is None:
            return UNKNOWN
        written = f"{value:.{digits}f}"
        return f"{written if self.language == 'en' else written.replace('.', ',')} {unit}".strip()

    def place(self, place: Place | None) -> str:
        """UTMREF, and degrees."""
        if place is None:
            return self.word("position_unknown")
        north, east = ("N", "S"), ("E", "W") if self.language == "en" else ("O", "W")
        degrees = ", ".join(
            f"{self.number(abs(value), digits=5)}° {signs[value < 0]}"
            for value, signs in ((place.lat_deg, north), (place.lon_deg, east))
        )
        grid = utmref(place.lat_deg, place.lon_deg)
        return f"{grid} ({degrees})" if grid else degrees

    @property
    def _date_form(self) -> str:
        return "%Y-%m-%d" if self.language == "en" else "%d.%m.%Y"

    def _zone_name(self, local: datetime) -> str:
        name = local.tzname() or ""
        return name if self.language == "en" else _GERMAN_ZONES.get(name, name)


def _utc(utc_ns: int) -> datetime:
    return datetime.fromtimestamp(max(0, min(utc_ns, _EARTHLY_NS)) // NS_PER_S, UTC)
