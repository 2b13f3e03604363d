"""Who is connected, to what, and how each is let go of: at once, when whoever let him in takes it back."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flow.clock import Clock

from .caller import Caller
from .permissions import Permission, Scope

log = logging.getLogger("lagebild.web")


class Way(StrEnum):
    """What keeps somebody connected."""

    PICTURE = "picture"  # a WHEP session
    TELEMETRY = "telemetry"  # a WebSocket, or server-sent events
    DOWNLOAD = "download"  # an answer that takes long


@dataclass(frozen=True, slots=True)
class Stay:
    """One connection. `feed_id` and `aircraft_id` are what it is about; "": none.

    `permission`, `scope` and `named` are what the policy is asked, now and again.
    """

    number: int
    caller: Caller
    way: Way
    since_ns: int
    feed_id: str = ""
    aircraft_id: str = ""
    flight_id: str = ""
    address: str = ""
    permission: Permission = Permission.WATCH
    scope: Scope = Scope.HOUSE
    named: Mapping[str, str] = field(default_factory=dict)


End = Callable[[], None]
"""Breaks a connection at once, without waiting; may be called for one that is gone."""


class Presence:
    """All that is connected now. Ends what may stay no more; whoever is told of changes asks `here()`.

    `rule` says who may stay: the house's (sweeping.py). What `enter` lets in is held against it at once, as
    it may have changed while somebody's request was read.
    """

    def __init__(self, clock: Clock) -> None:
        self.rule: Callable[[Stay], bool] = lambda stay: True
        self._clock = clock
        self._numbers = itertools.count(1)
        self._stays: dict[int, tuple[Stay, End]] = {}
        self._told: list[Callable[[], None]] = []
        self._left: list[Callable[[Stay, bool], None]] = []

    def enter(
        self,
        caller: Caller,
        way: Way,
        end: End,
        *,
        feed_id: str = "",
        aircraft_id: str = "",
        flight_id: str = "",
        address: str = "",
    ) -> Callable[[], None]:
        """From now on he is here; what this returns says that he has left."""
        told = {Scope.FLIGHT: flight_id, Scope.FEED: feed_id, Scope.AIRCRAFT: aircraft_id}
        about = next(((scope, value) for scope, value in told.items() if value), None)
        stay = Stay(
            next(self._numbers),
            caller,
            way,
            self._clock.now_ns(),
            feed_id,
            aircraft_id,
            flight_id,
            address,
            scope=about[0] if about else Scope.HOUSE,
            named={about[0].value: about[1]} if about else {},
        )
        return self._begin(stay, end)

    def download(
        self, caller: Caller, end: End, permission: Permission, scope: Scope, named: Mapping[str, str]
    ) -> Callable[[], None]:
        """The same for an answer that is being given: nobody is told of it."""
        number, now_ns = next(self._numbers), self._clock.now_ns()
        stay = Stay(
            number, caller, Way.DOWNLOAD, now_ns, permission=permission, scope=scope, named=dict(named)
        )
        return self._begin(stay, end)

    def _begin(self, stay: Stay, end: End) -> Callable[[], None]:
        self._stays[stay.number] = (stay, end)
        self._changed([stay])
        if not self.rule(stay):
            self._end(stay, end)

        def leave() -> None:
            if self._stays.pop(stay.number, None) is not None:
                self._gone(stay, ended=False)
                self._changed([stay])

        return leave

    def here(self) -> list[Stay]:
        """Everybody who watches or listens."""
        return [stay for stay, _ in self._stays.values() if stay.way is not Way.DOWNLOAD]

    def sweep(self, may_stay: Callable[[Stay], bool] | None = None) -> int:
        """End every stay that may not go on; how many there were."""
        rule = may_stay or self.rule
        ended = [(stay, end) for stay, end in self._stays.values() if not rule(stay)]
        for stay, end in ended:
            self._end(stay, end)
        return len(ended)

    def on_change(self, told: Callable[[], None]) -> None:
        """Call `told` whenever somebody has come or gone."""
        self._told.append(told)

    def on_leave(self, told: Callable[[Stay, bool], None]) -> None:
        """Call `told` with each stay that is over, and whether it was ended because he may no longer."""
        self._left.append(told)

    def _end(self, stay: Stay, end: End) -> None:
        if self._stays.pop(stay.number, None) is None:
            return
        try:
            end()
        except Exception:
            log.exception("a connection could not be ended: a defect of Lagebild")
        self._gone(stay, ended=True)
        self._changed([stay])

    def _gone(self, stay: Stay, *, ended: bool) -> None:
        for told in self._left:
            told(stay, ended)

    def _changed(self, stays: list[Stay]) -> None:
        if any(stay.way is not Way.DOWNLOAD for stay in stays):
            for told in self._told:
                told()
