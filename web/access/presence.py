"""Who is connected, to what, and how each is let go of: at once, when whoever let him in takes it back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from flow.clock import Clock

from .caller import Caller


class Way(StrEnum):
    """What keeps somebody connected."""

    PICTURE = "picture"  # a WHEP session
    TELEMETRY = "telemetry"  # a WebSocket, or server-sent events
    DOWNLOAD = "download"  # an answer that takes long


@dataclass(frozen=True, slots=True)
class Stay:
    """One connection. `feed_id` and `aircraft_id` are what it is about; "": none."""

    number: int
    caller: Caller
    way: Way
    since_ns: int
    feed_id: str = ""
    aircraft_id: str = ""
    flight_id: str = ""
    address: str = ""


class Presence:
    """All that is connected now. Ends what may stay no more; whoever is told of changes asks `here()`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._stays: dict[int, tuple[Stay, Callable[[], None]]] = {}
        self._told: list[Callable[[], None]] = []

    def enter(
        self,
        caller: Caller,
        way: Way,
        end: Callable[[], None],
        *,
        feed_id: str = "",
        aircraft_id: str = "",
        flight_id: str = "",
        address: str = "",
    ) -> Callable[[], None]:
        """From now on he is here; what this returns says that he has left. `end` breaks the connection at
        once, without waiting, and may be called for one that is gone."""
        number = next(self._numbers)
        stay = Stay(number, caller, way, self._clock.now_ns(), feed_id, aircraft_id, flight_id, address)
        self._stays[number] = (stay, end)
        self._changed()

        def leave() -> None:
            if self._stays.pop(number, None) is not None:
                self._changed()

        return leave

    def here(self) -> list[Stay]:
        return [stay for stay, _ in self._stays.values()]

    def sweep(self, may_stay: Callable[[Stay], bool]) -> int:
        """End every stay that may not go on; how many there were."""
        ended = [(stay, end) for stay, end in self._stays.values() if not may_stay(stay)]
        for stay, end in ended:
            self._stays.pop(stay.number, None)
            end()
        if ended:
            self._changed()
        return len(ended)

    def on_change(self, told: Callable[[], None]) -> None:
        """Call `told` whenever somebody has come or gone."""
        self._told.append(told)

    def _changed(self) -> None:
        for told in self._told:
            told()
