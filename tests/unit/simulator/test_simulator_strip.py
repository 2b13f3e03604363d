"""The strip survives encoding, scaling and colour conversion, and nothing else is mistaken for one."""

from __future__ import annotations

import av
import cv2
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from cv2.typing import MatLike

from simulator import strip
from simulator.encoder import Encoder
from simulator.picture import Picture

START_MS = 1_795_330_000_123


def through_x264(width: int, height: int, bitrate_bps: int, count: int) -> list[MatLike]:
    """Restless pictures with a strip, encoded as the simulator does and decoded again, as RGB."""
    random = np.random.default_rng(5)
    texture = cv2.resize(random.integers(0, 255, (300, 400), dtype=np.uint8), (width + 64, height + 64))
    picture, encoder = Picture(width, height), Encoder(width, height, 30, bitrate_bps)
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    shown: list[MatLike] = []
    for i in range(count):
        picture.luma[:] = texture[i % 64 : i % 64 + height, (3 * i) % 64 : (3 * i) % 64 + width]
        strip.draw(picture.luma, START_MS + 33 * i, 65530 + i)
        access_unit, _ = encoder.encode(picture.nv12, START_MS + 33 * i)
        shown += [frame.to_ndarray(format="rgb24") for frame in decoder.decode(av.Packet(access_unit))]
    return shown


@pytest.mark.parametrize(("width", "height", "bitrate_bps"), [(1280, 720, 4_000_000), (640, 512, 1_000_000)])
def test_every_picture_reads_back_after_x264_also_downscaled(
    width: int, height: int, bitrate_bps: int
) -> None:
    shown = through_x264(width, height, bitrate_bps, 20)
    assert len(shown) == 20  # one in, one out: no picture is held back
    for i, rgb in enumerate(shown):
        expected = (START_MS + 33 * i, (65530 + i) & 0xFFFF)
        assert strip.read(rgb) == expected
        for share in (0.75, 0.5):
            small = cv2.resize(rgb, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            assert strip.read(small) == expected


def test_geometry_as_documented() -> None:
    luma = np.full((720, 1280), 200, np.uint8)
    strip.draw(luma, START_MS, 7)
    assert (luma[: 720 - 34] == 200).all()
    bits = []
    for i in range(80):
        x, y = (i % 40 + 0.5) / 40 * 1280, 720 * (1 - 3 / 64 + (i // 40 + 0.5) * 3 / 128)
        bits.append("1" if luma[int(y), int(x)] == strip.LIGHT else "0")
    text = "".join(bits)
    assert (text[:4], text[-4:]) == ("1010", "1100")
    assert (int(text[4:52], 2), int(text[52:68], 2)) == (START_MS, 7)


def test_a_picture_without_strip_and_a_wrong_bit_are_refused() -> None:
    random = np.random.default_rng(1)
    assert strip.read(np.full((720, 1280), 90, np.uint8)) is None
    assert strip.read(random.integers(0, 255, (720, 1280, 3), dtype=np.uint8)) is None
    luma = np.zeros((512, 640), np.uint8)
    strip.draw(luma, START_MS, 1)
    luma[-12:, 16 * 9 : 16 * 10] = strip.DARK + strip.LIGHT - luma[-6, 16 * 9 + 8]
    assert strip.read(luma) is None


def test_crc_is_the_published_one() -> None:
    assert strip.crc8(b"123456789") == 0xF4  # check value of CRC-8/SMBUS
