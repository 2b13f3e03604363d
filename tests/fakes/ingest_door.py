"""An ingest that keeps what publishers bring: what it was handed, and whom it let in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flow.doors import RtpPublication, RtpPublisher
from flow.errors import RefusedError

from .derived_keys import DerivedKeys


@dataclass(slots=True)
class FakePublication:
    """A flow.doors.RtpPublication."""

    publisher: RtpPublisher
    displaced: Callable[[], None]
    taken: list[bytes] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)

    def take(self, datagram: bytes, now_ns: int) -> None:
        self.taken.append(datagram)

    def close(self, reason: str = "publisher_left", detail: str = "") -> None:
        self.closed.append((reason, detail))


@dataclass(slots=True)
class FakeIngest:
    """A flow.doors.PublishDoor for every feed; the key of each is "k-FEED". `refuse` instead, if set."""

    refuse: RefusedError | None = None
    publications: list[FakePublication] = field(default_factory=list)

    def accept_rtp(
        self, feed_id: str, key: str, publisher: RtpPublisher, displaced: Callable[[], None]
    ) -> RtpPublication:
        DerivedKeys().check(feed_id, key)
        if self.refuse:
            raise self.refuse
        self.publications.append(FakePublication(publisher, displaced))
        return self.publications[-1]
