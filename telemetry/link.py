"""Runs the telemetry links: sources -> fleet -> bus, and the tracks beside them (tracks.py). Listens only;
nothing is ever sent to an aircraft.

What leaves the house (share/) is run beside them and reads the bus like everybody.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from dataclasses import dataclass, replace

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.errors import LagebildError
from flow.samples import LinkState, LinkStatus

from .alarms import AlarmWatch
from .look import Looks
from .protocol.fleet import Fleet, Heard, Out
from .protocol.signing import Refusal, key_of
from .settings import AircraftLink, TelemetrySettings
from .share.shares import keep_going, shares
from .sources import run_source
from .tracks import Track

log = logging.getLogger(__name__)

TICK_NS = 250 * NS_PER_MS
REPORT_NS = NS_PER_S
_CALM = {"", "connecting", "file_ended"}
_PROVEN_NS = 10 * NS_PER_S
"""A source that was open so long is tried again soon, not with the patience its earlier failures earned."""
_REPEATS_NS = 600 * NS_PER_S
"""So long after a failure, what was logged before it is not logged again: it fails the same way each time."""
_LINES_KEPT = 8


class Telemetry:
    """All links of the installation. Raises ConfigError where the settings contradict themselves."""

    def __init__(self, bus: Bus, clock: Clock, settings: TelemetrySettings) -> None:
        self._clock = clock
        self._links = [Link(bus, clock, settings, url, group) for url, group in settings.by_url()]
        self._tracks = [Track(bus, clock, settings, track) for track in settings.tracks]
        self.looks = Looks(bus, clock, settings.cameras, settings.terrain)
        self._shares = shares(bus, clock, settings, self.looks)
        self._alarms = AlarmWatch(bus, clock, settings.thresholds)

    async def run(self) -> None:
        """Run every link until cancelled; one that fails retries and touches no other."""
        async with asyncio.TaskGroup() as group:
            for link in self._links:
                group.create_task(link.run(), name=f"telemetry {link.url}")
            for track in self._tracks:
                group.create_task(track.run(), name=f"telemetry {track.url}")
            for share in (self.looks, *self._shares):
                group.create_task(keep_going(share, self._clock), name=share.name)
            group.create_task(self._alarms.run(), name="alarms")


@dataclass(frozen=True, slots=True)
class _Condition:
    """What is known of the source, whoever is heard on it."""

    status: LinkStatus | None = LinkStatus.CONNECTING  # None: open, so it is for the messages to say
    reason: str = "connecting"
    detail: str = ""
    address: str = ""


class Link:
    """One URL with the aircraft on it; the sink of its source."""

    def __init__(
        self, bus: Bus, clock: Clock, settings: TelemetrySettings, url: str, aircraft: list[AircraftLink]
    ) -> None:
        self.url = url
        self._bus, self._clock, self._settings = bus, clock, settings
        self._aircraft_ids = [link.aircraft_id for link in aircraft]
        self._allow_from = tuple(entry for link in aircraft for entry in link.allow_from)
        keys = {link.aircraft_id: key_of(link.signing_key) for link in aircraft if link.signing_key}
        self._fleet = Fleet(url, [(link.aircraft_id, link.system_id) for link in aircraft], keys)
        self._condition = _Condition(detail=f"opening {url}")
        self._touched = asyncio.Event()
        self._states: dict[str, LinkState] = {}
        self._live: set[str] = set()  # the aircraft that these states say are heard
        self._reported_ns = 0
        self._retry_s = settings.retry_first_s
        self._opened_ns: int | None = None
        self._proven = False  # since it was opened, an aircraft has been heard
        self._failed_ns: int | None = None
        self._logged: dict[str, deque[str]] = {name: deque(maxlen=_LINES_KEPT) for name in self._aircraft_ids}

    async def run(self) -> None:
        """Keep the source open and the states reported until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_open())
            group.create_task(self._tick())
            group.create_task(self._sample())

    async def _keep_open(self) -> None:
        while True:
            try:
                await run_source(self.url, self._allow_from, self._clock, self)
            except LagebildError as error:
                self._halt(LinkStatus.FAILED, error.code, str(error))
            except Exception:  # a bug here must not end the other links
                log.exception("telemetry %s", self.url)
                text = f"telemetry {self.url}: internal error, see the log"
                self._halt(LinkStatus.FAILED, "internal", text)
            else:
                detail = f"{self.url} has been played to its end"
                self._halt(LinkStatus.SILENT, "file_ended", detail)
                return
            await self._clock.sleep_until(self._clock.now_ns() + self._pause_ns())

    def _pause_ns(self) -> int:
        """Twice as long after every failure, and never the same for two links."""
        opened_ns, self._opened_ns = self._opened_ns, None
        if opened_ns is not None and (self._proven or self._clock.now_ns() - opened_ns >= _PROVEN_NS):
            self._retry_s = self._settings.retry_first_s
        pause_s, self._retry_s = self._retry_s, min(2 * self._retry_s, self._settings.retry_most_s)
        return round(pause_s * random.uniform(0.8, 1.2) * NS_PER_S)

    async def _tick(self) -> None:
        while True:
            now_ns = self._clock.now_ns()
            self._publish(self._fleet.poll(now_ns))
            self._report(now_ns)
            await self._clock.sleep_until(now_ns + TICK_NS)

    async def _sample(self) -> None:
        """Publish the samples when they are due, a few milliseconds after what they are made of."""
        while True:
            await self._touched.wait()
            while (due_ns := self._fleet.due_ns) is not None:
                await self._clock.sleep_until(due_ns)
                self._publish(self._fleet.poll(self._clock.now_ns()))
            self._touched.clear()

    def _publish(self, items: list[Out]) -> None:
        for item in items:
            self._bus.publish(item)

    # --- the sink of the source -------------------------------------------------------------------

    def opened(self, address: str) -> None:
        self._opened_ns, self._proven = self._clock.now_ns(), False
        self._set(_Condition(None, "", "", address))

    def receive(self, data: bytes, sender: str, *, datagram: bool = False, age_ns: int = 0) -> None:
        now_ns = self._clock.now_ns() - age_ns
        items = self._fleet.receive(data, sender, now_ns, datagram=datagram)
        self._proven |= bool(items)
        self._publish(items)
        if not self._touched.is_set() and self._fleet.due_ns is not None:
            self._touched.set()
        if any(item.aircraft_id not in self._live for item in items):
            self._report(now_ns)

    def refused(self, sender: str) -> None:
        if self._condition.reason != "forbidden_sender":  # one is named, or the line would not stand still
            self._condition = replace(self._condition, reason="forbidden_sender", detail=sender)

    def ended(self, sender: str) -> None:
        self._fleet.close_sender(sender)

    # --- states -----------------------------------------------------------------------------------

    def _set(self, condition: _Condition) -> None:
        self._condition = condition
        self._report(self._clock.now_ns())

    def _halt(self, status: LinkStatus, reason: str, detail: str) -> None:
        self._set(_Condition(status, reason, detail, self._condition.address))
        if status is LinkStatus.FAILED:
            self._failed_ns = self._clock.now_ns()

    def _report(self, now_ns: int) -> None:
        """Publish each aircraft's state where it has changed, and all of them about once a second."""
        due = now_ns - self._reported_ns >= REPORT_NS
        if due:
            self._reported_ns = now_ns
        for aircraft_id in self._aircraft_ids:
            before, state = self._states.get(aircraft_id), self._state(aircraft_id, now_ns)
            changed = before is None or _gist(before) != _gist(state)
            if changed:
                self._log(state, now_ns)
            self._log_clock(before, state)
            self._states[aircraft_id] = state
            if changed or due:
                self._bus.publish(state)
        self._live = {name for name, state in self._states.items() if state.status is LinkStatus.LIVE}

    def _log(self, state: LinkState, now_ns: int) -> None:
        """Write how it is, at a level that lets a source which fails again and again be read of once."""
        line = f"{state.status}: {state.detail or state.address}"
        fails = self._failed_ns is not None and now_ns - self._failed_ns < _REPEATS_NS
        level = logging.INFO if _is_calm(state) else logging.WARNING
        logged = self._logged[state.aircraft_id]
        known = fails and line in logged
        log.log(logging.DEBUG if known else level, "telemetry of %s: %s", state.aircraft_id, line)
        logged.append(line)

    def _log_clock(self, before: LinkState | None, state: LinkState) -> None:
        was = before.clock.reason if before and before.clock else ""
        if state.clock is None or state.clock.reason == was:
            return
        line = state.clock.reason or "the aircraft's clocks are believed again"
        logged = self._logged[state.aircraft_id]
        level = logging.DEBUG if line in logged else logging.INFO
        log.log(level, "telemetry of %s: %s", state.aircraft_id, line)
        logged.append(line)

    def _state(self, aircraft_id: str, now_ns: int) -> LinkState:
        heard = self._fleet.heard(aircraft_id, now_ns)
        status, reason, detail = self._judge(heard, now_ns)
        before = self._states.get(aircraft_id)
        same = before is not None and before.status is status
        return LinkState(
            aircraft_id=aircraft_id,
            link=self.url,
            status=status,
            since_ns=before.since_ns if before and same else now_ns,
            reason=reason,
            detail=detail,
            address=self._condition.address,
            messages=heard.messages,
            bad_bytes=heard.bad_bytes,
            duplicates=heard.duplicates,
            lost=heard.lost,
            unassigned_system_ids=heard.unassigned_system_ids,
            clock=heard.clock,
            unsigned=heard.unsigned,
            implausible=heard.implausible,
        )

    def _judge(self, heard: Heard, now_ns: int) -> tuple[LinkStatus, str, str]:
        """Status, reason and one clear line about one aircraft of this link."""
        condition = self._condition
        if condition.status is not None:
            return condition.status, condition.reason, condition.detail
        if heard.heard_ns is None:
            return LinkStatus.CONNECTING, *self._why_nothing(heard)
        if now_ns - heard.heard_ns > self._settings.silent_after_s * NS_PER_S:
            detail = f"no message of system id {heard.system_id} any more at {condition.address}"
            return LinkStatus.SILENT, *(_refusal(heard) or ("no_messages", detail))
        return LinkStatus.LIVE, *(_rivalry(heard) or _refusal(heard) or _astray(heard) or ("", ""))

    def _why_nothing(self, heard: Heard) -> tuple[str, str]:
        address = self._condition.address
        if refusal := _refusal(heard):
            return refusal
        if heard.unassigned_system_ids:
            others = ", ".join(map(str, heard.unassigned_system_ids))
            return "no_messages", f"{address}: system id {heard.system_id} is not heard, only {others}"
        if self._condition.reason == "forbidden_sender":
            return "forbidden_sender", f"{address}: {self._condition.detail} is not in allow_from"
        if heard.foreign:
            return "not_mavlink", f"{address}: what comes from {heard.foreign} is no MAVLink"
        return "no_messages", f"{address}: no aircraft heard yet"


def _rivalry(heard: Heard) -> tuple[str, str] | None:
    if not heard.rival:
        return None
    shown, other = heard.rival
    detail = (
        f"two aircraft with one system id: {heard.system_id} comes from {shown} and from {other}; "
        f"only {shown} is used. Give one of them another system id"
    )
    return "duplicate_system_id", detail


def _refusal(heard: Heard) -> tuple[str, str] | None:
    """Messages that are refused for their signature just now. Lines that stand still: no counts in them."""
    who = "what claims to be the aircraft" if heard.system_id is None else f"what comes as {heard.system_id}"
    match heard.refusal:
        case Refusal.MISSING:
            return "signature_missing", f"{who} is not signed; set up signing on the aircraft, too"
        case Refusal.WRONG:
            return "signature_wrong", f"{who} is signed with another key than signing_key"
        case Refusal.REPLAYED:
            detail = f"{who} was signed long ago: a recording, or a clock that is not set yet here or there"
            return "signature_replayed", detail
    return None


def _astray(heard: Heard) -> tuple[str, str] | None:
    if not heard.is_astray:
        return None
    return "position_implausible", "positions that the aircraft cannot have got to are held back"


def _is_calm(state: LinkState) -> bool:
    """Whether nobody need do anything: nothing heard yet is no fault, but somebody else heard is."""
    waits = state.status is LinkStatus.CONNECTING and state.reason == "no_messages"
    return state.reason in _CALM or (waits and not state.unassigned_system_ids)


def _gist(state: LinkState) -> tuple[object, ...]:
    return state.status, state.reason, state.detail, state.address, state.unassigned_system_ids
