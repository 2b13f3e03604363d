"""Who may speak for a system id: one aircraft heard over two links, or two aircraft with one system id?

Every sender (UDP address, TCP connection) that uses a system and component id makes a claim to it. The
first one holds it; its messages are used. Another sender is compared with the holder at the same uptime
of the aircraft: one aircraft says the same over every link, however late; two aircraft have been switched
on at different times, or are at different places, or point elsewhere.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as dialect

from .places import distance_m, place_e7

GONE_NS = 3_000_000_000
"""A holder silent for so long has lost its claim: the aircraft has changed links, or is switched off."""
CLAIMS_KEPT = 8
TRACK_KEPT = 300
TRACK_SPAN_MS = 10_000
"""Two links of one aircraft may be this far apart in time; so may the switching on of two aircraft."""
AHEAD_MS = 3_000
"""How far a link may be ahead of the holder's: the holder may be the slow one."""
SAME_MOMENT_MS = 500
APART_M = 15.0
APART_DEG = 45.0
SURE = 3
CONTRADICTED = -2


@dataclass(frozen=True, slots=True)
class _Point:
    """What GLOBAL_POSITION_INT (place, speed) or ATTITUDE (yaw) said at an uptime."""

    boot_ms: int
    place: tuple[float, float] | None = None
    speed_ms: float = 0.0
    yaw_deg: float | None = None


@dataclass(slots=True)
class _Claim:
    sender: str
    heard_ns: int
    kind: tuple[int, int] | None = None  # MAV_TYPE and MAV_AUTOPILOT of its heartbeat
    score: int = 0  # of the comparisons with the holder: +1 agrees, -1 contradicts; within ±SURE
    track: deque[_Point] = field(default_factory=lambda: deque(maxlen=TRACK_KEPT))

    def add(self, point: _Point) -> None:
        if self.track and point.boot_ms < self.track[-1].boot_ms - TRACK_SPAN_MS:
            self.track.clear()  # it has restarted
        self.track.append(point)
        while self.track[-1].boot_ms - self.track[0].boot_ms > TRACK_SPAN_MS:
            self.track.popleft()


class Claims:
    """The claims to one component of one system id: what `admit` lets through is the aircraft's."""

    def __init__(self) -> None:
        self._claims: dict[str, _Claim] = {}
        self._holder: _Claim | None = None
        self.handovers = 0
        """How often the claim has passed to a sender that was not known to be the same aircraft."""

    def admit(self, sender: str, message: Any | None, now_ns: int) -> bool:
        """Whether a message of `sender` (None: one that is not decoded) counts; takes it as evidence."""
        claim = self._claims.get(sender) or self._enter(sender, now_ns)
        claim.heard_ns = now_ns
        holder = self._holder
        if holder is None or now_ns - holder.heard_ns > GONE_NS:
            self._hold(claim)
        if message is not None:
            self._take_evidence(claim, message)
        return claim is self._holder or claim.score > 0

    def rival(self, now_ns: int) -> tuple[str, str] | None:
        """The holder and the sender of a second aircraft with the same system id, while both are heard."""
        if self._holder is None or now_ns - self._holder.heard_ns > GONE_NS:
            return None
        for claim in self._claims.values():
            if claim.score <= CONTRADICTED and now_ns - claim.heard_ns <= GONE_NS:
                return self._holder.sender, claim.sender
        return None

    def _enter(self, sender: str, now_ns: int) -> _Claim:
        if len(self._claims) >= CLAIMS_KEPT:
            others = (claim for claim in self._claims.values() if claim is not self._holder)
            del self._claims[min(others, key=lambda claim: claim.heard_ns).sender]
        claim = self._claims[sender] = _Claim(sender, now_ns)
        return claim

    def _hold(self, claim: _Claim) -> None:
        self.handovers += self._holder is not None and self._holder is not claim and claim.score <= 0
        self._holder = claim
        for other in self._claims.values():
            other.score = 0

    def _take_evidence(self, claim: _Claim, message: Any) -> None:
        number = message.get_msgId()
        verdict: bool | None = None
        if number == dialect.MAVLINK_MSG_ID_HEARTBEAT:
            claim.kind = message.type, message.autopilot
            verdict = self._same_kind(claim) and None
        elif number in _CLOCKED:
            point = _point(message)
            verdict = self._compare(claim, point)
            claim.add(point)
        if claim is not self._holder and verdict is not None:
            claim.score = max(-SURE, min(SURE, claim.score + (1 if verdict else -1)))

    def _compare(self, claim: _Claim, point: _Point) -> bool | None:
        holder = self._holder
        if holder is None or claim is holder:
            return None
        if not holder.track and self._same_kind(claim):
            self._hold(claim)  # a link that carries heartbeats only makes way for one that says more
            return None
        return _on_track(point, holder.track)

    def _same_kind(self, claim: _Claim) -> bool:
        kinds = {claim.kind, self._holder.kind if self._holder else None} - {None}
        return len(kinds) < 2


def _on_track(point: _Point, track: deque[_Point]) -> bool | None:
    """Whether the aircraft that made `track` can have said `point`; None if that cannot be told."""
    if not track:
        return None
    newest_ms = max(other.boot_ms for other in track)
    if not newest_ms - TRACK_SPAN_MS <= point.boot_ms <= newest_ms + AHEAD_MS:
        return False
    near = [other for other in track if abs(other.boot_ms - point.boot_ms) <= SAME_MOMENT_MS]
    if point.place:
        apart = [distance_m(point.place, other.place) for other in near if other.place]
        return min(apart) <= APART_M + point.speed_ms * SAME_MOMENT_MS / 1e3 if apart else None
    if point.yaw_deg is None:
        return None
    turned = [_angle_deg(point.yaw_deg, other.yaw_deg) for other in near if other.yaw_deg is not None]
    if turned and min(turned) > APART_DEG:
        return False
    # Agreement in uptime and yaw is weak: two aircraft started by one script have it. Positions decide if
    # known.
    return None if any(other.place for other in track) or not turned else True


def _point(message: Any) -> _Point:
    if message.get_msgId() == dialect.MAVLINK_MSG_ID_ATTITUDE:
        yaw_deg = math.degrees(message.yaw)
        return _Point(message.time_boot_ms, yaw_deg=yaw_deg if math.isfinite(yaw_deg) else None)
    speed_ms = math.hypot(message.vx, message.vy) / 100
    return _Point(message.time_boot_ms, place_e7(message.lat, message.lon), speed_ms)


def _angle_deg(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


_CLOCKED = {dialect.MAVLINK_MSG_ID_ATTITUDE, dialect.MAVLINK_MSG_ID_GLOBAL_POSITION_INT}
