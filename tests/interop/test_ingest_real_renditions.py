"""Every recorded feed: live as it is, made fit, transcoded before the bus, or refused in words."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from flow.codec.annexb import split_nal_units
from flow.codec.parameter_sets import config_of
from flow.flights import UNFIT_NOTES
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin
from ingest import av_reader
from ingest.encoder import Rendering
from ingest.protocol.reader_pipe import BeginForeign, Failure, Sample
from ingest.protocol.rendition_size import rendition_size
from ingest.recoding import Encoder
from tests.unit.ingest.renditions import check_rendition, decoded_frames, fed, rendered

pytestmark = pytest.mark.feeds

LOOKED_AT = 75

FIT = {
    "derived/seashore_h264_720p30_live.mp4": (1280, 720),
    "video/aerial_karma_h264_480p_gpmf.mp4": (864, 480),
    "video/tello_indoor_h264_960x720.h264": (960, 720),
}
UNFIT = {
    "derived/seashore_h264_plus_cheyenne_klv.ts": ("b_frames",),
    "derived/seashore_hevc_720p_nobf.ts": ("codec_h265",),
    "video/aerial_seashore_h264_720p.ts": ("b_frames",),
    "video/aerial_skatepark_h264_portrait720x1280.ts": ("b_frames",),
    "video/fmv_aphill_h264_480i_klv0104.ts": ("interlaced", "b_frames"),
    "video/kwiver_h264_noklv.ts": ("chroma", "b_frames"),
    "video/kwiver_h264_yuv444_klv0601.ts": ("chroma",),
    "video/kwiver_h265_gbrp_klv0601.ts": ("codec_h265", "chroma"),
    "video/street_h265_1376x1840.mp4": ("codec_h265", "b_frames"),
}
FOREIGN = {"video/fixedcam_vtest_msmpeg4_768x576.avi": ("msmpeg4v3", 768, 576)}
REFUSED = {"video/ardrone2_640x360.pave": "no_fps"}


def rendering(rendition: Rendition) -> Rendering:
    return Rendering(rendition, Encoder("libx264", "ultrafast", rendition))


def fps_of(name: str) -> float | None:
    return 30 if name.endswith(".h264") else None


def test_every_recorded_feed_is_one_of_these(feeds: Path) -> None:
    there = {
        f"{folder}/{path.name}" for folder in ("video", "derived") for path in (feeds / folder).iterdir()
    }
    assert there == FIT.keys() | UNFIT.keys() | FOREIGN.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", FIT)
def test_what_is_fit_is_left_as_it_is(feeds: Path, name: str) -> None:
    _, state = fed(feeds / name, fps=fps_of(name))
    assert not set(state.notes) & UNFIT_NOTES
    assert state.config is not None
    assert (state.config.width_px, state.config.height_px) == FIT[name]


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_unfit_becomes_fit(feeds: Path, name: str) -> None:
    units, state = fed(feeds / name, fps=fps_of(name))
    assert tuple(note for note in state.notes if note in UNFIT_NOTES) == UNFIT[name]
    assert state.config is not None
    size = rendition_size(Rendition.WEB, state.config.width_px, state.config.height_px)
    made = rendered(rendering(Rendition.WEB), units[:LOOKED_AT])
    check_rendition(made, units)
    assert len(made) >= min(len(units), LOOKED_AT) - 5
    config = config_of(Codec.H264, split_nal_units(made[0].data))
    assert config is not None
    assert config.plays_in_browsers
    assert {(frame.width, frame.height) for frame in decoded_frames(made)} == {size}


@pytest.mark.parametrize("name", [*FIT, *UNFIT])
def test_low_of_each(feeds: Path, name: str) -> None:
    units, state = fed(feeds / name, fps=fps_of(name))
    assert state.config is not None
    size = rendition_size(Rendition.LOW, state.config.width_px, state.config.height_px)
    made = rendered(rendering(Rendition.LOW), units[:LOOKED_AT])
    check_rendition(made, units)
    assert {(frame.width, frame.height) for frame in decoded_frames(made)} == {size}
    span_s = (made[-1].pts_90k - made[0].pts_90k) / 90_000
    assert 8 * sum(len(unit.data) for unit in made) < 600_000 * (span_s + 0.8)  # VBV holds half a second


@pytest.mark.parametrize("name", FOREIGN)
def test_what_does_not_travel_is_made_h264(feeds: Path, name: str) -> None:
    begin, *samples = islice(av_reader.messages(str(feeds / name), None, loop=False), LOOKED_AT)
    assert isinstance(begin, BeginForeign)
    assert (begin.info.codec, begin.info.width_px, begin.info.height_px) == FOREIGN[name]
    units = [
        AccessUnit(
            "f", Rendition.SOURCE, Codec.H264, 0, 0, s.dts, s.pts, s.pts, UtcOrigin.ARRIVAL, False, s.data
        )
        for s in samples
        if isinstance(s, Sample)
    ]
    making = Rendering(Rendition.WEB, Encoder("libx264", "ultrafast", Rendition.WEB), begin.info)
    made = rendered(making, units)
    check_rendition(made, units)
    assert len(made) == len(units)
    assert {(frame.width, frame.height) for frame in decoded_frames(made)} == {FOREIGN[name][1:]}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_said_why(feeds: Path, name: str) -> None:
    (failure,) = av_reader.messages(str(feeds / name), None, loop=False)
    assert isinstance(failure, Failure)
    assert failure.reason == REFUSED[name]
    assert name in failure.detail
