"""One viewer session: its connection, its delivery, what its receiver tells us."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.doors import FeedTraffic, ViewerReport
from flow.errors import RemoteError

from .answer import Chosen
from .delivery import Delivery, Link, Sent
from .outlet import Outlet
from .peer import Peer
from .port import Path
from .protocol import rtcp
from .protocol.feedback import Feedback
from .protocol.layout import Shape
from .protocol.pacer import start_bps
from .protocol.paces import Paces
from .protocol.probe import ballast, heavy
from .seat import Seat
from .srtp import TAG_BYTES, SrtpIn, SrtpOut
from .stream import Stream

TEND_EVERY_NS = NS_PER_S
SILENT_NS = 10 * NS_PER_S
"""Browsers report once a second and check every few; GStreamer's first report may take 7.5 s."""


class Viewer(Peer):
    """Connects by ICE and DTLS, then has a `delivery`. Holds no picture of its own, only references."""

    def __init__(
        self, session_id: str, stream: Stream, client_origin: str, chosen: Chosen, now_ns: int
    ) -> None:
        super().__init__(session_id, stream.feed_id, client_origin, chosen.remote, now_ns)
        self.feedback = Feedback(stream.ssrc)
        self.sent = Sent()
        self.seat = Seat(chosen.payload_types, chosen.h265_limits, now_ns)
        self.delivery: Delivery | None = None
        self._stream = stream
        self._chosen = chosen
        self._srtp_in: SrtpIn | None = None
        self._srtp_out: SrtpOut | None = None

    @property
    def state(self) -> str:
        return "connecting" if self.delivery is None else "connected"

    @property
    def failed(self) -> bool:
        return self.delivery is not None and self.delivery.failed

    async def connect(self, outlet: Outlet, paces: Paces, clock: Clock) -> Delivery:
        """Wait for the DTLS handshake. Raises LagebildError where it fails."""
        keys = await self.dtls.handshake()
        path = self.ice.path
        if path is None:  # DTLS came by a path that was checked, and has closed since
            raise RemoteError("the viewer hung up as it was connected")
        self._srtp_out = SrtpOut(keys.profile, keys.ours)
        self._srtp_in = SrtpIn(keys.profile, keys.theirs)
        payload_type = self.seat.payload_types.get(self._stream.codec, self._chosen.payload_type)
        shape = Shape(payload_type, self._chosen.playout_delay_id, TAG_BYTES[keys.profile])
        link = Link(shape, self._srtp_out, path, outlet)
        pacer = paces.pacer_for(path.address[0], clock.now_ns(), self._start_bps(path))
        self.delivery = Delivery(self._stream, link, pacer, self.sent)
        return self.delivery

    def receive_check(self, datagram: bytes, path: Path, now_ns: int) -> None:
        super().receive_check(datagram, path, now_ns)
        self._follow_path()

    def path_closed(self, path: Path) -> None:
        super().path_closed(path)
        self._follow_path()

    def receive_media(self, datagram: bytes, path: Path, now_ns: int) -> None:
        """An SRTCP packet: a viewer sends nothing else."""
        plain = self._srtp_in.unprotect_rtcp(datagram) if self._srtp_in else None
        if plain is None or self.delivery is None or not self.feedback.admits(len(plain), now_ns):
            return
        self.ice.heard(path, now_ns)
        items = rtcp.parse(plain)
        self.feedback.take(items, now_ns)
        ours = self._stream.ssrc
        for item in items:
            match item:
                case rtcp.Nack(media_ssrc=ssrc) if ssrc == ours:
                    self.delivery.resend(item.sequences, self.feedback.rtt_ms, now_ns)
                case rtcp.PictureLoss(media_ssrc=ssrc) | rtcp.FullIntra(media_ssrc=ssrc) if ssrc == ours:
                    self.delivery.repeat_group(now_ns)

    def tend(self, now_ns: int) -> None:
        """Once a second: a sender report, and the pace that the viewer's own reports allow."""
        self.tend_ns = now_ns + TEND_EVERY_NS
        path = self.ice.path
        if self.delivery is not None:
            self.delivery.rest(silent=now_ns - self.ice.heard_ns > SILENT_NS)
        if self.delivery is None or self._srtp_out is None or path is None:
            return
        stream = self.delivery.stream
        if not self.feedback.probe.awaits(now_ns):
            self._send_report(self.delivery, self._srtp_out, path, now_ns)
        if not self.delivery.catching_up:  # a group sent at once says nothing about the stream
            stream_bps = stream.bits_per_s
            self.delivery.pacer.on_report(self.feedback.congestion(now_ns, stream_bps), stream_bps, now_ns)

    def _send_report(self, delivery: Delivery, srtp: SrtpOut, path: Path, now_ns: int) -> None:
        octets = self.sent.bytes - self.sent.packets * delivery.overhead_bytes
        report = delivery.stream.sender_report(now_ns, self.sent.packets, octets)
        if not report:
            return
        ssrc, packets = delivery.stream.ssrc, self.feedback.probe.begin(now_ns)
        for _ in range(packets - 1):
            path.send(srtp.protect_rtcp(ballast(ssrc)))
        path.send(srtp.protect_rtcp(heavy(report, ssrc) if packets else report))

    def report(self, now_ns: int) -> ViewerReport:
        feedback, path, delivery = self.feedback, self.ice.path, self.delivery
        return ViewerReport(
            session_id=self.session_id,
            feed_id=self.feed_id,
            state=self.state,
            connected_ms=(now_ns - self.opened_ns) / NS_PER_MS,
            pictures_sent=self.sent.pictures,
            pictures_dropped=self.sent.dropped_pictures,
            bytes_sent=self.sent.bytes,
            since_ns=self.opened_ns,
            path=path.kind if path else "",
            loss=feedback.loss,
            rtt_ms=feedback.rtt_ms,
            jitter_ms=feedback.jitter_ms,
            estimated_bps=feedback.remb_bps,
            sent_packets=self.sent.packets - self.sent.resent_packets,
            resent_packets=self.sent.resent_packets,
            catching_up=delivery.catching_up if delivery else False,
            backlog_bytes=delivery.backlog_bytes if delivery else 0,
            rendition=self.seat.rendition,
            pinned=self.seat.pinned is not None,
        )

    def added_to(self, traffic: FeedTraffic) -> FeedTraffic:
        """The feed's sums with this viewer's in them."""
        return replace(
            traffic,
            bytes_sent=traffic.bytes_sent + self.sent.bytes,
            sent_packets=traffic.sent_packets + self.sent.packets - self.sent.resent_packets,
            resent_packets=traffic.resent_packets + self.sent.resent_packets,
            pictures_dropped=traffic.pictures_dropped + self.sent.dropped_pictures,
            nacked_packets=traffic.nacked_packets + self.feedback.nacked,
            keyframe_requests=traffic.keyframe_requests + self.feedback.plis,
        )

    def refused(self) -> Counter[str]:
        counts = super().refused()
        counts["srtcp"] = self._srtp_in.refused if self._srtp_in else 0
        counts["feedback above its bound"] = self.feedback.unread
        return counts

    def _start_bps(self, path: Path) -> float:
        """TCP loses nothing, so there what is sent at once need not fit a replay window."""
        rtt_ms = None if path.kind == "tcp" else self.dtls.rtt_ms
        group_bytes = sum(picture.size_bytes for picture in self._stream.history.group())
        return start_bps(rtt_ms, self._stream.bits_per_s, group_bytes)

    def _follow_path(self) -> None:
        path = self.ice.path
        if path is not None and self.delivery is not None:
            self.delivery.path = path
