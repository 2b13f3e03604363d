"""Publishers whose RTP comes over a transport of another room: WHIP, through the relay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flow.clock import Clock
from flow.doors import RtpClaim, RtpPublication
from flow.errors import ConfigError, RefusedError
from flow.units import Codec

from .complaints import Complaints
from .protocol.rtp_stream import RtpStream, VideoFormat
from .publications import Publication, Publications, Publisher, keys_unreadable

_LINE_MOST = 300
"""Characters of what a publisher came to nothing by: its own offer may be quoted in it."""


class WhipDesk:
    """See flow/doors.py PublishDoor."""

    def __init__(self, publications: Publications, clock: Clock) -> None:
        self.publications = publications
        self._clock = clock
        self._complaints = Complaints("whip")

    def admit_rtp(self, feed_id: str, key: str, address: str) -> RtpClaim:
        claim = _Claim(self, feed_id, key, Publisher("whip", address))
        claim.check()
        return claim

    def complain(self, line: str) -> None:
        self._complaints.add(line, self._clock.now_ns())


class _Claim:
    def __init__(self, desk: WhipDesk, feed_id: str, key: str, publisher: Publisher) -> None:
        self._desk, self._publications = desk, desk.publications
        self._feed_id, self._key, self._publisher = feed_id, key, publisher

    def check(self) -> None:
        with self._told_of():
            self._publications.check(self._feed_id, self._key, self._publisher)

    def take(self, codec: Codec, payload_type: int, displaced: Callable[[str], None]) -> RtpPublication:
        with self._told_of():
            publication = self._publications.open(
                self._feed_id, self._key, self._publisher, RtpStream.TIMESTAMP_BITS, displaced
            )
        return _RtpPublication(publication, VideoFormat(codec, payload_type))

    def drop(self, reason: str, detail: str) -> None:
        line = " ".join(detail.split())[:_LINE_MOST]
        self._publications.missed(self._feed_id, self._publisher, reason, f"got no further: {line}")

    @contextmanager
    def _told_of(self) -> Iterator[None]:
        """Whoever is refused is told of by the log and the feed's state."""
        host = self._publisher.host
        try:
            yield
        except RefusedError as error:
            refusal = self._publications.loggable(self._feed_id, error)
            self._desk.complain(f"{host} was refused: {refusal}")
            self._publications.refused(self._feed_id, self._publisher, error)
            raise
        except ConfigError as error:  # what of them cannot be read is not for strangers
            self._desk.complain(f"{host} could not be asked for its key: {error}")
            unread = keys_unreadable()
            self._publications.refused(self._feed_id, self._publisher, unread)
            raise unread from None


class _RtpPublication:
    def __init__(self, publication: Publication, video: VideoFormat) -> None:
        self._publication = publication
        self._stream = RtpStream(video)

    def take(self, datagram: bytes, now_ns: int) -> None:
        sender = self._publication.publisher.address
        for event in self._stream.handle(datagram, sender, now_ns):
            self._publication.publish(event, now_ns)

    def close(self, reason: str = "publisher_left", detail: str = "") -> None:
        self._publication.close(reason, detail)
