"""How fast one viewer is sent to: a keyframe must not burst a narrow link."""

from __future__ import annotations

from dataclasses import dataclass

from flow.clock import NS_PER_S

PACKET_BYTES = 1200

START_BPS = 96_000_000.0
"""10 packets of 1200 bytes a millisecond; a group of ten seconds sent faster overflows a browser's socket."""

START_PACKETS_PER_ROUND_TRIP = 110
"""What is lost comes again a round trip later: a receiver whose replay window is 128 packets (libsrtp's
default; GStreamer, aiortc) still takes it then."""

LEAST_START_BPS = 12_000_000.0
START_ABOVE_STREAM = 3.0
START_WITHIN_S = 0.8
"""However long the round trip, a start is so much faster than the stream, and over within such a time: it has
to catch up, and a picture that comes and may break is better than none."""

START_BURST_BYTES = 64 * 1024
"""What may go at once at START_BPS, that is 5 ms; in proportion at other rates. Linux keeps 92 packets of
1200 bytes for a receiver that does not read at once (each counts 2304 of the 212,992 that a socket has by
default): these 55, and those of the next 3 ms. GStreamer needs that; 96 KB cost it packets in every other
start."""

LEAST_BURST_BYTES = 10_000
"""Eight packets: whole batches go even where the sender gets its turn only every 10 ms, and a link of
6 Mbit/s is through with them in 13 ms."""

LEAST_BPS = 500_000.0  # so that a feed which stood still does not begin at nothing

HEADROOM = 1.25  # over the stream, to work off what waits behind a keyframe
GROWTH_PER_S = 1.1
MAX_GROWTH_NS = 2 * NS_PER_S  # who has been silent for longer has not shown that it can take more
LOWERED_AT_MOST_EVERY_NS = NS_PER_S  # one loss is in all the reports of its second


def start_bps(rtt_ms: float | None, stream_bps: float, group_bytes: int) -> float:
    """How fast a start with a cached group of that size may be, by the round trip of the DTLS handshake.

    None: not known.
    """
    if not rtt_ms:
        return START_BPS
    in_window_bps = START_PACKETS_PER_ROUND_TRIP * PACKET_BYTES * 8 * 1000 / rtt_ms
    needed_bps = max(LEAST_START_BPS, START_ABOVE_STREAM * stream_bps, group_bytes * 8 / START_WITHIN_S)
    return min(START_BPS, max(in_window_bps, needed_bps))


@dataclass(frozen=True, slots=True)
class Congestion:
    """That a viewer's way is congested, as a report said that came at `told_ns`."""

    told_ns: int


class TokenBucket:
    """`rate_bps` may flow, and up to `burst_bytes` at once. Starts full."""

    def __init__(self, rate_bps: float, burst_bytes: float) -> None:
        self.rate_bps = rate_bps
        self.burst_bytes = burst_bytes
        self._level_bytes = burst_bytes
        self._at_ns: int | None = None

    def allowance(self, now_ns: int) -> int:
        """How many bytes may go now; 0 while what was taken too much is paid back."""
        passed_ns = 0 if self._at_ns is None else now_ns - self._at_ns
        gained = passed_ns * self.rate_bps / (8 * NS_PER_S)
        self._level_bytes = min(self._level_bytes + gained, self.burst_bytes)
        self._at_ns = now_ns
        return max(int(self._level_bytes), 0)

    def set(self, rate_bps: float, burst_bytes: float) -> None:
        """From the next time on."""
        self.rate_bps = rate_bps
        self.burst_bytes = burst_bytes

    def spent(self, size_bytes: int) -> None:
        """Take out what went, also if it was more than allowed."""
        self._level_bytes -= size_bytes

    def take(self, size_bytes: int, now_ns: int) -> bool:
        """Take out `size_bytes` if so much may go now; False leaves it."""
        if self.allowance(now_ns) < size_bytes:
            return False
        self._level_bytes -= size_bytes
        return True


class Pacer(TokenBucket):
    """Paces everything that goes to one viewer, what is resent included.

    The rate starts high, falls when the viewer's reports tell of congestion, never below what the stream
    needs, and grows again by a tenth each second. With `fixed_bps` it stays there.
    """

    def __init__(self, fixed_bps: float | None = None, start_bps: float = START_BPS) -> None:
        rate_bps = start_bps if fixed_bps is None else fixed_bps
        super().__init__(rate_bps, _burst_bytes(rate_bps))
        self._fixed = fixed_bps is not None
        self._reported_ns: int | None = None
        self._lowered_ns: int | None = None

    def on_report(self, congestion: Congestion | None, stream_bps: float, now_ns: int) -> None:
        """Adapt to what a viewer has reported; `stream_bps` is what the feed needs on average.

        A report is acted upon once, however often it is told here. The rate is halved, never set to what the
        viewer estimates: Chromium's REMB is little above what is being sent, whatever the path could carry.
        """
        since_ns = 0 if self._reported_ns is None else now_ns - self._reported_ns
        self._reported_ns = now_ns
        if self._fixed:
            return
        rate_bps = self.rate_bps
        if congestion is None:
            rate_bps *= GROWTH_PER_S ** (min(since_ns, MAX_GROWTH_NS) / NS_PER_S)
        elif self._is_news(congestion, now_ns):
            self._lowered_ns = now_ns
            rate_bps /= 2
        self._set(max(min(rate_bps, START_BPS), HEADROOM * stream_bps, LEAST_BPS))

    def narrow(self, rate_bps: float, now_ns: int) -> None:
        """The way takes no more than that, and the viewer is sent a smaller stream: begin from there."""
        if not self._fixed:
            self._lowered_ns = now_ns  # reports of before are no news
            self._set(max(min(rate_bps, self.rate_bps), LEAST_BPS))

    def widen(self, rate_bps: float, now_ns: int) -> None:
        """The viewer is sent a larger stream: let its first keyframe go, whatever the smaller one needed."""
        if not self._fixed:
            self._lowered_ns = now_ns  # reports of before are about the smaller one
            self._set(min(max(rate_bps, self.rate_bps), START_BPS))

    def _is_news(self, congestion: Congestion, now_ns: int) -> bool:
        """Whether it says something of the time since the rate was lowered."""
        lowered_ns = self._lowered_ns
        return lowered_ns is None or (
            congestion.told_ns > lowered_ns and now_ns - lowered_ns >= LOWERED_AT_MOST_EVERY_NS
        )

    def _set(self, rate_bps: float) -> None:
        self.set(rate_bps, _burst_bytes(rate_bps))


def _burst_bytes(rate_bps: float) -> float:
    return max(rate_bps * START_BURST_BYTES / START_BPS, LEAST_BURST_BYTES)
