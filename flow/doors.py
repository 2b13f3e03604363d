"""Doors: request and reply between rooms. `web` wires them; rooms call them and never each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from .errors import RefusedError
from .flights import Ellipse
from .samples import Place
from .units import Codec, Rendition, UtcOrigin


@dataclass(frozen=True, slots=True)
class Answer:
    """An accepted WHEP or WHIP session: its unguessable id, the SDP answer, and the entity tag for PATCH."""

    session_id: str
    sdp: str
    etag: str


@dataclass(frozen=True, slots=True)
class ViewerReport:
    """What the relay knows of one viewer; None is what its receiver has not told (yet).

    `session_id` is the key that ends the session: whoever shows a report shortens it. `connected_ms` counts
    from the offer, so the time of connecting is in it. `loss` is the share (0 to 1) of the last receiver
    reports, `estimated_bps` what the receiver believes its way to carry (REMB). `sent_packets` counts
    first sendings, `resent_packets` those it asked for again. A viewer that is `catching_up` (it has just
    joined, or its way was too slow) has `backlog_bytes` still to come.
    """

    session_id: str
    feed_id: str
    state: str  # "connecting" | "connected"
    connected_ms: float
    pictures_sent: int
    pictures_dropped: int
    bytes_sent: int
    since_ns: int = 0  # when the session was opened, Lagebild time
    path: Literal["udp", "tcp", ""] = ""  # "": not known
    loss: float | None = None
    rtt_ms: float | None = None
    jitter_ms: float | None = None
    estimated_bps: float | None = None
    sent_packets: int = 0
    resent_packets: int = 0
    catching_up: bool = False
    backlog_bytes: int = 0
    rendition: Rendition = Rendition.SOURCE
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class RenditionChosen:
    """Which rendition of its feed a viewer is sent, and which it is being moved to (the same if it is not).

    `pinned` is what somebody has chosen of `choices`, the best first; None: its way decides.
    """

    rendition: Rendition
    target: Rendition
    pinned: Rendition | None
    choices: tuple[Rendition, ...]


@dataclass(frozen=True, slots=True)
class FeedTraffic:
    """What the relay has sent of one feed since it started; viewers that have left are in it and stay in it.

    `nacked_packets` were asked for again (RFC 4585 6.2.1), resent or not; `keyframe_requests` are picture
    loss indications and full intra requests (RFC 4585 6.3.1, RFC 5104 4.3.1).
    """

    feed_id: str
    bytes_sent: int = 0
    sent_packets: int = 0
    resent_packets: int = 0
    pictures_dropped: int = 0
    nacked_packets: int = 0
    keyframe_requests: int = 0


class RelayDoor(Protocol):
    """What `web` asks of the relay (draft-ietf-wish-whep, RFC 9725)."""

    async def answer(self, feed_id: str, offer_sdp: str, client_address: str = "") -> Answer:
        """Open a viewer session for the IP address that asks ("": not known, not limited).

        Raises NotFoundError for an unknown feed, OfferError for a bad offer, BusyError where the feed has its
        most viewers, TooManyError where this address has.
        """
        ...

    async def publish(self, feed_id: str, key: str, offer_sdp: str, client_address: str = "") -> Answer:
        """Open a publisher's session, whose pictures go to the feed.

        The key and the place are checked before the offer is read, and again when the publisher has
        connected: only then it takes the place. Raises RefusedError and UnavailableError (PublishDoor),
        OfferError, UnacceptableError for an offer without H.264 or H.265, BusyError, and TooManyError where
        this address has its most sessions that are still connecting.
        """
        ...

    async def trickle(self, session_id: str, fragment: str) -> None:
        """Add the candidates of an SDP fragment (RFC 8840). Raises NotFoundError, OfferError."""
        ...

    async def close(self, session_id: str) -> None:
        """End a session and free all it holds. Raises NotFoundError."""
        ...

    def end(self, session_id: str) -> None:
        """End a session now: nothing more is sent when this returns. Harmless for one that has ended."""
        ...

    def attend(self, session_id: str, over: Callable[[], None]) -> None:
        """Call `over` once, as soon as that viewer's session has ended, however it does. Raises
        NotFoundError."""
        ...

    def check_publisher(self, session_id: str, feed_id: str) -> None:
        """Raises NotFoundError for a session that brings no pictures to that feed."""
        ...

    def rendition(self, session_id: str) -> RenditionChosen:
        """What that viewer is sent. Raises NotFoundError."""
        ...

    def choose(self, session_id: str, rendition: Rendition | None) -> RenditionChosen:
        """Pin that viewer to a rendition, or (None) let its way decide again; it moves at the next keyframe.

        Raises NotFoundError, and LagebildError with the code "not_a_choice" for what it cannot be sent.
        """
        ...

    def follow(self, session_id: str, told: Callable[[RenditionChosen], None]) -> Callable[[], None]:
        """Call `told` now and at every change, until the session ends or what this returns is called.

        Raises NotFoundError.
        """
        ...

    def viewers(self) -> list[ViewerReport]:
        """Every open session."""
        ...

    def traffic(self) -> list[FeedTraffic]:
        """Every feed, watched or not."""
        ...

    def refused(self) -> dict[str, int]:
        """What came to the relay's port, or was to leave by it, and did not pass: how often, by reason."""
        ...


class KeyDoor(Protocol):
    """Who may publish: each feed has keys, made by `lagebild key`, shown once and kept as hashes. Any thread
    may ask."""

    def check(self, feed_id: str, key: str) -> None:
        """Raises RefusedError: "key_missing", "key_wrong" (the feed may not even exist), "key_foreign" (the
        key is another feed's)."""
        ...


class NoKeys:
    """A KeyDoor without any key: nobody may publish."""

    def check(self, feed_id: str, key: str) -> None:
        raise RefusedError(f"feed '{feed_id}': there are no keys", code="key_wrong")


class RtpPublication(Protocol):
    """A publisher's place on a feed, for one that sends RTP over a transport of another room (WHIP)."""

    def take(self, datagram: bytes, now_ns: int) -> None:
        """One packet, RTP or RTCP (RFC 5761), unprotected; RTP in the order of its sequence numbers, as far
        as it came."""
        ...

    def close(self, reason: str = "publisher_left", detail: str = "") -> None:
        """The publisher has gone: a code of the UI catalogue, and one line ("": the usual one)."""
        ...


@dataclass(frozen=True, slots=True)
class Still:
    """One decoded picture in full resolution, as a JPEG that carries its time and place (EXIF 2.32).

    `utc_ns` is when it was taken: the camera's time, or its arrival less the configured air link, as
    `utc_origin` says. `age_ms` counts from there to the moment it was handed out. `warm`: the newest picture
    there was; else the newest keyframe.
    """

    feed_id: str
    jpeg: bytes
    utc_ns: int
    utc_origin: UtcOrigin
    age_ms: float
    width_px: int
    height_px: int
    warm: bool


class RtpClaim(Protocol):
    """A publisher by WHIP that may have a feed's place, and has not connected yet: it takes nobody's before
    it has."""

    def take(self, codec: Codec, payload_type: int, displaced: Callable[[str], None]) -> RtpPublication:
        """Give it the place: it is connected, and will send `codec` in the packets of `payload_type`.

        `displaced` is called once, and told why, if the place is taken away again. Raises what `admit_rtp`
        does: the key may have been withdrawn since, or the place be another's by now.
        """
        ...

    def drop(self, reason: str, detail: str) -> None:
        """It comes to nothing: a code of the UI catalogue, and one line."""
        ...


class PublishDoor(Protocol):
    """Where the relay brings what WHIP publishers send."""

    def admit_rtp(self, feed_id: str, key: str, address: str) -> RtpClaim:
        """Look whether a publisher at that IP address might have the feed's place now; nothing is taken.

        Raises RefusedError with the codes of KeyDoor, "not_pushed" (the feed takes its pictures otherwise)
        and "feed_busy", and UnavailableError where keys cannot be read. While nobody sends, the feed's state
        tells of it.
        """
        ...


class IngestDoor(PublishDoor, Protocol):
    """What others ask of ingest."""

    async def still(self, feed_id: str) -> Still:
        """The newest picture there is. Raises NotFoundError for an unknown feed, UnavailableError with
        "no_picture" (none has come yet) or "decoder_failed" (it cannot be decoded just now)."""
        ...


@dataclass(frozen=True, slots=True)
class GroundPoint:
    """Where a pixel meets the ground. `place.alt_msl_m` is the ground's height there, None where that is not
    known. `utc_ns` is the moment of the picture."""

    feed_id: str
    utc_ns: int
    place: Place
    slant_range_m: float
    error: Ellipse
    terrain: bool  # the ground is that of a height model; else flat at the height of the start


@dataclass(frozen=True, slots=True)
class CameraLook:
    """What a camera sees of the ground at `utc_ns`.

    `corners` are top left, top right, bottom right, bottom left of the picture; one that is above the horizon
    or too far to mean anything is where the ground is still `far_m` away, and `cut` says so. `centre` is None
    where the picture's middle meets no ground. Where nothing is known, `reason` is a code of the UI catalogue
    and all else is empty; a camera whose heading is known has its `bearing_deg` all the same.
    """

    feed_id: str
    utc_ns: int
    reason: str = ""
    bearing_deg: float | None = None
    corners: tuple[Place, ...] = ()
    cut: bool = False
    centre: GroundPoint | None = None


class TelemetryDoor(Protocol):
    """What `web` asks of telemetry."""

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        """Where that camera looked at that moment. Raises NotFoundError for an unknown feed."""
        ...

    def ground(self, feed_id: str, x: float, y: float, utc_ns: int) -> GroundPoint:
        """Where a point of the picture of that moment is; x and y from 0 (left, top) to 1.

        Raises NotFoundError for an unknown feed, UnlocatableError with the reason why it cannot be told.
        """
        ...


class NoPublishers:
    """A PublishDoor that leads nowhere: no feed takes publishers."""

    def admit_rtp(self, feed_id: str, key: str, address: str) -> RtpClaim:
        raise RefusedError(f"feed '{feed_id}' takes no publishers", code="not_pushed")


def entity_tag(session_id: str) -> str:
    """The entity tag of a session's one ICE session (RFC 9725 4.3.1): it is never restarted."""
    return f'"{session_id[:8]}"'
