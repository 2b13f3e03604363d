"""What is known of one rendition while it is made: its pictures' numbers, its figures, its state."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from statistics import median_low

from flow.clock import NS_PER_MS, NS_PER_S
from flow.flights import UNFIT_NOTES, RenditionState, RenditionStatus, SourceState, SourceStatus
from flow.units import AccessUnit, Rendition

from .rates import Rates

PRESENT_NS = 3 * NS_PER_S
"""A rendition without a picture for this long does not come."""

_FED_MOST = 512
_DELAYS_KEPT = 64


def web_reasons(source: SourceState | None) -> tuple[str, ...]:
    """The notes for which a feed needs rendition `web`; () where its source is fit for browsers as it is."""
    return tuple(note for note in source.notes if note in UNFIT_NOTES) if source is not None else ()


def loses_its_beginning(source: SourceState | None) -> bool:
    """Whether its keyframes are so far apart that who comes later could not begin to decode it."""
    return source is not None and "keyframe_interval_long" in source.notes


class RenditionLog:
    """Numbers the pictures of one rendition over all lives of its encoder, measures and describes them."""

    def __init__(self, feed_id: str, rendition: Rendition, now_ns: int) -> None:
        self.state = RenditionState(feed_id, rendition, RenditionStatus.OFF, now_ns)
        self.cpu_share: float | None = None
        """Of one core, as its encoder's process was last measured."""
        self._rates = Rates()
        self._fed: dict[int, int] = {}  # when each picture went to the encoder, by pts
        self._delays_ns: deque[int] = deque(maxlen=_DELAYS_KEPT)
        self._fed_ns: int | None = None
        self._made_ns: int | None = None
        self._dropped_before = 0  # by encoders that are gone
        self._last_90k = self._epoch = self._seq = -1
        self._broken = True  # what comes next needs a keyframe

    def fed(self, unit: AccessUnit, now_ns: int) -> None:
        """A picture went to the encoder."""
        self._fed_ns = self._fed[unit.pts_90k] = now_ns
        if len(self._fed) > _FED_MOST:
            del self._fed[next(iter(self._fed))]

    def made(self, unit: AccessUnit, now_ns: int) -> AccessUnit | None:
        """A picture came back: it with its number, or None where it may not follow what went before."""
        begins = unit.epoch != self._epoch
        broken = (begins or self._broken) and not unit.keyframe
        if unit.dts_90k <= self._last_90k or broken:
            self._broken = True
            return None
        self._broken = False
        self._epoch, self._seq = unit.epoch, 0 if begins else self._seq + 1
        self._last_90k, self._made_ns = unit.dts_90k, now_ns
        self._rates.add(unit.dts_90k, len(unit.data))
        fed_ns = self._fed.pop(unit.pts_90k, None)
        if fed_ns is not None:
            self._delays_ns.append(now_ns - fed_ns)
        self.state = replace(self.state, pictures=self.state.pictures + 1)
        return replace(unit, seq=self._seq)

    def begin(self, why: tuple[str, ...], encoder: str, now_ns: int, *, again: bool) -> None:
        """An encoder was started, `again` after one that failed."""
        self._fed.clear()
        self._delays_ns.clear()
        self._rates.clear()
        self.cpu_share = self._made_ns = None
        self._broken = True
        before = self.state
        self._dropped_before = before.dropped if again else 0
        if not again:
            before = RenditionState(before.feed_id, before.rendition, before.status, before.since_ns)
        self.state = replace(before, why=why, encoder=encoder, restarts=before.restarts + again)
        self._become(RenditionStatus.STARTING, "", "the encoder starts", now_ns)

    def off(self, reason: str, detail: str, now_ns: int) -> None:
        """It is not made (any more)."""
        self.state = replace(self.state, fps=None, bitrate_bps=None, cpu_share=None, delay_ms=None)
        self._become(RenditionStatus.OFF, reason, detail, now_ns)

    def failed(self, reason: str, detail: str, now_ns: int) -> None:
        """The encoder ended, or there is none."""
        self.off(reason, detail, now_ns)
        self._become(RenditionStatus.FAILED, reason, detail, now_ns)

    def look(self, told: RenditionState | None, source: SourceState | None, now_ns: int) -> None:
        """Describe it as it is now, from what its encoder `told` last."""
        if told is not None:
            self._take_over(told, source)
        live = self._is_recent(self._made_ns, now_ns)
        self.state = replace(
            self.state,
            cpu_share=self.cpu_share,
            fps=self._rates.fps if live else None,
            bitrate_bps=self._rates.bitrate_bps if live else None,
            delay_ms=median_low(self._delays_ns) / NS_PER_MS if live and self._delays_ns else None,
        )
        self._become(*self._judge(told, source, now_ns), now_ns)

    def _take_over(self, told: RenditionState, source: SourceState | None) -> None:
        state = self.state
        self.state = replace(
            state,
            why=(*(note for note in state.why if note != "scaled"), *_scaled(told, source)),
            width_px=told.width_px,
            height_px=told.height_px,
            limit_bps=told.limit_bps,
            dropped=self._dropped_before + told.dropped,
        )

    def _judge(
        self, told: RenditionState | None, source: SourceState | None, now_ns: int
    ) -> tuple[RenditionStatus, str, str]:
        if told is not None and told.reason == "undecodable":
            return RenditionStatus.STARTING, told.reason, told.detail
        if self._is_recent(self._made_ns, now_ns):
            slow = told is not None and told.reason != ""
            return RenditionStatus.LIVE, *((told.reason, told.detail) if told and slow else ("", ""))
        if source is None or source.status is not SourceStatus.LIVE:
            return RenditionStatus.STARTING, "no_source", "the source brings no pictures"
        if not self._is_recent(self._fed_ns, now_ns):
            return (
                RenditionStatus.STARTING,
                "waiting_for_keyframe",
                "it begins with the source's next keyframe",
            )
        return RenditionStatus.STARTING, "", "the encoder starts"

    def _is_recent(self, then_ns: int | None, now_ns: int) -> bool:
        return then_ns is not None and now_ns - then_ns < PRESENT_NS

    def _become(self, status: RenditionStatus, reason: str, detail: str, now_ns: int) -> None:
        since_ns = self.state.since_ns if status is self.state.status else now_ns
        self.state = replace(self.state, status=status, reason=reason, detail=detail, since_ns=since_ns)


def _scaled(told: RenditionState, source: SourceState | None) -> tuple[str, ...]:
    config = source.config if source is not None else None
    if config is None or told.width_px is None or told.height_px is None:
        return ()
    smaller = told.width_px * told.height_px < (config.width_px - 1) * (config.height_px - 1)
    return ("scaled",) if smaller else ()
