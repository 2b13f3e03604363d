"""Publishers whose RTP comes over a transport of another room: WHIP, through the relay."""

from __future__ import annotations

from collections.abc import Callable

from flow.doors import RtpPublication, RtpPublisher

from .protocol.rtp_stream import RtpStream, VideoFormat
from .publications import Publication, Publications, Publisher


def accept_rtp(
    publications: Publications, feed_id: str, key: str, sender: RtpPublisher, displaced: Callable[[], None]
) -> RtpPublication:
    """See flow/doors.py PublishDoor. Raises RefusedError."""
    publisher = Publisher(sender.protocol, sender.address)
    publication = publications.open(feed_id, key, publisher, RtpStream.TIMESTAMP_BITS, displaced)
    return _RtpPublication(publication, VideoFormat(sender.codec, sender.payload_type))


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
