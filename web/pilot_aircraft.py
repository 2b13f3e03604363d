"""What the pilot page shows of an aircraft beside its cameras: telemetry, alarms, where somebody points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.flights import Alarm, AlarmLevel, Marker, Unsecured
from flow.samples import ForwardState, Group, LinkState, TelemetrySample
from telemetry.protocol.places import bearing_and_distance

from .publish_addresses import WayIn, way_of_telemetry
from .schemas import LinkJson
from .settings import AircraftSettings, Settings
from .unsecured import how_unsecured
from .views import link_view, ms

STALE_NS = 5 * NS_PER_S
"""A position or heading that is older is none: it would point elsewhere."""


@dataclass(frozen=True, slots=True)
class PilotTelemetry:
    """An aircraft's telemetry link."""

    way: WayIn
    unsecured: Annotated[Unsecured | None, Meta(description="Who may send without a key; null: nobody")]
    state: Annotated[LinkJson | None, Meta(description="The link; null: not opened yet")]


@dataclass(frozen=True, slots=True)
class PilotForward:
    """Ground stations that read an aircraft's MAVLink along."""

    stations: Annotated[list[str], Meta(description="Addresses that listen now")]
    commands: Annotated[int, Meta(description="What they sent: all of it was dropped")]
    last_command: str
    reason: Annotated[str, Meta(description="Why an address cannot be used; '': all can")]


@dataclass(frozen=True, slots=True)
class PilotAlarm:
    """Something that its pilot must know now."""

    code: str
    values: dict[str, str]
    level: AlarmLevel
    utc_ms: Annotated[float, Meta(description="Since when: milliseconds since the Unix epoch")]


@dataclass(frozen=True, slots=True)
class Pointed:
    """The place that was marked last for an aircraft, and how to look at it from there. null: not known."""

    marker_id: str
    label: str
    by: str
    utc_ms: Annotated[float, Meta(description="The moment of the picture it was marked in")]
    lat_deg: float
    lon_deg: float
    bearing_deg: Annotated[float | None, Meta(description="From the aircraft; 0 is true north")]
    distance_m: Annotated[float | None, Meta(description="Over ground")]
    right_deg: Annotated[float | None, Meta(description="To the right of the aircraft's nose, 0 to 360")]


class AircraftDesk:
    """Tells what is known of an aircraft. `alarms` gives those of one that stand, `pointed_at` the place that
    was marked last for it."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        alarms: Callable[[str], list[Alarm]],
        pointed_at: Callable[[str], Marker | None],
    ) -> None:
        self._bus, self._clock = bus, clock
        self._alarms, self._pointed_at = alarms, pointed_at
        self._sources = {feed.id: feed.source for aircraft in settings.aircraft for feed in aircraft.feed}

    def telemetry(self, settings: AircraftSettings, called: str) -> PilotTelemetry | None:
        if not settings.telemetry_url:
            return None
        state = self._bus.peek(LinkState, settings.id)
        way = way_of_telemetry(settings.telemetry_url, called, state.address if state else "")
        return PilotTelemetry(way, self._unsecured(settings), link_view(state) if state else None)

    def _unsecured(self, settings: AircraftSettings) -> Unsecured | None:
        """Of telemetry within a feed's stream, what is so of the feed."""
        source = self._sources.get(settings.telemetry.removeprefix("feed:"))
        return how_unsecured(source or settings.mavlink)

    def forward(self, aircraft_id: str) -> PilotForward | None:
        state = self._bus.peek(ForwardState, aircraft_id)
        if state is None:
            return None
        return PilotForward(list(state.stations), state.commands, state.last_command, state.reason)

    def alarms(self, aircraft_id: str) -> list[PilotAlarm]:
        return [_alarm(alarm) for alarm in self._alarms(aircraft_id)]

    def pointed(self, aircraft_id: str) -> Pointed | None:
        marker = self._pointed_at(aircraft_id)
        sample = self._bus.peek(TelemetrySample, aircraft_id)
        return pointed(marker, sample, self._clock.now_ns()) if marker else None


def pointed(marker: Marker, sample: TelemetrySample | None, now_ns: int) -> Pointed:
    """The marker as the aircraft of that sample sees it."""
    bearing_deg = distance_m = right_deg = None
    if sample and _is_fresh(sample, Group.POSITION, now_ns):
        if sample.lat_deg is not None and sample.lon_deg is not None:
            bearing_deg, distance_m = bearing_and_distance(
                (sample.lat_deg, sample.lon_deg), (marker.lat_deg, marker.lon_deg)
            )
        if (
            bearing_deg is not None
            and sample.yaw_deg is not None
            and _is_fresh(sample, Group.ATTITUDE, now_ns)
        ):
            right_deg = (bearing_deg - sample.yaw_deg) % 360.0
    return Pointed(
        marker.marker_id or marker.id,
        marker.label,
        marker.by,
        ms(marker.utc_ns),
        marker.lat_deg,
        marker.lon_deg,
        bearing_deg,
        distance_m,
        right_deg,
    )


def _is_fresh(sample: TelemetrySample, group: Group, now_ns: int) -> bool:
    return now_ns - sample.received_ns.get(group, 0) <= STALE_NS


def _alarm(alarm: Alarm) -> PilotAlarm:
    return PilotAlarm(alarm.code, alarm.values, alarm.level, ms(alarm.utc_ns))
