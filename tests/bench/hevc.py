"""The clip's first seconds as H.265, which no browser here plays: a source that needs the rendition `web`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from tests.bench import clip
from tests.bench.peers import BUILD

SECONDS = 10


def access_units() -> list[bytes]:
    """Annex B, 720p30 at 4 Mbit/s, no B-frames, the clip's groups; encoded once and kept in build/bench/."""
    name = f"clip-{clip.HEIGHT}p{clip.FPS}-{clip.BITRATE_BPS // 1000}k-h265-v1.bin"
    return clip.kept(BUILD / name, _encoded)


def _encoded() -> Iterator[bytes]:
    codec = av.CodecContext.create("libx265", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = clip.WIDTH, clip.HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, clip.FPS), Fraction(clip.FPS)
    codec.bit_rate = clip.BITRATE_BPS
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "x265-params": "repeat-headers=1:bframes=0:keyint=-1:scenecut=0:log-level=error:pools=1",
    }
    pictures = clip.access_units()[: SECONDS * clip.FPS]
    with av.open(io.BytesIO(b"".join(pictures)), "r", format="h264") as source:
        for number, frame in enumerate(source.decode(video=0)):
            frame.time_base, frame.pts = Fraction(1, clip.FPS), number
            first = number % (clip.GROUP_S * clip.FPS) == 0
            frame.pict_type = PictureType.I if first else PictureType.NONE
            yield from (bytes(packet) for packet in codec.encode(frame))
    yield from (bytes(packet) for packet in codec.encode(None))
