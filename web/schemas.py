"""What the API answers, as types for its description (openapi.py), made from the corridor's own types.

A field that the corridor gains is described with it. For the type checker these are the JSON they describe.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, make_dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_type_hints

from msgspec import Meta

from flow.flights import Feed, PictureHealth, RenditionState, SourceState, Unsecured
from flow.recording import StorageState
from flow.samples import Group, LinkState, TelemetrySample
from flow.units import CodecConfig

from .map_background import MapBackground
from .settings import PictureSettings
from .views import Json, ViewerView


def _as_json(kind: type, *, name: str = "", **more: Any) -> Any:
    """`kind` as views.py shows it: times `*_ns` become `*_ms`, and `more` fields are beside or instead."""
    fields = dict(_field(told, hint) for told, hint in get_type_hints(kind).items()) | more
    doc = inspect.cleandoc(kind.__doc__ or "").replace("_ns`", "_ms`")
    return make_dataclass(name or kind.__name__, fields.items(), namespace={"__doc__": doc})


def _field(name: str, hint: Any) -> tuple[str, Any]:
    if not name.endswith("_ns"):
        return name, hint
    time = Annotated[float, Meta(description="Milliseconds since the Unix epoch")]
    return f"{name.removesuffix('_ns')}_ms", dict[Group, time] if hint == dict[Group, int] else time


if TYPE_CHECKING:
    FeedJson: TypeAlias = Json
    FeedDetails: TypeAlias = Json
    LinkJson: TypeAlias = Json
    SampleJson: TypeAlias = Json
    StorageJson: TypeAlias = Json
else:
    _CODEC = _as_json(CodecConfig, profile_level_id=str, plays_in_browsers=bool)
    _OF_FEED = {
        "aircraft_name": str,
        "telemetry_unsecured": Unsecured | None,
        "state": Annotated[
            _as_json(SourceState, config=_CODEC | None) | None, Meta(description="null: not opened yet")
        ],
        "health": Annotated[
            _as_json(PictureHealth) | None, Meta(description="null: no picture was looked at yet")
        ],
        "renditions": Annotated[
            list[_as_json(RenditionState)],
            Meta(description="What is made of its pictures while it is needed"),
        ],
    }
    FeedJson = _as_json(Feed, **_OF_FEED)
    FeedDetails = _as_json(Feed, name="FeedDetails", **_OF_FEED, viewers=list[ViewerView])
    LinkJson = _as_json(LinkState)
    SampleJson = _as_json(TelemetrySample)
    StorageJson = _as_json(StorageState)


@dataclass(frozen=True, slots=True)
class Feeds:
    """Every camera of the installation."""

    feeds: list[FeedJson]


@dataclass(frozen=True, slots=True)
class PageConfig:
    """What a page must know before it shows anything."""

    version: str
    title: Annotated[str, Meta(description="Shown in the bar of every page")]
    recording: Annotated[bool, Meta(description="Every flight is kept, and can be looked at again")]
    thresholds: PictureSettings
    map: Annotated[MapBackground, Meta(description="What lies under the grid")]


@dataclass(frozen=True, slots=True)
class Alive:
    """It answers."""

    status: Literal["ok"] = "ok"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether every feed's source has been opened once."""

    status: Literal["starting", "ready"]
    waiting_for: Annotated[list[str], Meta(description="Ids of the feeds that have not been")]
