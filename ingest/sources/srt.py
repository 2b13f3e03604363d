"""The SRT server: one port, many publishers of MPEG-TS, each judged by its stream id before it is let in."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import ConfigError, LagebildError, PortInUseError, RefusedError, SourceError
from flow.lookup import addresses_of
from ingest.complaints import Complaints
from ingest.libsrt import HSV5, Address, Option, Ready, Rejection, SrtError, SrtSocket
from ingest.protocol.events import Unusable
from ingest.protocol.srt_address import feed_and_key
from ingest.protocol.ts_stream import TsStream
from ingest.publications import Publication, Publications, Publisher, keys_unreadable
from ingest.settings import PublishSettings
from ingest.srt_waiting import SrtReceiver, SrtWaiter, waiting

log = logging.getLogger("lagebild.ingest")

SILENCE_NS = 10 * NS_PER_S
_TICK_NS = 250 * NS_PER_MS
_ARRIVAL_NS = 3 * NS_PER_S  # between being let in and being there lies a packet's way to us
_BACKLOG = 64
_PROMISED_MOST = 256

REJECTIONS = {
    "bad_stream_id": Rejection.BAD_REQUEST,
    "key_missing": Rejection.UNAUTHORIZED,
    "key_wrong": Rejection.UNAUTHORIZED,
    "key_foreign": Rejection.UNAUTHORIZED,
    "not_pushed": Rejection.NOTFOUND,
    "feed_busy": Rejection.CONFLICT,
}
"""What a publisher is told, by the code of its RefusedError; SRT has room for a number and no words."""


class _Promised(NamedTuple):
    """Somebody who was let in by us; the passphrase is libsrt's to judge, and what follows."""

    since_ns: int
    feed_id: str
    publisher: Publisher


class SrtServer:
    """See ingest/serving.py Server.

    Nobody is connected who has not a feed's place, so there are never more connections than feeds. Whoever
    is refused leaves nothing behind but what libsrt keeps of it for a second or so.
    """

    def __init__(self, publications: Publications, settings: PublishSettings, clock: Clock) -> None:
        self.publications = publications
        self.clock = clock
        self.connections: set[_Connection] = set()
        self._settings = settings
        self._complaints = Complaints("srt")
        self._promised: dict[int, _Promised] = {}
        """Who was let in and is not here yet, by the number of its socket."""
        self._broken = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        self._promised, self._broken = {}, False
        self._loop = asyncio.get_running_loop()
        async with waiting() as waiter:
            listeners: list[SrtSocket] = []
            try:
                for address in await self._addresses():
                    port = listeners[0].address().port if listeners else address.port
                    listeners.append(self._listening(waiter, Address(address.host, port)))
                self.publications.available("srt", f"srt://{listeners[0].address()}")
                await self._keep_time(waiter.library.is_over)
            finally:
                for listener in listeners:
                    waiter.close(listener)
                for connection in list(self.connections):
                    connection.leave()

    async def _keep_time(self, is_over: Callable[[int], bool]) -> None:
        """`is_over` tells it of the number of a socket."""
        while not self._broken:
            await self.clock.sleep_until(self.clock.now_ns() + _TICK_NS)
            now_ns = self.clock.now_ns()
            for connection in list(self.connections):
                connection.tick(now_ns)
            self._miss(now_ns, is_over)
        raise SourceError("SRT's port broke")

    async def _addresses(self) -> list[Address]:
        """Of this machine, to listen on. Raises ConfigError."""
        port = self._settings.srt_port
        if not self._settings.hosts:  # libsrt lets not two sockets have all addresses, of one kind each
            return [Address("::" if socket.has_dualstack_ipv6() else "0.0.0.0", port)]
        addresses: list[Address] = []
        for host in self._settings.hosts:
            try:
                found = await addresses_of(host, port, socket.SOCK_DGRAM)
            except OSError as error:
                message = f"UDP {host}, port {port} cannot be opened: {error.strerror or error}"
                raise ConfigError(message, code="address_refused") from None
            addresses += [Address.of(each.address) for each in found]
        return list(dict.fromkeys(addresses))

    def _listening(self, waiter: SrtWaiter, address: Address) -> SrtSocket:
        listener = waiter.library.socket()
        try:
            listener.set(Option.RCVLATENCY, self._settings.srt_latency_ms)
            listener.set(Option.MINVERSION, HSV5)
            if self._settings.srt_passphrase:
                listener.set(Option.PASSPHRASE, self._settings.srt_passphrase)
            listener.listen(address, _BACKLOG, self._asked)
            waiter.add(listener, Ready.IN | Ready.ERR, partial(self._arrived, waiter, listener))
        except SrtError as error:
            waiter.close(listener)
            if error.is_port_in_use:
                raise PortInUseError(f"UDP {address} is in use by another program") from None
            message = f"UDP {address} cannot be opened: {error.strerror}"
            raise ConfigError(message, code="address_refused") from None
        return listener

    # Who may come in

    def _asked(self, number: int, caller: Address, stream_id: str) -> int:
        """See libsrt.Ask. Called in another thread, so it looks and changes nothing of the places."""
        now_ns, publisher, feed_id = self.clock.now_ns(), Publisher("srt", str(caller)), ""
        try:
            feed_id, key = feed_and_key(stream_id)
            self.publications.check(feed_id, key, publisher)
        except RefusedError as error:
            refusal = self.publications.loggable(feed_id, error) if feed_id else str(error)
            self._complaints.add(f"{caller} was refused: {refusal}", now_ns)
            self._let_tell(feed_id, publisher, partial(self.publications.refused, error=error))
            return REJECTIONS[error.code]
        except LagebildError as error:  # the keys cannot be read
            self._complaints.add(f"{caller} could not be asked for its key: {error}", now_ns)
            unread = partial(self.publications.refused, error=keys_unreadable())
            self._let_tell(feed_id, publisher, unread)
            return Rejection.SERVER_ERROR
        if len(self._promised) < _PROMISED_MOST:
            self._promised[number] = _Promised(now_ns, feed_id, publisher)
        return 0

    def _let_tell(self, feed_id: str, publisher: Publisher, tell: Callable[[str, Publisher], None]) -> None:
        """In the loop, which is left alone where nothing would be told."""
        if self._loop is not None and self.publications.would_tell(feed_id, publisher):
            self._loop.call_soon_threadsafe(tell, feed_id, publisher)

    def _arrived(self, waiter: SrtWaiter, listener: SrtSocket, events: Ready) -> bool:
        if Ready.ERR in events:
            self._broken = True
            waiter.close(listener)
            return False
        try:
            while (accepted := listener.accept()) is not None:
                self._welcome(waiter, *accepted)
        except SrtError as error:
            log.debug("srt: somebody has left before being there: %s", error)
        return False

    def _welcome(self, waiter: SrtWaiter, sock: SrtSocket, address: Address) -> None:
        """Give it its place, unless somebody else has got that since it was let in."""
        self._promised.pop(sock.number, None)
        connection = _Connection(self, waiter, sock, address)
        try:
            connection.open(*feed_and_key(sock.stream_id()))
        except (LagebildError, SrtError) as error:
            self._complaints.add(f"{address} came too late: {error}", self.clock.now_ns())
            connection.leave()

    def _miss(self, now_ns: int, is_over: Callable[[int], bool]) -> None:
        """Tell of those who were let in and never came: of whom libsrt turned away itself, at once."""
        for number, promised in list(self._promised.items()):
            waited_ns = now_ns - promised.since_ns
            if waited_ns < _TICK_NS or (waited_ns < _ARRIVAL_NS and not is_over(number)):
                continue
            self._promised.pop(number, None)
            secret = "has the same passphrase" if self._settings.srt_passphrase else "sets no passphrase"
            what = f"has the key but could not connect: see that it {secret}"
            self._complaints.add(f"{promised.publisher.address} {what}", now_ns)
            self.publications.missed(
                promised.feed_id, promised.publisher, reason="passphrase_of_sender", what=what
            )


class _Connection:
    """One publisher. What it sends is published in the turn in which it is read."""

    def __init__(self, server: SrtServer, waiter: SrtWaiter, sock: SrtSocket, address: Address) -> None:
        self._server, self._waiter, self._socket = server, waiter, sock
        self._address = str(address)
        self._stream = TsStream()
        self._heard_ns = self._useful_ns = server.clock.now_ns()
        self._publication: Publication | None = None
        self._receiver = SrtReceiver(waiter, sock, self._take, self._ended, self._parting)

    def open(self, feed_id: str, key: str) -> None:
        """Take the feed's place. Raises RefusedError, SrtError."""
        self._publication = self._server.publications.open(
            feed_id, key, Publisher("srt", self._address), TsStream.TIMESTAMP_BITS, self._displaced
        )
        self._server.connections.add(self)
        self._waiter.add(self._socket, Ready.IN | Ready.ERR, self._receiver.readable)

    def tick(self, now_ns: int) -> None:
        """End what has lasted too long."""
        if now_ns - self._useful_ns < SILENCE_NS:
            return
        who, silence = f"the publisher at {self._address}", f"for {SILENCE_NS // NS_PER_S} s"
        if self._heard_ns > self._useful_ns:
            self.leave(reason="publisher_garbled", detail=f"{who} sent nothing of MPEG-TS {silence}")
        else:
            self.leave(reason="publisher_silent", detail=f"{who} sent nothing {silence}")

    def leave(self, reason: str = "publisher_left", detail: str = "") -> None:
        """Hang up, and give the place back."""
        self._server.connections.discard(self)
        self._receiver.close()
        publication, self._publication = self._publication, None
        if publication is not None:
            publication.close(reason, detail)

    def _take(self, datagram: bytes) -> None:
        now_ns = self._heard_ns = self._server.clock.now_ns()
        for event in self._stream.handle(datagram, self._address, now_ns):
            if not isinstance(event, Unusable):
                self._useful_ns = now_ns
            if self._publication is not None:
                self._publication.publish(event, now_ns)

    def _parting(self) -> None:
        if self._publication is not None:
            self._publication.is_leaving = True

    def _ended(self, error: Exception) -> None:
        if not isinstance(error, SrtError):
            log.error("srt: what %s sent could not be handled", self._address, exc_info=error)
        self.leave()

    def _displaced(self, _: str) -> None:
        self._publication = None
        self.leave()
