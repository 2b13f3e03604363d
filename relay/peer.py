"""What viewers and publishers have in common: a session, its ICE and its DTLS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import NamedTuple

from .aiortc_seam import DtlsServer
from .port import Path
from .protocol.icelite import Credentials, IceLite
from .sdp import Transport


class Lapse(NamedTuple):
    """Why a session is over: a code, and the words for the log."""

    code: str
    text: str


class Peer(ABC):
    """One session. `client_origin` is where its offer came from, for the limit per address; media may come
    from elsewhere.
    """

    def __init__(
        self,
        session_id: str,
        feed_id: str,
        client_origin: str,
        remote: Transport,
        now_ns: int,
        *,
        dtls: type[DtlsServer] = DtlsServer,
    ) -> None:
        self.session_id = session_id
        self.feed_id = feed_id
        self.client_origin = client_origin
        self.opened_ns = now_ns
        self.credentials = Credentials.fresh()
        self.ice: IceLite[Path] = IceLite(
            self.credentials, Credentials(remote.ufrag, remote.password), now_ns
        )
        self.dtls = dtls(self._send_dtls, remote.fingerprints)
        self.tend_ns = now_ns  # when it should be tended next

    @property
    def name(self) -> str:
        """For the log: the session's id is a key, so only its beginning."""
        return self.session_id[:6]

    @property
    @abstractmethod
    def state(self) -> str:
        """ "connecting" or "connected"."""

    @property
    def failed(self) -> bool:
        """Whether a defect of ours makes it useless."""
        return False

    @abstractmethod
    def receive_media(self, datagram: bytes, path: Path, now_ns: int) -> None:
        """An SRTP or SRTCP packet; raises MalformedError for a signed one that is none."""

    @abstractmethod
    def tend(self, now_ns: int) -> None:
        """Say what is due to be said now and then; sets `tend_ns`."""

    def lapse(self, now_ns: int, connect_within_ns: int) -> Lapse | None:
        """Whether it never came, or is gone without a word."""
        if self.state == "connecting" and now_ns - self.opened_ns > connect_within_ns:
            return Lapse("not_connected", "never connected")
        if now_ns > self.ice.consent_until_ns:
            return Lapse("publisher_silent", "sent no consent for 30 s")
        if self.failed:
            return Lapse("internal", "cannot be sent to")
        return None

    def receive_check(self, datagram: bytes, path: Path, now_ns: int) -> None:
        """A STUN request for us (RFC 8445 7.3). The path in use may be another one then."""
        reply = self.ice.handle(datagram, path, path.address, now_ns)
        if reply is not None:
            path.send(reply)

    def path_closed(self, path: Path) -> None:
        """The path in use may be another one then."""
        self.ice.forget(path)

    def refused(self) -> Counter[str]:
        """What came in this peer's name and was not taken, by reason."""
        counts = self.ice.refused.copy()
        counts["dtls"] = self.dtls.refused
        return counts

    def _send_dtls(self, datagram: bytes) -> None:
        if self.ice.path is not None:
            self.ice.path.send(datagram)
