"""What a unit of a film's telemetry says, put to what was said before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from flow.samples import Group, TelemetrySample

News: TypeAlias = dict[Group, dict[str, Any]]
"""Fields of a TelemetrySample by the group that they come with."""


def updated(known: TelemetrySample, news: News, utc_ns: int) -> TelemetrySample:
    """The sample once this is told, too, at `utc_ns`; groups that are not told keep their values and age."""
    fields = {name: value for group in news.values() for name, value in group.items()}
    received_ns = {**known.received_ns, **dict.fromkeys(news, utc_ns)}
    newest_ns = max(received_ns.values(), default=utc_ns)
    return replace(known, utc_ns=newest_ns, received_ns=received_ns, **fields)
