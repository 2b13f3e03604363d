"""Who publishes by WHIP (RFC 9725): from the offer, by the connection, to the feed's place."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from flow.bus import Bus
from flow.clock import Clock
from flow.doors import Answer, PublishDoor, RtpClaim, entity_tag
from flow.errors import OfferError

from .aiortc_seam import read_offer
from .answer import Local
from .limits import Limits
from .peer import Lapse, Peer
from .port import origin_of
from .publish_answer import SETUP, Accepted, choose_video, publish_answer_sdp
from .publisher import Publisher
from .sdp import Offer, checked_offer
from .sessions import Sessions
from .settings import RelaySettings

log = logging.getLogger("lagebild.relay")


class Publishers:
    """Opens their sessions. The feed's place is looked at with the offer, and taken by who has connected: an
    offer alone, or one whose network never connects, ends nobody's picture."""

    def __init__(
        self, bus: Bus, clock: Clock, settings: RelaySettings, ingest: PublishDoor, sessions: Sessions
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._ingest = ingest
        self._sessions = sessions
        self._limits = Limits(settings, "publishers")
        self.by_id: dict[str, Publisher] = {}

    def open(
        self,
        feed_id: str,
        key: str,
        offer_sdp: str,
        client_address: str,
        local_for: Callable[[Peer, str], Local],
    ) -> Answer:
        """See flow.doors.RelayDoor. `local_for` says where that peer finds us, as which side of DTLS."""
        self._limits.check_address(self.by_id.values(), client_address)
        claim = self._ingest.admit_rtp(feed_id, key, client_address)
        self._limits.check_feed(self.by_id.values(), feed_id)
        offer, accepted = _read(offer_sdp, claim)
        session_id = secrets.token_urlsafe(16)
        origin, now_ns = origin_of(client_address), self._clock.now_ns()
        publisher = Publisher(session_id, feed_id, origin, accepted, now_ns, claim=claim)
        local = local_for(publisher, SETUP[accepted.remote.setup])
        sdp = publish_answer_sdp(offer, accepted, local, secrets.randbits(62))
        self.by_id[session_id] = publisher
        self._sessions.begin(
            publisher,
            lambda: publisher.serve(self._bus, self._clock, lambda why: self._displace(publisher, why)),
            lambda why: self._over(publisher, why),
        )
        log.info("feed %s: publisher %s comes from %s", feed_id, publisher.name, client_address)
        return Answer(session_id, sdp, entity_tag(session_id))

    def _displace(self, publisher: Publisher, why: str) -> None:
        self._sessions.end(publisher, Lapse("publisher_left", f"was sent off: {why}"))

    def _over(self, publisher: Publisher, why: Lapse) -> None:
        del self.by_id[publisher.session_id]
        publisher.leave(why)
        log.info("feed %s: publisher %s %s", publisher.feed_id, publisher.name, why.text)


def _read(offer_sdp: str, claim: RtpClaim) -> tuple[Offer, Accepted]:
    """What is offered, and what of it is taken; the feed is told where nothing can be."""
    try:
        offer = read_offer(checked_offer(offer_sdp, watches=False))
        return offer, choose_video(offer)
    except OfferError as error:
        claim.drop(error.code, str(error))
        raise
