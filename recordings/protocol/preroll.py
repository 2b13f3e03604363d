"""The last seconds of telemetry, kept while nothing is recorded: a .tlog must begin with a HEARTBEAT.

Programs learn from it which dialect and which kind of vehicle they read.
"""

from __future__ import annotations

from collections import deque

from flow.clock import NS_PER_S
from flow.samples import RawTelemetry

from .mavlink_frames import parse_header

KEPT_NS = 5 * NS_PER_S  # a heartbeat comes every second, over a bad link every few
KEPT_BYTES = 256 * 1024
_HEARTBEAT = 0


class TelemetryPreroll:
    """Tell it every message; `messages()` are those of the last 5 s, from a HEARTBEAT on."""

    def __init__(self) -> None:
        self._kept: deque[RawTelemetry] = deque()
        self._bytes = 0

    def add(self, raw: RawTelemetry) -> None:
        self._kept.append(raw)
        self._bytes += len(raw.data)
        while self._bytes > KEPT_BYTES or raw.utc_ns - self._kept[0].utc_ns > KEPT_NS:
            self._bytes -= len(self._kept.popleft().data)

    def messages(self, now_ns: int) -> list[RawTelemetry]:
        """None of a link that has been silent since: an hour later they are of another flight."""
        kept = [raw for raw in self._kept if now_ns - raw.utc_ns <= KEPT_NS]
        return next((kept[at:] for at, raw in enumerate(kept) if _is_heartbeat(raw)), [])


def _is_heartbeat(raw: RawTelemetry) -> bool:
    header = parse_header(raw.data)
    return header is not None and header.message_id == _HEARTBEAT
