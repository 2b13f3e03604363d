"""What a replay plays: cameras and telemetry of one recording, loose files or a flight's folder."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Protocol

from .footage import Messages, Tlog
from .protocol.state_messages import StateMessages
from .protocol.telemetry_track import on_time
from .protocol.timing import NS_PER_S, Cut, Pace
from .protocol.video_track import CodedPicture

STOP_EVERY_NS = 30 * NS_PER_S


class Video(Protocol):
    """One camera. Times count from `zero_ns`, or from its first picture where that is None."""

    @property
    def zero_ns(self) -> int | None: ...

    def pictures_near(self, elapsed_ns: int) -> Callable[[], Iterator[CodedPicture]]:
        """What opens it anew, for reading from that time or earlier."""
        ...

    def keyframe_before(self, elapsed_ns: int) -> int | None:
        """When the last keyframe up to that time is decoded, None if there is none soon before."""
        ...


@dataclass(frozen=True, slots=True)
class Stop:
    """How far telemetry was read once, and what had been said by then: an hour of it takes a second."""

    pace: Pace
    position: int
    state: StateMessages

    @property
    def elapsed_ns(self) -> int:
        return self.pace.elapsed_ns

    def copy(self, position: int) -> Stop:
        return Stop(copy(self.pace), position, self.state.copy())


@dataclass(frozen=True, slots=True)
class Recording:
    """`length_ns` None: as long as its longest video. `silences` are the times without a picture of any
    camera, the first and the last that one of them has."""

    name: str
    videos: Sequence[Video]
    telemetry: Messages | None
    zero_ns: int | None = None
    length_ns: int | None = None
    silences: tuple[Cut, ...] = ()
    stops: list[Stop] = field(default_factory=list, compare=False)  # in order; filled by those who seek


@dataclass(frozen=True, slots=True)
class Cue:
    """Where a replay begins, and what its telemetry track needs to begin there."""

    from_ns: int
    messages: Messages | None
    before: tuple[tuple[int, bytes], ...] = ()


def cue(recording: Recording, from_ns: int, telemetry_offset_ns: int = 0) -> Cue:
    """Look for the keyframes before `from_ns`, the earliest of which is where everything begins.

    Reads through loose files; of a flight, its indexes, and its telemetry up to there, but no part twice.
    """
    if from_ns <= 0:
        return Cue(0, recording.telemetry)
    keyframes = (video.keyframe_before(from_ns) for video in recording.videos)
    at_ns = max(0, min((at for at in keyframes if at is not None), default=from_ns))
    telemetry = recording.telemetry
    if not isinstance(telemetry, Tlog) or telemetry_offset_ns:
        return Cue(at_ns, telemetry)
    here = _read_up_to(at_ns, telemetry, recording)
    return Cue(at_ns, lambda: telemetry.read_from(here.position), here.state.all())


def _read_up_to(at_ns: int, telemetry: Tlog, recording: Recording) -> Stop:
    """Go on from the last stop before; leave stops behind where nobody has read yet."""
    stops = recording.stops
    if not stops:
        stops.append(Stop(Pace(recording.zero_ns), 0, StateMessages()))
    before = stops[max(0, bisect_left(stops, at_ns, key=lambda stop: stop.elapsed_ns) - 1)]
    here, position = before.copy(before.position), before.position
    for elapsed_ns, data in on_time(telemetry.read_from(position), here.pace, 0):
        if elapsed_ns >= at_ns:
            break
        here.state.take(data, elapsed_ns)
        position += telemetry.size_of(data)
        if elapsed_ns - stops[-1].elapsed_ns >= STOP_EVERY_NS:
            stops.append(here.copy(position))
    return here.copy(position)


def shortened(silences: Sequence[Cut], to_ns: int) -> tuple[Cut, ...]:
    """What to cut out so that no silence is longer than `to_ns`."""
    return tuple(Cut(s.from_ns + to_ns, s.to_ns) for s in silences if s.to_ns - s.from_ns > to_ns)
