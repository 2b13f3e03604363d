"""RTSP cameras, called by us: H.264 or H.265 over UDP or the RTSP connection itself."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import secrets
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.codec.reception import Reception, opening_packets
from flow.errors import SourceError
from flow.lookup import connected
from flow.reachable import RefusedAddressError
from ingest.protocol.events import Opened, ParameterSets, Unusable
from ingest.protocol.rtp_stream import RtpStream
from ingest.protocol.rtsp_client import NothingByUdp, Redirected, RtspClient, RtspEvent, SetUp
from ingest.protocol.rtsp_messages import Interleaved
from ingest.protocol.rtsp_transport import Tcp, Udp
from ingest.protocol.rtsp_url import RtspUrl

from . import Publish
from .udp import Batch, host_of
from .udp_pair import UdpPair

log = logging.getLogger("lagebild.ingest")

TRANSPORTS = ("auto", "udp", "tcp")
CONNECT_MOST_S = 10.0
_MOVES_MOST = 5
_READ_BYTES = 8 * 1024  # in a turn of the loop: of packets of a few bytes, as many as take some milliseconds
_TICK_NS = 250 * NS_PER_MS
_REPORT_NS = 5 * NS_PER_S
_UNREAD_MOST_BYTES = 64 * 1024  # of what we say: so little is never left unread by who means it well

Outcome: TypeAlias = Redirected | NothingByUdp


@dataclass(frozen=True, slots=True)
class RtspSource:
    """One camera; `transport` is "udp", "tcp" or "auto": UDP unless it is refused or nothing comes by it."""

    url: RtspUrl
    transport: str
    clock: Clock

    async def run(self, publish: Publish) -> None:
        url, transport, referrer = self.url, self.transport, ""
        for _ in range(_MOVES_MOST):
            session = _Session(url, transport, self.clock, publish, referrer)
            match await _watch(session, url):
                case Redirected(location):
                    url, referrer = _followed(url, location, session.peer), session.peer
                case NothingByUdp():
                    log.info("%s: nothing comes by UDP, so TCP is tried", url.shown)
                    transport = "tcp"
        raise SourceError(f"{self.url.shown} redirects again and again", code="redirected")


def _followed(url: RtspUrl, location: str, peer: str) -> RtspUrl:
    """Where a redirect leads: another port or path of the same camera. Raises SourceError for all else: a
    camera that somebody has taken over must not send us about in the network."""
    target = url.moved(location)
    if target.host.lower() not in (url.host.lower(), peer):
        detail = f"{url.shown} redirects to another host, {target.shown}: if right, make that the source"
        raise SourceError(detail, code="redirected")
    return target


async def _watch(session: _Session, url: RtspUrl) -> Outcome:
    """Hold one connection until it fails or leads elsewhere."""
    try:
        await _connect(session, url)
        return await _first_of(session.ended, session.keep_time(), *session.hear_udp())
    finally:
        await session.close()


def _leads_inside(referrer: str, peer: str) -> bool:
    """Whether a redirect from afar leads to this machine, or to what only its neighbours reach."""
    return _is_inside(peer) and not _is_inside(referrer)


def _is_inside(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_link_local


async def _connect(session: _Session, url: RtspUrl) -> None:
    try:
        async with asyncio.timeout(CONNECT_MOST_S):
            sock = await connected(url.host, url.port)
            await asyncio.get_running_loop().create_connection(lambda: session, sock=sock)
    except TimeoutError:
        detail = f"{url.shown} cannot be reached: no answer for {CONNECT_MOST_S:g} s"
        raise SourceError(detail, code="unreachable") from None
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        raise SourceError(f"{url.shown} cannot be reached: {_why(error)}", code="unreachable") from None


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such name"
    if isinstance(error, RefusedAddressError):
        return str(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return "nobody answers there"


async def _first_of(ended: asyncio.Future[Outcome], *others: Coroutine[Any, Any, None]) -> Outcome:
    """The outcome, with `others` going on beside until then; they end only by raising."""
    tasks = [asyncio.ensure_future(other) for other in others]
    try:
        waited: list[asyncio.Future[Any]] = [ended, *tasks]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
        return ended.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Session(asyncio.BufferedProtocol):
    """One connection with all that belongs to it. What arrives is handled in the loop's own callback: a
    task that waits for each packet costs two turns more."""

    def __init__(self, url: RtspUrl, transport: str, clock: Clock, publish: Publish, referrer: str) -> None:
        self.ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.peer = ""
        self._referrer = referrer  # the address that led us here, if one did
        self._closed = asyncio.Event()
        self._url, self._transport, self._clock, self._publish = url, transport, clock, publish
        self._client = RtspClient(url, secrets.token_hex(16), may_change=transport == "auto")
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._pair: UdpPair | None = None
        self._set_up: SetUp | None = None
        self._stream = RtpStream()
        self._ssrc = secrets.randbits(32)
        self._reception = Reception(self._ssrc)
        self._rtp_channel = 0
        self._is_open = False
        self._report_due_ns = 0

    # The connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        name = transport.get_extra_info("peername")
        if not name:  # it broke in the same moment
            transport.abort()
            self._fail(SourceError(f"{self._url.shown} broke off the connection", code="connection_lost"))
            return
        self.peer = host_of(name)
        try:
            if self._referrer and _leads_inside(self._referrer, self.peer):
                detail = f"a camera at {self._referrer} redirects us to {self._url.shown}, into this machine"
                raise SourceError(detail, code="redirected")
            if self._transport != "tcp":
                self._pair = UdpPair(host_of(transport.get_extra_info("sockname")), name[0])
            self._client.start(self._pair.ports if self._pair else None, self._clock.now_ns())
            self._say(self._client.data_to_send())
        except Exception as error:
            self._fail(error)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.ended.done():
            return
        try:
            now_ns = self._clock.now_ns()
            self._handle(self._client.receive(bytes(self._buffer[:nbytes]), now_ns), now_ns)
        except Exception as error:
            self._fail(error)

    def connection_lost(self, error: Exception | None) -> None:
        self._closed.set()
        why = "closed the connection" if error is None else "broke off the connection"
        self._fail(SourceError(f"{self._url.shown} {why}", code="connection_lost"))

    def _fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)

    def _say(self, data: bytes) -> None:
        if not data:
            return
        if self._wire.get_write_buffer_size() > _UNREAD_MOST_BYTES:
            raise SourceError(f"{self._url.shown} does not read what we say", code="connection_lost")
        self._wire.write(data)

    async def close(self) -> None:
        """Take leave, and let go of everything."""
        if not self.ended.cancel() and not self.ended.cancelled():
            self.ended.exception()  # seen, even where something else ended the session first
        if self._pair is not None:
            self._pair.close()
        if not self.peer:
            return  # there never was a connection
        if not self._wire.is_closing():
            self._client.end()
            self._wire.write(self._client.data_to_send())
        if self._wire.get_write_buffer_size():  # whoever does not read is not waited for
            self._wire.abort()
        self._wire.close()
        await self._closed.wait()

    # What happens

    def hear_udp(self) -> list[Coroutine[Any, Any, None]]:
        if self._pair is None:
            return []
        return [self._pair.rtp.serve(self._take_rtp), self._pair.rtcp.serve(self._take_rtcp)]

    async def keep_time(self) -> None:
        """Let the client notice how time passes, and report what we received."""
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + _TICK_NS)
            now_ns = self._clock.now_ns()
            self._handle(self._client.tick(now_ns), now_ns)
            if self._set_up is not None and now_ns >= self._report_due_ns:
                self._report_due_ns = now_ns + _REPORT_NS
                self._send_report(self._set_up.transport, self._reception.report(now_ns))

    def _handle(self, events: list[RtspEvent], now_ns: int) -> None:
        for event in events:
            match event:
                case Interleaved(channel, data):
                    self._take(data, now_ns, is_rtp=channel == self._rtp_channel)
                case SetUp():
                    self._prepare(event, now_ns)
                case Redirected() | NothingByUdp() if not self.ended.done():
                    self.ended.set_result(event)
        self._say(self._client.data_to_send())

    def _prepare(self, set_up: SetUp, now_ns: int) -> None:
        self._set_up = set_up
        self._stream = RtpStream(set_up.description.video)
        self._report_due_ns = now_ns + _REPORT_NS
        transport = set_up.transport
        if isinstance(transport, Tcp):
            self._rtp_channel = transport.channels[0]
        elif self._pair is not None and transport.server_ports is not None:
            rtp, rtcp = opening_packets(self._ssrc)
            self._pair.rtp.send(rtp, self.peer, transport.server_ports[0])
            self._pair.rtcp.send(rtcp, self.peer, transport.server_ports[1])

    def _send_report(self, transport: Udp | Tcp, report: bytes) -> None:
        if isinstance(transport, Tcp):
            self._say(Interleaved(transport.channels[1], report).serialize())
        elif self._pair is not None and transport.server_ports is not None:
            self._pair.rtcp.send(report, self.peer, transport.server_ports[1])

    # Packets

    def _take_rtp(self, batch: Batch) -> None:
        self._take_batch(batch, is_rtp=True)

    def _take_rtcp(self, batch: Batch) -> None:
        self._take_batch(batch, is_rtp=False)

    def _take_batch(self, batch: Batch, *, is_rtp: bool) -> None:
        if self._set_up is None or not isinstance(self._set_up.transport, Udp):
            return  # of a session before ours, as a rule
        now_ns = self._clock.now_ns()
        for datagram, sender in batch:
            if not sender.allowed:
                self._publish(Unusable("forbidden_sender", f"{sender.name} is not the camera"))
                continue
            if is_rtp:
                self._client.heard(now_ns)
            self._take(datagram, now_ns, is_rtp=is_rtp)

    def _take(self, datagram: bytes, now_ns: int, *, is_rtp: bool) -> None:
        """One packet of the video, or of its sender's reports."""
        if is_rtp and not self._is_open:
            self._open()
        self._reception.take(datagram, now_ns)
        for event in self._stream.handle(datagram, self.peer, now_ns):
            self._publish(event)

    def _open(self) -> None:
        """The first packet is here: from now on pictures are due."""
        assert self._set_up is not None
        self._is_open = True
        description = self._set_up.description
        self._publish(Opened(self._url.shown, RtpStream.TIMESTAMP_BITS))
        if description.parameter_sets:
            self._publish(ParameterSets(description.video.codec, description.parameter_sets))
