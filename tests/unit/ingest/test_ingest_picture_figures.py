"""Clips through the decoder and the eye, as the decoder's process has them, and what is found in them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from flow.clock import NS_PER_S
from flow.units import AccessUnit
from ingest.picture_decoder import Decoder
from ingest.protocol.decoder_pipe import Looked, Picture
from ingest.protocol.health import Figures, Health
from tests.fakes import scenes
from tests.fakes.scenes import FPS, Scene

LONG = 16 * FPS


def figures_of(units: Iterable[AccessUnit], *, keyframes: bool) -> list[Figures]:
    """What is measured when only keyframes are decoded, or everything."""
    decoder, seen = Decoder(), []
    for unit in units:
        if unit.keyframe or not keyframes:
            told = decoder.take(Picture(unit, alone=keyframes))
            seen += [one.figures for one in told if isinstance(one, Looked)]
    return seen


def found(figures: Iterable[Figures]) -> set[str]:
    """Everything that was ever found."""
    health = Health("x")
    return {code for one in figures for code in health.look(one).findings}


def found_in(scene: Scene, *, kbit_s: int = 1000, keyframes: bool = True, count: int = LONG) -> set[str]:
    return found(figures_of(scenes.encoded(scene, count, kbit_s=kbit_s), keyframes=keyframes))


HEALTHY = {
    "hovering": scenes.hover(),
    "hovering very still": scenes.hover(0.3),
    "flying": scenes.flight(),
    "night": scenes.night(),
    "night, small lights": scenes.night(light_px=4, noise=2.0),
    "thermal": scenes.thermal(),
    "snow": scenes.bleak(215, 0.05),
    "fog": scenes.bleak(150, 0.1),
    "water": scenes.bleak(70, 0.15),
    "slightly soft": scenes.defocused(scenes.hover(), 0.8),
}


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("keyframes", [True, False])
def test_nothing_is_found_where_nothing_is_wrong(name: str, keyframes: bool) -> None:
    assert found_in(HEALTHY[name], keyframes=keyframes) == set()


@pytest.mark.parametrize("kbit_s", [400, 4000])
def test_nothing_is_found_at_any_bit_rate(kbit_s: int) -> None:
    assert found_in(scenes.hover(), kbit_s=kbit_s) == set()
    assert found_in(scenes.night(), kbit_s=kbit_s) == set()


@pytest.mark.parametrize("keyframes", [True, False])
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_black(keyframes: bool, noise: float) -> None:
    assert found_in(scenes.black(noise), keyframes=keyframes) == {"black"}


@pytest.mark.parametrize("keyframes", [True, False])
@pytest.mark.parametrize("kbit_s", [1000, 4000])
def test_frozen(keyframes: bool, kbit_s: int) -> None:
    scene = scenes.one_after_other((scenes.flight(), 4 * FPS), (scenes.still(scenes.hover()), 12 * FPS))
    assert found_in(scene, keyframes=keyframes, kbit_s=kbit_s) == {"frozen"}


def test_frozen_ends_with_the_first_other_picture() -> None:
    scene = scenes.one_after_other((scenes.still(scenes.hover()), 12 * FPS), (scenes.flight(), 4 * FPS))
    health = Health("x")
    told = [health.look(f) for f in figures_of(scenes.encoded(scene, LONG), keyframes=False)]
    assert ("frozen",) in {one.findings for one in told}
    assert told[-1].findings == ()


def test_a_lens_is_blurred_from_some_point_on() -> None:
    """Growing defocus: the figure falls until nothing is left, the finding comes once it is plain to see."""
    sharpness = []
    for sigma in (0.5, 1.0, 1.5, 2.0, 4.0):
        (figures, *_) = figures_of(scenes.encoded(scenes.defocused(scenes.hover(), sigma), 1), keyframes=True)
        sharpness.append(figures.sharpness)
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 0.2
    assert found_in(scenes.defocused(scenes.flight(), 4.0)) == {"blurred"}
    assert found_in(scenes.defocused(scenes.flight(), 8.0)) == {"blurred"}


@pytest.mark.parametrize("share", [0.5, 0.75])
@pytest.mark.parametrize("keyframes", [True, False])
def test_covered(share: float, keyframes: bool) -> None:
    clear, hidden = scenes.flight(), scenes.covered(scenes.flight(), share)
    scene = scenes.one_after_other((clear, 6 * FPS), (hidden, 10 * FPS))
    assert found_in(scene, keyframes=keyframes) == {"covered"}


def test_a_view_that_turns_dark_as_a_whole_is_not_covered() -> None:
    """From a lit village into the night, half of which is black from the start."""
    night = scenes.covered(scenes.night(), 0.5)
    assert "covered" not in found_in(scenes.one_after_other((scenes.flight(), 6 * FPS), (night, 10 * FPS)))


def test_a_view_that_was_dark_from_the_start_is_not_covered() -> None:
    """A fire at night: half of the picture is black, half is bright."""
    assert found_in(scenes.covered(scenes.flight(), 0.5)) == set()


# --- real feeds ---------------------------------------------------------------------------------------------

STATIC = "video/aerial_skatepark_h264_portrait720x1280.ts"
REAL = [
    STATIC,
    "video/aerial_seashore_h264_720p.ts",
    "video/aerial_karma_h264_480p_gpmf.mp4",
    "video/fmv_aphill_h264_480i_klv0104.ts",
    "video/street_h265_1376x1840.mp4",
    "video/tello_indoor_h264_960x720.h264",
    "video/kwiver_h264_yuv444_klv0601.ts",
    "video/kwiver_h265_gbrp_klv0601.ts",
    "derived/seashore_hevc_720p_nobf.ts",
    "derived/seashore_h264_720p30_live.mp4",
]


@pytest.mark.feeds
@pytest.mark.parametrize(("name", "keyframes"), [*((name, True) for name in REAL), (STATIC, False)])
async def test_nothing_is_found_in_real_feeds(feeds: Path, name: str, keyframes: bool) -> None:
    figures = figures_of(await real_units(feeds / name), keyframes=keyframes)
    assert figures
    assert found(figures) == set()


@pytest.mark.feeds
async def test_what_a_real_feed_looks_like_out_of_focus(feeds: Path) -> None:
    """Real ground at its own sharpness, and through ever worse lenses."""
    figures = figures_of(await real_units(feeds / STATIC), keyframes=True)
    assert min(one.sharpness for one in figures) > 0.15
    assert max(one.still_s for one in figures) < 3.0
    assert figures[-1].utc_ns - figures[0].utc_ns > 15 * NS_PER_S


REAL_GROUND = [STATIC, "video/aerial_seashore_h264_720p.ts", "video/aerial_karma_h264_480p_gpmf.mp4"]


@pytest.mark.feeds
@pytest.mark.parametrize("name", REAL_GROUND)
def test_what_is_wrong_with_a_real_camera_is_found(feeds: Path, name: str) -> None:
    """Real ground, to which a camera's faults are done and which is then encoded anew."""
    real = filmed(feeds / name)
    hangs = scenes.one_after_other((real, 5 * FPS), (scenes.still(real, 30), 11 * FPS))
    hidden = scenes.one_after_other((real, 6 * FPS), (scenes.covered(real, 0.6), 10 * FPS))
    assert found_in(hangs) == {"frozen"}
    assert found_in(hidden) == {"covered"}
    assert found_in(scenes.defocused(real, 4.0)) == {"blurred"}


@pytest.mark.feeds
def test_nothing_is_found_in_a_real_hover_over_a_poor_link(feeds: Path) -> None:
    real = filmed(feeds / STATIC)
    assert found_in(real, kbit_s=250) == set()
    assert found_in(real, kbit_s=250, keyframes=False) == set()


def filmed(path: Path) -> Scene:
    """Pictures of a real clip, as many a second as scenes have, over and over."""
    with av.open(path) as container:
        step = round(float(container.streams.video[0].average_rate or 30) / FPS)
        frames = islice(container.decode(video=0), 0, LONG * step, step)
        pictures = [
            np.asarray(f.to_ndarray(width=scenes.WIDTH, height=scenes.HEIGHT, format="bgr24"), np.uint8)
            for f in frames
        ]
    return lambda number: pictures[number % len(pictures)]


async def real_units(path: Path) -> list[AccessUnit]:
    from tests.interop.test_ingest_real_feeds import play

    return (await play(path, 30 if path.suffix == ".h264" else None)).units
