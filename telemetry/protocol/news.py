"""What a unit of a film's telemetry says, put to what was said before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from flow.samples import Group, TelemetrySample

News: TypeAlias = dict[Group, dict[str, Any]]
"""Fields of a TelemetrySample by the group that they come with."""


def updated(known: TelemetrySample, news: News, utc_ns: int) -> TelemetrySample:
    """The sample once this is told, too, at `utc_ns`; groups that are not told keep their values and age.

    Where time has stepped back, what was told after `utc_ns` counts as told now.
    """
    fields = {name: value for group in news.values() for name, value in group.items()}
    before = {group: min(told_ns, utc_ns) for group, told_ns in known.received_ns.items()}
    return replace(known, utc_ns=utc_ns, received_ns=before | dict.fromkeys(news, utc_ns), **fields)
