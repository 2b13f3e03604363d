"""Encoders that listen for SRT, called by us: MPEG-TS with H.264 or H.265."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from flow.clock import Clock
from flow.errors import SourceError
from flow.lookup import look_up
from flow.reachable import RefusedAddressError
from ingest.libsrt import Address, Option, Ready, Rejection, SrtError
from ingest.protocol.events import Opened
from ingest.protocol.srt_address import SrtUrl
from ingest.protocol.ts_stream import TsStream
from ingest.srt_waiting import SrtReceiver, SrtWaiter, waiting

from . import Publish

CONNECT_MOST_MS = 3000
_RESOLVE_MOST_S = 10.0


@dataclass(frozen=True, slots=True)
class SrtSource:
    """One encoder."""

    url: SrtUrl
    clock: Clock

    async def run(self, publish: Publish) -> None:
        async with waiting() as waiter:
            call = _Call(self.url, self.clock, waiter, publish)
            try:
                call.begin(await _resolved(self.url))
                await call.ended
            finally:
                call.close()


async def _resolved(url: SrtUrl) -> Address:
    try:
        async with asyncio.timeout(_RESOLVE_MOST_S):
            found = await look_up(url.host, url.port, socket.SOCK_DGRAM)
    except RefusedAddressError as error:
        raise SourceError(f"{url.shown} cannot be reached: {error}", code="unreachable") from None
    except (OSError, UnicodeError):  # TimeoutError is an OSError; UnicodeError: a name that no host can have
        raise SourceError(
            f"{url.shown} cannot be reached: there is no such name", code="unreachable"
        ) from None
    return Address.of(found[0].address)


class _Call:
    """One connection. `ended` fails with the reason when it is over."""

    def __init__(self, url: SrtUrl, clock: Clock, waiter: SrtWaiter, publish: Publish) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._url, self._clock, self._waiter, self._publish = url, clock, waiter, publish
        self._socket = waiter.library.socket()
        self._stream = TsStream()
        self._receiver = SrtReceiver(waiter, self._socket, self._take, self._lost)
        self._peer = ""

    def begin(self, address: Address) -> None:
        """Raises SourceError."""
        self._peer = str(address)
        sock = self._socket
        try:
            sock.set(Option.CONNTIMEO, CONNECT_MOST_MS)
            sock.set(Option.RCVLATENCY, self._url.latency_ms)
            if self._url.stream_id:
                sock.set(Option.STREAMID, self._url.stream_id)
            if self._url.passphrase:
                sock.set(Option.PASSPHRASE, self._url.passphrase)
            self._waiter.add(sock, Ready.OUT | Ready.ERR, self._answered)
            sock.connect(address)
        except SrtError as error:
            raise SourceError(
                f"{self._url.shown} cannot be reached: {error.strerror}", code="unreachable"
            ) from None

    def close(self) -> None:
        """Hang up."""
        self._receiver.close()
        if not self.ended.cancel() and not self.ended.cancelled():
            self.ended.exception()  # seen, even where something else ended the call first

    def _answered(self, events: Ready) -> bool:
        if Ready.ERR in events:
            rejection = self._socket.rejection()
            self._receiver.close()
            self._fail(_refusal(self._url.shown, rejection))
            return False
        try:
            self._waiter.change(self._socket, Ready.IN | Ready.ERR, self._receiver.readable)
            self._publish(Opened(self._url.shown, TsStream.TIMESTAMP_BITS))
        except Exception as error:
            self._receiver.close()
            self._lost(error)
        return False

    def _take(self, datagram: bytes) -> None:
        for event in self._stream.handle(datagram, self._peer, self._clock.now_ns()):
            self._publish(event)

    def _lost(self, error: Exception) -> None:
        if isinstance(error, SrtError):
            error = SourceError(
                f"{self._url.shown} closed the connection, or it broke", code="connection_lost"
            )
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def _refusal(shown: str, rejection: int) -> SourceError:
    match rejection:
        case Rejection.BADSECRET | Rejection.UNSECURE:
            return SourceError(f"{shown} has another passphrase, or none", code="passphrase_wrong")
        case Rejection.TIMEOUT:
            detail = f"{shown} cannot be reached: no answer for {CONNECT_MOST_MS / 1000:g} s"
            return SourceError(detail, code="unreachable")
        case code:
            return SourceError(f"{shown} refuses the connection, with SRT's code {code}", code="srt_refused")
