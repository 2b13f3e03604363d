"""How one viewer receives its stream, by its own reports."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.rtp import signed_distance
from flow.units import CLOCK_RATE_HZ

from .pacer import Congestion, TokenBucket
from .probe import Probe
from .rtcp import FullIntra, Message, Nack, PictureLoss, ReceiverReport, Remb, compact_ntp

LOSS_WINDOW_NS = NS_PER_S
"""Loss is taken over at least this, since some viewers send a report with every NACK: a lost packet among
the three since the one before is not 33 % loss."""

REPORTS_KEPT = 64
VALID_NS = 5 * NS_PER_S
"""A viewer reports about once a second (RFC 3550 6.2); what is older says nothing about now."""

CONGESTED_LOSS = 0.02
CONGESTED_REMB = 0.7
"""Of the stream's own rate. Chromium on a fast path, with pictures that come unevenly, says 0.95."""

MAX_RTT_MS = 10_000.0

MISSED_KEPT = 2048
"""Numbers asked for; those are asked for again for a second or so, and the numbers come again after 65536."""

READ_BPS = 400_000
READ_AT_ONCE_BYTES = 16 * 1024
"""Of one viewer: RFC 3550 6.2 allows all RTCP 5 % of the session, here of 8 Mbit/s. To read costs up to
0.4 µs a byte, which one viewer must not multiply."""


class Feedback:
    """What the viewer of the stream `ssrc` has reported; messages about other streams do not count.

    Only a REMB does, whatever SSRCs it names: it tells of the way, which has no other stream.

    `loss` (0 to 1, over the last second or two), `rtt_ms`, `jitter_ms` and `remb_bps` are None until they
    are known; `lately_lost` and `estimate` are the same as long as they say something about now. `nacked`
    counts the packets asked for again, each time, `missed` each packet once, `plis` the keyframes (PLI and
    FIR), `unread` the datagrams that were too much. `probe` is told of the round trips.
    """

    def __init__(self, ssrc: int) -> None:
        self.loss: float | None = None
        self.rtt_ms: float | None = None
        self.jitter_ms: float | None = None
        self.remb_bps: int | None = None
        self.nacked = 0
        self.missed = 0
        self.plis = 0
        self.unread = 0
        self._allowance = TokenBucket(READ_BPS, READ_AT_ONCE_BYTES)
        self._ssrc = ssrc
        self._reports: deque[tuple[int, ReceiverReport]] = deque(maxlen=REPORTS_KEPT)
        self._remb_at_ns = 0
        self._remb_fell_ns = 0
        self._missed: OrderedDict[int, None] = OrderedDict()
        self.probe = Probe()

    def admits(self, size_bytes: int, now_ns: int) -> bool:
        """Whether one more authentic datagram is read; ask before it is."""
        if self._allowance.allowance(now_ns) < size_bytes:
            self.unread += 1
            return False
        self._allowance.spent(size_bytes)
        return True

    def take(self, messages: Iterable[Message], now_ns: int) -> None:
        """Take what `rtcp.parse` read from one datagram; `now_ns` is the clock of our sender reports."""
        for message in messages:
            match message:
                case ReceiverReport(ssrc=self._ssrc):
                    self._take_report(message, now_ns)
                case Remb():
                    self._take_estimate(message.bitrate_bps, now_ns)
                case Nack(media_ssrc=self._ssrc):
                    self._take_missed(message.sequences)
                case PictureLoss(media_ssrc=self._ssrc) | FullIntra(media_ssrc=self._ssrc):
                    self.plis += 1

    @property
    def reported_ns(self) -> int | None:
        """When the newest report came."""
        return self._reports[-1][0] if self._reports else None

    def lately_lost(self, now_ns: int) -> float | None:
        """`loss`, unless that was told too long ago."""
        return self.loss if self._reports and now_ns - self._reports[-1][0] <= VALID_NS else None

    def estimate(self, now_ns: int) -> tuple[int | None, int]:
        """`remb_bps`, unless that was told too long ago, and when it was."""
        return self.remb_bps if now_ns - self._remb_at_ns <= VALID_NS else None, self._remb_at_ns

    def congestion(self, now_ns: int, stream_bps: float) -> Congestion | None:
        """Whether more is lost than a good link loses, or the viewer thinks that it can take far less."""
        told_ns: list[int] = []
        if self.loss is not None and self.loss > CONGESTED_LOSS:
            told_ns.append(self._reports[-1][0])
        # Where it rises, it follows what is sent: in Chromium for many seconds after a larger stream began.
        if self.remb_bps is not None and self.remb_bps < CONGESTED_REMB * stream_bps:
            told_ns.append(self._remb_fell_ns)
        newest_ns = max(told_ns, default=None)
        if newest_ns is None or now_ns - newest_ns > VALID_NS:
            return None
        return Congestion(newest_ns)

    def _take_estimate(self, bitrate_bps: int, now_ns: int) -> None:
        if self.remb_bps is None or bitrate_bps < self.remb_bps:
            self._remb_fell_ns = now_ns
        self.remb_bps, self._remb_at_ns = bitrate_bps, now_ns

    def _take_missed(self, sequences: Iterable[int]) -> None:
        for sequence in sequences:
            self.nacked += 1
            self.missed += sequence not in self._missed
            self._missed[sequence] = None
        while len(self._missed) > MISSED_KEPT:
            self._missed.popitem(last=False)

    def _take_report(self, report: ReceiverReport, now_ns: int) -> None:
        self._reports.append((now_ns, report))
        while len(self._reports) > 2 and now_ns - self._reports[1][0] >= LOSS_WINDOW_NS:
            self._reports.popleft()
        self.loss = _loss(self._reports[0][1], report)
        self.jitter_ms = report.jitter_90k * 1000 / CLOCK_RATE_HZ
        rtt_ms = _rtt_ms(report, now_ns)
        if rtt_ms is not None and not self.probe.take(report.lsr, rtt_ms, now_ns):
            self.rtt_ms = rtt_ms


def _loss(before: ReceiverReport, report: ReceiverReport) -> float:
    """Lost of expected packets between two reports (RFC 3550 A.3); resent packets that came do not count."""
    expected = signed_distance(before.highest_sequence, report.highest_sequence, 1 << 32)
    if expected <= 0:
        return report.fraction_lost
    return min(max((report.cumulative_lost - before.cumulative_lost) / expected, 0.0), 1.0)


def _rtt_ms(report: ReceiverReport, now_ns: int) -> float | None:
    """RFC 3550 6.4.1: now, less when our report was sent, less how long the viewer kept it."""
    if report.lsr == 0:
        return None
    ticks = signed_distance(report.lsr + report.dlsr, compact_ntp(now_ns), 1 << 32)
    rtt_ms = ticks * NS_PER_S / 65536 / NS_PER_MS
    # On a short path the viewer's clock, if it is a little fast, makes it less than nothing.
    return max(rtt_ms, 0.0) if -10 < rtt_ms < MAX_RTT_MS else None
