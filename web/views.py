"""Types of the corridor as JSON of the API. Nanoseconds become `*_ms` floats, as JSON has only doubles."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

from flow.flights import Aircraft, Feed, SourceState
from flow.samples import LinkState, StatusText, TelemetrySample
from flow.units import AccessUnit

Json: TypeAlias = dict[str, Any]


def ms(ns: int) -> float:
    """Lagebild time in milliseconds, to the microsecond: still exact in a double until the year 2255."""
    return ns // 1000 / 1000


def feed_view(aircraft: Aircraft, feed: Feed, state: SourceState | None) -> Json:
    return {
        "id": feed.id,
        "name": feed.name,
        "aircraft_id": aircraft.id,
        "aircraft_name": aircraft.name,
        "air_link_ms": feed.air_link_ms,
        "hfov_deg": feed.hfov_deg,
        "state": state_view(state) if state else None,
    }


def state_view(state: SourceState) -> Json:
    view = _plain(state)
    view["since_ms"] = ms(view.pop("since_ns"))
    if state.config:
        view["config"]["profile_level_id"] = state.config.profile_level_id
        view["config"]["plays_in_browsers"] = state.config.plays_in_browsers
    return view


def link_view(link: LinkState) -> Json:
    view = _plain(link)
    view["since_ms"] = ms(view.pop("since_ns"))
    return view


def sample_view(sample: TelemetrySample) -> Json:
    view = _plain(sample)
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


def _plain(item: Any) -> Json:
    return {f.name: _value(getattr(item, f.name)) for f in dataclasses.fields(item)}


def _value(value: Any) -> Any:
    return _plain(value) if dataclasses.is_dataclass(value) else value
