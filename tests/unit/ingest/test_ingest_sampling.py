"""What of a feed is decoded to look at it."""

from __future__ import annotations

from dataclasses import replace

from flow.flights import SourceState, SourceStatus
from flow.units import Codec, CodecConfig
from ingest.protocol.sampling import Sampling, affordable, followable
from tests.fakes.pictures import Camera


def after(*groups: int) -> Sampling:
    """Groups of so many pictures, ten a second, and the keyframe that ends the last."""
    sampling, camera = Sampling(), Camera(fps=10)
    for length in groups:
        for unit in camera.group(length):
            sampling.picture(unit)
    sampling.picture(camera.keyframe())
    return sampling


def test_groups_of_three_seconds_are_short() -> None:
    assert not after(30, 30, 30).long_groups
    assert after(30, 32).long_groups


def test_a_long_group_is_known_before_it_ends() -> None:
    sampling, camera = Sampling(), Camera(fps=10)
    units = camera.group(40)
    for unit in units[:31]:
        sampling.picture(unit)
    assert not sampling.long_groups
    sampling.picture(units[31])
    assert sampling.long_groups


def test_a_feed_is_believed_to_have_changed_after_three_short_groups() -> None:
    assert after(60, 20, 20).long_groups
    assert not after(60, 20, 20, 20).long_groups
    assert after(60, 20, 20, 60, 20).long_groups


def test_of_a_stream_of_keyframes_one_a_second_is_looked_at() -> None:
    sampling, camera = Sampling(), Camera(fps=10)
    wanted = [sampling.wants(camera.keyframe()) for _ in range(30)]
    assert wanted == ([True] + [False] * 8) * 3 + [True, False, False]


def test_what_is_too_large_is_not_decoded_whole() -> None:
    config = CodecConfig(Codec.H264, 1920, 1080, 100, 0, 41, "4:2:0", 8, False, False)
    state = SourceState("x", SourceStatus.LIVE, 0, config=config, fps=30.0)
    assert affordable(state)
    assert not affordable(replace(state, fps=31.0))
    assert not affordable(replace(state, config=replace(config, width_px=3840, height_px=2160)))
    assert affordable(replace(state, config=replace(config, width_px=1280, height_px=720), fps=None))
    assert not affordable(None)
    assert not affordable(replace(state, config=None))


def test_what_no_decoder_keeps_up_with_is_not_decoded_whole_for_stills_either() -> None:
    config = CodecConfig(Codec.H264, 3840, 2160, 100, 0, 51, "4:2:0", 8, False, False)
    state = SourceState("x", SourceStatus.LIVE, 0, config=config, fps=30.0)
    assert followable(state)
    assert not followable(replace(state, fps=60.0))
    assert not followable(replace(state, config=replace(config, width_px=7680, height_px=4320), fps=None))
    assert followable(None)  # until somebody knows
    assert followable(replace(state, config=None))
