"""What a feed's source is doing: connecting, live, stalled or lost, and why."""

from __future__ import annotations

from dataclasses import dataclass

from flow.clock import NS_PER_S
from flow.flights import SourceStatus

LEGAL: dict[SourceStatus, frozenset[SourceStatus]] = {
    SourceStatus.CONNECTING: frozenset({SourceStatus.LIVE, SourceStatus.LOST}),
    SourceStatus.LIVE: frozenset({SourceStatus.STALLED, SourceStatus.LOST}),
    SourceStatus.STALLED: frozenset({SourceStatus.LIVE, SourceStatus.LOST}),
    SourceStatus.LOST: frozenset({SourceStatus.LIVE, SourceStatus.CONNECTING}),
}
"""Where each state may lead; staying and giving another reason is always legal."""

_RECOGNISED = frozenset({"rtp_mpeg4", "rtp_vp8", "rtp_vp9"})
"""What is unusable for a reason that explains what came before it, too."""

_PATIENT_INTERVALS = 3
_SLOWEST_NS = 4 * NS_PER_S  # a camera slower than this is not waited for any longer


@dataclass(frozen=True, slots=True)
class Patience:
    """How long without a picture is too long; slow cameras get three of their picture intervals."""

    stalled_after_ns: int = NS_PER_S
    lost_after_ns: int = 10 * NS_PER_S

    def stalled_ns(self, interval_ns: int | None) -> int:
        return max(self.stalled_after_ns, _PATIENT_INTERVALS * min(interval_ns or 0, _SLOWEST_NS))

    def lost_ns(self, interval_ns: int | None) -> int:
        return max(self.lost_after_ns, self.stalled_ns(interval_ns))


class Lifecycle:
    """The state machine of one feed, in Lagebild time; `tick()` must be called a few times a second."""

    def __init__(self, patience: Patience, where: str, now_ns: int) -> None:
        self.status = SourceStatus.CONNECTING
        self.since_ns = now_ns
        self.reason = "connecting"
        self.detail = f"opening {where}"
        self._patience = patience
        self._where = where
        self._picture_ns = now_ns  # of the newest picture, or when waiting for one began
        self._heard_ns: int | None = None  # of the newest usable bytes
        self._heard_since_ns = now_ns  # since when there are bytes but no picture
        self._waits_for = ""
        self._unusable: tuple[int, str, str] | None = None  # (when, reason, detail)
        self._is_open = False  # and so pictures are due

    def opened(self, address: str, now_ns: int) -> None:
        """The source listens or reads; from now on pictures are due."""
        self._where = address
        self._picture_ns = now_ns
        self._heard_ns, self._unusable, self._is_open = None, None, True
        if self.status is SourceStatus.LOST:
            self._become(SourceStatus.CONNECTING, now_ns)
        self._explain("connecting", f"waiting for pictures on {address}")

    def awaited(self, detail: str) -> None:
        """Nobody brings pictures yet, and nobody is late."""
        self._is_open = False
        self._explain("no_publisher", detail)

    def heard(self, now_ns: int, waits_for: str) -> None:
        """Usable bytes came; `waits_for` says what the pictures still lack to be decoded, "" for nothing."""
        if not self._is_recent(self._heard_ns, now_ns):
            self._heard_since_ns = now_ns
        if self._heard_ns is None and self.status is SourceStatus.CONNECTING:
            self._picture_ns = now_ns  # somebody is there: patience begins now
        self._heard_ns = now_ns
        self._waits_for = waits_for

    def unusable(self, reason: str, detail: str, now_ns: int) -> None:
        """Something came that is not for us; it explains a silence, by the first of a series."""
        before = self._unusable
        explains = reason in _RECOGNISED and (before is None or before[1] not in _RECOGNISED)
        if before is not None and self._is_recent(before[0], now_ns) and not explains:
            _, reason, detail = before  # or the line would change with every datagram
        self._unusable = (now_ns, reason, detail)

    def picture(self, now_ns: int) -> None:
        """A whole picture came."""
        self._picture_ns = self._heard_ns = self._heard_since_ns = now_ns
        self._is_open = True
        if self.status is not SourceStatus.LIVE:
            self._become(SourceStatus.LIVE, now_ns)
            self._explain("", f"pictures from {self._where}")
        elif self.reason:  # another publisher, or another run, has its first picture
            self._explain("", f"pictures from {self._where}")

    def restarted(self, now_ns: int) -> None:
        """Another run of the source took over."""
        self._heard_ns = self._heard_since_ns = now_ns
        if self.status is SourceStatus.LIVE:
            self._explain("source_restarted", f"the source on {self._where} began anew")

    def failed(self, reason: str, detail: str, now_ns: int) -> None:
        """The source gave up; it stays lost, for this reason, until it is opened again."""
        self._is_open = False
        if self.status is not SourceStatus.LOST:
            self._become(SourceStatus.LOST, now_ns)
        self._explain(reason, detail)

    def is_silent(self, now_ns: int) -> bool:
        """Whether pictures are due and none came for so long that `tick()` may have something to say."""
        return self._is_open and now_ns - self._picture_ns >= self._patience.stalled_after_ns

    def tick(self, now_ns: int, interval_ns: int | None) -> None:
        """Time has passed; `interval_ns` is the usual time between two pictures."""
        if not self.is_silent(now_ns):
            return
        silent_ns = now_ns - self._picture_ns
        if silent_ns < self._patience.stalled_ns(interval_ns):
            return
        if silent_ns >= self._patience.lost_ns(interval_ns) and self.status is not SourceStatus.LOST:
            self._become(SourceStatus.LOST, now_ns)
        elif self.status is SourceStatus.LIVE:
            self._become(SourceStatus.STALLED, now_ns)
        self._explain_silence(now_ns)

    def _explain_silence(self, now_ns: int) -> None:
        silence = f"for {self._counted_s()} s on {self._where}"
        if self._is_recent(self._heard_ns, now_ns):
            if not self._waits_for:
                self._explain("stalled", f"packets come, but no whole picture {silence}")
            elif now_ns - self._heard_since_ns < self._patience.lost_after_ns:
                self._explain("waiting_for_keyframe", f"pictures on {self._where} wait for {self._waits_for}")
            else:
                self._explain("no_keyframe", f"pictures come, but no {self._waits_for} {silence}")
        elif self._unusable is not None and self._is_recent(self._unusable[0], now_ns):
            _, reason, detail = self._unusable
            self._explain(reason, f"{self._where}: {detail}")
        elif self.status is not SourceStatus.CONNECTING:
            self._explain("no_packets", f"no packets {silence}")

    def _counted_s(self) -> str:
        """The threshold that was passed, so that the line does not change while the silence goes on."""
        lost = self.status is SourceStatus.LOST
        limit_ns = self._patience.lost_after_ns if lost else self._patience.stalled_after_ns
        return f"{limit_ns / NS_PER_S:g}"

    def _is_recent(self, then_ns: int | None, now_ns: int) -> bool:
        return then_ns is not None and now_ns - then_ns < self._patience.stalled_after_ns

    def _explain(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail

    def _become(self, status: SourceStatus, now_ns: int) -> None:
        if status not in LEGAL[self.status]:
            raise ValueError(f"a source cannot go from {self.status} to {status}")
        self.status, self.since_ns = status, now_ns
