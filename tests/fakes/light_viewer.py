"""A viewer that decodes nothing but opens everything: real ICE, DTLS, SRTP and RTCP, each step when told to.

Its STUN is aioice's and its DTLS OpenSSL's, so nothing of the relay's own code reads what the relay wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
import struct
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import Self

from aioice.stun import Class, Message, Method, parse_message

from flow.codec.rtp import RtpPacket, SenderReport, parse_rtp, parse_sender_reports
from relay.protocol.framing import Deframer, framed
from tests.bench.viewers.dtls import Dtls, Identity
from tests.bench.viewers.sdp import Own, offer

WITHIN_S = 10.0
SSRC = 0x56494557
_CANDIDATE = re.compile(r"a=candidate:\S+ 1 (udp|tcp) \d+ (\S+) (\d+) typ host(?: tcptype passive)?")

Address = tuple[str, int]


@cache
def identity(profile: str = "gcm") -> Identity:
    return Identity(profile)


class Wire:
    """One socket towards the relay: UDP, or TCP with RFC 4571 frames."""

    def __init__(self, kind: str, to: Address) -> None:
        self.kind, self.to = kind, to
        family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        if kind == "udp":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.socket.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        else:
            self.socket.connect(to)  # loopback: the kernel takes it at once
        self.socket.setblocking(False)
        self._deframer = Deframer()

    @property
    def address(self) -> Address:
        host, port, *_ = self.socket.getsockname()
        return host, port

    def send(self, datagram: bytes) -> None:
        if self.kind == "udp":
            self.socket.sendto(datagram, self.to)
        else:
            self.socket.send(framed(datagram))

    def received(self) -> list[bytes]:
        datagrams: list[bytes] = []
        with contextlib.suppress(BlockingIOError, ConnectionError):
            while data := self.socket.recv(65536):
                datagrams += [data] if self.kind == "udp" else self._deframer.push(data)
        return datagrams


class LightViewer:
    """`offer()`, `accept()`, `connect()`; then `packets`, `reports` and `answers` fill as `until()` waits.

    `media` are the SRTP packets in the order they came, `packets` those of them that a receiver opens: each
    once. `wires` are all its sockets, `wire` is the one it sends by. It repeats nothing by itself: the test
    says what happens.
    """

    def __init__(self, profile: str = "gcm") -> None:
        self.packets: list[RtpPacket] = []
        self.reports: list[SenderReport] = []
        self.rtcp_bytes: list[int] = []  # of each datagram, protected
        self.answers: list[Message] = []
        self.media: list[bytes] = []
        self._opened: set[bytes] = set()
        self._timestamps: dict[int, None] = {}
        self._looked_at = 0
        self.wires: list[Wire] = []
        self.said_goodbye = False
        self._identity = identity(profile)
        self._dtls = Dtls(self._identity, client=True)
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for wire in self.wires:
            wire.socket.close()

    def offer(self) -> str:
        return offer(Own(("127.0.0.1", 9), self._ufrag, self._password, self._identity.fingerprint))

    def accept(self, answer_sdp: str) -> None:
        self.sdp = answer_sdp
        self.candidates = [(kind, host, int(port)) for kind, host, port in _CANDIDATE.findall(answer_sdp)]
        self._username = f"{_value(answer_sdp, 'ice-ufrag')}:{self._ufrag}"
        self._key = _value(answer_sdp, "ice-pwd").encode()

    def open(self, kind: str = "udp", host: str | None = None) -> Wire:
        """A new socket to the first candidate of that kind (and address), used from now on."""
        found = next((h, p) for k, h, p in self.candidates if k == kind and host in (None, h))
        self.wire = Wire(kind, found)
        self.wires.append(self.wire)
        return self.wire

    async def connect(self, kind: str = "udp", host: str | None = None) -> None:
        """Check, nominate and shake hands on a new socket."""
        self.open(kind, host)
        self.check()
        await self.until(lambda: bool(self.answers))
        await self.shake_hands()

    async def shake_hands(self) -> None:
        for record in self._dtls.start():
            self.wire.send(record)
        await self.until(lambda: self._dtls.connected)

    def check(self, *, nominate: bool = True, key: bytes | None = None, by: Wire | None = None) -> bytes:
        """Send a connectivity check (RFC 8445 7.2); returns it, for replaying."""
        request = Message(Method.BINDING, Class.REQUEST)
        request.attributes["USERNAME"] = self._username
        request.attributes["PRIORITY"] = 0x6E7F_1EFF
        request.attributes["ICE-CONTROLLING"] = 1
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(key or self._key)
        (by or self.wire).send(bytes(request))
        return bytes(request)

    def send_rtcp(self, compound: bytes) -> bytes:
        """Protect and send; returns the SRTCP packet, for replaying."""
        packet = self._dtls.protect(compound)
        self.wire.send(packet)
        return packet

    def hang_up(self) -> None:
        """Say close_notify."""
        for record in self._dtls.close():
            self.wire.send(record)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Read what comes until the condition holds."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                self.read()
                if condition():
                    return
                await asyncio.sleep(0)

    async def until_pictures(self, count: int) -> None:
        await self.until(lambda: len(self.timestamps) >= count)

    async def settle(self) -> None:
        """Read until everything sent so far has been answered: a check goes through the same queues."""
        known = len(self.answers)
        self.check()
        await self.until(lambda: len(self.answers) > known)

    @property
    def timestamps(self) -> list[int]:
        """RTP timestamps of the pictures whose last packet has come, in order, each once."""
        while self._looked_at < len(self.packets):
            packet = self.packets[self._looked_at]
            self._looked_at += 1
            if packet.marker:
                self._timestamps[packet.timestamp] = None
        return list(self._timestamps)

    @property
    def sequences(self) -> list[int]:
        """Of everything that came, what was sent again included."""
        return [int.from_bytes(packet[2:4], "big") for packet in self.media]

    def read(self) -> None:
        for wire in self.wires:
            for datagram in wire.received():
                self._take(datagram, wire)

    def _take(self, datagram: bytes, wire: Wire) -> None:
        first = datagram[0]
        if first < 4:
            answer = parse_message(datagram)
            assert answer.check_message_integrity(self._key)
            self.answers.append(answer)
        elif first < 64:
            connected = self._dtls.connected
            for record in self._dtls.take(datagram):
                wire.send(record)
            self.said_goodbye |= connected and first == 21  # an alert, after the handshake
        elif 192 <= datagram[1] <= 223:
            self.rtcp_bytes.append(len(datagram))
            self.reports += parse_sender_reports(self._dtls.unprotect(datagram) or b"")
        else:
            self._take_media(datagram)

    def _take_media(self, datagram: bytes) -> None:
        assert self._dtls._in is not None
        self.media.append(datagram)
        if datagram not in self._opened:  # to libsrtp a packet that it has seen is a replay
            self._opened.add(datagram)
            self.packets.append(parse_rtp(self._dtls._in.unprotect(datagram)))


def receiver_report(media_ssrc: int, lost: int = 0, highest: int = 0, lsr: int = 0, dlsr: int = 0) -> bytes:
    """RFC 3550 6.4.2 with one block; `lost` of 256."""
    block = struct.pack("!IBBHIIII", media_ssrc, lost, 0, 0, highest, 90, lsr, dlsr)
    return _rtcp(1, 201, block)


def nack(media_ssrc: int, *sequences: int) -> bytes:
    """RFC 4585 6.2.1, each number in a field of its own."""
    return _rtcp(1, 205, struct.pack(f"!I{2 * len(sequences)}H", media_ssrc, *_fields(sequences)))


def pli(media_ssrc: int) -> bytes:
    """RFC 4585 6.3.1."""
    return _rtcp(1, 206, struct.pack("!I", media_ssrc))


def fir(media_ssrc: int, command: int) -> bytes:
    """RFC 5104 4.3.1.1."""
    return _rtcp(4, 206, struct.pack("!IIB3x", 0, media_ssrc, command))


def remb(bitrate_bps: int, media_ssrc: int) -> bytes:
    """draft-alvestrand-rmcat-remb-03 2.2."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    rate = 1 << 24 | exponent << 18 | bitrate_bps >> exponent
    return _rtcp(15, 206, struct.pack("!I4sII", 0, b"REMB", rate, media_ssrc))


def _fields(sequences: tuple[int, ...]) -> list[int]:
    return [value for sequence in sequences for value in (sequence, 0)]


def _rtcp(count: int, kind: int, body: bytes) -> bytes:
    return struct.pack("!BBHI", 2 << 6 | count, kind, (len(body) + 4) // 4, SSRC) + body


def _value(sdp: str, attribute: str) -> str:
    found = re.search(rf"a={attribute}:(\S+)", sdp)
    assert found is not None, sdp
    return found[1]
