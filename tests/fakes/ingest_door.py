"""An ingest that keeps what publishers bring: what it was handed, whom it let in, and who came to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flow.doors import RtpClaim, RtpPublication
from flow.errors import RefusedError
from flow.units import Codec

from .derived_keys import DerivedKeys


@dataclass(slots=True)
class FakePublication:
    """A flow.doors.RtpPublication."""

    address: str
    codec: Codec
    payload_type: int
    displaced: Callable[[str], None]
    taken: list[bytes] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)

    def take(self, datagram: bytes, now_ns: int) -> None:
        self.taken.append(datagram)

    def close(self, reason: str = "publisher_left", detail: str = "") -> None:
        self.closed.append((reason, detail))


@dataclass(slots=True)
class FakeClaim:
    """A flow.doors.RtpClaim."""

    ingest: FakeIngest
    address: str

    def take(self, codec: Codec, payload_type: int, displaced: Callable[[str], None]) -> RtpPublication:
        if self.ingest.refuse:
            raise self.ingest.refuse
        self.ingest.publications.append(FakePublication(self.address, codec, payload_type, displaced))
        return self.ingest.publications[-1]

    def drop(self, reason: str, detail: str) -> None:
        self.ingest.dropped.append((reason, detail))


@dataclass(slots=True)
class FakeIngest:
    """A flow.doors.PublishDoor for every feed; the key of each is "k-FEED". `refuse` instead, if set."""

    refuse: RefusedError | None = None
    publications: list[FakePublication] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)

    def admit_rtp(self, feed_id: str, key: str, address: str) -> RtpClaim:
        DerivedKeys().check(feed_id, key)
        if self.refuse:
            raise self.refuse
        return FakeClaim(self, address)
