"""A replay as what it is: a lazy sequence of (time, port, bytes), always the same for the same input."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence

from .telemetry_track import TelemetryTrack
from .timing import Lap, Send
from .video_track import VideoTrack


def schedule(
    videos: Sequence[VideoTrack],
    telemetry: TelemetryTrack | None,
    first: Lap,
    *,
    length_ns: int | None = None,
    loop: bool = False,
    begun: Callable[[Lap], None] = lambda lap: None,
) -> Iterator[Send]:
    """Everything to send, in the order of time, from the start of the `first` lap on.

    Of a recording of `length_ns`; None: as long as its longest video. Longer telemetry is cut there, and
    after shorter telemetry there is silence until the next lap, which all tracks begin together. Endless
    with `loop`. `begun` hears of every lap.
    """
    lap, newest_ns = first, first.start_utc_ns
    while True:
        begun(lap)
        for send in _play(videos, telemetry, lap, length_ns):
            # Reordered pictures are still on their way when the next lap begins: its first messages wait.
            newest_ns = max(newest_ns, send.time_ns)
            yield send._replace(time_ns=newest_ns)
        end = lap.next(_length_ns(videos, length_ns))
        if not loop or end.start_utc_ns <= lap.start_utc_ns:
            return
        lap = end


def _play(
    videos: Sequence[VideoTrack], telemetry: TelemetryTrack | None, lap: Lap, length_ns: int | None
) -> Iterator[Send]:
    """One lap. Only when the videos are through is it known how long it is, where nobody has said."""
    messages = telemetry.play(lap) if telemetry else iter(())
    message = next(messages, None)
    for packet in heapq.merge(*(video.play(lap) for video in videos), key=lambda send: send.time_ns):
        while message is not None and message.time_ns <= packet.time_ns:
            yield message
            message = next(messages, None)
        yield packet
    end_ns = lap.next(_length_ns(videos, length_ns)).start_utc_ns
    while message is not None and message.time_ns < end_ns:
        yield message
        message = next(messages, None)


def _length_ns(videos: Sequence[VideoTrack], length_ns: int | None) -> int:
    return max((video.length_ns for video in videos), default=0) if length_ns is None else length_ns
