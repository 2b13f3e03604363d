"""What a camera may see, drawn at test time: ground like that of real pictures, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from flow.units import AccessUnit, Codec, Rendition, UtcOrigin

from .clock import START_NS

Image: TypeAlias = NDArray[np.uint8]
Scene: TypeAlias = Callable[[int], Image]  # the picture of this number

WIDTH, HEIGHT, FPS = 480, 272, 5


@cache
def ground(seed: int = 1) -> NDArray[np.float32]:
    """Amplitudes that fall with the frequency, as in pictures of the world; mean 110, deviation 40."""
    chance = np.random.default_rng(seed)
    spectrum = np.fft.fft2(chance.normal(size=(HEIGHT + 40, WIDTH + 40)))
    rows = np.fft.fftfreq(spectrum.shape[0])[:, None] * spectrum.shape[0]
    columns = np.fft.fftfreq(spectrum.shape[1])[None, :] * spectrum.shape[1]
    radius = np.hypot(rows, columns)
    radius[0, 0] = np.inf
    plane = np.fft.ifft2(spectrum / np.maximum(radius, 3.0)).real
    return np.asarray(110 + 40 * plane / plane.std(), np.float32)


def hover(drift_px: float = 0.6) -> Scene:
    """An aircraft that holds its place as well as they can: it sways by a fraction of a pixel."""

    def scene(number: int) -> Image:
        seconds = number / FPS
        dx = 20 + drift_px * np.sin(2 * np.pi * 0.23 * seconds)
        dy = 20 + drift_px * np.cos(2 * np.pi * 0.17 * seconds)
        move = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
        return _shown(cv2.warpAffine(ground(), move, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC))

    return scene


def flight(speed_px: float = 4.0) -> Scene:
    """Forward over ground that repeats."""
    return lambda number: _shown(np.roll(ground(), round(speed_px * number), axis=0)[:HEIGHT, :WIDTH])


def night(light_px: int = 6, noise: float = 4.0) -> Scene:
    """Dark and noisy, with a few lights, hovering."""

    def scene(number: int) -> Image:
        plane = hover()(number)[..., 0].astype(np.float32) / 9
        for x, y in ((100, 80), (320, 200), (440, 120)):
            cv2.circle(plane, (x, y), light_px, 210.0, -1)
        return _shown(plane + noisy(number, noise))

    return scene


def noisy(number: int, deviation: float) -> NDArray[np.float32]:
    chance = np.random.default_rng(number)
    return chance.normal(0, deviation, (HEIGHT, WIDTH)).astype(np.float32)


def thermal() -> Scene:
    """A small sensor's picture, enlarged threefold: soft by nature, with a hot spot, hovering."""

    def scene(number: int) -> Image:
        small = cv2.resize(hover()(number)[..., 0], (WIDTH // 3, HEIGHT // 3), interpolation=cv2.INTER_AREA)
        cv2.circle(small, (90, 60), 5, 255, -1)
        return _shown(cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).astype(np.float32))

    return scene


def bleak(luma: float, contrast: float) -> Scene:
    """Snow, fog or water: hardly anything to see, and the camera's noise."""
    return lambda number: _shown(
        luma + contrast * (hover(2.0)(number)[..., 0].astype(np.float32) - 110) + noisy(number, 1.0)
    )


def still(scene: Scene, number: int = 0) -> Scene:
    """The camera hangs: its encoder gets the same picture again and again."""
    picture = scene(number)
    return lambda _: picture


def defocused(scene: Scene, sigma_px: float) -> Scene:
    return lambda number: np.asarray(cv2.GaussianBlur(scene(number), (0, 0), sigma_px), np.uint8)


def black(noise: float = 0.0) -> Scene:
    return lambda number: _shown(np.full((HEIGHT, WIDTH), 4, np.float32) + noisy(number, noise))


def covered(scene: Scene, share: float) -> Scene:
    """Something dark lies on the lens from one side, as soft at its edge as what is so near must be."""
    edge = np.clip((np.arange(WIDTH) - share * WIDTH) / (0.06 * WIDTH), -1, 1)
    through = ((edge + 1) / 2).astype(np.float32)[None, :, None]
    return lambda number: np.asarray(12 + (scene(number).astype(np.float32) - 12) * through, np.uint8)


def one_after_other(*parts: tuple[Scene, int]) -> Scene:
    """Each scene for so many pictures."""

    def scene(number: int) -> Image:
        for part, count in parts:
            if number < count:
                return part(number)
            number -= count
        raise IndexError(number)

    return scene


def encoded(
    scene: Scene,
    count: int,
    *,
    group: int = 2 * FPS,
    kbit_s: int = 1000,
    codec: Codec = Codec.H264,
    feed_id: str = "fritz-tag",
    start_ns: int = START_NS,
    reorders: bool = False,
    size_px: tuple[int, int] = (WIDTH, HEIGHT),
) -> Iterator[AccessUnit]:
    """`count` pictures as access units, 5 a second, at a constant bit rate as drones send them; scaled to a
    size of width and height."""
    context = av.CodecContext.create("libx264" if codec is Codec.H264 else "libx265", "w")
    assert isinstance(context, VideoCodecContext)
    (context.width, context.height), context.pix_fmt = size_px, "yuv420p"
    context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
    context.options = _options(codec, group, kbit_s, reorders)
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(scene(number), format="bgr24")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    start_90k = start_ns * 9 // 100_000
    delay = -(packets[0].dts or 0)
    for seq, packet in enumerate(packets):
        assert packet.pts is not None
        assert packet.dts is not None
        yield AccessUnit(
            feed_id=feed_id,
            rendition=Rendition.SOURCE,
            codec=codec,
            epoch=0,
            seq=seq,
            dts_90k=start_90k + (packet.dts + delay) * 90_000 // FPS,
            pts_90k=start_90k + (packet.pts + delay) * 90_000 // FPS,
            utc_ns=start_ns + (packet.pts + delay) * 1_000_000_000 // FPS,
            utc_origin=UtcOrigin.ARRIVAL,
            keyframe=packet.is_keyframe,
            data=bytes(packet),
        )


def _options(codec: Codec, group: int, kbit_s: int, reorders: bool) -> dict[str, str]:
    rate = f"bitrate={kbit_s}:vbv-maxrate={kbit_s}:vbv-bufsize={kbit_s}:keyint={group}:scenecut=0"
    live = {"preset": "ultrafast"} if reorders else {"preset": "ultrafast", "tune": "zerolatency"}
    if codec is Codec.H265:
        return live | {"x265-params": f"{rate}:repeat-headers=1:log-level=none:bframes={2 * reorders}"}
    return live | {"x264-params": f"{rate}:bframes={2 * reorders}"}


def _shown(plane: NDArray[Any]) -> Image:
    grey = np.clip(plane, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
