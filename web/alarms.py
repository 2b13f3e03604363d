"""What stands: the alarms of all aircraft, told to every page, as whoever watches one may have to act for
another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from flow.bus import Bus
from flow.flights import Aircraft, Alarm, AlarmLevel

from .access.reach import EVERYTHING, Within
from .channel import FeedChannel
from .views import Json, ms

OF_THE_INSTALLATION = ""
"""Whose alarm it is where it is no aircraft's: the disk is full."""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """An alarm of one aircraft: it stands until the one of the same aircraft and code that is not active."""

    aircraft_id: Annotated[str, Meta(description="Empty: of the installation, such as disk_full")]
    aircraft_name: str
    code: Annotated[str, Meta(description="What it is about: battery_percent, no_fix, telemetry_age, …")]
    level: AlarmLevel
    active: bool
    utc_ms: Annotated[float, Meta(description="Since when: milliseconds since the Unix epoch")]
    values: Annotated[
        dict[str, str],
        Meta(description="`limit`: the limit that is passed; `text`: what the aircraft said itself"),
    ]
    training: Annotated[bool, Meta(description="Of a recording that is played for an exercise")] = False


@dataclass(frozen=True, slots=True)
class Alarms:
    """Every alarm that stands, the oldest first."""

    alarms: list[AlarmView]


class AlarmBoard:
    """Follows the alarms, keeps those that stand, and tells every channel. `run()` until cancelled."""

    def __init__(
        self,
        bus: Bus,
        aircraft: tuple[Aircraft, ...],
        channels: dict[str, FeedChannel],
        hides: Callable[[str], bool] = lambda aircraft_id: False,
    ) -> None:
        self._bus, self._channels, self._hides = bus, channels, hides
        self._training = {one.id for one in aircraft if one.training}
        self._names = {OF_THE_INSTALLATION: ""} | {one.id: one.name for one in aircraft}
        self._standing: dict[tuple[str, str], Alarm] = {}
        for channel in channels.values():
            channel.alarms = self.views

    def standing(self, within: Within = EVERYTHING) -> Alarms:
        """Those of the installation only for who is bound to no incident."""
        of_whom = [alarm for alarm in self._standing.values() if within.has_aircraft(alarm.aircraft_id)]
        shown = (alarm for alarm in of_whom if not self._hides(alarm.aircraft_id))
        return Alarms([self._view(alarm) for alarm in shown])

    def of(self, aircraft_id: str) -> list[Alarm]:
        """Those of an aircraft that stand, the newest first."""
        return [alarm for alarm in reversed(self._standing.values()) if alarm.aircraft_id == aircraft_id]

    def views(self, within: Within = EVERYTHING) -> list[Json]:
        return [_json(view) for view in self.standing(within).alarms]

    def tell(self) -> None:
        """All of them, to every page: others are to be seen than before."""
        for channel in self._channels.values():
            channel.tell_each("alarms", lambda within: {"alarms": self.views(within)})

    async def run(self) -> None:
        self._standing.clear()  # the bus tells all of them again
        with self._bus.events(Alarm) as alarms:
            async for alarm in alarms:
                if isinstance(alarm, Alarm) and self._is_shown(alarm):
                    self._take(alarm)

    def _is_shown(self, alarm: Alarm) -> bool:
        """Not those of one camera's pictures: pages have its PictureHealth, which says more."""
        return alarm.aircraft_id in self._names and "feed" not in alarm.values

    def _take(self, alarm: Alarm) -> None:
        key = alarm.aircraft_id, alarm.code
        before = self._standing.pop(key, None)
        if alarm.active:
            self._standing[key] = alarm
        if (alarm.active or before is not None) and not self._hides(alarm.aircraft_id):
            view = _json(self._view(alarm))
            for channel in self._channels.values():
                channel.tell_each(
                    "alarm", lambda within: view if within.has_aircraft(alarm.aircraft_id) else None
                )

    def _view(self, alarm: Alarm) -> AlarmView:
        name = self._names[alarm.aircraft_id]
        return AlarmView(
            alarm.aircraft_id,
            name,
            alarm.code,
            alarm.level,
            alarm.active,
            ms(alarm.utc_ns),
            alarm.values,
            alarm.aircraft_id in self._training,
        )


def _json(view: AlarmView) -> Json:
    return {name: getattr(view, name) for name in AlarmView.__slots__}
