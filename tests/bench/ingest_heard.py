"""What the tap heard (ingest_tap.py), against what the senders wrote, and the figures of both."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flow.clock import NS_PER_S
from tests.bench.figures import percentile

NS_PER_MS = 1_000_000
LIVE = "live"


@dataclass(frozen=True, slots=True)
class Unit:
    """An access unit on the bus; `number` is None where the picture carries none."""

    feed_id: str
    at_ns: int
    number: int | None
    rendition: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class State:
    """A change of a feed's state."""

    feed_id: str
    at_ns: int
    status: str
    reason: str


class Heard:
    """The tap's file as it grows; `read()` takes in what is new."""

    def __init__(self, file: Path) -> None:
        self._file, self._at = file, 0
        self.units: list[Unit] = []
        self.states: list[State] = []

    def read(self) -> None:
        if not self._file.exists():
            return
        with self._file.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # the last line may be half written
        self._at += len(whole)
        for kind, *entry in map(json.loads, whole.splitlines()):
            if kind == "unit":
                self.units.append(Unit(*entry))
            else:
                self.states.append(State(*entry))

    def source_units(self, feed_id: str) -> list[Unit]:
        return [u for u in self.units if u.feed_id == feed_id and u.rendition == "source"]

    def status(self, feed_id: str) -> State | None:
        """The newest state of a feed."""
        return next((s for s in reversed(self.states) if s.feed_id == feed_id), None)

    def first_unit_ns(self, feed_id: str, after_ns: int, rendition: str = "source") -> int | None:
        """When the first access unit after that moment was published."""
        return next(
            (
                u.at_ns
                for u in self.units
                if u.feed_id == feed_id and u.rendition == rendition and u.at_ns >= after_ns
            ),
            None,
        )


def written(times: Path) -> dict[int, int]:
    """Number -> when the write of its last byte began, ns, from a sender's log."""
    lines = times.read_text(encoding="ascii").split("\n")[:-1] if times.exists() else []
    return {int(number): int(at_ns) for number, at_ns in (line.split() for line in lines)}


@dataclass(frozen=True, slots=True)
class Delay:
    """Of the pictures written in one window, from the write of the last byte to the bus, ms.

    `sent` counts the pictures written, `missing` those of them that never came. None: nothing was measured.
    """

    p50_ms: float | None
    p99_ms: float | None
    most_ms: float | None
    sent: int
    missing: int


def delay(sent_ns: Mapping[int, int], units: Iterable[Unit], from_ns: int, to_ns: int) -> Delay:
    """Pictures written from `from_ns` to before `to_ns`, matched by number."""
    arrived = {u.number: u.at_ns for u in reversed(list(units))}  # the first one counts
    window = {number: at_ns for number, at_ns in sent_ns.items() if from_ns <= at_ns < to_ns}
    each = [(arrived[n] - at_ns) / NS_PER_MS for n, at_ns in window.items() if n in arrived]
    p50, p99 = percentile(each, 0.5, 2), percentile(each, 0.99, 2)
    return Delay(p50, p99, percentile(each, 1.0, 2), len(window), len(window) - len(each))


@dataclass(frozen=True, slots=True)
class Recovery:
    """A publisher killed and started again; seconds, None where it never came to that.

    `picture_s` is from its new start to the first access unit, `said_s` from the kill to the first state that
    is not "live" (`said` is its status and reason), `live_s` from the new start to "live" again.
    """

    picture_s: float | None
    said_s: float | None
    said: str
    live_s: float | None


def recovery(heard: Heard, feed_id: str, killed_ns: int, begun_ns: int) -> Recovery:
    """What became of a feed whose publisher was killed and began again at these times."""
    picture_ns = heard.first_unit_ns(feed_id, begun_ns)
    since = [s for s in heard.states if s.feed_id == feed_id and s.at_ns >= killed_ns]
    gone = next((s for s in since if s.status != LIVE), None)
    # Where the way back was quicker than the state, it has stayed live.
    back = next((s for s in since if s.status == LIVE and s.at_ns >= begun_ns), None)
    return Recovery(
        picture_s=_seconds(begun_ns, picture_ns),
        said_s=_seconds(killed_ns, gone.at_ns if gone else None),
        said=f"{gone.status}: {gone.reason}" if gone and gone.reason else gone.status if gone else "",
        live_s=_seconds(begun_ns, back.at_ns if back else None),
    )


def _seconds(from_ns: int, to_ns: int | None) -> float | None:
    return None if to_ns is None else round((to_ns - from_ns) / NS_PER_S, 2)
