"""Clips of flights made at test time, and what independent programs read of them."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np

from flow.clock import NS_PER_S
from flow.codec.annexb import split_nal_units
from flow.doors import CameraLook
from flow.samples import TelemetrySample
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from recordings.export.clip import ClipMade, make_clip
from recordings.export.order import ExportOrder, Part, Region
from recordings.export.source import ExportSource
from recordings.flight_file import read_flight
from simulator import strip
from tests.fakes.clock import START_NS

FEED = "fritz-tag"
FPS = 25
PICTURE_NS = NS_PER_S // FPS
WIDTH, HEIGHT = 320, 180
START_90K = START_NS * 9 // 100_000


@cache
def stamped(
    codec: str = "libx264", count: int = 50, group: int = 10, more: str = "bframes=0", width: int = WIDTH
) -> tuple[AccessUnit, ...]:
    """Pictures with the time of their capture burned in, 25 a second from START_NS."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    height = width * 9 // 16 // 2 * 2
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    own = "x264-params" if codec == "libx264" else "x265-params"
    quiet = "" if codec == "libx264" else ":log-level=none:repeat-headers=1"
    encoder.options = {
        "preset": "ultrafast",
        own: f"keyint={group}:min-keyint={group}:scenecut=0:{more}{quiet}",
    }
    packets = []
    for number in range(count):
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[: height // 2, (8 * number) % width :][:, :40] = 200
        strip.draw(planes[:height], (START_NS + number * PICTURE_NS) // 1_000_000, number)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    delay = -min(packet.dts or 0 for packet in packets)
    return tuple(
        AccessUnit(
            feed_id=FEED,
            rendition=Rendition.SOURCE,
            codec=Codec.H264 if codec == "libx264" else Codec.H265,
            epoch=1,
            seq=seq,
            dts_90k=START_90K + (packet.dts or 0) * 3600,
            pts_90k=START_90K + ((packet.pts or 0) + delay) * 3600,
            utc_ns=START_NS + (packet.pts or 0) * PICTURE_NS,
            utc_origin=UtcOrigin.SOURCE,
            keyframe=packet.is_keyframe,
            data=bytes(packet),
        )
        for seq, packet in enumerate(packets)
    )


class KnownPast:
    """Says the same of every moment, or what `samples` say."""

    def __init__(self, sample: TelemetrySample | None = None) -> None:
        self._sample = sample

    def sample(self, utc_ns: int) -> TelemetrySample | None:
        return self._sample and dataclasses.replace(self._sample, utc_ns=utc_ns)

    def look(self, feed_id: str, utc_ns: int) -> CameraLook:
        return CameraLook(feed_id, utc_ns)

    def klv(self, feed_id: str, utc_ns: int) -> bytes | None:
        return None


def source_of(
    folder: Path,
    from_ns: int,
    to_ns: int,
    *,
    regions: Sequence[Region] = (),
    past: KnownPast | None = None,
    language: str = "de",
) -> ExportSource:
    flight = read_flight(folder)
    order = ExportOrder(
        flight.id,
        from_ns,
        to_ns,
        (FEED,),
        (Part.CLIP,),
        "Müller",
        regions={FEED: tuple(regions)} if regions else {},
        language=language,
    )
    return ExportSource(folder, flight, order, None, (), lambda: iter(()), past or KnownPast())


def clip(
    folder: Path, path: Path, first: float, end: float, *, burn_in: bool = False, **how: Any
) -> ClipMade:
    """From picture number `first` to before number `end`, counted from START_NS."""
    from_ns, to_ns = (START_NS + round(number * PICTURE_NS) for number in (first, end))
    return make_clip(source_of(folder, from_ns, to_ns, **how), FEED, path, lambda share: None, burn_in)


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A picture as a player shows it."""

    pts_s: float
    stamp_ms: int | None
    frame: av.VideoFrame


def seen(path: Path) -> Iterator[Seen]:
    """By libav, in the order of showing."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            grey = frame.to_ndarray(format="gray")
            stamp = strip.read(grey)
            assert frame.pts is not None
            assert frame.time_base is not None
            yield Seen(float(frame.pts * frame.time_base), stamp[0] if stamp else None, frame)


def samples_of(path: Path) -> list[bytes]:
    """The pictures as they lie in the file, in the order of decoding."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def length_prefixed(unit: AccessUnit) -> bytes:
    return b"".join(len(nal).to_bytes(4, "big") + nal for nal in split_nal_units(unit.data))


def probed(path: Path) -> dict[str, Any]:
    """What ffprobe says of file and pictures."""
    command = ["ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_frames", "-of", "json"]
    done = subprocess.run([*command, str(path)], capture_output=True, check=True, timeout=30)
    assert not done.stderr, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def complaints(path: Path) -> str:
    """What both ffmpegs, the system's and a newer one, find wrong when they decode all of it."""
    system = shutil.which("ffmpeg")
    assert system is not None, "ffmpeg is not installed; `make setup-test` does that"
    said = ""
    for program in (system, imageio_ffmpeg.get_ffmpeg_exe()):
        command = [program, "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        said += done.stderr.decode() + (f"{program}: {done.returncode}" if done.returncode else "")
    return said
