"""When a place was in a camera's picture: stretches of time, from what can be asked of any one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from flow.clock import NS_PER_MS, NS_PER_S

SeenAt: TypeAlias = Callable[[int], float | None]
"""At a moment: 0 in the middle of the picture, 1 at an edge; None: not in it."""
Span: TypeAlias = tuple[int, int]

STEP_NS = NS_PER_S
"""What was in the picture for less than this may be missed."""
BRIDGED_NS = 3 * NS_PER_S
"""Whoever circles over a place, or looks about, loses it for moments: that is one stretch all the same."""
_EXACT_NS = 50 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Filmed:
    """From its first to its last moment in the picture; `best_ns` is when it was nearest to the middle,
    `share` how much of the time between it was in it, 0 to 1."""

    from_ns: int
    to_ns: int
    best_ns: int
    share: float


@dataclass(frozen=True, slots=True)
class _Look:
    """A moment that was asked about."""

    utc_ns: int
    aside: float | None


def filmed(spans: Iterable[Span], coarse: SeenAt, fine: SeenAt) -> Iterator[Filmed]:
    """`spans` are when there are pictures, in order. Every second of them is asked for by `coarse`; by `fine`
    the ends of what is found."""
    run: list[_Look] = []  # from the last miss before the first hit on
    hit_ns: int | None = None
    for look in _looks(spans, coarse):
        if hit_ns is not None and look.utc_ns - hit_ns > BRIDGED_NS:
            yield _stretch(run, fine)
            run, hit_ns = [each for each in run[-1:] if each.aside is None], None
        if look.aside is not None:
            hit_ns = look.utc_ns
            run.append(look)
        elif hit_ns is None:
            run = [look]
        else:
            run.append(look)
    if hit_ns is not None:
        yield _stretch(run, fine)


def _looks(spans: Iterable[Span], coarse: SeenAt) -> Iterator[_Look]:
    for from_ns, to_ns in spans:
        for utc_ns in (*range(from_ns, to_ns, STEP_NS), to_ns):
            yield _Look(utc_ns, coarse(utc_ns))


def _stretch(run: list[_Look], fine: SeenAt) -> Filmed:
    hits = [number for number, look in enumerate(run) if look.aside is not None]
    first, last = hits[0], hits[-1]
    best = min((run[number] for number in hits), key=lambda look: look.aside or 0.0)
    from_ns = _edge(run[first].utc_ns, run[first - 1].utc_ns, fine) if first else run[first].utc_ns
    to_ns = run[last].utc_ns
    if last + 1 < len(run):
        to_ns = _edge(to_ns, run[last + 1].utc_ns, fine)
    return Filmed(from_ns, to_ns, best.utc_ns, len(hits) / (last - first + 1))


def _edge(inside_ns: int, outside_ns: int, fine: SeenAt) -> int:
    """Between a moment with the place and one without, not further from the first than a look is wide: there
    may be a gap of hours between them."""
    if abs(outside_ns - inside_ns) > STEP_NS:
        return inside_ns
    while abs(outside_ns - inside_ns) > _EXACT_NS:
        middle_ns = (inside_ns + outside_ns) // 2
        if fine(middle_ns) is None:
            outside_ns = middle_ns
        else:
            inside_ns = middle_ns
    return inside_ns
