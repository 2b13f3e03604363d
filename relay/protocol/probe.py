"""Whether a viewer's way would carry more than it is sent: some ballast, right before a sender report.

Behind the ballast, our report waits in the narrowest queue of the way, and the receiver report that names it
tells for how long (RFC 3550 6.4.1, LSR and DLSR): 12 kB take 100 ms at 1 Mbit/s and 12 ms at 8. The viewer's
own estimate (REMB) cannot tell that: it says little more than what it is being sent. And its stream is not at
stake, as it is where the full picture is tried.

The ballast is RTCP of an unknown kind (APP, RFC 3550 6.7), which receivers pass over, and its packets have no
numbers that could be missed and asked for again.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from flow.clock import NS_PER_S
from flow.codec.rtp import VERSION

from .pacer import HEADROOM, PACKET_BYTES
from .rtcp import PacketType, compact_ntp

FIRST_PACKETS = 10
"""A tenth of a second at 1 Mbit/s: what is narrow is found out by these, and no picture is late by more."""
MOST_PACKETS = 48
"""Linux keeps 92 for a receiver that does not read at once (relay/protocol/pacer.py)."""
WHOLE_S = 0.08
"""What needs so long at the rate that is asked for, is sent if the first packets went well: at once if they
went very well, else twice as many each time."""

TOLERANCE_MS = 25.0
"""Pictures before it, the receiver's turn, the air."""
EVERY_NS = 2 * NS_PER_S
"""After the last answer. The ballast so takes about 5 % of `low`, what RTCP may take (RFC 3550 6.2)."""
PASSED_NS = 2 * NS_PER_S
"""A viewer's report that comes so long after ours and names an older one: ours is lost."""
SILENT_NS = 8 * NS_PER_S
"""Chromium reports after 0.5 to 1.5 s, others after up to 7.5 s (RFC 3550 6.2)."""
VALID_NS = 12 * NS_PER_S
"""Longer than it takes to ask again and to give that up."""
PEAK_KEPT = 0.9
"""A stream's peaks count, and those of before a tenth less each time it is told how much there is."""
USUAL_NS = 20 * NS_PER_S
USUAL_LEAST = 3
"""Round trips of the last seconds; less are no measure."""

_SRTCP_BYTES = 24  # index and tag (RFC 3711 3.4, RFC 7714 9.1), and the packet stays a multiple of 4


@dataclass(frozen=True, slots=True)
class _Train:
    packets: int
    needed_bps: float
    sent_ns: int


class Probe:
    """Of one viewer: `ask` about once a second while it is to be found out."""

    def __init__(self) -> None:
        self._stream_bps = 0.0
        self._asks = self._has_asked = False
        self._usual: deque[tuple[int, float]] = deque()  # round trips of calm times without ballast, and when
        self._taken_lsr: int | None = None
        self._train: _Train | None = None  # not answered yet
        self._lsr: int | None = None  # of the report behind the last ballast
        self._packets = FIRST_PACKETS
        self._due_ns = 0
        self._fits: tuple[bool, int] | None = None

    def ask(self, stream_bps: float | None) -> None:
        """Whether that would fit; None: nobody wants to know."""
        self._asks = stream_bps is not None
        self._stream_bps = max(stream_bps or 0.0, PEAK_KEPT * self._stream_bps)

    def awaits(self, now_ns: int) -> bool:
        """Whether a sender report must wait: the viewer's next one is to name that behind the ballast."""
        if self._train is not None and now_ns - self._train.sent_ns >= SILENT_NS:
            self._answered(fits=False, now_ns=now_ns)
        return self._train is not None

    def begin(self, now_ns: int) -> int:
        """How many packets to send now, the last of which is the sender report of `now_ns` made `heavy`, and
        the others `ballast`; mostly 0: the report as it is."""
        while self._usual and now_ns - self._usual[0][0] > USUAL_NS:
            self._usual.popleft()
        known = self._stream_bps > 0 and len(self._usual) >= USUAL_LEAST
        if not self._asks or not known or now_ns < self._due_ns or self.awaits(now_ns):
            return 0
        self._train = _Train(self._packets, HEADROOM * self._stream_bps, now_ns)
        self._lsr, self._has_asked = compact_ntp(now_ns), True
        return self._packets

    def take(self, lsr: int, rtt_ms: float, now_ns: int) -> bool:
        """A round trip by the sender report that `lsr` names; whether ballast was before that one."""
        if lsr != self._lsr:
            if self._asks and lsr != self._taken_lsr:
                self._usual.append((now_ns, rtt_ms))
            self._taken_lsr = lsr
            if self._train is not None and now_ns - self._train.sent_ns >= PASSED_NS:
                self._answered(fits=False, now_ns=now_ns)
            return False
        if self._train is not None:
            self._judge(self._train, rtt_ms, now_ns)
        return True

    def fits(self, now_ns: int) -> bool | None:
        """Whether it has been found out lately that it would; None where that cannot be found out."""
        if self._fits is not None and now_ns - self._fits[1] <= VALID_NS:
            return self._fits[0]
        return False if self._has_asked else None

    def forget(self) -> None:
        """Another stream is sent: what was found out was about the one before."""
        self._asks = self._has_asked = False
        self._train, self._fits, self._packets = None, None, FIRST_PACKETS
        self._usual.clear()

    def _judge(self, train: _Train, rtt_ms: float, now_ns: int) -> None:
        usual_ms = sorted(ms for _, ms in self._usual)
        waited_ms = rtt_ms - usual_ms[len(usual_ms) // 4]  # some stood behind a keyframe
        most_ms = train.packets * PACKET_BYTES * 8000 / train.needed_bps + TOLERANCE_MS
        fits = waited_ms <= most_ms
        whole = min(int(train.needed_bps * WHOLE_S / 8) // PACKET_BYTES, MOST_PACKETS)
        if fits and train.packets < whole:
            self._train = None
            self._packets = whole if 2 * waited_ms <= most_ms else min(2 * train.packets, whole)
        else:
            self._answered(fits=fits, now_ns=now_ns)

    def _answered(self, *, fits: bool, now_ns: int) -> None:
        self._train, self._fits, self._due_ns = None, (fits, now_ns), now_ns + EVERY_NS
        if not fits:
            self._packets = FIRST_PACKETS


def ballast(ssrc: int) -> bytes:
    """A compound of PACKET_BYTES once it is protected: an empty receiver report, since RFC 3550 6.1 wants a
    report first, and an APP packet of zeros."""
    return heavy(struct.pack("!BBHI", VERSION << 6, PacketType.RECEIVER_REPORT, 1, ssrc), ssrc)


def heavy(report: bytes, ssrc: int) -> bytes:
    """The compound `report` of `ssrc`, filled up in the same way: where the ballast found no room, it finds
    none either."""
    size = PACKET_BYTES - _SRTCP_BYTES - len(report)
    head = struct.pack("!BBHI4s", VERSION << 6, PacketType.APP, size // 4 - 1, ssrc, b"LBLD")
    return report + head.ljust(size, b"\0")
