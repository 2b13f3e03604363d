"""Duplicate, truncated, replayed and forged STUN, DTLS, SRTP and RTCP, through the real port and hub.

The datagrams come from strangers' sockets, from the socket of a hostile viewer with a session of its own,
from hostile viewers in the middle of their DTLS handshakes, and, as forgeries of its address, from the very
socket of the innocent one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable

from OpenSSL import SSL

from relay.stream import ssrc_of
from tests.bench.viewers.ice import Outgoing
from tests.bench.viewers.viewer import Viewer

from .house import FEED, House
from .light import LightViewer
from .mutation import Mutator

BATCH = 48
STRANGERS = 8
NEW_HANDSHAKE_EVERY = 40
KEPT = 200
SPOILT = 8


class TappedViewer(Viewer):
    """Keeps the last of what it sent, as somebody on the path would see it.

    `meant_well` counts what it sent as any viewer does.
    """

    meant_well = 0

    def _send(self, outgoing: Outgoing) -> None:
        self.seen = [*getattr(self, "seen", [])[-KEPT:], *(datagram for datagram, _ in outgoing)]
        self.meant_well += len(outgoing)
        super()._send(outgoing)


class SpoilingViewer(TappedViewer):
    """Means well in ICE; its DTLS goes out spoilt, again and again."""

    mutator = Mutator(0)

    def _send(self, outgoing: Outgoing) -> None:
        spoilt: Outgoing = []
        for datagram, to in outgoing:
            if datagram[:1] and 20 <= datagram[0] < 64:
                spoilt += [(self.mutator.next([datagram]), to) for _ in range(SPOILT)]
                self.meant_well -= SPOILT
                if self.mutator.dice.random() < 0.5:
                    continue
            spoilt.append((datagram, to))
        super()._send(spoilt)

    def receive(self, now_ns: int) -> None:
        with contextlib.suppress(SSL.Error):  # what the relay makes of it
            super().receive(now_ns)


class Attack:
    """Sends hostile datagrams to the port of `house`."""

    def __init__(self, house: House, innocent: LightViewer, hostile: LightViewer, seed: int) -> None:
        self.sent: Counter[str] = Counter()
        self.mutator = Mutator(seed)
        self._meant_well_before = _meant_well(innocent) + _meant_well(hostile)
        self._dropped_meant_well = 0
        self._house, self._innocent, self._hostile = house, innocent, hostile
        self._to = ("127.0.0.1", house.relay.port)
        self._ssrc = ssrc_of(FEED)
        self._strangers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(STRANGERS)]
        self._shaking: list[LightViewer] = []
        self._connections: list[asyncio.StreamWriter] = []
        self._batches = 0
        self._kinds: tuple[tuple[str, Callable[[], tuple[socket.socket, bytes]]], ...] = (
            ("strangers with others' datagrams", self._stranger),
            ("forged in the innocent one's name", self._forged),
            ("a viewer's own, spoilt", self._own),
            ("a viewer's RTCP, signed nonsense", self._signed),
        )

    @property
    def meant_well(self) -> int:
        """Datagrams that viewers have sent meanwhile as viewers do: no hostile inputs."""
        there = sum(map(_meant_well, (self._innocent, self._hostile, *self._shaking)))
        return there + self._dropped_meant_well - self._meant_well_before

    async def batch(self) -> None:
        """BATCH datagrams of every kind; now and then one more handshake that goes wrong."""
        for _ in range(BATCH):
            kind, make = self.mutator.dice.choice(self._kinds)
            sender, datagram = make()
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                sender.sendto(datagram, self._to)
                self.sent[kind] += 1
        self._batches += 1
        if self._batches % NEW_HANDSHAKE_EVERY == 0:
            await self._shake_hands_badly()
            await self._talk_nonsense_by_tcp()

    async def close(self) -> None:
        for viewer in self._shaking:
            await self._drop(viewer)
        for stranger in self._strangers:
            stranger.close()
        for connection in self._connections:
            connection.close()

    def _stranger(self) -> tuple[socket.socket, bytes]:
        seen = [*self._seen(self._innocent), *self._seen(self._hostile)]
        return self.mutator.dice.choice(self._strangers), self.mutator.next(seen)

    def _forged(self) -> tuple[socket.socket, bytes]:
        """What anybody on the path has seen, spoilt or as it was: the innocent one's own words again, too."""
        datagram = self.mutator.next([*self._seen(self._innocent), *self._seen(self._hostile)])
        return self._innocent.viewer.socket, datagram

    def _own(self) -> tuple[socket.socket, bytes]:
        return self._hostile.viewer.socket, self.mutator.next(self._seen(self._hostile))

    def _signed(self) -> tuple[socket.socket, bytes]:
        dtls = self._hostile.viewer._dtls
        assert dtls is not None
        dice = self.mutator.dice
        ssrc = self._ssrc if dice.random() < 0.8 else NOBODYS_SSRC
        # Of the packets that it has had; now and then of others.
        newest = self._hostile.viewer.tally.newest
        sequence = max(newest - dice.randrange(RECENT), 0) if dice.random() < 0.8 else dice.randrange(65536)
        genuine = dice.choice(RTCP)(ssrc, sequence & 0xFFFF)
        rtcp = self.mutator.next([genuine]) if dice.random() < 0.8 else genuine
        if len(rtcp) < 8 or len(rtcp) > 1200:
            rtcp = genuine
        # A few senders: libsrtp keeps a stream for each it has ever seen, on our side too.
        rtcp = rtcp[:7] + bytes((rtcp[7] & 15,)) + rtcp[8:] if rtcp[4:7] == bytes(3) else genuine
        return self._hostile.viewer.socket, dtls.protect(rtcp)

    async def _shake_hands_badly(self) -> None:
        viewer = LightViewer(self._house, SpoilingViewer)
        await viewer.offer()
        self._shaking.append(viewer)
        if len(self._shaking) > 5:
            await self._drop(self._shaking.pop(0))

    async def _talk_nonsense_by_tcp(self) -> None:
        """Frames of RFC 4571, well formed and not, on a connection that then stays open for a while."""
        _, writer = await asyncio.open_connection(*self._to)
        for _ in range(BATCH):
            datagram = self.mutator.next(self._seen(self._hostile))
            length = len(datagram) if self.mutator.dice.random() < 0.9 else self.mutator.dice.randrange(65536)
            writer.write(length.to_bytes(2, "big") + datagram)
            self.sent["by TCP"] += 1
        self._connections.append(writer)
        if len(self._connections) > 5:
            self._connections.pop(0).close()

    async def _drop(self, viewer: LightViewer) -> None:
        self.sent["handshakes that went wrong"] += len(getattr(viewer.viewer, "seen", []))
        self._dropped_meant_well += _meant_well(viewer)
        viewer.vanish()
        with contextlib.suppress(Exception):
            await self._house.relay.close(viewer.session_id)

    @staticmethod
    def _seen(viewer: LightViewer) -> list[bytes]:
        return getattr(viewer.viewer, "seen", [])


def _meant_well(viewer: LightViewer) -> int:
    assert isinstance(viewer.viewer, TappedViewer)
    return viewer.viewer.meant_well


def _rtcp(kind: int, count: int, media_ssrc: int | None, rest: bytes = b"") -> bytes:
    body = SENDER + (b"" if media_ssrc is None else media_ssrc.to_bytes(4, "big")) + rest
    return bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body


def _nack(ssrc: int, sequence: int, fields: int = 1) -> bytes:
    """17 packets from this one on for each field (RFC 4585 6.2.1)."""
    numbers = ((sequence + 17 * field) & 0xFFFF for field in range(fields))
    return _rtcp(205, 1, ssrc, b"".join(number.to_bytes(2, "big") + b"\xff\xff" for number in numbers))


def _full_intra(ssrc: int, sequence: int) -> bytes:
    return _rtcp(206, 4, 0, ssrc.to_bytes(4, "big") + bytes((sequence & 0xFF, 0, 0, 0)))


def _remb(ssrc: int, sequence: int) -> bytes:
    return _rtcp(206, 15, 0, b"REMB" + bytes((1, sequence & 0xFF, 0xFF, 0xFF)) + ssrc.to_bytes(4, "big"))


SENDER = bytes(3) + b"\x01"
NOBODYS_SSRC = 2
RECENT = 2000
RTCP: tuple[Callable[[int, int], bytes], ...] = (
    lambda ssrc, sequence: _rtcp(201, 1, ssrc, bytes(20)),
    _nack,
    lambda ssrc, sequence: _nack(ssrc, sequence, 60),
    lambda ssrc, sequence: _rtcp(206, 1, ssrc),
    _full_intra,
    _remb,
    lambda ssrc, sequence: _rtcp(207, 0, None, bytes.fromhex("04000002 0000000000000000")),
    lambda ssrc, sequence: _rtcp(203, 1, None),
)
"""Each about the stream of an SSRC and, where it asks for packets, one sequence number."""
