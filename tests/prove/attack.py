"""Duplicate, truncated, replayed and forged STUN, DTLS, SRTP and RTCP, through the real port and hub.

The datagrams come from strangers' sockets, from
the socket of a hostile viewer with a session of its own, from hostile viewers in the middle of their DTLS
handshakes, and, as forgeries of its address, from the very socket of the innocent one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable

from OpenSSL import SSL

from tests.bench.viewers.ice import Outgoing
from tests.bench.viewers.viewer import Viewer

from .house import House
from .light import LightViewer
from .mutation import Mutator

BATCH = 48
STRANGERS = 8
NEW_HANDSHAKE_EVERY = 40
KEPT = 200


class TappedViewer(Viewer):
    """Keeps the last of what it sent, as somebody on the path would see it."""

    def _send(self, outgoing: Outgoing) -> None:
        self.seen = [*getattr(self, "seen", [])[-KEPT:], *(datagram for datagram, _ in outgoing)]
        super()._send(outgoing)


class SpoilingViewer(TappedViewer):
    """Means well in ICE; its DTLS goes out spoilt, again and again."""

    mutator = Mutator(0)

    def _send(self, outgoing: Outgoing) -> None:
        spoilt: Outgoing = []
        for datagram, to in outgoing:
            if datagram[:1] and 20 <= datagram[0] < 64:
                spoilt += [(self.mutator.next([datagram]), to) for _ in range(8)]
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
        self._house, self._innocent, self._hostile = house, innocent, hostile
        self._to = ("127.0.0.1", house.relay.port)
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
        """Everything but the innocent one's own words: those, repeated, count as its own in any network."""
        datagram = self.mutator.next([*self._seen(self._innocent), *self._seen(self._hostile)])
        return self._innocent.viewer.socket, datagram

    def _own(self) -> tuple[socket.socket, bytes]:
        return self._hostile.viewer.socket, self.mutator.next(self._seen(self._hostile))

    def _signed(self) -> tuple[socket.socket, bytes]:
        dtls = self._hostile.viewer._dtls
        assert dtls is not None
        rtcp = self.mutator.next(RTCP)
        if len(rtcp) < 8 or len(rtcp) > 1200:
            rtcp = RTCP[0]
        # A few senders: libsrtp keeps a stream for each it has ever seen, on our side too.
        rtcp = rtcp[:7] + bytes((rtcp[7] & 15,)) + rtcp[8:] if rtcp[4:7] == bytes(3) else RTCP[0]
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
        viewer.vanish()
        with contextlib.suppress(Exception):
            await self._house.relay.close(viewer.session_id)

    @staticmethod
    def _seen(viewer: LightViewer) -> list[bytes]:
        return getattr(viewer.viewer, "seen", [])


def _rtcp(kind: int, count: int, body: bytes) -> bytes:
    return bytes((0x80 | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body


_SSRCS = bytes.fromhex("00000001 00000002")
RTCP = (
    _rtcp(201, 1, _SSRCS + bytes(20)),
    _rtcp(205, 1, _SSRCS + bytes.fromhex("0001ffff 00200000")),
    _rtcp(206, 1, _SSRCS),
    _rtcp(206, 4, _SSRCS + bytes.fromhex("00000002 01000000")),
    _rtcp(206, 15, _SSRCS + b"REMB" + bytes.fromhex("010bffff 00000002")),
    _rtcp(207, 0, _SSRCS[:4] + bytes.fromhex("04000002 0000000000000000")),
    _rtcp(203, 1, _SSRCS[:4]),
)
