"""One aircraft's telemetry from within a stream or from a file: counted, judged, and given when it is due."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TypeAlias

from flow.clock import NS_PER_S
from flow.errors import MalformedError
from flow.samples import LinkState, LinkStatus, Metadata, MetadataKind, TelemetrySample
from flow.source_clock import ClockState

from .fleet import CREDIT_NS, SPACING_NS
from .tracks import TRACKS, TrackAssembler, TrackItem

AHEAD_MOST_NS = 15 * NS_PER_S
"""What is dated further ahead will not come true."""
WAITING_MOST = 2048

Judgement: TypeAlias = tuple[LinkStatus, str, str]
"""Status, reason and one clear line."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why a unit could not be used."""

    reason: str
    detail: str


class Follower:
    """`take` metadata, publish what is `due`, show `state`. `link` is the track's URL."""

    def __init__(self, aircraft_id: str, link: str, silent_after_ns: int) -> None:
        self._aircraft_id, self._link, self._silent_after_ns = aircraft_id, link, silent_after_ns
        self._assemblers: dict[MetadataKind, TrackAssembler] = {}
        self._waiting: list[tuple[int, int, TrackItem]] = []
        self._taken = 0
        self._given_ns = 0  # the last sample's time
        self._earliest_ns = 0  # the next one's
        self._messages = self._bad_bytes = self._lost = 0
        self._heard_ns: int | None = None
        self._fault: _Fault | None = None  # of the newest unit
        self._clock: ClockState | None = None

    @property
    def due_ns(self) -> int | None:
        """When `due` has something to give; None if nothing waits."""
        return self._waiting[0][0] if self._waiting else None

    def take(self, metadata: Metadata, now_ns: int) -> None:
        """Take the next unit."""
        try:
            assembler = self._assembler(metadata.kind)
            items = assembler.take(metadata)
        except MalformedError as error:
            self._bad_bytes += len(metadata.data)
            self._fault = _Fault(error.code, str(error))
            return
        self._fault, self._clock = None, assembler.clock
        self._messages += 1
        self._heard_ns = now_ns
        for item in items:
            if item.utc_ns - now_ns <= AHEAD_MOST_NS and len(self._waiting) < WAITING_MOST:
                self._taken += 1
                heapq.heappush(self._waiting, (item.utc_ns, self._taken, item))

    def missed(self) -> None:
        """Units never came here: whoever hands them on had too many."""
        self._lost += 1

    def due(self, now_ns: int) -> list[TrackItem]:
        """What is of this moment, or before it and was not given yet, in order of time; of samples no more
        than anybody can see."""
        items: list[TrackItem] = []
        while self._waiting and self._waiting[0][0] <= now_ns:
            item = heapq.heappop(self._waiting)[-1]
            if not isinstance(item, TelemetrySample) or self._is_spaced(item.utc_ns):
                items.append(item)
        return items

    def _is_spaced(self, utc_ns: int) -> bool:
        """Whether a sample comes after the one before, and far enough on average, as those of MAVLink do."""
        if utc_ns < self._given_ns - NS_PER_S:
            self._earliest_ns = 0  # time itself has stepped back
        elif utc_ns < max(self._given_ns, self._earliest_ns):
            return False
        self._given_ns = utc_ns
        self._earliest_ns = max(self._earliest_ns, utc_ns - CREDIT_NS) + SPACING_NS
        return True

    def state(self, before: LinkState | None, now_ns: int, halted: Judgement | None = None) -> LinkState:
        """The link as it is now; `before` is what was told of it last, `halted` how its source has ended."""
        status, reason, detail = halted or self._judge(now_ns)
        stays = before is not None and before.status is status
        return LinkState(
            aircraft_id=self._aircraft_id,
            link=self._link,
            status=status,
            since_ns=before.since_ns if before and stays else now_ns,
            reason=reason,
            detail=detail,
            address=self._link,
            messages=self._messages,
            bad_bytes=self._bad_bytes,
            lost=self._lost,
            clock=self._clock,
        )

    def _judge(self, now_ns: int) -> Judgement:
        """Status, reason and one clear line."""
        if self._heard_ns is not None and now_ns - self._heard_ns <= self._silent_after_ns:
            return LinkStatus.LIVE, "", ""
        status = LinkStatus.CONNECTING if self._heard_ns is None else LinkStatus.SILENT
        if self._fault is not None:
            return status, self._fault.reason, f"{self._link}: {self._fault.detail}"
        if self._heard_ns is None:
            return status, "no_metadata", f"{self._link}: no telemetry in the stream yet"
        return status, "no_metadata", f"{self._link}: no telemetry in the stream any more"

    def _assembler(self, kind: MetadataKind) -> TrackAssembler:
        """Raises MalformedError for a kind that nothing can be made of."""
        if kind not in self._assemblers:
            if kind not in TRACKS:
                raise MalformedError(f"telemetry of kind '{kind}' is not understood", code="unknown_set")
            self._assemblers[kind] = TRACKS[kind](self._aircraft_id)
        return self._assemblers[kind]
