"""One feed: what its source tells goes in, access units and the feed's state come out. No I/O, no clock."""

from __future__ import annotations

from flow.flights import SourceState, SourceStatus
from flow.samples import Metadata
from flow.units import AccessUnit, Rendition

from .assembly import Assembled, Assembler
from .events import (
    Awaited,
    ClockReport,
    Gone,
    Heard,
    Opened,
    PacketsLost,
    ParameterSets,
    Restarted,
    SourceEvent,
    SourceMetadata,
    SourcePicture,
    Transcoded,
    Unusable,
    WaysOff,
)
from .lifecycle import Lifecycle, Patience
from .metadata_gate import MetadataGate
from .rates import Rates
from .timeline import Timeline


class Feed:
    """Lives as long as the service, over all restarts of its source."""

    def __init__(
        self, feed_id: str, url: str, patience: Patience, now_ns: int, *, trust_clock: bool = False
    ) -> None:
        self.feed_id = feed_id
        self._timeline = Timeline(trust_clock)
        self._assembler = Assembler()
        self._lifecycle = Lifecycle(patience, url, now_ns)
        self._rates = Rates()
        self._metadata = MetadataGate()
        self._address = ""
        self._pictures = 0
        self._lost_packets = 0
        self._last_shown = 0
        self._transcoded = ""
        self._ways_off: dict[str, str] = {}

    def handle(self, event: SourceEvent, now_ns: int) -> list[AccessUnit]:
        """Take one event of the source; return what it completes: a picture its own access unit, mostly.
        What is no picture but goes beside them is for `place`."""
        match event:
            case SourcePicture():
                return self._picture(event, now_ns)
            case Heard():
                self._lifecycle.heard(now_ns, self._assembler.waits_for)
            case Opened(address, bits):
                self._address = address
                self._restart(bits)
                self._lifecycle.opened(address, now_ns)
            case Restarted():
                self._restart(None)
                self._lifecycle.restarted(now_ns)
            case ParameterSets(codec, data):
                self._assembler.keep_parameter_sets(codec, data)
            case ClockReport(capture_ns, pts):
                self._timeline.clock_report(capture_ns, pts)
            case Transcoded(note):
                self._transcoded = note
            case PacketsLost(count):
                self._lost_packets += count
            case Unusable(reason, detail):
                self._lifecycle.unusable(reason, detail, now_ns)
            case Awaited(detail):
                self._lifecycle.awaited(detail)
            case WaysOff(reasons):
                self._ways_off = reasons
            case Gone(reason, detail):
                self.failed(reason, detail, now_ns)
        return []

    def place(self, metadata: SourceMetadata) -> list[Metadata]:
        """The unit on the feed's own timeline: at the picture that it belongs to, or else at its arrival; []
        where there are too many, or it is too large."""
        if not self._metadata.admits(len(metadata.data), metadata.arrival_ns):
            return []
        moment = None if metadata.pts is None else self._timeline.moment(metadata.pts)
        kind, data = metadata.kind, metadata.data
        if moment is None:
            return [Metadata(self.feed_id, kind, metadata.arrival_ns, data)]
        return [Metadata(self.feed_id, kind, moment.utc_ns, data, moment.pts_90k, moment.utc_origin)]

    def failed(self, reason: str, detail: str, now_ns: int) -> None:
        """The source has ended."""
        self._assembler.drop_held()
        self._lifecycle.failed(reason, detail, now_ns)

    def tick(self, now_ns: int) -> list[AccessUnit]:
        """Time has passed; call this a few times a second. Returns what waits no longer for its rest."""
        self._metadata.tick(now_ns)
        units = [self._unit(done, now_ns) for done in self._assembler.overdue(now_ns)]
        if self._lifecycle.is_silent(now_ns):  # the usual interval, a median, is not asked for in vain
            self._lifecycle.tick(now_ns, self._rates.interval_ns)
        if self._lifecycle.status is SourceStatus.LOST:  # not sooner, or a slow camera's rate is never known
            self._rates.clear()
        return units

    def state(self) -> SourceState:
        """The feed as it is now."""
        life = self._lifecycle
        is_live = life.status is SourceStatus.LIVE
        notes = (
            self._transcoded,
            *self._assembler.notes,
            self._timeline.clock_note,
            self._timeline.pace_note,
            "metadata_flood" if self._metadata.is_flooded else "",
        )
        return SourceState(
            feed_id=self.feed_id,
            status=life.status,
            since_ns=life.since_ns,
            reason=life.reason,
            detail=life.detail,
            address=self._address,
            config=self._assembler.config,
            notes=tuple(note for note in notes if note),
            epoch=max(0, self._timeline.epoch),
            fps=self._rates.fps if is_live else None,
            bitrate_bps=self._rates.bitrate_bps if is_live else None,
            pictures=self._pictures,
            lost_packets=self._lost_packets,
            damaged=self._assembler.damaged,
            restarts=max(0, self._timeline.epoch),
            ways_off=self._ways_off,
            clock=self._timeline.clock,
        )

    def _restart(self, bits: int | None) -> None:
        self._timeline.restart(bits)
        self._assembler.restart()
        self._rates.clear()
        self._last_shown = 0
        self._transcoded = ""

    def _picture(self, picture: SourcePicture, now_ns: int) -> list[AccessUnit]:
        assembled = self._assembler.push(picture)
        if not assembled or self._assembler.waiting:  # else the pictures tell more than that
            self._lifecycle.heard(now_ns, self._assembler.waits_for)
        return [self._unit(done, now_ns) for done in assembled]

    def _unit(self, assembled: Assembled, now_ns: int) -> AccessUnit:
        source, data = assembled.source, assembled.data
        stamp = self._timeline.place(source.pts, source.dts, source.arrival_ns, len(data))
        if stamp.pts_90k < self._last_shown:
            self._assembler.saw_reordering()
        self._last_shown = max(self._last_shown, stamp.pts_90k)
        self._pictures += 1
        self._rates.add(stamp.dts_90k, len(data))
        self._lifecycle.picture(now_ns)
        return AccessUnit(
            feed_id=self.feed_id,
            rendition=Rendition.SOURCE,
            codec=source.codec,
            epoch=stamp.epoch,
            seq=stamp.seq,
            dts_90k=stamp.dts_90k,
            pts_90k=stamp.pts_90k,
            utc_ns=stamp.utc_ns,
            utc_origin=stamp.utc_origin,
            keyframe=assembled.keyframe,
            data=data,
        )
