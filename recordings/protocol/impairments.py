"""A bad link, a bad clock and a bad receiver, on purpose: transformations of a schedule, the same for the
same seed.

Each of them draws from a stream of chance of its own, once for each datagram of the schedule or by time
alone, so that switching one on changes nothing about another. A datagram that one takes away therefore stays
in the sequence, empty, until all have seen it.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from flow.codec.rtp import is_rtcp, parse_sender_reports

from .episodes import Episodes, Habit, stream
from .gps_jump import GpsJumps
from .timing import Send

BEHIND_MOST = 3
"""A datagram out of order comes behind one to three later ones of its port …"""
HELD_MOST_NS = 50_000_000
"""… but no later than this."""


@dataclass(frozen=True, slots=True)
class Impairments:
    """What happens between the source and us; zero or None is nothing.

    `drift_ppm` says how much faster than ours the source's clock runs. `outages`: the cameras go silent, and
    come back as new streams. `telemetry_outages`: the telemetry goes silent. `gps_jumps`: the aircraft says
    that it is hundreds of metres away.
    """

    loss: float = 0.0  # share of the datagrams, 0 to 1
    jitter_ns: int = 0
    drift_ppm: float = 0.0
    reorder: float = 0.0  # share of the datagrams, 0 to 1
    outages: Habit | None = None
    telemetry_outages: Habit | None = None
    gps_jumps: Habit | None = None


def impair(
    sends: Iterable[Send],
    impairments: Impairments,
    start_utc_ns: int,
    seed: int,
    telemetry_port: int | None = None,
) -> Iterator[Send]:
    """Apply `impairments`; the order of time is kept, across ports and, but for `reorder`, within each."""
    if impairments.gps_jumps and telemetry_port is not None:
        jumps = Episodes(impairments.gps_jumps, start_utc_ns, stream(seed, "gps jumps"))
        sends = _lead_astray(sends, GpsJumps(jumps, seed), telemetry_port)
    if impairments.telemetry_outages and telemetry_port is not None:
        silence = Episodes(impairments.telemetry_outages, start_utc_ns, stream(seed, "telemetry outages"))
        sends = _silence(sends, silence, telemetry_port)
    if impairments.outages:
        outages = Episodes(impairments.outages, start_utc_ns, stream(seed, "outages"))
        sends = _break_off(sends, outages, seed, telemetry_port)
    if impairments.loss:
        sends = _lose(sends, impairments.loss, seed)
    if impairments.drift_ppm:
        sends = _drift(sends, impairments.drift_ppm, start_utc_ns)
    if impairments.reorder:
        sends = _reorder(sends, impairments.reorder, seed)
    if impairments.jitter_ns:
        sends = _delay(sends, impairments.jitter_ns, seed)
    return (send for send in sends if send.data)


def _lead_astray(sends: Iterable[Send], jumps: GpsJumps, telemetry_port: int) -> Iterator[Send]:
    for send in sends:
        if send.port == telemetry_port:
            yield send._replace(data=jumps.changed(send.data, send.time_ns))
        else:
            yield send


def _silence(sends: Iterable[Send], silence: Episodes, port: int) -> Iterator[Send]:
    for send in sends:
        yield send._replace(data=b"") if send.port == port and silence.runs_at(send.time_ns) else send


def _break_off(
    sends: Iterable[Send], outages: Episodes, seed: int, telemetry_port: int | None
) -> Iterator[Send]:
    for send in sends:
        if send.port == telemetry_port:
            yield send
        elif outages.runs_at(send.time_ns):
            yield send._replace(data=b"")
        else:
            yield send._replace(data=_as_new_stream(send.data, outages.ended, seed, send.port))


_RTP_HEAD = struct.Struct("!HHII")  # RFC 3550 5.1


@lru_cache(64)
def _differences(seed: int, number: int, port: int) -> tuple[int, int, int]:
    """Of SSRC, sequence number and timestamp (RFC 3550 5.1: all of them random)."""
    random = stream(seed, f"stream {number} of {port}")
    return random.getrandbits(32), random.getrandbits(16), random.getrandbits(32)


def _as_new_stream(data: bytes, number: int, seed: int, port: int) -> bytes:
    """What the source sends after its `number`th outage: another SSRC, other first values (RFC 3550 5.1)."""
    if not number or not data:
        return data
    add, more, later = _differences(seed, number, port)
    if is_rtcp(data):
        (report,) = parse_sender_reports(data)
        ssrc, timestamp = _sum(report.ssrc, add), _sum(report.rtp_timestamp, later)
        return replace(report, ssrc=ssrc, rtp_timestamp=timestamp).serialize()
    flags, sequence, timestamp, ssrc = _RTP_HEAD.unpack_from(data)
    head = _RTP_HEAD.pack(flags, (sequence + more) & 0xFFFF, _sum(timestamp, later), _sum(ssrc, add))
    return head + data[_RTP_HEAD.size :]


def _sum(value: int, add: int) -> int:
    return (value + add) & 0xFFFF_FFFF


def _drift(sends: Iterable[Send], ppm: float, start_utc_ns: int) -> Iterator[Send]:
    """The times inside the datagrams stay: seen from the source's clock it is ours that drifts."""
    for send in sends:
        yield send._replace(time_ns=start_utc_ns + round((send.time_ns - start_utc_ns) / (1 + ppm / 1e6)))


def _lose(sends: Iterable[Send], probability: float, seed: int) -> Iterator[Send]:
    random = stream(seed, "loss")
    return (send if random.random() >= probability else send._replace(data=b"") for send in sends)


@dataclass(slots=True)
class _Held:
    send: Send
    behind: int  # so many of its port still go before it
    until_ns: int


def _reorder(sends: Iterable[Send], probability: float, seed: int) -> Iterator[Send]:
    random, held = stream(seed, "reorder"), list[_Held]()
    for send in sends:
        is_chosen, behind = random.random() < probability, random.randint(1, BEHIND_MOST)
        for late in [late for late in held if late.until_ns <= send.time_ns]:
            held.remove(late)
            yield late.send._replace(time_ns=late.until_ns)
        if is_chosen and send.data:
            held.append(_Held(send, behind, send.time_ns + HELD_MOST_NS))
            continue
        yield send
        for late in [late for late in held if late.send.port == send.port and send.data]:
            late.behind -= 1
            if not late.behind:
                held.remove(late)
                yield late.send._replace(time_ns=send.time_ns)
    for late in held:
        yield late.send._replace(time_ns=late.until_ns)


def _delay(sends: Iterable[Send], most_ns: int, seed: int) -> Iterator[Send]:
    """Delay each datagram by up to `most_ns`, but none past the one before it on its port."""
    random = stream(seed, "jitter")
    waiting: list[tuple[int, int, Send]] = []
    newest: dict[int, int] = {}
    for number, send in enumerate(sends):
        while waiting and waiting[0][0] <= send.time_ns:
            yield heapq.heappop(waiting)[2]
        at_ns = max(newest.get(send.port, 0), send.time_ns + random.randrange(most_ns))
        newest[send.port] = at_ns
        heapq.heappush(waiting, (at_ns, number, send._replace(time_ns=at_ns)))
    while waiting:
        yield heapq.heappop(waiting)[2]
