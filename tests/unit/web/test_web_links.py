"""Links and guests in the book: tokens, names, limits, and when they are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.errors import LagebildError, MalformedError, NotFoundError
from flow.flights import Aircraft, Feed, Incident, IncidentKind, Marker
from flow.memory_bus import MemoryBus
from flow.recording import RecordingState, RecordingStatus
from recordings.protocol.retention import Days
from tests.fakes.clock import START_NS, FakeClock
from web.access import links as links_module
from web.access.caller import Caller, CallerKind
from web.access.forgetting import Forgetting
from web.access.links import LinkGoneError, Links, distinct, link_id_of
from web.access.policy import GUEST
from web.access.presence import Presence, Stay, Way
from web.access.reach import IncidentReach, within
from web.access.store import AccessStore
from web.access.sweeping import Sweeper

HOUR_NS = 3600 * NS_PER_S
FRITZ = Aircraft("fritz", "Fritz", (Feed("tag", "fritz", "Tag"),))
OTTO = Aircraft("otto", "Otto", (Feed("nacht", "otto", "Nacht"),))
FIRE = Incident("brand", IncidentKind.EINSATZ, "Brand", START_NS, None, ("fritz",), ())


@dataclass(slots=True)
class Desk:
    clock: FakeClock
    store: AccessStore
    links: Links
    reach: IncidentReach
    bus: MemoryBus


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock, bus = FakeClock(), MemoryBus()
    store = AccessStore(tmp_path, clock)
    store.open()
    reach = IncidentReach(bus, clock, (FRITZ, OTTO))
    reach.told(FIRE)
    yield Desk(clock, store, Links(store, clock), reach, bus)
    store.close()


async def test_who_enters_is_a_guest_of_that_incident_until_the_link_is_over(desk: Desk) -> None:
    link = await desk.links.make("brand", 2, "ELW 1", "kern")
    entered = await desk.links.enter(desk.links.token(link), "Meier")
    now_ns = desk.clock.now_ns()
    caller = desk.store.book.guest(entered.guest.session, now_ns)
    assert caller is not None
    assert (caller.name, caller.incident_id, caller.link_id) == ("Meier", "brand", link.id)
    assert desk.store.book.guest(entered.guest.session, now_ns + 2 * HOUR_NS) is None
    await desk.links.revoke("brand", link.id)
    assert desk.store.book.guest(entered.guest.session, now_ns) is None
    with pytest.raises(LinkGoneError):
        await desk.links.enter(desk.links.token(link), "Meier")


async def test_two_of_one_name_are_told_apart_and_a_device_stays_one_guest(desk: Desk) -> None:
    token = desk.links.token(await desk.links.make("brand", 1, "", ""))
    first = await desk.links.enter(token, "ELW 1")
    second = await desk.links.enter(token, "elw 1")
    again = await desk.links.enter(token, "ELW 1", first.guest.session)
    assert [each.guest.name for each in (first, second, again)] == ["ELW 1", "elw 1 (2)", "ELW 1"]
    assert (again.guest.id, again.cookie) == (first.guest.id, "")
    other = desk.links.token(await desk.links.make("wohnung", 1, "", ""))
    assert (await desk.links.enter(other, "ELW 1", first.guest.session)).guest.id != first.guest.id
    await desk.links.dismiss(first.guest.id)
    assert (await desk.links.enter(token, "ELW 1", first.guest.session)).guest.id != first.guest.id
    with pytest.raises(NotFoundError):
        await desk.links.dismiss(first.guest.id)


def test_names_that_look_alike_are_told_apart() -> None:
    assert distinct("\uff25LW", {"elw", "ELW (2)"}) == "\uff25LW (3)"


async def test_links_are_bounded_in_time_and_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for hours in (0.0, 721.0, float("nan")):
        with pytest.raises(MalformedError):
            await desk.links.make("brand", hours, "", "")
    monkeypatch.setattr(links_module, "LINKS_MOST", 1)
    monkeypatch.setattr(links_module, "GUESTS_MOST", 1)
    token = desk.links.token(await desk.links.make("brand", 1, "", ""))
    with pytest.raises(LagebildError, match="the limit"):
        await desk.links.make("brand", 1, "", "")
    first = await desk.links.enter(token, "A")
    assert (await desk.links.enter(token, "B", first.guest.session)).guest.name == "B"
    with pytest.raises(LagebildError, match="the limit"):
        await desk.links.enter(token, "C")


async def test_a_token_is_of_this_house_alone(desk: Desk) -> None:
    link = await desk.links.make("brand", 1, "", "")
    token = desk.links.token(link)
    assert link_id_of(desk.store.book.house_key, token) == link.id
    for key, text in ((b"", token), (b"another", token), (desk.store.book.house_key, f"{token}x")):
        assert link_id_of(key, text) is None


def test_what_is_closed_or_moved_is_out_of_reach_and_listeners_hear_of_it(desk: Desk) -> None:
    told: list[None] = []
    desk.reach.on_change(lambda: told.append(None))
    assert desk.reach.feeds("brand") == {"tag"}
    assert desk.reach.aircraft("brand") == {"fritz"}
    desk.reach.told(FIRE)
    assert not told
    later = replace(FIRE, id="neu", opened_ns=START_NS + 1)
    desk.reach.told(later)
    assert (sorted(desk.reach.feeds("brand")), sorted(desk.reach.feeds("neu"))) == ([], ["tag"])
    desk.reach.told(replace(later, closed_ns=START_NS + 2))
    assert (sorted(desk.reach.feeds("brand")), sorted(desk.reach.feeds("neu"))) == (["tag"], [])
    assert len(told) == 2


def test_a_flight_that_goes_on_is_of_no_closed_incident(desk: Desk) -> None:
    desk.bus.publish(RecordingState("fritz", RecordingStatus.RECORDING, START_NS, "f-2", START_NS))
    desk.reach.told(replace(FIRE, flight_ids=("f-1", "f-2")))
    assert desk.reach.running() == {"f-2"}
    assert desk.reach.flights("brand") == {"f-1", "f-2"}
    desk.reach.told(replace(FIRE, flight_ids=("f-1", "f-2"), closed_ns=START_NS))
    assert desk.reach.flights("brand") == {"f-1"}


def test_a_flight_that_has_just_begun_is_looked_for_soon(desk: Desk) -> None:
    assert not desk.reach.awaits_flight()
    desk.bus.publish(RecordingState("fritz", RecordingStatus.RECORDING, START_NS, "f-1", START_NS))
    assert desk.reach.awaits_flight()
    desk.reach.told(replace(FIRE, flight_ids=("f-1",)))
    assert not desk.reach.awaits_flight()
    desk.reach.told(FIRE)
    desk.clock.advance(11 * NS_PER_S)  # people have taken it out
    assert not desk.reach.awaits_flight()


async def test_what_was_marked_in_the_incident_before_is_not_of_the_next(desk: Desk) -> None:
    guest = Caller(CallerKind.GUEST, "g", "G", GUEST, "neu")
    before = Marker("m-1", "fritz", desk.clock.now_ns(), 49.4, 7.7, "", "")
    desk.clock.advance(NS_PER_S)
    desk.reach._has_looked = True
    desk.reach.told(replace(FIRE, id="neu", opened_ns=START_NS + 1))
    after = replace(before, id="m-2", utc_ns=desk.clock.now_ns())
    of_nobody = replace(after, id="m-3", aircraft_id="")
    reached = within(guest, desk.reach)
    assert [reached.has_marker(each) for each in (before, after, of_nobody)] == [False, True, False]


async def test_who_may_no_longer_is_ended_once_and_others_stay(desk: Desk) -> None:
    presence = Presence(desk.clock)
    Sweeper(desk.store, presence, desk.reach, desk.clock)
    link = await desk.links.make("brand", 1, "", "")
    entered = [await desk.links.enter(desk.links.token(link), name) for name in ("A", "B")]
    callers = [desk.store.book.guest(each.guest.session, desk.clock.now_ns()) for each in entered]
    ended: list[str] = []
    left: list[tuple[str, bool]] = []
    presence.on_leave(lambda stay, by_rule: left.append((stay.caller.name, by_rule)))
    for caller in callers:
        assert caller is not None
        presence.enter(caller, Way.PICTURE, lambda name=caller.name: ended.append(name), feed_id="tag")  # type: ignore[misc]
    await desk.links.dismiss(entered[0].guest.id)
    assert (ended, left, [s.caller.name for s in presence.here()]) == (["A"], [("A", True)], ["B"])
    desk.clock.advance(HOUR_NS)
    assert presence.sweep() == 1
    assert ended == ["A", "B"]
    assert callers[1] is not None
    presence.enter(callers[1], Way.PICTURE, lambda: ended.append("late"), feed_id="tag")
    assert (ended[-1], presence.here()) == ("late", [])


def test_an_end_that_fails_ends_the_others_too(desk: Desk) -> None:
    presence, ended = Presence(desk.clock), []

    def broken() -> None:
        raise RuntimeError

    def refuse(stay: Stay) -> bool:
        return False

    guest = Caller(CallerKind.GUEST, "g", "G", GUEST, "brand")
    presence.enter(guest, Way.TELEMETRY, broken, feed_id="tag")
    presence.enter(guest, Way.TELEMETRY, lambda: ended.append(1), feed_id="tag")
    assert (presence.sweep(refuse), ended) == (2, [1])


@pytest.mark.parametrize(
    ("incident", "days_later", "is_kept"),
    [
        (FIRE, 1, True),
        (replace(FIRE, flight_ids=("f-1",), closed_ns=START_NS), 1, True),
        (replace(FIRE, closed_ns=START_NS), 1, False),
        (replace(FIRE, flight_ids=("f-1",), closed_ns=START_NS), 60.1, False),
        (FIRE, 60.1, False),
        (replace(FIRE, kind=IncidentKind.UEBUNG), 30.1, False),
        (replace(FIRE, id="another"), 1, True),
    ],
)
async def test_names_go_with_the_incident(
    desk: Desk, incident: Incident, days_later: float, is_kept: bool
) -> None:
    link = await desk.links.make("brand", 1, "ELW 1", "")
    await desk.links.enter(desk.links.token(link), "Meier")
    desk.reach.told(incident)
    forgetting = Forgetting(desk.links, desk.reach, Days().due_ns, desk.clock)
    desk.clock.advance(HOUR_NS + round(days_later * 24 * HOUR_NS))
    await forgetting.forget()
    assert desk.store.book.guests  # the incidents are not known yet
    desk.reach._has_looked = True
    await forgetting.forget()
    assert bool(desk.store.book.guests) is bool(desk.store.book.links) is is_kept


async def test_names_stay_while_somebody_can_come_or_the_clock_is_doubted(desk: Desk) -> None:
    link = await desk.links.make("brand", 1, "", "")
    desk.reach.told(replace(FIRE, closed_ns=START_NS))
    desk.reach._has_looked = True
    await Forgetting(desk.links, desk.reach, Days().due_ns, desk.clock).forget()
    assert desk.store.book.links
    await desk.links.revoke("brand", link.id)
    await Forgetting(desk.links, desk.reach, Days().due_ns, desk.clock, lambda: False).forget()
    assert desk.store.book.links
    await Forgetting(desk.links, desk.reach, Days().due_ns, desk.clock).forget()
    assert not desk.store.book.links
