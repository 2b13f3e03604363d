"""A bad link and a bad clock, on purpose: transformations of a schedule, the same for the same seed."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from .timing import Send


@dataclass(frozen=True, slots=True)
class Impairments:
    """What happens to every datagram between the source and us; zero is nothing.

    `drift_ppm` says how much faster than ours the source's clock runs.
    """

    loss: float = 0.0  # share of the datagrams, 0 to 1
    jitter_ns: int = 0
    drift_ppm: float = 0.0


def impair(
    sends: Iterable[Send], impairments: Impairments, start_utc_ns: int, random: Random
) -> Iterator[Send]:
    """Apply `impairments`; the order of time is kept, across ports and within each."""
    drifted = _drift(sends, impairments.drift_ppm, start_utc_ns) if impairments.drift_ppm else sends
    kept = _lose(drifted, impairments.loss, random) if impairments.loss else drifted
    return _delay(kept, impairments.jitter_ns, random) if impairments.jitter_ns else iter(kept)


def _drift(sends: Iterable[Send], ppm: float, start_utc_ns: int) -> Iterator[Send]:
    """The times inside the datagrams stay: seen from the source's clock it is ours that drifts."""
    for send in sends:
        yield send._replace(time_ns=start_utc_ns + round((send.time_ns - start_utc_ns) / (1 + ppm / 1e6)))


def _lose(sends: Iterable[Send], probability: float, random: Random) -> Iterator[Send]:
    return (send for send in sends if random.random() >= probability)


def _delay(sends: Iterable[Send], most_ns: int, random: Random) -> Iterator[Send]:
    """Delay each datagram by up to `most_ns`, but none past the one before it on its port."""
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
