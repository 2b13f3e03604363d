"""Types of the corridor as JSON of the API. Nanoseconds become `*_ms` floats, as JSON has only doubles.

What this JSON looks like is described in schemas.py, from the same types.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from flow.bus import Bus, unit_key
from flow.doors import RenditionChosen, ViewerReport
from flow.flights import Aircraft, Feed, PictureHealth, RenditionState, SourceState
from flow.recording import RecordingState, StorageState
from flow.samples import LinkState, StatusText, TelemetrySample
from flow.units import AccessUnit, Rendition

Json: TypeAlias = dict[str, Any]

MADE = (Rendition.WEB, Rendition.LOW)
"""Renditions that ingest makes of a feed while somebody needs them."""


def json_bytes(content: Json) -> bytes:
    """`content` as JSON, whatever its texts hold."""
    try:
        return msgspec.json.encode(content)
    except UnicodeEncodeError:  # a file name that is no UTF-8 holds lone surrogates (PEP 383)
        return json.dumps(content).encode()


def ms(ns: int) -> float:
    """Lagebild time in milliseconds, to the microsecond: still exact in a double until the year 2255."""
    return ns // 1000 / 1000


def feed_view(bus: Bus, aircraft: Aircraft, feed: Feed) -> Json:
    """A camera and all that is known of it now."""
    state, health = bus.peek(SourceState, feed.id), bus.peek(PictureHealth, feed.id)
    return plain(feed) | {
        "aircraft_name": aircraft.name,
        "telemetry_unsecured": aircraft.unsecured,
        "state": state_view(state) if state else None,
        "health": health_view(health) if health else None,
        "renditions": renditions_view(bus, feed.id),
    }


def state_view(state: SourceState) -> Json:
    view = _since(state)
    if state.config:
        view["config"]["profile_level_id"] = state.config.profile_level_id
        view["config"]["plays_in_browsers"] = state.config.plays_in_browsers
    return view


def health_view(health: PictureHealth) -> Json:
    return _since(health)


def renditions_view(bus: Bus, feed_id: str) -> list[Json]:
    """What is made of a feed's pictures, why, and what it costs. What nobody ever needed is not there."""
    states = (bus.peek(RenditionState, unit_key(feed_id, rendition)) for rendition in MADE)
    return [_since(state) for state in states if state]


def link_view(link: LinkState) -> Json:
    return _since(link)


def recording_view(state: RecordingState) -> Json:
    view = _since(state)
    started_ns = view.pop("started_ns")
    return view | {"started_ms": None if started_ns is None else ms(started_ns)}


def storage_view(state: StorageState) -> Json:
    return _since(state)


def sample_view(sample: TelemetrySample) -> Json:
    view = plain(sample)
    view["utc_ms"] = ms(view.pop("utc_ns"))
    view["received_ms"] = {str(group): ms(at) for group, at in view.pop("received_ns").items()}
    return view


def text_view(text: StatusText) -> Json:
    return {"severity": text.severity, "text": text.text, "utc_ms": ms(text.utc_ns)}


def anchor_view(unit: AccessUnit) -> Json:
    """The picture that carries this RTP timestamp was captured (source) or arrived (arrival) at `utc_ms`."""
    return {
        "rtp_timestamp": unit.rtp_timestamp,
        "utc_ms": ms(unit.utc_ns),
        "origin": unit.utc_origin,
        "epoch": unit.epoch,
    }


SHOWN_OF_SESSION_ID = 6
"""Characters of a session's id, as in the log: the whole id would let anybody end the session."""


@dataclass(frozen=True, slots=True)
class ViewerView:
    """One viewer of a feed. null is what its receiver has not told (yet)."""

    id: Annotated[str, Meta(description="Tells viewers apart, as in the log; it is not the session's key")]
    state: Literal["connecting", "connected"]
    since_ms: Annotated[float, Meta(description="When it joined: milliseconds since the Unix epoch")]
    connected_ms: Annotated[float, Meta(description="How long ago that is")]
    path: Annotated[Literal["udp", "tcp", ""], Meta(description="Its way; empty until there is one")]
    loss: Annotated[float | None, Meta(description="Share of packets lost lately, 0 to 1")]
    rtt_ms: Annotated[float | None, Meta(description="Round trip")]
    jitter_ms: Annotated[float | None, Meta(description="Interarrival jitter (RFC 3550 6.4.1)")]
    estimated_bps: Annotated[float | None, Meta(description="What it believes its way to carry (REMB)")]
    catching_up: Annotated[bool, Meta(description="It has just joined or fell behind")]
    backlog_bytes: Annotated[int, Meta(description="What waits to be sent")]
    pictures_sent: int
    pictures_dropped: Annotated[int, Meta(description="Pictures left out because its way was too slow")]
    sent_packets: int
    resent_packets: Annotated[int, Meta(description="Packets sent again because it asked")]
    bytes_sent: int
    rendition: Annotated[Rendition, Meta(description="Which version of the feed it is sent")]
    pinned: Annotated[bool, Meta(description="Somebody has chosen that; else its way decides")]


@dataclass(frozen=True, slots=True)
class RenditionView:
    """Which version of its feed a viewer is sent."""

    rendition: Annotated[Rendition, Meta(description="What it is sent")]
    target: Annotated[Rendition, Meta(description="What it is being moved to; the same where it is not")]
    pinned: Annotated[Rendition | None, Meta(description="What somebody has chosen; null: its way decides")]
    choices: Annotated[list[Rendition], Meta(description="What it can be sent, the best first")]


def rendition_view(chosen: RenditionChosen) -> RenditionView:
    return RenditionView(chosen.rendition, chosen.target, chosen.pinned, list(chosen.choices))


@dataclass(frozen=True, slots=True)
class ViewerList:
    """Everybody who watches a feed."""

    viewers: list[ViewerView]


def viewer_view(report: ViewerReport) -> ViewerView:
    told = dataclasses.asdict(report)
    del told["feed_id"]
    told["id"] = told.pop("session_id")[:SHOWN_OF_SESSION_ID]
    told["since_ms"] = ms(told.pop("since_ns"))
    told["connected_ms"] = round(report.connected_ms)
    return ViewerView(**told)


def _since(state: Any) -> Json:
    view = plain(state)
    view["since_ms"] = ms(view.pop("since_ns"))
    return view


def plain(item: Any) -> Json:
    """Every field of a type of the corridor, as it is."""
    return {f.name: _value(getattr(item, f.name)) for f in dataclasses.fields(item)}


def _value(value: Any) -> Any:
    return plain(value) if dataclasses.is_dataclass(value) else value
