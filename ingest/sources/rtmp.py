"""The RTMP server: one port, many publishers, each with the place that its key gives it."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Any

from flow.clock import NS_PER_MS, Clock
from flow.errors import ConfigError, LagebildError, MalformedError, PortInUseError, RefusedError
from ingest.complaints import Complaints
from ingest.protocol.admission import Antechamber
from ingest.protocol.rtmp.handshake import NONCE_BYTES
from ingest.protocol.rtmp.session import Event, PublishRequested, PublishSession, State, Unpublished
from ingest.publications import Publication, Publications, Publisher, keys_unreadable
from ingest.settings import PublishSettings

WAITING_MOST = 64
WAITING_PER_ORIGIN = 16
"""Connections that publish nothing (yet), altogether and from one address or IPv6 /64; as many as there are
feeds, if these are more, for all may come back at once. Who publishes does not count: each has a feed."""

_TICK_NS = 250 * NS_PER_MS
_READ_BYTES = 8 * 1024
"""Taken from one publisher in a turn of the loop. The worst there is to make of it, messages of a few bytes,
takes 10 ms; a picture of 20 kB takes three turns."""

_UNSENT_MOST_BYTES = 64 * 1024
_TIMESTAMP_BITS = 64  # unwrapped by the session


class RtmpServer:
    """See ingest/serving.py Server."""

    def __init__(self, publications: Publications, settings: PublishSettings, clock: Clock) -> None:
        self.publications = publications
        self.clock = clock
        self._settings = settings
        self._connections: set[_Connection] = set()
        feeds = publications.count("rtmp")
        self._waiting = Antechamber[_Connection](
            most_of_one=max(WAITING_PER_ORIGIN, feeds), most=max(WAITING_MOST, feeds)
        )
        self._complaints = Complaints("rtmp")

    async def run(self) -> None:
        listener = await self._listening()
        host, port = listener.sockets[0].getsockname()[:2]
        try:
            self.publications.available("rtmp", f"rtmp://{_printed(host, port)}/live")
            while True:
                await self.clock.sleep_until(self.clock.now_ns() + _TICK_NS)
                now_ns = self.clock.now_ns()
                for connection in list(self._connections):
                    connection.tick(now_ns)
        finally:
            listener.close()
            for connection in list(self._connections):
                connection.abort()
            await asyncio.sleep(0)  # the turn in which their ends are told

    async def _listening(self) -> asyncio.Server:
        hosts, port = self._settings.hosts, self._settings.rtmp_port
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(lambda: _Connection(self), list(hosts) or None, port)
        except OSError as error:
            where = f"TCP {', '.join(hosts) or 'all addresses'}, port {port}"
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(f"{where} is in use by another program") from None
            message = f"{where} cannot be opened: {error.strerror or error}"
            raise ConfigError(message, code="address_refused") from None

    def admit(self, connection: _Connection) -> None:
        """It is there, and publishes nothing (any more): where there are too many of these, one is closed."""
        self._connections.add(connection)
        leaving = self._waiting.enter(connection, self.clock.now_ns())
        if leaving is not None:
            self.complain(
                f"{leaving.host} holds connections and publishes nothing: one yields to a newer one"
            )
            leaving.abort()

    def publishes(self, connection: _Connection) -> None:
        """It is about to have a feed's place."""
        self._waiting.leave(connection)

    def forget(self, connection: _Connection) -> None:
        """It is closed."""
        self._connections.discard(connection)
        self._waiting.leave(connection)

    def complain(self, line: str) -> None:
        """Log what a publisher did wrong, a line a second at most."""
        self._complaints.add(line, self.clock.now_ns())


class _Connection(asyncio.BufferedProtocol):
    """One publisher. What it sends is published in the turn in which it is read."""

    def __init__(self, server: RtmpServer) -> None:
        self.host = ""
        self._server = server
        self._clock = server.clock
        self._address = ""
        self._buffer = bytearray(_READ_BYTES)
        self._view = memoryview(self._buffer)
        self._session = PublishSession(os.urandom(NONCE_BYTES), self._clock.now_ns())
        self._publication: Publication | None = None
        self._has_spoken = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.host, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        self._address = _printed(self.host, port)
        self._server.admit(self)

    @property
    def is_promising(self) -> bool:
        """See ingest/protocol/admission.py Visitor."""
        return self._has_spoken and self._session.state is not State.REFUSED

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        now_ns = self._clock.now_ns()
        self._has_spoken = True
        try:
            for event in self._session.receive(bytes(self._view[:nbytes]), now_ns):
                self._take(event, now_ns)
        except MalformedError as error:
            self._server.complain(f"{self._address} does not speak RTMP as it should: {error}")
            self._leave(
                reason="publisher_garbled",
                detail=f"the publisher at {self._address} broke its protocol: {error}",
            )
            self.abort()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.forget(self)
        broke = f"the connection of {self._address} broke: {exc}" if exc else ""
        self._leave("publisher_left", broke)

    def tick(self, now_ns: int) -> None:
        """End what has lasted too long."""
        if late := self._session.overdue(now_ns):
            self._leave(reason="publisher_silent", detail=f"the publisher at {self._address}: {late}")
            self.abort()

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def _take(self, event: Event, now_ns: int) -> None:
        match event:
            case PublishRequested(feed_id, key):
                self._ask(feed_id, key, now_ns)
            case Unpublished():
                self._leave()
                self._server.admit(self)
            case _ if self._publication is not None:
                self._publication.publish(event, now_ns)

    def _ask(self, feed_id: str, key: str, now_ns: int) -> None:
        """Accept the publisher, or tell it why not, before any media is read."""
        publisher = Publisher("rtmp", self._address)
        self._server.publishes(self)
        try:
            self._publication = self._server.publications.open(
                feed_id, key, publisher, _TIMESTAMP_BITS, self._displaced
            )
        except RefusedError as error:
            refusal = self._server.publications.loggable(feed_id, error)
            self._server.complain(f"{self._address} was refused: {refusal}")
            self._server.publications.refused(feed_id, publisher, error)
            self._refuse(str(error))
        except LagebildError as error:  # the keys cannot be read
            self._server.complain(f"{self._address} could not be asked for its key: {error}")
            unread = keys_unreadable()
            self._server.publications.refused(feed_id, publisher, unread)
            self._refuse(str(unread))
        else:
            self._session.accept(now_ns)

    def _displaced(self, why: str) -> None:
        self._publication = None
        self._refuse(why)
        self._send()

    def _refuse(self, why: str) -> None:
        self._session.refuse(why, self._clock.now_ns())
        self._server.admit(self)

    def _leave(self, reason: str = "publisher_left", detail: str = "") -> None:
        publication, self._publication = self._publication, None
        if publication is not None:
            publication.close(reason, detail)

    def _send(self) -> None:
        """Send what the session has to say. One that asks and never reads is cut off."""
        if self._transport.is_closing():
            return
        if output := self._session.data_to_send():
            self._transport.write(output)
        if self._transport.get_write_buffer_size() > _UNSENT_MOST_BYTES:
            self.abort()
        elif output and self._session.state is State.REFUSED:
            self._transport.write_eof()  # closing now could lose what it is to read


def _printed(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
