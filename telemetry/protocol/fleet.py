"""One link, its senders and its aircraft: bytes in, what belongs on the bus out."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pymavlink.dialects.v20 import ardupilotmega as dialect

from flow.samples import RawTelemetry, TelemetrySample
from flow.source_clock import ClockState

from .assembly import READ_IDS, AircraftEvent, Assembly, Way, is_aircraft
from .claims import Claims
from .parser import Decoder, Frame, Parser
from .quality import RADIO_IDS
from .sequence import Duplicates, Gaps
from .signing import Refusal, Signatures

Out: TypeAlias = RawTelemetry | TelemetrySample | AircraftEvent

NS_PER_S = 1_000_000_000
SENDERS_KEPT = 64
GROUND_SYSTEM_IDS = range(250, 256)
"""Ground stations live here, and old ones do not say in their heartbeat that they are one. Never adopted."""
UNASSIGNED_SHOWN_NS = 30 * NS_PER_S
NEWS_NS = 5 * NS_PER_S
"""So long a message or position that was refused is told of."""
FOREIGN_BYTES = 280
"""The longest frame: whoever joins a stream of MAVLink in the middle of one meets the next within so much."""
READOPT_NS = 10 * NS_PER_S
"""An adopted aircraft silent for so long makes way for another one: the second drone has been taken out."""

SETTLE_NS = 4_000_000
"""A sample waits for so long a pause: attitude, position and gimbal of one instant come as three datagrams,
and a sample between them would pair a new attitude with an old position."""
SPACING_NS = 30_000_000
CREDIT_NS = 60_000_000
"""Samples go out this far apart on average; so much of it may be made up for after a late one."""
SAMPLE_AT_LEAST_NS = NS_PER_S


@dataclass(frozen=True, slots=True)
class Heard:
    """What a link knows of one of its aircraft. Counters run since the link was opened."""

    system_id: int | None
    heard_ns: int | None
    messages: int
    bad_bytes: int  # of the whole link: nobody can tell whose they were
    duplicates: int
    lost: int
    rival: tuple[str, str] | None  # senders of two aircraft with this system id
    unassigned_system_ids: tuple[int, ...]
    foreign: str  # a sender whose bytes are no MAVLink; "" for none
    clock: ClockState
    unsigned: int = 0  # messages refused for their signature
    refusal: Refusal | None = None  # why the last of them was, while that is news
    implausible: int = 0  # positions held back
    is_astray: bool = False  # one has been just now


class _Aircraft:
    """One aircraft of the link and everything counted for it."""

    def __init__(self, aircraft_id: str, system_id: int | None, key: bytes | None) -> None:
        self.id = aircraft_id
        self.system_id = system_id
        self.adopts = system_id is None
        self.signatures = Signatures(key) if key else None
        self.messages = self.duplicates = self.lost = self.unsigned = 0
        self.refusal: tuple[Refusal, int] | None = None  # the last one, and when
        self.heard_ns: int | None = None
        self.claims: defaultdict[int, Claims] = defaultdict(Claims)  # by component
        self.assembly = Assembly(aircraft_id)
        self.due_ns: int | None = None  # when the next sample goes out
        self._moved_ns: int | None = None  # since when position or attitude wait to be shown
        self._sampled_ns = self._earliest_ns = 0

    def adopt(self, system_id: int) -> None:
        self.system_id = system_id
        self.claims.clear()
        self.assembly.forget()

    def refuses(self, frame: Frame, duplicates: Duplicates, now_ns: int) -> bool:
        """Whether `frame` is not this aircraft's own, by its signature.

        A genuine one that has come before, over another router, is no replay but a duplicate; as anybody may
        repeat it, it makes no claim. A radio's word, which need not be signed, tells of the link. That the
        aircraft is there, neither proves.
        """
        if self.signatures is None:
            return False
        refusal = self.signatures.refusal(frame, now_ns)
        if refusal is None:
            return False
        if refusal is Refusal.REPLAYED and duplicates.knows(frame):
            self.duplicates += 1
            return True
        if frame.message_id not in RADIO_IDS:
            self.unsigned += 1
            self.refusal = refusal, now_ns
        return True

    def news(self, now_ns: int) -> Refusal | None:
        recent = self.refusal is not None and now_ns - self.refusal[1] < NEWS_NS
        return self.refusal[0] if self.refusal and recent else None

    def admits(self, sender: str, frame: Frame, message: object, now_ns: int) -> bool:
        claims = self.claims[frame.component_id]
        handovers = claims.handovers
        admitted = claims.admit(sender, message, now_ns)
        if claims.handovers != handovers and frame.component_id == self.assembly.autopilot:
            self.assembly.forget()
        return admitted

    def touch(self, now_ns: int) -> None:
        """A message has come: see to it that a sample goes out in time, and not amid others."""
        if self.assembly.moved:
            self._moved_ns = now_ns if self._moved_ns is None else self._moved_ns
            settled_ns = min(now_ns + SETTLE_NS, self._moved_ns + SPACING_NS)
            self.due_ns = max(settled_ns, self._earliest_ns)
        elif self.due_ns is None:
            self.due_ns = max(now_ns + SETTLE_NS, self._sampled_ns + SAMPLE_AT_LEAST_NS)

    def due_sample(self, now_ns: int) -> list[TelemetrySample]:
        """The sample that is due now."""
        self.assembly.moved, self.due_ns, self._moved_ns, self._sampled_ns = False, None, None, now_ns
        self._earliest_ns = max(self._earliest_ns, now_ns - CREDIT_NS) + SPACING_NS
        sample = self.assembly.sample()
        return [sample] if sample else []


_Gaps: TypeAlias = defaultdict[int, Gaps]
"""By system and component id; kept for our aircraft only."""


class _Sender:
    """One UDP address, TCP connection or file."""

    def __init__(self) -> None:
        self.parser = Parser()
        self.speaks = False  # MAVLink
        self.gaps: _Gaps = defaultdict(Gaps)
        self.ways: defaultdict[str, Way] = defaultdict(Way)  # by aircraft id
        self.carries: dict[str, int] = {}  # aircraft id -> when it was last heard from here


class Fleet:
    """The aircraft of one link; `system_ids` are pairs of aircraft id and system id, None to adopt one.

    `keys` are the 32 bytes that an aircraft signs with, by aircraft id: of those only what is signed counts.
    """

    def __init__(
        self, link: str, system_ids: Sequence[tuple[str, int | None]], keys: Mapping[str, bytes] | None = None
    ) -> None:
        self.link = link
        keys = keys or {}
        self._aircraft = [_Aircraft(*pair, keys.get(pair[0])) for pair in system_ids]
        self._owners = {one.system_id: one for one in self._aircraft if one.system_id is not None}
        self._senders: OrderedDict[str, _Sender] = OrderedDict()
        self._duplicates = Duplicates()
        self._decoder = Decoder()
        self._unassigned: dict[int, int] = {}  # system id -> last heard
        self._bad_bytes = 0
        self._foreign = ""

    @property
    def due_ns(self) -> int | None:
        """When `poll` has the next sample to give; None if nothing is waiting."""
        return min(
            (aircraft.due_ns for aircraft in self._aircraft if aircraft.due_ns is not None), default=None
        )

    def receive(self, data: bytes, sender: str, now_ns: int, *, datagram: bool = False) -> list[Out]:
        """Take in what `sender` sent; return the raw messages of our aircraft, their events, due samples."""
        origin = self._sender(sender)
        parser = origin.parser
        before = parser.bad_bytes
        frames = parser.push_datagram(data) if datagram else parser.push(data)
        if parser.bad_bytes != before:
            self._bad_bytes += parser.bad_bytes - before
        origin.speaks = origin.speaks or bool(frames)
        if not origin.speaks and parser.bad_bytes > FOREIGN_BYTES:
            self._foreign = self._foreign or sender  # one is enough, or the line would not stand still
        out = self._due_samples(now_ns)
        for frame in frames:
            self._take(frame, sender, origin, now_ns, out)
        return out

    def poll(self, now_ns: int) -> list[Out]:
        """What is due without a message; call it at `due_ns` and at least a few times a second."""
        out = self._due_samples(now_ns)
        for aircraft in self._aircraft:
            out += aircraft.assembly.poll(now_ns)
        return out

    def _due_samples(self, now_ns: int) -> list[Out]:
        out: list[Out] = []
        for aircraft in self._aircraft:
            if aircraft.due_ns is not None and now_ns >= aircraft.due_ns:
                out += aircraft.due_sample(now_ns)
        return out

    def heard(self, aircraft_id: str, now_ns: int) -> Heard:
        """The counters and findings for one aircraft of this link."""
        aircraft = next(aircraft for aircraft in self._aircraft if aircraft.id == aircraft_id)
        rivals = (claims.rival(now_ns) for claims in aircraft.claims.values())
        recent = [number for number, ns in self._unassigned.items() if now_ns - ns < UNASSIGNED_SHOWN_NS]
        return Heard(
            system_id=aircraft.system_id,
            heard_ns=aircraft.heard_ns,
            messages=aircraft.messages,
            bad_bytes=self._bad_bytes,
            duplicates=aircraft.duplicates,
            lost=aircraft.lost,
            rival=next(filter(None, rivals), None),
            unassigned_system_ids=tuple(sorted(recent)),
            foreign=self._foreign,
            unsigned=aircraft.unsigned,
            refusal=aircraft.news(now_ns),
            implausible=aircraft.assembly.implausible,
            is_astray=0 <= now_ns - aircraft.assembly.implausible_ns < NEWS_NS,
            clock=aircraft.assembly.clock,
        )

    def close_sender(self, sender: str) -> None:
        """A connection has ended: what it left incomplete will not be completed by the next one."""
        self._senders.pop(sender, None)

    def _sender(self, name: str) -> _Sender:
        sender = self._senders.get(name)
        if sender is not None:
            self._senders.move_to_end(name)
            return sender
        if len(self._senders) >= SENDERS_KEPT:
            self._senders.popitem(last=False)
        sender = self._senders[name] = _Sender()
        return sender

    def _take(self, frame: Frame, sender: str, origin: _Sender, now_ns: int, out: list[Out]) -> None:
        """Hand one frame to its aircraft, unless it is nobody's or is one too many."""
        number = frame.message_id
        if number in RADIO_IDS:
            self._take_radio(frame, origin, now_ns)
        aircraft = self._owners.get(frame.system_id)
        if aircraft is None:
            aircraft = self._adopter(frame, now_ns)
            if aircraft is None:
                return
        elif aircraft.signatures is not None and aircraft.refuses(frame, self._duplicates, now_ns):
            return
        message = self._decoder.decode(frame) if number in READ_IDS else None
        if not aircraft.admits(sender, frame, message, now_ns):
            return
        aircraft.heard_ns = origin.carries[aircraft.id] = now_ns
        aircraft.lost += origin.gaps[frame.system_id << 8 | frame.component_id].missing(frame.sequence)
        if self._duplicates.seen(frame):
            aircraft.duplicates += 1
            return
        aircraft.messages += 1
        out.append(RawTelemetry(aircraft.id, self.link, now_ns, frame.raw))
        if message is not None:
            out += aircraft.assembly.handle(frame.component_id, message, now_ns, origin.ways[aircraft.id])
            aircraft.touch(now_ns)

    def _take_radio(self, frame: Frame, origin: _Sender, now_ns: int) -> None:
        """Radios have a system id of their own, SiK's is 51: what they say is of the aircraft heard by them.

        Where several are, nobody can tell whose it is.
        """
        heard = [one for one in self._aircraft if now_ns - origin.carries.get(one.id, -NEWS_NS) < NEWS_NS]
        if len(heard) == 1:
            heard[0].assembly.on_radio(self._decoder.decode(frame), now_ns)

    def _adopter(self, frame: Frame, now_ns: int) -> _Aircraft | None:
        """Who takes in the system of `frame`, which is nobody's: only for the heartbeat of an aircraft, and
        whoever holds a key only for one that is signed with it."""
        if frame.message_id != dialect.MAVLINK_MSG_ID_HEARTBEAT or frame.system_id in GROUND_SYSTEM_IDS:
            return None
        if not is_aircraft(self._decoder.decode(frame)):
            return None
        for aircraft in self._aircraft:
            waits = aircraft.heard_ns is None or now_ns - aircraft.heard_ns > READOPT_NS
            if aircraft.adopts and waits and not aircraft.refuses(frame, self._duplicates, now_ns):
                self._adopt(aircraft, frame.system_id)
                return aircraft
        self._unassigned[frame.system_id] = now_ns
        return None

    def _adopt(self, aircraft: _Aircraft, system_id: int) -> None:
        self._owners.pop(aircraft.system_id or 0, None)
        self._owners[system_id] = aircraft
        aircraft.adopt(system_id)
        self._unassigned.pop(system_id, None)
