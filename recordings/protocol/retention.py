"""How long flights are kept, and which of them go first where the disk is nearly full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flow.clock import NS_PER_S
from flow.flights import IncidentKind
from recordings.entries import FlightEntry, Rule

_NS_PER_DAY = 86_400 * NS_PER_S

FRESH_NS = _NS_PER_DAY
"""A flight is not thinned so soon after its end: nobody has had the time to hold it."""


@dataclass(frozen=True, slots=True)
class Days:
    """How many days after its end a flight is deleted, by the kind of its incident."""

    einsatz: float = 60.0
    uebung: float = 30.0

    def due_ns(self, kind: IncidentKind, ended_ns: int) -> int:
        days = self.uebung if kind is IncidentKind.UEBUNG else self.einsatz
        return ended_ns + round(days * _NS_PER_DAY)


@dataclass(frozen=True, slots=True)
class Planned:
    """A flight that `rule` deletes, and from when on."""

    flight_id: str
    rule: Rule
    due_ns: int


def planned(flights: Iterable[FlightEntry], days: Days) -> list[Planned]:
    """Every flight that has ended and that nobody holds, with its day; the first to go is first."""
    plans = [
        Planned(flight.id, rule_of(flight.kind), days.due_ns(flight.kind, flight.ended_ns))
        for flight in flights
        if flight.ended_ns is not None and flight.hold is None
    ]
    return sorted(plans, key=lambda plan: (plan.due_ns, plan.flight_id))


def due(flights: Iterable[FlightEntry], now_ns: int, days: Days) -> list[Planned]:
    """Those whose day has come."""
    return [plan for plan in planned(flights, days) if plan.due_ns <= now_ns]


def rule_of(kind: IncidentKind) -> Rule:
    return Rule.UEBUNG_DAYS if kind is IncidentKind.UEBUNG else Rule.EINSATZ_DAYS


def thin(flights: Iterable[FlightEntry], needed_bytes: int, now_ns: int) -> list[FlightEntry]:
    """What goes so that `needed_bytes` come free, in this order; all that may go where that is not enough.

    Flights of exercises before those of an Einsatz, the oldest first. Never one that is held, that has not
    ended or only just, or whose incident is still open.
    """
    going: list[FlightEntry] = []
    for flight in sorted(filter(lambda each: _may_go(each, now_ns), flights), key=_order):
        if needed_bytes <= 0:
            break
        going.append(flight)
        needed_bytes -= flight.size_bytes
    return going


def _may_go(flight: FlightEntry, now_ns: int) -> bool:
    return (
        flight.ended_ns is not None
        and flight.ended_ns + FRESH_NS <= now_ns
        and flight.hold is None
        and (flight.incident is None or flight.incident.closed_ns is not None)
        and flight.size_bytes > 0
    )


def _order(flight: FlightEntry) -> tuple[bool, int, str]:
    return flight.kind is not IncidentKind.UEBUNG, flight.ended_ns or 0, flight.id
