"""Publishers that come to us (RTMP, SRT, WHIP): who may send to which feed, and who does now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flow.clock import NS_PER_S, Clock
from flow.doors import KeyDoor
from flow.errors import LagebildError, RefusedError, UnavailableError

from .protocol.events import Gone, Opened, SourceEvent, WaysOff
from .settings import PUSHED, FeedSource
from .ways import Ways

SILENT_NS = 2 * NS_PER_S
"""A publisher this long silent is taken for one whose connection broke unnoticed: it yields to any other."""

TELL_EVERY_NS = NS_PER_S
"""So often at most a feed tells of a publisher that may not send, however many come."""


def keys_unreadable() -> UnavailableError:
    """What a publisher and its feed are told in place of the error: what it says is not for strangers."""
    return UnavailableError("the server cannot check keys just now", code="keys_unreadable")


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who wants to send: by which `protocol`, a URL scheme, and from which `address` ("192.0.2.7:51234", or
    only "192.0.2.7")."""

    protocol: str
    address: str

    @property
    def host(self) -> str:
        """Its address without the port, which differs at every try."""
        has_port = self.address.startswith("[") or self.address.count(":") == 1
        return self.address.rpartition(":")[0] if has_port else self.address


class Publication:
    """One publisher's place on one feed, from its acceptance to `close()`, or until another one takes it."""

    def __init__(
        self, place: Place, publisher: Publisher, displaced: Callable[[str], None], key: str
    ) -> None:
        self.publisher = publisher
        self.key = key
        """With which it came: secret."""
        self.heard_ns = 0
        self.is_leaving = False
        """It has hung up, and what is still on its way is waited for: it yields to any other."""
        self._place = place
        self._displaced = displaced

    @property
    def is_open(self) -> bool:
        return self._place.holder is self

    def publish(self, event: SourceEvent, now_ns: int) -> None:
        """Hand on what came; nothing once the place is another's."""
        self.heard_ns = now_ns
        if self.is_open:
            self._place.tell(event)

    def close(self, reason: str = "publisher_left", detail: str = "") -> None:
        """The publisher is gone. `reason` is a code of the UI catalogue, `detail` one line."""
        if self.is_open:
            self._place.holder = None
            self._place.tell(Gone(reason, detail or f"the publisher at {self.publisher.address} has left"))

    def displace(self, why: str) -> None:
        """The place is this publisher's no more; `why` is a line for it."""
        self._displaced(why)


class Place:
    """One pushed feed: its source listens by `tell` while it runs."""

    def __init__(self, source: FeedSource, ways: Ways) -> None:
        self.source = source
        self.protocols = PUSHED[source.url]
        self.holder: Publication | None = None
        self.tells_from_ns = 0
        """When it tells again of somebody who may not send."""
        self._listener: Callable[[SourceEvent], None] | None = None
        self._ways = ways
        self._told_off: dict[str, str] = {}

    def tell(self, event: SourceEvent) -> None:
        if self._listener is not None:
            self._listener(event)

    def attach(self, listener: Callable[[SourceEvent], None]) -> None:
        self._listener = listener
        self.tell_ways()

    def tell_ways(self) -> None:
        """Where publishers can come to, and why not by other ways; that it waits, only if nobody sends."""
        if self._listener is None:
            return
        off = self._ways.off(self.protocols)
        if off != self._told_off:
            self._told_off = off
            self.tell(WaysOff(off))
        if self.holder is None:
            self.tell(self._ways.waiting(self.protocols))

    def detach(self) -> None:
        self._listener = None

    @property
    def is_attached(self) -> bool:
        return self._listener is not None


class Publications:
    """The places of all pushed feeds. Raises RefusedError where a publisher may not have one."""

    def __init__(self, sources: Iterable[FeedSource], keys: KeyDoor, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._ways = Ways()
        self.told: Callable[[str, Publisher], None] = lambda feed_id, publisher: None
        """Called with the feed whenever somebody begins to send."""
        self._places = {
            source.feed_id: Place(source, self._ways) for source in sources if source.url in PUSHED
        }

    def protocols(self) -> frozenset[str]:
        """By which protocols somebody may come."""
        return frozenset().union(*(place.protocols for place in self._places.values()))

    def count(self, protocol: str) -> int:
        """How many feeds somebody may bring pictures to by `protocol`."""
        return sum(protocol in place.protocols for place in self._places.values())

    def place(self, feed_id: str) -> Place:
        return self._places[feed_id]

    def check(self, feed_id: str, key: str, publisher: Publisher) -> Place:
        """The place that `publisher` could have now. It is only looked at, so any thread may ask.

        The key comes first: who has none learns nothing of a feed, not even whether it exists.
        """
        self._keys.check(feed_id, key)
        place = self._places.get(feed_id)
        if place is None or publisher.protocol not in place.protocols or not place.is_attached:
            by = f"not by {publisher.protocol}" if place else "not from a publisher"
            raise RefusedError(
                f"feed '{feed_id}' takes its pictures {by}: see `source` in its settings", code="not_pushed"
            )
        holder = place.holder
        if holder is None or place.source.takeover or holder.is_leaving:
            return place
        if self._clock.now_ns() - holder.heard_ns >= SILENT_NS:
            return place
        address = holder.publisher.address
        raise RefusedError(f"feed '{feed_id}' has a publisher already, at {address}", code="feed_busy")

    def open(
        self, feed_id: str, key: str, publisher: Publisher, bits: int, displaced: Callable[[str], None]
    ) -> Publication:
        """Give `publisher` the feed's place; its timestamps wrap at `bits`. `displaced` is called once, and
        told why, if another one takes it over or the key is withdrawn.
        """
        place = self.check(feed_id, key, publisher)
        holder, place.holder = place.holder, None
        if holder is not None:
            holder.displace("another publisher has taken this feed over")
        publication = place.holder = Publication(place, publisher, displaced, key)
        self.told(feed_id, publisher)
        publication.publish(Opened(f"{publisher.protocol}://{publisher.address}", bits), self._clock.now_ns())
        return publication

    def refused(self, feed_id: str, publisher: Publisher, error: LagebildError) -> None:
        """Let a feed that nobody sends to tell why `publisher` may not; its own thread only (the loop's)."""
        self.missed(feed_id, publisher, error.code, f"was refused: {error}")

    def missed(self, feed_id: str, publisher: Publisher, reason: str, what: str) -> None:
        """Let a feed that nobody sends to tell what became of `publisher`; its own thread only."""
        if self.would_tell(feed_id, publisher):
            place = self._places[feed_id]
            place.tells_from_ns = self._clock.now_ns() + TELL_EVERY_NS
            place.tell(Gone(reason, f"a publisher at {publisher.host} {what}"))

    def would_tell(self, feed_id: str, publisher: Publisher) -> bool:
        """Whether that feed would tell of somebody who comes as `publisher` and may not send. It is only
        looked at, so any thread may ask."""
        place = self._places.get(feed_id)
        if place is None or place.holder is not None or publisher.protocol not in place.protocols:
            return False
        return self._clock.now_ns() >= place.tells_from_ns

    def dismiss(self, feed_id: str) -> None:
        """Cut off whoever sends to a feed: its keys were withdrawn."""
        place = self._places.get(feed_id)
        if place is None or place.holder is None:
            return
        holder, place.holder = place.holder, None
        line = f"the publisher at {holder.publisher.address} was cut off: its key is withdrawn"
        place.tell(Gone("key_withdrawn", line))
        holder.displace("its key was withdrawn")

    def key_in_use(self, feed_id: str) -> str:
        """With which whoever sends to a feed has come: secret; "": nobody sends."""
        place = self._places.get(feed_id)
        return "" if place is None or place.holder is None else place.holder.key

    def loggable(self, feed_id: str, refusal: RefusedError) -> str:
        """What of a refusal may be written down: not what stands for the feed, where it is none. It may be
        the key."""
        return str(refusal) if feed_id in self._places else f"no feed of ours was named ({refusal.code})"

    def unavailable(self, protocol: str, error: LagebildError) -> None:
        """Nobody can come by `protocol`, for this reason."""
        if self._ways.close(protocol, error):
            self._tell_ways(protocol)

    def available(self, protocol: str, address: str) -> None:
        """Publishers can come by `protocol` now, to `address`."""
        self._ways.open(protocol, address)
        self._tell_ways(protocol)

    def _tell_ways(self, protocol: str) -> None:
        for place in self._places.values():
            if protocol in place.protocols:
                place.tell_ways()
