"""Ways to a viewer: a pair of addresses on a UDP socket, or a TCP connection (RFC 6544, RFC 4571)."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, cast

from flow.errors import MalformedError

from .protocol.framing import Deframer, framed, framed_run
from .protocol.stun import Address, is_stun

log = logging.getLogger("lagebild.relay")

WAITING_BYTES = 512 * 1024
"""What a TCP viewer may be behind: about a second of a 4 Mbit/s picture. Beyond, datagrams are not taken."""

UNSENT_BYTES = 128 * 1024
"""Of that, how much the kernel may hold back; it would take megabytes, which nobody could drop any more."""

READ_BYTES = 4096
"""What is read of one TCP connection a turn: a viewer sends a few hundred bytes of feedback a second."""

ANSWERED_WITHIN_S = 10.0
"""Only who knows a session's password is ever sent anything; nobody else keeps a connection for longer."""

SILENT_S = 30.0
"""A viewer's checks come every few seconds (RFC 7675 5.1)."""

_UDP_SEGMENT = 103  # linux/udp.h; not among Python's names before 3.14
_NO_SEGMENTATION = {errno.EIO, errno.EINVAL, errno.EOPNOTSUPP, errno.EMSGSIZE}

Ancillary: TypeAlias = list[tuple[int, int, bytes]]


@dataclass(slots=True)
class Counts:
    """What a port refused or could not send, since it was opened."""

    oversized: int = 0
    """Datagrams longer than any viewer sends."""
    tcp_refused: int = 0
    """Connections above the limit, in all or from one address."""
    tcp_malformed: int = 0
    """Connections closed because they did not begin with a check, or broke the framing."""
    tcp_silent: int = 0
    """Connections closed because no authentic check came, or nothing any more."""
    not_taken: int = 0
    """Sends for which there was no room: a full socket buffer, or a TCP viewer too far behind."""
    unsendable: int = 0
    """Sends that the system refused for another reason: no route, a firewall."""
    unsegmented: int = 0
    """UDP paths on which segmentation offload was refused; they cost one call a packet."""


class Path(Hashable, Protocol):
    """A way to one viewer. UDP paths are equal if their addresses are; a TCP path only to itself."""

    kind: ClassVar[Literal["udp", "tcp"]]

    @property
    def address(self) -> Address:
        """The viewer's, as seen from here."""
        ...

    @property
    def waiting_bytes(self) -> int:
        """What was taken but has not left yet; 0 for UDP."""
        ...

    @property
    def was_full(self) -> bool:
        """Whether what was not taken last only found no room: a moment later it may go."""
        ...

    def send(self, datagram: bytes) -> bool:
        """Send one datagram; False if it was not taken."""
        ...

    def send_run(self, buffer: memoryview, segment: int) -> bool:
        """Send datagrams of `segment` bytes, the last may be shorter; at most what layout.py says fits.

        False if they were not taken; then none was, or, without segmentation offload, not all.
        The buffer is free again on return.
        """
        ...

    def close(self) -> None:
        """Nothing for UDP; a TCP connection ends, at once if it is behind."""
        ...


class LocalEnd:
    """A UDP socket, and, if it is bound to a wildcard, the local address that replies leave by."""

    __slots__ = ("key", "packet_info", "runs", "sendmsg")

    def __init__(self, sock: socket.socket, packet_info: Ancillary) -> None:
        self.key = (sock, *packet_info)
        self.sendmsg = sock.sendmsg
        self.packet_info = packet_info
        self.runs: dict[int, Ancillary] = {}  # by segment size: few occur, each a thousand times a second

    def run(self, segment: int) -> Ancillary:
        """The ancillary data of a run, which `runs` keeps."""
        size = struct.pack("=H", segment)
        ancillary = self.runs[segment] = [*self.packet_info, (socket.SOL_UDP, _UDP_SEGMENT, size)]
        return ancillary


class UdpPath:
    """See Path."""

    __slots__ = ("_counts", "_hash", "_local", "_remote", "_segmented", "address", "was_full")

    kind: ClassVar[Literal["udp", "tcp"]] = "udp"
    waiting_bytes = 0

    def __init__(self, local: LocalEnd, remote: tuple[Any, ...], counts: Counts) -> None:
        self._local = local
        self._remote = remote
        self._counts = counts
        self._segmented = True
        self.was_full = False
        self._hash = hash((local.key, remote))
        self.address: Address = (remote[0].partition("%")[0], remote[1])

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UdpPath):
            return NotImplemented
        return self._remote == other._remote and self._local.key == other._local.key

    def __repr__(self) -> str:
        return f"udp {printed(self.address)}"

    def send(self, datagram: bytes | memoryview) -> bool:
        try:
            self._local.sendmsg((datagram,), self._local.packet_info, 0, self._remote)
        except OSError as error:
            return self._failed(error)
        return True

    def send_run(self, buffer: memoryview, segment: int) -> bool:
        if not self._segmented:
            return self._send_singly(buffer, segment)
        local = self._local
        try:
            local.sendmsg((buffer,), local.runs.get(segment) or local.run(segment), 0, self._remote)
        except OSError as error:
            if error.errno not in _NO_SEGMENTATION:
                return self._failed(error)
            if not self._send_singly(buffer, segment):
                return False
            self._without_segmentation(error)  # the packets themselves were in order
        self.was_full = False
        return True

    def close(self) -> None:
        pass

    def _send_singly(self, buffer: memoryview, segment: int) -> bool:
        return all(self.send(buffer[at : at + segment]) for at in range(0, len(buffer), segment))

    def _without_segmentation(self, error: OSError) -> None:
        """It is the route that refuses (its device, its MTU), so other viewers keep theirs."""
        self._segmented = False
        self._counts.unsegmented += 1
        if self._counts.unsegmented == 1:
            log.warning("segmentation offload is refused towards %s (%s): more CPU is needed", self, error)

    def _failed(self, error: OSError) -> bool:
        self.was_full = error.errno in {errno.EAGAIN, errno.ENOBUFS}
        if self.was_full:
            self._counts.not_taken += 1
        else:
            self._counts.unsendable += 1
        return False


class TcpPath(asyncio.BufferedProtocol):
    """See Path. A connection must begin with a STUN message, and ends when either side falls silent."""

    kind: ClassVar[Literal["udp", "tcp"]] = "tcp"
    was_full = False  # whoever asks for `waiting_bytes` before does not find it full

    def __init__(self, receive: Callable[[bytes, Path], None], owner: TcpOwner, buffer: memoryview) -> None:
        self._receive = receive
        self._owner = owner
        self._buffer = buffer  # shared by all connections: it is emptied before the loop turns
        self._deframer = Deframer()
        self._loop = asyncio.get_running_loop()
        self._heard_s: float | None = None
        self._answered = False
        self.address: Address = ("", 0)

    def __repr__(self) -> str:
        return f"tcp {printed(self.address)}"

    @property
    def waiting_bytes(self) -> int:
        return self._transport.get_write_buffer_size()

    def send(self, datagram: bytes) -> bool:
        return self._write(framed(datagram))

    def send_run(self, buffer: memoryview, segment: int) -> bool:
        return self._write(framed_run(buffer, segment))

    def close(self) -> None:
        if self._transport.get_write_buffer_size():
            self._transport.abort()  # whoever does not read now would hold the connection for ever
        else:
            self._transport.close()

    def abort(self) -> None:
        """End the connection without sending what is left."""
        self._transport.abort()

    def _write(self, frames: bytes) -> bool:
        if self._transport.is_closing() or self.waiting_bytes + len(frames) > WAITING_BYTES:
            self._owner.counts.not_taken += 1
            return False
        self._transport.write(frames)
        self._answered = True
        return True

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = (peer[0].partition("%")[0], peer[1]) if peer else ("", 0)
        self._timer = self._loop.call_later(ANSWERED_WITHIN_S, self._end_if_silent)
        if not peer or not self._owner.admit(self):  # without a peer it was reset before it was accepted
            self.abort()
            return
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        try:
            datagrams = self._deframer.push(bytes(self._buffer[:nbytes]))
        except MalformedError as error:
            self._refuse(str(error))
            return
        for datagram in datagrams:
            if self._heard_s is None and not is_stun(datagram):
                self._refuse("its first frame is no STUN message (RFC 6544 5.2)")
            if self._transport.is_closing():
                return
            self._heard_s = self._loop.time()
            self._receive(datagram, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._owner.gone(self)

    def _refuse(self, reason: str) -> None:
        self._owner.counts.tcp_malformed += 1
        log.debug("%s is closed: %s", self, reason)
        self.abort()

    def _end_if_silent(self) -> None:
        silent_s = self._loop.time() - (self._heard_s or 0.0)
        if not self._answered or silent_s >= SILENT_S:
            self._owner.counts.tcp_silent += 1
            self.abort()
        else:
            self._timer = self._loop.call_later(SILENT_S - silent_s, self._end_if_silent)


class TcpOwner(Protocol):
    """Who keeps the connections: counts them, bounds them, hears of their end."""

    counts: Counts

    def admit(self, path: TcpPath) -> bool: ...

    def gone(self, path: TcpPath) -> None: ...


def printed(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
