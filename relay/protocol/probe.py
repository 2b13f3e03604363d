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
WHOLE_S = 0.05
"""What needs so long at the rate that is asked for, is sent if the first packets went well."""

TOLERANCE_MS = 25.0
"""Pictures before it, the receiver's turn, the air."""
EVERY_NS = 2 * NS_PER_S
"""After the last answer. The ballast so takes about 5 % of `low`, what RTCP may take (RFC 3550 6.2)."""
LOST_NS = 4 * NS_PER_S
"""Chromium reports after 0.5 to 1.5 s; others, in the five seconds of RFC 3550, are not waited for."""
VALID_NS = 6 * NS_PER_S
USUAL_NS = 15 * NS_PER_S

_SRTCP_BYTES = 24  # index and tag (RFC 3711 3.4, RFC 7714 9.1), and the packet stays a multiple of 4


@dataclass(frozen=True, slots=True)
class _Train:
    packets: int
    needed_bps: float
    sent_ns: int


class Probe:
    """Of one viewer. `stream_bps` is what would be sent if it fits; 0 while nobody wants to know."""

    def __init__(self) -> None:
        self.stream_bps = 0.0
        self._usual: deque[tuple[int, float]] = deque()  # round trips without ballast, and when
        self._train: _Train | None = None  # not answered yet
        self._lsr: int | None = None  # of the report behind the last ballast
        self._packets = FIRST_PACKETS
        self._due_ns = 0
        self._fits: tuple[bool, int] | None = None

    def awaits(self, now_ns: int) -> bool:
        """Whether a sender report must wait: the viewer's next one is to name that behind the ballast."""
        if self._train is not None and now_ns - self._train.sent_ns >= LOST_NS:
            self._answered(fits=False, now_ns=now_ns)
        return self._train is not None

    def begin(self, now_ns: int) -> int:
        """How many `ballast` packets to send right before the sender report of `now_ns`; mostly 0."""
        if not self.stream_bps or now_ns < self._due_ns or not self._usual or self.awaits(now_ns):
            return 0
        self._train = _Train(self._packets, HEADROOM * self.stream_bps, now_ns)
        self._lsr = compact_ntp(now_ns)
        return self._packets

    def take(self, lsr: int, rtt_ms: float, now_ns: int) -> bool:
        """A round trip by the sender report that `lsr` names; whether ballast was before that one."""
        if lsr != self._lsr:
            self._usual.append((now_ns, rtt_ms))
            while now_ns - self._usual[0][0] > USUAL_NS:
                self._usual.popleft()
            return False
        if self._train is not None:
            self._judge(self._train, rtt_ms, now_ns)
        return True

    def fits(self, now_ns: int) -> bool | None:
        """Whether it would; None where nothing lately tells."""
        if self._fits is None or now_ns - self._fits[1] > VALID_NS:
            return None
        return self._fits[0]

    def forget(self) -> None:
        """Another stream is sent: what was found out was about the one before."""
        self.stream_bps, self._train, self._fits, self._packets = 0.0, None, None, FIRST_PACKETS

    def _judge(self, train: _Train, rtt_ms: float, now_ns: int) -> None:
        waited_ms = rtt_ms - min(usual_ms for _, usual_ms in self._usual)
        fits = waited_ms <= train.packets * PACKET_BYTES * 8000 / train.needed_bps + TOLERANCE_MS
        whole = min(int(train.needed_bps * WHOLE_S / 8) // PACKET_BYTES, MOST_PACKETS)
        if fits and train.packets < whole:
            self._train, self._packets = None, whole
        else:
            self._answered(fits=fits, now_ns=now_ns)

    def _answered(self, *, fits: bool, now_ns: int) -> None:
        self._train, self._fits, self._due_ns = None, (fits, now_ns), now_ns + EVERY_NS
        if not fits:
            self._packets = FIRST_PACKETS


def ballast(ssrc: int) -> bytes:
    """A compound of PACKET_BYTES once it is protected: an empty receiver report, since RFC 3550 6.1 wants a
    report first, and an APP packet of zeros."""
    size = PACKET_BYTES - _SRTCP_BYTES - 8
    report = struct.pack("!BBHI", VERSION << 6, PacketType.RECEIVER_REPORT, 1, ssrc)
    return report + struct.pack("!BBHI4s", VERSION << 6, PacketType.APP, size // 4 - 1, ssrc, b"LBLD").ljust(
        size, b"\0"
    )
