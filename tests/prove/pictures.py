"""What a viewer saw of the numbered clip, picture by picture, and whether that is good enough. No I/O.

Two parts of a watch are looked at. The first seconds, the same ones for whoever is compared, are reported as
they are. Once what a bad network broke of the first pictures has healed, and from there to the very end of
the watch, nothing is excused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

from flow.clock import NS_PER_MS, NS_PER_S
from tests.fakes.encoded import FPS

from .clip import LENGTH, numbered_clip

Record: TypeAlias = dict[str, Any]

LEAST_SHARE = 0.98
"""Of the pictures due once the start is over; the rest a lost NACK or two may cost."""
MOST_DAMAGED = 0
MOST_FREEZE_MS = 1000
BESIDE_SHARE, BESIDE_FREEZE_MS = 0.02, 500
"""By how much one run may be worse than another beside it, each with its own luck."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of viewer is allowed.

    Its start is over `settles_s` after its first picture, at the latest `start_s` after the answer. It may
    show a picture `late_s` after that was live: the last ones of a watch are not yet due.
    """

    start_s: float
    settles_s: float
    late_s: float


@dataclass(frozen=True, slots=True)
class Watch:
    """When what happened, by the monotonic clock.

    The clip's first picture was live at `feed_began_ns`, the viewer had its answer at `asked_ns`, and was
    watched until `until_ns`.
    """

    feed_began_ns: int
    asked_ns: int
    until_ns: int
    kind: Kind

    def place(self, at_ns: int) -> int:
        """The number of the newest picture at that time, counted through all rounds of the clip."""
        return (at_ns - self.feed_began_ns) * FPS // NS_PER_S


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a watch: `shown` of the `due` pictures came out whole, `damaged` frames came out wrong.

    `freeze_ms` is the longest time without a newer whole picture, to the very end of the part; at the start
    it counts from the first picture, or all of it if there was none.
    """

    due: int
    shown: int
    damaged: int
    freeze_ms: int

    @property
    def share(self) -> float:
        return self.shown / self.due if self.due else 0.0

    def record(self) -> Record:
        return {
            "shown": self.shown, "due": self.due, "share": round(self.share, 4),
            "damaged": self.damaged, "longest_freeze_ms": self.freeze_ms,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """`first_ms` is the time from the answer to the first whole picture; None: there was none.

    `settled` is None of a watch that ended before.
    """

    first_ms: int | None
    start: Part
    settled: Part | None

    def record(self) -> Record:
        settled = self.settled.record() if self.settled else None
        return {"first_picture_ms": self.first_ms, "start": self.start.record(), "settled": settled}


def seen(lines: Sequence[Record], watch: Watch) -> Seen:
    """Reckon what the viewer's lines ({"luma", "at_ns"}) say."""
    shown, damaged = _frames(lines, watch)
    news = _news(shown)
    first_ns = news[0] if news else None
    start_ns = _after(watch.asked_ns, watch.kind.start_s)
    settled_ns = start_ns if first_ns is None else min(start_ns, _after(first_ns, watch.kind.settles_s))
    # What it shows of the time before the answer, the cached group, is due without a gap as well.
    first_place = min([watch.place(watch.asked_ns) + 1, *shown])
    last_place = watch.place(_after(watch.until_ns, -watch.kind.late_s))

    def part(from_place: int, from_ns: int, to_ns: int, freeze_from_ns: int) -> Part:
        places = range(from_place, min(watch.place(to_ns), last_place) + 1)
        return Part(
            due=len(places),
            shown=sum(place in shown for place in places),
            damaged=sum(from_ns <= at <= to_ns for at in damaged),
            freeze_ms=_longest(freeze_from_ns, news, to_ns),
        )

    start_ns = min(start_ns, watch.until_ns)
    began_ns = first_ns if first_ns is not None and first_ns < start_ns else watch.asked_ns
    start = part(first_place, watch.asked_ns, start_ns, began_ns)
    settled = part(watch.place(settled_ns) + 1, settled_ns, watch.until_ns, settled_ns)
    first_ms = None if first_ns is None else (first_ns - watch.asked_ns) // NS_PER_MS
    return Seen(first_ms, start, settled if settled.due else None)


def judged(run: Record) -> Record:
    """The run's record with its "faults": what is not good enough once its start is over."""
    return {**run, "faults": faults(run)}


def faults(run: Record) -> list[str]:
    """What of a run's record is not good enough once its start is over."""
    settled = run["settled"]
    if settled is None:
        return ["the watch ended before the start was over"]
    found = []
    if settled["share"] < LEAST_SHARE:
        found.append(f"{settled['shown']} of {settled['due']} pictures shown")
    if settled["damaged"] > MOST_DAMAGED:
        found.append(f"{settled['damaged']} damaged pictures among {settled['due']}")
    if settled["longest_freeze_ms"] > MOST_FREEZE_MS:
        found.append(f"frozen for {settled['longest_freeze_ms']} ms")
    return found


def worse(run: Record, beside: Record) -> list[str]:
    """In what one run is worse, once its start is over, than the other that ran beside it."""
    ours, theirs = run["settled"], beside["settled"]
    if ours is None or theirs is None:
        return ["the watch ended before the start was over"]
    found = []
    if ours["share"] < theirs["share"] - BESIDE_SHARE:
        found.append(f"{ours['share']:.1%} of the pictures shown, beside {theirs['share']:.1%}")
    if ours["damaged"] > theirs["damaged"]:
        found.append(f"{ours['damaged']} damaged pictures, beside {theirs['damaged']}")
    if ours["longest_freeze_ms"] > theirs["longest_freeze_ms"] + BESIDE_FREEZE_MS:
        found.append(f"frozen for {ours['longest_freeze_ms']} ms, beside {theirs['longest_freeze_ms']}")
    return found


def _frames(lines: Sequence[Record], watch: Watch) -> tuple[dict[int, int], list[int]]:
    """When each picture, by its place, was first shown whole; when a damaged one was shown."""
    numbers = numbered_clip().numbers
    damaged: list[int] = []
    shown: dict[int, int] = {}  # place -> when first shown
    for line in lines:
        if "luma" not in line or line["at_ns"] > watch.until_ns:
            continue
        number = numbers.get(line["luma"])
        if number is None:
            damaged.append(line["at_ns"])
            continue
        live = watch.place(line["at_ns"])  # nobody can have shown a newer one
        shown.setdefault(live - (live - number) % LENGTH, line["at_ns"])
    return shown, damaged


def _after(at_ns: int, seconds: float) -> int:
    return at_ns + int(seconds * NS_PER_S)


def _news(shown: dict[int, int]) -> list[int]:
    """When there was a newer picture than any before, in order."""
    news, newest = [], -1
    for at_ns, place in sorted((at_ns, place) for place, at_ns in shown.items()):
        if place > newest:
            news.append(at_ns)
            newest = place
    return news


def _longest(from_ns: int, news: list[int], to_ns: int) -> int:
    """The longest time in ms, from one to the other, in which there was nothing new."""
    times = [from_ns, *(at_ns for at_ns in news if from_ns < at_ns < to_ns), to_ns]
    return max(b - a for a, b in pairwise(times)) // NS_PER_MS
