"""One viewer: its socket, its ICE, its DTLS, its feedback, its counts."""

from __future__ import annotations

import contextlib
import secrets
import socket
import time
from typing import Any

from .dtls import Dtls, Identity
from .ice import Address, Ice
from .page_socket import PageSocket
from .rtcp import Heard, nack, report, sender_report
from .sampling import EVERY, Datagram, Tally, attach, drain, open_socket, program
from .sdp import Other, Own, answer, offer, read

REPORT_NS = 1_000_000_000
BITRATE_BPS = 20_000_000
"""Told by REMB: five times what is sent, so that no server holds back."""


class Viewer:
    """`receive()` when the socket is readable, `tick()` when `due_ns` has come."""

    def __init__(self, number: int, host: str, identity: Identity, now_ns: int) -> None:
        self.number = number
        self.socket: socket.socket = open_socket(host)
        self.tally = Tally()
        self.page: PageSocket | None = None
        self.nack_share = 0.0
        self.arrivals: list[tuple[int, int]] | None = None
        """(RTP timestamp, arrival by the monotonic clock) of each picture's last packet, where wanted."""
        self.joined_ns: int | None = None
        self.due_ns = now_ns
        self._identity = identity
        self._ice = Ice()
        self._dtls: Dtls | None = None
        self._remote: Other | None = None
        self._heard: Heard | None = None
        self._ssrc = secrets.randbits(32)
        self._began_ns = now_ns
        self._nacks_owed = 0.0
        self.nacks = 0

    def offer(self) -> str:
        return offer(self._own())

    def accept(self, sdp: str, now_ns: int) -> None:
        """The server answered our offer."""
        other = read(sdp)
        self._start(other, controlling=True, client=other.setup == "passive", now_ns=now_ns)

    def answer(self, sdp: str, now_ns: int) -> str:
        """The server offered; we answer."""
        other = read(sdp)
        self._start(other, controlling=other.lite, client=True, now_ns=now_ns)
        return answer(self._own(), other)

    def mark(self, nack_share: float, *, arrivals: bool) -> None:
        """Begin to count anew."""
        self.tally.mark()
        self.nack_share, self.nacks = nack_share, 0
        if self.page:
            self.page.mark()
        if arrivals != (self.arrivals is not None):
            attach(self.socket, program(markers=arrivals))
        self.arrivals = [] if arrivals else None

    def counts(self) -> dict[str, Any]:
        return {
            "expected": self.tally.expected,
            "received": self.tally.received,
            "nacks": self.nacks,
            "resent": self.tally.resent,
            "consents": self._ice.consents,
            "telemetry": self.page.telemetry if self.page else None,
            "arrivals": self.arrivals,
        }

    def receive(self, now_ns: int) -> None:
        for datagram in drain(self.socket):
            first = datagram.data[0] if datagram.data else 255
            if 128 <= first <= 191:
                self._media(datagram, now_ns)
            elif first < 4:
                self._send(self._ice.handle(datagram.data, datagram.source))
            elif 20 <= first <= 63 and self._dtls:
                self._send_here(self._dtls.take(datagram.data))
        self._shake_hands(now_ns)

    def tick(self, now_ns: int) -> None:
        """Whatever time demands; sets `due_ns`."""
        self._send(self._ice.due(now_ns))
        if self.joined_ns is None:
            self.due_ns = now_ns + 50_000_000
            if self._dtls and self._ice.path:
                self._send_here(self._dtls.due())
            return
        self.due_ns += REPORT_NS
        if self._heard and self._dtls:
            self._heard.highest_sequence = self.tally.newest
            self._heard.fraction_lost = self.nack_share
            self._send_rtcp(report(self._ssrc, self._heard, BITRATE_BPS, now_ns))
        if self.page:
            self.page.tick(now_ns)

    def close(self) -> None:
        if self._dtls:
            self._send_here(self._dtls.close())
        if self.page:
            self.page.close()
        self.socket.close()

    def _own(self) -> Own:
        return Own(self.socket.getsockname(), self._ice.ufrag, self._ice.password, self._identity.fingerprint)

    def _start(self, other: Other, *, controlling: bool, client: bool, now_ns: int) -> None:
        self._remote = other
        self._dtls = Dtls(self._identity, client=client)
        self._ice.start(other.candidates, other.ufrag, other.password, controlling=controlling)
        self.due_ns = self._began_ns = now_ns

    def _shake_hands(self, now_ns: int) -> None:
        """Begin DTLS as soon as there is a way to the server."""
        if self.joined_ns is None and self._dtls and not self._dtls.begun and self._ice.path:
            self._send_here(self._dtls.start())

    def _media(self, datagram: Datagram, now_ns: int) -> None:
        data = datagram.data
        if 192 <= data[1] <= 223:
            self._sender_report(data, now_ns)
            return
        sequence = int.from_bytes(data[2:4], "big")
        if self._heard is None:
            self._heard = Heard(int.from_bytes(data[8:12], "big"), sequence)
        if self.joined_ns is None and self._dtls and self._dtls.connected:
            self.joined_ns = now_ns
            self.due_ns = now_ns + self.number * 7_919_000 % REPORT_NS  # spread over the second
        if not self.tally.take(sequence, datagram.dropped):
            return
        if self.arrivals is not None and data[1] & 0x80:
            arrival_ns = datagram.arrival_ns - time.time_ns() + time.monotonic_ns()
            self.arrivals.append((int.from_bytes(data[4:8], "big"), arrival_ns))
        if self.nack_share and sequence % EVERY == 0:
            self._ask_again(sequence)

    def _ask_again(self, sequence: int) -> None:
        """NACK enough of the packets we see to make `nack_share` of all, each in a message of its own."""
        self._nacks_owed += self.nack_share * EVERY
        if self._nacks_owed >= 1 and self._heard:
            self._nacks_owed -= 1
            self.nacks += 1
            self._send_rtcp(nack(self._ssrc, self._heard.ssrc, sequence))

    def _sender_report(self, data: bytes, now_ns: int) -> None:
        plain = self._dtls.unprotect(data) if self._dtls else None
        found = sender_report(plain) if plain else None
        if found and self._heard and found[0] == self._heard.ssrc:
            self._heard.sender_report, self._heard.sender_report_ns = found[1], now_ns

    def _send_rtcp(self, rtcp: bytes) -> None:
        if self._dtls and self._dtls.connected:
            self._send_here([self._dtls.protect(rtcp)])

    def _send_here(self, datagrams: list[bytes]) -> None:
        path = self._ice.path
        if path:
            self._send([(d, path) for d in datagrams])

    def _send(self, outgoing: list[tuple[bytes, Address]]) -> None:
        for data, to in outgoing:
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):  # lost, as on any network
                self.socket.sendto(data, to)

    def why_not(self) -> str:
        """What has not happened yet, for an error."""
        if self._ice.path is None:
            tried = ", ".join(f"{h}:{p}" for h, p in self._remote.candidates) if self._remote else "nobody"
            return f"no answer to its STUN checks (tried {tried})"
        return "no media" if self._dtls and self._dtls.connected else "no DTLS"
