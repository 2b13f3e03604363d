"""Whether recordings are what was on the bus: published, recorded and read back, faster than real time."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import struct
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from flow.clock import NS_PER_S
from flow.codec.annexb import split_nal_units
from flow.codec.nal import RULES
from flow.errors import ConfigError
from flow.flights import Aircraft, Feed
from flow.memory_bus import MemoryBus
from flow.units import CLOCK_RATE_HZ, AccessUnit, Codec, Rendition, UtcOrigin
from recordings.folders import flights_folder, segments_in
from recordings.footage import open_video
from recordings.recorder import Recorder
from recordings.segment_file import pictures
from recordings.settings import RecordingsSettings
from tests.bench import clip
from tests.fakes.clock import START_NS, FakeClock
from tests.fakes.encoded import Picture, h264_pictures

FEED = "exakt-tag"
AIRCRAFT = Aircraft("exakt", "Exakt", (Feed(FEED, "exakt", "Tageslicht"),))
CLIP_SUFFIXES = (".mp4", ".ts", ".h264", ".avi")
RAW_FPS = Fraction(30)
AHEAD_BYTES = 16 * 1024 * 1024
"""What may be published and not be on the disk yet: the recorder takes 64 MiB, and the disk 64 more."""

QUIET_S = 130
SETTLES_WITHIN_S = 60.0
_TIMES = struct.Struct("!QQqqq?16s")


@dataclass(slots=True)
class Digest:
    """Of pictures: everything that an AccessUnit says, and its NAL units."""

    pictures: int = 0
    size: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, unit: AccessUnit) -> None:
        self.pictures += 1
        self.size += len(unit.data)
        said = unit.epoch, unit.seq, unit.dts_90k, unit.pts_90k, unit.utc_ns, unit.keyframe
        self._hash.update(_TIMES.pack(*said, f"{unit.codec}/{unit.utc_origin}".encode()))
        for nal in split_nal_units(unit.data):
            self._hash.update(len(nal).to_bytes(4, "big") + nal)

    @property
    def value(self) -> str:
        return str(self._hash.hexdigest())


async def recorded(name: str, units: Iterable[AccessUnit], parent: Path) -> dict[str, Any]:
    """Publish them on a bus that a recorder listens to, at their times; then compare what it has written."""
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="exact-", dir=parent) as folder:
        root, sent = Path(folder), Digest()
        clock, bus = FakeClock(START_NS), MemoryBus()
        recorder = Recorder(bus, clock, RecordingsSettings(root, (AIRCRAFT,)), lambda: "", lambda _: None)
        running = asyncio.create_task(recorder.run())
        await _turns()
        on_disk = 0
        for unit in units:
            clock.advance(max(0, unit.utc_ns - clock.now_ns()))
            sent.add(unit)
            bus.publish(unit)
            await _turns()
            while sent.size - on_disk > AHEAD_BYTES:
                await asyncio.sleep(0.005)
                on_disk = _size(root)
        async with asyncio.timeout(SETTLES_WITHIN_S):
            for _ in range(QUIET_S):  # until the flight is over
                clock.advance(NS_PER_S)
                await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bus.aclose()
        return await asyncio.to_thread(_compared, name, sent, root)


def _compared(name: str, sent: Digest, root: Path) -> dict[str, Any]:
    kept, segments = Digest(), 0
    for flight in sorted(flights_folder(root).iterdir()):
        for feed, _, path in segments_in(flight):
            segments += 1
            for unit in pictures(path, feed):
                kept.add(unit)
    return {
        "name": name,
        "pictures": sent.pictures,
        "recorded": kept.pictures,
        "megabytes": round(sent.size / 1e6, 1),
        "segments": segments,
        "byte_exact": kept.value == sent.value and kept.pictures == sent.pictures > 0,
    }


async def _turns() -> None:
    for _ in range(4):  # readers, then who listens to them
        await asyncio.sleep(0)


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*.mp4"))


# --- an hour ------------------------------------------------------------------------------------------------


async def hour(seconds: int, parent: Path) -> dict[str, Any]:
    """So many seconds of the benchmark's clip, a reconnect every 97 s, every third of another size."""
    name = f"{seconds / 60:g} min of 4 Mbit/s, accelerated, with reconnects"
    return await recorded(name, _hour(seconds), parent)


def _hour(seconds: int) -> Iterator[AccessUnit]:
    film = [Picture(data, _is_keyframe(Codec.H264, data)) for data in clip.access_units()]
    small = h264_pictures(60, 640, 360, 30)
    at_ns = START_NS
    for epoch in itertools.count(1):
        run_s = min(97, seconds - (at_ns - START_NS) // NS_PER_S)
        if run_s <= 0:
            return
        shown = itertools.cycle(small if epoch % 3 == 0 else film)
        for seq, picture in enumerate(itertools.islice(shown, run_s * clip.FPS)):
            utc_ns = at_ns + seq * NS_PER_S // clip.FPS
            yield _unit(picture.data, picture.keyframe, epoch, seq, utc_ns, utc_ns)
        at_ns += (run_s + 4) * NS_PER_S  # the source is away for 4 s


# --- real clips ---------------------------------------------------------------------------------------------


async def real_clips(feeds: Path, parent: Path) -> list[dict[str, Any]]:
    """Every clip of that folder that travels as it is."""
    paths = sorted(path for path in feeds.rglob("*") if path.suffix in CLIP_SUFFIXES)
    found: list[dict[str, Any]] = []
    for path in paths:
        try:
            units = list(clip_units(path))
        except ConfigError:
            continue  # another codec: ingest converts it, and that is what is recorded
        found.append(await recorded(path.name, units, parent))
    return found


def clip_units(path: Path) -> Iterator[AccessUnit]:
    """The pictures of a file, as ingest would publish them from its first keyframe on."""
    footage = open_video(path, RAW_FPS)
    seq, base_ns, newest_90k = 0, None, 0
    for picture in footage.pictures():
        keyframe = _is_keyframe(footage.codec, picture.data)
        if base_ns is None and not keyframe:
            continue
        base_ns = picture.dts_ns if base_ns is None else base_ns
        dts_ns = START_NS + picture.dts_ns - base_ns
        if _ticks(dts_ns) <= newest_90k:
            continue  # a file may step back; the bus does not
        newest_90k = _ticks(dts_ns)
        pts_ns = max(dts_ns, START_NS + picture.pts_ns - base_ns)
        yield _unit(picture.data, keyframe, 1, seq, dts_ns, pts_ns, footage.codec)
        seq += 1


def _unit(
    data: bytes, keyframe: bool, epoch: int, seq: int, dts_ns: int, pts_ns: int, codec: Codec = Codec.H264
) -> AccessUnit:
    return AccessUnit(
        FEED, Rendition.SOURCE, codec, epoch, seq, _ticks(dts_ns), _ticks(pts_ns),
        dts_ns, UtcOrigin.ARRIVAL, keyframe, data,
    )  # fmt: skip


def _ticks(ns: int) -> int:
    return ns * CLOCK_RATE_HZ // NS_PER_S


def _is_keyframe(codec: Codec, data: bytes) -> bool:
    return RULES[codec].is_keyframe(split_nal_units(data))
