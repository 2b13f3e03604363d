"""What happened in a flight, as JSON of the API."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union, get_type_hints

import msgspec

from flow.bus import Event
from flow.flights import Alarm, Armed, Disarmed, FlightEnded, FlightStarted, Marker, RecordingSwitch
from flow.samples import StatusText

from .aircraft_stream import event_view
from .flight_views import Time
from .ground_views import LookView
from .schemas import SampleJson
from .views import Json

NAMES: dict[type[Event], str] = {
    FlightStarted: "flight_started",
    FlightEnded: "flight_ended",
    Armed: "armed",
    Disarmed: "disarmed",
    RecordingSwitch: "recording_switch",
    Marker: "marker",
    Alarm: "alarm",
    StatusText: "text",
}


def recorded_event_view(event: Event) -> Json:
    return {"type": NAMES[type(event)]} | event_view(event)


def _described(kind: type, tag: str) -> Any:
    """`kind` as `recorded_event_view` shows it."""
    hints = get_type_hints(kind)
    fields = [("utc_ms", Time) if name == "utc_ns" else (name, hint) for name, hint in hints.items()]
    doc = {"__doc__": inspect.cleandoc(kind.__doc__ or "")}
    return msgspec.defstruct(f"{kind.__name__}Event", fields, tag_field="type", tag=tag, namespace=doc)


if TYPE_CHECKING:
    EventJson: TypeAlias = Json
else:
    EventJson = Union[tuple(_described(kind, tag) for kind, tag in NAMES.items())]  # noqa: UP007


@dataclass(frozen=True, slots=True)
class FlightEvents:
    """What happened in a flight, in order."""

    events: list[EventJson]


class FlightSamples(msgspec.Struct, frozen=True, omit_defaults=True):
    """Telemetry of a flight, in order; the first one is the newest that is not later than the start."""

    samples: list[SampleJson]
    cut: Annotated[
        bool,
        msgspec.Meta(description="There are more: 5 minutes or 3000 samples at a time; ask from the last on"),
    ]
    looks: Annotated[
        dict[str, list[LookView]],
        msgspec.Meta(description="By camera, one for each sample; left out where they are not asked for"),
    ] = msgspec.field(default_factory=dict)
