"""What goes when: holds, running flights and open incidents never."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_S
from flow.flights import Incident, IncidentKind
from recordings.entries import FlightEntry, Hold, Rule
from recordings.protocol.retention import FRESH_NS, Days, due, planned, thin

DAY_NS = 86_400 * NS_PER_S
NOW_NS = 1_000 * DAY_NS


def flight(
    number: int,
    *,
    ended_days_ago: float | None = 100.0,
    size: int = 100,
    kind: IncidentKind | None = None,
    is_open: bool = False,
    held: bool = False,
) -> FlightEntry:
    incident = None
    if kind is not None:
        incident = Incident("i", kind, "Brand", 1, None if is_open else 2)
    return FlightEntry(
        id=f"20261122t{number:06d}z-fritz",
        aircraft_id="fritz",
        aircraft_name="Fritz",
        started_ns=1,
        ended_ns=None if ended_days_ago is None else NOW_NS - round(ended_days_ago * DAY_NS),
        size_bytes=size,
        incident=incident,
        hold=Hold("Gericht", "Wolf", 5) if held else None,
    )


flights = st.lists(
    st.builds(
        flight,
        st.integers(0, 999_999),
        ended_days_ago=st.none() | st.floats(-1, 200),
        size=st.integers(0, 1000),
        kind=st.sampled_from([None, *IncidentKind]),
        is_open=st.booleans(),
        held=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)


def test_days_go_by_the_kind_and_count_from_the_end() -> None:
    days = Days(60, 30)
    old = flight(1, ended_days_ago=60)
    exercise = flight(2, ended_days_ago=31, kind=IncidentKind.UEBUNG)
    young = flight(3, ended_days_ago=59.9, kind=IncidentKind.EINSATZ)
    told = due([young, exercise, old], NOW_NS, days)
    assert [(each.flight_id, each.rule) for each in told] == [
        (exercise.id, Rule.UEBUNG_DAYS),
        (old.id, Rule.EINSATZ_DAYS),
    ]
    assert told[1].due_ns == NOW_NS
    assert planned([young], days)[0].due_ns == NOW_NS + round(0.1 * DAY_NS)


@settings(derandomize=True, max_examples=150)
@given(flights, st.floats(0, 100), st.floats(0, 100))
def test_whatever_is_due_has_ended_so_long_ago_and_is_not_held(
    given_flights: list[FlightEntry], einsatz: float, uebung: float
) -> None:
    told = {each.flight_id: each for each in due(given_flights, NOW_NS, Days(einsatz, uebung))}
    for each in given_flights:
        days = uebung if each.kind is IncidentKind.UEBUNG else einsatz
        is_due = (
            each.ended_ns is not None and not each.hold and each.ended_ns + round(days * DAY_NS) <= NOW_NS
        )
        assert (each.id in told) == is_due


@settings(derandomize=True, max_examples=300)
@given(flights, st.integers(-100, 4000))
def test_thinning_takes_enough_and_no_more_and_only_what_may_go(
    given_flights: list[FlightEntry], needed: int
) -> None:
    going = thin(given_flights, needed, NOW_NS)
    for each in going:
        assert each.hold is None
        assert each.ended_ns is not None
        assert each.ended_ns <= NOW_NS - FRESH_NS
        assert each.incident is None or each.incident.closed_ns is not None
    freed = sum(each.size_bytes for each in going)
    if going:
        assert freed - going[-1].size_bytes < needed
    if freed < needed:  # then nothing that may go has stayed
        assert thin([each for each in given_flights if each not in going], needed - freed, NOW_NS) == []
    keys = [(each.kind is IncidentKind.EINSATZ, each.ended_ns or 0) for each in going]
    assert keys == sorted(keys)


def test_exercises_go_first_then_the_oldest() -> None:
    oldest, newer = flight(1, ended_days_ago=50), flight(2, ended_days_ago=10)
    exercise = flight(3, ended_days_ago=2, kind=IncidentKind.UEBUNG)
    given_flights = [newer, oldest, exercise]
    assert thin(given_flights, 1, NOW_NS) == [exercise]
    assert thin(given_flights, 101, NOW_NS) == [exercise, oldest]
    assert thin(given_flights, 1000, NOW_NS) == [exercise, oldest, newer]
    assert thin(given_flights, 0, NOW_NS) == []


def test_what_never_goes() -> None:
    never = [
        flight(1, held=True),
        flight(2, ended_days_ago=None),
        flight(3, kind=IncidentKind.EINSATZ, is_open=True),
        flight(4, kind=IncidentKind.UEBUNG, is_open=True),
        flight(5, ended_days_ago=0.9),
        flight(6, size=0),  # frees nothing
    ]
    assert thin(never, 10**9, NOW_NS) == []
