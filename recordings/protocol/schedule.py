"""A replay as what it is: a lazy sequence of (time, port, bytes), always the same for the same input."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from .telemetry_track import TelemetryTrack
from .timing import Lap, Send
from .video_track import VideoTrack


def schedule(
    videos: Sequence[VideoTrack],
    telemetry: TelemetryTrack | None,
    *,
    start_utc_ns: int,
    speed: float = 1.0,
    loop: bool = False,
) -> Iterator[Send]:
    """Everything to send, in the order of time, from `start_utc_ns` on.

    A lap is as long as the longest video: longer telemetry is cut there, and after shorter telemetry there
    is silence until the next lap, which all tracks begin together. Endless with `loop`.
    """
    newest_ns = start_utc_ns
    lap = Lap(start_utc_ns, speed)
    while True:
        for send in _play(videos, telemetry, lap):
            # Reordered pictures are still on their way when the next lap begins: its first messages wait.
            newest_ns = max(newest_ns, send.time_ns)
            yield send._replace(time_ns=newest_ns)
        end = _end(videos, lap)
        if not loop or end.start_utc_ns <= lap.start_utc_ns:
            return
        lap = end


def _play(videos: Sequence[VideoTrack], telemetry: TelemetryTrack | None, lap: Lap) -> Iterator[Send]:
    """One lap. Only when the videos are through is it known how long it is."""
    messages = telemetry.play(lap) if telemetry else iter(())
    message = next(messages, None)
    for packet in heapq.merge(*(video.play(lap) for video in videos), key=lambda send: send.time_ns):
        while message is not None and message.time_ns <= packet.time_ns:
            yield message
            message = next(messages, None)
        yield packet
    end_ns = _end(videos, lap).start_utc_ns
    while message is not None and message.time_ns < end_ns:
        yield message
        message = next(messages, None)


def _end(videos: Sequence[VideoTrack], lap: Lap) -> Lap:
    """The lap that follows this one."""
    length_ns = max(video.length_ns for video in videos)
    return Lap(lap.utc_ns(length_ns), lap.speed)
