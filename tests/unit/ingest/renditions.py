"""Clips as the access units of a feed, and what a rendition of them must hold to."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame

from flow.clock import NS_PER_S
from flow.flights import SourceState
from flow.units import AccessUnit
from ingest import av_reader
from ingest.encoder import Arrived, Rendering
from ingest.protocol.events import Opened, ParameterSets, SourcePicture
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.reader_pipe import Begin, Sample
from ingest.protocol.ticks import ticks_to_ns
from tests.fakes.clock import START_NS


def fed(
    *paths: Path, fps: float | None = None, start_ns: int = START_NS
) -> tuple[list[AccessUnit], SourceState]:
    """The pictures of these files, one after the other on one feed, as if each came at its time."""
    feed = Feed("fritz", "file:x", Patience(), start_ns)
    units: list[AccessUnit] = []
    now_ns = start_ns
    for path in paths:
        begin_ns, first = now_ns + NS_PER_S // 30, None
        for message in av_reader.messages(str(path), fps, loop=False):
            match message:
                case Begin(codec, parameter_sets):
                    feed.handle(Opened("file:x", 64), begin_ns)
                    feed.handle(ParameterSets(codec, parameter_sets), begin_ns)
                case Sample(pts, dts, data):
                    first = dts if first is None else first
                    now_ns = begin_ns + ticks_to_ns(dts - first)
                    units += feed.handle(SourcePicture(codec, data, pts, dts, now_ns), now_ns)
    return units, feed.state()


def rendered(
    rendering: Rendering, units: list[AccessUnit], *, keyframes_at: tuple[int, ...] = ()
) -> list[AccessUnit]:
    """What comes of the units where nothing is ever late."""
    made: list[AccessUnit] = []
    for number, unit in enumerate(units):
        made += rendering.do(Arrived(unit, 0, 0, True, number in keyframes_at, False))
    return made


def check_rendition(units: list[AccessUnit], source: list[AccessUnit]) -> None:
    """The times are the source's, in order, and two seconds after an IDR comes another."""
    times = {unit.pts_90k: (unit.utc_ns, unit.utc_origin, unit.epoch) for unit in source}
    assert units
    assert units[0].keyframe
    for unit in units:
        assert unit.dts_90k == unit.pts_90k
        assert times[unit.pts_90k] == (unit.utc_ns, unit.utc_origin, unit.epoch)
    for before, after in pairwise(units):
        assert after.dts_90k > before.dts_90k
        assert after.keyframe or after.epoch == before.epoch
    idr_90k = units[0].pts_90k
    for unit in units:
        idr_90k = unit.pts_90k if unit.keyframe else idr_90k
        assert unit.pts_90k - idr_90k < 180_000


def decoded_frames(units: list[AccessUnit]) -> list[VideoFrame]:
    """The pictures of H.264 units, as libav decodes them."""
    data = b"".join(unit.data for unit in units)
    with av.open(io.BytesIO(data), format="h264") as container:
        assert isinstance(container, InputContainer)
        return list(container.decode(video=0))
