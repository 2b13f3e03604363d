"""Every kind of picture that browsers cannot show, made into one that they can. No process, no clock."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from flow.codec.annexb import split_nal_units
from flow.codec.parameter_sets import config_of
from flow.flights import UNFIT_NOTES
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from ingest.child import EncoderError
from ingest.encoder import Arrived, Rendering
from ingest.protocol.events import StreamInfo
from ingest.recoding import Encoder
from tests.fakes.clips import ENCODERS, PICTURES, Clips

from .material import LIVE, coded, written
from .renditions import check_rendition, decoded_frames, fed, rendered

_ORIGIN = UtcOrigin.ARRIVAL

UNFIT = {
    "h264 with B-frames": "b_frames",
    "h264 intra refresh": "intra_refresh",
    "h264 interlaced": "interlaced",
    "h264 4:4:4": "chroma",
    "h264 4:2:2 10 bit": "chroma",
    "h264 grey": "chroma",
    "h265": "codec_h265",
    "h265 with B-frames, slices": "codec_h265",
    "h265 4:4:4 10 bit": "codec_h265",
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


def rendering(rendition: Rendition = Rendition.WEB, preset: str = "ultrafast") -> Rendering:
    return Rendering(rendition, Encoder("libx264", preset, rendition))


def nal_types(unit: AccessUnit) -> list[int]:
    return [nal[0] & 0x1F for nal in split_nal_units(unit.data)]


@pytest.mark.parametrize("kind", UNFIT)
def test_what_browsers_cannot_show_becomes_what_they_can(clips: Clips, kind: str) -> None:
    units, state = fed(clips.make(kind, "mp4"))
    assert UNFIT[kind] in set(state.notes) & UNFIT_NOTES
    made = rendered(rendering(), units)
    check_rendition(made, units)
    assert PICTURES - 4 <= len(made) <= PICTURES  # what the decoder still holds, or has to heal first
    config = config_of(Codec.H264, split_nal_units(made[0].data))
    assert config is not None
    assert config.plays_in_browsers
    assert (config.width_px, config.height_px) == (322, 184)
    frames = decoded_frames(made)
    assert len(frames) == len(made)
    assert {(f.width, f.height, f.format.name, f.interlaced_frame) for f in frames} == {
        (322, 184, "yuv420p", False)
    }


def test_the_clips_of_all_unfit_kinds_are_tried() -> None:
    assert ENCODERS.keys() - UNFIT.keys() == {"h264 zerolatency, four slices", "h264 baseline"}


def test_what_is_shown_is_the_picture(clips: Clips) -> None:
    """Compared with what libav decodes of the source: B-frames come in the order of showing."""
    path = clips.make("h264 with B-frames", "mp4")
    units, _ = fed(path)
    made = decoded_frames(rendered(rendering(preset="veryfast"), units))
    for ours, theirs in zip(made, decoded_frames(units), strict=False):
        error = np.abs(ours.to_ndarray(format="gray").astype(int) - theirs.to_ndarray(format="gray"))
        assert error.mean() < 6


def test_one_slice_and_parameter_sets_in_each_keyframe(clips: Clips) -> None:
    units, _ = fed(clips.make("h264 with B-frames", "mp4"))
    for unit in rendered(rendering(), units):
        kinds = nal_types(unit)
        assert kinds[:2] == [7, 8] if unit.keyframe else kinds == [1]
        assert sum(kind in (1, 5) for kind in kinds) == 1
        assert (5 in kinds) is unit.keyframe


def test_a_single_keyframe_is_given_others(tmp_path: Path) -> None:
    path = written(tmp_path / "one.mp4", coded(200, group=1000))
    units, _ = fed(path)
    assert [unit.keyframe for unit in units].count(True) == 1
    made = rendered(rendering(), units)
    check_rendition(made, units)
    assert [number for number, unit in enumerate(made) if unit.keyframe] == [0, 60, 120, 180]
    assert len(decoded_frames(made[60:])) == 140  # who joins there sees all of it


def test_a_keyframe_on_demand(clips: Clips) -> None:
    units, _ = fed(clips.make("h265", "mp4"))
    made = rendered(rendering(), units, keyframes_at=(3, 20, 21))
    assert [number for number, unit in enumerate(made) if unit.keyframe] == [0, 13, 26]  # half a second apart


def test_low_is_small(tmp_path: Path) -> None:
    units, _ = fed(written(tmp_path / "large.mp4", coded(20, size=(1280, 720))))
    making = rendering(Rendition.LOW)
    made = rendered(making, units)
    check_rendition(made, units)
    assert {unit.rendition for unit in made} == {Rendition.LOW}
    assert {(frame.width, frame.height) for frame in decoded_frames(made)} == {(640, 360)}
    report = making.report()
    assert (report.width_px, report.height_px, report.limit_bps) == (640, 360, 600_000)


def test_low_keeps_to_its_limit_in_noise() -> None:
    """The worst picture there is: VBV holds any second to the limit and half a second of it more."""
    chance = np.random.default_rng(1)
    encoder = Encoder("libx264", "superfast", Rendition.LOW)
    sizes = []
    for number in range(90):
        image = chance.integers(0, 256, (360, 640), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(image, format="gray8").reformat(format="yuv420p")
        sizes.append(len(encoder.encode(frame, 10**14 + number * 3000, 30, keyframe=number % 60 == 0)))
    worst = max(8 * sum(sizes[start : start + 30]) for start in range(61))
    assert 300_000 < worst < 1.6 * 600_000


@pytest.mark.parametrize("fps", [5, 60])
def test_the_limit_is_one_of_time_and_not_of_pictures(fps: int) -> None:
    chance = np.random.default_rng(2)
    encoder = Encoder("libx264", "superfast", Rendition.LOW)
    sizes = []
    for number in range(3 * fps):
        image = chance.integers(0, 256, (360, 640), dtype=np.uint8)
        frame = av.VideoFrame.from_ndarray(image, format="gray8").reformat(format="yuv420p")
        sizes.append(len(encoder.encode(frame, number * 90_000 // fps, fps, keyframe=number == 0)))
    assert 8 * sum(sizes[fps:]) / 2 < 1.3 * 600_000


def test_the_encoder_is_set_to_the_rate_that_is() -> None:
    """60 a second, which nobody knows at the beginning."""
    pictures = coded(150, options=LIVE)
    units = [
        AccessUnit("f", Rendition.SOURCE, Codec.H264, 1, n, n * 1500, n * 1500, 0, _ORIGIN, n == 0, one.data)
        for n, one in enumerate(pictures)
    ]
    making = rendering(Rendition.LOW)
    made = rendered(making, units)
    check_rendition(made, units)
    assert [number for number, unit in enumerate(made) if unit.keyframe] == [0, 30]
    assert not making._encoder.is_for_another(60)


def test_a_size_that_changes_begins_with_a_keyframe(tmp_path: Path) -> None:
    small = written(tmp_path / "small.mp4", coded(20))
    large = written(tmp_path / "large.mp4", coded(20, size=(640, 360)))
    units, _ = fed(small, large)
    assert len({unit.epoch for unit in units}) == 2
    units = [replace(unit, epoch=1, seq=0) for unit in units]  # as if nobody had noticed
    made = rendered(rendering(), units)
    check_rendition(made, units)
    assert [number for number, unit in enumerate(made) if unit.keyframe] == [0, 20]
    assert [frame.width for frame in decoded_frames(made)] == [320] * 20 + [640] * 20


def test_a_codec_that_changes(clips: Clips) -> None:
    units, _ = fed(clips.make("h265", "mp4"), clips.make("h264 with B-frames", "mp4"))
    made = rendered(rendering(), units)
    check_rendition(made, units)
    assert {unit.epoch for unit in made} == {unit.epoch for unit in units}
    assert len(decoded_frames(made)) == len(made)


def test_bad_pictures_are_left_out(clips: Clips) -> None:
    units, _ = fed(clips.make("h265", "mp4"))
    broken = [
        replace(unit, data=bytes(50) + re.sub(rb"[\x40-\x60]", b"\xff", unit.data[50:]))
        if 20 < number < 30
        else unit
        for number, unit in enumerate(units)
    ]
    made = rendered(rendering(), broken)
    check_rendition(made, units)
    assert len(made) >= 30


def test_what_cannot_be_decoded_is_said() -> None:
    units = [
        AccessUnit("fritz", Rendition.SOURCE, Codec.H264, 1, n, n, n, 0, _ORIGIN, False, b"\0\0\1\x41junk")
        for n in range(200)
    ]
    making = rendering()
    assert rendered(making, units) == []
    assert making.report().reason == "undecodable"


def test_late_pictures_are_left_out_and_counted() -> None:
    units = [
        AccessUnit(
            "fritz", Rendition.SOURCE, Codec.H264, 1, n, n * 3000, n * 3000, 0, _ORIGIN, n == 0, one.data
        )
        for n, one in enumerate(coded(40, group=1000, options=LIVE))
    ]
    making = rendering()
    made = [out for unit in units[:10] for out in making.do(Arrived(unit, 0, 0, True, False, False))]
    assert len(made) == 10
    late = [out for unit in units[10:20] for out in making.do(Arrived(unit, 45_000, 0, True, False, False))]
    assert late == []
    assert (making.report().dropped, making.report().reason) == (10, "encoder_slow")
    made += [out for unit in units[20:] for out in making.do(Arrived(unit, 0, 0, True, False, False))]
    assert len(made) == 30  # all again: once is no overload
    assert len(decoded_frames(made)) == 30


def test_while_nobody_needs_it_it_only_decodes(clips: Clips) -> None:
    units, _ = fed(clips.make("h265", "mp4"))
    making = rendering()
    assert [out for unit in units[:30] for out in making.do(Arrived(unit, 0, 0, False, False, False))] == []
    made = [out for unit in units[30:] for out in making.do(Arrived(unit, 0, 0, True, False, False))]
    check_rendition(made, units)
    assert len(made) == 20


def test_a_codec_that_does_not_travel() -> None:
    units = [
        AccessUnit(
            "fritz", Rendition.SOURCE, Codec.H264, 0, 0, n * 3600, n * 3600, n, _ORIGIN, False, one.data
        )
        for n, one in enumerate(coded(30, codec="mpeg2video", options=(("b", "500k"),)))
    ]
    making = Rendering(
        Rendition.WEB, Encoder("libx264", "ultrafast", Rendition.WEB), StreamInfo("mpeg2video")
    )
    made = rendered(making, units)
    check_rendition(made, units)
    assert len(made) >= 28
    assert made[0].pts_90k == 0
    assert len(decoded_frames(made)) == len(made)


@pytest.mark.parametrize("name", ["x265000", "", "libx265", "aac"])
def test_an_encoder_that_there_is_not(name: str) -> None:
    with pytest.raises(EncoderError) as raised:
        Encoder(name, "superfast", Rendition.WEB)
    assert raised.value.code == "encoder_unknown"
    assert f"'{name}'" in str(raised.value)


def test_a_preset_that_there_is_not(clips: Clips) -> None:
    units, _ = fed(clips.make("h265", "mp4"))
    with pytest.raises(EncoderError, match="libx264"):
        rendered(rendering(preset="lightspeed"), units)
