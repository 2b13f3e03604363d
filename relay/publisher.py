"""One publisher's session (WHIP, RFC 9725): its connection, and its video on the way to ingest."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.codec.rtp import is_rtcp
from flow.doors import RtpClaim, RtpPublication
from flow.errors import MalformedError
from flow.flights import KeyframeWanted

from .aiortc_seam import DtlsClient, DtlsServer
from .peer import Lapse, Peer
from .port import Path
from .protocol.pacer import TokenBucket
from .protocol.receiver import Receiver
from .publish_answer import Accepted
from .srtp import RECEIVE_WINDOW_PACKETS, SrtpIn, SrtpOut

REPAIR_EVERY_NS = 5 * NS_PER_MS
TEND_EVERY_NS = 100 * NS_PER_MS
SILENT_NS = 30 * NS_PER_S
"""Connected, but without video: as long as a connection is kept that is not checked."""

READ_BPS = 60_000_000
READ_AT_ONCE_BYTES = 2 * 1024 * 1024
"""Three times what is ever asked for, and a keyframe. What floods in above it is not even opened."""


EARLY_MOST = 256
"""Datagrams that are kept while the handshake ends: a DTLS server (ffmpeg) sends its first keyframe right
behind its last record."""


class Publisher(Peer):
    """Connects by ICE and DTLS, then takes the place that it has a `claim` to; from then on each packet goes
    there the moment it is its turn."""

    def __init__(
        self,
        session_id: str,
        feed_id: str,
        client_origin: str,
        accepted: Accepted,
        now_ns: int,
        *,
        claim: RtpClaim,
    ) -> None:
        dtls = DtlsClient if accepted.remote.setup == "passive" else DtlsServer
        super().__init__(session_id, feed_id, client_origin, accepted.remote, now_ns, dtls=dtls)
        self._video = accepted.video
        self._claim: RtpClaim | None = claim
        self._publication: RtpPublication | None = None
        self._receiver = Receiver(self._video, secrets.randbits(32))
        self._allowance = TokenBucket(READ_BPS, READ_AT_ONCE_BYTES)
        self._unread = 0  # datagrams above it
        self._video_ns = now_ns
        self._srtp_in: SrtpIn | None = None
        self._srtp_out: SrtpOut | None = None
        self._early: list[tuple[bytes, Path]] = []
        self._checked = asyncio.Event()
        self._gap = asyncio.Event()

    @property
    def state(self) -> str:
        return "connecting" if self._srtp_in is None else "connected"

    async def serve(self, bus: Bus, clock: Clock, displaced: Callable[[str], None]) -> None:
        """Until the publisher says goodbye; `displaced` is called once if another one takes its place.

        Raises RefusedError where the place is another's as it has connected, LagebildError where it cannot be
        connected.
        """
        if isinstance(self.dtls, DtlsClient):
            await self._checked.wait()
        keys = await self.dtls.handshake()
        self._take_place(displaced)
        self._srtp_out = SrtpOut(keys.profile, keys.ours)
        self._srtp_in = SrtpIn(keys.profile, keys.theirs, RECEIVE_WINDOW_PACKETS)
        self._video_ns = now_ns = clock.now_ns()
        early, self._early = self._early, []
        for datagram, path in early:
            with suppress(MalformedError):
                self.receive_media(datagram, path, now_ns)
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._repair(clock)),
                tasks.create_task(self._hear_wishes(bus, clock)),
            ]
            await self.dtls.closed()
            for task in beside:
                task.cancel()

    def lapse(self, now_ns: int, connect_within_ns: int) -> Lapse | None:
        if self.state == "connected" and now_ns - self._video_ns > SILENT_NS:
            return Lapse("publisher_silent", f"sent no video for {SILENT_NS // NS_PER_S} s")
        return super().lapse(now_ns, connect_within_ns)

    def receive_check(self, datagram: bytes, path: Path, now_ns: int) -> None:
        super().receive_check(datagram, path, now_ns)
        self._receiver.answered()
        if self.ice.checked:
            self._checked.set()

    def receive_media(self, datagram: bytes, path: Path, now_ns: int) -> None:
        if self._srtp_in is None:
            if len(self._early) < EARLY_MOST:
                self._early.append((datagram, path))
        elif not self._allowance.take(len(datagram), now_ns):
            self._unread += 1
        elif is_rtcp(datagram):
            self._take_rtcp(self._srtp_in.unprotect_rtcp(datagram), path, now_ns)
        else:
            self._take_rtp(self._srtp_in.unprotect_rtp(datagram), path, now_ns)

    def tend(self, now_ns: int) -> None:
        self.tend_ns = now_ns + TEND_EVERY_NS
        self._send_feedback(now_ns)

    def refused(self) -> Counter[str]:
        counts = super().refused()
        counts["srtp"] = self._srtp_in.refused if self._srtp_in else 0
        counts["media above its bound"] = self._unread
        counts["declined media"] = self._receiver.unread
        return counts

    def leave(self, why: Lapse) -> None:
        """The session is over: tell ingest, behind the last that came."""
        if self._publication is not None:
            self._hand_on(self._receiver.repair.flush(), self._video_ns)
            self._publication.close(why.code, f"the publisher by WHIP: {why.text}")
        elif self._claim is not None:
            self._claim.drop(why.code, why.text)

    def _take_place(self, displaced: Callable[[str], None]) -> None:
        claim, self._claim = self._claim, None  # whoever is refused now is told of by that
        assert claim is not None
        self._publication = claim.take(self._video.codec, self._video.payload_type, displaced)

    def _take_rtp(self, packet: bytes | None, path: Path, now_ns: int) -> None:
        if packet is None:
            return
        self.ice.heard(path, now_ns)
        due = self._receiver.take_rtp(packet, now_ns)
        if due:
            self._video_ns = now_ns
            self._hand_on(due, now_ns)
        if self._receiver.repair.waits:
            self._gap.set()
        self._send_feedback(now_ns)

    def _take_rtcp(self, compound: bytes | None, path: Path, now_ns: int) -> None:
        if compound is None:
            return
        self.ice.heard(path, now_ns)
        if self._receiver.take_rtcp(compound, now_ns):
            self._hand_on([compound], now_ns)

    def _hand_on(self, packets: list[bytes], now_ns: int) -> None:
        assert self._publication is not None
        for packet in packets:
            self._publication.take(packet, now_ns)

    def _send_feedback(self, now_ns: int) -> None:
        path = self.ice.path
        if self._srtp_out is None or path is None:
            return
        for compound in self._receiver.feedback(now_ns):
            path.send(self._srtp_out.protect_rtcp(compound))

    async def _repair(self, clock: Clock) -> None:
        """While something is missing: ask for it again, or give it up, when it is time."""
        while True:
            await self._gap.wait()
            now_ns = clock.now_ns()
            self._hand_on(self._receiver.expire(now_ns), now_ns)
            self._send_feedback(now_ns)
            if self._receiver.repair.waits:
                await clock.sleep_until(now_ns + REPAIR_EVERY_NS)
            else:
                self._gap.clear()

    async def _hear_wishes(self, bus: Bus, clock: Clock) -> None:
        """Viewers of the feed want a keyframe."""
        with bus.latest(KeyframeWanted, self.feed_id) as wishes:
            async for wish in wishes:
                if wish.utc_ns >= self.opened_ns:  # the bus keeps the last one
                    self._receiver.wish.wanted = True
                    self._send_feedback(clock.now_ns())
