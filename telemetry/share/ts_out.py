"""A feed as MPEG-TS with KLV (MISB ST 0601) by UDP, for FMV and TAK tools.

Each picture leaves as it comes, at most ten of a second with the telemetry of its instant. Datagrams go to
the one address that is configured and to no other; nothing is ever read. Where they do not fit into the
socket they are dropped and counted, and the feed does not notice.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.codec.mpegts_writer import TsWriter, datagrams
from flow.codec.st0601 import encode_st0601
from flow.doors import TelemetryDoor
from flow.errors import ConfigError, LagebildError
from flow.lookup import look_up
from flow.samples import OutputState, TelemetrySample
from flow.units import AccessUnit, captured_ns
from telemetry.protocol.klv_out import Names, klv_set, sample_at
from telemetry.protocol.pose_track import PoseTrack
from telemetry.settings import TelemetrySettings, TsOut

log = logging.getLogger(__name__)

FORM = "udp://HOST:PORT, with ?ttl=N&interface=ADDRESS for a multicast group, with ?klv=async for old readers"
MULTICAST_HOPS = 1
"""A multicast group is for the net we stand in, unless somebody wants it further."""
KLV_EVERY_NS = 100 * NS_PER_MS
_KINDS = {"sync": True, "async": False}
_ROUNDING_NS = NS_PER_S // 120  # a set is due with the picture nearest to its time
_RETRY_NS = 5 * NS_PER_S
_REPORT_NS = 60 * NS_PER_S
_STATE_EVERY_NS = NS_PER_S
_BUFFER_BYTES = 1024 * 1024  # a keyframe is sent at once


@dataclass(frozen=True, slots=True)
class Target:
    """Where an output goes."""

    host: str
    port: int
    hops: int
    synchronous: bool  # the kind of KLV, see flow/codec/mpegts_writer.py
    interface: str  # of a multicast group: our address there, or (IPv6) the name; "": the system chooses

    @classmethod
    def parse(cls, url: str) -> Target:
        """Raises ConfigError."""
        try:
            parts = urlsplit(url)
            options = dict(parse_qsl(parts.query, keep_blank_values=True))
            hops, interface = int(options.pop("ttl", MULTICAST_HOPS)), options.pop("interface", "")
            synchronous = _KINDS[options.pop("klv", "sync")]
            target = cls(parts.hostname or "", parts.port or 0, hops, synchronous, interface)
        except (ValueError, KeyError):
            raise _not_understood(url) from None
        if parts.scheme != "udp" or not target.host or not target.port or options or not 0 <= hops <= 255:
            raise _not_understood(url)
        return target


def _not_understood(url: str) -> ConfigError:
    return ConfigError(f"ts_out: '{url}' is not understood; use {FORM}", code="unsupported_url")


class TsSender:
    """One output; `run` it until cancelled. Raises ConfigError for an address that is none."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: TelemetrySettings,
        out: TsOut,
        door: TelemetryDoor | None = None,
    ) -> None:
        self.name = f"ts_out of {out.feed_id}"
        self.sent = self.dropped = self.sets = 0
        """Datagrams, those that did not fit, and KLV sets in those sent."""
        self.is_open = False
        """Whether it has begun to follow the feed."""
        self._bus, self._clock, self._door = bus, clock, door
        self._out, self._target = out, Target.parse(out.to)
        self._feed = next(feed for feed in settings.cameras if feed.id == out.feed_id)
        aircraft = dict(settings.names).get(self._feed.aircraft_id, self._feed.aircraft_id)
        self._names = Names(settings.mission, aircraft, self._feed.name)
        self._poses = PoseTrack()
        self._first_told_ns = 0
        self._klv_due_ns = 0
        self._report_due_ns = 0
        self._told_dropped = 0
        self._failure = self._complaint = ""
        self._state = OutputState(f"ts:{out.feed_id}", out.to)
        self._state_due_ns = 0

    async def run(self) -> None:
        """Follow the feed; where its address cannot be sent to, try again."""
        while True:
            try:
                await self._send_all()
            except LagebildError as error:
                self._complain(str(error))
            except OSError as error:
                self._complain(f"{self._out.to} cannot be sent to: {error.strerror or error}")
            finally:
                self.is_open = False
            self._tell()
            await self._clock.sleep_until(self._clock.now_ns() + _RETRY_NS)

    def _complain(self, line: str) -> None:
        """It fails the same way each time: say it once."""
        log.log(logging.DEBUG if line == self._complaint else logging.WARNING, "%s: %s", self.name, line)
        self._complaint = line

    async def _send_all(self) -> None:
        writer = TsWriter(synchronous=self._target.synchronous)
        sock, address = await _open(self._target)
        with (
            sock,
            self._bus.from_keyframe(self._feed.id) as pictures,
            self._bus.latest(TelemetrySample, self._feed.aircraft_id) as samples,
        ):
            self.is_open = True
            log.info("%s: to %s", self.name, self._out.to)
            self._tell()
            async for unit in pictures:
                for sample in samples.drain():
                    self._first_told_ns = self._first_told_ns or sample.utc_ns
                    self._poses.add(sample)
                for datagram in datagrams(writer.write(unit, self._klv(unit))):
                    self._send(sock, datagram, address)
                self._report()

    def _send(self, sock: socket.socket, datagram: bytes, address: Any) -> None:
        try:
            sock.sendto(datagram, address)
            self.sent += 1
        except OSError as error:  # no room, or no way there just now
            self.dropped += 1
            self._failure = error.strerror or str(error)

    def _klv(self, unit: AccessUnit) -> bytes:
        """The set of that picture, if one is due and anything is known."""
        utc_ns = captured_ns(unit.utc_ns, unit.utc_origin, self._feed.air_link_ms)
        due_ns = self._klv_due_ns
        if due_ns - KLV_EVERY_NS <= utc_ns < due_ns - _ROUNDING_NS:
            return b""
        moment = self._poses.at(utc_ns)
        if moment is None or utc_ns < self._first_told_ns - KLV_EVERY_NS // 2:  # older pictures come first
            return b""
        look = self._door.look(self._feed.id, utc_ns) if self._door else None
        told = klv_set(sample_at(moment), utc_ns, self._feed, self._names, look)
        if told is None:
            return b""
        # In step with the time, not with the picture that was nearest to it; anew after a pause.
        self._klv_due_ns = (
            due_ns + KLV_EVERY_NS if abs(utc_ns - due_ns) < KLV_EVERY_NS else utc_ns + KLV_EVERY_NS
        )
        self.sets += 1
        return encode_st0601(told)

    def _tell(self) -> None:
        """Publish how it is: why it is not open, or why most did not go since it was told last."""
        before, detail = self._state, self._complaint
        if self.is_open:
            sent, dropped = self.sent - before.sent, self.dropped - before.dropped
            detail = self._failure if dropped > sent else ""
        self._state_due_ns = self._clock.now_ns() + _STATE_EVERY_NS
        self._state = replace(before, open=self.is_open, sent=self.sent, dropped=self.dropped, detail=detail)
        self._bus.publish(self._state)

    def _report(self) -> None:
        """Say how it is once a second, and what was dropped once a minute at most."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._state_due_ns:
            self._tell()
        if self.dropped > self._told_dropped and now_ns >= self._report_due_ns:
            dropped, self._told_dropped = self.dropped - self._told_dropped, self.dropped
            self._report_due_ns = now_ns + _REPORT_NS
            log.warning("%s: %d datagrams did not go: %s", self.name, dropped, self._failure)


async def _open(target: Target) -> tuple[socket.socket, Any]:
    """A socket for it, and its address as it is sent to. Raises OSError, ConfigError."""
    family, address = (await look_up(target.host, target.port, socket.SOCK_DGRAM, sends_only=True))[0]
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        if ipaddress.ip_address(str(address[0]).partition("%")[0]).is_multicast:
            _go_by(sock, target)
    except BaseException:
        sock.close()
        raise
    return sock, address


def _go_by(sock: socket.socket, target: Target) -> None:
    """How far a multicast group reaches, and through which of our networks. Raises OSError, ConfigError."""
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, target.hops)
            if target.interface:
                index = socket.if_nametoindex(target.interface)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            return
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, target.hops)
        if target.interface:
            ours = socket.inet_aton(str(ipaddress.IPv4Address(target.interface)))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, ours)
    except ValueError:
        raise ConfigError(
            f"ts_out: interface '{target.interface}' is no address of ours", code="address_refused"
        ) from None
